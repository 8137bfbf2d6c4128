//! A buffer of log lines, written to a file by a thread of its own, so that no other thread blocks on a slow reader.
//!
//! When the buffer is full, lines are dropped and counted. The queue of `tracing-appender` allocates for each line,
//! limits the number of lines but not their size, does not count failed writes, and may print or panic at shutdown.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGXFSZ;

/// How much is written at a time, in bytes: a pipe takes up to this much atomically (`PIPE_BUF` on Linux), so that
/// lines of other processes do not get between.
const CHUNK: usize = 4096;

/// The buffer.
#[derive(Default)]
pub(super) struct Lines {
    state: Mutex<State>,
    /// Notified when the buffer is no longer empty.
    filled: Condvar,
    /// Notified when everything has been written.
    emptied: Condvar,
    /// Maximum size of `waiting`, in bytes.
    limit: usize,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// Whether the thread is writing lines that it has taken.
    writing: bool,
}

impl Lines {
    /// Starts the thread that writes to `file`, with a buffer of `limit` bytes.
    pub fn start(file: File, limit: usize) -> io::Result<Arc<Lines>> {
        // A write beyond the size limit of a file (RLIMIT_FSIZE) fails then, instead of ending the process.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        let lines = Arc::new(Lines { limit, ..Lines::default() });
        let writer = Arc::clone(&lines);
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_to(file))?;
        Ok(lines)
    }

    /// Returns the number of lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits up to `timeout` until every line has been written.
    pub fn flush(&self, timeout: Duration) {
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        // Lines that remain after the timeout are lost if the process ends.
        let _ = self.emptied.wait_timeout_while(self.lock(), timeout, busy);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if line.len() > self.limit - state.waiting.len() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Writes lines for as long as the process lives.
    fn write_to(&self, mut file: File) {
        let mut lines = Vec::new();
        let mut told = 0;
        loop {
            let waited = self.filled.wait_while(self.lock(), |state| state.waiting.is_empty());
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut state.waiting, &mut lines);
            state.writing = true;
            drop(state);
            let mut written = true;
            for chunk in chunks(&lines) {
                if file.write_all(chunk).is_err() {
                    written = false;
                    let lost = chunk.iter().filter(|byte| **byte == b'\n').count();
                    self.dropped.fetch_add(lost as u64, Ordering::Relaxed);
                }
            }
            lines.clear();
            let dropped = self.dropped.load(Ordering::Relaxed);
            // If writing failed, a warning would fail too.
            if written && dropped > told {
                tracing::warn!(lines = dropped - told, "log lines were dropped: nobody read them in time");
                told = dropped;
            }
            let mut state = self.lock();
            state.writing = false;
            if state.waiting.is_empty() {
                // Frees the memory of a burst.
                lines.shrink_to(CHUNK);
                self.emptied.notify_all();
            }
        }
    }
}

/// Splits into chunks of whole lines of up to [`CHUNK`] bytes; a longer line is a chunk of its own.
fn chunks(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = match lines.get(..CHUNK) {
            None => lines.len(),
            Some(head) => match head.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => last + 1,
                None => lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |first| first + 1),
            },
        };
        let (chunk, rest) = lines.split_at(end);
        lines = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Adds lines to the buffer. `tracing-subscriber` writes each line in one call.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn lines(limit: usize) -> (UnixStream, Arc<Lines>) {
        let (reader, writer) = UnixStream::pair().unwrap();
        (reader, Lines::start(File::from(OwnedFd::from(writer)), limit).unwrap())
    }

    fn write(mut lines: &Lines, line: &str) {
        lines.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn lines_arrive_in_order() {
        let (mut reader, lines) = lines(1 << 20);
        let text: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        text.split_inclusive('\n').for_each(|line| write(&lines, line));
        lines.flush(PATIENCE);
        let mut read = vec![0; text.len()];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), text);
        assert_eq!(lines.dropped(), 0);
    }

    #[test]
    fn unread_lines_are_dropped_and_counted_and_nothing_blocks() {
        let (_reader, lines) = lines(100_000);
        // More than the socket and the buffer hold together.
        for _ in 0..100_000 {
            write(&lines, &format!("{}\n", "x".repeat(99)));
        }
        assert!(lines.dropped() > 0);
        assert!(lines.lock().waiting.len() <= 100_000);
        lines.flush(Duration::ZERO);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let (reader, lines) = lines(1 << 20);
        drop(reader);
        write(&lines, "one\n");
        write(&lines, "two\n");
        lines.flush(PATIENCE);
        assert_eq!(lines.dropped(), 2);
    }

    #[test]
    fn a_chunk_has_whole_lines() {
        let long = format!("{}\n", "x".repeat(5000));
        let text = format!("a\nb\n{long}c\n{}", "0123456\n".repeat(1000));
        let chunks: Vec<_> = chunks(text.as_bytes()).collect();
        assert_eq!(chunks.concat(), text.as_bytes());
        assert!(
            chunks.iter().all(|chunk| chunk.ends_with(b"\n") && (chunk.len() <= CHUNK || *chunk == long.as_bytes()))
        );
        assert_eq!(chunks[0], b"a\nb\n");
    }
}
