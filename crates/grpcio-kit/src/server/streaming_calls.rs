//! The limit `max_streaming_calls`.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::call::Call;
use crate::interceptor::{Interceptor, Outcome};
use crate::status::Status;
use crate::status::code::Code;

/// Counts the streaming and asynchronous RPCs in flight, and rejects those over the limit.
pub(super) struct StreamingCalls {
    in_flight: AtomicUsize,
    max: usize,
}

impl StreamingCalls {
    pub fn new(max: usize) -> StreamingCalls {
        StreamingCalls { in_flight: AtomicUsize::new(0), max }
    }
}

impl Interceptor for StreamingCalls {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if !call.method().stays_in_flight {
            return Ok(());
        }
        let one_more = |calls| (calls < self.max).then_some(calls + 1);
        if self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            let message =
                format!("{} streaming calls are in flight, the limit of this server; try again later", self.max);
            return Err(Status::new(Code::ResourceExhausted, message));
        }
        Ok(())
    }

    fn after(&self, call: &Call<'_>, _: &Outcome<'_>) {
        if call.method().stays_in_flight {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
