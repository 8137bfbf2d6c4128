//! Packed fields of a fixed width, copied in bulk: rust-protobuf reads them one element at a time.

use std::io::{BufRead, Read};

use protobuf::{CodedInputStream, Result};

use super::malformed;

/// Maximum number of bytes to reserve before they have arrived.
const MAX_RESERVED: u64 = 1024 * 1024;

/// A number with a fixed width in messages, the same as in memory.
pub trait Fixed: Copy {
    /// Its bytes.
    type Bytes: Copy + Default + AsMut<[u8]> + for<'a> TryFrom<&'a [u8]>;

    /// The number with these bytes, the lowest first.
    fn from_bytes(bytes: Self::Bytes) -> Self;
}

macro_rules! fixed {
    ($($number:ty),+) => {
        $(impl Fixed for $number {
            type Bytes = [u8; size_of::<$number>()];

            fn from_bytes(bytes: Self::Bytes) -> $number {
                <$number>::from_le_bytes(bytes)
            }
        })+
    };
}

fixed!(u32, i32, f32, u64, i64, f64);

/// Appends a packed field of `fixed32`, `sfixed32`, `float`, `fixed64`, `sfixed64` or `double`.
///
/// # Errors
///
/// A length that is longer than the message, or no whole number of elements.
pub fn read_packed_fixed<T: Fixed>(is: &mut CodedInputStream<'_>, target: &mut Vec<T>) -> Result<()> {
    let length = is.read_raw_varint64()?;
    let old_limit = is.push_limit(length)?;
    let size = size_of::<T>();
    if length % size as u64 != 0 {
        return Err(malformed(format!(
            "a packed field of {length} bytes holds no whole number of {size}-byte elements"
        )));
    }
    // At most MAX_RESERVED, so it fits.
    target.reserve(length.min(MAX_RESERVED) as usize / size);
    loop {
        let arrived = is.fill_buf()?;
        if arrived.is_empty() {
            break;
        }
        let elements = arrived.chunks_exact(size);
        let copied = arrived.len() - elements.remainder().len();
        // Every chunk has the size, or it would not be one: the compiler sees that too, and copies.
        target.extend(elements.map(|bytes| T::from_bytes(bytes.try_into().unwrap_or_default())));
        is.consume(copied);
        if copied == 0 {
            // An element in two of the connection's buffers.
            let mut bytes = T::Bytes::default();
            Read::read_exact(is, bytes.as_mut())?;
            target.push(T::from_bytes(bytes));
        }
    }
    if is.bytes_until_limit() != 0 {
        return Err(malformed("the message ends inside a packed field"));
    }
    is.pop_limit(old_limit);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Input that comes in pieces, as it does from a connection.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let read = self.fill_buf()?.read(target)?;
            self.consume(read);
            Ok(read)
        }
    }

    impl BufRead for Pieces<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            Ok(self.0.first().copied().unwrap_or_default())
        }

        fn consume(&mut self, count: usize) {
            if let Some(first) = self.0.first_mut() {
                *first = &first[count..];
                if first.is_empty() {
                    self.0.remove(0);
                }
            }
        }
    }

    fn read<T: Fixed>(bytes: &[u8]) -> Result<Vec<T>> {
        let mut target = Vec::new();
        read_packed_fixed(&mut CodedInputStream::from_bytes(bytes), &mut target)?;
        Ok(target)
    }

    #[test]
    fn elements_of_each_kind_are_read_the_lowest_byte_first() {
        assert_eq!(read::<u32>(&[4, 1, 2, 0, 0x80]).unwrap(), [0x8000_0201]);
        assert_eq!(read::<i32>(&[8, 0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0]).unwrap(), [-1, 5]);
        assert_eq!(read::<f32>(&[4, 0, 0, 0, 0x80]).unwrap()[0].to_bits(), (-0.0_f32).to_bits());
        assert_eq!(read::<u64>(&[8, 1, 0, 0, 0, 0, 0, 0, 1]).unwrap(), [0x0100_0000_0000_0001]);
        assert_eq!(read::<i64>(&[8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap(), [-2]);
        assert_eq!(read::<f64>(&[8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]).unwrap(), [1.0]);
        assert!(read::<i32>(&[0]).unwrap().is_empty());
    }

    #[test]
    fn elements_are_appended_and_what_follows_is_left() {
        let mut target = vec![7];
        let mut is = CodedInputStream::from_bytes(&[4, 1, 0, 0, 0, 0x2a]);
        read_packed_fixed::<i32>(&mut is, &mut target).unwrap();
        assert_eq!(target, [7, 1]);
        assert_eq!(is.read_raw_byte().unwrap(), 0x2a);
    }

    #[test]
    fn it_does_not_matter_into_which_pieces_the_input_falls() {
        let numbers: Vec<i32> = (0..30).map(|number| number * 0x0102_0305).collect();
        let mut bytes = vec![120];
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        for size in 1..=bytes.len() {
            let mut pieces = Pieces(bytes.chunks(size).collect());
            let mut is = CodedInputStream::from_buf_read(&mut pieces);
            let mut target = Vec::<i32>::new();
            read_packed_fixed(&mut is, &mut target).unwrap();
            assert_eq!(target, numbers, "{size}");
        }
    }

    #[test]
    fn a_length_that_is_no_whole_number_of_elements_is_refused() {
        let error = read::<i32>(&[5, 1, 0, 0, 0, 0]).unwrap_err();
        assert_eq!(error.to_string(), "a packed field of 5 bytes holds no whole number of 4-byte elements");
    }

    #[test]
    fn a_field_longer_than_its_message_is_refused_without_much_room_for_it() {
        let mut target = Vec::<i32>::new();
        // 2^62 bytes
        let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 1, 0, 0, 0];
        let error = read_packed_fixed(&mut CodedInputStream::from_bytes(&huge), &mut target).unwrap_err();
        assert_eq!(error.to_string(), "the message ends inside a packed field");
        assert!(target.capacity() as u64 <= MAX_RESERVED);

        let mut target = Vec::<i32>::new();
        let mut is = CodedInputStream::from_bytes(&huge);
        is.push_limit(huge.len() as u64).unwrap();
        assert!(read_packed_fixed(&mut is, &mut target).is_err());
        assert_eq!(target.capacity(), 0);

        assert!(read::<i32>(&[8, 1, 0, 0, 0, 5, 0]).is_err());
    }
}
