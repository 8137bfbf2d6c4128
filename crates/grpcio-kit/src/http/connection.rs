//! A connection with a deadline, and the list of those that are open.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a 408 may take to be written, after the deadline.
const LAST_WORD: Duration = Duration::from_millis(100);

/// How long the client has to close its side too.
const LINGER: Duration = Duration::from_secs(1);

/// Maximum number of bytes that are read and discarded before a connection is closed.
const MAX_DISCARDED: usize = 64 * 1024;

/// The open connections, the oldest first. Adding one to a full list closes another.
pub(super) struct Connections {
    state: Mutex<State>,
    ended: Condvar,
    max: usize,
}

#[derive(Default)]
struct State {
    open: Vec<Arc<Open>>,
    stopped: bool,
}

/// A connection as its own thread and the list share it.
pub(super) struct Open {
    stream: TcpStream,
    deadline: Instant,
    /// Whether its request has arrived. Those without one are closed first.
    pub has_request: AtomicBool,
}

impl Connections {
    pub fn new(max: usize) -> Connections {
        Connections { state: Mutex::default(), ended: Condvar::new(), max }
    }

    /// Adds a connection that has `time` from now on. If the list is full, this closes the one that has waited longest
    /// without a complete request, or else the oldest, and waits for its thread. Returns `None` once stopped.
    pub fn add(&self, stream: TcpStream, time: Duration) -> Option<Arc<Open>> {
        let open = Arc::new(Open { stream, deadline: Instant::now() + time, has_request: AtomicBool::new(false) });
        let mut state = self.lock();
        if state.open.len() >= self.max {
            // The first of equals: the oldest.
            if let Some(victim) = state.open.iter().min_by_key(|open| open.has_request.load(Ordering::Relaxed)) {
                victim.close();
            }
        }
        let is_full = |state: &mut State| state.open.len() >= self.max && !state.stopped;
        state = self.ended.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        state.open.push(Arc::clone(&open));
        Some(open)
    }

    pub fn remove(&self, ended: &Arc<Open>) {
        self.lock().open.retain(|open| !Arc::ptr_eq(open, ended));
        self.ended.notify_all();
    }

    /// Closes every connection. No further one is added.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.open.iter().for_each(|open| open.close());
        self.ended.notify_all();
    }

    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Ends what its thread reads or writes, now and later.
    fn close(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    pub fn connection(&self) -> Connection<'_> {
        Connection { stream: &self.stream, deadline: self.deadline }
    }
}

/// Reads and writes until the deadline, whatever the client does.
pub(super) struct Connection<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl Connection<'_> {
    /// Extends the deadline, for a response that fits into the system's buffer.
    pub fn grant_last_word(&mut self) {
        self.deadline = Instant::now() + LAST_WORD;
    }

    fn until_deadline(&self, mut step: impl FnMut(Duration) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            match step(left) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                done => return done,
            }
        }
    }

    /// Closes the connection so that the response arrives: with unread data, the system would reset the connection, and
    /// the client could lose it.
    pub fn close_after_reading(mut self) {
        self.deadline = self.deadline.min(Instant::now() + LINGER);
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut discarded = 0;
        while let Ok(read @ 1..) = self.read(&mut [0; 4096]) {
            discarded += read;
            if discarded >= MAX_DISCARDED {
                return;
            }
        }
    }
}

impl Read for Connection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stream = self.stream;
        self.until_deadline(|left| {
            stream.set_read_timeout(Some(left))?;
            stream.read(buffer)
        })
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream;
        self.until_deadline(|left| {
            stream.set_write_timeout(Some(left))?;
            stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// The client's and the server's half of a connection.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn a_full_list_closes_the_one_without_a_request_that_has_waited_longest_or_else_the_oldest() {
        let connections = Connections::new(3);
        thread::scope(|scope| {
            let add = |has_request: bool| {
                let (client, stream) = pair();
                let open = connections.add(stream, PATIENCE).unwrap();
                open.has_request.store(has_request, Ordering::Relaxed);
                let connections = &connections;
                scope.spawn(move || {
                    assert!(matches!(open.connection().read(&mut [0]), Ok(0)));
                    connections.remove(&open);
                });
                client
            };
            let mut clients: Vec<_> = [true, false, false].map(add).into();
            for (added, closed) in [(true, 1), (true, 2), (true, 0), (false, 3), (true, 6)] {
                clients.push(add(added));
                assert_eq!(clients[closed].read(&mut [0]).unwrap(), 0, "{closed}");
            }
            connections.stop();
        });
        assert!(connections.is_stopped() && connections.add(pair().1, PATIENCE).is_none());
    }

    #[test]
    fn a_deadline_ends_a_read() {
        let (_client, stream) = pair();
        let mut connection = Connection { stream: &stream, deadline: Instant::now() + LAST_WORD };
        assert_eq!(connection.read(&mut [0]).unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
