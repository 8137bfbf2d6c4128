//! The options of one RPC: deadline, wait-for-ready and metadata.

use std::time::{Duration, Instant};

use grpcio::{CallOption, Metadata, MetadataBuilder, RpcStatus, RpcStatusCode};

use crate::bearer_token::BearerToken;
use crate::channel::core_channel::Sent;
use crate::trace_context::{TRACEPARENT, TraceContext};

/// The maximum timeout, ten years, so that the deadline cannot overflow.
pub(super) const MAX_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The metadata key of the token.
const AUTHORIZATION: &str = "authorization";

/// The options of one RPC.
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions {
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    wait_for_ready: bool,
    metadata: Option<Metadata>,
    trace_context: Option<TraceContext>,
}

impl CallOptions {
    /// Sets the time after which the RPC ends with DEADLINE_EXCEEDED; the default is no limit. More than ten years
    /// count as ten years.
    pub fn timeout(mut self, timeout: Duration) -> CallOptions {
        self.timeout = Some(timeout.min(MAX_TIMEOUT));
        self
    }

    /// Sets the time at which the RPC ends with DEADLINE_EXCEEDED, unless its timeout ends it before; `None` is no limit.
    ///
    /// A server that makes RPCs for the one that it answers carries on the deadline of that:
    /// `options.deadline(call.deadline())` ([`Call::deadline`](crate::Call::deadline)). Then nobody works for a client
    /// that waits no longer.
    pub fn deadline(mut self, deadline: Option<Instant>) -> CallOptions {
        self.deadline = deadline;
        self
    }

    /// Sets whether the RPC waits for a connection, up to its deadline, instead of failing with UNAVAILABLE when the
    /// server cannot be reached ([wait-for-ready](https://grpc.io/docs/guides/wait-for-ready/)); the default is not to.
    pub fn wait_for_ready(mut self, wait: bool) -> CallOptions {
        self.wait_for_ready = wait;
        self
    }

    /// Sets the metadata to send. An `authorization` in it takes the place of the channel's token.
    pub fn metadata(mut self, metadata: Metadata) -> CallOptions {
        self.metadata = Some(metadata);
        self
    }

    /// Sends a `traceparent`, unless the metadata has one; `None` is none. A server that makes RPCs for the one that it
    /// answers carries on the trace of that: `options.trace_context(call.trace_context())`
    /// ([`Call::trace_context`](crate::Call::trace_context)).
    pub fn trace_context(mut self, trace_context: Option<TraceContext>) -> CallOptions {
        self.trace_context = trace_context;
        self
    }

    /// Returns what a blocking RPC sends, with the channel's token.
    pub(super) fn into_sent(self, token: Option<&BearerToken>) -> grpcio::Result<Sent> {
        let token = token.map(|token| (AUTHORIZATION, format!("Bearer {}", token.as_str())));
        let trace = self.trace_context.map(|context| (TRACEPARENT, context.to_string()));
        let metadata = with_defaults(self.metadata, token.into_iter().chain(trace))?;
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).min(MAX_TIMEOUT));
        if left.is_some_and(|left| left.is_zero()) {
            let expired =
                RpcStatus::with_message(RpcStatusCode::DEADLINE_EXCEEDED, "the deadline has passed".to_owned());
            return Err(grpcio::Error::RpcFailure(expired));
        }
        let timeout = self.timeout.into_iter().chain(left).min();
        Ok(Sent { timeout, wait_for_ready: self.wait_for_ready, metadata })
    }

    /// Returns grpcio's options, with the channel's token.
    pub(super) fn into_grpcio(self, token: Option<&BearerToken>) -> grpcio::Result<CallOption> {
        let Sent { timeout, wait_for_ready, metadata } = self.into_sent(token)?;
        let mut option = CallOption::default().wait_for_ready(wait_for_ready);
        if let Some(timeout) = timeout {
            option = option.timeout(timeout);
        }
        if let Some(metadata) = metadata {
            option = option.headers(metadata);
        }
        Ok(option)
    }
}

/// Adds entries whose keys the metadata does not have.
fn with_defaults(
    metadata: Option<Metadata>,
    defaults: impl Iterator<Item = (&'static str, String)>,
) -> grpcio::Result<Option<Metadata>> {
    let entries = || metadata.iter().flat_map(Metadata::iter);
    let mut defaults = defaults.filter(|(key, _)| !entries().any(|(own, _)| own == *key)).peekable();
    if defaults.peek().is_none() {
        return Ok(metadata);
    }
    let mut builder = MetadataBuilder::new();
    for (key, value) in defaults {
        builder.add_str(key, &value)?;
    }
    for (key, value) in entries() {
        if key.ends_with("-bin") {
            builder.add_bytes(key, value)?;
        } else {
            // The builder took it as a string.
            builder.add_str(key, &String::from_utf8_lossy(value))?;
        }
    }
    Ok(Some(builder.build()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEARER: (&str, &[u8]) = ("authorization", b"Bearer 0123456789abcdef");

    fn entries(metadata: &Metadata) -> Vec<(&str, &[u8])> {
        metadata.iter().collect()
    }

    fn sent(options: CallOptions) -> Metadata {
        let token = BearerToken::new("0123456789abcdef").unwrap();
        options.into_sent(Some(&token)).unwrap().metadata.unwrap()
    }

    #[test]
    fn the_token_and_the_trace_are_sent_beside_the_metadata_of_the_rpc() {
        assert_eq!(entries(&sent(CallOptions::default())), [BEARER]);
        let mut own = MetadataBuilder::new();
        own.add_str("hand", "left").unwrap().add_bytes("raw-bin", b"\0\xff").unwrap();
        let trace = TraceContext { trace_id: 1, span_id: 2, sampled: true };
        let traceparent = ("traceparent", &b"00-00000000000000000000000000000001-0000000000000002-01"[..]);
        let options = CallOptions::default().metadata(own.build()).trace_context(Some(trace));
        assert_eq!(entries(&sent(options)), [BEARER, traceparent, ("hand", b"left"), ("raw-bin", b"\0\xff")]);
    }

    #[test]
    fn the_metadata_of_an_rpc_may_replace_the_token_and_the_trace() {
        let mut own = MetadataBuilder::new();
        own.add_str("Authorization", "Basic abc").unwrap().add_str("traceparent", "own").unwrap();
        let trace = TraceContext { trace_id: 1, span_id: 2, sampled: true };
        let metadata = sent(CallOptions::default().metadata(own.build()).trace_context(Some(trace)));
        assert_eq!(entries(&metadata), [("authorization", &b"Basic abc"[..]), ("traceparent", b"own")]);
    }
}
