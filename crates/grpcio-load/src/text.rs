//! The report as text.

use std::fmt::{self, Display, Formatter, Write};

use indicatif::HumanCount;

use crate::histogram::{PERCENTILES, bars};
use crate::report::Report;
use crate::settings::{Amount, Settings};
use crate::tally::Errors;

/// The length of the longest bar.
const WIDTH: u64 = 40;

/// In place of bars without a call.
const GAP: &str = "  ...\n";

/// The maximum number of characters shown of an error's message.
const MAX_EXAMPLE: usize = 120;

impl Display for Report {
    /// Writes a report for people: the plan, counts, percentiles and a histogram.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}\n\n", plan(&self.settings));
        counts(&mut text, self);
        latencies(&mut text, self);
        f.write_str(&text)
    }
}

fn plan(settings: &Settings) -> String {
    let pace = match settings.rate {
        Some(rate) => format!("{rate} calls per second"),
        None => "closed loop".to_owned(),
    };
    let amount = match settings.amount {
        Amount::Duration(duration) => format!("for {} s", duration.as_secs_f64()),
        Amount::Count(calls) => plural(calls, "call"),
    };
    let warm_up = match settings.warm_up.as_secs_f64() {
        0.0 => String::new(),
        seconds => format!(" after a warm-up of {seconds} s"),
    };
    format!(
        "{} with {} in flight each, {}\n{pace}, {amount}{warm_up}",
        plural(settings.connections.into(), "connection"),
        plural(settings.concurrency.into(), "call"),
        plural(settings.threads.into(), "thread"),
    )
}

fn counts(text: &mut String, report: &Report) {
    let tally = &report.tally;
    line(text, "duration", &format!("{:.3} s", report.duration.as_secs_f64()));
    line(text, "succeeded", &format!("{}, {:.1} per second", count(tally.succeeded()), report.succeeded_per_second()));
    line(text, "failed", &count(tally.failed()));
    for (name, errors) in &tally.errors {
        line(text, &format!("  {name}"), &with_example(errors));
    }
    if tally.wrong.count > 0 {
        line(text, "  wrong answer", &with_example(&tally.wrong));
    }
    for (name, calls) in [("not sent in time", report.not_sent), ("unfinished", report.unfinished)] {
        if calls > 0 {
            line(text, name, &count(calls));
        }
    }
    if tally.warm_up.ended > 0 {
        let warm_up = tally.warm_up;
        line(text, "in the warm-up", &format!("{}, {} failed", count(warm_up.ended), count(warm_up.failed)));
    }
    if report.is_interrupted {
        line(text, "interrupted", "before its end");
    }
}

fn latencies(text: &mut String, report: &Report) {
    let latency = &report.tally.latency;
    if latency.is_empty() {
        return;
    }
    *text += match report.settings.rate {
        Some(_) => "\nlatency, from when a call is due\n",
        None => "\nlatency\n",
    };
    line(text, "  min", &time(latency.min()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between min and max")]
    line(text, "  mean", &time(latency.mean() as u64));
    for (name, _, percentile) in PERCENTILES {
        line(text, &format!("  {name}"), &time(latency.value_at_percentile(percentile)));
    }
    line(text, "  max", &time(latency.max()));
    if report.settings.rate.is_some() {
        let delay = &report.tally.delay;
        let at = |percentile| time(delay.value_at_percentile(percentile));
        let delays = format!("50 % {}, 99 % {}, max {}", at(50.0), at(99.0), time(delay.max()));
        line(text, "  queueing delay", &delays);
    }
    *text += "\n";
    let bars = bars(latency);
    let max = bars.iter().map(|bar| bar.count).max().unwrap_or(1);
    for bar in bars {
        if bar.count == 0 {
            if !text.ends_with(GAP) {
                *text += GAP;
            }
            continue;
        }
        // Rounded up: a bar that is not empty can be seen.
        let length = (bar.count * WIDTH).div_ceil(max);
        #[expect(clippy::cast_possible_truncation, reason = "it is no more than the width")]
        let stars = "#".repeat(length as usize);
        *text += &format!("  {:>7} to {:>7} {:>11}  {stars}\n", time(bar.from), time(bar.to), count(bar.count));
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{name:<20} {value}");
}

/// Returns a count and the first message, escaped: a server could send control characters to the terminal.
fn with_example(errors: &Errors) -> String {
    let mut example: String = errors.example.chars().take(MAX_EXAMPLE).flat_map(char::escape_debug).collect();
    if errors.example.chars().nth(MAX_EXAMPLE).is_some() {
        example += " ...";
    }
    format!("{}, such as: {example}", count(errors.count))
}

fn plural(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Returns a number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Returns a time in nanoseconds with three digits and a unit.
pub(crate) fn time(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let nanoseconds = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        n if n < 999.5 => return format!("{n} ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = 2 - usize::from(value >= 9.995) - usize::from(value >= 99.95);
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_fits() {
        let times = [0, 999, 1000, 15_000, 999_400, 999_600, 123_456_789, 5_000_000_000, 3_600_000_000_000].map(time);
        assert_eq!(times, ["0 ns", "999 ns", "1.00 µs", "15.0 µs", "999 µs", "1.00 ms", "123 ms", "5.00 s", "3600 s"]);
    }

    #[test]
    fn thousands_have_commas_between_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn an_error_message_is_shortened_and_escaped_for_the_terminal() {
        let errors = Errors { count: 1, example: format!("\x1b[2J\n{}", "x".repeat(1000)) };
        let text = with_example(&errors);
        assert!(!text.contains(['\x1b', '\n']) && text.len() < 160 && text.ends_with("x ..."), "{text}");
    }
}
