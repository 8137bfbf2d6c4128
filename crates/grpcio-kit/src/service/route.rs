//! What the adapter knows of a method beside its handler.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use grpcio::Environment;

use crate::interceptor::Chain;
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
    pub blocked: BlockedThread,
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

/// The warnings that a method keeps the thread of a completion queue, of which there is at most one a second.
#[derive(Default)]
pub(crate) struct BlockedThread(Mutex<Warnings>);

#[derive(Default)]
struct Warnings {
    last: Option<Instant>,
    suppressed: u64,
}

impl Route {
    /// Whether `held`, for which the method kept the thread of a completion queue, is over the threshold. If so, the
    /// log has a warning.
    pub fn blocked_thread(&self, held: Duration) -> bool {
        let Some(threshold) = self.shared.blocked_thread_threshold.filter(|threshold| held > *threshold) else {
            return false;
        };
        if let Some(suppressed) = self.blocked.due(Instant::now()) {
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

impl BlockedThread {
    /// The number of warnings left out since the last one, if one more is due.
    fn due(&self, now: Instant) -> Option<u64> {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.last.is_some_and(|last| now.saturating_duration_since(last) < Duration::from_secs(1)) {
            warnings.suppressed += 1;
            return None;
        }
        warnings.last = Some(now);
        Some(std::mem::take(&mut warnings.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_warning_a_second_with_the_number_of_those_left_out() {
        let (warnings, start) = (BlockedThread::default(), Instant::now());
        let due = |ms| warnings.due(start + Duration::from_millis(ms));
        assert_eq!([0, 10, 999, 1000, 1500, 5000].map(due), [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
