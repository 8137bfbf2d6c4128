//! Values on the command line, with messages that name the value and its range.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use calc::rpc::MAX_REQUEST_BYTES;

/// More threads than any machine has use for.
const MAX_QUEUES: usize = 256;

/// A year; more is a mistake.
const MAX_SECONDS: f64 = 31_536_000.0;

/// An operand: an int32.
pub fn operand(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("`{text}` is no int32, a whole number from {} to {}", i32::MIN, i32::MAX))
}

/// The time of a call: over 0 seconds.
pub fn timeout(text: &str) -> Result<Duration, String> {
    seconds(text, 0.001).ok_or_else(|| format!("`{text}` is no number of seconds from 0.001 to {MAX_SECONDS}"))
}

/// A time to wait, which may be none.
pub fn grace(text: &str) -> Result<Duration, String> {
    seconds(text, 0.0).ok_or_else(|| format!("`{text}` is no number of seconds from 0 to {MAX_SECONDS}"))
}

fn seconds(text: &str, min: f64) -> Option<Duration> {
    let seconds = f64::from_str(text).ok().filter(|seconds| (min..=MAX_SECONDS).contains(seconds))?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A number of completion queues.
pub fn queues(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|queues: &NonZeroUsize| queues.get() <= MAX_QUEUES)
        .ok_or_else(|| format!("`{text}` is no number of queues from 1 to {MAX_QUEUES}"))
}

/// The size of a request.
pub fn request_bytes(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|bytes| *bytes <= MAX_REQUEST_BYTES)
        .ok_or_else(|| format!("`{text}` is no number of bytes from 0 to {MAX_REQUEST_BYTES}"))
}

/// A share of calls.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = f64::from_str(text).ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is no share of calls, a number from 0 to 1"))
}
