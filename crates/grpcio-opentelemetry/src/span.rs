//! The span of an RPC.

use std::time::SystemTime;

use grpcio_kit::{Call, Outcome, TraceContext};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// Returns the span of an RPC that ends now.
pub fn of(call: &Call<'_>, outcome: &Outcome<'_>, context: TraceContext, scope: InstrumentationScope) -> SpanData {
    let end = SystemTime::now();
    let parent = call.client_trace_context();
    let (service, method) = (call.method().service(), call.method().name());
    let mut attributes = vec![
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.service", service),
        KeyValue::new("rpc.method", method),
        KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(outcome.code()))),
    ];
    attributes.extend(peer_attributes(&call.peer()));
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(context.trace_id),
            SpanId::from(context.span_id),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.span_id)),
        parent_span_is_remote: parent.is_some(),
        span_kind: SpanKind::Server,
        name: call.method().path().trim_start_matches('/').into(),
        start_time: end.checked_sub(outcome.elapsed).unwrap_or(end),
        end_time: end,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: status(outcome),
        instrumentation_scope: scope,
    }
}

/// `ipv4:127.0.0.1:50000` or `ipv6:%5B::1%5D:50000`, as the C core writes it; of a Unix socket there is nothing to say.
fn peer_attributes(peer: &str) -> Vec<KeyValue> {
    let Some((address, port)) =
        peer.strip_prefix("ipv4:").or_else(|| peer.strip_prefix("ipv6:")).and_then(|peer| peer.rsplit_once(':'))
    else {
        return Vec::new();
    };
    let address = address.trim_start_matches("%5B").trim_end_matches("%5D").to_owned();
    let port = port.parse().ok().map(|port: i64| KeyValue::new("network.peer.port", port));
    [KeyValue::new("network.peer.address", address)].into_iter().chain(port).collect()
}

fn status(outcome: &Outcome<'_>) -> Status {
    match outcome.status {
        Some(status) if status.code().is_server_error() => Status::error(status.message().to_owned()),
        _ => Status::Unset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_an_address_and_a_port() {
        for (peer, address, port) in
            [("ipv4:127.0.0.1:50000", "127.0.0.1", 50_000), ("ipv6:%5B::1%5D:50000", "::1", 50_000)]
        {
            let expected = [KeyValue::new("network.peer.address", address), KeyValue::new("network.peer.port", port)];
            assert_eq!(peer_attributes(peer), expected);
        }
        for peer in ["unix:", "", "unix:/run/calc", "ipv4:"] {
            assert_eq!(peer_attributes(peer), [], "{peer}");
        }
    }
}
