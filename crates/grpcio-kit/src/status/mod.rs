//! The status of a failed RPC: a code, a message, and typed details.

pub(crate) mod code;

use grpcio::RpcStatus;
use protobuf::well_known_types::any::Any;
use protobuf::{Message, MessageFull};

use crate::google_rpc::status::Status as StatusProto;
use crate::status::code::Code;

/// The maximum size of a message that is sent, in bytes. Message and details are sent as HTTP/2 headers, of which an
/// implementation may reject more than 8 KiB.
const MAX_MESSAGE: usize = 1024;

/// The maximum size of the details that are sent, in bytes before their base64 encoding.
const MAX_DETAILS: usize = 4096;

/// The status of a failed RPC.
///
/// Details follow the [richer error model](https://grpc.io/docs/guides/error/#richer-error-model): they are sent as a
/// `google.rpc.Status` in the trailer `grpc-status-details-bin`, where other languages expect them (`grpcio-status` in
/// Python).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Status {
    code: Code,
    message: String,
    details: Vec<Any>,
}

impl Status {
    /// Returns a status without details.
    ///
    /// A message over 1,024 bytes is truncated when it is sent.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status { code, message: message.into(), details: Vec::new() }
    }

    /// Adds a detail: a message of `google/rpc/error_details.proto`, or one of your own.
    ///
    /// Details are not sent if they take more than 4,096 bytes in all.
    #[must_use]
    pub fn with_detail<M: MessageFull>(mut self, detail: &M) -> Status {
        match Any::pack(detail) {
            Ok(any) => self.details.push(any),
            Err(error) => tracing::error!(%error, detail = M::NAME, "a status detail cannot be encoded"),
        }
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the message, which is for people: programs use the code and the details.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the first detail of type `M`, if there is one that can be decoded.
    pub fn detail<M: MessageFull>(&self) -> Option<M> {
        self.details.iter().find_map(|any| any.unpack().ok().flatten())
    }

    /// Returns this status for grpcio to send.
    pub(crate) fn to_grpcio(&self) -> RpcStatus {
        let message = cut(&self.message, MAX_MESSAGE);
        RpcStatus::with_details(i32::from(self.code), message.to_owned(), self.encode_details(message))
    }

    fn encode_details(&self, message: &str) -> Vec<u8> {
        if self.details.is_empty() {
            return Vec::new();
        }
        let proto = StatusProto {
            code: self.code.into(),
            message: message.to_owned(),
            details: self.details.clone(),
            ..Default::default()
        };
        match proto.write_to_bytes() {
            Ok(bytes) if bytes.len() <= MAX_DETAILS => bytes,
            Ok(bytes) => {
                tracing::warn!(bytes = bytes.len(), limit = MAX_DETAILS, "status details are too large to be sent");
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%error, "status details cannot be encoded");
                Vec::new()
            }
        }
    }

    /// Reads what grpcio received. Details count only if their code is the status's own.
    fn from_grpcio(status: &RpcStatus) -> Status {
        let code = Code::from(i32::from(status.code()));
        let details = StatusProto::parse_from_bytes(status.details())
            .ok()
            .filter(|proto| proto.code == i32::from(code))
            .map(|proto| proto.details)
            .unwrap_or_default();
        Status { code, message: status.message().to_owned(), details }
    }
}

impl From<grpcio::Error> for Status {
    fn from(error: grpcio::Error) -> Status {
        use grpcio::Error;
        match error {
            Error::RpcFailure(status) | Error::RpcFinished(Some(status)) => Status::from_grpcio(&status),
            Error::RpcFinished(None) | Error::RemoteStopped => {
                Status::new(Code::Cancelled, "the call has already ended")
            }
            Error::QueueShutdown => Status::new(Code::Cancelled, "the completion queue has been shut down"),
            Error::Codec(error) => match error.downcast::<Status>() {
                Ok(status) => *status,
                Err(error) => Status::new(Code::Internal, format!("cannot encode or decode a message: {error}")),
            },
            Error::InvalidMetadata(reason) => Status::new(Code::InvalidArgument, format!("invalid metadata: {reason}")),
            other => Status::new(Code::Internal, format!("the C core failed: {other}")),
        }
    }
}

/// Returns the longest prefix of `text` that has at most `max` bytes and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google_rpc::error_details::{BadRequest, ErrorInfo};

    #[test]
    fn a_long_message_is_truncated_between_characters() {
        let status = Status::new(Code::Internal, "é".repeat(1000));
        assert_eq!(status.to_grpcio().message(), "é".repeat(512));
        let odd = format!("x{}", "é".repeat(1000));
        assert_eq!(Status::new(Code::Internal, odd).to_grpcio().message().len(), 1023);
    }

    #[test]
    fn details_survive_a_round_trip_through_grpcio() {
        let info = ErrorInfo { reason: "WHY".into(), ..Default::default() };
        let sent = Status::new(Code::NotFound, "gone").with_detail(&info);
        let received = Status::from(grpcio::Error::RpcFailure(sent.to_grpcio()));
        assert_eq!(received, sent);
        assert_eq!(received.detail::<ErrorInfo>(), Some(info));
        assert_eq!(received.detail::<BadRequest>(), None);
    }

    #[test]
    fn details_too_large_for_a_header_are_not_sent() {
        let info = ErrorInfo { reason: "x".repeat(MAX_DETAILS), ..Default::default() };
        let status = Status::new(Code::NotFound, "gone").with_detail(&info);
        assert!(status.to_grpcio().details().is_empty());
    }

    #[test]
    fn details_that_contradict_the_code_are_ignored() {
        let info = ErrorInfo { reason: "WHY".into(), ..Default::default() };
        let details = Status::new(Code::NotFound, "gone").with_detail(&info).to_grpcio().details().to_vec();
        let lie = RpcStatus::with_details(i32::from(Code::Aborted), "other".into(), details);
        let received = Status::from(grpcio::Error::RpcFailure(lie));
        assert_eq!(received.code(), Code::Aborted);
        assert_eq!(received.detail::<ErrorInfo>(), None);
    }

    #[test]
    fn a_code_unknown_to_grpc_is_unknown() {
        assert_eq!(Code::from(17), Code::Unknown);
        assert_eq!(Code::from(-1), Code::Unknown);
        for code in Code::ALL {
            assert_eq!(Code::from(i32::from(*code)), *code);
        }
    }
}
