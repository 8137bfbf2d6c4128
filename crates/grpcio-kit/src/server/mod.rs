//! A running server, and its graceful shutdown.

pub(crate) mod builder;
mod queue_wait;
mod streaming_calls;
mod watchdog;

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures::channel::oneshot;
use futures::{Future, FutureExt};
use futures_lite::future::{block_on, or};
use futures_timer::Delay;

use crate::channelz::ServerId;
use crate::health::Health;
use crate::listen::ListenAddress;
use crate::readiness::Readiness;
use crate::server::builder::ServerBuilder;
use crate::server::queue_wait::QueueWait;
use crate::service_manager;

/// How long cancelled RPCs may take to release the threads of their queues.
const CANCEL_BOUND: Duration = Duration::from_secs(5);

/// How a server shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Every RPC had finished, and every method had returned.
    Clean,
    /// RPCs were still in flight at the end of the grace, and were cancelled.
    Cancelled {
        /// How many there were, as the C core counts them: an RPC whose request has not arrived is one of them. `None`
        /// if the C core's channelz data cannot be read; then there may have been none.
        rpcs: Option<u64>,
    },
    /// A method did not return although its RPC was cancelled; its thread goes on.
    Stuck,
}

/// A running server.
///
/// Dropping it cancels the RPCs in flight; [`Server::shutdown`] lets them finish.
pub struct Server {
    /// For the metrics, and for the service manager. They end before the queues do.
    _measured: [Option<QueueWait>; 2],
    /// `None` once it has been shut down.
    server: Option<grpcio::Server>,
    /// Resolves when the threads of all completion queues have let go of the methods, so that none runs any more.
    released: oneshot::Receiver<Infallible>,
    id: ServerId,
    addresses: Vec<ListenAddress>,
    health: Option<Health>,
    readiness: Readiness,
    service_manager: bool,
}

impl Server {
    /// Returns a builder, which configures and starts a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Returns the addresses that it listens on, as numbers: with the port that the system chose for port 0, and each
    /// address of a host name.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Returns the health of its services, if it was started with [`ServerBuilder::health`].
    pub fn health(&self) -> Option<&Health> {
        self.health.as_ref()
    }

    /// Announces that the server is about to shut down, and goes on answering: its health turns to NOT_SERVING and its
    /// readiness to not ready. Load balancers have until [`Server::shutdown`] to route around it.
    pub fn start_draining(&self) {
        self.readiness.set(false);
        if self.service_manager {
            service_manager::stopping();
        }
        if let Some(health) = &self.health {
            health.shutdown();
        }
    }

    /// Shuts the server down, after [`Server::start_draining`] if that has not been called: it accepts no connections,
    /// sends GOAWAY to each client and rejects new RPCs with UNAVAILABLE. Waits up to `grace` for the RPCs in flight and
    /// for their clients, which close their connections when they have all replies (or lose them five to
    /// ten seconds after, and half a minute after their last RPC in any case), and cancels what is left. A connection
    /// that cannot take what is being written to it is reset a second later. Returns within `grace` and five seconds more.
    pub fn shutdown(mut self, grace: Duration) -> Drain {
        let server = self.server.take();
        server.map_or(Drain::Clean, |server| self.drain(server, grace))
    }

    fn drain(&mut self, mut server: grpcio::Server, grace: Duration) -> Drain {
        self.start_draining();
        if let Some(health) = &self.health {
            // A watch does not end by itself.
            health.end_watches();
        }
        let shutdown = server.shutdown();
        let server = Cell::new(Some(server));
        let mut done = pin!(async {
            let _ = shutdown.await;
            // It has the methods, too.
            server.take();
            let _ = (&mut self.released).await;
        });
        if wait(done.as_mut(), grace).is_some() {
            return Drain::Clean;
        }
        let rpcs = self.id.calls_in_flight();
        // Cancels them.
        server.take();
        cancelled(rpcs, wait(done, CANCEL_BOUND).is_some())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.drain(server, Duration::ZERO);
        }
    }
}

/// How a server shut down that had this many RPCs at the end of the grace, and whether it was `done` soon after.
fn cancelled(rpcs: Option<u64>, done: bool) -> Drain {
    match (done, rpcs) {
        (false, _) => Drain::Stuck,
        // Only connections that their clients did not close.
        (true, Some(0)) => Drain::Clean,
        (true, rpcs) => Drain::Cancelled { rpcs },
    }
}

/// Waits for `future` for at most `timeout`; `None` if that passes before.
fn wait<T>(future: impl Future<Output = T>, timeout: Duration) -> Option<T> {
    let done = async { Some(future.await) };
    // A century at most, as the end of a delay must not overflow.
    let delay = Delay::new(timeout.min(Duration::from_secs(100 * 365 * 24 * 60 * 60)));
    block_on(or(done, delay.map(|()| None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without channelz data, a drain reported that no RPC was in flight.
    #[test]
    fn a_drain_that_cannot_count_its_rpcs_says_so() {
        assert_eq!(cancelled(None, true), Drain::Cancelled { rpcs: None });
        assert_eq!(cancelled(Some(2), true), Drain::Cancelled { rpcs: Some(2) });
        assert_eq!(cancelled(Some(0), true), Drain::Clean);
        assert_eq!(cancelled(None, false), Drain::Stuck);
    }
}
