//! The limits of a server: sizes, numbers and times.

use std::time::Duration;

use grpcio::{ChannelBuilder, ResourceQuota};

/// The maximum of a size, a count, or a time in milliseconds: 2,147,483,647, the C core's `int`. Times end at 24 days.
pub const MAX_LIMIT: u32 = i32::MAX as u32;

/// The limits of a server. [`Limits::default`] is safe on an open network.
///
/// Times are kept to the millisecond. Where the C core enforces a limit, the channel argument is named; the server does
/// not start with one that the C core cannot hold ([`StartError::Limit`](crate::StartError::Limit)).
///
/// Fields may be added: write `Limits { max_request_bytes: 1024, ..Limits::default() }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a request in bytes, both as sent and decompressed: 4 MiB, the C core's own default. Larger
    /// requests fail with RESOURCE_EXHAUSTED.
    pub max_request_bytes: u32,
    /// Maximum size of a reply in bytes, before compression: 4 MiB, which is what clients accept by default. Larger
    /// replies become RESOURCE_EXHAUSTED.
    pub max_reply_bytes: u32,
    /// Maximum size of request metadata in bytes, with 32 added for each entry (RFC 9113, 6.5.2): 8 KiB.
    /// Larger requests fail with RESOURCE_EXHAUSTED (`grpc.max_metadata_size` and
    /// `grpc.absolute_max_metadata_size`).
    pub max_metadata_bytes: u32,
    /// Maximum number of connections to all addresses: 10,000. Those whose handshake has not ended count, and so do those
    /// that are closed and still have RPCs. More are closed as soon as they are accepted, and logged at most once a second
    /// (`grpc.max_allowed_incoming_connections`).
    pub max_connections: u32,
    /// Maximum number of RPCs in flight on one connection: 100, the minimum that RFC 9113 recommends (6.5.2). Clients
    /// queue more; one that opens them anyway loses its connection (`grpc.max_concurrent_streams`). Counting those
    /// that were reset and are not yet cleaned up, the maximum is twice as many, or 200 if that is more; RPCs over it
    /// are refused (REFUSED_STREAM). A client that has not yet acknowledged the limit may open 1,000, or as many as the
    /// limit if that is more.
    pub max_concurrent_streams: u32,
    /// Maximum number of streaming RPCs in flight on all connections: 10,000. More fail with RESOURCE_EXHAUSTED. RPCs
    /// of asynchronous unary methods count; other unary RPCs do not stay in flight, and do not.
    pub max_streaming_calls: usize,
    /// Maximum time for an RPC, whatever deadline the client sets: an hour. The RPC then ends with DEADLINE_EXCEEDED.
    /// It holds for streaming methods, asynchronous unary ones and those on [`Workers`](crate::Workers), but for
    /// watches of the server's health; a plain unary method cannot be interrupted.
    pub max_deadline: Option<Duration>,
    /// The age at which the server asks a connection to close (GOAWAY), plus or minus a tenth at random, so that not all
    /// close at once; no maximum by default. RPCs in flight can finish, new ones need a new connection
    /// (`grpc.max_connection_age_ms`).
    pub max_connection_age: Option<Duration>,
    /// The time that the RPCs of a connection of that age have to finish, before they are cancelled; unlimited by
    /// default (`grpc.max_connection_age_grace_ms`).
    pub max_connection_age_grace: Option<Duration>,
    /// The time without RPCs after which the server asks a connection to close (GOAWAY); no maximum by default. The
    /// client reconnects when it needs to (`grpc.max_connection_idle_ms`).
    pub max_connection_idle: Option<Duration>,
    /// The time that a new connection has for its TLS handshake and its HTTP/2 settings, before it is closed: 10 s
    /// (`grpc.server_handshake_timeout_ms`).
    pub handshake_timeout: Duration,
    /// The time without traffic after which the server pings the client (HTTP/2 PING): 1 minute
    /// (`grpc.keepalive_time_ms`).
    pub keepalive_time: Duration,
    /// The time that the client has to answer that ping, before its connection is closed and its RPCs are cancelled: 20 s
    /// (`grpc.keepalive_timeout_ms`).
    pub keepalive_timeout: Duration,
    /// Minimum interval between a client's pings: 10 s. The third ping that comes too early closes the connection
    /// with GOAWAY `too_many_pings` (`grpc.http2.min_ping_interval_without_data_ms`,
    /// `grpc.http2.max_ping_strikes`).
    pub min_ping_interval: Duration,
    /// Maximum memory of the C core for connections, RPCs and received data, in bytes: 256 MiB.
    /// Over it, the C core closes idle connections and cancels RPCs, which end with RESOURCE_EXHAUSTED or UNAVAILABLE;
    /// others wait for memory, up to their deadline (`grpc.resource_quota`).
    pub memory_quota: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_request_bytes: 4 * 1024 * 1024,
            max_reply_bytes: 4 * 1024 * 1024,
            max_metadata_bytes: 8 * 1024,
            max_connections: 10_000,
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

/// A limit over [`MAX_LIMIT`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be at most {MAX_LIMIT}{unit}, the maximum of the C core")]
pub struct InvalidLimit {
    name: &'static str,
    unit: &'static str,
}

impl Limits {
    /// Sets the channel arguments for the limits that the C core enforces.
    pub(crate) fn configure(&self, builder: ChannelBuilder) -> Result<ChannelBuilder, InvalidLimit> {
        let quota = ResourceQuota::new(None).resize_memory(self.memory_quota);
        // The codec measures messages, so that interceptors see the failure. The C core would not save anything: it
        // checks the size when the whole message has arrived.
        number("max_request_bytes", self.max_request_bytes)?;
        number("max_reply_bytes", self.max_reply_bytes)?;
        let mut builder = builder
            .set_resource_quota(quota)
            .max_receive_message_len(-1)
            .max_concurrent_stream(number("max_concurrent_streams", self.max_concurrent_streams)?);
        let connections = number("max_connections", self.max_connections)?;
        let metadata = number("max_metadata_bytes", self.max_metadata_bytes)?;
        // Between the two sizes the C core refuses at random.
        builder = builder
            .raw_cfg_int(c"grpc.max_allowed_incoming_connections".into(), connections)
            .raw_cfg_int(c"grpc.max_metadata_size".into(), metadata)
            .raw_cfg_int(c"grpc.absolute_max_metadata_size".into(), metadata)
            // Clients may ping connections that they keep open without an RPC.
            .keepalive_permit_without_calls(true);
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
                builder = builder.raw_cfg_int(argument.into(), milliseconds(name, time)?);
            }
        }
        Ok(builder)
    }
}

fn number(name: &'static str, value: u32) -> Result<i32, InvalidLimit> {
    i32::try_from(value).map_err(|_| InvalidLimit { name, unit: "" })
}

fn milliseconds(name: &'static str, time: Duration) -> Result<i32, InvalidLimit> {
    // i32::MAX itself means forever.
    let value = i32::try_from(time.as_millis()).ok().filter(|value| *value < i32::MAX);
    value.ok_or(InvalidLimit { name, unit: " milliseconds" })
}
