//! What a server tells the service manager that started it, such as systemd: sd_notify(3).
//!
//! Nothing, unless the service manager asks for it with `NOTIFY_SOCKET` (in systemd, `Type=notify`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// Whether the service manager knows that the server is ready, and not that it is stopping.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The server accepts RPCs; `status` is shown to the operator.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    IS_READY.store(true, Ordering::Relaxed);
}

/// Files were reloaded.
pub(crate) fn reloaded() {
    if !IS_READY.load(Ordering::Relaxed) {
        return;
    }
    // Without the clock's value systemd ignores the message.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
        tell(&[NotifyState::Ready]);
    }
}

/// The server is about to shut down.
pub(crate) fn stopping() {
    if IS_READY.swap(false, Ordering::Relaxed) {
        tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
    }
}

/// Returns the time within which the service manager wants to hear that the server answers: `WATCHDOG_USEC`, if that is for
/// this process.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|time| !time.is_zero())
}

/// The server answers.
pub(crate) fn answers() {
    tell(&[NotifyState::Watchdog]);
}

/// Asks for at least this much time until the process has exited, if that is more than it would have: for a shutdown that
/// may take longer than the service manager's own limit (in systemd, `TimeoutStopSec=`).
pub fn extend_timeout(time: Duration) {
    tell(&[NotifyState::Custom(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()))]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told the state of the server");
    }
}
