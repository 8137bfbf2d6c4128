//! Decoding and encoding as the protobuf specification demands, where rust-protobuf differs from it.
//!
//! The code that rust-protobuf generates is rewritten at build time (`crates/grpcio-kit-build/src/conformance.rs`)
//! to call these functions:
//!
//! | rust-protobuf 3.7 | here, as the specification has it |
//! |---|---|
//! | refuses a 32-bit field whose varint needs more than 32 bits | keeps the lower 32 bits |
//! | reserves room for as many packed elements as the length claims | reserves what is there |
//! | reads packed elements of a fixed width one by one | copies them ([`read_packed_fixed`]) |
//! | the second occurrence of a message field replaces the first | is merged into it |
//! | accepts a tag of six to ten bytes, if a buffer ends close behind it | refuses it ([`read_tag`]) |
//! | keeps unknown fields, each in a hash map | skips them |
//! | ends a group at any end-group tag, or at the end of the input | at its own tag only |
//! | accepts a message that ends inside a nested one | refuses it ([`decode`]) |
//! | writes a wrong length before packed enums with a negative number | the right one ([`write_packed_enum`]) |
//!
//! Varints of up to ten bytes are accepted however small the value is; the functions that read one fail on a longer one.
//! Tags have at most five bytes, and 32 bits.

mod fixed;
mod packed_enum;
mod unknown;

use std::io::{self, BufRead};

use protobuf::{CodedInputStream, Enum, EnumOrUnknown, Message, MessageField, Result};

pub use fixed::{Fixed, read_packed_fixed};
pub use packed_enum::{packed_enum_size, write_packed_enum};
pub use unknown::skip_unknown;

/// Maximum length of a tag: five times seven bits.
const MAX_TAG_BYTES: u64 = 5;

/// Decodes a message that consists of the `length` bytes of `bytes`.
///
/// The length makes a truncated field an error: without
/// it, rust-protobuf takes the end of the input for the end of a nested message.
///
/// # Errors
///
/// Bytes that are not a message of this type, or fewer than `length` of them.
pub fn decode<M: Message>(bytes: &mut dyn BufRead, length: usize) -> Result<M> {
    let mut is = CodedInputStream::from_buf_read(bytes);
    is.push_limit(length as u64)?;
    let message = M::parse_from(&mut is)?;
    match is.bytes_until_limit() {
        0 => Ok(message),
        missing => Err(malformed(format!("{missing} of {length} bytes are missing"))),
    }
}

/// Reads a tag, or `None` at the end of the message.
///
/// # Errors
///
/// A tag of more than five bytes or 32 bits.
pub fn read_tag(is: &mut CodedInputStream<'_>) -> Result<Option<u32>> {
    let start = is.pos();
    let tag = is.read_raw_tag_or_eof()?;
    // rust-protobuf accepts ten bytes if they are not all in a buffer that has more.
    if is.pos() - start > MAX_TAG_BYTES {
        return Err(malformed(format!("a tag has more than {MAX_TAG_BYTES} bytes")));
    }
    Ok(tag)
}

/// Reads an `int32`: the lower 32 bits of a varint.
pub fn read_int32(is: &mut CodedInputStream<'_>) -> Result<i32> {
    Ok(is.read_raw_varint64()? as i32)
}

/// Reads a `uint32`: the lower 32 bits of a varint.
pub fn read_uint32(is: &mut CodedInputStream<'_>) -> Result<u32> {
    Ok(is.read_raw_varint64()? as u32)
}

/// Reads a `sint32`: the lower 32 bits of a varint, zigzag encoded.
pub fn read_sint32(is: &mut CodedInputStream<'_>) -> Result<i32> {
    let bits = read_uint32(is)?;
    Ok((bits >> 1) as i32 ^ -((bits & 1) as i32))
}

/// Reads a `bool`: whether any bit of a varint is set.
pub fn read_bool(is: &mut CodedInputStream<'_>) -> Result<bool> {
    Ok(is.read_raw_varint64()? != 0)
}

/// Reads an enum: the lower 32 bits of a varint. A number without a name is kept.
pub fn read_enum_or_unknown<E: Enum>(is: &mut CodedInputStream<'_>) -> Result<EnumOrUnknown<E>> {
    read_int32(is).map(EnumOrUnknown::from_i32)
}

/// Appends a packed field of varints, each read by `read`.
///
/// # Errors
///
/// A length that is longer than the message, or an element that does not end within it.
pub fn read_packed<'a, T>(
    is: &mut CodedInputStream<'a>,
    target: &mut Vec<T>,
    read: impl Fn(&mut CodedInputStream<'a>) -> Result<T>,
) -> Result<()> {
    let length = is.read_raw_varint64()?;
    let old_limit = is.push_limit(length)?;
    // Each varint ends with its only byte below 0x80: the elements that have arrived, not
    // those that a length of a few bytes can claim.
    let arrived = is.fill_buf()?.iter().filter(|byte| **byte < 0x80).count();
    target.reserve(arrived);
    while !is.eof()? {
        target.push(read(is)?);
    }
    if is.bytes_until_limit() != 0 {
        return Err(malformed("the message ends inside a packed field"));
    }
    is.pop_limit(old_limit);
    Ok(())
}

