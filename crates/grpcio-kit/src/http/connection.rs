//! A connection that has an end: so much time for all that is read and written.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread waits before it looks whether the server is to stop.
const SLICE: Duration = Duration::from_millis(100);

/// How long the other side has to close its side too.
const LINGER: Duration = Duration::from_secs(1);

/// The most that is read and thrown away before a connection is closed, in bytes.
const MAX_REST: usize = 64 * 1024;

/// A connection with a moment at which it is over, whatever the other side does.
pub(super) struct Connection<'a> {
    stream: TcpStream,
    end: Instant,
    stop: &'a AtomicBool,
}

impl<'a> Connection<'a> {
    /// A connection that has `time` from now on. It is over at once when `stop` is set.
    pub fn new(stream: TcpStream, time: Duration, stop: &'a AtomicBool) -> Connection<'a> {
        Connection { stream, end: Instant::now() + time, stop }
    }

    /// Time for a last word, which is not waited for.
    pub fn grant_a_moment(&mut self) {
        self.end = Instant::now() + SLICE;
    }

    /// Repeats what would block until it does not, or the time is over.
    fn until_end(&self, mut step: impl FnMut(&TcpStream, Duration) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::TimedOut.into());
            }
            match step(&self.stream, left.min(SLICE)) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                done => return done,
            }
        }
    }

    /// Closes the connection so that what was written arrives: data that nobody has read would
    /// make the system reset the connection, and the other side lose the reply.
    pub fn close_after_reading(mut self) {
        self.end = self.end.min(Instant::now() + LINGER);
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut rest = [0; 4096];
        let mut left = MAX_REST;
        while let Ok(read @ 1..) = self.read(&mut rest) {
            left = left.saturating_sub(read);
            if left == 0 {
                return;
            }
        }
    }
}

impl Read for Connection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_end(|mut stream, time| {
            stream.set_read_timeout(Some(time))?;
            stream.read(buffer)
        })
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_end(|mut stream, time| {
            stream.set_write_timeout(Some(time))?;
            stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
