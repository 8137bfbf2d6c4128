//! A report for programs. `docs/operations.md` lists the fields, which keep their names; new ones may come.

use std::fmt::Write;

use hdrhistogram::Histogram;

use super::latency::{PERCENTILES, bars};
use super::options::{Amount, Settings};
use super::report::Report;
use super::tally::Errors;

pub fn write(report: &Report) -> String {
    let tally = &report.tally;
    let Settings { target, operation, batch, connections, concurrency, threads, amount, warm_up, rate, timeout } =
        &report.settings;
    let (duration, calls) = match amount {
        Amount::Duration(duration) => (Some(duration.as_secs_f64()), None),
        Amount::Count(calls) => (None, Some(*calls)),
    };
    let asked = object(&[
        ("target", string(target)),
        ("operation", string(operation.name())),
        ("batch_elements", or_null(*batch)),
        ("connections", connections.to_string()),
        ("concurrency", concurrency.to_string()),
        ("threads", threads.to_string()),
        ("duration_s", or_null(duration)),
        ("calls", or_null(calls)),
        ("warm_up_s", warm_up.as_secs_f64().to_string()),
        ("rate_per_s", or_null(*rate)),
        ("timeout_s", timeout.as_secs_f64().to_string()),
    ]);
    let errors: Vec<_> = tally.errors.iter().map(|(name, errors)| (*name, self::errors(errors))).collect();
    let warm_up = object(&[("calls", tally.warm_up.ended.to_string()), ("failed", tally.warm_up.failed.to_string())]);
    let elements = report.calculations_per_call();
    let text = object(&[
        ("plan", asked),
        ("interrupted", report.is_interrupted.to_string()),
        ("duration_s", report.duration.as_secs_f64().to_string()),
        ("calls", tally.ended().to_string()),
        ("succeeded", tally.succeeded().to_string()),
        ("succeeded_per_s", report.succeeded_per_second().to_string()),
        ("calculations", tally.succeeded().saturating_mul(elements.into()).to_string()),
        ("calculations_per_s", (report.succeeded_per_second() * f64::from(elements)).to_string()),
        ("failed", tally.failed().to_string()),
        ("errors", object(&errors)),
        ("wrong_answers", self::errors(&tally.wrong)),
        ("not_sent", report.not_sent.to_string()),
        ("unfinished", report.unfinished.to_string()),
        ("warm_up", warm_up),
        ("latency_us", figures(&tally.latency)),
        ("start_delay_us", if rate.is_some() { figures(&tally.delay) } else { "null".to_owned() }),
        ("histogram_us", histogram(&tally.latency)),
    ]);
    format!("{text}\n")
}

fn errors(errors: &Errors) -> String {
    object(&[("count", errors.count.to_string()), ("example", string(&errors.example))])
}

/// `null` if there is nothing to be told.
fn figures(latency: &Histogram<u64>) -> String {
    if latency.is_empty() {
        return "null".to_owned();
    }
    let mut figures = vec![("min", microseconds(latency.min())), ("mean", (latency.mean() / 1e3).to_string())];
    figures.extend(PERCENTILES.map(|(_, name, at)| (name, microseconds(latency.value_at_percentile(at)))));
    figures.push(("max", microseconds(latency.max())));
    object(&figures)
}

fn histogram(latency: &Histogram<u64>) -> String {
    let bars: Vec<_> = bars(latency)
        .iter()
        .map(|bar| {
            object(&[("from", microseconds(bar.from)), ("to", microseconds(bar.to)), ("count", bar.count.to_string())])
        })
        .collect();
    format!("[{}]", bars.join(","))
}

fn microseconds(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a latency has three exact digits")]
    let nanoseconds = nanoseconds as f64;
    (nanoseconds / 1e3).to_string()
}

/// The values are JSON already.
fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{value}", string(name))).collect();
    format!("{{{}}}", fields.join(","))
}

fn or_null<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

fn string(text: &str) -> String {
    let mut json = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            // A string takes all that is written.
            c if c.is_control() => drop(write!(json, "\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a \"b\"\\\n\u{7f}é"), r#""a \"b\"\\\u000a\u007fé""#);
    }
}
