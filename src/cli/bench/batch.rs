//! Streams of messages with many calculations each.

use std::sync::Arc;

use calc::arithmetic::{self, Operation};
use calc::client::batch::{self, Replies};
use calc::proto::calc_batch::{BatchReply, BatchRequest};
use calc::{Client, Error};
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::caller::{Caller, Failure};
use super::unary::Operands;

/// A stream that carries one message after the other. One that fails is followed by another.
pub struct Batched {
    client: Client,
    operation: Operation,
    elements: usize,
    columns: Arc<Columns>,
    /// Where in the columns the next message begins.
    offset: usize,
    /// The stream, while there is one.
    stream: Option<(UnboundedSender<BatchRequest>, Replies<UnboundedReceiver<BatchRequest>>)>,
}

/// Operands and results for all streams, twice as long as a message: what it takes to make and judge one is little
/// beside what it takes a server to answer it.
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
        Batched { client, operation, elements, columns: Arc::clone(columns), offset, stream: None }
    }

    fn request(&self) -> BatchRequest {
        let range = self.offset..self.offset + self.elements;
        let (n1, n2) = (self.columns.n1[range.clone()].to_vec(), self.columns.n2[range].to_vec());
        batch::request(self.operation, n1, n2)
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
        let (sender, replies) = self.stream.get_or_insert_with(|| {
            let (sender, requests) = mpsc::unbounded();
            (sender, self.client.batch().calculate(requests))
        });
        // If the stream has ended, that is what comes for a reply.
        let _ = sender.unbounded_send(request);
        let result = match replies.next().await {
            Some(Ok(reply)) => self.judge(&reply),
            Some(Err(error)) => {
                self.stream = None;
                Err(error.into())
            }
            None => {
                self.stream = None;
                Err(Failure::Wrong("the stream has ended without a reply".to_owned()))
            }
        };
        self.offset = (self.offset + 1) % self.elements;
        result
    }

    async fn end(&mut self) {
        if let Some((sender, mut replies)) = self.stream.take() {
            drop(sender);
            // All replies are there: how the stream ends changes nothing.
            let _ = replies.next().await;
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Status(error.status().clone())
    }
}

#[cfg(test)]
mod tests {
    use calc::proto::calc_batch::ElementError;

    use super::*;

    #[test]
    fn a_reply_is_right_if_every_element_is_and_is_told_where_it_is_not() {
        for operation in [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Divide] {
            let columns = Arc::new(Columns::new(operation, 4));
            let batched = Batched::new(Client::connect("localhost:1").unwrap(), operation, &columns, 3);
            let right = BatchReply {
                n1: columns.results.get(3..7).unwrap_or_default().to_vec(),
                f1: columns.quotients.get(3..7).unwrap_or_default().to_vec(),
                ..Default::default()
            };
            assert_eq!(
                (batched.request().n1, batched.request().n2),
                (columns.n1[3..7].to_vec(), columns.n2[3..7].to_vec())
            );
            assert!(batched.judge(&right).is_ok());

            let mut wrong = right.clone();
            wrong.n1.iter_mut().skip(2).for_each(|n1| *n1 += 1);
            wrong.f1.iter_mut().skip(2).for_each(|f1| *f1 += 1.0);
            let Err(Failure::Wrong(example)) = batched.judge(&wrong) else { panic!("{wrong:?}") };
            assert!(example.contains("element 2"), "{example}");

            let mut failed = right;
            failed.errors = vec![ElementError { index: 1, code: 11, ..Default::default() }];
            assert!(matches!(batched.judge(&failed), Err(Failure::Wrong(_))));
        }
    }
}
