//! Parsers of values on the command line. An error names the value and its range.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use grpcio_kit::{ClientAuth, Compression, MAX_LIMIT};

/// The maximum number of completion queues, and of threads.
const MAX_QUEUES: usize = 256;

/// The maximum of a time that the program keeps itself, in seconds: a year.
const MAX_SECONDS: f64 = 31_536_000.0;

/// The maximum of a time that the C core keeps, in seconds: 2^31 - 2 milliseconds.
const MAX_CORE_SECONDS: f64 = 2_147_483.646;

/// Parses a number in a range; `what` is "a number of bytes", for example.
fn number<T: FromStr + PartialOrd + Display>(text: &str, what: &str, min: T, max: T) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (&min..=&max).contains(&number));
    number.ok_or_else(|| format!("`{text}` is not {what} from {min} to {max}"))
}

fn seconds(text: &str, min: f64, max: f64) -> Result<Duration, String> {
    // Does not panic: the range is positive and finite.
    number(text, "a number of seconds", min, max).map(Duration::from_secs_f64)
}

/// Parses one of a few words.
fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    let words = || choices.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    chosen.ok_or_else(|| format!("`{text}` is not one of {}", words()))
}

/// Parses a value, or a word that stands for none.
fn unless<T>(word: &str, text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text == word { Ok(None) } else { parse(text).map(Some).map_err(|reason| format!("{reason}, or `{word}`")) }
}

/// Parses an operand.
pub fn operand(text: &str) -> Result<i32, String> {
    number(text, "an int32, a whole number", i32::MIN, i32::MAX)
}

/// Parses a time over 0 s.
pub fn timeout(text: &str) -> Result<Duration, String> {
    seconds(text, 0.001, MAX_SECONDS)
}

/// Parses a time of 0 s or more.
pub fn grace(text: &str) -> Result<Duration, String> {
    seconds(text, 0.0, MAX_SECONDS)
}

/// Parses a time that the C core keeps.
pub fn time(text: &str) -> Result<Duration, String> {
    seconds(text, 0.001, MAX_CORE_SECONDS)
}

/// A time, or none. (structopt would take an `Option` for a flag that may be missing.)
pub struct Time(pub Option<Duration>);

/// Parses a time that the C core keeps, or `none`.
pub fn time_or_none(text: &str) -> Result<Time, String> {
    unless("none", text, time).map(Time)
}

/// Parses a number of completion queues.
pub fn queues(text: &str) -> Result<NonZeroUsize, String> {
    number(text, "a number of queues", NonZeroUsize::MIN, max_queues())
}

/// Parses a number of threads, each of which serves a completion queue.
pub fn threads(text: &str) -> Result<NonZeroUsize, String> {
    number(text, "a number of threads", NonZeroUsize::MIN, max_queues())
}

fn max_queues() -> NonZeroUsize {
    NonZeroUsize::new(MAX_QUEUES).unwrap_or(NonZeroUsize::MIN)
}

/// Parses a number of bytes.
pub fn bytes(text: &str) -> Result<u32, String> {
    number(text, "a number of bytes", 1, MAX_LIMIT)
}

/// Parses a number of bytes of memory. Less than a MiB does not hold a connection and its requests.
pub fn memory(text: &str) -> Result<usize, String> {
    number(text, "a number of bytes", 1024 * 1024, isize::MAX as usize)
}

/// Parses a count.
pub fn count(text: &str) -> Result<u32, String> {
    number(text, "a number", 1, MAX_LIMIT)
}

/// Parses a number of connections of a client.
pub fn connections(text: &str) -> Result<u32, String> {
    number(text, "a number of connections", 1, 1000)
}

/// Parses a number of RPCs in flight on a connection.
pub fn concurrency(text: &str) -> Result<u32, String> {
    number(text, "a number of calls in flight", 1, 10_000)
}

/// Parses a number of calculations per message.
pub fn elements(text: &str) -> Result<u32, String> {
    #[expect(clippy::cast_possible_truncation, reason = "it is 65,536")]
    const MAX: u32 = calc::batch::MAX_ELEMENTS as u32;
    number(text, "a number of elements", 1, MAX)
}

/// Parses a number of RPCs per second.
pub fn calls_per_second(text: &str) -> Result<f64, String> {
    number(text, "a number of calls per second", 0.001, 1_000_000.0)
}

/// A sampling rate, or none.
pub struct Rate(pub Option<f64>);

/// Parses a sampling rate, or `off`.
pub fn rate(text: &str) -> Result<Rate, String> {
    unless("off", text, |text| number(text, "a sampling rate", 0.0, 1.0)).map(Rate)
}

/// Parses a compression algorithm.
pub fn compression(text: &str) -> Result<Compression, String> {
    choice(text, &[("off", Compression::Off), ("gzip", Compression::Gzip), ("deflate", Compression::Deflate)])
}

/// Parses a switch.
pub fn on_off(text: &str) -> Result<bool, String> {
    choice(text, &[("on", true), ("off", false)])
}

/// Parses whether clients must have a certificate.
pub fn client_auth(text: &str) -> Result<ClientAuth, String> {
    choice(text, &[("optional", ClientAuth::Optional), ("required", ClientAuth::Required)])
}
