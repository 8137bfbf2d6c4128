//! Many calculations over one call: the client of a BatchCalculator.
//!
//! ```no_run
//! let client = calc::Client::connect("localhost:50050")?;
//! // Slices in, a vector out.
//! for quotient in client.batch().divide(&[10, 1], &[4, 0])? {
//!     println!("{quotient:?}"); // Ok(2.5), Err(DivisionByZero)
//! }
//! // An iterator in, an iterator out: of any length, in little memory.
//! let pairs = (0..1_000_000_000).map(|n| (n, 7));
//! for product in client.batch().multiply_pairs(pairs) {
//!     if let Ok(product) = product? {
//!         println!("{product}");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exchange;

use std::iter::Fuse;
use std::marker::PhantomData;
use std::time::Duration;
use std::vec;

use crate::batch::MAX_ELEMENTS;
use crate::calculator::{DIVISION_BY_ZERO, INT32_OVERFLOW};
use crate::client::Error;
use crate::proto::calc_batch::{BatchReply, BatchRequest, Operation};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;
use grpcio_kit::{CallOptions, Code, Status};

pub use exchange::{Exchange, MAX_IN_FLIGHT, Room};

/// The elements of a message unless [`Batch::elements`] says otherwise: 8,192, which is 64 KiB. More make it no faster.
pub const DEFAULT_ELEMENTS: usize = 8_192;

/// Why one of many calculations has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElementError {
    /// The exact result does not fit an `i32`.
    #[error("the result does not fit an int32")]
    Overflow,
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Anything else that a server may say.
    #[error("{}", .0.name())]
    Other(Code),
}

impl ElementError {
    /// What a code stands for among the errors of a reply.
    pub fn new(operation: Operation, code: i32) -> ElementError {
        match (operation, Code::from(code)) {
            (Operation::OPERATION_DIVIDE, Code::InvalidArgument) => ElementError::DivisionByZero,
            (_, Code::OutOfRange) => ElementError::Overflow,
            (_, code) => ElementError::Other(code),
        }
    }

    /// The reason that a call of its own would have in its `google.rpc.ErrorInfo`, or else the name of the code.
    pub fn reason(self) -> &'static str {
        match self {
            ElementError::Overflow => INT32_OVERFLOW,
            ElementError::DivisionByZero => DIVISION_BY_ZERO,
            ElementError::Other(code) => code.name(),
        }
    }
}

/// What one of many calculations gives.
pub type Calculated<T> = Result<T, ElementError>;

/// Many calculations over one call; [`Client::batch`](crate::Client::batch) makes one.
///
/// Operands are sent in messages of some thousand, and at most [`MAX_IN_FLIGHT`] messages are on their way at once, so
/// that memory does not grow with their number. The client's timeout is the longest that it waits for a reply while
/// one is due; the call as a whole has no deadline of its own, but that which the server gives it.
///
/// # Errors
///
/// An [`Error`] means that the call failed as a whole; what one calculation fails with is in its own [`Calculated`].
#[derive(Clone)]
pub struct Batch {
    stub: BatchCalculatorClient,
    options: CallOptions,
    timeout: Duration,
    elements: usize,
}

impl Batch {
    pub(super) fn new(stub: BatchCalculatorClient, options: CallOptions, timeout: Duration) -> Batch {
        Batch { stub, options, timeout, elements: DEFAULT_ELEMENTS }
    }

    /// How many elements to send in a message, 1 to [`MAX_ELEMENTS`]; [`DEFAULT_ELEMENTS`] unless set, and the nearest
    /// of these for others.
    #[must_use]
    pub fn elements(mut self, elements: usize) -> Batch {
        self.elements = elements.clamp(1, MAX_ELEMENTS);
        self
    }

