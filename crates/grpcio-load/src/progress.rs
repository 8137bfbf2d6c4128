//! The progress on standard error: one line that changes on a terminal, elsewhere a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plan::Plan;
use crate::settings::{Amount, Settings};
use crate::tally::Tally;
use crate::text::{count, time};

/// Updates per line, where lines stay.
const UPDATES_PER_LINE: u32 = 5;

pub(crate) struct Progress {
    /// On a terminal. Clears its line when it is dropped.
    bar: Option<ProgressBar>,
    settings: Settings,
    begin: Instant,
    updates: u32,
    /// The time of the last update, and the number of calls that had ended.
    last: (Instant, u64),
}

impl Progress {
    pub(crate) fn start(settings: &Settings) -> Progress {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_msg}");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        let now = Instant::now();
        Progress { bar, settings: settings.clone(), begin: now, updates: 0, last: (now, 0) }
    }

    /// Shows how far the run is.
    pub(crate) fn show(&mut self, plan: &Plan, tally: &Tally) {
        self.updates += 1;
        let (now, ended) = (Instant::now(), tally.ended() + tally.warm_up.ended);
        let (last_time, last_ended) = std::mem::replace(&mut self.last, (now, ended));
        let seconds = now.saturating_duration_since(last_time).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
        let per_second = (ended - last_ended) as f64 / seconds;
        let line = self.line(now, per_second, plan, tally);
        if let Some(bar) = &self.bar {
            bar.set_message(line);
            bar.tick();
        } else if self.updates % UPDATES_PER_LINE == 0 {
            // Nobody may be reading.
            let _ = writeln!(stderr(), "{line}");
        }
    }

    fn line(&self, now: Instant, per_second: f64, plan: &Plan, tally: &Tally) -> String {
        let elapsed = now.saturating_duration_since(self.begin);
        let Settings { amount, warm_up, .. } = self.settings;
        let mut line = match amount {
            _ if elapsed < warm_up => format!("warm-up {} of {} s", elapsed.as_secs(), warm_up.as_secs_f64()),
            Amount::Duration(duration) => {
                format!("{} of {} s", (elapsed - warm_up).as_secs(), duration.as_secs_f64())
            }
            Amount::Count(calls) => {
                format!("{} s, {} of {} calls", elapsed.as_secs(), count(tally.ended()), count(calls))
            }
        };
        line += &format!(": {per_second:.0} calls/s, {} failed", count(tally.failed() + tally.warm_up.failed));
        if tally.succeeded() > 0 {
            let at = |percentile| time(tally.latency.value_at_percentile(percentile));
            line += &format!(", 50 % {}, 99 % {}", at(50.0), at(99.0));
        }
        match plan.backlog().waiting {
            0 => line,
            waiting => format!("{line}, {} waiting", count(waiting)),
        }
    }
}
