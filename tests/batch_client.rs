//! The batch client: how far it takes iterators, timeouts, and replies of broken servers.

use std::cell::Cell;
use std::iter;
use std::net::TcpListener;
use std::time::Duration;

use calc::arithmetic::{Number, Operation};
use calc::client::batch::{Batch, ElementError, MAX_IN_FLIGHT};
use calc::proto::calc_batch::{BatchReply, BatchRequest, ElementError as Element};
use calc::proto::calc_batch_grpc::{BatchCalculator, batch_calculator_service};
use calc::{Client, Error};
use futures::executor::block_on;
use futures::future::{Either, select};
use futures::{StreamExt, stream};
use futures_timer::Delay;
use grpcio_kit::{Call, Code, Drain, ReplyStream, RequestStream, Server, Status};

use crate::common::{PATIENCE, calculator, client, start};

fn batch(server: &Server) -> Batch {
    client(server).batch()
}

#[test]
fn an_endless_iterator_is_taken_a_few_messages_ahead_of_its_results() {
    let server = calculator();
    let taken = Cell::new(0);
    let pairs = iter::repeat_with(|| {
        taken.set(taken.get() + 1);
        (taken.get(), 1)
    });
    let mut sums = batch(&server).elements(10).pairs(Operation::Add, pairs);
    assert_eq!(taken.get(), 0);
    for n in 0..1000 {
        let n = n + 1;
        assert_eq!(sums.next(), Some(Ok(Ok(Number::Integer(n + 1)))));
        assert!(taken.get() as usize <= n as usize + 10 * MAX_IN_FLIGHT, "{} taken at result {n}", taken.get());
    }
    // Dropping the results cancels the RPC.
    drop(sums);
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
}

#[test]
fn an_iterator_of_operands_may_make_blocking_calls() {
    let server = calculator();
    let client = client(&server);
    let incremented = |n| match client.batch().columns(Operation::Add, &[n], &[1]).unwrap()[..] {
        [Ok(Number::Integer(sum))] => sum,
        ref other => panic!("{other:?}"),
    };
    let pairs = (0..10).map(|n| (client.add(n, n).unwrap(), incremented(n)));
    let products = client.batch().elements(3).pairs(Operation::Multiply, pairs);
    assert!(products.eq((0..10).map(|n| Ok(Ok(Number::Integer(2 * n * (n + 1)))))));
}

#[test]
fn a_silent_server_is_deadline_exceeded_and_a_missing_one_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let client = Client::connect(&address).unwrap().wait_for_ready(true).timeout(Duration::from_millis(200));
    assert!(matches!(client.batch().columns(Operation::Add, &[1], &[2]), Err(Error::DeadlineExceeded(_))));
    let first = client.batch().pairs(Operation::Add, [(1, 2)]).next();
    assert!(matches!(first, Some(Err(Error::DeadlineExceeded(_)))), "{first:?}");
    drop(silent);
    let client = Client::connect(&address).unwrap().timeout(PATIENCE);
    let mut sums = client.batch().pairs(Operation::Add, iter::repeat((1, 2)));
    assert!(matches!(sums.next(), Some(Err(Error::Unavailable(_)))));
    assert!(sums.next().is_none());
}

#[test]
fn a_server_without_the_service_is_unimplemented() {
    let server = start(Server::builder());
    let error = batch(&server).columns(Operation::Divide, &[1], &[2]).unwrap_err();
    assert_eq!(error.status().code(), Code::Unimplemented);
}

/// The timeout limits the server, not the client's stream of requests.
#[test]
fn the_time_for_a_reply_runs_only_while_one_is_due() {
    let server = calculator();
    let mut replies = client(&server).timeout(Duration::from_millis(1)).batch().calculate(stream::pending());
    let later = Delay::new(Duration::from_millis(100));
    let replied = block_on(select(replies.next(), later));
    assert!(matches!(replied, Either::Right(_)), "a reply is late although there was no request");
}

