//! Notices whether every completion queue answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grpcio::Environment;

use crate::server::queue_wait::QueueWait;

/// Calls `answers` until what this returns is dropped, unless a queue's thread is blocked: in `time`, two times at least.
///
/// # Errors
///
/// The thread cannot be started.
pub(super) fn watch(
    environment: &Arc<Environment>,
    time: Duration,
    answers: impl Fn() + Send + 'static,
) -> io::Result<QueueWait> {
    let queues = environment.completion_queues().len();
    let counts: Arc<[AtomicU64]> = (0..queues).map(|_| AtomicU64::new(0)).collect();
    let counted = Arc::clone(&counts);
    let mut told = 0;
    QueueWait::measure(
        environment,
        time / 4,
        move |queue, _| {
            counted[queue].fetch_add(1, Ordering::Relaxed);
        },
        move || {
            let least = counts.iter().map(|count| count.load(Ordering::Relaxed)).min().unwrap_or(0);
            if least > told {
                told = least;
                answers();
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;
    use futures::channel::oneshot;
    use grpcio::{Channel, Client, EnvBuilder};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_server_with_a_blocked_queue_does_not_answer() {
        let environment = Arc::new(EnvBuilder::new().cq_count(2).build());
        let (answers, answered) = mpsc::channel();
        let _watch = watch(&environment, Duration::from_millis(40), move || answers.send(()).unwrap()).unwrap();
        for _ in 0..3 {
            answered.recv_timeout(PATIENCE).unwrap();
        }
        let client = Client::new(Channel::lame(Arc::clone(&environment), "blocked"));
        let (blocked, is_blocked) = mpsc::channel();
        let (unblock, unblocked) = mpsc::channel::<()>();
        // What comes before the first wait is not on the queue's thread.
        let (go, gone) = oneshot::channel::<()>();
        client.spawn(gone.map(move |_| {
            blocked.send(()).unwrap();
            let _ = unblocked.recv();
        }));
        drop(go);
        is_blocked.recv_timeout(PATIENCE).unwrap();
        // One may be on its way.
        let _ = answered.recv_timeout(Duration::from_millis(200));
        while answered.try_recv().is_ok() {}
        assert!(answered.recv_timeout(Duration::from_millis(400)).is_err());
        drop(unblock);
        answered.recv_timeout(PATIENCE).unwrap();
    }
}
