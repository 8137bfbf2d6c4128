//! The `traceparent` header of [W3C Trace Context, level 1](https://www.w3.org/TR/trace-context-1/#traceparent-header).

/// A valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceParent<'a> {
    /// 32 hexadecimal digits.
    pub trace_id: &'a str,
    /// 16 hexadecimal digits: the client's span.
    pub parent_id: &'a str,
}

impl<'a> TraceParent<'a> {
    /// Parses `version-trace_id-parent_id-flags`; of later versions, only this part, which the specification keeps.
    pub fn parse(value: &'a [u8]) -> Option<TraceParent<'a>> {
        let mut parts = std::str::from_utf8(value).ok()?.splitn(5, '-');
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let mut hex = |length| parts.next().filter(|part| part.len() == length && part.bytes().all(is_digit));
        let (version, trace_id, parent_id, _flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let has_more = parts.next().is_some();
        let is_set = |id: &str| id.bytes().any(|digit| digit != b'0');
        let valid = version != "ff" && !(version == "00" && has_more) && is_set(trace_id) && is_set(parent_id);
        valid.then_some(TraceParent { trace_id, parent_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn parse(value: &str) -> Option<TraceParent<'_>> {
        TraceParent::parse(value.as_bytes())
    }

    #[test]
    fn a_valid_header_is_parsed() {
        for rest in ["00", "01", "ff"] {
            let value = format!("00-{TRACE}-{PARENT}-{rest}");
            assert_eq!(parse(&value), Some(TraceParent { trace_id: TRACE, parent_id: PARENT }));
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
        assert_eq!(TraceParent::parse(&[0xff; 55]), None);
    }
}
