//! The thread that receives the replies of asynchronous and streaming RPCs, and tasks that run on it.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{Future, FutureExt};
use grpcio::{EnvBuilder, Environment};

use super::Channel;

/// A thread that polls a completion queue of the C core, and so receives replies.
///
/// A channel starts one of its own, at its first asynchronous or streaming RPC, unless it is given this
/// ([`ChannelBuilder::thread`]). The thread ends with its last clone and the last channel that uses it.
///
/// [`ChannelBuilder::thread`]: crate::ChannelBuilder::thread
#[derive(Clone)]
pub struct ClientThread {
    pub(super) environment: Arc<Environment>,
}

impl ClientThread {
    /// Starts a thread.
    pub fn start() -> ClientThread {
        let environment = EnvBuilder::new().cq_count(1).name_prefix("grpc-client").build();
        ClientThread { environment: Arc::new(environment) }
    }
}

impl fmt::Debug for ClientThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientThread").finish_non_exhaustive()
    }
}

impl Channel {
    /// Runs a task on the thread that receives replies, so that no other thread has to be woken for them. The task starts
    /// on the caller's thread, and moves at its first `await` that is not ready.
    ///
    /// The task must not block: all replies of the thread's channels would wait for it. A panic ends the task only. The
    /// task must keep a clone of the channel while it runs.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // A panic would end the thread.
        self.client().spawn(AssertUnwindSafe(task).catch_unwind().map(drop));
    }
}
