//! The client of a Calculator, blocking and asynchronous, with typed errors.

pub mod batch;

use std::future::Future;
use std::time::Duration;

use grpcio_kit::proto::google_rpc::error_details::ErrorInfo;
use grpcio_kit::{CallOptions, Channel, ChannelBuilder, Code, ConnectError, Status};

use crate::arithmetic::{Number, Operation};
use crate::calculator::{DIVISION_BY_ZERO, ERROR_DOMAIN, INT32_OVERFLOW};
use crate::client::batch::Batch;
use crate::proto::calc::{AddRequest, DivideRequest, MultiplyRequest, SubstractRequest};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;
use crate::proto::calc_grpc::CalculatorClient;

/// The default of [`Client::timeout`]: 5 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the client names itself in the metadata `user-agent`.
pub const USER_AGENT: &str = concat!("calc/", env!("CARGO_PKG_VERSION"));

/// The service whose RPCs are retried, for [`ChannelBuilder::retry_idempotent`]: a calculation may be done twice.
pub const IDEMPOTENT: &str = "calc.Calculator";

/// Why there is no result.
///
/// The status code and its details decide the variant, not the text of the message. The arithmetic errors of a server
/// that sends no details, such as the original tutorial's, are [`Error::Status`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exact result does not fit an `i32`.
    #[error("{}", status.message())]
    Overflow {
        /// The exact result.
        result: i64,
        /// The status of the RPC.
        status: Status,
    },
    /// The divisor is zero.
    #[error("{}", .0.message())]
    DivisionByZero(Status),
    /// The server did not reply in time.
    #[error("no reply in time: {}", .0.message())]
    DeadlineExceeded(Status),
    /// The server cannot be reached or is shutting down, after [retries](Client::channel).
    #[error("the server is unavailable: {}", .0.message())]
    Unavailable(Status),
    /// Any other status.
    #[error("{0}")]
    Status(Status),
}

impl Error {
    /// Returns the status of the RPC, from the server or from the C core.
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

/// A client of a Calculator. Clones share one channel; it can be used from any number of threads.
///
/// The plain methods block until the reply. Those that end in `_async` return a future for any executor; dropping it
/// cancels the RPC.
///
/// # Errors
///
/// Every method returns an [`Error`].
#[derive(Clone)]
pub struct Client {
    stub: CalculatorClient,
    options: CallOptions,
    batch: Batch,
}

impl Client {
    /// Creates a client of the server at `target`: `host:port`, `dns:///host:port`,
    /// `ipv4:1.2.3.4:50050,1.2.3.5:50050`, `unix:/path`. The first RPC connects. See [`Client::channel`] for retries and
    /// load balancing.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Target`] if the text cannot be a target.
    pub fn connect(target: &str) -> Result<Client, ConnectError> {
        Ok(Client::new(Client::channel(target).connect()?))
    }

    /// Configures the channel that [`Client::connect`] makes, for TLS, a token and more: the addresses of the target take
    /// turns ([`ChannelBuilder::round_robin`]), and what fails with UNAVAILABLE is retried
    /// ([`ChannelBuilder::retry_idempotent`]), but for batches, whose caller knows how far they have come.
    pub fn channel(target: &str) -> ChannelBuilder {
        Channel::builder(target).user_agent(USER_AGENT).round_robin(true).retry_idempotent([IDEMPOTENT])
    }

    /// Creates a client on a channel.
    pub fn new(channel: Channel) -> Client {
        Client {
            stub: CalculatorClient::new(channel.clone()),
            options: CallOptions::default().timeout(DEFAULT_TIMEOUT),
            batch: Batch::new(BatchCalculatorClient::new(channel), DEFAULT_TIMEOUT),
        }
    }

    /// Sets the deadline of each RPC, or of each reply of [`Client::batch`]: default [`DEFAULT_TIMEOUT`], maximum ten
    /// years.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Client {
        self.options = self.options.timeout(timeout);
        self.batch.timeout = timeout;
        self
    }

