//! Corrects the timestamps of the C core, which formats the local time and marks it as UTC (`gpr_format_timespec`).
//!
//! The difference between the two follows from a timestamp whose real value is known: the last call of a server is the
//! request being answered, so it started now. A timestamp from before the last change between summer and winter time
//! is still an hour off.

use std::time::{SystemTime, UNIX_EPOCH};

use protobuf::MessageDyn;
use protobuf::reflect::{ReflectValueBox, RuntimeFieldType, RuntimeType};
use protobuf::well_known_types::timestamp::Timestamp;

use crate::channelz::proto::channelz::Server;

/// Every time zone is a multiple of a quarter of an hour from UTC.
const QUARTER: i64 = 15 * 60;

/// The largest difference of a time zone from UTC: 14 hours.
const MAX_OFFSET: i64 = 14 * 60 * 60;

/// Returns the seconds by which the C core's timestamps are late, provided that one of `servers` has been called
/// within the last minutes; 0 if none ever was.
pub(super) fn utc_offset(servers: &[Server]) -> i64 {
    let last = servers.iter().filter_map(|server| server.data.last_call_started_timestamp.as_ref());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    match (last.map(|time| time.seconds).max(), now) {
        (Some(last), Some(now)) => round(last.saturating_sub(now)),
        _ => 0,
    }
}

fn round(late: i64) -> i64 {
    let offset = late.saturating_add(QUARTER / 2).div_euclid(QUARTER).saturating_mul(QUARTER);
    if offset.abs() <= MAX_OFFSET { offset } else { 0 }
}

/// Adds `seconds` to every timestamp in `message`, at any depth.
pub(super) fn shift(message: &mut dyn MessageDyn, seconds: i64) {
    if let Some(time) = message.downcast_mut::<Timestamp>() {
        time.seconds = time.seconds.saturating_add(seconds);
        return;
    }
    for field in message.descriptor_dyn().fields() {
        match field.runtime_field_type() {
            RuntimeFieldType::Singular(RuntimeType::Message(_)) if field.has_field(message) => {
                shift(field.mut_message(message), seconds);
            }
            RuntimeFieldType::Repeated(RuntimeType::Message(_)) => {
                let mut list = field.mut_repeated(message);
                for index in 0..list.len() {
                    // An element can only be replaced as a whole.
                    if let ReflectValueBox::Message(mut element) = list.get(index).to_box() {
                        shift(&mut *element, seconds);
                        list.set(index, ReflectValueBox::Message(element));
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use protobuf::MessageField;

    use super::*;
    use crate::channelz::proto::channelz::{ChannelTraceEvent, GetServersResponse};

    #[test]
    fn the_offset_is_that_of_the_time_zone_however_long_the_call_took() {
        for (late, expected) in [(0, 0), (-3, 0), (-400, 0), (7200, 7200), (7199, 7200), (6801, 7200)] {
            assert_eq!(round(late), expected, "{late}");
        }
        assert_eq!(round(20_700 - 2), 20_700, "Nepal");
        assert_eq!(round(-12_600), -12_600, "Newfoundland");
        assert_eq!(round(i64::MIN), 0);
        assert_eq!(round(i64::MAX), 0);
    }

    #[test]
    fn timestamps_are_shifted_at_any_depth_and_absent_ones_stay_absent() {
        let time = |seconds| MessageField::some(Timestamp { seconds, ..Default::default() });
        let server = |seconds| {
            let mut server = Server::new();
            let data = server.data.mut_or_insert_default();
            data.last_call_started_timestamp = time(seconds);
            let event = |seconds| ChannelTraceEvent { timestamp: time(seconds), ..Default::default() };
            data.trace.mut_or_insert_default().events = vec![event(seconds), event(seconds + 1)];
            server
        };
        let list =
            |seconds| GetServersResponse { server: vec![server(seconds), server(seconds)], ..Default::default() };
        let mut shifted = list(100);
        shift(&mut shifted, -60);
        assert_eq!(shifted, list(40));
    }
}
