//! The report as JSON. `docs/operations.md` of the Calculator lists the fields; names and units are stable.

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::histogram::{PERCENTILES, bars};
use crate::report::Report;
use crate::settings::{Amount, Settings};
use crate::tally::Errors;

impl Report {
    /// Returns the report as a JSON object. Times are in seconds (`_s`) or microseconds (`_us`); latencies are exact to
    /// three digits.
    pub fn to_json(&self) -> Value {
        let Settings { connections, concurrency, threads, amount, warm_up, rate, timeout, .. } = &self.settings;
        let (duration, count) = match amount {
            Amount::Duration(duration) => (Some(duration.as_secs_f64()), None),
            Amount::Count(count) => (None, Some(count)),
        };
        let tally = &self.tally;
        let named: Map<_, _> = tally.errors.iter().map(|(name, some)| ((*name).to_owned(), errors(some))).collect();
        json!({
            "plan": {
                "connections": connections,
                "concurrency": concurrency,
                "threads": threads,
                "duration_s": duration,
                "calls": count,
                "warm_up_s": warm_up.as_secs_f64(),
                "rate_per_s": rate,
                "timeout_s": timeout.as_secs_f64(),
            },
            "interrupted": self.is_interrupted,
            "duration_s": self.duration.as_secs_f64(),
            "calls": tally.ended(),
            "succeeded": tally.succeeded(),
            "succeeded_per_s": self.succeeded_per_second(),
            "failed": tally.failed(),
            "errors": named,
            "wrong_answers": errors(&tally.wrong),
            "not_sent": self.not_sent,
            "unfinished": self.unfinished,
            "warm_up": { "calls": tally.warm_up.ended, "failed": tally.warm_up.failed },
            "latency_us": percentiles(&tally.latency),
            "start_delay_us": rate.and_then(|_| percentiles(&tally.delay)),
            "histogram_us": histogram(&tally.latency),
        })
    }
}

fn errors(errors: &Errors) -> Value {
    json!({ "count": errors.count, "example": errors.example })
}

/// Returns `None` if there are no latencies.
fn percentiles(latency: &Histogram<u64>) -> Option<Value> {
    if latency.is_empty() {
        return None;
    }
    let mut figures = json!({
        "min": microseconds(latency.min()), "mean": latency.mean() / 1e3, "max": microseconds(latency.max()),
    });
    for (_, name, percentile) in PERCENTILES {
        figures[name] = microseconds(latency.value_at_percentile(percentile)).into();
    }
    Some(figures)
}

fn histogram(latency: &Histogram<u64>) -> Value {
    let bars = bars(latency).into_iter();
    bars.map(|bar| json!({ "from": microseconds(bar.from), "to": microseconds(bar.to), "count": bar.count })).collect()
}

fn microseconds(nanoseconds: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a latency has three exact digits")]
    let nanoseconds = nanoseconds as f64;
    nanoseconds / 1e3
}
