//! The progress of `calc batch`, on standard error if that is a terminal.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The formats with and without a known length of the input.
const BAR: &str = "{wide_bar} {bytes}/{total_bytes}, {msg} calculations, {eta} left";
const COUNT: &str = "{spinner} {bytes}, {msg} calculations in {elapsed}";

/// A progress bar, perhaps hidden.
pub struct Progress {
    bar: ProgressBar,
    calculations: u64,
}

impl Progress {
    pub fn none() -> Progress {
        Progress { bar: ProgressBar::hidden(), calculations: 0 }
    }

    /// Shows progress if standard error is a terminal and standard output is not.
    pub fn on_terminal() -> Progress {
        if !io::stderr().is_terminal() || io::stdout().is_terminal() {
            return Progress::none();
        }
        let length = input_length();
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(if length.is_some() { BAR } else { COUNT });
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        Progress { bar: bar.with_style(style).with_message("0"), calculations: 0 }
    }

    /// Advances to `read` bytes of input, and by `count` calculations.
    pub fn advance(&mut self, read: u64, count: usize) {
        self.calculations += count as u64;
        self.bar.set_message(self.calculations.to_string());
        self.bar.set_position(read);
    }
}

impl Drop for Progress {
    /// Clears the line.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Returns the length of standard input in bytes, if it is a file.
fn input_length() -> Option<u64> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok().filter(|metadata| metadata.is_file())?;
    Some(metadata.len())
}
