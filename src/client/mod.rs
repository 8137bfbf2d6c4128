//! The client of a Calculator: integers in, numbers out, and errors that can be told apart.

pub mod batch;

use std::future::Future;
use std::time::Duration;

use crate::calculator::{DIVISION_BY_ZERO, ERROR_DOMAIN, INT32_OVERFLOW};
use crate::proto::calc::{AddRequest, DivideRequest, MultiplyRequest, SubstractRequest};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;
use crate::proto::calc_grpc::CalculatorClient;
use batch::Batch;
use grpcio_kit::proto::google_rpc::error_details::ErrorInfo;
use grpcio_kit::{CallOptions, Channel, Code, ConnectError, Status};

/// The time that a call may take unless [`Client::timeout`] says otherwise: 5 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the client names itself in the metadata `user-agent`.
pub const USER_AGENT: &str = concat!("calc/", env!("CARGO_PKG_VERSION"));

/// Why there is no result.
///
/// What kind of error it is comes from the status code and its details, not from the text
/// of a message. A server without details, such as the one of the original tutorial, has
/// its arithmetic errors told as [`Error::Status`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exact result does not fit an `i32`.
    #[error("{}", status.message())]
    Overflow {
        /// The exact result.
        result: i64,
        /// The status as it was received.
        status: Status,
    },
    /// The divisor is zero.
    #[error("{}", .0.message())]
    DivisionByZero(Status),
    /// The server did not answer in time.
    #[error("no reply in time: {}", .0.message())]
    DeadlineExceeded(Status),
    /// The server cannot be reached, or is about to end. A retry may help.
    #[error("the server is unavailable: {}", .0.message())]
    Unavailable(Status),
    /// Any other status.
    #[error("{0}")]
    Status(Status),
}

impl Error {
    /// The status as it was received, or as the C core made it.
    pub fn status(&self) -> &Status {
        match self {
            Error::Overflow { status, .. }
            | Error::DivisionByZero(status)
            | Error::DeadlineExceeded(status)
            | Error::Unavailable(status)
            | Error::Status(status) => status,
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        match status.code() {
            Code::DeadlineExceeded => return Error::DeadlineExceeded(status),
            Code::Unavailable => return Error::Unavailable(status),
            _ => {}
        }
        let Some(info) = status.detail::<ErrorInfo>().filter(|info| info.domain == ERROR_DOMAIN) else {
            return Error::Status(status);
        };
        let result = info.metadata.get("result").and_then(|result| result.parse().ok());
        match (info.reason.as_str(), result) {
            (INT32_OVERFLOW, Some(result)) => Error::Overflow { result, status },
            (DIVISION_BY_ZERO, _) => Error::DivisionByZero(status),
            _ => Error::Status(status),
        }
    }
}

/// A client of a Calculator. Clones share one channel; use it from any number of threads.
///
/// The plain methods wait for the reply. The methods that end in `_async` return a future,
/// which any executor can run; dropping it cancels the call.
///
/// # Errors
///
/// Every method returns an [`Error`].
#[derive(Clone)]
pub struct Client {
    stub: CalculatorClient,
    batch: BatchCalculatorClient,
    options: CallOptions,
    timeout: Duration,
    wait_for_ready: bool,
}

impl Client {
    /// A client of the server at `target`: `host:port`, `dns:///host:port`,
    /// `ipv4:1.2.3.4:50050,1.2.3.5:50050`, `unix:/path`. The connection is made by the first call.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Target`] if the text cannot be a target.
    pub fn connect(target: &str) -> Result<Client, ConnectError> {
        Ok(Client::new(Channel::builder(target).user_agent(USER_AGENT).connect()?))
    }

    /// A client of the server at the other end of `channel`.
    pub fn new(channel: Channel) -> Client {
        Client {
            stub: CalculatorClient::new(channel.clone()),
            batch: BatchCalculatorClient::new(channel),
            options: CallOptions::default().timeout(DEFAULT_TIMEOUT),
            timeout: DEFAULT_TIMEOUT,
            wait_for_ready: false,
        }
    }

    /// The time that each call may take; [`DEFAULT_TIMEOUT`] unless set. More than ten years
    /// are taken as ten years. Of [`Client::batch`], it is the time that each reply may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Client {
        self.options = self.options.timeout(timeout);
        self.timeout = timeout;
        self
    }

    /// Whether a call waits for the server to come up, as long as its time lasts, instead of
    /// failing with [`Error::Unavailable`]. It does not unless set.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Client {
        self.options = self.options.wait_for_ready(wait);
        self.wait_for_ready = wait;
        self
    }

    /// Many calculations over one call: slices or iterators in, vectors or iterators out.
    pub fn batch(&self) -> Batch {
        let options = CallOptions::default().wait_for_ready(self.wait_for_ready);
        Batch::new(self.batch.clone(), options, self.timeout)
    }

    /// `n1 + n2`.
    pub fn add(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        let request = AddRequest { n1, n2, ..Default::default() };
        Ok(self.stub.add(&request, self.options.clone())?.n1)
    }

    /// `n1 - n2`.
    pub fn subtract(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        let request = SubstractRequest { n1, n2, ..Default::default() };
        Ok(self.stub.substract(&request, self.options.clone())?.n1)
    }

    /// `n1 * n2`.
    pub fn multiply(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        let request = MultiplyRequest { n1, n2, ..Default::default() };
        Ok(self.stub.multiply(&request, self.options.clone())?.n1)
    }

    /// `n1 / n2`, divided in double precision and rounded once to `f32`.
    pub fn divide(&self, n1: i32, n2: i32) -> Result<f32, Error> {
        let request = DivideRequest { n1, n2, ..Default::default() };
        Ok(self.stub.divide(&request, self.options.clone())?.f1)
    }

    /// `n1 + n2`, as a future.
    pub fn add_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.add_async(&AddRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// `n1 - n2`, as a future.
    pub fn subtract_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.substract_async(&SubstractRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// `n1 * n2`, as a future.
    pub fn multiply_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.multiply_async(&MultiplyRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// `n1 / n2`, as a future.
    pub fn divide_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<f32, Error>> + Send + use<> {
        let reply = self.stub.divide_async(&DivideRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.f1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::{ArithmeticError, Operator};

    #[test]
    fn errors_are_told_apart_by_their_details() {
        let overflow = Status::from(ArithmeticError::Overflow {
            operator: Operator::Multiply,
            n1: 65536,
            n2: 65536,
            result: 1 << 32,
        });
        assert!(matches!(Error::from(overflow), Error::Overflow { result: 4_294_967_296, .. }));
        assert!(matches!(Error::from(Status::from(ArithmeticError::DivisionByZero)), Error::DivisionByZero(_)));
    }

    #[test]
    fn a_message_alone_tells_nothing() {
        let lookalike = Status::new(Code::InvalidArgument, "division by zero");
        assert_eq!(Error::from(lookalike.clone()), Error::Status(lookalike));
    }

    #[test]
    fn details_of_another_domain_tell_nothing() {
        let info = ErrorInfo { reason: DIVISION_BY_ZERO.into(), domain: "elsewhere".into(), ..Default::default() };
        let other = Status::new(Code::InvalidArgument, "division by zero").with_detail(&info);
        assert_eq!(Error::from(other.clone()), Error::Status(other));
    }
}
