//! Messages with many calculations each, one at a time over a stream.

use std::sync::Arc;

use calc::Client;
use calc::arithmetic::{Number, Operation};
use calc::client::batch::{self, Replies};
use calc::proto::calc_batch::{BatchReply, BatchRequest};
use fastrand::Rng;
use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use grpcio_load::{Caller, Failure};

use super::unary::{failure, operands};

/// The number of different messages.
const MESSAGES: u64 = 8;

/// A request, and its results.
pub struct Message {
    request: BatchRequest,
    n1: Vec<i32>,
    f1: Vec<f32>,
}

impl Message {
    fn new(operation: Operation, elements: u32, seed: u64) -> Message {
        let random = &mut Rng::with_seed(seed);
        let (n1, n2): (Vec<i32>, Vec<i32>) = (0..elements).map(|_| operands(random)).unzip();
        let (mut integers, mut floats) = (Vec::new(), Vec::new());
        // These operands have a result under every operation.
        for result in n1.iter().zip(&n2).flat_map(|(n1, n2)| operation.calculate(*n1, *n2)) {
            match result {
                Number::Integer(integer) => integers.push(integer),
                Number::Float(float) => floats.push(float),
            }
        }
        Message { request: batch::request(operation, n1, n2), n1: integers, f1: floats }
    }

    fn verify(&self, reply: &BatchReply) -> Result<(), Failure> {
        if let Some(error) = reply.errors.first() {
            return Err(Failure::WrongReply(format!("element {} failed with code {}", error.index, error.code)));
        }
        let n1 = reply.n1.iter().zip(&self.n1).position(|(reply, right)| reply != right);
        let f1 = reply.f1.iter().zip(&self.f1).position(|(reply, right)| reply != right);
        let Some(index) = n1.or(f1) else { return Ok(()) };
        let (n1, n2) = (self.request.n1[index], self.request.n2[index]);
        Err(Failure::WrongReply(format!("the result of {n1} and {n2}, element {index}, is wrong")))
    }
}

/// Creates the messages that all streams send: making and checking one takes little time beside replying to it.
pub fn messages(operation: Operation, elements: u32) -> Arc<[Message]> {
    (0..MESSAGES).map(|seed| Message::new(operation, elements, seed)).collect()
}

/// Sends messages over one stream; after a failure over another.
pub struct Batched {
    client: Client,
    messages: Arc<[Message]>,
    /// Counts the calls.
    next: usize,
    stream: Option<(UnboundedSender<BatchRequest>, Replies<UnboundedReceiver<BatchRequest>>)>,
}

impl Batched {
    /// Callers with different numbers begin with different messages.
    pub fn new(client: Client, messages: Arc<[Message]>, number: u64) -> Batched {
        Batched { client, messages, next: usize::try_from(number % MESSAGES).unwrap_or(0), stream: None }
    }
}

impl Caller for Batched {
    async fn call(&mut self) -> Result<(), Failure> {
        let message = &self.messages[self.next % self.messages.len()];
        self.next += 1;
        let (sender, replies) = self.stream.get_or_insert_with(|| {
            let (sender, requests) = mpsc::unbounded();
            (sender, self.client.batch().calculate(requests))
        });
        // If the stream has ended, its status comes instead of a reply.
        let _ = sender.unbounded_send(message.request.clone());
        let result = match replies.next().await {
            Some(Ok(reply)) => return message.verify(&reply),
            Some(Err(error)) => failure(&error),
            None => Failure::WrongReply("the stream ended without a reply".to_owned()),
        };
        self.stream = None;
        Err(result)
    }

    async fn finish(&mut self) {
        if let Some((sender, mut replies)) = self.stream.take() {
            drop(sender);
            // All replies have come: how the stream ends changes nothing.
            let _ = replies.next().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use calc::proto::calc_batch::ElementError;

    use super::*;

    #[test]
    fn a_reply_is_right_if_every_element_is() {
        for operation in Operation::ALL {
            let message = Message::new(operation, 4, 1);
            let right = BatchReply { n1: message.n1.clone(), f1: message.f1.clone(), ..Default::default() };
            assert_eq!(right.n1.len() + right.f1.len(), 4);
            assert!(message.verify(&right).is_ok());

            let mut wrong = right.clone();
            wrong.n1.iter_mut().skip(2).for_each(|n1| *n1 += 1);
            wrong.f1.iter_mut().skip(2).for_each(|f1| *f1 += 1.0);
            let Err(Failure::WrongReply(example)) = message.verify(&wrong) else { panic!("{wrong:?}") };
            assert!(example.contains("element 2"), "{example}");

            let mut failed = right;
            failed.errors = vec![ElementError { index: 1, code: 11, ..Default::default() }];
            assert!(matches!(message.verify(&failed), Err(Failure::WrongReply(_))));
        }
    }
}
