//! The `traceparent` header of [W3C Trace Context, level 1](https://www.w3.org/TR/trace-context-1/#traceparent-header).

use std::fmt::{self, Display, Formatter};

/// The metadata key.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// A span of a distributed trace: what a client tells a server of the RPC it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace, not 0.
    pub trace_id: u128,
    /// The span in it, not 0.
    pub span_id: u64,
    /// Whether the span is recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// Parses `version-trace_id-span_id-flags`; of later versions, only this part, which the specification keeps. `None` if
    /// it is invalid.
    pub fn parse(traceparent: &[u8]) -> Option<TraceContext> {
        let mut parts = std::str::from_utf8(traceparent).ok()?.splitn(5, '-');
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let mut hex = |length| parts.next().filter(|part| part.len() == length && part.bytes().all(is_digit));
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let has_more = parts.next().is_some();
        let context = TraceContext {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        let valid = version != "ff" && !(version == "00" && has_more) && context.trace_id != 0 && context.span_id != 0;
        valid.then_some(context)
    }
}

/// The value of `traceparent`.
impl Display for TraceContext {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn parse(value: &str) -> Option<TraceContext> {
        TraceContext::parse(value.as_bytes())
    }

    #[test]
    fn a_valid_header_is_parsed_and_written_as_it_was() {
        for (flags, sampled) in [("00", false), ("01", true), ("fe", false), ("ff", true)] {
            let context = parse(&format!("00-{TRACE}-{PARENT}-{flags}")).unwrap();
            let expected = TraceContext {
                trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
                span_id: 0x00f0_67aa_0ba9_02b7,
                sampled,
            };
            assert_eq!(context, expected);
            assert_eq!(context.to_string(), format!("00-{TRACE}-{PARENT}-0{}", u8::from(sampled)));
        }
    }

    #[test]
    fn of_a_later_version_the_known_part_is_parsed() {
        for (version, rest, valid) in [("01", "", true), ("cc", "-what-ever", true), ("cc", ".what", false)] {
            assert_eq!(parse(&format!("{version}-{TRACE}-{PARENT}-01{rest}")).is_some(), valid);
        }
    }

    #[test]
    fn an_invalid_header_is_ignored() {
        let valid = format!("00-{TRACE}-{PARENT}-01");
        for end in 0..valid.len() {
            assert_eq!(parse(&valid[..end]), None);
        }
        for value in [
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-x"),
            format!("00-{TRACE}-{PARENT}-01 "),
            format!("00-{}-{PARENT}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{PARENT}-0g"),
            format!("00_{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}--{}-01", &PARENT[1..]),
            format!("é{}", &valid[2..]),
        ] {
            assert_eq!(parse(&value), None, "{value}");
        }
        assert_eq!(TraceContext::parse(&[0xff; 55]), None);
    }
}
