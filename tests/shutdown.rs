//! Graceful shutdown: in-flight RPCs finish, or are cancelled after the grace.

use std::iter;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
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

/// A method that returns when the test releases it, and a stream that never ends.
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
            // An error means that the test has ended.
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
    // Two queues, one of which is blocked by the waiting method.
    start(calc::server::builder().queues(NonZeroUsize::new(2).unwrap()).service(service))
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

#[test]
fn a_server_without_rpcs_shuts_down_at_once() {
    let server = start(calc::server::builder());
    assert_eq!(client(&server).add(20, 10), Ok(30));
    let begin = Instant::now();
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
    assert!(begin.elapsed() < PATIENCE);
}

#[test]
fn an_in_flight_rpc_finishes_and_a_new_one_is_rejected() {
    let (slow, service) = slow();
    let server = server(service);
    // An RPC that arrives on the blocked queue times out.
    let (channel, client) = (channel(&server), client(&server).timeout(Duration::from_millis(100)));
    let call = thread::spawn(move || channel.unary(WAIT, &AddRequest::new(), options()));
    slow.entered.recv_timeout(PATIENCE).unwrap();

    let end = thread::spawn(move || server.shutdown(PATIENCE));
    // The server stops listening at once.
    while !matches!(client.add(1, 1), Err(Error::Unavailable(_))) {
        assert!(!end.is_finished());
    }
    slow.leave.send(()).unwrap();
    assert_eq!(call.join().unwrap().unwrap().n1, 30);
    assert_eq!(end.join().unwrap(), Drain::Clean);
}

#[test]
fn an_rpc_that_outlasts_the_grace_is_cancelled() {
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
fn a_method_that_never_returns_does_not_block_the_shutdown() {
    let (slow, service) = slow();
    let server = server(service);
    let channel = channel(&server);
    let call = thread::spawn(move || channel.unary(WAIT, &AddRequest::new(), options()));
    slow.entered.recv_timeout(PATIENCE).unwrap();
    assert_eq!(server.shutdown(Duration::ZERO), Drain::Stuck);
    assert!(call.join().unwrap().is_err());
    drop(slow.leave);
}

/// The thread of the first queue learns that the server has shut down. If only a method on another queue went on, it was
/// overlooked.
#[test]
fn a_method_that_never_returns_on_another_queue_is_noticed() {
    let (enter, entered) = mpsc::channel();
    let (_leave, left) = mpsc::channel::<()>();
    let left = Arc::new(Mutex::new(left));
    let stuck_server = || {
        let (enter, left) = (enter.clone(), Arc::clone(&left));
        let service = ServiceBuilder::new("test.Slow").unary(WAIT, move |_, _| {
            let is_first = thread::current().name() == Some("grpc-queue-0");
            enter.send(is_first).unwrap();
            if !is_first {
                let _ = left.lock().unwrap().recv();
            }
            Ok(AddReply::new())
        });
        let server = server(service.build());
        let rpc = channel(&server).unary_async(WAIT, &AddRequest::new(), options());
        let is_first = entered.recv_timeout(PATIENCE).unwrap();
        (!is_first).then_some((server, rpc))
    };
    // The C core chooses the queue.
    let (server, _rpc) = iter::repeat_with(stuck_server).take(1000).flatten().next().unwrap();
    assert_eq!(server.shutdown(Duration::ZERO), Drain::Stuck);
}

/// grpcio aborted the process when the queue went on.
#[test]
fn a_method_that_returns_after_the_shutdown_ends_the_rpcs_behind_it() {
    let (slow, service) = slow();
    let server = start(calc::server::builder().queues(NonZeroUsize::MIN).service(service));
    let channel = channel(&server);
    let rpc = || channel.unary_async(WAIT, &AddRequest::new(), options());
    let _first = rpc();
    slow.entered.recv_timeout(PATIENCE).unwrap();
    let _behind: Vec<_> = (0..10).map(|_| rpc()).collect();
    assert_eq!(server.shutdown(Duration::from_millis(200)), Drain::Stuck);
    drop(slow.leave);
    // The thread has let go of the method.
    while slow.entered.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Disconnected) {}
}

#[test]
fn dropping_a_server_cancels_its_rpcs() {
    let (_slow, service) = slow();
    let server = server(service);
    let mut replies = channel(&server).server_streaming(FOREVER, &AddRequest::new(), options());
    assert!(replies.next().unwrap().is_ok());
    drop(server);
    assert!(replies.next().unwrap().is_err());
}

/// The end of the RPC drops a stream that is pending for ever.
#[test]
fn a_pending_reply_stream_is_dropped_when_its_rpc_is_cancelled() {
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
