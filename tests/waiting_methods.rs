//! Methods that wait: as a future, on worker threads, or blocking a completion queue's thread.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use calc::proto::calc::{AddReply, AddRequest};
use futures::channel::oneshot;
use futures::{StreamExt, future, stream};
use grpcio_kit::{
    Call, CallOptions, Channel, Code, Drain, Interceptor, Limits, MetadataBuilder, Method, Outcome, Server,
    ServerBuilder, Service, ServiceBuilder, StartError, Status, Workers,
};

use crate::common::{PATIENCE, channel, start, wait_until};

const METHOD: Method<AddRequest, AddReply> = Method::new("/test.Waiting/Method");
const QUICK: Method<AddRequest, AddReply> = Method::new("/test.Waiting/Quick");
const SECOND: Duration = Duration::from_secs(1);

/// A server with one queue: a method that blocked its thread would delay the other RPCs.
fn server() -> ServerBuilder {
    Server::builder().queues(NonZeroUsize::MIN)
}

fn service() -> ServiceBuilder {
    ServiceBuilder::new("test.Waiting").unary(QUICK, |_, request| Ok(reply(request.n1)))
}

fn request(n1: i32) -> AddRequest {
    AddRequest { n1, ..Default::default() }
}

fn reply(n1: i32) -> AddReply {
    AddReply { n1, ..Default::default() }
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn code(channel: &Channel, options: CallOptions) -> Code {
    channel.unary(METHOD, &request(0), options).unwrap_err().code()
}

/// Sends a message when it is dropped.
struct Dropped(Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A service whose asynchronous method never completes, and a message for each RPC that begins and for each dropped one.
fn never() -> (Service, Receiver<()>, Receiver<()>) {
    let ((begun, has_begun), (dropped, is_dropped)) = (mpsc::channel(), mpsc::channel());
    let senders = Mutex::new((begun, dropped));
    let service = service().unary_async(METHOD, move |_, _| {
        let (begun, dropped) = senders.lock().unwrap().clone();
        async move {
            let _dropped = Dropped(dropped);
            begun.send(()).unwrap();
            pending().await
        }
    });
    (service.build(), has_begun, is_dropped)
}

/// An interceptor that sends the outcome of `METHOD`: status code, replies sent, and whether it blocked the thread.
struct Ends(Mutex<Sender<(Code, u64, bool)>>);

impl Interceptor for Ends {
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        if call.method().path() == METHOD.path() {
            // The test may have ended.
            let _ = self.0.lock().unwrap().send((outcome.code(), outcome.sent, outcome.blocked_thread));
        }
    }
}

fn ends() -> (Ends, Receiver<(Code, u64, bool)>) {
    let (sender, receiver) = mpsc::channel();
    (Ends(Mutex::new(sender)), receiver)
}

#[test]
fn a_future_completed_by_another_thread_delays_no_other_rpc() {
    let (promises, waiting) = mpsc::channel();
    let promises = Mutex::new(promises);
    let service = service().unary_async(METHOD, move |call, request: AddRequest| {
        let (promise, promised) = oneshot::channel::<i32>();
        promises.lock().unwrap().send(promise).unwrap();
        async move {
            let n1 = promised.await.map_err(|_| Status::new(Code::Aborted, "no promise"))?;
            // The copy of the context is complete after the wait.
            assert_eq!(call.metadata("hand"), Some(&b"left"[..]));
            assert!(!call.peer().is_empty() && call.time_left().is_some());
            Ok(reply(n1 + request.n1))
        }
    });
    let (interceptor, ends) = ends();
    let server = start(server().service(service.build()).interceptor(interceptor));
    let mut metadata = MetadataBuilder::new();
    metadata.add_str("hand", "left").unwrap();
    let (channel, options) = (channel(&server), options().metadata(metadata.build()));
    thread::scope(|scope| {
        let rpc = scope.spawn(|| channel.unary(METHOD, &request(1), options.clone()));
        let promise = waiting.recv_timeout(PATIENCE).unwrap();
        assert_eq!(channel.unary(QUICK, &request(7), options.clone()), Ok(reply(7)));
        promise.send(41).unwrap();
        assert_eq!(rpc.join().unwrap(), Ok(reply(42)));
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (Code::Ok, 1, false));

        let rpc = scope.spawn(|| channel.unary(METHOD, &request(1), options.clone()));
        drop(waiting.recv_timeout(PATIENCE).unwrap());
        assert_eq!(rpc.join().unwrap().unwrap_err().code(), Code::Aborted);
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (Code::Aborted, 0, false));
    });
}