/// Reads a singular message field: merges it into what `target` holds already.
///
/// # Errors
///
/// What the message's own decoding fails with; more than 100 messages inside each other.
pub fn merge_message<M: Message>(is: &mut CodedInputStream<'_>, target: &mut MessageField<M>) -> Result<()> {
    is.merge_message(target.mut_or_insert_default())
}

/// rust-protobuf's error has no public constructor but the one from an I/O error.
pub(super) fn malformed(reason: impl Into<String>) -> protobuf::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into()).into()
}

#[cfg(test)]
mod tests {
    use protobuf::well_known_types::type_::{Field, Type};

    use super::*;

    const U64_MAX: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

    /// Runs `read` on all of `bytes`, which it must consume.
    fn read_all<T>(bytes: &[u8], read: impl Fn(&mut CodedInputStream<'_>) -> Result<T>) -> Result<T> {
        let mut is = CodedInputStream::from_bytes(bytes);
        is.push_limit(bytes.len() as u64)?;
        let value = read(&mut is)?;
        assert_eq!(is.bytes_until_limit(), 0, "bytes left over");
        Ok(value)
    }

    fn message<M: Message>(bytes: &[u8]) -> Result<M> {
        decode(&mut &*bytes, bytes.len())
    }

    #[test]
    fn varints_of_64_bits_are_truncated_to_32() {
        // 2^32 + 5
        let wide = [0x85, 0x80, 0x80, 0x80, 0x10];
        assert_eq!(read_all(&wide, read_int32).unwrap(), 5);
        assert_eq!(read_all(&wide, read_uint32).unwrap(), 5);
        assert_eq!(read_all(&wide, read_sint32).unwrap(), -3);
        assert_eq!(read_all(&U64_MAX, read_int32).unwrap(), -1);
        assert_eq!(read_all(&U64_MAX, read_uint32).unwrap(), u32::MAX);
        assert_eq!(read_all(&U64_MAX, read_sint32).unwrap(), i32::MIN);
    }

    #[test]
    fn a_bool_is_true_if_any_of_64_bits_is_set() {
        assert!(!read_all(&[0], read_bool).unwrap());
        assert!(read_all(&[2], read_bool).unwrap());
        // 2^63
        assert!(read_all(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], read_bool).unwrap());
    }

    #[test]
    fn overlong_varints_of_ten_bytes_are_accepted_and_eleven_are_not() {
        let one = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(read_all(&one, read_int32).unwrap(), 1);
        let too_long = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert!(read_all(&too_long, read_int32).is_err());
    }

    #[test]
    fn the_extremes_of_zigzag_are_read() {
        assert_eq!(read_all(&[0xff, 0xff, 0xff, 0xff, 0x0f], read_sint32).unwrap(), i32::MIN);
        assert_eq!(read_all(&[0xfe, 0xff, 0xff, 0xff, 0x0f], read_sint32).unwrap(), i32::MAX);
    }

    #[test]
    fn packed_elements_are_appended() {
        let mut target = vec![7];
        let mut is = CodedInputStream::from_bytes(&[3, 1, 0x80, 1]);
        read_packed(&mut is, &mut target, read_int32).unwrap();
        assert_eq!(target, [7, 1, 128]);
    }

    #[test]
    fn a_packed_field_longer_than_its_message_is_refused_without_reserving_room_for_it() {
        let mut target = Vec::new();
        let mut is = CodedInputStream::from_bytes(&[0x80, 0xad, 0xe2, 0x04, 1]);
        is.push_limit(5).unwrap();
        assert!(read_packed(&mut is, &mut target, CodedInputStream::read_int64).is_err());
        assert_eq!(target.capacity(), 0);

        // The same without a limit around it: the end of the input is noticed.
        let mut is = CodedInputStream::from_bytes(&[2, 1]);
        let error = read_packed(&mut is, &mut target, CodedInputStream::read_int64).unwrap_err();
        assert_eq!(error.to_string(), "the message ends inside a packed field");
    }

    #[test]
    fn a_packed_element_that_does_not_end_within_the_field_is_refused() {
        let mut target = Vec::new();
        let mut is = CodedInputStream::from_bytes(&[1, 0x80, 0x01]);
        assert!(read_packed(&mut is, &mut target, read_int32).is_err());
    }

    #[test]
    fn a_repeated_singular_message_is_merged() {
        let mut target = MessageField::none();
        for bytes in [&[2, 0x08, 1][..], &[2, 0x18, 2]] {
            let mut is = CodedInputStream::from_bytes(bytes);
            merge_message::<Field>(&mut is, &mut target).unwrap();
        }
        assert_eq!((target.kind.value(), target.number), (1, 2));
    }

    /// rust-protobuf alone takes `[0x12, 50, 0x08, 0x01]` for a type with one field.
    #[test]
    fn a_message_that_ends_inside_a_nested_one_is_refused() {
        assert!(message::<Type>(&[0x12, 50, 0x08, 0x01]).is_err());
        assert_eq!(message::<Type>(&[0x12, 2, 0x08, 0x01]).unwrap().fields.len(), 1);
    }

    #[test]
    fn fewer_bytes_than_announced_are_refused() {
        let error = decode::<Type>(&mut &[0x12, 0][..], 5).unwrap_err();
        assert_eq!(error.to_string(), "3 of 5 bytes are missing");
    }
}
