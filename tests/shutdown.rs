//! How a server ends: in order, and within its bound.

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use calc::Error;
use calc::proto::calc::{AddReply, AddRequest};
use futures::{StreamExt, stream};
use grpcio_kit::{CallOptions, Code, Drain, Method, Server, Service, ServiceBuilder};

use crate::common::{PATIENCE, channel, client, start};

const WAIT: Method<AddRequest, AddReply> = Method::new("/test.Slow/Wait");
const FOREVER: Method<AddRequest, AddReply> = Method::new("/test.Slow/Forever");

/// A method that returns when the test says so, and a stream that never ends.
struct Slow {
    entered: Receiver<()>,
    leave: Sender<()>,
}

fn slow() -> (Slow, Service) {
    let (enter, entered) = mpsc::channel();
    let (leave, left) = mpsc::channel();
    let left = Mutex::new(left);
    let service = ServiceBuilder::new("test.Slow")
        .unary(WAIT, move |_, _| {
            enter.send(()).unwrap();
            // An error is the test's end, which releases the method too.
            let _ = left.lock().unwrap().recv();
            Ok(AddReply { n1: 30, ..Default::default() })
        })
        .server_streaming(FOREVER, |_, _| {
            let first = stream::iter([Ok(AddReply::new())]);
            Ok(first.chain(stream::pending()).boxed())
        })
        .build();
    (Slow { entered, leave }, service)
}

fn server(service: Service) -> Server {
    // Two queues: a method that waits holds one of them.
    start(calc::server::builder().queues(NonZeroUsize::new(2).unwrap()).service(service))
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

#[test]
fn a_server_without_calls_ends_at_once() {
    let server = start(calc::server::builder());
    assert_eq!(client(&server).add(20, 10), Ok(30));
    let begin = Instant::now();
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
    assert!(begin.elapsed() < PATIENCE);
}

#[test]
fn a_call_in_flight_finishes_and_a_new_one_is_refused() {
    let (slow, service) = slow();
    let server = server(service);
    // One of the two queues is held: a call that it was given waits, and is given up.
    let (channel, client) = (channel(&server), client(&server).timeout(Duration::from_millis(100)));
    let call = thread::spawn(move || channel.unary(WAIT, &AddRequest::new(), options()));
    slow.entered.recv_timeout(PATIENCE).unwrap();

    let end = thread::spawn(move || server.shutdown(PATIENCE));
    // The port closes as soon as the server begins to end.
    while !matches!(client.add(1, 1), Err(Error::Unavailable(_))) {
        assert!(!end.is_finished());
    }
    slow.leave.send(()).unwrap();
    assert_eq!(call.join().unwrap().unwrap().n1, 30);
    assert_eq!(end.join().unwrap(), Drain::Clean);
}

#[test]
fn a_call_that_outlasts_the_bound_is_cancelled() {
    let (_slow, service) = slow();
    let server = server(service);
    let mut replies = channel(&server).server_streaming(FOREVER, &AddRequest::new(), options());
    assert!(replies.next().unwrap().is_ok());
    let begin = Instant::now();
    assert_eq!(server.shutdown(Duration::from_millis(200)), Drain::Cancelled { rpcs: Some(1) });
    assert!(begin.elapsed() >= Duration::from_millis(200));
    let code = replies.next().unwrap().unwrap_err().code();
    assert!([Code::Cancelled, Code::Unavailable].contains(&code), "{code}");
}

#[test]
fn a_method_that_never_returns_does_not_hold_the_server_up() {
    let (slow, service) = slow();
    let server = server(service);
    let channel = channel(&server);
    let call = thread::spawn(move || channel.unary(WAIT, &AddRequest::new(), options()));
    slow.entered.recv_timeout(PATIENCE).unwrap();
    assert_eq!(server.shutdown(Duration::ZERO), Drain::Stuck);
    assert!(call.join().unwrap().is_err());
    drop(slow.leave);
}

#[test]
fn a_server_that_is_dropped_cancels_its_calls() {
    let (_slow, service) = slow();
    let server = server(service);
    let mut replies = channel(&server).server_streaming(FOREVER, &AddRequest::new(), options());
    assert!(replies.next().unwrap().is_ok());
    drop(server);
    assert!(replies.next().unwrap().is_err());
}

/// What a method waits for does not keep it alive: the call's end does away with it.
#[test]
fn a_stream_that_waits_is_dropped_when_its_caller_goes_away() {
    struct OnDrop(Sender<()>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (sender, dropped) = mpsc::channel();
    let sender = Arc::new(Mutex::new(sender));
    let service = ServiceBuilder::new("test.Slow")
        .server_streaming(FOREVER, move |_, _| {
            let guard = OnDrop(sender.lock().unwrap().clone());
            let replies = stream::iter([Ok(AddReply::new())]).chain(stream::pending());
            Ok(replies
                .inspect(move |_| {
                    let _ = &guard;
                })
                .boxed())
        })
        .build();
    let server = start(calc::server::builder().service(service));
    let mut replies = channel(&server).server_streaming(FOREVER, &AddRequest::new(), options());
    assert!(replies.next().unwrap().is_ok());
    drop(replies);
    dropped.recv_timeout(PATIENCE).unwrap();
}
