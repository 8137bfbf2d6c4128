//! The thread on which the replies of channels come in, and tasks that run on it.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{Future, FutureExt};
use grpcio::{EnvBuilder, Environment};

use super::Channel;

/// A thread that waits for replies: a completion queue of the C core.
///
/// A channel has one of its own unless it is told to use this ([`ChannelBuilder::thread`]). The thread ends with its
/// last clone and the last channel that uses it.
///
/// [`ChannelBuilder::thread`]: crate::ChannelBuilder::thread
#[derive(Clone)]
pub struct ClientThread {
    environment: Arc<Environment>,
}

impl ClientThread {
    /// Starts a thread.
    pub fn start() -> ClientThread {
        let environment = EnvBuilder::new().cq_count(1).name_prefix("grpc-client").build();
        ClientThread { environment: Arc::new(environment) }
    }

    pub(super) fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment)
    }
}

impl fmt::Debug for ClientThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientThread").finish_non_exhaustive()
    }
}

impl Channel {
    /// Runs a task on the thread that replies come in on, which costs the least for each of its calls: no other thread
    /// has to be woken up. It begins on the thread of the caller, up to the first thing that it waits for.
    ///
    /// The task must not block: all replies of the thread's channels wait for it. A panic ends the task and nothing
    /// else. The task lives as long as it takes, and has to keep a clone of the channel as long.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // A panic would end the thread.
        self.client.spawn(AssertUnwindSafe(task).catch_unwind().map(drop));
    }
}
