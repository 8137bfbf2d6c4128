//! The Calculator service: request → [`arithmetic`] → reply or [`Status`].

use grpcio_kit::proto::google_rpc::error_details::{BadRequest, ErrorInfo, bad_request::FieldViolation};
use grpcio_kit::{Call, Code, Status};

use crate::arithmetic::{self, ArithmeticError};
use crate::proto::calc::{
    AddReply, AddRequest, DivideReply, DivideRequest, MeuliplyReply, MultiplyRequest, SubstractReply, SubstractRequest,
};
use crate::proto::calc_grpc::Calculator;

/// The domain of this service's `google.rpc.ErrorInfo` details.
pub const ERROR_DOMAIN: &str = "calc";

/// The reason of the `ErrorInfo` of a result that does not fit an int32. Its metadata has `operation` (`Add`,
/// `Substract` or `Multiply`), `n1`, `n2` and the exact `result`.
pub const INT32_OVERFLOW: &str = "INT32_OVERFLOW";

/// The reason of the `ErrorInfo` of a division by zero.
pub const DIVISION_BY_ZERO: &str = "DIVISION_BY_ZERO";

/// The Calculator service.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalculatorService;

impl Calculator for CalculatorService {
    fn add(&self, _: &Call<'_>, request: AddRequest) -> Result<AddReply, Status> {
        let n1 = arithmetic::add(request.n1, request.n2)?;
        Ok(AddReply { n1, ..Default::default() })
    }

    fn substract(&self, _: &Call<'_>, request: SubstractRequest) -> Result<SubstractReply, Status> {
        let n1 = arithmetic::subtract(request.n1, request.n2)?;
        Ok(SubstractReply { n1, ..Default::default() })
    }

    fn multiply(&self, _: &Call<'_>, request: MultiplyRequest) -> Result<MeuliplyReply, Status> {
        let n1 = arithmetic::multiply(request.n1, request.n2)?;
        Ok(MeuliplyReply { n1, ..Default::default() })
    }

    fn divide(&self, _: &Call<'_>, request: DivideRequest) -> Result<DivideReply, Status> {
        let f1 = arithmetic::divide(request.n1, request.n2)?;
        Ok(DivideReply { f1, ..Default::default() })
    }
}

/// Returns the status code of a calculation that failed.
pub(crate) fn code(error: &ArithmeticError) -> Code {
    match error {
        ArithmeticError::Overflow { .. } => Code::OutOfRange,
        ArithmeticError::DivisionByZero => Code::InvalidArgument,
    }
}

impl From<ArithmeticError> for Status {
    fn from(error: ArithmeticError) -> Status {
        let status = Status::new(code(&error), error.to_string());
        match error {
            ArithmeticError::Overflow { operation, n1, n2, result } => {
                let metadata = [
                    ("operation", operation.method().to_owned()),
                    ("n1", n1.to_string()),
                    ("n2", n2.to_string()),
                    ("result", result.to_string()),
                ];
                status.with_detail(&ErrorInfo {
                    metadata: metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                    ..error_info(INT32_OVERFLOW)
                })
            }
            ArithmeticError::DivisionByZero => {
                let violation = FieldViolation {
                    field: "n2".to_owned(),
                    description: "must not be zero".to_owned(),
                    ..Default::default()
                };
                status
                    .with_detail(&BadRequest { field_violations: vec![violation], ..Default::default() })
                    .with_detail(&error_info(DIVISION_BY_ZERO))
            }
        }
    }
}

fn error_info(reason: &str) -> ErrorInfo {
    ErrorInfo { reason: reason.to_owned(), domain: ERROR_DOMAIN.to_owned(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::calc_grpc::calculator;

    #[test]
    fn a_method_can_be_called_without_a_server() {
        let call = Call::detached(calculator::DIVIDE.path());
        let request = DivideRequest { n1: 10, n2: 4, ..Default::default() };
        assert_eq!(CalculatorService.divide(&call, request).unwrap().f1, 2.5);
    }

    #[test]
    fn an_overflow_carries_the_operands_and_the_exact_result() {
        let call = Call::detached(calculator::SUBSTRACT.path());
        let request = SubstractRequest { n1: i32::MIN, n2: 1, ..Default::default() };
        let status = CalculatorService.substract(&call, request).unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange);
        assert!(status.message().contains("-2147483648 - 1 = -2147483649"), "{status}");
        let info = status.detail::<ErrorInfo>().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (INT32_OVERFLOW, ERROR_DOMAIN));
        assert_eq!(info.metadata["operation"], "Substract");
        assert_eq!(info.metadata["result"], "-2147483649");
    }

    #[test]
    fn a_division_by_zero_names_the_field() {
        let call = Call::detached(calculator::DIVIDE.path());
        let status = CalculatorService.divide(&call, DivideRequest::default()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "division by zero");
        assert_eq!(status.detail::<BadRequest>().unwrap().field_violations[0].field, "n2");
        assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, DIVISION_BY_ZERO);
    }
}
