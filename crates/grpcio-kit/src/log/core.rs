//! Turns records of the `log` crate, and with them the C core's log, into `tracing` events.
//!
//! The C core has three levels. Its `ERROR` stays an error; `INFO`, which it uses for internal details and for
//! `GRPC_TRACE`, becomes `debug`, and `DEBUG` becomes `trace`: at `info`, a healthy server logs nothing of it.
//!
//! Errors that anyone who can connect can cause become `info`, each of them at most once a second: an attacker cannot
//! hide other lines, nor raise an alarm. Those about requests, handshakes and whole connections name the peer (patch 0032).

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use log::{Level, LevelFilter, Log, Record};

use super::rate_limit::RateLimit;

/// The module of grpcio that forwards the C core's log.
const REDIRECTED: &str = "grpcio::log_util";

/// The errors that a peer can cause: the beginning of the C core's source, and of the message.
const PEERS: [(&str, &str); 8] = [
    // TLS handshakes, and records after the handshake.
    ("src/core/tsi/", ""),
    ("src/core/lib/security/transport/", ""),
    // What is not HTTP/2.
    ("src/core/ext/transport/chttp2/transport/chttp2_transport.cc", "Connection error of"),
    // Metadata that cannot be parsed, such as a `content-type` or a `grpc-timeout`.
    ("src/core/ext/transport/chttp2/transport/hpack_parser.cc", ""),
    ("src/core/ext/transport/chttp2/transport/bin_decoder.cc", ""),
    // Trailers after trailers.
    ("src/core/ext/transport/chttp2/transport/parsing.cc", ""),
    // Connections that are closed before they are accepted.
    ("src/core/lib/iomgr/tcp_server_posix.cc", "Failed getpeername"),
    // Connections over the limit.
    ("src/core/ext/transport/chttp2/server/chttp2_server.cc", "Closed a new connection"),
];

/// The limit of each line of the C core's sources in [`PEERS`].
static LIMITS: LazyLock<Mutex<HashMap<(&str, u32), RateLimit>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// Whether errors that the C core logs on this thread are expected.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, during which errors of the C core are expected and logged at `trace` only.
pub(crate) fn expecting_errors<T>(work: impl FnOnce() -> T) -> T {
    let before = IS_EXPECTED.replace(true);
    let done = work();
    IS_EXPECTED.set(before);
    done
}

struct Bridge;

/// Keeps the C core's log off standard error, in a program without a log. Errors of an RPC are in its status too.
pub fn silence() {
    // There is no logger: errors are passed on, and dropped.
    log::set_max_level(LevelFilter::Error);
    grpcio::redirect_log();
}

/// Sends the records of the `log` crate, and the C core's log, to `tracing`.
pub(crate) fn redirect(level: LevelFilter) -> Result<(), log::SetLoggerError> {
    log::set_logger(&Bridge)?;
    // grpcio takes the C core's level from here; below it, the C core formats no message.
    log::set_max_level(match level {
        LevelFilter::Trace => LevelFilter::Debug,
        LevelFilter::Debug => LevelFilter::Info,
        // `Off` would let the C core write to standard error by itself.
        _ => LevelFilter::Error,
    });
    grpcio::redirect_log();
    log::set_max_level(level);
    Ok(())
}

/// An event whose level is known only at run time; `tracing` needs it at compile time.
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
        let message = one_line(&record.args().to_string());
        if record.module_path() == Some(REDIRECTED) {
            let (file, line) = (source(record.file_static().unwrap_or_default()), record.line().unwrap_or(0));
            let (level, suppressed) = match record.level() {
                _ if IS_EXPECTED.get() => (Level::Trace, None),
                Level::Error if is_of_a_peer(file, &message) => match due(file, line) {
                    None => (Level::Debug, None),
                    suppressed => (Level::Info, suppressed),
                },
                Level::Info => (Level::Debug, None),
                Level::Debug => (Level::Trace, None),
                level => (level, None),
            };
            event!("grpc_core", level, file, line, suppressed, "{message}");
        } else {
            event!("log", record.level(), module = record.target(), "{message}");
        }
    }

    fn flush(&self) {}
}

/// Whether anyone who can connect can cause this error.
fn is_of_a_peer(file: &str, message: &str) -> bool {
    PEERS.iter().any(|(source, start)| file.starts_with(source) && message.starts_with(start))
}

/// Returns the number of these lines that were left out since the last one, if one more is due.
fn due(file: &'static str, line: u32) -> Option<u64> {
    let mut limits = LIMITS.lock().unwrap_or_else(PoisonError::into_inner);
    limits.entry((file, line)).or_default().due(Instant::now())
}

/// Returns the path of a C-core file within its sources, without the directory where it was compiled.
fn source(file: &str) -> &str {
    file.rfind("/src/core/").map_or(file, |start| &file[start + 1..])
}

/// Escapes control characters: messages of the C core can contain text from the network.
fn one_line(message: &str) -> String {
    message.chars().fold(String::new(), |mut line, char| {
        match char.is_control() {
            true => line.extend(char.escape_default()),
            false => line.push(char),
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(one_line("a\nb\x1b[31m \"é\""), r#"a\nb\u{1b}[31m "é""#);
    }

    #[test]
    fn a_file_is_named_within_the_c_core() {
        assert_eq!(source("/home/a/src/core/x/grpc/src/core/lib/a.cc"), "src/core/lib/a.cc");
        assert_eq!(source("a.cc"), "a.cc");
    }
}
