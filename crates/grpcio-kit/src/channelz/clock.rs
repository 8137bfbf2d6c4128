//! Times as they are meant to be. The C core writes the local time and says that it is UTC
//! (`gpr_format_timespec`).
//!
//! How far the two are apart shows in a time that is known: the last call of a server is the
//! one that is being answered, so that it started now. A time from before the last change
//! between summer and winter time is still an hour off.

use std::time::{SystemTime, UNIX_EPOCH};

use protobuf::MessageField;
use protobuf::well_known_types::timestamp::Timestamp;

use crate::channelz::proto::channelz::{
    Channel, ChannelData, ChannelTrace, GetChannelResponse, GetServerResponse, GetServerSocketsResponse,
    GetServersResponse, GetSocketResponse, GetSubchannelResponse, GetTopChannelsResponse, Server, SocketData,
};

/// Every time zone is some quarters of an hour from UTC.
const QUARTER: i64 = 15 * 60;

/// ... and at most 14 hours.
const MAX_OFFSET: i64 = 14 * 60 * 60;

/// The seconds by which the C core's times are late, as long as one of these servers has been called
/// within the last minutes; 0 if none ever was.
pub(super) fn utc_offset(servers: &[Server]) -> i64 {
    let last = servers.iter().filter_map(|server| server.data.last_call_started_timestamp.as_ref());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    match (last.map(|time| time.seconds).max(), now) {
        (Some(last), Some(now)) => offset(last.saturating_sub(now)),
        _ => 0,
    }
}

fn offset(late: i64) -> i64 {
    let offset = late.saturating_add(QUARTER / 2).div_euclid(QUARTER).saturating_mul(QUARTER);
    if offset.abs() <= MAX_OFFSET { offset } else { 0 }
}

/// A message with times in it.
pub(super) trait Timestamps {
    /// Adds this many seconds to each.
    fn shift(&mut self, seconds: i64);
}

impl Timestamps for GetTopChannelsResponse {
    fn shift(&mut self, seconds: i64) {
        self.channel.iter_mut().for_each(|channel| channel.shift(seconds));
    }
}

impl Timestamps for GetServersResponse {
    fn shift(&mut self, seconds: i64) {
        self.server.iter_mut().for_each(|server| server.shift(seconds));
    }
}

impl Timestamps for GetServerResponse {
    fn shift(&mut self, seconds: i64) {
        self.server.shift(seconds);
    }
}

impl Timestamps for GetServerSocketsResponse {
    fn shift(&mut self, _: i64) {}
}

impl Timestamps for GetChannelResponse {
    fn shift(&mut self, seconds: i64) {
        self.channel.shift(seconds);
    }
}

impl Timestamps for GetSubchannelResponse {
    fn shift(&mut self, seconds: i64) {
        if let Some(subchannel) = self.subchannel.as_mut() {
            subchannel.data.shift(seconds);
        }
    }
}

impl Timestamps for GetSocketResponse {
    fn shift(&mut self, seconds: i64) {
        if let Some(socket) = self.socket.as_mut() {
            socket.data.shift(seconds);
        }
    }
}

impl Timestamps for Channel {
    fn shift(&mut self, seconds: i64) {
        self.data.shift(seconds);
    }
}

impl Timestamps for Server {
    fn shift(&mut self, seconds: i64) {
        if let Some(data) = self.data.as_mut() {
            data.trace.shift(seconds);
            data.last_call_started_timestamp.shift(seconds);
        }
    }
}

impl Timestamps for ChannelData {
    fn shift(&mut self, seconds: i64) {
        self.trace.shift(seconds);
        self.last_call_started_timestamp.shift(seconds);
    }
}

impl Timestamps for ChannelTrace {
    fn shift(&mut self, seconds: i64) {
        self.creation_timestamp.shift(seconds);
        self.events.iter_mut().for_each(|event| event.timestamp.shift(seconds));
    }
}

impl Timestamps for SocketData {
    fn shift(&mut self, seconds: i64) {
        self.last_local_stream_created_timestamp.shift(seconds);
        self.last_remote_stream_created_timestamp.shift(seconds);
        self.last_message_sent_timestamp.shift(seconds);
        self.last_message_received_timestamp.shift(seconds);
    }
}

impl Timestamps for Timestamp {
    fn shift(&mut self, seconds: i64) {
        self.seconds = self.seconds.saturating_add(seconds);
    }
}

/// A message that is not there has no times.
impl<M: Timestamps> Timestamps for MessageField<M> {
    fn shift(&mut self, seconds: i64) {
        if let Some(message) = self.as_mut() {
            message.shift(seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_that_of_the_time_zone_whatever_the_call_took_to_get_here() {
        for (late, expected) in [(0, 0), (-3, 0), (-400, 0), (7200, 7200), (7199, 7200), (6801, 7200)] {
            assert_eq!(offset(late), expected, "{late}");
        }
        assert_eq!(offset(20_700 - 2), 20_700, "Nepal");
        assert_eq!(offset(-12_600), -12_600, "Newfoundland");
        assert_eq!(offset(i64::MIN), 0);
        assert_eq!(offset(i64::MAX), 0);
    }
}
