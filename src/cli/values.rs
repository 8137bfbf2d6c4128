//! Values on the command line, with messages that name the value and its range.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use grpcio_kit::{ClientAuth, Compression, MAX_LIMIT};

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
    up_to_max_queues(text).ok_or_else(|| format!("`{text}` is no number of queues from 1 to {MAX_QUEUES}"))
}

/// A number of threads, each of which is that of a completion queue.
pub fn threads(text: &str) -> Result<NonZeroUsize, String> {
    up_to_max_queues(text).ok_or_else(|| format!("`{text}` is no number of threads from 1 to {MAX_QUEUES}"))
}

fn up_to_max_queues(text: &str) -> Option<NonZeroUsize> {
    text.parse().ok().filter(|queues: &NonZeroUsize| queues.get() <= MAX_QUEUES)
}

/// A number of bytes.
pub fn bytes(text: &str) -> Result<u32, String> {
    number(text, MAX_LIMIT).ok_or_else(|| format!("`{text}` is no number of bytes from 1 to {MAX_LIMIT}"))
}

/// A number of things.
pub fn count(text: &str) -> Result<u32, String> {
    number(text, MAX_LIMIT).ok_or_else(|| format!("`{text}` is no number from 1 to {MAX_LIMIT}"))
}

/// A number of connections that a client makes.
pub fn connections(text: &str) -> Result<u32, String> {
    const MAX: u32 = 1000;
    number(text, MAX).ok_or_else(|| format!("`{text}` is no number of connections from 1 to {MAX}"))
}

/// A number of calls in flight on a connection.
pub fn concurrency(text: &str) -> Result<u32, String> {
    const MAX: u32 = 10_000;
    number(text, MAX).ok_or_else(|| format!("`{text}` is no number of calls in flight from 1 to {MAX}"))
}

/// A number of calculations in a message.
pub fn elements(text: &str) -> Result<u32, String> {
    let max = calc::batch::MAX_ELEMENTS;
    let elements = text.parse().ok().filter(|elements| (1..=max).contains(elements));
    let elements = elements.and_then(|elements| u32::try_from(elements).ok());
    elements.ok_or_else(|| format!("`{text}` is no number of elements from 1 to {max}"))
}

/// A number of calls in each second.
pub fn calls_per_second(text: &str) -> Result<f64, String> {
    let (min, max) = (0.001, 1_000_000.0);
    let rate = f64::from_str(text).ok().filter(|rate| (min..=max).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is no number of calls per second from {min} to {max}"))
}

fn number(text: &str, max: u32) -> Option<u32> {
    text.parse().ok().filter(|number| (1..=max).contains(number))
}

/// A quota of memory, in bytes: less than a mebibyte would not hold a single connection and what it asks for.
pub fn memory(text: &str) -> Result<usize, String> {
    const MIN: usize = 1024 * 1024;
    let max = isize::MAX as usize;
    let bytes = text.parse().ok().filter(|bytes| (MIN..=max).contains(bytes));
    bytes.ok_or_else(|| format!("`{text}` is no number of bytes from {MIN} to {max}"))
}

/// The longest time that the C core can hold, in seconds: 2^31 - 2 milliseconds.
const MAX_TIME: f64 = 2_147_483.646;

/// A time, or none.
pub struct Time(pub Option<Duration>);

/// A time that the C core keeps.
pub fn time(text: &str) -> Result<Duration, String> {
    of_the_core(text).ok_or_else(|| format!("`{text}` is no number of seconds from 0.001 to {MAX_TIME}"))
}

/// A time that the C core keeps, or `none`.
pub fn time_or_none(text: &str) -> Result<Time, String> {
    if text == "none" {
        return Ok(Time(None));
    }
    let time = of_the_core(text).map(|time| Time(Some(time)));
    time.ok_or_else(|| format!("`{text}` is neither `none` nor a number of seconds from 0.001 to {MAX_TIME}"))
}

fn of_the_core(text: &str) -> Option<Duration> {
    seconds(text, 0.001).filter(|time| time.as_secs_f64() <= MAX_TIME)
}

/// How replies are compressed.
pub fn compression(text: &str) -> Result<Compression, String> {
    match text {
        "off" => Ok(Compression::Off),
        "gzip" => Ok(Compression::Gzip),
        "deflate" => Ok(Compression::Deflate),
        _ => Err(format!("`{text}` is none of off, gzip and deflate")),
    }
}

/// A switch.
pub fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither `on` nor `off`")),
    }
}

/// Whether clients must have a certificate.
pub fn client_auth(text: &str) -> Result<ClientAuth, String> {
    match text {
        "optional" => Ok(ClientAuth::Optional),
        "required" => Ok(ClientAuth::Required),
        _ => Err(format!("`{text}` is neither `optional` nor `required`")),
    }
}

/// A share of calls, or none at all.
pub struct Rate(pub Option<f64>);

/// A share of calls, or `off`.
pub fn rate(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate(None));
    }
    let rate = f64::from_str(text).ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.map(|rate| Rate(Some(rate))).ok_or_else(|| format!("`{text}` is neither `off` nor a share of calls, 0 to 1"))
}
