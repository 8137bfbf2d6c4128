//! Messages for the person who started the program: plain lines on standard error, or events if the log is JSON.

use std::io::Write;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use super::lines::Lines;

/// How long a message waits for standard error to be read.
const BOUND: Duration = Duration::from_secs(1);

/// The log's buffer, if notices are events.
static EVENTS: OnceLock<Arc<Lines>> = OnceLock::new();

/// Makes notices events from now on; `lines` is the log's buffer.
pub(super) fn become_events(lines: Arc<Lines>) {
    let _ = EVENTS.set(lines);
}

/// Prints a status message on standard error, and waits up to a second until it is written.
///
/// If the [log](super::init) is JSON, it is an event at INFO with the target `notice`.
pub fn notice(line: &str) {
    match EVENTS.get() {
        Some(events) => {
            tracing::info!(target: "notice", "{line}");
            events.flush(BOUND);
        }
        None => print(format!("{line}\n")),
    }
}

/// Prints why the program failed, prefixed with `error: `; if the log is JSON, it is an event at ERROR.
pub fn error_notice(message: &str) {
    match EVENTS.get() {
        Some(events) if tracing::enabled!(target: "notice", tracing::Level::ERROR) => {
            tracing::error!(target: "notice", "{message}");
            events.flush(BOUND);
        }
        _ => print(format!("error: {message}\n")),
    }
}

fn print(line: String) {
    let (done, wait) = mpsc::channel();
    let write = move || {
        // A closed standard error does not stop the program.
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = done.send(());
    };
    // Without a thread the line is dropped.
    if thread::Builder::new().name("notice".to_owned()).spawn(write).is_ok() {
        let _ = wait.recv_timeout(BOUND);
    }
}
