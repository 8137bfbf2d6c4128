//! What a server lets its callers have: sizes, numbers and times, each with a bound.

use std::ffi::CString;
use std::time::Duration;

use grpcio::{ChannelBuilder, ResourceQuota};

/// The largest number that the C core takes for a size, a count, or a time in milliseconds: a
/// time can be up to 24 days.
pub const MAX_LIMIT: u32 = i32::MAX as u32;

/// The limits of a server. [`Limits::default`] is safe to face a network with.
///
/// Times are kept to the millisecond. Where the C core enforces a limit, the channel argument is named;
/// times and sizes that it cannot hold end in [`StartError::Limit`](crate::StartError::Limit).
///
/// More may be added: write `Limits { max_request_bytes: 1024, ..Limits::default() }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request, in bytes, as it is sent and once it has been decompressed: 4 MiB, the C core's own
    /// default. A larger one is answered with RESOURCE_EXHAUSTED.
    pub max_request_bytes: u32,
    /// The largest reply, in bytes before compression: 4 MiB, which is what clients accept unless they
    /// are told otherwise. In place of a larger one the call ends with RESOURCE_EXHAUSTED.
    pub max_reply_bytes: u32,
    /// The most metadata of one request, in bytes, with 32 for each entry added (RFC 9113, 6.5.2): 8 KiB.
    /// A request with more is answered with RESOURCE_EXHAUSTED (`grpc.max_metadata_size` and
    /// `grpc.absolute_max_metadata_size`).
    pub max_metadata_bytes: u32,
    /// The calls in flight on one connection: 100, the least that RFC 9113 recommends (6.5.2). A client keeps more
    /// waiting; one that opens them anyway loses its connection (`grpc.max_concurrent_streams`). Counted with those
    /// that were reset and are still to be dealt with, twice as many are the most, or 200: more are refused
    /// (REFUSED_STREAM).
    pub max_concurrent_streams: u32,
    /// The streaming calls in flight on all connections: 10,000. One more is refused with
    /// RESOURCE_EXHAUSTED. Unary calls do not stay in flight, and are not counted.
    pub max_streaming_calls: usize,
    /// The longest deadline that a caller can have for a streaming call, whether it asked for more or for none:
    /// an hour. The call then ends with DEADLINE_EXCEEDED. A watch of the server's health may last longer.
    pub max_deadline: Option<Duration>,
    /// The age at which a connection is asked to end (GOAWAY), give or take a tenth, so that not all of them
    /// do at once; none unless set. Its calls can finish, new ones go to a new connection
    /// (`grpc.max_connection_age_ms`).
    pub max_connection_age: Option<Duration>,
    /// The time that the calls of a connection of that age have to finish, before they are cancelled: as long as it
    /// takes unless set (`grpc.max_connection_age_grace_ms`).
    pub max_connection_age_grace: Option<Duration>,
    /// The time without a call after which a connection is asked to end (GOAWAY): none unless set. A
    /// client connects again when it needs to (`grpc.max_connection_idle_ms`).
    pub max_connection_idle: Option<Duration>,
    /// The time that a new connection has for its TLS handshake and its HTTP/2 settings, before it is closed: 10 s
    /// (`grpc.server_handshake_timeout_ms`).
    pub handshake_timeout: Duration,
    /// The time of silence after which the server asks whether the client is still there (HTTP/2 PING): 1 minute
    /// (`grpc.keepalive_time_ms`).
    pub keepalive_time: Duration,
    /// The time that the client has to answer that, before its connection is closed and its calls are cancelled: 20 s
    /// (`grpc.keepalive_timeout_ms`).
    pub keepalive_timeout: Duration,
    /// How often a client may ask the same: every 10 s. At the third time that it asks sooner its connection is closed
    /// with GOAWAY `too_many_pings` (`grpc.http2.min_ping_interval_without_data_ms`,
    /// `grpc.http2.max_ping_strikes`).
    pub min_ping_interval: Duration,
    /// The memory that the C core may take for connections, calls and what they have received, in bytes: 256 MiB.
    /// Over it, the C core closes idle connections and cancels calls, which end with RESOURCE_EXHAUSTED or UNAVAILABLE;
    /// others wait for memory, up to their deadline (`grpc.resource_quota`).
    pub memory_quota: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_request_bytes: 4 * 1024 * 1024,
            max_reply_bytes: 4 * 1024 * 1024,
            max_metadata_bytes: 8 * 1024,
            max_concurrent_streams: 100,
            max_streaming_calls: 10_000,
            max_deadline: Some(Duration::from_secs(60 * 60)),
            max_connection_age: None,
            max_connection_age_grace: None,
            max_connection_idle: None,
            handshake_timeout: Duration::from_secs(10),
            keepalive_time: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            min_ping_interval: Duration::from_secs(10),
            memory_quota: 256 * 1024 * 1024,
        }
    }
}

