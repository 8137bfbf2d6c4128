//! `calc serve`: what callers can have.

use std::time::Duration;

use structopt::StructOpt;

use crate::cli::values::{self, Time};

/// [`grpcio_kit::Limits`], as they are written on the command line. A test compares the defaults.
#[derive(StructOpt)]
pub struct Limits {
    /// The largest request, also after it has been decompressed; past it RESOURCE_EXHAUSTED
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REQUEST_BYTES", hide_env_values = true,
        default_value = "4194304", parse(try_from_str = values::bytes))]
    max_request_bytes: u32,
    /// The largest reply; past it RESOURCE_EXHAUSTED
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REPLY_BYTES", hide_env_values = true,
        default_value = "4194304", parse(try_from_str = values::bytes))]
    max_reply_bytes: u32,
    /// The most metadata of a request, counting 32 bytes more for each entry; past it RESOURCE_EXHAUSTED
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_METADATA_BYTES", hide_env_values = true,
        default_value = "8192", parse(try_from_str = values::bytes))]
    max_metadata_bytes: u32,
    /// The calls in flight on one connection; clients keep more waiting
    #[structopt(long, value_name = "N", env = "CALC_MAX_CONCURRENT_STREAMS", hide_env_values = true,
        default_value = "100", parse(try_from_str = values::count))]
    max_concurrent_streams: u32,
    /// The streaming calls in flight on all connections; past it RESOURCE_EXHAUSTED
    #[structopt(long, value_name = "N", env = "CALC_MAX_STREAMING_CALLS", hide_env_values = true,
        default_value = "10000", parse(try_from_str = values::count))]
    max_streaming_calls: u32,
    /// The longest deadline of a streaming call, or `none`; past it DEADLINE_EXCEEDED
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_DEADLINE", hide_env_values = true,
        default_value = "3600", parse(try_from_str = values::time_or_none))]
    max_deadline: Time,
    /// The age, give or take a tenth, at which a connection is asked to end, or `none`
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_AGE", hide_env_values = true,
        default_value = "none", parse(try_from_str = values::time_or_none))]
    max_connection_age: Time,
    /// The time that the calls of a connection of that age have to finish, before they are cancelled, or `none` for as
    /// long as it takes
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_AGE_GRACE", hide_env_values = true,
        default_value = "none", parse(try_from_str = values::time_or_none))]
    max_connection_age_grace: Time,
    /// The time without a call after which a connection is asked to end, or `none`
    #[structopt(long, value_name = "SECONDS", env = "CALC_MAX_CONNECTION_IDLE", hide_env_values = true,
        default_value = "none", parse(try_from_str = values::time_or_none))]
    max_connection_idle: Time,
    /// The time that a new connection has for its TLS handshake and HTTP/2 settings, before it is closed
    #[structopt(long, value_name = "SECONDS", env = "CALC_HANDSHAKE_TIMEOUT", hide_env_values = true,
        default_value = "10", parse(try_from_str = values::time))]
    handshake_timeout: Duration,
    /// The time of silence after which a client is asked whether it is still there
    #[structopt(long, value_name = "SECONDS", env = "CALC_KEEPALIVE_TIME", hide_env_values = true,
        default_value = "60", parse(try_from_str = values::time))]
    keepalive_time: Duration,
    /// The time that a client has to say that it is still there, before its connection is closed
    #[structopt(long, value_name = "SECONDS", env = "CALC_KEEPALIVE_TIMEOUT", hide_env_values = true,
        default_value = "20", parse(try_from_str = values::time))]
    keepalive_timeout: Duration,
    /// The least time between two pings of a client; its connection is closed at the third one that comes sooner
    #[structopt(long, value_name = "SECONDS", env = "CALC_MIN_PING_INTERVAL", hide_env_values = true,
        default_value = "10", parse(try_from_str = values::time))]
    min_ping_interval: Duration,
    /// The memory for connections, calls and what they have received; past it, idle connections are closed and calls
    /// cancelled
    #[structopt(long, value_name = "BYTES", env = "CALC_MEMORY_QUOTA", hide_env_values = true,
        default_value = "268435456", parse(try_from_str = values::memory))]
    memory_quota: usize,
}

impl Limits {
    pub fn limits(&self) -> grpcio_kit::Limits {
        grpcio_kit::Limits {
            max_request_bytes: self.max_request_bytes,
            max_reply_bytes: self.max_reply_bytes,
            max_metadata_bytes: self.max_metadata_bytes,
            max_concurrent_streams: self.max_concurrent_streams,
            max_streaming_calls: self.max_streaming_calls as usize,
            max_deadline: self.max_deadline.0,
            max_connection_age: self.max_connection_age.0,
            max_connection_age_grace: self.max_connection_age_grace.0,
            max_connection_idle: self.max_connection_idle.0,
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
    fn the_defaults_are_those_of_the_library() {
        for (name, _) in std::env::vars_os() {
            assert!(!name.to_string_lossy().starts_with("CALC_MAX"), "{name:?} is set");
        }
        let options = Limits::from_iter_safe(["limits"]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(options.limits(), grpcio_kit::Limits::default());
    }
}