#[test]
fn a_future_is_dropped_when_the_client_cancels() {
    let (service, begun, dropped) = never();
    let (interceptor, ends) = ends();
    let server = start(server().service(service).interceptor(interceptor));
    let channel = channel(&server);
    let rpc = channel.unary_async(METHOD, &request(0), options());
    begun.recv_timeout(PATIENCE).unwrap();
    drop(rpc);
    dropped.recv_timeout(PATIENCE).unwrap();
    assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (Code::Cancelled, 0, false));
}

/// The future of a client-streaming method went on, as grpcio's sink for it does not tell.
#[test]
fn the_future_of_a_client_streaming_method_is_dropped_when_the_client_cancels() {
    let ((begun, has_begun), (dropped, is_dropped)) = (mpsc::channel(), mpsc::channel());
    let senders = Mutex::new((begun, dropped));
    let service = service().client_streaming(METHOD, move |_, _| {
        let (begun, dropped) = senders.lock().unwrap().clone();
        Box::pin(async move {
            let _dropped = Dropped(dropped);
            begun.send(()).unwrap();
            pending().await
        })
    });
    let (interceptor, ends) = ends();
    let server = start(server().service(service.build()).interceptor(interceptor));
    let rpc = channel(&server).client_streaming_async(METHOD, stream::pending(), options());
    has_begun.recv_timeout(PATIENCE).unwrap();
    drop(rpc);
    is_dropped.recv_timeout(PATIENCE).unwrap();
    assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (Code::Cancelled, 0, false));
}

