//! What a program says to the person who started it: plain lines, beside the log.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a line waits for whoever reads standard error.
const BOUND: Duration = Duration::from_secs(1);

/// Writes a line on standard error and waits until it is there, but no longer than a second:
/// a program does not hang for want of a reader.
pub fn notice(line: &str) {
    let (done, wait) = mpsc::channel();
    let line = format!("{line}\n");
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
