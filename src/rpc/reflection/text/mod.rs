//! From a descriptor back to the text of a `.proto` file.
//!
//! What protoc makes of the text of a file is the descriptor again, but for comments, which
//! servers leave out, and custom options, of which the text says that they are missing. Types
//! are written with their full names and a dot in front, which mean the same in every scope.
//!
//! | module | what it is about |
//! |---|---|
//! | `writer` | lines, indentation, and names that are none |
//! | `message`, `field` | messages, oneofs, fields, extensions |
//! | `options` | options, and values as they are written |

mod field;
mod message;
mod options;
mod writer;

use protobuf::descriptor::{
    EnumDescriptorProto, EnumValueDescriptorProto, FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto,
};

use super::symbol::{self, Symbol};
use field::Place;
use writer::Writer;

/// A descriptor that stands for no text: a server made it up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the descriptor is malformed: {0}")]
pub struct Malformed(String);

/// The field of `FileDescriptorProto` that rust-protobuf does not know yet.
const EDITION: u32 = 14;

/// The text of a whole file.
///
/// # Errors
///
/// [`Malformed`] if no text could have become `file`.
pub fn file(file: &FileDescriptorProto) -> Result<String, Malformed> {
    let mut writer = Writer::new(file);
    writer.header(file);
    for enumeration in &file.enum_type {
        writer.blank_line();
        writer.enumeration(enumeration);
    }
    let (scope, messages) = (file.package(), &file.message_type);
    let groups = field::groups_of_extensions(&file.extension, scope);
    for message in messages.iter().filter(|message| !groups.contains(message.name())) {
        writer.blank_line();
        writer.message(message, scope);
    }
    writer.extensions(&file.extension, &Place { scope, messages, in_oneof: false });
    for service in &file.service {
        writer.blank_line();
        writer.service(service);
    }
    writer.finish()
}

/// The text of what has the full name `name` in `file`; `None` if there is no such thing.
///
/// # Errors
///
/// [`Malformed`] if no text could have become this descriptor.
pub fn symbol(file: &FileDescriptorProto, name: &str) -> Result<Option<String>, Malformed> {
    let Some(symbol) = symbol::find(file, name) else { return Ok(None) };
    let mut writer = Writer::new(file);
    let scope = name.rsplit_once('.').map_or("", |(scope, _)| scope);
    match symbol {
        Symbol::Message(message) => writer.message(message, scope),
        Symbol::Enum(enumeration) => writer.enumeration(enumeration),
        Symbol::EnumValue(value) => writer.enum_value(value),
        Symbol::Field(field, message) => {
            let in_oneof = field.has_oneof_index() && !field.proto3_optional();
            writer.field(field, &Place { scope, messages: &message.nested_type, in_oneof });
        }
        Symbol::Oneof(oneof, message, index) => writer.oneof(oneof, index, message, scope),
        Symbol::Extension(field, messages) => {
            writer.extensions(std::slice::from_ref(field), &Place { scope, messages, in_oneof: false });
        }
        Symbol::Service(service) => writer.service(service),
        Symbol::Method(method) => writer.method(method),
    }
    writer.finish().map(Some)
}

impl Writer {
    /// Everything before the first definition.
    fn header(&mut self, file: &FileDescriptorProto) {
        match file.syntax() {
            "" | "proto2" => self.line("syntax = \"proto2\";"),
            "proto3" => self.line("syntax = \"proto3\";"),
            "editions" => match file.special_fields.unknown_fields().get(EDITION) {
                // The year less 1,023: 1000 is the first.
                Some(protobuf::UnknownValueRef::Varint(edition @ 1000..2000)) => {
                    self.line(&format!("edition = \"{}\";", edition + 1023));
                }
                _ => self.malformed("a file of an unknown edition".to_owned()),
            },
            other => self.malformed(format!("the syntax {other:?}")),
        }
        if file.has_package() {
            self.blank_line();
            let package = self.name(file.package()).to_owned();
            self.line(&format!("package {package};"));
        }
        if !file.dependency.is_empty() {
            self.blank_line();
        }
        for (import, index) in file.dependency.iter().zip(0..) {
            let how = match () {
                () if file.public_dependency.contains(&index) => "public ",
                () if file.weak_dependency.contains(&index) => "weak ",
                () => "",
            };
            self.line(&format!("import {how}{};", writer::quoted(import)));
        }
        if let Some(options) = file.options.as_ref() {
            self.blank_line();
            self.option_statements(options);
        }
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptorProto) {
        let name = self.name(enumeration.name()).to_owned();
        self.open(&format!("enum {name} {{"));
        if let Some(options) = enumeration.options.as_ref() {
            self.option_statements(options);
        }
        let ranges = enumeration.reserved_range.iter().map(|range| (range.start(), range.end()));
        self.reserved(ranges, i32::MAX, &enumeration.reserved_name);
        for value in &enumeration.value {
            self.enum_value(value);
        }
        self.close("}");
    }

    fn enum_value(&mut self, value: &EnumValueDescriptorProto) {
        let options = value.options.as_ref().map(|options| self.inline_options(options)).unwrap_or_default();
        let name = self.name(value.name()).to_owned();
        self.line(&format!("{name} = {}{};", value.number(), options::bracketed(&options)));
    }

    fn service(&mut self, service: &ServiceDescriptorProto) {
        let name = self.name(service.name()).to_owned();
        self.open(&format!("service {name} {{"));
        if let Some(options) = service.options.as_ref() {
            self.option_statements(options);
        }
        for method in &service.method {
            self.method(method);
        }
        self.close("}");
    }

    fn method(&mut self, method: &MethodDescriptorProto) {
        let stream = |streaming| if streaming { "stream " } else { "" };
        let line = format!(
            "rpc {}({}{}) returns ({}{})",
            self.name(method.name()).to_owned(),
            stream(method.client_streaming()),
            self.name(method.input_type()).to_owned(),
            stream(method.server_streaming()),
            self.name(method.output_type()).to_owned(),
        );
        match method.options.as_ref() {
            None => self.line(&format!("{line};")),
            // protoc takes braces for options, be they empty.
            Some(options) => {
                self.open(&format!("{line} {{"));
                self.option_statements(options);
                self.close("}");
            }
        }
    }
}
