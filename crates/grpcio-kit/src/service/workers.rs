//! A pool of threads for unary methods that block.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::{io, thread};

use futures::channel::oneshot;
use futures::{Future, FutureExt};

use crate::call::Call;
use crate::call::panic::contain;
use crate::status::Status;
use crate::status::code::Code;

/// A bounded pool of threads, named `grpc-worker-0` and so on, for methods that block: on a database, a file, or a
/// long computation.
///
/// [`Service::on_workers`](crate::Service::on_workers) registers a method with it. Several methods, services and
/// servers can share a pool. RPCs are taken in the order of their arrival. The threads end when the last clone of this
/// is dropped, those of servers among them; a method that runs then runs to its end.
#[derive(Clone)]
pub struct Workers {
    handle: Arc<Handle>,
}

/// Closes the pool when the last [`Workers`] is dropped.
struct Handle(Arc<Pool>);

struct Pool {
    threads: usize,
    max_queued: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By number, so that the first is the oldest, and one that is cancelled gives its place away.
    queued: BTreeMap<u64, Job>,
    next: u64,
    running: usize,
    closed: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl Workers {
    /// Starts `threads` threads. Up to `max_queued` RPCs wait for one of them; 0 lets none wait. One more fails with
    /// RESOURCE_EXHAUSTED.
    ///
    /// # Errors
    ///
    /// The system cannot start that many threads.
    pub fn new(threads: NonZeroUsize, max_queued: usize) -> io::Result<Workers> {
        let threads = threads.get();
        let pool = Arc::new(Pool { threads, max_queued, state: Mutex::default(), changed: Condvar::new() });
        // From here on an error ends the threads that there are.
        let workers = Workers { handle: Arc::new(Handle(pool)) };
        for number in 0..threads {
            let pool = Arc::clone(&workers.handle.0);
            thread::Builder::new().name(format!("grpc-worker-{number}")).spawn(move || pool.work())?;
        }
        Ok(workers)
    }

    /// Queues a method's run for one RPC. When the result is dropped, a run that has not begun does not happen.
    pub(super) fn run<T: Send + 'static>(
        &self,
        call: Call<'static>,
        method: impl FnOnce(&Call<'static>) -> Result<T, Status> + Send + 'static,
    ) -> Result<Queued<T>, Status> {
        let pool = &self.handle.0;
        let (sender, reply) = oneshot::channel();
        let job = Box::new(move || {
            let reply = if call.is_expired() {
                Err(Status::new(Code::DeadlineExceeded, "the deadline passed before a worker thread was free"))
            } else {
                contain(call.method(), || method(&call))
            };
            // Nobody waits for it if the RPC has ended.
            let _ = sender.send(reply);
        });
        let mut state = pool.lock();
        // A job that an idle thread is about to take does not wait.
        if state.queued.len() + state.running >= pool.threads.saturating_add(pool.max_queued) {
            let max = pool.max_queued;
            let message = format!("{max} RPCs wait for a worker thread, the limit (max_queued); try again later");
            return Err(Status::new(Code::ResourceExhausted, message));
        }
        let number = state.next;
        state.next += 1;
        state.queued.insert(number, job);
        drop(state);
        pool.changed.notify_one();
        Ok(Queued { pool: Arc::clone(pool), number, reply })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each thread does: jobs, until the pool is closed and has none.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((_, job)) = state.queued.pop_first() {
                state.running += 1;
                drop(state);
                // The method's panic is contained; what it leaves behind may still panic when it is dropped.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                state.running -= 1;
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// The reply of a method that waits for a thread or runs on it.
pub(super) struct Queued<T> {
    pool: Arc<Pool>,
    number: u64,
    reply: oneshot::Receiver<Result<T, Status>>,
}

impl<T> Future for Queued<T> {
    type Output = Result<T, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(self.reply.poll_unpin(cx));
        Poll::Ready(reply.unwrap_or_else(|_| Err(Status::new(Code::Unavailable, "the worker threads have ended"))))
    }
}

impl<T> Drop for Queued<T> {
    fn drop(&mut self) {
        let job = self.pool.lock().queued.remove(&self.number);
        // Not under the lock: it may hold anything.
        drop(job);
    }
}
