//! A panic in a method ends its own RPC with INTERNAL, and nothing else.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::thread;

use calc::proto::calc::{AddReply, AddRequest};
use futures::StreamExt;
use grpcio_kit::{CallOptions, Channel, Code, Method, ReplyStream, Server, Service, ServiceBuilder, Status};

use crate::common::{PATIENCE, channel, client, start};

const UNARY: Method<AddRequest, AddReply> = Method::new("/test.Panics/Unary");
const IN_REPLIES: Method<AddRequest, AddReply> = Method::new("/test.Panics/InReplies");
const AT_ONCE: Method<AddRequest, AddReply> = Method::new("/test.Panics/AtOnce");
const IN_FUTURE: Method<AddRequest, AddReply> = Method::new("/test.Panics/InFuture");

fn panics() -> Service {
    ServiceBuilder::new("test.Panics")
        .unary(UNARY, |_, request: AddRequest| -> Result<AddReply, Status> { panic!("secret {}", request.n1) })
        .server_streaming(AT_ONCE, |_, _| -> Result<ReplyStream<AddReply>, Status> { panic!("secret") })
        .bidi_streaming(IN_REPLIES, |_, requests| {
            Ok(requests.map(|request| if request?.n1 == 2 { panic!("secret") } else { Ok(AddReply::new()) }).boxed())
        })
        .client_streaming(IN_FUTURE, |_, _| Box::pin(async { panic!("secret") }))
        .build()
}

/// A server with one queue: if its thread ended, no RPC would get a reply.
fn server() -> Server {
    // Ten thousand backtraces would hide other output.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_ours = info.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("secret"));
            if !is_ours && info.payload().downcast_ref::<&str>() != Some(&"secret") {
                hook(info);
            }
        }));
    });
    start(calc::server::builder().queues(NonZeroUsize::MIN).service(panics()))
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn panic_once(channel: &Channel) {
    let status = channel.unary(UNARY, &AddRequest::new(), options()).unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("/test.Panics/Unary"), "{status}");
    assert!(!status.message().contains("secret"), "{status}");
}

#[test]
fn ten_thousand_panics_stop_no_queue_and_fail_no_other_rpc() {
    let server = server();
    let other = client(&server);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut rpcs = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(other.add(20, 10), Ok(30));
                rpcs += 1;
            }
            rpcs
        });
        let channel = channel(&server);
        for _ in 0..10_000 {
            panic_once(&channel);
        }
        done.store(true, Ordering::Relaxed);
        assert!(other.join().unwrap() > 0);
    });
    assert_eq!(client(&server).divide(10, 2), Ok(5.0));
}

#[test]
fn a_panic_is_logged_with_the_name_of_the_method() {
    let log = Log::install();
    let server = server();
    panic_once(&channel(&server));
    let log = log.text();
    assert!(log.contains("the method panicked") && log.contains("/test.Panics/Unary"), "{log}");
    assert!(log.contains("secret 0"), "{log}");
}

/// The log in memory, of all tests.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn install() -> Log {
        static LOG: OnceLock<Log> = OnceLock::new();
        let install = || {
            let log = Log::default();
            let writer = log.clone();
            tracing_subscriber::fmt().with_writer(move || writer.clone()).init();
            log
        };
        LOG.get_or_init(install).clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_of_a_streaming_method_is_internal_before_its_replies_and_between_them() {
    let server = server();
    let channel = channel(&server);
    let at_once: Vec<_> = channel.server_streaming(AT_ONCE, &AddRequest::new(), options()).collect();
    assert!(matches!(&at_once[..], [Err(status)] if status.code() == Code::Internal), "{at_once:?}");

    let requests = (1..=3).map(|n1| AddRequest { n1, ..Default::default() });
    let later: Vec<_> = channel.bidi_streaming(IN_REPLIES, requests, options()).collect();
    assert!(matches!(&later[..], [.., Err(status)] if status.code() == Code::Internal), "{later:?}");

    let in_future = channel.client_streaming(IN_FUTURE, [AddRequest::new()], options());
    assert_eq!(in_future.unwrap_err().code(), Code::Internal);

    assert_eq!(client(&server).add(20, 10), Ok(30));
}