/// Replies to the first request of a stream only.
struct Stalling;

impl BatchCalculator for Stalling {
    fn calculate(
        &self,
        _: &Call<'_>,
        requests: RequestStream<BatchRequest>,
    ) -> Result<ReplyStream<BatchReply>, Status> {
        let first = requests.take(1).map(|request| Ok(BatchReply { n1: request?.n1, ..Default::default() }));
        Ok(first.chain(stream::pending()).boxed())
    }
}

#[test]
fn a_server_that_stops_replying_is_deadline_exceeded() {
    let server = start(Server::builder().service(batch_calculator_service(Stalling)));
    let client = client(&server).timeout(Duration::from_secs(2));
    let mut sums = client.batch().elements(1).pairs(Operation::Add, iter::repeat((7, 0)));
    assert_eq!(sums.next(), Some(Ok(Ok(Number::Integer(7)))));
    let late = sums.next().unwrap().unwrap_err();
    assert!(matches!(&late, Error::DeadlineExceeded(_)) && late.to_string().contains("no reply within 2 s"), "{late}");
    assert!(sums.next().is_none());
}

/// Replies to each request with a function, and ends the stream at its `None`.
struct Broken(ReplyTo);

type ReplyTo = fn(BatchRequest) -> Option<BatchReply>;

impl BatchCalculator for Broken {
    fn calculate(
        &self,
        _: &Call<'_>,
        requests: RequestStream<BatchRequest>,
    ) -> Result<ReplyStream<BatchReply>, Status> {
        let reply_to = self.0;
        let replies = requests.map(move |request| Ok(reply_to(request?)));
        Ok(replies.take_while(|reply| futures::future::ready(!matches!(reply, Ok(None)))).map(unwrapped).boxed())
    }
}

fn unwrapped(reply: Result<Option<BatchReply>, Status>) -> Result<BatchReply, Status> {
    reply.map(Option::unwrap_or_default)
}

#[test]
fn replies_that_do_not_fit_their_requests_are_an_error() {
    let cases: [(ReplyTo, &str); 6] = [
        (|_| Some(BatchReply::default()), "does not fit"),
        (|_| Some(BatchReply { n1: vec![1, 2, 3], ..Default::default() }), "does not fit"),
        (|_| Some(BatchReply { f1: vec![1.0, 2.0], ..Default::default() }), "does not fit"),
        (
            |request| {
                let errors = vec![Element { index: 2, code: 11, ..Default::default() }];
                Some(BatchReply { n1: request.n1, errors, ..Default::default() })
            },
            "does not fit",
        ),
        (
            |request| {
                let errors = [1, 0].map(|index| Element { index, code: 11, ..Default::default() }).to_vec();
                Some(BatchReply { n1: request.n1, errors, ..Default::default() })
            },
            "does not fit",
        ),
        (|_| None, "ended the RPC before it had all requests"),
    ];
    for (reply_to, reason) in cases {
        let server = start(Server::builder().service(batch_calculator_service(Broken(reply_to))));
        let failed = batch(&server).columns(Operation::Add, &[1, 2], &[3, 4]).unwrap_err();
        assert_eq!(failed.status().code(), Code::Internal);
        assert!(failed.to_string().contains(reason), "{failed}");
    }
}

#[test]
fn an_unknown_code_of_a_calculation_is_passed_on() {
    let reply_to = |request: BatchRequest| {
        let errors = vec![Element { index: 1, code: 7, ..Default::default() }];
        Some(BatchReply { n1: request.n1, errors, ..Default::default() })
    };
    let server = start(Server::builder().service(batch_calculator_service(Broken(reply_to))));
    let results = batch(&server).columns(Operation::Add, &[1, 2], &[3, 4]).unwrap();
    assert_eq!(results, [Ok(Number::Integer(1)), Err(ElementError::Other(Code::PermissionDenied))]);
    assert_eq!(results[1].unwrap_err().to_string(), "PERMISSION_DENIED");
}
