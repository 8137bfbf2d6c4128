//! Fields that a message does not have: skipped, where rust-protobuf keeps each in a hash map.

use protobuf::{CodedInputStream, Result};

use super::{malformed, read_tag};

/// Maximum depth of nested groups in an unknown field. The same number limits nested
/// messages in rust-protobuf and in C++.
const MAX_OPEN_GROUPS: usize = 100;

/// Skips the field that `tag` began: one that the message does not have, or has with another
/// wire type.
///
/// # Errors
///
/// A field number of 0, a wire type that does not exist, a group that does not end with its own
/// tag, more than 100 groups inside each other, or the end of the message inside the field.
pub fn skip_unknown(tag: u32, is: &mut CodedInputStream<'_>) -> Result<()> {
    let mut tag = tag;
    // The field numbers of the open groups. Not recursive: the sender would choose the depth of the stack.
    let mut open_groups = Vec::new();
    loop {
        let (number, wire_type) = (tag >> 3, tag & 7);
        if number == 0 {
            return Err(malformed("field number 0"));
        }
        match wire_type {
            0 => drop(is.read_raw_varint64()?),
            1 => drop(is.read_fixed64()?),
            2 => {
                let length = is.read_raw_varint32()?;
                is.skip_raw_bytes(length)?;
            }
            3 if open_groups.len() == MAX_OPEN_GROUPS => {
                return Err(malformed(format!("more than {MAX_OPEN_GROUPS} groups inside each other")));
            }
            3 => open_groups.push(number),
            4 if open_groups.pop() == Some(number) => {}
            4 => return Err(malformed(format!("field {number} ends a group that is not open"))),
            5 => drop(is.read_fixed32()?),
            _ => return Err(malformed(format!("field {number} has wire type {wire_type}, which does not exist"))),
        }
        if open_groups.is_empty() {
            return Ok(());
        }
        tag = read_tag(is)?.ok_or_else(|| malformed("the message ends inside a group"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(bytes: &[u8]) -> Result<()> {
        let mut is = CodedInputStream::from_bytes(bytes);
        is.push_limit(bytes.len() as u64)?;
        let tag = is.read_raw_tag_or_eof()?.expect("a tag");
        skip_unknown(tag, &mut is)?;
        assert_eq!(is.bytes_until_limit(), 0, "bytes left over");
        Ok(())
    }

    #[test]
    fn unknown_fields_of_each_wire_type_are_skipped() {
        skip(&[0x08, 0x96, 0x01]).unwrap();
        skip(&[0x09, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        skip(&[0x0a, 2, 0xff, 0xff]).unwrap();
        skip(&[0x0d, 1, 2, 3, 4]).unwrap();
        // Group 1 { group 2 {} 3: "ab" }
        skip(&[0x0b, 0x13, 0x14, 0x1a, 2, b'a', b'b', 0x0c]).unwrap();
    }

    #[test]
    fn malformed_unknown_fields_are_refused() {
        for (bytes, reason) in [
            (&[0x0b, 0x14][..], "field 2 ends a group that is not open"),
            (&[0x0c], "field 1 ends a group that is not open"),
            (&[0x0b, 0x08, 0x01], "the message ends inside a group"),
            (&[0x00, 0x01], "field number 0"),
            (&[0x0e], "field 1 has wire type 6, which does not exist"),
            (&[0x0f], "field 1 has wire type 7, which does not exist"),
            (&[0x0b, 0x02], "field number 0"),
        ] {
            assert_eq!(skip(bytes).unwrap_err().to_string(), reason, "{bytes:?}");
        }
        for truncated in [&[0x08, 0x80][..], &[0x09, 1], &[0x0a, 2, 1], &[0x0d, 1]] {
            assert!(skip(truncated).is_err(), "{truncated:?}");
        }
    }

    #[test]
    fn a_hundred_groups_may_be_open_and_no_more() {
        let nested = |depth| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        skip(&nested(100)).unwrap();
        let error = skip(&nested(101)).unwrap_err();
        assert_eq!(error.to_string(), "more than 100 groups inside each other");
    }
}