/// A limit that the C core cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is over what the C core takes, {MAX_LIMIT}{unit}")]
pub struct InvalidLimit {
    name: &'static str,
    unit: &'static str,
}

impl Limits {
    /// Gives the C core those limits that it enforces.
    pub(crate) fn configure(&self, builder: ChannelBuilder) -> Result<ChannelBuilder, InvalidLimit> {
        let quota = ResourceQuota::new(None).resize_memory(self.memory_quota);
        // Messages are measured here, so that interceptors learn of one that is too large. The C core would not receive
        // less of it: it looks at the size when all of the message is there.
        number("max_request_bytes", self.max_request_bytes)?;
        number("max_reply_bytes", self.max_reply_bytes)?;
        let mut builder = builder
            .set_resource_quota(quota)
            .max_receive_message_len(-1)
            .max_concurrent_stream(number("max_concurrent_streams", self.max_concurrent_streams)?);
        let metadata = number("max_metadata_bytes", self.max_metadata_bytes)?;
        // The C core refuses at random between the two.
        builder = set(builder, c"grpc.max_metadata_size".into(), metadata);
        builder = set(builder, c"grpc.absolute_max_metadata_size".into(), metadata);
        // A client may have a connection ready without a call on it, and look after it.
        builder = builder.keepalive_permit_without_calls(true);
        let times = [
            (c"grpc.max_connection_age_ms", "max_connection_age", self.max_connection_age),
            (c"grpc.max_connection_age_grace_ms", "max_connection_age_grace", self.max_connection_age_grace),
            (c"grpc.max_connection_idle_ms", "max_connection_idle", self.max_connection_idle),
            (c"grpc.server_handshake_timeout_ms", "handshake_timeout", Some(self.handshake_timeout)),
            (c"grpc.keepalive_time_ms", "keepalive_time", Some(self.keepalive_time)),
            (c"grpc.keepalive_timeout_ms", "keepalive_timeout", Some(self.keepalive_timeout)),
            (c"grpc.http2.min_ping_interval_without_data_ms", "min_ping_interval", Some(self.min_ping_interval)),
        ];
        for (argument, name, time) in times {
            if let Some(time) = time {
                builder = set(builder, argument.into(), milliseconds(name, time)?);
            }
        }
        Ok(builder)
    }
}

fn set(builder: ChannelBuilder, argument: CString, value: i32) -> ChannelBuilder {
    builder.raw_cfg_int(argument, value)
}

fn number(name: &'static str, value: u32) -> Result<i32, InvalidLimit> {
    i32::try_from(value).map_err(|_| InvalidLimit { name, unit: "" })
}

fn milliseconds(name: &'static str, time: Duration) -> Result<i32, InvalidLimit> {
    // i32::MAX itself means forever.
    let value = i32::try_from(time.as_millis()).ok().filter(|value| *value < i32::MAX);
    value.ok_or(InvalidLimit { name, unit: " milliseconds" })
}
