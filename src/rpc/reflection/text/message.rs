//! Messages, and the oneofs in them.

use protobuf::descriptor::{DescriptorProto, OneofDescriptorProto};

use super::field::{self, MAX_FIELD_NUMBER, Place};
use super::options::bracketed;
use super::writer::{Writer, range};
use crate::rpc::reflection::symbol::join;

impl Writer {
    /// A message that stands in `scope`.
    pub fn message(&mut self, message: &DescriptorProto, scope: &str) {
        let name = self.name(message.name()).to_owned();
        self.open(&format!("message {name} {{"));
        self.message_body(message, &join(scope, &name));
        self.close("}");
    }

    /// What stands in the braces of the message with the full name `name`; or of a group.
    pub fn message_body(&mut self, message: &DescriptorProto, name: &str) {
        if let Some(options) = message.options.as_ref() {
            self.option_statements(options);
        }
        // The ends of these ranges are not part of them.
        let ranges = message.reserved_range.iter().map(|range| (range.start(), range.end().saturating_sub(1)));
        self.reserved(ranges, MAX_FIELD_NUMBER, &message.reserved_name);
        for extensions in &message.extension_range {
            let end = extensions.end().saturating_sub(1);
            let options = extensions.options.as_ref().map(|options| self.inline_options(options)).unwrap_or_default();
            let range = range(extensions.start(), end, MAX_FIELD_NUMBER);
            self.line(&format!("extensions {range}{};", bracketed(&options)));
        }
        for enumeration in &message.enum_type {
            self.blank_line();
            self.enumeration(enumeration);
            self.blank_line();
        }
        let place = Place { scope: name, messages: &message.nested_type, in_oneof: false };
        // Groups and the entries of maps are written where their fields are.
        let mut written = field::groups_of_extensions(&message.extension, name);
        written.extend(message.field.iter().filter_map(|field| place.own_message(field)).map(DescriptorProto::name));
        for nested in message.nested_type.iter().filter(|nested| !written.contains(nested.name())) {
            self.blank_line();
            self.message(nested, name);
            self.blank_line();
        }
        self.fields(message, &place);
        self.extensions(&message.extension, &place);
    }

    /// The fields, and each oneof where its first field is.
    fn fields(&mut self, message: &DescriptorProto, place: &Place<'_>) {
        let mut written = vec![false; message.oneof_decl.len()];
        for field in &message.field {
            if !field.has_oneof_index() || field.proto3_optional() {
                self.field(field, place);
                continue;
            }
            let index = usize::try_from(field.oneof_index()).unwrap_or(usize::MAX);
            match (message.oneof_decl.get(index), written.get_mut(index)) {
                (Some(oneof), Some(written)) => {
                    if !std::mem::replace(written, true) {
                        self.oneof(oneof, index, message, place.scope);
                    }
                }
                _ => self.malformed(format!("a field of a oneof that `{}` does not have", place.scope)),
            }
        }
    }

    /// The oneof that has this place in the message with the full name `scope`.
    pub fn oneof(&mut self, oneof: &OneofDescriptorProto, index: usize, message: &DescriptorProto, scope: &str) {
        let name = self.name(oneof.name()).to_owned();
        self.open(&format!("oneof {name} {{"));
        if let Some(options) = oneof.options.as_ref() {
            self.option_statements(options);
        }
        let place = Place { scope, messages: &message.nested_type, in_oneof: true };
        for field in &message.field {
            if field.has_oneof_index() && usize::try_from(field.oneof_index()) == Ok(index) {
                self.field(field, &place);
            }
        }
        self.close("}");
    }
}
