//! Limits how often the log repeats a line.

use std::time::{Duration, Instant};

/// The minimum time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// A line that is logged at most once a second, with the number of times that it was left out.
#[derive(Default)]
pub(crate) struct RateLimit {
    last: Option<Instant>,
    suppressed: u64,
}

impl RateLimit {
    /// Returns the number of lines left out since the last one, if one more is due.
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            self.suppressed += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_a_second_with_the_number_of_those_left_out() {
        let (mut limit, start) = (RateLimit::default(), Instant::now());
        let due = |ms| limit.due(start + Duration::from_millis(ms));
        assert_eq!([0, 10, 999, 1000, 1500, 5000].map(due), [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
