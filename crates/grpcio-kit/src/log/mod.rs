//! The log of a server: structured events on standard error, one line each.
//!
//! Nothing that logs ever waits. Lines go through a buffer of a mebibyte; what does not fit is
//! dropped and counted, and the log says how many lines are missing as soon as it can. Panics and the C core's
//! log take the same way, which would block the thread of a queue otherwise.

pub(crate) mod core;
mod lines;
mod notice;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

pub use core::silence as silence_core;
use lines::Lines;
pub use notice::{error_notice, notice};

/// The most that waits for standard error: 1 MiB, some thousand lines.
const MAX_WAITING: usize = 1024 * 1024;

/// How long the end of the log waits for standard error.
const FLUSH_BOUND: Duration = Duration::from_secs(1);

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: `2026-01-31T12:00:00.000000Z  INFO target: message field=value`.
    #[default]
    Text,
    /// For programs: an object with `timestamp` (RFC 3339, UTC, microseconds), `level`,
    /// `target`, `message`, and the fields of the event beside them.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The least level; `INFO` by default.
    pub level: LevelFilter,
    /// The format of a line; [`Format::Text`] by default.
    pub format: Format,
}

impl Default for Options {
    fn default() -> Options {
        Options { level: LevelFilter::INFO, format: Format::default() }
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The process has a log already.
    #[error("the log of this process is set up already; set it up once, at the start of the program")]
    Twice,
    /// Standard error cannot be had, or no thread for it.
    #[error("cannot set up the log on standard error: {0}")]
    System(#[from] io::Error),
}

/// Keeps the log. Dropping it waits up to a second for the lines that are still to be written.
#[must_use = "dropping it flushes the log, which belongs at the end"]
pub struct Guard {
    lines: Lines,
}

impl Guard {
    /// How many lines have been dropped so far, because nobody read standard error in time or
    /// it could not be written. For [`Metrics::counter`](crate::Metrics::counter).
    pub fn dropped_lines(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let lines = self.lines.clone();
        move || lines.dropped()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.flush(FLUSH_BOUND);
    }
}

/// Sets up the log of this process: the events of `tracing`, the records of the `log` crate, the C core's
/// log (target `grpc_core`), and panics (target `panic`).
///
/// # Errors
///
/// See [`InitError`].
pub fn init(options: Options) -> Result<Guard, InitError> {
    // Not Rust's own handle: that has a lock, which everybody would wait for who prints there.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let lines = Lines::start(stderr, MAX_WAITING)?;
    let builder = fmt().with_max_level(options.level).with_ansi(false).with_writer(lines.clone());
    let set = match options.format {
        Format::Text => tracing::subscriber::set_global_default(builder.finish()),
        Format::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            tracing::subscriber::set_global_default(builder.finish())
        }
    };
    set.map_err(|_| InitError::Twice)?;
    core::redirect(as_log(options.level)).map_err(|_| InitError::Twice)?;
    std::panic::set_hook(Box::new(log_panic));
    if let Format::Json = options.format {
        notice::become_events(lines.clone());
    }
    Ok(Guard { lines })
}

fn as_log(level: LevelFilter) -> log::LevelFilter {
    match level {
        LevelFilter::OFF => log::LevelFilter::Off,
        LevelFilter::ERROR => log::LevelFilter::Error,
        LevelFilter::WARN => log::LevelFilter::Warn,
        LevelFilter::INFO => log::LevelFilter::Info,
        LevelFilter::DEBUG => log::LevelFilter::Debug,
        LevelFilter::TRACE => log::LevelFilter::Trace,
    }
}

/// Rust's own hook writes to standard error, and waits for whoever reads that.
fn log_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload().downcast_ref::<&str>().copied();
    let text = text.or_else(|| info.payload().downcast_ref::<String>().map(String::as_str));
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    tracing::error!(
        target: "panic",
        panic = text.unwrap_or("a value that is no string"),
        thread = thread.name().unwrap_or("without a name"),
        location = info.location().map(|location| location.to_string()),
        // With RUST_BACKTRACE=1.
        backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        "a thread panicked"
    );
}
