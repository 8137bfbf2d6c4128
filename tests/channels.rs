//! Channels that do not share connections, that share a thread, and tasks on that thread.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;

use calc::Client;
use futures::channel::oneshot;
use futures::executor::block_on;
use grpcio_kit::{Call, Channel, ClientThread, Interceptor, Server, Status};

use crate::common::{PATIENCE, start, target};

/// Remembers where calls came from.
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
fn channels_that_are_alike_share_a_connection_unless_they_have_one_of_their_own() {
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
fn a_task_runs_where_replies_come_in_and_its_panic_ends_nothing_else() {
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
            // From here on it is on the channel's thread.
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
