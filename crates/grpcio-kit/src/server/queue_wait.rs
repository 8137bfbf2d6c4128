//! How long RPCs wait in their completion queue.
//!
//! A queue hands out its events in order, to one thread: an RPC that the C core has read waits until those before it
//! have been answered. Neither the C core nor grpcio tells when it came. So a thread puts an event of its own into each
//! queue at regular intervals, and the queue's thread measures how long it waited: an RPC that came at the same time
//! waited as long. RPCs themselves take no part in it, and read no clock for it.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc as events;
use grpcio::{Channel, Client, Environment};

/// The maximum number of these events that wait in a queue. Of those of the metrics, ten seconds: the histogram's last bucket.
const MAX_WAITING: usize = 100;

/// Measures until it is dropped.
pub(super) struct QueueWait {
    /// Ends the thread when it is dropped.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The tasks of the queues' threads belong to them.
    _clients: Vec<Client>,
}

impl QueueWait {
    /// Measures the queues of `environment` once per `interval`. Calls `observe` on the queue's thread with the number of the
    /// queue, from 0, and the wait; and `then` on its own thread, each time.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn measure(
        environment: &Arc<Environment>,
        interval: Duration,
        observe: impl Fn(usize, Duration) + Clone + Send + 'static,
        mut then: impl FnMut() + Send + 'static,
    ) -> io::Result<QueueWait> {
        let task = |(queue, _)| {
            // The way to a task on a queue's thread is a channel; this one never connects. Each has the next queue.
            let client = Client::new(Channel::lame(Arc::clone(environment), "queue-wait"));
            let (sender, receiver) = events::channel(MAX_WAITING);
            let observe = observe.clone();
            client.spawn(receiver.for_each(move |sent: Instant| {
                observe(queue, sent.elapsed());
                ready(())
            }));
            (client, sender)
        };
        let (clients, mut queues): (Vec<_>, Vec<events::Sender<Instant>>) =
            environment.completion_queues().iter().enumerate().map(task).unzip();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("queue-wait".to_owned()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                for queue in &mut queues {
                    // Full if the thread has been blocked for so long: what waits tells it.
                    let _ = queue.try_send(Instant::now());
                }
                then();
            }
        })?;
        Ok(QueueWait { stop: Some(stop), thread: Some(thread), _clients: clients })
    }
}

impl Drop for QueueWait {
    /// Ends the tasks too, while their queues exist.
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic, and waits for nothing else.
            let _ = thread.join();
        }
    }
}
