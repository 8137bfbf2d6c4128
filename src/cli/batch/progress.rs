//! The progress of `calc batch`, on standard error if that is a terminal.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The formats with and without a known length of the input.
const BAR: &str = "{wide_bar} {bytes}/{total_bytes}, {msg} calculations, {eta} left";
const COUNT: &str = "{spinner} {bytes}, {msg} calculations in {elapsed}";

/// Creates a bar for the bytes of standard input, which clears its line when it is dropped. It is hidden unless standard
/// error is a terminal and standard output is not.
pub fn bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() || io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = input_length();
    let style = ProgressStyle::with_template(if length.is_some() { BAR } else { COUNT });
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style).with_message("0")
}

/// Returns the length of standard input in bytes, if it is a file.
fn input_length() -> Option<u64> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok().filter(|metadata| metadata.is_file())?;
    Some(metadata.len())
}
