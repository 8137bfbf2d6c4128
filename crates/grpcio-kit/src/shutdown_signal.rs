//! The signals that shut a server down.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::{io, ptr, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, signal_name};

/// Catches SIGTERM, SIGINT, and SIGHUP, which a closed terminal sends; files are reloaded without it.
///
/// A signal that the process was started with ignored stays ignored: SIGHUP under `nohup`, SIGINT of a shell's
/// background job. The first other one asks for a graceful shutdown. A second one, after [`ShutdownSignal::wait`]
/// has returned, ends the process at once, as if it had never been caught.
pub struct ShutdownSignal {
    signals: Signals,
}

impl ShutdownSignal {
    /// Installs the handlers: from now on these signals do not end the process by themselves.
    ///
    /// # Errors
    ///
    /// The system's, if a handler cannot be installed.
    pub fn listen() -> io::Result<ShutdownSignal> {
        let caught = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
        Ok(ShutdownSignal { signals: Signals::new(caught)? })
    }

    /// Waits for the first signal and returns its name, such as `SIGTERM`.
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

/// Returns whether the process ignores a signal.
#[allow(unsafe_code)]
fn is_ignored(signal: c_int) -> bool {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action, sigaction(2) changes nothing. It initializes `current` when it returns 0, and only
    // then is that read.
    unsafe {
        libc::sigaction(signal, ptr::null(), current.as_mut_ptr()) == 0
            && current.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
