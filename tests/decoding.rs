//! Encoding and decoding of generated messages.

use grpcio_kit::wire;
use protobuf::{EnumOrUnknown, Message, MessageField};

use crate::protos::kinds::every::{Choice, Level, Nested};
use crate::protos::kinds::{Every, Type, type_};

/// 2^64 - 1, in ten bytes.
const WIDE: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

fn decode(bytes: &[u8]) -> protobuf::Result<Every> {
    wire::decode(&mut &*bytes, bytes.len())
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field of wire type 0, 1 or 5.
fn field(number: u64, wire_type: u64, value: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | wire_type), value].concat()
}

/// A field of wire type 2.
fn delimited(number: u64, value: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

#[test]
fn negative_zero_is_encoded_and_zero_is_not() {
    let message = Every { a_float: -0.0, a_double: -0.0, ..Every::default() };
    let bytes = message.write_to_bytes().unwrap();
    assert_eq!(bytes.len(), 9 + 5);
    let message = decode(&bytes).unwrap();
    assert_eq!(message.a_float.to_bits(), (-0.0_f32).to_bits());
    assert_eq!(message.a_double.to_bits(), (-0.0_f64).to_bits());
    assert_eq!(Every::default().write_to_bytes().unwrap(), [0u8; 0]);
    let message = Every { a_float: f32::NAN, ..Every::default() };
    assert!(decode(&message.write_to_bytes().unwrap()).unwrap().a_float.is_nan());
}

/// rust-protobuf counts five bytes for it, and writes ten.
#[test]
fn a_packed_enum_with_a_negative_number_is_encoded_as_it_is_decoded() {
    let levels = vec![EnumOrUnknown::from_i32(-1), Level::HIGH.into(), EnumOrUnknown::from_i32(i32::MIN)];
    let message = Every { levels, an_int32: 7, ..Every::default() };
    let bytes = message.write_to_bytes().unwrap();
    assert_eq!(bytes.len() as u64, message.compute_size());
    assert_eq!(bytes[..3], [0x18, 7, 0xc2]);
    assert_eq!(decode(&bytes).unwrap(), message);
}

/// rust-protobuf accepts the longer one at the end of its buffer, and refuses it before other fields.
#[test]
fn a_tag_has_at_most_five_bytes_wherever_the_input_ends() {
    let an_int32 = |tag: &[u8], after: usize| decode(&[tag, &[1], &[0x18, 1].repeat(after)].concat());
    for after in 0..10 {
        assert_eq!(an_int32(&[0x98, 0x80, 0x80, 0x80, 0x00], after).unwrap().an_int32, 1);
        assert!(an_int32(&[0x98, 0x80, 0x80, 0x80, 0x80, 0x00], after).is_err(), "{after}");
    }
}

#[test]
fn wide_varints_are_truncated_in_every_kind_of_field() {
    let low = Some(EnumOrUnknown::from_i32(-1));
    let bytes = |numbers: [u64; 5]| numbers.map(|number| field(number, 0, &WIDE)).concat();

    let message = decode(&bytes([3, 5, 7, 13, 16])).unwrap();
    assert_eq!((message.an_int32, message.a_uint32, message.a_sint32), (-1, u32::MAX, i32::MIN));
    assert_eq!((message.a_bool, Some(message.level)), (true, low));

    let message = decode(&bytes([23, 25, 27, 33, 36])).unwrap();
    assert_eq!((message.optional_int32, message.optional_uint32), (Some(-1), Some(u32::MAX)));
    assert_eq!((message.optional_sint32, message.optional_bool), (Some(i32::MIN), Some(true)));
    assert_eq!(message.optional_level, low);

    // Packed fields accept unpacked elements, and the other way round.
    for base in [40, 60] {
        let unpacked = bytes([base + 3, base + 5, base + 7, base + 13, base + 16]);
        let packed = [3, 5, 7, 13, 16].map(|number| delimited(base + number, &[WIDE, WIDE].concat())).concat();
        let mut message = decode(&[unpacked, packed].concat()).unwrap();
        if base == 60 {
            message.int32s = message.unpacked_int32s;
            message.uint32s = message.unpacked_uint32s;
            message.sint32s = message.unpacked_sint32s;
            message.bools = message.unpacked_bools;
            message.levels = message.unpacked_levels;
        }
        assert_eq!(message.int32s, [-1; 3]);
        assert_eq!(message.uint32s, [u32::MAX; 3]);
        assert_eq!(message.sint32s, [i32::MIN; 3]);
        assert_eq!(message.bools, [true; 3]);
        assert_eq!(message.levels.iter().map(EnumOrUnknown::value).collect::<Vec<_>>(), [-1; 3]);
    }

    let entry = [field(1, 0, &WIDE), field(2, 0, &WIDE)].concat();
    let message = decode(&[81, 83, 86].map(|number| delimited(number, &entry)).concat()).unwrap();
    assert_eq!(message.levels_by_number.get(&-1).copied(), low);
    assert_eq!(message.numbers_by_truth.get(&true), Some(&i32::MIN));
    assert_eq!(message.numbers_by_number.get(&i32::MIN), Some(&u32::MAX));

    for (number, choice) in [
        (91, Choice::ChosenInt32(-1)),
        (92, Choice::ChosenUint32(u32::MAX)),
        (93, Choice::ChosenSint32(i32::MIN)),
        (94, Choice::ChosenBool(true)),
        (95, Choice::ChosenLevel(EnumOrUnknown::from_i32(-1))),
    ] {
        assert_eq!(decode(&field(number, 0, &WIDE)).unwrap().choice, Some(choice));
    }
}

#[test]
fn unknown_fields_are_skipped_and_not_kept() {
    let bytes = [
        field(1000, 0, &WIDE),
        field(1001, 5, &[0; 4]),
        field(1002, 1, &[0; 8]),
        delimited(1003, b"abc"),
        // A group.
        field(1004, 3, &[]),
        field(1, 0, &[1]),
        field(1004, 4, &[]),
        field(3, 0, &[7]),
    ]
    .concat();
    let message = decode(&bytes).unwrap();
    assert_eq!(message, Every { an_int32: 7, ..Every::default() });
    // In a map entry, too.
    let entry = [field(1, 0, &[1]), field(9, 3, &[]), field(9, 4, &[]), field(2, 0, &[1])].concat();
    assert_eq!(decode(&delimited(81, &entry)).unwrap().levels_by_number[&1], Level::HIGH.into());
}

#[test]
fn known_fields_with_another_wire_type_are_skipped() {
    let bytes = [
        field(3, 5, &[1; 4]),
        delimited(3, &[1]),
        field(14, 0, &[1]),
        field(17, 0, &[1]),
        field(43, 5, &[1; 4]),
        field(63, 5, &[1; 4]),
        field(54, 0, &[1]),
        field(57, 1, &[1; 8]),
        field(81, 0, &[1]),
        field(97, 0, &[1]),
    ]
    .concat();
    assert_eq!(decode(&bytes).unwrap(), Every::default());
}

#[test]
fn a_message_field_that_occurs_twice_is_merged() {
    let bytes = [delimited(17, &field(1, 0, &[5])), delimited(17, &delimited(2, b"five"))].concat();
    let nested = decode(&bytes).unwrap().nested;
    assert_eq!((nested.value, &*nested.text), (5, "five"));
}

/// Fuzzing found both: the second part replaced the first.
#[test]
fn a_message_that_occurs_twice_in_a_oneof_or_in_an_entry_of_a_map_is_merged() {
    let twice = |number| [delimited(number, &field(1, 0, &[5])), delimited(number, &delimited(2, b"five"))].concat();
    let expected = Nested { value: 5, text: "five".into(), ..Nested::default() };
    assert_eq!(decode(&twice(97)).unwrap().choice, Some(Choice::ChosenNested(expected.clone())));
    assert_eq!(decode(&delimited(82, &twice(2))).unwrap().nested_by_name[""], expected);
    // A message in a box.
    let boxed = [delimited(98, &field(3, 0, &[5])), delimited(98, &field(4, 0, &[6]))].concat();
    let inner = Every { an_int32: 5, an_int64: 6, ..Every::default() };
    assert_eq!(decode(&boxed).unwrap().choice, Some(Choice::ChosenEvery(Box::new(inner))));
    // Another member between them.
    let replaced = [delimited(97, &field(1, 0, &[5])), field(91, 0, &[1]), delimited(97, &[])].concat();
    assert_eq!(decode(&replaced).unwrap().choice, Some(Choice::ChosenNested(Nested::default())));
}

#[test]
fn malformed_bytes_are_a_decoding_error() {
    for (bytes, what) in [
        (vec![0x00, 0x01], "field number 0"),
        (field(3, 0, &[0x80]), "a truncated varint"),
        (field(3, 0, &[0xff; 11]), "a varint of eleven bytes"),
        (field(1, 4, &[]), "an end of a group without its start"),
        (field(1, 3, &[]), "a group without its end"),
        (field(2, 5, &[0]), "a truncated float"),
        (delimited(14, &[0xff]), "a string that is not UTF-8"),
        ([delimited(17, &[]), vec![0x8a, 0x01, 5]].concat(), "a truncated message"),
        ([varint(43 << 3 | 2), vec![5, 1]].concat(), "a truncated packed field"),
        ([varint(81 << 3 | 2), vec![5, 8, 1]].concat(), "a truncated map entry"),
    ] {
        assert!(decode(&bytes).is_err(), "{what}");
    }
}

#[test]
fn messages_nest_up_to_a_hundred_levels() {
    let nested = |levels| (0..levels).fold(Vec::new(), |inner, _| delimited(99, &inner));
    decode(&nested(100)).unwrap();
    assert!(decode(&nested(101)).is_err());
}

#[test]
fn a_decoded_message_equals_the_encoded_one() {
    let nested = Nested { value: -7, text: "seven".into(), ..Nested::default() };
    let message = Every {
        a_double: 1.5,
        an_int32: i32::MIN,
        an_int64: i64::MIN,
        a_uint64: u64::MAX,
        a_sint64: i64::MIN,
        a_sfixed32: -1,
        some_bytes: vec![0, 255],
        level: Level::HIGH.into(),
        nested: MessageField::some(nested.clone()),
        optional_float: Some(-0.0),
        optional_int32: Some(0),
        floats: vec![0.0, -0.0, 1.0],
        int64s: vec![0, -1, i64::MAX],
        uint64s: vec![u64::MAX, 0],
        sint64s: vec![i64::MIN, 1],
        bools: vec![true, false],
        levels: vec![Level::HIGH.into(), EnumOrUnknown::from_i32(9)],
        nesteds: vec![nested.clone(), Nested::default()],
        unpacked_sint32s: vec![-1, 0, 1],
        nested_by_name: [("seven".to_owned(), nested.clone()), (String::new(), Nested::default())].into(),
        truths_by_number: [(-1, true), (0, false)].into(),
        choice: Some(Choice::ChosenNested(nested)),
        type_: 1,
        r#try: 2,
        r#gen: 3,
        self_: 4,
        ..Every::default()
    };
    assert_eq!(decode(&message.write_to_bytes().unwrap()).unwrap(), message);
    let keyword = Type { nested: MessageField::some(type_::Try { value: 5, ..Default::default() }), ..Type::default() };
    assert_eq!(Type::parse_from_bytes(&keyword.write_to_bytes().unwrap()).unwrap(), keyword);
}
