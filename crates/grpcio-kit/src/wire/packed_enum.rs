//! Encoding of packed enums.

use protobuf::rt::{WireType, compute_raw_varint64_size, tag_size};
use protobuf::{CodedOutputStream, Enum, EnumOrUnknown, Result};

/// Returns the size of a packed field of enums, with its tag and length.
pub fn packed_enum_size<E: Enum>(field_number: u32, values: &[EnumOrUnknown<E>]) -> u64 {
    if values.is_empty() {
        return 0;
    }
    let length = length(values);
    tag_size(field_number) + compute_raw_varint64_size(length) + length
}

/// Writes a packed field of enums.
///
/// # Errors
///
/// What the stream fails with.
pub fn write_packed_enum<E: Enum>(
    os: &mut CodedOutputStream<'_>,
    field_number: u32,
    values: &[EnumOrUnknown<E>],
) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    os.write_tag(field_number, WireType::LengthDelimited)?;
    os.write_raw_varint64(length(values))?;
    values.iter().try_for_each(|value| os.write_int32_no_tag(value.value()))
}

/// The size of the elements. A negative number is sign-extended to 64 bits: ten bytes.
fn length<E: Enum>(values: &[EnumOrUnknown<E>]) -> u64 {
    values.iter().map(|value| compute_raw_varint64_size(i64::from(value.value()) as u64)).sum()
}
