//! The options of one RPC: deadline, wait-for-ready and metadata.

use std::time::{Duration, Instant};

use grpcio::{CallOption, Metadata, MetadataBuilder, RpcStatus, RpcStatusCode};

use crate::bearer_token::BearerToken;
use crate::channel::core_channel::Sent;

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

    /// Returns what a blocking RPC sends, with the channel's token.
    pub(super) fn into_sent(self, token: Option<&BearerToken>) -> grpcio::Result<Sent> {
        let metadata = match token {
            Some(token) => Some(with_token(self.metadata, token)?),
            None => self.metadata,
        };
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

fn with_token(metadata: Option<Metadata>, token: &BearerToken) -> grpcio::Result<Metadata> {
    let entries = || metadata.iter().flat_map(Metadata::iter);
    let mut builder = MetadataBuilder::with_capacity(entries().count() + 1);
    if !entries().any(|(key, _)| key == AUTHORIZATION) {
        builder.add_str(AUTHORIZATION, &format!("Bearer {}", token.as_str()))?;
    }
    for (key, value) in entries() {
        if key.ends_with("-bin") {
            builder.add_bytes(key, value)?;
        } else {
            // The builder took it as a string.
            builder.add_str(key, &String::from_utf8_lossy(value))?;
        }
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(metadata: &Metadata) -> Vec<(&str, &[u8])> {
        metadata.iter().collect()
    }

    #[test]
    fn the_token_is_sent_beside_the_metadata_of_the_rpc() {
        let token = BearerToken::new("0123456789abcdef").unwrap();
        let bearer = ("authorization", &b"Bearer 0123456789abcdef"[..]);
        assert_eq!(entries(&with_token(None, &token).unwrap()), [bearer]);
        let mut own = MetadataBuilder::new();
        own.add_str("hand", "left").unwrap().add_bytes("raw-bin", b"\0\xff").unwrap();
        let metadata = with_token(Some(own.build()), &token).unwrap();
        assert_eq!(entries(&metadata), [bearer, ("hand", b"left"), ("raw-bin", b"\0\xff")]);
    }

    #[test]
    fn the_metadata_of_an_rpc_may_replace_the_token() {
        let token = BearerToken::new("0123456789abcdef").unwrap();
        let mut own = MetadataBuilder::new();
        own.add_str("Authorization", "Basic abc").unwrap();
        let metadata = with_token(Some(own.build()), &token).unwrap();
        assert_eq!(entries(&metadata), [("authorization", &b"Basic abc"[..])]);
    }
}
