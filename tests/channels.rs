//! The settings of channels: connections, threads, limits, user agent; and blocking RPCs within each other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;

use calc::Client;
use futures::channel::oneshot;
use futures::executor::block_on;
use grpcio_kit::{
    Call, CallOptions, Channel, ChannelBuilder, ClientThread, Code, Compression, ConnectError, Interceptor, Limits,
    Server, Status,
};

use crate::common::{PATIENCE, start, target};
use crate::kinds::{Echo, corners, radius, shape};
use crate::protos::kinds_grpc::{KindsClient, kinds_service};
use crate::protos::shapes::Shape;

/// Records the peers of RPCs.
#[derive(Clone, Default)]
struct Peers(Arc<Mutex<BTreeSet<String>>>);

impl Interceptor for Peers {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        self.0.lock().unwrap().insert(call.peer());
        Ok(())
    }
}

fn server() -> (Server, Peers) {
    let peers = Peers::default();
    (start(calc::server::builder().interceptor(peers.clone())), peers)
}

#[test]
fn channels_with_the_same_settings_share_a_connection_unless_they_have_one_of_their_own() {
    for (own, connections) in [(false, 1), (true, 3)] {
        let (server, peers) = server();
        let connect = |_| Channel::builder(&target(&server)).own_connection(own).connect().unwrap();
        let channels: Vec<_> = (0..3).map(connect).collect();
        for channel in &channels {
            assert_eq!(Client::new(channel.clone()).timeout(PATIENCE).add(20, 10), Ok(30));
        }
        assert_eq!(peers.0.lock().unwrap().len(), connections);
    }
}

#[test]
fn a_task_runs_on_the_thread_that_receives_replies_and_its_panic_ends_nothing_else() {
    let (server, _) = server();
    let shared = ClientThread::start();
    let connect = || Channel::builder(&target(&server)).own_connection(true).thread(&shared).connect().unwrap();
    let channels = [connect(), connect()];
    let mut threads = Vec::new();
    for channel in &channels {
        let client = Client::new(channel.clone()).timeout(PATIENCE);
        let (open, gate) = oneshot::channel();
        let (sender, receiver) = oneshot::channel();
        channel.spawn(async move {
            // From here on it runs on the channel's thread.
            gate.await.unwrap();
            assert_eq!(client.add_async(20, 10).await, Ok(30));
            sender.send(thread::current().id()).unwrap();
            panic!("on purpose");
        });
        open.send(()).unwrap();
        threads.push(block_on(receiver).unwrap());
    }
    assert!(threads[0] == threads[1] && threads[0] != thread::current().id());
    for channel in channels {
        assert_eq!(Client::new(channel).timeout(PATIENCE).add(20, 10), Ok(30));
    }
}

/// A server without a limit that matters here.
fn echo(compression: Compression) -> Server {
    let limits = Limits { max_request_bytes: 8 * MIB, max_reply_bytes: 8 * MIB, ..Limits::default() };
    start(Server::builder().service(kinds_service(Echo)).limits(limits).compression(compression))
}

const MIB: u32 = 1024 * 1024;

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn kinds(builder: ChannelBuilder) -> KindsClient {
    KindsClient::new(builder.connect().unwrap())
}

#[test]
fn a_reply_over_4_mib_is_refused_by_default_and_read_when_the_channel_allows_it() {
    let mut request = Shape::default();
    request.set_hand("x".repeat(5 * 1024 * 1024));
    for (compression, message) in [
        (Compression::Off, "received message larger than max (5242885 vs. 4194304)"),
        (Compression::Gzip, "the message is larger than 4194304 bytes when it is decompressed"),
    ] {
        let server = echo(compression);
        let refused = kinds(Channel::builder(&target(&server))).unary(&request, options()).unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, message));
        let client = kinds(Channel::builder(&target(&server)).max_reply_bytes(6 * MIB));
        assert!(client.unary(&request, options()).unwrap() == request);
        assert!(block_on(client.unary_async_(&request, options())).unwrap() == request);
    }
}

#[test]
fn a_reply_over_the_limit_ends_its_stream() {
    let server = echo(Compression::Off);
    // The first corner is empty.
    let client = kinds(Channel::builder(&target(&server)).max_reply_bytes(3));
    let mut replies = client.server_streaming(&shape(10), options());
    assert_eq!(replies.next(), Some(Ok(corners(1).remove(0))));
    assert_eq!(replies.next().unwrap().unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(replies.next(), None);
}

/// Such an iterator once panicked: "cannot execute `LocalPool` executor from within another executor".
#[test]
fn an_iterator_of_requests_may_make_blocking_rpcs_on_the_same_channel() {
    let server = echo(Compression::Off);
    let client = kinds(Channel::builder(&target(&server)));
    let inner = client.clone();
    let requests = corners(3).into_iter().map(move |corner| {
        let request = Shape { corners: vec![corner], ..Default::default() };
        inner.unary(&request, options()).unwrap().corners.remove(0)
    });
    assert_eq!(client.client_streaming(requests, options()), Ok(shape(3)));

    let inner = client.clone();
    let requests = (0..100_u8).map(move |n| {
        inner.unary(&shape(1), options()).unwrap();
        // A streaming RPC, too.
        let mut replies = inner.bidi_streaming([radius(f32::from(n))], options());
        radius(replies.next().unwrap().unwrap().text.parse().unwrap())
    });
    let replies: Vec<_> = client.bidi_streaming(requests, options()).map(|reply| reply.unwrap().text).collect();
    assert_eq!(replies, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// Records the user agents of RPCs.
#[derive(Clone, Default)]
struct UserAgents(Arc<Mutex<Vec<String>>>);

impl Interceptor for UserAgents {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        let user_agent = call.metadata("user-agent").unwrap();
        self.0.lock().unwrap().push(String::from_utf8(user_agent.to_vec()).unwrap());
        Ok(())
    }
}

#[test]
fn a_program_names_itself_in_the_user_agent() {
    let user_agents = UserAgents::default();
    let server = start(calc::server::builder().interceptor(user_agents.clone()));
    let target = target(&server);
    Client::new(Channel::connect(&target).unwrap()).timeout(PATIENCE).add(20, 10).unwrap();
    Client::connect(&target).unwrap().timeout(PATIENCE).add(20, 10).unwrap();
    let own = Channel::builder(&target).user_agent("shop/1.2 (linux)").connect().unwrap();
    Client::new(own).timeout(PATIENCE).add(20, 10).unwrap();
    let user_agents = user_agents.0.lock().unwrap();
    for (user_agent, expected) in user_agents.iter().zip(["grpcio-kit/", "calc/", "shop/1.2 (linux) grpc-rust/"]) {
        assert!(user_agent.starts_with(expected), "{user_agent}");
    }
    assert_eq!(user_agents.len(), 3);
}

#[test]
fn a_user_agent_that_is_not_a_header_value_is_an_error() {
    for user_agent in ["", " ", "calc/1 ", "calc\n", "calc\0", "c\u{e4}lc/1"] {
        let error = Channel::builder("localhost:1").user_agent(user_agent).connect().err().unwrap();
        assert!(matches!(&error, ConnectError::UserAgent(text) if text == user_agent), "{error}");
    }
}
