//! Fields and extensions, with the groups and the entries of maps that they bring along.

use std::collections::HashSet;

use protobuf::descriptor::field_descriptor_proto::{Label, Type};
use protobuf::descriptor::{DescriptorProto, FieldDescriptorProto};

use super::options::bracketed;
use super::writer::{Syntax, Writer, quoted};
use crate::rpc::reflection::symbol::join;

/// The largest number that a field can have.
pub(super) const MAX_FIELD_NUMBER: i32 = (1 << 29) - 1;

/// Where a field stands.
pub(super) struct Place<'a> {
    /// The full name of what is around it: a message, or a package.
    pub scope: &'a str,
    /// The messages beside it.
    pub messages: &'a [DescriptorProto],
    /// Whether a oneof is around it; fields in one have no labels.
    pub in_oneof: bool,
}

impl<'a> Place<'a> {
    /// The message that the field itself defines: a group, or the entry of a map.
    pub fn own_message(&self, field: &FieldDescriptorProto) -> Option<&'a DescriptorProto> {
        let short = local_name(field.type_name(), self.scope)?;
        let message = self.messages.iter().find(|message| message.name() == short)?;
        let is_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
        (is_entry || type_of(field) == Some(Type::TYPE_GROUP)).then_some(message)
    }
}

/// The groups among the types of `extensions` in `scope`.
pub(super) fn groups_of_extensions<'a>(extensions: &'a [FieldDescriptorProto], scope: &str) -> HashSet<&'a str> {
    let groups = extensions.iter().filter(|field| type_of(field) == Some(Type::TYPE_GROUP));
    groups.filter_map(|field| local_name(field.type_name(), scope)).collect()
}

/// The name within `scope` of a type, if it is in there.
fn local_name<'a>(type_name: &'a str, scope: &str) -> Option<&'a str> {
    let name = type_name.strip_prefix('.')?;
    if scope.is_empty() { Some(name) } else { name.strip_prefix(scope)?.strip_prefix('.') }
}

fn type_of(field: &FieldDescriptorProto) -> Option<Type> {
    field.type_?.enum_value().ok()
}

impl Writer {
    /// A field, or an extension inside of its `extend`.
    pub fn field(&mut self, field: &FieldDescriptorProto, place: &Place<'_>) {
        let (name, number) = (self.name(field.name()).to_owned(), field.number());
        let options = bracketed(&self.field_options(field));
        let own = place.own_message(field);
        let label = if place.in_oneof { "" } else { self.label(field) };
        match (type_of(field), own) {
            (Some(Type::TYPE_GROUP), Some(group)) => {
                let name = self.name(group.name()).to_owned();
                self.open(&format!("{label}group {name} = {number}{options} {{"));
                self.message_body(group, &join(place.scope, &name));
                self.close("}");
            }
            (Some(Type::TYPE_GROUP), None) => {
                self.malformed(format!("the group `{name}`, which has no message beside it"));
            }
            (_, Some(entry)) => match &entry.field[..] {
                [key, value] => {
                    let (key, value) = (self.type_name(key), self.type_name(value));
                    self.line(&format!("map<{key}, {value}> {name} = {number}{options};"));
                }
                _ => self.malformed(format!("the map `{name}`, whose entry is not a key and a value")),
            },
            (_, None) => {
                let ty = self.type_name(field);
                self.line(&format!("{label}{ty} {name} = {number}{options};"));
            }
        }
    }

    fn label(&self, field: &FieldDescriptorProto) -> &'static str {
        match field.label() {
            Label::LABEL_REPEATED => "repeated ",
            Label::LABEL_REQUIRED => "required ",
            Label::LABEL_OPTIONAL if self.syntax == Syntax::Proto2 || field.proto3_optional() => "optional ",
            Label::LABEL_OPTIONAL => "",
        }
    }

    fn type_name(&mut self, field: &FieldDescriptorProto) -> String {
        let scalar = match type_of(field) {
            Some(Type::TYPE_DOUBLE) => "double",
            Some(Type::TYPE_FLOAT) => "float",
            Some(Type::TYPE_INT64) => "int64",
            Some(Type::TYPE_UINT64) => "uint64",
            Some(Type::TYPE_INT32) => "int32",
            Some(Type::TYPE_FIXED64) => "fixed64",
            Some(Type::TYPE_FIXED32) => "fixed32",
            Some(Type::TYPE_BOOL) => "bool",
            Some(Type::TYPE_STRING) => "string",
            Some(Type::TYPE_BYTES) => "bytes",
            Some(Type::TYPE_UINT32) => "uint32",
            Some(Type::TYPE_SFIXED32) => "sfixed32",
            Some(Type::TYPE_SFIXED64) => "sfixed64",
            Some(Type::TYPE_SINT32) => "sint32",
            Some(Type::TYPE_SINT64) => "sint64",
            // A file that nobody has resolved has no more than the name.
            Some(Type::TYPE_MESSAGE | Type::TYPE_ENUM | Type::TYPE_GROUP) | None => {
                return self.name(field.type_name()).to_owned();
            }
        };
        scalar.to_owned()
    }

    fn field_options(&mut self, field: &FieldDescriptorProto) -> Vec<String> {
        let mut options = Vec::new();
        if field.has_default_value() {
            let value = match type_of(field) {
                Some(Type::TYPE_STRING) => quoted(field.default_value()),
                Some(Type::TYPE_BYTES) => self.escaped(field.default_value()),
                _ => self.plain_value(field.default_value()),
            };
            options.push(format!("default = {value}"));
        }
        // That of an extension follows from its name.
        if field.has_json_name() && !field.has_extendee() && field.json_name() != json_name(field.name()) {
            options.push(format!("json_name = {}", quoted(field.json_name())));
        }
        if let Some(more) = field.options.as_ref() {
            options.extend(self.inline_options(more));
        }
        options
    }

    /// Bytes, which descriptors have in the form that they have in text.
    fn escaped(&mut self, value: &str) -> String {
        let mut is_escaped = false;
        let mut is_text = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        for byte in value.bytes() {
            is_text &= byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
        }
        if !is_text || is_escaped {
            self.malformed(format!("{value:?} as bytes"));
        }
        format!("\"{value}\"")
    }

    /// A number, `true`, `inf`, or the name of an enum value.
    fn plain_value(&mut self, value: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
        if value.is_empty() || !value.bytes().all(is_plain) {
            self.malformed(format!("{value:?} as a default value"));
        }
        value.to_owned()
    }

    /// Extensions, those of the same message together.
    pub fn extensions(&mut self, extensions: &[FieldDescriptorProto], place: &Place<'_>) {
        for together in extensions.chunk_by(|one, next| one.extendee() == next.extendee()) {
            self.blank_line();
            let message = self.name(together[0].extendee()).to_owned();
            self.open(&format!("extend {message} {{"));
            for extension in together {
                self.field(extension, place);
            }
            self.close("}");
        }
    }
}

/// The JSON name of a field that does not choose its own, as protoc makes it.
fn json_name(name: &str) -> String {
    let mut json = String::new();
    let mut starts_word = false;
    for letter in name.chars() {
        match letter {
            '_' => starts_word = true,
            letter if starts_word => {
                json.push(letter.to_ascii_uppercase());
                starts_word = false;
            }
            letter => json.push(letter),
        }
    }
    json
}
