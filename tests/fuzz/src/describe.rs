//! Writes a message as text that is equal for equal messages: by field number, floats by their bits, maps sorted.

use std::fmt::Write;

use protobuf::MessageDyn;
use protobuf::reflect::{FieldDescriptor, ReflectValueRef, RuntimeFieldType, RuntimeType};

/// Returns the text of a message, whose type may be of any generated code.
pub fn describe(message: &dyn MessageDyn) -> String {
    let mut text = String::from("{");
    for field in message.descriptor_dyn().fields() {
        let value = field_value(message, &field);
        if !value.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(text, "{}:{value} ", field.number());
        }
    }
    text + "}"
}

fn field_value(message: &dyn MessageDyn, field: &FieldDescriptor) -> String {
    match field.runtime_field_type() {
        RuntimeFieldType::Singular(RuntimeType::Message(_)) if !field.has_field(message) => String::new(),
        RuntimeFieldType::Singular(RuntimeType::Message(_)) => describe(&*field.get_message(message)),
        // A zero may be present, and a negative one counts.
        RuntimeFieldType::Singular(_) => {
            let is_present = if field.has_field(message) { "+" } else { "" };
            format!("{}{is_present}", value(field.get_singular_field_or_default(message)))
        }
        RuntimeFieldType::Repeated(_) => {
            field.get_repeated(message).into_iter().map(|each| value(each) + ",").collect()
        }
        RuntimeFieldType::Map(..) => {
            let map = field.get_map(message);
            let mut entries: Vec<_> = (&map).into_iter().map(|(k, v)| value(k) + "=" + &value(v) + ",").collect();
            entries.sort_unstable();
            entries.concat()
        }
    }
}

fn value(value: ReflectValueRef<'_>) -> String {
    match value {
        ReflectValueRef::F32(number) => format!("{:08x}", number.to_bits()),
        ReflectValueRef::F64(number) => format!("{:016x}", number.to_bits()),
        ReflectValueRef::Message(message) => describe(&*message),
        ReflectValueRef::Enum(_, number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
