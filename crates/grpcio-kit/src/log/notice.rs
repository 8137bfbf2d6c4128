//! What a program says to the person who started it: plain lines beside a log of text, and events in one of JSON,
//! whose reader expects nothing else.

use std::io::Write;
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use super::lines::Lines;

/// How long a line waits for whoever reads standard error.
const BOUND: Duration = Duration::from_secs(1);

/// Where events go, if notices are to be events.
static EVENTS: OnceLock<Lines> = OnceLock::new();

/// From here on notices are events, on their way to `lines`.
pub(super) fn become_events(lines: Lines) {
    let _ = EVENTS.set(lines);
}

/// Says how the program fares. Waits until it is said, but no longer than a second: a program does not hang for want
/// of a reader.
///
/// With a [log](super::init) of JSON it is an event at INFO with the target `notice`.
pub fn notice(line: &str) {
    match EVENTS.get() {
        Some(events) => {
            tracing::info!(target: "notice", "{line}");
            events.flush(BOUND);
        }
        None => print(format!("{line}\n")),
    }
}

/// Says why the program does not go on, with `error: ` before it; or in a log of JSON as an event at ERROR.
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
        // Nobody may be reading; that is no reason to stop.
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = done.send(());
    };
    // Where the system has no thread to spare, the line is what can be done without.
    if thread::Builder::new().name("notice".to_owned()).spawn(write).is_ok() {
        let _ = wait.recv_timeout(BOUND);
    }
}