    /// `n1 + n2` of each pair of elements. Slices that are not as long as each other are INVALID_ARGUMENT.
    pub fn add(&self, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated<i32>>, Error> {
        self.columns(Operation::OPERATION_ADD, n1, n2)
    }

    /// `n1 - n2` of each pair of elements. Slices that are not as long as each other are INVALID_ARGUMENT.
    pub fn subtract(&self, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated<i32>>, Error> {
        self.columns(Operation::OPERATION_SUBTRACT, n1, n2)
    }

    /// `n1 * n2` of each pair of elements. Slices that are not as long as each other are INVALID_ARGUMENT.
    pub fn multiply(&self, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated<i32>>, Error> {
        self.columns(Operation::OPERATION_MULTIPLY, n1, n2)
    }

    /// `n1 / n2` of each pair of elements. Slices that are not as long as each other are INVALID_ARGUMENT.
    pub fn divide(&self, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated<f32>>, Error> {
        self.columns(Operation::OPERATION_DIVIDE, n1, n2)
    }

    /// The sum of each pair.
    pub fn add_pairs<P: IntoIterator<Item = (i32, i32)>>(&self, pairs: P) -> Results<i32, P::IntoIter> {
        Results::new(self, Operation::OPERATION_ADD, pairs.into_iter())
    }

    /// The difference of each pair.
    pub fn subtract_pairs<P: IntoIterator<Item = (i32, i32)>>(&self, pairs: P) -> Results<i32, P::IntoIter> {
        Results::new(self, Operation::OPERATION_SUBTRACT, pairs.into_iter())
    }

    /// The product of each pair.
    pub fn multiply_pairs<P: IntoIterator<Item = (i32, i32)>>(&self, pairs: P) -> Results<i32, P::IntoIter> {
        Results::new(self, Operation::OPERATION_MULTIPLY, pairs.into_iter())
    }

    /// The quotient of each pair.
    pub fn divide_pairs<P: IntoIterator<Item = (i32, i32)>>(&self, pairs: P) -> Results<f32, P::IntoIter> {
        Results::new(self, Operation::OPERATION_DIVIDE, pairs.into_iter())
    }

    /// A call whose messages the caller makes.
    pub fn exchange(&self) -> Exchange {
        Exchange::new(&self.stub, self.options.clone(), self.timeout)
    }

    fn columns<T: Number>(&self, operation: Operation, n1: &[i32], n2: &[i32]) -> Result<Vec<Calculated<T>>, Error> {
        if n1.len() != n2.len() {
            let message = format!("n1 has {} elements and n2 has {}: they must be as many", n1.len(), n2.len());
            return Err(Status::new(Code::InvalidArgument, message).into());
        }
        let mut results = Vec::with_capacity(n1.len());
        let mut requests = n1.chunks(self.elements).zip(n2.chunks(self.elements));
        let mut exchange = self.exchange();
        loop {
            while let Some(room) = exchange.room() {
                match requests.next() {
                    Some((n1, n2)) => room.send(request(operation, n1.to_vec(), n2.to_vec())),
                    None => room.close(),
                }
            }
            match exchange.reply()? {
                Some(reply) => T::append(operation, reply, &mut results),
                None => return Ok(results),
            }
        }
    }
}

/// What each pair of an iterator gives: an iterator too, which keeps to their order.
///
/// Pairs are taken while a result is waited for, and up to [`MAX_IN_FLIGHT`] messages of them ahead of it: an iterator
/// that waits for something keeps results waiting. It ends after the first `Err` of its own. Dropping it cancels the
/// call.
#[must_use = "nothing is calculated before results are asked for"]
pub struct Results<T, P> {
    operation: Operation,
    elements: usize,
    /// Asked no more once they have ended.
    pairs: Fuse<P>,
    /// `None` after the end.
    exchange: Option<Exchange>,
    /// Results that have arrived.
    arrived: vec::IntoIter<Calculated<T>>,
    number: PhantomData<T>,
}

impl<T: Number, P: Iterator<Item = (i32, i32)>> Results<T, P> {
    fn new(batch: &Batch, operation: Operation, pairs: P) -> Results<T, P> {
        Results {
            operation,
            elements: batch.elements,
            pairs: pairs.fuse(),
            exchange: Some(batch.exchange()),
            arrived: Vec::new().into_iter(),
            number: PhantomData,
        }
    }

    /// Sends what there is room for, and waits for a reply.
    fn advance(&mut self) -> Result<Option<BatchReply>, Error> {
        let Some(exchange) = &mut self.exchange else {
            return Ok(None);
        };
        while let Some(room) = exchange.room() {
            let (n1, n2): (Vec<_>, Vec<_>) = self.pairs.by_ref().take(self.elements).unzip();
            if n1.is_empty() {
                room.close();
            } else {
                room.send(request(self.operation, n1, n2));
            }
        }
        exchange.reply()
    }
}

impl<T: Number, P: Iterator<Item = (i32, i32)>> Iterator for Results<T, P> {
    type Item = Result<Calculated<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.arrived.next() {
                return Some(Ok(result));
            }
            match self.advance() {
                Ok(Some(reply)) => {
                    let mut arrived = Vec::new();
                    T::append(self.operation, reply, &mut arrived);
                    self.arrived = arrived.into_iter();
                }
                Ok(None) => {
                    self.exchange = None;
                    return None;
                }
                Err(error) => {
                    self.exchange = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

fn request(operation: Operation, n1: Vec<i32>, n2: Vec<i32>) -> BatchRequest {
    BatchRequest { operation: operation.into(), n1, n2, ..Default::default() }
}

/// What results are: `i32`, and `f32` of a division.
pub trait Number: sealed::Column {}

impl Number for i32 {}
impl Number for f32 {}

mod sealed {
    use super::{BatchReply, Calculated, ElementError, Operation};

    /// Where a reply has its results.
    pub trait Column: Copy {
        fn column(reply: &BatchReply) -> &[Self];

        /// Appends what a reply holds. It has been checked.
        fn append(operation: Operation, reply: BatchReply, results: &mut Vec<Calculated<Self>>) {
            let start = results.len();
            results.extend(Self::column(&reply).iter().copied().map(Ok));
            for error in &reply.errors {
                if let Some(result) = results.get_mut(start + error.index as usize) {
                    *result = Err(ElementError::new(operation, error.code));
                }
            }
        }
    }

    impl Column for i32 {
        fn column(reply: &BatchReply) -> &[i32] {
            &reply.n1
        }
    }

    impl Column for f32 {
        fn column(reply: &BatchReply) -> &[f32] {
            &reply.f1
        }
    }
}
