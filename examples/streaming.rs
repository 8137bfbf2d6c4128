//! Streaming: a bidirectional RPC, whose client sends requests while it receives replies.
//!
//!     cargo run --release --example streaming

use std::error::Error;

use calc::proto::calc_batch::{BatchRequest, Operation};
use calc::proto::calc_batch_grpc::BatchCalculatorClient;
use calc::server;
use futures::executor::block_on;
use futures::{StreamExt, stream};
use grpcio_kit::{CallOptions, Channel};

/// Asks for the squares of `first` and of the number after it.
fn squares(first: i32) -> BatchRequest {
    let numbers = vec![first, first + 1];
    BatchRequest {
        operation: Operation::OPERATION_MULTIPLY.into(),
        n1: numbers.clone(),
        n2: numbers,
        ..Default::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = server::builder().listen("127.0.0.1:0".parse()?).start()?;
    let client = BatchCalculatorClient::new(Channel::connect(&server.addresses()[0].to_string())?);

    // Blocking: an iterator of requests, and an iterator of replies.
    for reply in client.calculate((1..6).step_by(2).map(squares), CallOptions::default()) {
        println!("{:?}", reply?.n1);
    }

    // Asynchronous: the same with streams, on any executor. A request is taken from its stream when the connection
    // can send it, so that even an endless stream takes little memory; dropping the replies cancels the RPC.
    let replies = client.calculate_async(stream::iter(1..).map(squares), CallOptions::default());
    let sum =
        replies.take(1000).fold(0, async |sum, reply| sum + reply.map_or(0, |reply| reply.n1.iter().sum::<i32>()));
    println!("{}", block_on(sum));
    Ok(())
}
