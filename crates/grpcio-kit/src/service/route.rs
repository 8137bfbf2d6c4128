//! What the adapter knows of a method beside its handler.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use grpcio::Environment;

use crate::interceptor::Chain;
use crate::log::rate_limit::RateLimit;
use crate::method::MethodDescriptor;
use crate::service::workers::Workers;

/// A method of a server.
pub(crate) struct Route {
    pub method: MethodDescriptor,
    /// The time that the server allows an RPC; not enforced for plain unary methods.
    pub max_time: Option<Duration>,
    /// The threads that run the method instead of the completion queue's.
    pub workers: Option<Workers>,
    pub shared: Arc<Shared>,
    /// Of the warnings that the method keeps the thread of a completion queue.
    pub warnings: Mutex<RateLimit>,
}

/// What all methods of a server share.
pub(crate) struct Shared {
    pub chain: Chain,
    /// The largest request, in bytes, after it has been decompressed.
    pub max_request_bytes: usize,
    /// The largest reply, in bytes, before it is compressed.
    pub max_reply_bytes: usize,
    /// The time for which a method may keep the thread of a completion queue.
    pub blocked_thread_threshold: Option<Duration>,
    /// Tells the server when it is dropped, with the last method.
    pub _released: oneshot::Sender<Infallible>,
    /// The completion queues. grpcio aborts the process if a thread takes an RPC from its queue after they are gone.
    pub _queues: Arc<Environment>,
}

impl Route {
    /// Whether `held`, for which the method kept the thread of a completion queue, is over the threshold. If so, the
    /// log has a warning.
    pub fn blocked_thread(&self, held: Duration) -> bool {
        let Some(threshold) = self.shared.blocked_thread_threshold.filter(|threshold| held > *threshold) else {
            return false;
        };
        let due = self.warnings.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now());
        if let Some(suppressed) = due {
            tracing::warn!(
                method = self.method.path(),
                held_ms = held.as_millis(),
                threshold_ms = threshold.as_millis(),
                suppressed,
                "the method blocked a completion queue's thread; make it asynchronous or run it on workers",
            );
        }
        true
    }
}
