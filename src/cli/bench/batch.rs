//! Streams of messages with many calculations each.

use std::sync::Arc;

use calc::arithmetic;
use calc::client::batch::Exchange;
use calc::proto::calc_batch::{self as proto, BatchReply, BatchRequest};
use calc::{Client, Error};
use futures::future::poll_fn;

use super::caller::{Caller, Failure};
use super::operation::{Operands, Operation};

/// A stream that carries one message after the other. One that fails is followed by another.
pub struct Batched {
    client: Client,
    operation: Operation,
    elements: usize,
    columns: Arc<Columns>,
    /// Where in the columns the next message begins.
    offset: usize,
    /// The stream, while there is one.
    exchange: Option<Exchange>,
}

/// Operands and results for all streams, twice as long as a message: what it takes to make and judge one is little beside what it takes
/// a server to answer it.
#[derive(Default)]
pub struct Columns {
    n1: Vec<i32>,
    n2: Vec<i32>,
    /// Of every operation but a division.
    results: Vec<i32>,
    /// Of a division.
    quotients: Vec<f32>,
}

impl Columns {
    /// Those of messages of `elements`.
    pub fn new(operation: Operation, elements: usize) -> Columns {
        let (mut columns, mut operands) = (Columns::default(), Operands::new(0));
        for _ in 0..elements * 2 {
            let (n1, n2) = operands.next();
            columns.n1.push(n1);
            columns.n2.push(n2);
            // Operands have a result under every operation.
            match operation {
                Operation::Add => columns.results.extend(arithmetic::add(n1, n2)),
                Operation::Subtract => columns.results.extend(arithmetic::subtract(n1, n2)),
                Operation::Multiply => columns.results.extend(arithmetic::multiply(n1, n2)),
                Operation::Divide => columns.quotients.extend(arithmetic::divide(n1, n2)),
            }
        }
        columns
    }
}

impl Batched {
    /// `client` has the time that a reply may take. Streams of different numbers begin with different operands.
    pub fn new(client: Client, operation: Operation, columns: &Arc<Columns>, number: u32) -> Batched {
        let elements = columns.n1.len() / 2;
        let offset = number as usize % elements;
        Batched { client, operation, elements, columns: Arc::clone(columns), offset, exchange: None }
    }

    fn request(&self) -> BatchRequest {
        let operation = match self.operation {
            Operation::Add => proto::Operation::OPERATION_ADD,
            Operation::Subtract => proto::Operation::OPERATION_SUBTRACT,
            Operation::Multiply => proto::Operation::OPERATION_MULTIPLY,
            Operation::Divide => proto::Operation::OPERATION_DIVIDE,
        };
        let range = self.offset..self.offset + self.elements;
        let (n1, n2) = (self.columns.n1[range.clone()].to_vec(), self.columns.n2[range].to_vec());
        BatchRequest { operation: operation.into(), n1, n2, ..Default::default() }
    }

    fn judge(&self, reply: &BatchReply) -> Result<(), Failure> {
        if let Some(error) = reply.errors.first() {
            return Err(Failure::Wrong(format!("element {} failed with code {}", error.index, error.code)));
        }
        let end = self.offset + self.elements;
        let wrong = match self.operation {
            Operation::Divide => first_difference(&reply.f1, &self.columns.quotients[self.offset..end]),
            _ => first_difference(&reply.n1, &self.columns.results[self.offset..end]),
        };
        let Some(index) = wrong else {
            return Ok(());
        };
        let at = self.offset + index;
        let (n1, n2) = (self.columns.n1[at], self.columns.n2[at]);
        Err(Failure::Wrong(format!("{} of {n1} and {n2}, element {index}, is wrong", self.operation.name())))
    }
}

fn first_difference<T: PartialEq>(reply: &[T], right: &[T]) -> Option<usize> {
    if reply == right {
        return None;
    }
    Some(reply.iter().zip(right).take_while(|(reply, right)| reply == right).count())
}

impl Caller for Batched {
    async fn call(&mut self) -> Result<(), Failure> {
        let request = self.request();
        let exchange = self.exchange.get_or_insert_with(|| self.client.batch().exchange());
        exchange.send(request);
        let result = match poll_fn(|cx| exchange.poll_reply(cx)).await {
            Ok(Some(reply)) => self.judge(&reply),
            Ok(None) => Err(Failure::Wrong("the stream has ended without a reply".to_owned())),
            Err(error) => {
                self.exchange = None;
                Err(error.into())
            }
        };
        self.offset = (self.offset + 1) % self.elements;
        result
    }

    async fn end(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.close();
            // All replies are there: how the stream ends changes nothing.
            let _ = poll_fn(|cx| exchange.poll_reply(cx)).await;
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Status(error.status().clone())
    }
}
