//! Options, and values as they are written in text.
//!
//! Custom options are extensions, which a descriptor holds as unknown fields. Their names and
//! types are in other files, so the text has a comment with their number in their place.

use protobuf::MessageFull;
use protobuf::reflect::{ReflectFieldRef, ReflectValueRef};

use super::writer::{Writer, quoted};

/// protoc sets it for the entries of maps, and nobody can write it.
const MAP_ENTRY: &str = "map_entry";

/// Something between brackets after a field: an option or a comment.
enum Item {
    Option(String),
    Unknown(u32),
}

impl Writer {
    /// A statement for each option.
    pub fn option_statements<M: MessageFull>(&mut self, options: &M) {
        for item in self.items(options) {
            match item {
                Item::Option(option) => self.line(&format!("option {option};")),
                Item::Unknown(number) => self.line(&format!("// The custom option {number} is left out.")),
            }
        }
    }

    /// The options between brackets.
    pub fn inline_options<M: MessageFull>(&mut self, options: &M) -> Vec<String> {
        let mut inline = Vec::new();
        for item in self.items(options) {
            match item {
                Item::Option(option) => inline.push(option),
                // A line above: brackets with nothing but a comment in them are no text.
                Item::Unknown(number) => self.line(&format!("// The custom option {number} is left out.")),
            }
        }
        inline
    }

    fn items<M: MessageFull>(&mut self, options: &M) -> Vec<Item> {
        let mut items = Vec::new();
        for field in M::descriptor().fields() {
            match field.get_reflect(options) {
                ReflectFieldRef::Optional(value) => {
                    if let Some(value) = value.value().filter(|_| field.name() != MAP_ENTRY) {
                        items.push(Item::Option(format!("{} = {}", field.name(), self.value(&value))));
                    }
                }
                // `uninterpreted_option`: the parser has interpreted them.
                ReflectFieldRef::Repeated(values) if values.is_empty() => {}
                _ => self.malformed(format!("options with the field `{}`", field.name())),
            }
        }
        let mut unknown: Vec<u32> =
            options.special_fields().unknown_fields().iter().map(|(number, _)| number).collect();
        unknown.sort_unstable();
        unknown.dedup();
        items.extend(unknown.into_iter().map(Item::Unknown));
        items
    }

    fn value(&mut self, value: &ReflectValueRef<'_>) -> String {
        match value {
            ReflectValueRef::Bool(value) => value.to_string(),
            ReflectValueRef::String(value) => quoted(value),
            ReflectValueRef::Enum(descriptor, number) => match descriptor.value_by_number(*number) {
                Some(value) => value.name().to_owned(),
                None => {
                    self.malformed(format!("{number} as a `{}`", descriptor.name()));
                    String::new()
                }
            },
            // The options of descriptor.proto have no other types.
            other => {
                self.malformed(format!("an option with the value {other:?}"));
                String::new()
            }
        }
    }
}

/// ` [a = 1, b = 2]`, or nothing.
pub(super) fn bracketed(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) }
}