#[test]
fn a_future_is_dropped_at_the_deadline_of_the_client_or_of_the_server() {
    let limits = Limits { max_deadline: Some(Duration::from_millis(300)), ..Limits::default() };
    for (limits, timeout) in [(Limits::default(), Duration::from_millis(300)), (limits, PATIENCE)] {
        let (service, _begun, dropped) = never();
        let server = start(server().service(service).limits(limits));
        let options = CallOptions::default().timeout(timeout);
        assert_eq!(code(&channel(&server), options), Code::DeadlineExceeded);
        dropped.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn a_panic_in_a_future_or_before_it_is_internal() {
    for early in [true, false] {
        let service = service().unary_async(METHOD, move |_, _| {
            assert!(!early, "secret");
            async move {
                assert!(early, "secret");
                Ok(AddReply::new())
            }
        });
        let server = start(server().service(service.build()));
        let status = channel(&server).unary(METHOD, &request(0), options()).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"), "{status}");
        assert_eq!(channel(&server).unary(QUICK, &request(7), options()), Ok(reply(7)));
    }
}

#[test]
fn a_shutdown_waits_for_a_future_in_flight_and_drops_it_after_the_grace() {
    let (service, begun, dropped) = never();
    let server = start(server().service(service));
    let rpc = channel(&server).unary_async(METHOD, &request(0), options());
    begun.recv_timeout(PATIENCE).unwrap();
    let start = Instant::now();
    assert_eq!(server.shutdown(Duration::from_millis(200)), Drain::Cancelled { rpcs: Some(1) });
    assert!(start.elapsed() >= Duration::from_millis(200));
    dropped.recv_timeout(PATIENCE).unwrap();
    let code = futures::executor::block_on(rpc).unwrap_err().code();
    assert!([Code::Cancelled, Code::Unavailable].contains(&code), "{code}");
}

#[test]
fn a_waker_that_outlives_its_future_does_not_delay_the_shutdown() {
    let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
    let left = Arc::clone(&wakers);
    let service = service().unary_async(METHOD, move |_, _| {
        let left = Arc::clone(&left);
        future::poll_fn(move |cx| {
            left.lock().unwrap().push(cx.waker().clone());
            std::task::Poll::Pending
        })
    });
    let server = start(server().service(service.build()));
    let channel = channel(&server);
    let rpc = channel.unary_async(METHOD, &request(0), options());
    wait_until(|| !wakers.lock().unwrap().is_empty());
    drop((rpc, channel));
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
    wakers.lock().unwrap().drain(..).for_each(Waker::wake);
}

#[test]
fn asynchronous_rpcs_over_max_streaming_calls_are_resource_exhausted() {
    let (service, begun, _dropped) = never();
    let limits = Limits { max_streaming_calls: 1, ..Limits::default() };
    let server = start(server().service(service).limits(limits));
    let channel = channel(&server);
    let _rpc = channel.unary_async(METHOD, &request(0), options());
    begun.recv_timeout(PATIENCE).unwrap();
    assert_eq!(code(&channel, options()), Code::ResourceExhausted);
}

/// A service on worker threads, whose method sends its thread's name and then blocks until the sender sends or is dropped.
fn blocking(threads: usize, max_queued: usize) -> (Service, Receiver<String>, Sender<()>) {
    let (entered, enters) = mpsc::channel();
    let (leave, leaves) = mpsc::channel();
    let (entered, leaves) = (Mutex::new(entered), Mutex::new(leaves));
    let workers = Workers::new(NonZeroUsize::new(threads).unwrap(), max_queued).unwrap();
    let service = service().unary(METHOD, move |call, request: AddRequest| {
        assert!(call.deadline().is_some());
        entered.lock().unwrap().send(thread::current().name().unwrap_or_default().to_owned()).unwrap();
        if request.n1 < 0 {
            panic!("secret");
        }
        // A closed channel releases all.
        let _ = leaves.lock().unwrap().recv();
        Ok(reply(request.n1))
    });
    (service.build().on_workers(METHOD, &workers), enters, leave)
}

#[test]
fn a_method_on_workers_may_block_and_rpcs_over_max_queued_are_resource_exhausted() {
    let (service, entered, leave) = blocking(1, 1);
    let server = start(server().service(service));
    let channel = channel(&server);
    let running = channel.unary_async(METHOD, &request(1), options());
    assert_eq!(entered.recv_timeout(PATIENCE).unwrap(), "grpc-worker-0");
    assert_eq!(channel.unary(QUICK, &request(7), options()), Ok(reply(7)));
    // Two more: the first waits in the queue, the second is rejected.
    let queued = channel.unary_async(METHOD, &request(2), options());
    let rejected = channel.unary(METHOD, &request(3), options()).unwrap_err();
    assert_eq!(rejected.code(), Code::ResourceExhausted);
    assert!(rejected.message().contains("1 RPCs wait for a worker thread, the limit (max_queued)"), "{rejected}");
    drop(leave);
    assert_eq!(futures::executor::block_on(future::join(running, queued)), (Ok(reply(1)), Ok(reply(2))));
}

#[test]
fn an_rpc_whose_deadline_passes_in_the_queue_does_not_run() {
    let (service, entered, leave) = blocking(1, 1);
    let (interceptor, ends) = ends();
    let server = start(server().service(service).interceptor(interceptor));
    let channel = channel(&server);
    let running = channel.unary_async(METHOD, &request(1), options());
    entered.recv_timeout(PATIENCE).unwrap();
    // Twice: its place in the queue is free again.
    for _ in 0..2 {
        assert_eq!(code(&channel, CallOptions::default().timeout(Duration::from_millis(200))), Code::DeadlineExceeded);
        let (code, ..) = ends.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
    }
    drop(leave);
    assert_eq!(futures::executor::block_on(running), Ok(reply(1)));
    assert!(entered.recv_timeout(Duration::from_millis(100)).is_err(), "an expired RPC ran");
}

#[test]
fn a_panic_on_a_worker_is_internal_and_does_not_end_the_worker() {
    let (service, _entered, leave) = blocking(1, 0);
    drop(leave);
    let server = start(server().service(service));
    for _ in 0..3 {
        let status = channel(&server).unary(METHOD, &request(-1), options()).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"), "{status}");
    }
    // The reply is sent before its worker is free.
    wait_until(|| channel(&server).unary(METHOD, &request(5), options()) == Ok(reply(5)));
}

#[test]
fn a_server_shuts_down_although_a_worker_does_not_return() {
    let (service, entered, _leave) = blocking(1, 5);
    let server = start(server().service(service));
    let channel = channel(&server);
    let _rpcs = [1, 2].map(|n1| channel.unary_async(METHOD, &request(n1), options()));
    entered.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(server.shutdown(Duration::ZERO), Drain::Cancelled { rpcs: Some(1 | 2) }));
}

#[test]
fn the_threads_of_a_pool_end_with_its_last_server() {
    let (service, entered, leave) = blocking(1, 0);
    let server = start(server().service(service));
    let rpc = channel(&server).unary_async(METHOD, &request(1), options());
    entered.recv_timeout(PATIENCE).unwrap();
    drop((server, leave, rpc));
    // The method holds the sender, and the server's queue and its pool hold the method.
    wait_until(|| matches!(entered.try_recv(), Err(mpsc::TryRecvError::Disconnected)));
}

#[test]
fn only_a_synchronous_unary_method_can_run_on_workers() {
    let workers = Workers::new(NonZeroUsize::MIN, 0).unwrap();
    let asynchronous = service().unary_async(METHOD, |_, _| async { Ok(AddReply::new()) }).build();
    let streaming = service().server_streaming(METHOD, |_, _| Ok(stream::empty().boxed())).build();
    for service in [asynchronous, streaming, service().build()] {
        let error =
            server().listen("127.0.0.1:0".parse().unwrap()).service(service.on_workers(METHOD, &workers)).start();
        assert!(matches!(error, Err(StartError::NotForWorkers("/test.Waiting/Method"))));
    }
}

/// It changed with each read, and unary RPCs had a deadline that was not enforced.
#[test]
fn a_deadline_stays_the_same_and_is_the_one_that_is_enforced() {
    fn seconds_left(call: &Call<'_>) -> Option<i32> {
        let deadline = call.deadline();
        thread::sleep(Duration::from_millis(2));
        assert_eq!(call.deadline(), deadline);
        Some(i32::try_from(deadline?.saturating_duration_since(Instant::now()).as_secs()).unwrap())
    }
    let seconds = |call: &Call<'_>| Ok(reply(seconds_left(call).unwrap_or(-1)));
    let workers = Workers::new(NonZeroUsize::MIN, 0).unwrap();
    const ON_WORKERS: Method<AddRequest, AddReply> = Method::new("/test.Deadline/OnWorkers");
    const ASYNC: Method<AddRequest, AddReply> = Method::new("/test.Deadline/Async");
    const STREAM: Method<AddRequest, AddReply> = Method::new("/test.Deadline/Stream");
    let service = ServiceBuilder::new("test.Deadline")
        .unary(METHOD, move |call, _| seconds(call))
        .unary(ON_WORKERS, move |call, _| seconds(call))
        .unary_async(ASYNC, move |call, _| async move { seconds(&call) })
        .server_streaming(STREAM, move |call, _| Ok(stream::iter([seconds(call)]).boxed()))
        .build()
        .on_workers(ON_WORKERS, &workers);
    let limits = Limits { max_deadline: Some(Duration::from_secs(100)), ..Limits::default() };
    let server = start(server().service(service).limits(limits));
    let channel = channel(&server);
    for (timeout, plain, others) in [(None, -1, 99), (Some(1000), 999, 99), (Some(50), 49, 49)] {
        let options = timeout.map_or(CallOptions::default(), |s| CallOptions::default().timeout(SECOND * s));
        let near = |seconds: Result<AddReply, Status>, expected: i32| {
            let seconds = seconds.unwrap().n1;
            // The client rounds its timeout up to three digits.
            assert!(
                seconds == expected || expected > 0 && (expected - 5..expected + 15).contains(&seconds),
                "{seconds}"
            );
        };
        near(channel.unary(METHOD, &request(0), options.clone()), plain);
        near(channel.unary(ON_WORKERS, &request(0), options.clone()), others);
        near(channel.unary(ASYNC, &request(0), options.clone()), others);
        near(channel.server_streaming(STREAM, &request(0), options).next().unwrap(), others);
    }
}

#[test]
fn interceptors_see_which_methods_blocked_their_queue_s_thread() {
    fn block() -> Result<AddReply, Status> {
        thread::sleep(Duration::from_millis(50));
        Ok(AddReply::new())
    }
    let kinds: [fn() -> ServiceBuilder; 3] = [
        || service().unary(METHOD, |_, _| block()),
        || service().unary_async(METHOD, |_, _| async { block() }),
        || service().server_streaming(METHOD, |_, _| Ok(stream::once(async { block() }).boxed())),
    ];
    for (number, service) in kinds.into_iter().enumerate() {
        for (threshold, blocked) in [(Some(SECOND), false), (Some(Duration::from_millis(40)), true), (None, false)] {
            let (interceptor, ends) = ends();
            let server = server().service(service().build()).interceptor(interceptor);
            let server = start(server.blocked_thread_threshold(threshold));
            // On the wire a unary RPC is a server-streaming one with one reply.
            assert_eq!(channel(&server).server_streaming(METHOD, &request(0), options()).count(), 1);
            assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), (Code::Ok, 1, blocked), "{number} {threshold:?}");
        }
    }
}
