//! A server that accepts calls, and how it ends.

pub(crate) mod builder;
mod streaming_calls;

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures::{Future, FutureExt};

use crate::channelz::ServerId;
use crate::health::Health;
use crate::listen::ListenAddress;
use crate::readiness::Readiness;
use crate::server::builder::ServerBuilder;

/// How long calls that were cancelled may take to let go of their queue's thread.
const CANCEL_BOUND: Duration = Duration::from_secs(5);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Every call had finished.
    Clean,
    /// Calls were still in flight when the time was up, and have been cancelled.
    Cancelled {
        /// How many there were, as the C core counts them: one that waits for its request is among them.
        calls: i64,
    },
    /// A method did not return even after its call was cancelled; its thread goes on.
    Stuck,
}

/// A server that accepts calls.
///
/// Dropping it cancels the calls in flight; [`Server::shutdown`] lets them finish.
pub struct Server {
    server: grpcio::Server,
    id: ServerId,
    addresses: Vec<ListenAddress>,
    health: Option<Health>,
    readiness: Readiness,
    ended: bool,
}

impl Server {
    /// What a server is to be, before it starts.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Where it listens, in numbers: the real port in place of port 0, and each address of a
    /// name.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// The states of its services, if it was given them ([`ServerBuilder::health`]).
    pub fn health(&self) -> Option<&Health> {
        self.health.as_ref()
    }

    /// Says that the server is about to end, and goes on: its health turns to NOT_SERVING, and it is no longer
    /// ready. Whoever spreads calls over servers has time to leave it out until [`Server::shutdown`].
    pub fn enter_lame_duck(&self) {
        self.readiness.set(false);
        if let Some(health) = &self.health {
            health.shutdown();
        }
    }

    /// Ends the server, as [`Server::enter_lame_duck`] announces: it takes no new connection, asks
    /// each client to leave (GOAWAY) and refuses new calls with UNAVAILABLE. Waits up to `grace` for the calls in
    /// flight and for their clients, which close their connections when they have all replies (or lose them five to
    /// ten seconds after), and cancels what is left. Returns within `grace` and five seconds more.
    pub fn shutdown(mut self, grace: Duration) -> Drain {
        self.drain(grace)
    }

    fn drain(&mut self, grace: Duration) -> Drain {
        self.ended = true;
        self.enter_lame_duck();
        if let Some(health) = &self.health {
            // A watch is a call without an end of its own.
            health.end_watches();
        }
        let mut ended = self.server.shutdown();
        if wait(&mut ended, grace).is_some() {
            return Drain::Clean;
        }
        let calls = self.id.calls_in_flight();
        self.server.cancel_all_calls();
        match wait(&mut ended, CANCEL_BOUND) {
            // Nothing but connections that their clients did not close.
            Some(_) if calls == Some(0) => Drain::Clean,
            Some(_) => Drain::Cancelled { calls: calls.map_or(-1, |calls| calls as i64) },
            None => Drain::Stuck,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended {
            self.drain(Duration::ZERO);
        }
    }
}

/// Runs `future` on this thread for at most `timeout`.
fn wait<F: Future + Unpin>(future: &mut F, timeout: Duration) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let start = Instant::now();
    loop {
        if let Poll::Ready(output) = future.poll_unpin(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        thread::park_timeout(timeout.checked_sub(start.elapsed()).filter(|rest| !rest.is_zero())?);
    }
}
