//! The signals that ask a server to end.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, signal_name};

/// Listens for SIGINT and SIGTERM, and for SIGHUP, which comes when a terminal is closed: there is nothing to read
/// again that is not read by itself.
///
/// The first asks the server to end in order. A second one, after [`Termination::wait`] has
/// returned, ends the process at once, as if it had never been caught.
pub struct Termination {
    signals: Signals,
}

impl Termination {
    /// From here on these signals no longer end the process by themselves.
    ///
    /// # Errors
    ///
    /// The system's, if the handlers cannot be installed.
    pub fn listen() -> io::Result<Termination> {
        Ok(Termination { signals: Signals::new([SIGHUP, SIGINT, SIGTERM])? })
    }

    /// Waits for the first signal and returns its name: `SIGTERM`, say.
    pub fn wait(mut self) -> &'static str {
        let first = self.signals.forever().next().and_then(signal_name).unwrap_or("a signal");
        thread::spawn(move || {
            for signal in self.signals.forever() {
                // Does not return for these signals.
                let _ = emulate_default_handler(signal);
            }
        });
        first
    }
}
