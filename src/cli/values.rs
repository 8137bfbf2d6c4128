//! Parsers of values on the command line. An error names the value and its range.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use grpcio_kit::{ClientAuth, Compression, MAX_LIMIT};

/// The maximum number of completion queues, and of threads. Unwrapped by the compiler.
const MAX_QUEUES: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// The maximum of `--batch`.
#[expect(clippy::cast_possible_truncation, reason = "it is 65,536")]
const MAX_ELEMENTS: u32 = calc::batch::MAX_ELEMENTS as u32;

/// The maximum of a time that the program keeps itself, in seconds: a year.
const MAX_SECONDS: f64 = 31_536_000.0;

/// The maximum of a time that the C core keeps, in seconds: 2^31 - 2 milliseconds.
const MAX_CORE_SECONDS: f64 = 2_147_483.646;

/// Parses a number in a range; `what` is "a number of bytes", for example.
fn number<T: FromStr + PartialOrd + Display>(text: &str, what: &str, min: T, max: T) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (&min..=&max).contains(&number));
    number.ok_or_else(|| format!("`{text}` is not {what} from {min} to {max}"))
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

/// Defines parsers: a name and a type, what the number is, and its range.
macro_rules! numbers {
    ($($name:ident: $number:ty = $what:literal, $min:expr, $max:expr;)+) => {
        $(pub fn $name(text: &str) -> Result<$number, String> {
            number(text, $what, $min, $max)
        })+
    };
}

numbers! {
    operand: i32 = "an int32, a whole number", i32::MIN, i32::MAX;
    queues: NonZeroUsize = "a number of queues", NonZeroUsize::MIN, MAX_QUEUES;
    threads: NonZeroUsize = "a number of threads", NonZeroUsize::MIN, MAX_QUEUES;
    bytes: u32 = "a number of bytes", 1, MAX_LIMIT;
    // Less than a MiB does not hold a connection and its requests.
    memory: usize = "a number of bytes", 1024 * 1024, isize::MAX as usize;
    count: u32 = "a number", 1, MAX_LIMIT;
    connections: u32 = "a number of connections", 1, 1000;
    concurrency: u32 = "a number of calls in flight", 1, 10_000;
    elements: u32 = "a number of elements", 1, MAX_ELEMENTS;
    calls_per_second: f64 = "a number of calls per second", 0.001, 1_000_000.0;
    sampling_rate: f64 = "a sampling rate", 0.0, 1.0;
}

fn seconds(text: &str, min: f64, max: f64) -> Result<Duration, String> {
    // Does not panic: the range is positive and finite.
    number(text, "a number of seconds", min, max).map(Duration::from_secs_f64)
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

/// A time, or none. An alias, because structopt takes an `Option` for a flag that may be missing.
pub type Time = Option<Duration>;

/// Parses a time that the C core keeps, or `none`.
pub fn time_or_none(text: &str) -> Result<Time, String> {
    unless("none", text, time)
}

/// A sampling rate, or none; an alias as [`Time`].
pub type Rate = Option<f64>;

/// Parses a sampling rate, or `off`.
pub fn rate(text: &str) -> Result<Rate, String> {
    unless("off", text, sampling_rate)
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
