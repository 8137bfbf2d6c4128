//! Interceptors: when their hooks run, and with what, for every kind of RPC and every way that it ends.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use futures::{StreamExt, stream};
use grpcio_kit::{
    Call, CallOptions, Code, Interceptor, MetadataBuilder, MethodDescriptor, MethodKind, Outcome, Server,
    ServerBuilder, Status,
};

use crate::common::raw::RawClient;
use crate::common::{PATIENCE, channel, client, needs_patch, start, target};
use crate::kinds::{Echo, corners, radius, shape};
use crate::protos::kinds_grpc::{KindsClient, kinds_service};

/// A hook that ran, and its arguments.
#[derive(Debug, PartialEq)]
enum Event {
    Before(&'static str, &'static str),
    After { name: &'static str, method: &'static str, code: Code, received: u64, sent: u64, caller: Caller },
}

#[derive(Debug, Default, PartialEq)]
struct Caller {
    has_peer: bool,
    hand: Option<Vec<u8>>,
}

/// What an interceptor does beside reporting its hooks.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Plain,
    KeepsCaller,
    Refuses,
    PanicsBefore,
    PanicsAfter,
}

struct Teller {
    name: &'static str,
    manner: Manner,
    events: Mutex<Sender<Event>>,
}

impl Teller {
    fn tell(&self, event: Event) {
        // The test may have ended.
        let _ = self.events.lock().unwrap().send(event);
    }
}

impl Interceptor for Teller {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        self.tell(Event::Before(self.name, call.method().name()));
        match self.manner {
            Manner::Refuses => Err(Status::new(Code::ResourceExhausted, "full")),
            Manner::PanicsBefore => panic!("meant to"),
            _ => Ok(()),
        }
    }

    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        self.tell(Event::After {
            name: self.name,
            method: call.method().name(),
            code: outcome.code(),
            received: outcome.received,
            sent: outcome.sent,
            caller: Caller { has_peer: !call.peer().is_empty(), hand: call.metadata("hand").map(<[u8]>::to_vec) },
        });
        assert!(self.manner != Manner::PanicsAfter, "meant to");
    }

    fn keeps_caller(&self) -> bool {
        self.manner == Manner::KeepsCaller
    }
}

/// A server of all kinds of methods with interceptors of these names, and the hooks that ran.
fn server(interceptors: &[(&'static str, Manner)]) -> (Server, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let add = |builder: ServerBuilder, (name, manner): &(&'static str, Manner)| {
        builder.interceptor(Teller { name, manner: *manner, events: Mutex::new(sender.clone()) })
    };
    let builder = Server::builder().service(kinds_service(Echo));
    (start(interceptors.iter().fold(builder, add)), events)
}

fn kinds(server: &Server) -> KindsClient {
    KindsClient::new(channel(server))
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(PATIENCE).unwrap()
}

/// Waits for the end of an RPC, and returns its method, code, and the numbers of requests and replies.
fn end(events: &Receiver<Event>) -> (&'static str, Code, u64, u64) {
    loop {
        if let Event::After { method, code, received, sent, .. } = next(events) {
            return (method, code, received, sent);
        }
    }
}

/// The names and hooks alone.
fn order(events: &Receiver<Event>, count: usize) -> Vec<String> {
    let name = |event| match event {
        Event::Before(name, _) => format!("before {name}"),
        Event::After { name, code, .. } => format!("after {name}: {code}"),
    };
    (0..count).map(|_| name(next(events))).collect()
}

#[test]
fn before_runs_in_order_and_after_in_reverse() {
    let (server, events) = server(&[("first", Manner::Plain), ("second", Manner::Plain)]);
    kinds(&server).unary(&shape(1), options()).unwrap();
    assert_eq!(order(&events, 4), ["before first", "before second", "after second: OK", "after first: OK"]);
    let calls: Vec<_> = kinds(&server).server_streaming(&shape(1), options()).collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(order(&events, 4), ["before first", "before second", "after second: OK", "after first: OK"]);
}

#[test]
fn a_rejection_is_the_status_and_after_runs_for_those_that_admitted_the_rpc() {
    let (server, events) = server(&[("first", Manner::Plain), ("second", Manner::Refuses), ("third", Manner::Plain)]);
    let client = kinds(&server);
    let expected = ["before first", "before second", "after first: RESOURCE_EXHAUSTED"];

    let refused = client.unary(&shape(1), options()).unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "full"));
    assert_eq!(order(&events, 3), expected);

    let refused = client.client_streaming(corners(2), options()).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(order(&events, 3), expected);

    let refused: Vec<_> = client.server_streaming(&shape(1), options()).collect();
    assert!(matches!(&refused[..], [Err(status)] if status.message() == "full"), "{refused:?}");
    assert_eq!(order(&events, 3), expected);

    let refused: Vec<_> = client.bidi_streaming([radius(1.0)], options()).collect();
    assert!(matches!(&refused[..], [Err(status)] if status.message() == "full"), "{refused:?}");
    assert_eq!(order(&events, 3), expected);
}

