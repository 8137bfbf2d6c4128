//! A reference for decoding: rewrites a message so that rust-protobuf's own decoder does with it what the specification
//! demands.
//!
//! It leaves out unknown fields and groups, cuts varints to the width of their type, and puts the parts of a message field
//! that occurs several times together. `grpcio_kit::wire` does the same while it decodes; this is simple and slow.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::LazyLock;

use protobuf::descriptor::field_descriptor_proto::{Label, Type};
use protobuf::descriptor::{DescriptorProto, FieldDescriptorProto};
use protobuf::{CodedInputStream, CodedOutputStream, Message};

use crate::messages::plain;

/// The maximum depth of messages inside each other, and of unknown groups.
const MAX_DEPTH: usize = 100;

/// All messages, nested ones and entries of maps included, by full name with a leading dot.
static TYPES: LazyLock<HashMap<String, DescriptorProto>> = LazyLock::new(|| {
    let mut types = HashMap::new();
    for file in [
        plain::kinds::file_descriptor(),
        plain::shapes::file_descriptor(),
        plain::calc::file_descriptor(),
        plain::calc_batch::file_descriptor(),
    ] {
        add(&format!(".{}", file.proto().package()), &file.proto().message_type, &mut types);
    }
    types
});

fn add(scope: &str, messages: &[DescriptorProto], types: &mut HashMap<String, DescriptorProto>) {
    for message in messages {
        let name = format!("{scope}.{}", message.name());
        add(&name, &message.nested_type, types);
        types.insert(name, message.clone());
    }
}

thread_local!(static OVERLONG: Cell<bool> = const { Cell::new(false) });

/// Whether a length of more than five bytes was met since the last call.
pub fn met_overlong_length() -> bool {
    OVERLONG.take()
}

/// Returns the rewritten message, or `None` if it is malformed.
pub fn rewrite(bytes: &[u8], type_name: &str) -> Option<Vec<u8>> {
    rewrite_at(bytes, type_name, 0)
}

/// The parts of a singular message field so far, rewritten.
struct Pending<'a> {
    field: &'a FieldDescriptorProto,
    parts: Vec<u8>,
    /// Whether there is more than one.
    several: bool,
}

fn rewrite_at(bytes: &[u8], type_name: &str, depth: usize) -> Option<Vec<u8>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let message = TYPES.get(type_name)?;
    let mut rest = bytes;
    let mut output = Vec::new();
    let mut pending: Vec<Pending<'_>> = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        let tag = tag(&mut rest)?;
        let known = message.field.iter().find(|field| field.number() as u32 == tag >> 3);
        let field = known.filter(|field| fits(field, tag & 7));
        let Some(field) = field else {
            skip(tag, &mut rest)?;
            continue;
        };
        if let Some(oneof) = oneof(field) {
            // The last member counts; a message is merged with itself only.
            pending.retain(|other| self::oneof(other.field) != Some(oneof) || other.field.number == field.number);
        }
        if field.type_() == Type::TYPE_MESSAGE {
            let part = rewrite_at(delimited(&mut rest)?, field.type_name(), depth + 1)?;
            if field.label() == Label::LABEL_REPEATED {
                write(&mut output, field, &part)?;
            } else if let Some(pending) = pending.iter_mut().find(|other| other.field.number == field.number) {
                pending.parts.extend(part);
                pending.several = true;
            } else {
                pending.push(Pending { field, parts: part, several: false });
            }
        } else if is_varint(field) && tag & 7 == 0 {
            let value = cut(field, varint(&mut rest)?);
            output.extend(encoded(|os| os.write_uint64(field.number() as u32, value))?);
        } else if is_varint(field) {
            let mut packed = delimited(&mut rest)?;
            while !packed.is_empty() {
                let value = cut(field, varint(&mut packed)?);
                output.extend(encoded(|os| os.write_uint64(field.number() as u32, value))?);
            }
        } else {
            if field.type_() == Type::TYPE_STRING {
                // Of a member of a oneof, too, that a later one replaces.
                std::str::from_utf8(delimited(&mut &*rest)?).ok()?;
            }
            skip(tag, &mut rest)?;
            let content = &start[..start.len() - rest.len()];
            output.extend_from_slice(content);
        }
    }
    for Pending { field, parts, several } in pending {
        // Once more, for what is inside several parts.
        let merged = if several { rewrite_at(&parts, field.type_name(), depth + 1)? } else { parts };
        write(&mut output, field, &merged)?;
    }
    Some(output)
}

