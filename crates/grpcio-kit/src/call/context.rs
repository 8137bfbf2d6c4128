//! What grpcio knows of an RPC: its context, shared between threads, and the deadline, which it does not tell.

// In two places.
#![allow(unsafe_code)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grpcio::{AuthContext, Deadline, Metadata, RpcContext};

/// The part of an [`RpcContext`] that any thread may read.
#[derive(Clone, Copy)]
pub(super) struct SharedContext<'a>(pub &'a RpcContext<'a>);

// SAFETY: `RpcContext` is neither `Send` nor `Sync` because of the completion queue's executor, on which only the
// queue's own thread may spawn; that is out of reach here. The methods below read: `request_headers` and `host` arrays that
// are complete before the context exists, `deadline` a number, and `peer` and `auth_context` the call, which the context
// keeps alive for `'a`, by functions of the C core that any thread may call (`grpc_call_get_peer` takes a lock,
// `grpc_call_auth_context` counts a reference to what the handshake has left).
unsafe impl Send for SharedContext<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedContext<'_> {}

impl<'a> SharedContext<'a> {
    pub fn peer(self) -> String {
        self.0.peer()
    }

    /// The names in the verified certificate of the client.
    pub fn peer_names(self) -> Vec<String> {
        let Some(context) = self.0.auth_context().filter(AuthContext::peer_is_authenticated) else {
            return Vec::new();
        };
        context.peer_identity().filter_map(|name| name.value_str().ok().map(str::to_owned)).collect()
    }

    pub fn host(self) -> &'a [u8] {
        self.0.host()
    }

    pub fn metadata(self) -> &'a Metadata {
        self.0.request_headers()
    }

    /// The time until the client's deadline.
    pub fn time_left(self) -> Option<Duration> {
        time_left(self.0.deadline())
    }
}

/// The C core's `gpr_timespec`, which is all that a [`Deadline`] consists of.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i32,
    /// `GPR_CLOCK_REALTIME` in every deadline.
    _clock: u32,
}

/// Returns the time until `deadline`: zero when it has passed, `None` if it is infinite.
fn time_left(deadline: Deadline) -> Option<Duration> {
    // SAFETY: `Deadline` has one field, a `gpr_timespec` of 16 bytes without padding (int64_t,
    // int32_t, an enum of 32 bits), for whose every value there is a `Timespec`. The compiler
    // compares the sizes, so the field is all of it and begins at 0.
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
