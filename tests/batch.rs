//! The BatchCalculator service, called by our client and by Python's: results, order, errors, limits and memory.

use std::iter;
use std::thread;
use std::time::Duration;

use calc::arithmetic::{ArithmeticError, Number, Operation};
use calc::batch::MAX_ELEMENTS;
use calc::client::batch::{Batch, Calculated, ElementError, Replies, request};
use calc::proto::calc_batch::{BatchReply, BatchRequest};
use calc::proto::calc_batch_grpc::BatchCalculatorClient;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::executor::{BlockingStream, block_on_stream};
use futures::{StreamExt, stream};
use grpcio_kit::{CallOptions, Code, Drain, Server};
use proptest::prelude::*;

use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::common::{PATIENCE, calculator, channel, client, target};

fn batch(server: &Server) -> Batch {
    client(server).batch()
}

/// The results of the arithmetic, as the client returns them.
fn expected(operation: Operation, n1: &[i32], n2: &[i32]) -> Vec<Calculated> {
    let pairs = n1.iter().zip(n2);
    let results = pairs.map(|(&n1, &n2)| {
        operation.calculate(n1, n2).map_err(|error| match error {
            ArithmeticError::Overflow { .. } => ElementError::Overflow,
            ArithmeticError::DivisionByZero => ElementError::DivisionByZero,
        })
    });
    results.collect()
}

/// Whether each result is an integer or a float, and its bits: 0.0 and -0.0 differ.
fn bits(results: &[Calculated]) -> Vec<Result<(bool, u32), ElementError>> {
    let bits = |number| match number {
        Number::Integer(integer) => (true, integer as u32),
        Number::Float(float) => (false, float.to_bits()),
    };
    results.iter().map(|result| result.map(bits)).collect()
}

/// Any int32, small ones and the edges often.
fn operand() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -9..9_i32, prop::sample::select(vec![i32::MIN, -65536, -46341, 46341, 65536, i32::MAX])]
}

#[test]
fn slices_have_the_results_of_the_arithmetic_however_they_are_divided_into_messages() {
    let server = calculator();
    let pairs = prop::collection::vec((operand(), operand()), 0..300);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() };
    proptest!(config, |(pairs in pairs, elements in 1..100_usize)| {
        let (n1, n2): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let batch = batch(&server).elements(elements);
        for operation in Operation::ALL {
            let results = batch.columns(operation, &n1, &n2).unwrap();
            prop_assert_eq!(bits(&results), bits(&expected(operation, &n1, &n2)));
        }
    });
}

#[test]
fn a_quotient_has_the_bits_of_a_unary_call() {
    let server = calculator();
    let client = client(&server);
    let (n1, n2) = ([16_777_217, 0, i32::MIN, 1, i32::MAX], [5, -5, -1, 3, i32::MIN]);
    let quotients = client.batch().columns(Operation::Divide, &n1, &n2).unwrap();
    let unary = n1.iter().zip(&n2).map(|(n1, n2)| Ok(Number::Float(client.divide(*n1, *n2).unwrap())));
    assert_eq!(bits(&quotients), bits(&unary.collect::<Vec<_>>()));
}

#[test]
fn iterators_give_the_same_as_slices_in_their_order() {
    let server = calculator();
    let batch = batch(&server);
    let n1: Vec<i32> = (0..100_000).collect();
    let n2: Vec<i32> = n1.iter().map(|n| n * 7919 % 1000).collect();
    let pairs = || n1.iter().copied().zip(n2.iter().copied());
    for operation in Operation::ALL {
        let results: Vec<_> = batch.pairs(operation, pairs()).map(Result::unwrap).collect();
        assert_eq!(results, batch.columns(operation, &n1, &n2).unwrap());
        assert_eq!(results[0] == Err(ElementError::DivisionByZero), operation == Operation::Divide);
    }
    assert!(batch.pairs(Operation::Add, iter::empty()).next().is_none());
    assert!(batch.columns(Operation::Add, &[], &[]).unwrap().is_empty());
}

#[test]
fn slices_of_different_lengths_are_an_invalid_argument() {
    let server = calculator();
    let error = batch(&server).columns(Operation::Add, &[1, 2], &[3]).unwrap_err();
    assert_eq!(error.status().code(), Code::InvalidArgument);
    assert_eq!(error.status().message(), "n1 has 2 elements and n2 has 1: they must have the same length");
}

