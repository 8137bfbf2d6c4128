//! How much time a call has left, which grpcio knows and does not tell.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grpcio::Deadline;

/// The C core's `gpr_timespec`, which is all that a [`Deadline`] consists of.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i32,
    /// `GPR_CLOCK_REALTIME` in every deadline.
    _clock: u32,
}

/// The time until `deadline`; zero when it has passed. `None` if it is infinite.
pub(super) fn time_left(deadline: Deadline) -> Option<Duration> {
    // SAFETY: `Deadline` has one field, a `gpr_timespec` of 16 bytes without padding (int64_t,
    // int32_t, an enum of 32 bits), for whose every value there is a `Timespec`. The sizes are
    // compared by the compiler, so the field is all of it and begins at 0.
    #[allow(unsafe_code)]
    let Timespec { seconds, nanoseconds, .. } = unsafe { std::mem::transmute::<Deadline, Timespec>(deadline) };
    if seconds == i64::MAX {
        return None;
    }
    let since_epoch = Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(since_epoch.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_the_time_that_was_given() {
        for given in [Duration::from_millis(1500), Duration::from_secs(86_400 * 365)] {
            let left = time_left(Deadline::from(given)).unwrap();
            assert!(left <= given && left > given - Duration::from_secs(1), "{left:?} of {given:?}");
        }
        assert_eq!(time_left(Deadline::from(Duration::ZERO)), Some(Duration::ZERO));
    }
}