fn write(output: &mut Vec<u8>, field: &FieldDescriptorProto, message: &[u8]) -> Option<()> {
    output.extend(encoded(|os| os.write_bytes(field.number() as u32, message))?);
    Some(())
}

fn encoded(write: impl FnOnce(&mut CodedOutputStream<'_>) -> protobuf::Result<()>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut os = CodedOutputStream::vec(&mut bytes);
    write(&mut os).and_then(|()| os.flush()).ok()?;
    drop(os);
    Some(bytes)
}

/// A oneof of the `.proto` file, which `optional` is not.
fn oneof(field: &FieldDescriptorProto) -> Option<i32> {
    field.oneof_index.filter(|_| !field.proto3_optional())
}

fn is_varint(field: &FieldDescriptorProto) -> bool {
    wire_type(field) == 0
}

fn wire_type(field: &FieldDescriptorProto) -> u32 {
    use Type::{
        TYPE_BYTES, TYPE_DOUBLE, TYPE_FIXED32, TYPE_FIXED64, TYPE_FLOAT, TYPE_MESSAGE, TYPE_SFIXED32, TYPE_SFIXED64,
        TYPE_STRING,
    };
    match field.type_() {
        TYPE_DOUBLE | TYPE_FIXED64 | TYPE_SFIXED64 => 1,
        TYPE_STRING | TYPE_BYTES | TYPE_MESSAGE => 2,
        TYPE_FLOAT | TYPE_FIXED32 | TYPE_SFIXED32 => 5,
        _ => 0,
    }
}

/// Repeated numbers may be packed or not, whatever the file says.
fn fits(field: &FieldDescriptorProto, sent: u32) -> bool {
    sent == wire_type(field) || (sent == 2 && field.label() == Label::LABEL_REPEATED)
}

/// The bits of a varint that count.
fn cut(field: &FieldDescriptorProto, value: u64) -> u64 {
    match field.type_() {
        Type::TYPE_INT64 | Type::TYPE_UINT64 | Type::TYPE_SINT64 => value,
        Type::TYPE_BOOL => u64::from(value != 0),
        // Negative ones have ten bytes, as rust-protobuf demands.
        Type::TYPE_INT32 | Type::TYPE_ENUM => value as i32 as u64,
        _ => u64::from(value as u32),
    }
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut is = CodedInputStream::from_bytes(rest);
    let value = is.read_raw_varint64().ok()?;
    *rest = &rest[is.pos() as usize..];
    Some(value)
}

/// A tag has five bytes at most.
fn tag(rest: &mut &[u8]) -> Option<u32> {
    let before = rest.len();
    let tag = u32::try_from(varint(rest)?).ok()?;
    (before - rest.len() <= 5 && tag >> 3 != 0).then_some(tag)
}

fn delimited<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let before = rest.len();
    let length = usize::try_from(varint(rest)?).ok()?;
    if before - rest.len() > 5 {
        // rust-protobuf accepts or refuses it, as its buffers fall.
        OVERLONG.set(true);
    }
    let (content, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(content)
}

/// Skips the field that a tag began; a group with everything in it.
fn skip(tag: u32, rest: &mut &[u8]) -> Option<()> {
    skip_at(tag, rest, 1)
}

fn skip_at(tag: u32, rest: &mut &[u8], depth: usize) -> Option<()> {
    match tag & 7 {
        0 => drop(varint(rest)?),
        1 => *rest = rest.get(8..)?,
        2 => drop(delimited(rest)?),
        3 if depth <= MAX_DEPTH => loop {
            let inner = self::tag(rest)?;
            if inner & 7 == 4 {
                return (inner >> 3 == tag >> 3).then_some(());
            }
            skip_at(inner, rest, depth + 1)?;
        },
        5 => *rest = rest.get(4..)?,
        _ => return None,
    }
    Some(())
}

/// Decodes with rust-protobuf alone what [`rewrite`] has rewritten.
pub fn decode<M: Message>(bytes: &[u8], type_name: &str) -> Option<M> {
    M::parse_from_bytes(&rewrite(bytes, type_name)?).ok()
}
