//! A report for people.

use std::fmt::Write;

use super::latency::{PERCENTILES, bars};
use super::options::{Amount, Settings};
use super::report::Report;
use super::tally::Errors;

/// The characters of the longest bar.
const WIDTH: u64 = 40;

/// The most characters of what a server says that are shown.
const MAX_EXAMPLE: usize = 120;

pub fn write(report: &Report) -> String {
    let mut text = format!("{}\n\n", plan(&report.settings));
    calls(&mut text, report);
    latencies(&mut text, report);
    text
}

/// What was asked for.
fn plan(settings: &Settings) -> String {
    let Settings { target, operation, connections, concurrency, threads, .. } = settings;
    let connections = plural(*connections, "connection");
    let (unit, calls) = match settings.batch {
        None => ("call", format!("{} in flight", plural(*concurrency, "call"))),
        Some(elements) => {
            ("message", format!("{} with messages of {}", plural(*concurrency, "stream"), plural(elements, "element")))
        }
    };
    let pace = match settings.rate {
        Some(rate) => format!("{rate} {unit}s per second"),
        None => "as fast as they are answered".to_owned(),
    };
    let amount = match settings.amount {
        Amount::Duration(duration) => format!("for {} s", duration.as_secs_f64()),
        Amount::Count(calls) => plural_of(calls, unit),
    };
    let warm_up = match settings.warm_up.as_secs_f64() {
        0.0 => String::new(),
        seconds => format!(" after a warm-up of {seconds} s"),
    };
    format!(
        "{} at {}: {connections} with {calls} each, {}\n{pace}, {amount}{warm_up}",
        operation.name(),
        target.escape_debug(),
        plural(*threads, "thread"),
    )
}

fn calls(text: &mut String, report: &Report) {
    let tally = &report.tally;
    line(text, "duration", &format!("{:.3} s", report.duration.as_secs_f64()));
    line(text, "succeeded", &format!("{}, {:.1} per second", count(tally.succeeded()), report.succeeded_per_second()));
    if let Some(elements) = report.settings.batch {
        let calculations = tally.succeeded().saturating_mul(elements.into());
        let per_second = report.succeeded_per_second() * f64::from(elements);
        line(text, "  calculations", &format!("{}, {per_second:.0} per second", count(calculations)));
    }
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
        Some(_) => "\nlatency, from when a call was due\n",
        None => "\nlatency\n",
    };
    line(text, "  least", &time(latency.min()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between the two others")]
    line(text, "  mean", &time(latency.mean() as u64));
    for (name, _, percentile) in PERCENTILES {
        line(text, &format!("  {name}"), &time(latency.value_at_percentile(percentile)));
    }
    line(text, "  greatest", &time(latency.max()));
    if report.settings.rate.is_some() {
        let delay = &report.tally.delay;
        let at = |percentile| time(delay.value_at_percentile(percentile));
        let begun = format!("50 % {}, 99 % {}, greatest {}", at(50.0), at(99.0), time(delay.max()));
        line(text, "  of it waiting", &begun);
    }
    *text += "\n";
    let bars = bars(latency);
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let mut is_gap = false;
    for bar in &bars {
        let was_gap = std::mem::replace(&mut is_gap, bar.count == 0);
        if is_gap {
            if !was_gap {
                *text += "  ...\n";
            }
            continue;
        }
        // Whatever there is can be seen.
        let length = (bar.count * WIDTH).div_ceil(most);
        #[expect(clippy::cast_possible_truncation, reason = "it is no more than the width")]
        let stars = "#".repeat(length as usize);
        let row = format!("  {:>7} to {:>7} {:>11}  {stars}", time(bar.from), time(bar.to), count(bar.count));
        *text += row.trim_end();
        *text += "\n";
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // A string takes all that is written.
    let _ = writeln!(text, "{name:<20} {value}");
}

/// How many, and what the first of them said, which a server may have made up to upset a terminal.
fn with_example(errors: &Errors) -> String {
    let mut example: String = errors.example.chars().take(MAX_EXAMPLE).flat_map(char::escape_debug).collect();
    if errors.example.chars().nth(MAX_EXAMPLE).is_some() {
        example += " ...";
    }
    format!("{}, such as: {example}", count(errors.count))
}

fn plural(number: u32, word: &str) -> String {
    plural_of(number.into(), word)
}

fn plural_of(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in nanoseconds, with three digits and the unit that fits.
pub fn time(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let nanoseconds = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        n if n < 999.5 => return format!("{n} ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
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
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_a_server_says_is_cut_and_cannot_upset_a_terminal() {
        let errors = Errors { count: 1, example: format!("\x1b[2J\n{}", "x".repeat(1000)) };
        let text = with_example(&errors);
        assert!(!text.contains(['\x1b', '\n']) && text.len() < 160 && text.ends_with("x ..."), "{text}");
    }
}
