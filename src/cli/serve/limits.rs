//! `calc serve`: the limits on clients.

use std::time::Duration;

use structopt::StructOpt;

use crate::cli::values::{self, Time};

/// [`grpcio_kit::Limits`] as flags. A test compares the defaults.
#[derive(StructOpt)]
pub struct Limits {
    /// Set the maximum request size, compressed or not
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REQUEST_BYTES", default_value = "4194304",
        parse(try_from_str = values::bytes))]
    max_request_bytes: u32,
    /// Set the maximum reply size
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REPLY_BYTES", default_value = "4194304",
        parse(try_from_str = values::bytes))]
    max_reply_bytes: u32,
    /// Set the maximum size of request metadata, with 32 bytes added per entry
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_METADATA_BYTES", default_value = "8192",
        parse(try_from_str = values::bytes))]
    max_metadata_bytes: u32,
    /// Set the maximum number of connections; more are closed at once
    #[structopt(long, value_name = "N", env = "CALC_MAX_CONNECTIONS", default_value = "10000",
        parse(try_from_str = values::count))]
    max_connections: u32,
    /// Set the maximum number of concurrent RPCs per connection; clients queue more
    #[structopt(long, value_name = "N", env = "CALC_MAX_CONCURRENT_STREAMS", default_value = "100",
        parse(try_from_str = values::count))]
    max_concurrent_streams: u32,
    /// Set the maximum number of concurrent streaming RPCs of the server
    #[structopt(long, value_name = "N", env = "CALC_MAX_STREAMING_CALLS", default_value = "10000",
        parse(try_from_str = values::count))]
    max_streaming_calls: u32,
    /// Set the maximum deadline of a streaming RPC, or none
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_DEADLINE", default_value = "3600",
        parse(try_from_str = values::time_or_none))]
    max_deadline: Time,
    /// Close a connection gracefully at this age, give or take 10 %, or none
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_AGE", default_value = "none",
        parse(try_from_str = values::time_or_none))]
    max_connection_age: Time,
    /// Cancel the RPCs of a connection this long after its maximum age, or none
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_AGE_GRACE", default_value = "none",
        parse(try_from_str = values::time_or_none))]
    max_connection_age_grace: Time,
    /// Close a connection gracefully after this long without an RPC, or none
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_IDLE", default_value = "none",
        parse(try_from_str = values::time_or_none))]
    max_connection_idle: Time,
    /// Close a connection whose TLS and HTTP/2 handshake takes longer
    #[structopt(long, value_name = "SECONDS", env = "CALC_HANDSHAKE_TIMEOUT", default_value = "10",
        parse(try_from_str = values::time))]
    handshake_timeout: Duration,
    /// Send a keepalive ping after this long without activity
    #[structopt(long, value_name = "SECONDS", env = "CALC_KEEPALIVE_TIME", default_value = "60",
        parse(try_from_str = values::time))]
    keepalive_time: Duration,
    /// Close a connection whose keepalive ping is not answered in this time
    #[structopt(long, value_name = "SECONDS", env = "CALC_KEEPALIVE_TIMEOUT", default_value = "20",
        parse(try_from_str = values::time))]
    keepalive_timeout: Duration,
    /// Set the minimum time between a client's pings; the third early ping closes the connection
    #[structopt(long, value_name = "SECONDS", env = "CALC_MIN_PING_INTERVAL", default_value = "10",
        parse(try_from_str = values::time))]
    min_ping_interval: Duration,
    /// Set the memory for connections and RPCs; over it connections are closed and RPCs cancelled
    #[structopt(long, value_name = "BYTES", env = "CALC_MEMORY_QUOTA", default_value = "268435456",
        parse(try_from_str = values::memory))]
    memory_quota: usize,
}

impl Limits {
    pub fn limits(&self) -> grpcio_kit::Limits {
        grpcio_kit::Limits {
            max_request_bytes: self.max_request_bytes,
            max_reply_bytes: self.max_reply_bytes,
            max_metadata_bytes: self.max_metadata_bytes,
            max_connections: self.max_connections,
            max_concurrent_streams: self.max_concurrent_streams,
            max_streaming_calls: self.max_streaming_calls as usize,
            max_deadline: self.max_deadline,
            max_connection_age: self.max_connection_age,
            max_connection_age_grace: self.max_connection_age_grace,
            max_connection_idle: self.max_connection_idle,
            handshake_timeout: self.handshake_timeout,
            keepalive_time: self.keepalive_time,
            keepalive_timeout: self.keepalive_timeout,
            min_ping_interval: self.min_ping_interval,
            memory_quota: self.memory_quota,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_kit() {
        for (name, _) in std::env::vars_os() {
            assert!(!name.to_string_lossy().starts_with("CALC_MAX"), "{name:?} is set");
        }
        let options = Limits::from_iter_safe(["limits"]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(options.limits(), grpcio_kit::Limits::default());
    }
}