    /// Sets whether an RPC waits for a connection up to its deadline (gRPC's wait-for-ready) instead of failing with
    /// [`Error::Unavailable`]; default `false`.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Client {
        self.options = self.options.wait_for_ready(wait);
        self.batch.options = self.batch.options.wait_for_ready(wait);
        self
    }

    /// Returns a client for many calculations in one RPC.
    pub fn batch(&self) -> Batch {
        self.batch.clone()
    }

    /// Returns the result of an operation.
    pub fn calculate(&self, operation: Operation, n1: i32, n2: i32) -> Result<Number, Error> {
        match operation {
            Operation::Add => self.add(n1, n2).map(Number::Integer),
            Operation::Subtract => self.subtract(n1, n2).map(Number::Integer),
            Operation::Multiply => self.multiply(n1, n2).map(Number::Integer),
            Operation::Divide => self.divide(n1, n2).map(Number::Float),
        }
    }

    /// Returns `n1 + n2`.
    pub fn add(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        Ok(self.stub.add(&AddRequest { n1, n2, ..Default::default() }, self.options.clone())?.n1)
    }

    /// Returns `n1 - n2`.
    pub fn subtract(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        Ok(self.stub.substract(&SubstractRequest { n1, n2, ..Default::default() }, self.options.clone())?.n1)
    }

    /// Returns `n1 * n2`.
    pub fn multiply(&self, n1: i32, n2: i32) -> Result<i32, Error> {
        Ok(self.stub.multiply(&MultiplyRequest { n1, n2, ..Default::default() }, self.options.clone())?.n1)
    }

    /// Returns `n1 / n2`, divided in double precision and rounded once to `f32`.
    pub fn divide(&self, n1: i32, n2: i32) -> Result<f32, Error> {
        Ok(self.stub.divide(&DivideRequest { n1, n2, ..Default::default() }, self.options.clone())?.f1)
    }

    /// [`Client::calculate`] as a future.
    pub async fn calculate_async(&self, operation: Operation, n1: i32, n2: i32) -> Result<Number, Error> {
        match operation {
            Operation::Add => self.add_async(n1, n2).await.map(Number::Integer),
            Operation::Subtract => self.subtract_async(n1, n2).await.map(Number::Integer),
            Operation::Multiply => self.multiply_async(n1, n2).await.map(Number::Integer),
            Operation::Divide => self.divide_async(n1, n2).await.map(Number::Float),
        }
    }

    /// [`Client::add`] as a future.
    pub fn add_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.add_async(&AddRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// [`Client::subtract`] as a future.
    pub fn subtract_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.substract_async(&SubstractRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// [`Client::multiply`] as a future.
    pub fn multiply_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<i32, Error>> + Send + use<> {
        let reply = self.stub.multiply_async(&MultiplyRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.n1) }
    }

    /// [`Client::divide`] as a future.
    pub fn divide_async(&self, n1: i32, n2: i32) -> impl Future<Output = Result<f32, Error>> + Send + use<> {
        let reply = self.stub.divide_async(&DivideRequest { n1, n2, ..Default::default() }, self.options.clone());
        async { Ok(reply.await?.f1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::ArithmeticError;

    #[test]
    fn details_decide_the_kind_of_an_error() {
        let overflow = Status::from(ArithmeticError::Overflow {
            operation: Operation::Multiply,
            n1: 65536,
            n2: 65536,
            result: 1 << 32,
        });
        assert!(matches!(Error::from(overflow), Error::Overflow { result: 4_294_967_296, .. }));
        assert!(matches!(Error::from(Status::from(ArithmeticError::DivisionByZero)), Error::DivisionByZero(_)));
    }

    #[test]
    fn a_message_alone_decides_nothing() {
        let lookalike = Status::new(Code::InvalidArgument, "division by zero");
        assert_eq!(Error::from(lookalike.clone()), Error::Status(lookalike));
    }

    #[test]
    fn details_of_another_domain_decide_nothing() {
        let info = ErrorInfo { reason: DIVISION_BY_ZERO.into(), domain: "elsewhere".into(), ..Default::default() };
        let other = Status::new(Code::InvalidArgument, "division by zero").with_detail(&info);
        assert_eq!(Error::from(other.clone()), Error::Status(other));
    }
}