#[test]
fn a_message_has_as_many_elements_as_is_allowed_and_no_more() {
    let server = calculator();
    let column = vec![3; MAX_ELEMENTS];
    let batch = batch(&server);
    assert_eq!(
        batch.clone().elements(usize::MAX).columns(Operation::Add, &column, &column).unwrap(),
        [Ok(Number::Integer(6))].repeat(MAX_ELEMENTS)
    );
    assert_eq!(
        batch.clone().elements(0).columns(Operation::Add, &[1, 2], &[3, 4]).unwrap(),
        [Ok(Number::Integer(4)), Ok(Number::Integer(6))]
    );

    let column = vec![3; MAX_ELEMENTS + 1];
    // One after the other: a status that is there overtakes a reply that has not been read.
    let (sender, mut replies) = open(&server);
    sender.unbounded_send(request(Operation::Add, vec![], vec![])).unwrap();
    assert_eq!(replies.next(), Some(Ok(BatchReply::new())));
    sender.unbounded_send(request(Operation::Add, column.clone(), column)).unwrap();
    let error = replies.next().unwrap().unwrap_err();
    assert_eq!(error.status().code(), Code::InvalidArgument);
    assert!(error.status().message().starts_with("request 3 of the stream: n1 has 65537 elements"), "{error}");
    assert!(replies.next().is_none());
}

/// An asynchronous stream in and out; what is ready is sent although more may come.
#[test]
fn a_stream_of_pairs_gives_each_result_before_the_next_pair_is_there() {
    let server = calculator();
    let (sender, pairs) = mpsc::unbounded();
    let mut quotients = block_on_stream(batch(&server).stream(Operation::Divide, pairs));
    for n in 0..10 {
        sender.unbounded_send((n, 4)).unwrap();
        assert_eq!(quotients.next(), Some(Ok(Ok(Number::Float(n as f32 / 4.0)))));
    }
    drop(sender);
    assert!(quotients.next().is_none());
}

#[test]
fn the_generated_client_takes_and_returns_streams() {
    let server = calculator();
    let stub = BatchCalculatorClient::new(channel(&server));
    let requests = stream::iter((0..10).map(|n| request(Operation::Add, vec![n], vec![n])));
    let replies = stub.calculate_async(requests, CallOptions::default().timeout(PATIENCE));
    let sums: Vec<_> = futures::executor::block_on(replies.map(|reply| reply.unwrap().n1[0]).collect());
    assert_eq!(sums, (0..10).map(|n| 2 * n).collect::<Vec<_>>());
}

/// Requests and replies of an RPC that has had a reply and stays open.
fn open(server: &Server) -> (UnboundedSender<BatchRequest>, BlockingStream<Replies<UnboundedReceiver<BatchRequest>>>) {
    let (sender, requests) = mpsc::unbounded();
    let mut replies = block_on_stream(batch(server).calculate(requests));
    sender.unbounded_send(request(Operation::Add, vec![1], vec![2])).unwrap();
    assert_eq!(replies.next().unwrap().unwrap().n1, [3]);
    (sender, replies)
}

#[test]
fn a_server_that_shuts_down_gives_a_stream_its_grace_and_then_cancels_it() {
    let server = calculator();
    let (_sender, mut replies) = open(&server);
    assert_eq!(server.shutdown(Duration::from_millis(100)), Drain::Cancelled { rpcs: Some(1) });
    let error = replies.next().unwrap().unwrap_err();
    assert!([Code::Cancelled, Code::Unavailable].contains(&error.status().code()), "{error}");

    let server = calculator();
    let (sender, mut replies) = open(&server);
    let end = thread::spawn(move || server.shutdown(PATIENCE));
    sender.unbounded_send(request(Operation::Multiply, vec![3], vec![4])).unwrap();
    assert_eq!(replies.next().unwrap().unwrap().n1, [12]);
    drop(sender);
    assert!(replies.next().is_none());
    assert_eq!(end.join().unwrap(), Drain::Clean);
}

/// Runs a scenario of `tests/python/batch.py` against a server in a process of its own.
fn drive(scenario: &str) {
    let server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0"]));
    let pid = server.process.id().to_string();
    let mut script = python("tests/python/batch.py");
    script.args([scenario, server.target()]);
    if scenario == "unread" {
        script.arg(pid);
    }
    assert_eq!(stdout_of(&mut script), "all replies are correct\n");
}

#[test]
fn python_gets_correct_results_in_order() {
    drive("right");
}

#[test]
fn an_invalid_request_ends_the_rpc_after_the_replies_before_it() {
    drive("invalid");
}

#[test]
fn a_call_that_is_cancelled_ends() {
    let server = calculator();
    let mut script = python("tests/python/batch.py");
    stdout_of(script.args(["cancelled", &target(&server)]));
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
}

/// Reads memory from /proc.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_does_not_read_replies_takes_bounded_memory() {
    drive("unread");
}
