//! The BatchCalculator service: columns of operands in, columns of results out, message by message.
//!
//! A message's calculations run where it arrives, on the thread of a completion queue: the largest takes about a fifth
//! of a millisecond, decoding and encoding included, and one and a half if every calculation fails. The next one's turn
//! comes when the reply has left, which is the adapter's doing (`rpc/call/adapter.rs`).

use futures::StreamExt;
use protobuf::Enum;

use crate::arithmetic::{self, ArithmeticError};
use crate::calculator;
use crate::proto::calc_batch::{BatchReply, BatchRequest, ElementError, Operation};
use crate::proto::calc_batch_grpc::BatchCalculator;
use grpcio_kit::proto::google_rpc::error_details::{BadRequest, bad_request::FieldViolation};
use grpcio_kit::{Call, Code, ReplyStream, RequestStream, Status};

/// The most elements in each column of a request: 65,536.
///
/// It is part of the contract, and no setting, for clients divide their columns by it. A request of that many has
/// 512 KiB, and its reply 752 KiB if every calculation fails: both fit the 4 MiB that a server takes and a client
/// accepts unless told otherwise.
pub const MAX_ELEMENTS: usize = 65_536;

/// The BatchCalculator service.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchService;

impl BatchCalculator for BatchService {
    fn calculate(
        &self,
        _: &Call<'_>,
        requests: RequestStream<BatchRequest>,
    ) -> Result<ReplyStream<BatchReply>, Status> {
        let replies = requests.enumerate().map(|(index, request)| answer(&request?, index + 1));
        Ok(replies.boxed())
    }
}

/// The reply to the request of this number.
fn answer(request: &BatchRequest, number: usize) -> Result<BatchReply, Status> {
    let BatchRequest { operation, n1, n2, .. } = request;
    let refuse = |field, reason| Err(refusal(number, field, reason));
    if n1.len() != n2.len() {
        return refuse("n2", format!("n1 has {} elements and n2 has {}: they must be as many", n1.len(), n2.len()));
    }
    if n1.len() > MAX_ELEMENTS {
        let reason =
            format!("its columns have {} elements, and {MAX_ELEMENTS} are the most: send more messages", n1.len());
        return refuse("n1", reason);
    }
    let mut reply = BatchReply::default();
    let errors = &mut reply.errors;
    match operation.enum_value() {
        Ok(Operation::OPERATION_ADD) => reply.n1 = column(n1, n2, errors, arithmetic::add),
        Ok(Operation::OPERATION_SUBTRACT) => reply.n1 = column(n1, n2, errors, arithmetic::subtract),
        Ok(Operation::OPERATION_MULTIPLY) => reply.n1 = column(n1, n2, errors, arithmetic::multiply),
        Ok(Operation::OPERATION_DIVIDE) => reply.f1 = column(n1, n2, errors, arithmetic::divide),
        Ok(Operation::OPERATION_UNSPECIFIED) => return refuse("operation", "it has no operation".to_owned()),
        Err(unknown) => {
            let last = Operation::OPERATION_DIVIDE.value();
            return refuse("operation", format!("there is no operation {unknown}: they go from 1 to {last}"));
        }
    }
    Ok(reply)
}

/// Calculates a column. Where that fails it has 0, and `errors` has the reason.
fn column<T: Copy + Default>(
    n1: &[i32],
    n2: &[i32],
    errors: &mut Vec<ElementError>,
    calculate: impl Fn(i32, i32) -> Result<T, ArithmeticError>,
) -> Vec<T> {
    let pairs = n1.iter().zip(n2).enumerate();
    let results = pairs.map(|(index, (&n1, &n2))| {
        calculate(n1, n2).unwrap_or_else(|error| {
            errors.push(element_error(index, &error));
            T::default()
        })
    });
    results.collect()
}

/// Kept out of the loop, which it would make slower.
#[cold]
fn element_error(index: usize, error: &ArithmeticError) -> ElementError {
    // Columns are not longer than MAX_ELEMENTS.
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    ElementError { index, code: calculator::code(error) as i32, ..Default::default() }
}

fn refusal(number: usize, field: &str, reason: String) -> Status {
    let message = format!("request {number} of the stream: {reason}");
    let violation = FieldViolation { field: field.to_owned(), description: reason, ..Default::default() };
    let details = BadRequest { field_violations: vec![violation], ..Default::default() };
    Status::new(Code::InvalidArgument, message).with_detail(&details)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: Operation, n1: &[i32], n2: &[i32]) -> BatchRequest {
        BatchRequest { operation: operation.into(), n1: n1.to_vec(), n2: n2.to_vec(), ..Default::default() }
    }

    fn message(request: &BatchRequest) -> String {
        let status = answer(request, 7).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().to_owned()
    }

    #[test]
    fn an_element_that_fails_is_0_and_among_the_errors() {
        let reply = answer(&request(Operation::OPERATION_ADD, &[1, i32::MAX, 3], &[2, 1, 4]), 1).unwrap();
        assert_eq!(reply.n1, [3, 0, 7]);
        assert_eq!((reply.errors[0].index, reply.errors[0].code, reply.errors.len()), (1, 11, 1));

        let reply = answer(&request(Operation::OPERATION_DIVIDE, &[1, 0, 0], &[0, 0, -5]), 1).unwrap();
        assert_eq!(reply.f1.iter().map(|f1| f1.to_bits()).collect::<Vec<_>>(), [0, 0, (-0.0_f32).to_bits()]);
        assert_eq!(reply.errors.iter().map(|error| (error.index, error.code)).collect::<Vec<_>>(), [(0, 3), (1, 3)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_number() {
        let add = Operation::OPERATION_ADD;
        let text = message(&request(add, &[1, 2], &[1]));
        assert_eq!(text, "request 7 of the stream: n1 has 2 elements and n2 has 1: they must be as many");
        let long = vec![0; MAX_ELEMENTS + 1];
        let text = message(&request(add, &long, &long));
        assert!(
            text.ends_with("its columns have 65537 elements, and 65536 are the most: send more messages"),
            "{text}"
        );
        let text = message(&BatchRequest::default());
        assert_eq!(text, "request 7 of the stream: it has no operation");
        let unknown = protobuf::EnumOrUnknown::from_i32(5);
        let text = message(&BatchRequest { operation: unknown, ..Default::default() });
        assert_eq!(text, "request 7 of the stream: there is no operation 5: they go from 1 to 4");
    }

    #[test]
    fn the_largest_messages_fit_the_limits_of_a_server_by_default() {
        use protobuf::Message;
        let limits = grpcio_kit::Limits::default();
        let (n1, n2) = (vec![1; MAX_ELEMENTS], vec![0; MAX_ELEMENTS]);
        let request = request(Operation::OPERATION_DIVIDE, &n1, &n2);
        assert!(request.compute_size() < u64::from(limits.max_request_bytes));
        let reply = answer(&request, 1).unwrap();
        assert_eq!(reply.errors.len(), MAX_ELEMENTS);
        assert!(reply.compute_size() < u64::from(limits.max_reply_bytes));
        assert!(reply.compute_size() <= 752 * 1024, "{}", reply.compute_size());
    }
}