#[test]
fn after_gets_code_and_message_counts_for_every_kind_of_rpc() {
    let (server, events) = server(&[("", Manner::Plain)]);
    let client = kinds(&server);

    client.unary(&shape(1), options()).unwrap();
    assert_eq!(end(&events), ("Unary", Code::Ok, 1, 1));

    assert_eq!(client.server_streaming(&shape(5), options()).count(), 5);
    assert_eq!(end(&events), ("ServerStreaming", Code::Ok, 1, 5));
    client.server_streaming(&shape(0), options()).next().unwrap().unwrap_err();
    assert_eq!(end(&events), ("ServerStreaming", Code::InvalidArgument, 1, 0));

    client.client_streaming(corners(2), options()).unwrap();
    assert_eq!(end(&events), ("ClientStreaming", Code::Ok, 2, 1));

    assert_eq!(client.bidi_streaming([1.0, 2.0, 3.0].map(radius), options()).count(), 3);
    assert_eq!(end(&events), ("BidiStreaming", Code::Ok, 3, 3));
    let _ = client.bidi_streaming([1.0, 2.0, -3.0, 4.0].map(radius), options()).count();
    assert_eq!(end(&events), ("BidiStreaming", Code::OutOfRange, 3, 2));

    // Bytes that are not a message count as received.
    RawClient::connect(&target(&server)).call("/test.Kinds/Unary", &[0x0a]).unwrap_err();
    assert_eq!(end(&events), ("Unary", Code::Internal, 1, 0));
}

#[test]
fn a_stream_that_its_client_drops_is_cancelled() {
    let (server, events) = server(&[("", Manner::Plain)]);
    let endless = stream::iter([radius(1.0)]).chain(stream::pending());
    let mut replies = futures::executor::block_on_stream(kinds(&server).bidi_streaming_async(endless, options()));
    assert!(replies.next().unwrap().is_ok());
    drop(replies);
    assert_eq!(end(&events), ("BidiStreaming", Code::Cancelled, 1, 1));
    drop(server);
    assert!(events.recv().is_err(), "after runs once");
}

#[test]
fn a_stream_whose_deadline_passes_has_exceeded_it_or_was_cancelled_by_then() {
    let (server, events) = server(&[("", Manner::Plain)]);
    let endless = stream::iter([radius(1.0)]).chain(stream::pending());
    let options = CallOptions::default().timeout(Duration::from_millis(200));
    let replies: Vec<_> =
        futures::executor::block_on_stream(kinds(&server).bidi_streaming_async(endless, options)).collect();
    assert_eq!(replies.last().unwrap().as_ref().unwrap_err().code(), Code::DeadlineExceeded);
    // If the client's clock is first, the client cancels the RPC.
    let (_, code, received, sent) = end(&events);
    assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code}");
    assert_eq!((received, sent), (1, 1));
}

#[test]
fn after_runs_for_a_stream_that_the_shutdown_cancels() {
    let (server, events) = server(&[("", Manner::Plain)]);
    let endless = stream::iter([radius(1.0)]).chain(stream::pending());
    let mut replies = futures::executor::block_on_stream(kinds(&server).bidi_streaming_async(endless, options()));
    assert!(replies.next().unwrap().is_ok());
    drop(server);
    assert_eq!(end(&events), ("BidiStreaming", Code::Cancelled, 1, 1));
}

