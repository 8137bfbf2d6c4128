//! The log of a server: structured events on standard error, one line each.
//!
//! Logging never blocks the thread that logs. Lines go through a buffer of 1 MiB, which a thread of its own writes;
//! lines that do not fit are dropped and counted, and the log reports their number once it can. Panics and the C
//! core's log go through the same buffer: written directly, they would block a completion-queue thread.

pub(crate) mod core;
mod lines;
mod notice;
pub(crate) mod rate_limit;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

pub use core::silence as silence_core;
use lines::Lines;
pub use notice::{error_notice, notice};

/// The size of the buffer: 1 MiB, several thousand lines.
const BUFFER_SIZE: usize = 1024 * 1024;

/// How long dropping the [`Guard`] waits for standard error.
const FLUSH_BOUND: Duration = Duration::from_secs(1);

/// The format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: `2026-01-31T12:00:00.000000Z  INFO target: message field=value`.
    #[default]
    Text,
    /// For programs: an object with `timestamp` (RFC 3339, UTC, microseconds), `level`,
    /// `target`, `message`, and the fields of the event beside them.
    Json,
}

/// Which events are logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Minimum level; `INFO` by default.
    pub level: LevelFilter,
    /// The format of a line; [`Format::Text`] by default.
    pub format: Format,
}

impl Default for Options {
    fn default() -> Options {
        Options { level: LevelFilter::INFO, format: Format::default() }
    }
}

/// Why the log was not set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The process has set up a log before.
    #[error("the log is set up already; call `init` once, at the start of the program")]
    Twice,
    /// Standard error cannot be duplicated, or the thread not started.
    #[error("cannot set up the log on standard error: {0}")]
    System(#[from] io::Error),
}

/// Flushes the log when it is dropped, which takes up to a second.
#[must_use = "dropping it flushes the log, which belongs at the end"]
pub struct Guard {
    lines: Arc<Lines>,
}

impl Guard {
    /// Returns a function that counts the lines dropped so far, because standard error was not read in time or could
    /// not be written. For [`Metrics::counter`](crate::Metrics::counter).
    pub fn dropped_lines(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let lines = Arc::clone(&self.lines);
        move || lines.dropped()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.flush(FLUSH_BOUND);
    }
}

/// Sets up the log of this process: events of `tracing`, records of the `log` crate, the C core's log (target
/// `grpc_core`), and panics (target `panic`).
///
/// # Errors
///
/// See [`InitError`].
pub fn init(options: Options) -> Result<Guard, InitError> {
    // A duplicate, because Rust's own handle has a lock that every `eprintln!` would wait for.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let lines = Lines::start(stderr, BUFFER_SIZE)?;
    let builder = fmt().with_max_level(options.level).with_ansi(false).with_writer(Arc::clone(&lines));
    let set = match options.format {
        Format::Text => tracing::subscriber::set_global_default(builder.finish()),
        Format::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            tracing::subscriber::set_global_default(builder.finish())
        }
    };
    set.map_err(|_| InitError::Twice)?;
    // Both crates name the levels alike.
    let level = options.level.to_string().parse().unwrap_or(log::LevelFilter::Trace);
    core::redirect(level).map_err(|_| InitError::Twice)?;
    std::panic::set_hook(Box::new(log_panic));
    if let Format::Json = options.format {
        notice::become_events(Arc::clone(&lines));
    }
    Ok(Guard { lines })
}

/// Logs a panic. Rust's own hook writes to standard error, and would block until that is read.
fn log_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload().downcast_ref::<&str>().copied();
    let text = text.or_else(|| info.payload().downcast_ref::<String>().map(String::as_str));
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    tracing::error!(
        target: "panic",
        panic = text.unwrap_or("not a string"),
        thread = thread.name().unwrap_or("unnamed"),
        location = info.location().map(|location| location.to_string()),
        // With RUST_BACKTRACE=1.
        backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        "a thread panicked"
    );
}
