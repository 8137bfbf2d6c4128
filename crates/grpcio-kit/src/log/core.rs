//! Records of the `log` crate as events: those of the C core above all.
//!
//! The C core has three levels, of which it uses `INFO` for what `GRPC_TRACE` asks for and for
//! details of its inside. So its `ERROR` stays an error, `INFO` is `debug` here, and `DEBUG`
//! is `trace`: whoever runs a healthy server at `info` hears nothing of it. Its errors in the handshakes of
//! peers are `info`: anybody who can connect can make them.

use std::cell::Cell;
use std::fmt::{self, Write};

use log::{Level, LevelFilter, Log, Record};

/// Where grpcio's records come from that are the C core's.
const REDIRECTED: &str = "grpcio::log_util";

/// Where the C core logs that the TLS handshake of a peer failed.
const HANDSHAKES: &str = "src/core/tsi/";

thread_local! {
    /// Whether what the C core says on this thread is expected.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Does what may well make the C core log errors, of which nobody needs to hear.
pub(crate) fn expecting_errors<T>(work: impl FnOnce() -> T) -> T {
    let before = IS_EXPECTED.replace(true);
    let done = work();
    IS_EXPECTED.set(before);
    done
}

struct Bridge;

/// Keeps what the C core has to say from standard error, in a program that has no log: what it
/// says of a call is in the status too.
pub fn silence() {
    // Without a logger, this wants errors and writes none.
    log::set_max_level(LevelFilter::Error);
    grpcio::redirect_log();
}

/// Sends records of the `log` crate, and the C core's log, to `tracing`.
pub(crate) fn redirect(level: LevelFilter) -> Result<(), log::SetLoggerError> {
    log::set_logger(&Bridge)?;
    // grpcio takes the C core's level from here. Of what is not wanted the C core makes no text.
    log::set_max_level(match level {
        LevelFilter::Trace => LevelFilter::Debug,
        LevelFilter::Debug => LevelFilter::Info,
        // `Off` would give the C core back its own way to standard error.
        _ => LevelFilter::Error,
    });
    grpcio::redirect_log();
    log::set_max_level(level);
    Ok(())
}

/// An event whose level is known only when it happens.
macro_rules! event {
    ($target:literal, $level:expr, $($fields:tt)+) => {
        match $level {
            Level::Error => tracing::error!(target: $target, $($fields)+),
            Level::Warn => tracing::warn!(target: $target, $($fields)+),
            Level::Info => tracing::info!(target: $target, $($fields)+),
            Level::Debug => tracing::debug!(target: $target, $($fields)+),
            Level::Trace => tracing::trace!(target: $target, $($fields)+),
        }
    };
}

impl Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let message = OneLine(record.args());
        if record.module_path() == Some(REDIRECTED) {
            let file = source(record.file().unwrap_or_default());
            let level = match record.level() {
                _ if IS_EXPECTED.get() => Level::Trace,
                Level::Error if file.starts_with(HANDSHAKES) => Level::Info,
                Level::Info => Level::Debug,
                Level::Debug => Level::Trace,
                level => level,
            };
            event!("grpc_core", level, file, line = record.line().unwrap_or(0), "{message}");
        } else {
            event!("log", record.level(), module = record.target(), "{message}");
        }
    }

    fn flush(&self) {}
}

/// The path of a file of the C core within its sources, not within the machine that compiled it.
fn source(file: &str) -> &str {
    file.rfind("/src/core/").map_or(file, |start| &file[start + 1..])
}

/// A text without what would end or hide its line: the C core logs what peers and systems say.
struct OneLine<'a>(&'a fmt::Arguments<'a>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl Write for Escape<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.chars().try_for_each(|char| match char {
                    char if char.is_control() => write!(self.0, "{}", char.escape_default()),
                    char => self.0.write_char(char),
                })
            }
        }
        write!(Escape(f), "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(OneLine(&format_args!("a\nb\x1b[31m \"é\"")).to_string(), r#"a\nb\u{1b}[31m "é""#);
    }

    #[test]
    fn a_file_is_named_within_the_c_core() {
        assert_eq!(source("/home/a/src/core/x/grpc/src/core/lib/a.cc"), "src/core/lib/a.cc");
        assert_eq!(source("a.cc"), "a.cc");
    }
}
