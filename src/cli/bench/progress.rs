//! What a run says while it goes on: on a terminal one line that changes, elsewhere a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::options::{Amount, Settings};
use super::plan::Plan;
use super::tally::Tally;
use super::text::{count, time};

/// How many looks there are to a line where lines stay.
const LOOKS_PER_LINE: u32 = 5;

/// How long the last line waits for whoever reads standard error.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Progress {
    /// Lines on their way to standard error. One may wait; the run does not wait for it.
    lines: Option<SyncSender<String>>,
    written: Receiver<()>,
    is_terminal: bool,
    amount: Amount,
    warm_up: Duration,
    begin: Instant,
    looks: u32,
    last_look: Instant,
    ended_then: u64,
}

impl Progress {
    pub fn start(settings: &Settings) -> Progress {
        let (lines, receiver) = sync_channel(1);
        let (done, written) = sync_channel(1);
        let is_terminal = stderr().is_terminal();
        let write = move || {
            if is_terminal {
                draw(receiver)
            } else {
                write(receiver)
            }
            let _ = done.send(());
        };
        // Where the system has no thread to spare, nothing is said.
        let lines = thread::Builder::new().name("progress".to_owned()).spawn(write).ok().map(|_| lines);
        let now = Instant::now();
        let &Settings { amount, warm_up, .. } = settings;
        Progress { lines, written, is_terminal, amount, warm_up, begin: now, looks: 0, last_look: now, ended_then: 0 }
    }

    /// Says how things are.
    pub fn show(&mut self, plan: &Plan, tally: &Tally) {
        self.looks += 1;
        let (now, ended) = (Instant::now(), tally.ended() + tally.warm_up.ended);
        let seconds = now.saturating_duration_since(self.last_look).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
        let per_second = (ended - self.ended_then) as f64 / seconds;
        (self.last_look, self.ended_then) = (now, ended);
        if !self.is_terminal && self.looks % LOOKS_PER_LINE != 0 {
            return;
        }
        let line = self.line(now, per_second, plan, tally);
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }

    fn line(&self, now: Instant, per_second: f64, plan: &Plan, tally: &Tally) -> String {
        let elapsed = now.saturating_duration_since(self.begin);
        let mut line = match self.amount {
            _ if elapsed < self.warm_up => format!("warm-up {} of {} s", elapsed.as_secs(), self.warm_up.as_secs_f64()),
            Amount::Duration(duration) => {
                format!("{} of {} s", (elapsed - self.warm_up).as_secs(), duration.as_secs_f64())
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
        match plan.waiting() {
            0 => line,
            waiting => format!("{line}, {} waiting", count(waiting)),
        }
    }
}

/// Shows the last line only, as wide as the terminal is, and leaves that as it was.
fn draw(lines: Receiver<String>) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.set_style(style);
    for line in lines {
        bar.set_message(line);
        bar.tick();
    }
    bar.finish_and_clear();
}

fn write(lines: Receiver<String>) {
    for line in lines {
        // Nobody may be reading.
        let _ = stderr().write_all(format!("{line}\n").as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.take() {
            drop(lines);
            // The report comes after it.
            let _ = self.written.recv_timeout(PATIENCE);
        }
    }
}