#[test]
fn a_panic_in_before_rejects_that_rpc_alone() {
    let (server, events) = server(&[("first", Manner::Plain), ("second", Manner::PanicsBefore)]);
    for _ in 0..2 {
        let status = kinds(&server).unary(&shape(1), options()).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("meant to"), "{status}");
        assert_eq!(order(&events, 3), ["before first", "before second", "after first: INTERNAL"]);
    }
}

#[test]
fn a_panic_in_after_changes_nothing() {
    let (server, events) = server(&[("first", Manner::Plain), ("second", Manner::PanicsAfter)]);
    let client = kinds(&server);
    assert_eq!(client.unary(&shape(1), options()), Ok(shape(1)));
    assert_eq!(order(&events, 4)[2..], ["after second: OK", "after first: OK"]);
    assert_eq!(client.client_streaming(corners(1), options()), Ok(shape(1)));
    assert_eq!(order(&events, 4)[2..], ["after second: OK", "after first: OK"]);
}

#[test]
fn peer_and_metadata_of_a_stream_are_kept_if_an_interceptor_asks_for_them() {
    let left = || {
        let mut metadata = MetadataBuilder::new();
        metadata.add_str("hand", "left").unwrap();
        options().metadata(metadata.build())
    };
    let known = Caller { has_peer: true, hand: Some(b"left".to_vec()) };
    for (manner, of_streams) in [(Manner::KeepsCaller, &known), (Manner::Plain, &Caller::default())] {
        let (server, events) = server(&[("", manner)]);
        let client = kinds(&server);
        let caller = || loop {
            if let Event::After { caller, .. } = next(&events) {
                return caller;
            }
        };
        client.unary(&shape(1), left()).unwrap();
        assert_eq!(caller(), known);
        assert_eq!(client.server_streaming(&shape(1), left()).count(), 1);
        assert_eq!(&caller(), of_streams);
        client.client_streaming(corners(1), left()).unwrap();
        assert_eq!(&caller(), of_streams);
        assert_eq!(client.bidi_streaming([radius(1.0)], left()).count(), 1);
        assert_eq!(&caller(), of_streams);
    }
}

#[test]
fn interceptors_see_unknown_methods_under_one_name() {
    needs_patch("0033");
    let (server, events) = server(&[("", Manner::Plain)]);
    let raw = RawClient::connect(&target(&server));
    assert_eq!(raw.call("/test.Kinds/None", &[]).unwrap_err().code(), Code::Unimplemented);
    assert_eq!(next(&events), Event::Before("", "other"));
}

#[test]
fn start_gets_the_methods_of_every_service_before_the_first_rpc() {
    struct Start(Mutex<Sender<Vec<MethodDescriptor>>>);
    impl Interceptor for Start {
        fn start(&self, methods: &[MethodDescriptor]) {
            self.0.lock().unwrap().send(methods.to_vec()).unwrap();
        }

        fn before(&self, call: &Call<'_>) -> Result<(), Status> {
            self.0.lock().unwrap().send(vec![call.method()]).unwrap();
            Ok(())
        }
    }
    let (sender, told) = mpsc::channel();
    let server = start(calc::server::builder().service(kinds_service(Echo)).interceptor(Start(Mutex::new(sender))));
    let methods = told.recv_timeout(PATIENCE).unwrap();
    assert!(methods.iter().enumerate().all(|(index, method)| method.index() == index));
    let bidi = methods.iter().find(|method| method.path() == "/test.Kinds/BidiStreaming").unwrap();
    assert_eq!((bidi.kind(), bidi.service(), bidi.name()), (MethodKind::BidiStreaming, "test.Kinds", "BidiStreaming"));

    assert_eq!(client(&server).divide(10, 4), Ok(2.5));
    let called = told.recv_timeout(PATIENCE).unwrap()[0];
    assert_eq!((called.path(), methods[called.index()]), ("/calc.Calculator/Divide", called));
}
