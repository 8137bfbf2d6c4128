//! Many calculations in one RPC: the client of a BatchCalculator.
//!
//! ```no_run
//! use calc::arithmetic::Operation::{Divide, Multiply};
//!
//! let batch = calc::Client::connect("localhost:50050")?.batch();
//! // Slices in, a vector out.
//! for quotient in batch.columns(Divide, &[10, 1], &[4, 0])? {
//!     println!("{quotient:?}"); // Ok(Float(2.5)), Err(DivisionByZero)
//! }
//! // An iterator in, an iterator out: of any length, in bounded memory.
//! let pairs = (0..1_000_000_000).map(|n| (n, 7));
//! for product in batch.pairs(Multiply, pairs) {
//!     if let Ok(product) = product? {
//!         println!("{product}");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Batch::stream`] takes a stream and returns one, for any executor. Iterators are streams that the client's thread
//! polls, slices are streams of ready messages, and all of them become messages of one RPC in [`Batch::calculate`].

mod replies;

use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use futures_lite::stream::block_on;
use grpcio_kit::{CallOptions, Code, Status};

use crate::arithmetic::{Number, Operation};
use crate::batch::MAX_ELEMENTS;
use crate::calculator::{DIVISION_BY_ZERO, INT32_OVERFLOW};
use crate::client::Error;
use crate::proto::calc_batch::{self as proto, BatchReply, BatchRequest};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;

pub use replies::{MAX_IN_FLIGHT, Replies};

/// The default of [`Batch::elements`]: 8,192, which make a message of 64 KiB. More are not faster.
pub const DEFAULT_ELEMENTS: usize = 8_192;

/// Why one calculation of a batch has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElementError {
    /// The exact result does not fit an `i32`.
    #[error("the result does not fit an int32")]
    Overflow,
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Another status code of the server.
    #[error("{}", .0.name())]
    Other(Code),
}

impl ElementError {
    fn new(operation: Operation, code: i32) -> ElementError {
        match (operation, Code::from(code)) {
            (Operation::Divide, Code::InvalidArgument) => ElementError::DivisionByZero,
            (_, Code::OutOfRange) => ElementError::Overflow,
            (_, code) => ElementError::Other(code),
        }
    }

    /// Returns the reason that a unary RPC's `google.rpc.ErrorInfo` would have, or else the name of the code.
    pub fn reason(self) -> &'static str {
        match self {
            ElementError::Overflow => INT32_OVERFLOW,
            ElementError::DivisionByZero => DIVISION_BY_ZERO,
            ElementError::Other(code) => code.name(),
        }
    }
}

/// The result of one calculation of a batch.
pub type Calculated = Result<Number, ElementError>;

/// Many calculations in one RPC; [`Client::batch`](crate::client::Client::batch) makes one.
///
/// Operands are sent in messages of [`Batch::elements`], at most [`MAX_IN_FLIGHT`] of them without a reply, so that
/// memory does not grow with the number of operands. The client's timeout limits the wait for each reply that is due;
/// the RPC as a whole has only the deadline that the server sets.
///
/// Results come in the order of the operands. What takes an iterator or a stream takes operands while a result is
/// waited for, up to [`MAX_IN_FLIGHT`] messages ahead of it, and a stream's operands are sent as soon as no more of
/// them are ready. An iterator may itself make blocking calls.
///
/// # Errors
///
/// An [`Error`] means that the RPC failed, and ends the results; one calculation's error is in its [`Calculated`].
/// Slices of different lengths are INVALID_ARGUMENT.
#[derive(Clone)]
pub struct Batch {
    stub: BatchCalculatorClient,
    pub(super) options: CallOptions,
    pub(super) timeout: Duration,
    elements: usize,
}

impl Batch {
    pub(super) fn new(stub: BatchCalculatorClient, timeout: Duration) -> Batch {
        Batch { stub, options: CallOptions::default(), timeout, elements: DEFAULT_ELEMENTS }
    }

    /// Sets the number of pairs per message, clamped to 1 to [`MAX_ELEMENTS`]; default [`DEFAULT_ELEMENTS`].
    #[must_use]
    pub fn elements(mut self, elements: usize) -> Batch {
        self.elements = elements.clamp(1, MAX_ELEMENTS);
        self
    }

    /// Returns the results of an operation on each pair of elements.
    pub fn columns(&self, operation: Operation, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated>, Error> {
        if n1.len() != n2.len() {
            let message =
                format!("n1 has {} elements and n2 has {}: they must have the same length", n1.len(), n2.len());
            return Err(Status::new(Code::InvalidArgument, message).into());
        }
        let columns = n1.chunks(self.elements).zip(n2.chunks(self.elements));
        let requests = columns.map(|(n1, n2)| request(operation, n1.to_vec(), n2.to_vec()));
        let mut all = Vec::with_capacity(n1.len());
        for reply in block_on(self.calculate(stream::iter(requests))) {
            all.extend(results(operation, reply?));
        }
        Ok(all)
    }

    /// Returns an iterator over the results of an operation on each pair.
    pub fn pairs<P>(&self, operation: Operation, pairs: P) -> impl Iterator<Item = Result<Calculated, Error>> + use<P>
    where
        P: IntoIterator<Item = (i32, i32)>,
    {
        block_on(self.stream(operation, stream::iter(pairs)))
    }

    /// Returns a stream of the results of an operation on each pair.
    pub fn stream<S>(
        &self,
        operation: Operation,
        pairs: S,
    ) -> impl Stream<Item = Result<Calculated, Error>> + Unpin + use<S>
    where
        S: Stream<Item = (i32, i32)>,
    {
        let requests = pairs.ready_chunks(self.elements).map(move |pairs| {
            let (n1, n2) = pairs.into_iter().unzip();
            request(operation, n1, n2)
        });
        let replies = self.calculate(requests);
        replies.map_ok(move |reply| stream::iter(results(operation, reply)).map(Ok)).try_flatten()
    }

    /// Makes the Calculate RPC with a stream of requests; [`request`] makes one.
    pub fn calculate<R: Stream<Item = BatchRequest>>(&self, requests: R) -> Replies<R> {
        Replies::new(&self.stub, self.options.clone(), self.timeout, requests)
    }
}

/// Returns a request for one operation on columns of the same length, of at most [`MAX_ELEMENTS`].
pub fn request(operation: Operation, n1: Vec<i32>, n2: Vec<i32>) -> BatchRequest {
    BatchRequest { operation: proto::Operation::from(operation).into(), n1, n2, ..Default::default() }
}

/// Returns the results of a reply that [`Batch::calculate`] has checked.
pub fn results(operation: Operation, reply: BatchReply) -> Vec<Calculated> {
    // One of the two columns is empty.
    let integers = reply.n1.into_iter().map(Number::Integer);
    let floats = reply.f1.into_iter().map(Number::Float);
    let mut results: Vec<_> = integers.chain(floats).map(Ok).collect();
    for error in reply.errors {
        if let Some(result) = results.get_mut(error.index as usize) {
            *result = Err(ElementError::new(operation, error.code));
        }
    }
    results
}
