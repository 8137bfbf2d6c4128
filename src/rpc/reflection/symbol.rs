//! Everything in a file that has a full name, and where it stands.

use protobuf::descriptor::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MethodDescriptorProto, OneofDescriptorProto, ServiceDescriptorProto,
};

/// Something in a file that has a full name.
#[derive(Clone, Copy)]
pub(super) enum Symbol<'a> {
    Message(&'a DescriptorProto),
    Enum(&'a EnumDescriptorProto),
    /// A sibling of its enum, by its name: `package.VALUE`.
    EnumValue(&'a EnumValueDescriptorProto),
    /// A field and its message.
    Field(&'a FieldDescriptorProto, &'a DescriptorProto),
    /// A oneof, its message, and its place in that.
    Oneof(&'a OneofDescriptorProto, &'a DescriptorProto, usize),
    /// An extension, and the messages beside it.
    Extension(&'a FieldDescriptorProto, &'a [DescriptorProto]),
    Service(&'a ServiceDescriptorProto),
    Method(&'a MethodDescriptorProto),
}

impl Symbol<'_> {
    /// What it is, with its article.
    pub fn kind(self) -> &'static str {
        match self {
            Symbol::Message(_) => "a message",
            Symbol::Enum(_) => "an enum",
            Symbol::EnumValue(_) => "an enum value",
            Symbol::Field(..) => "a field",
            Symbol::Oneof(..) => "a oneof",
            Symbol::Extension(..) => "an extension",
            Symbol::Service(_) => "a service",
            Symbol::Method(_) => "a method",
        }
    }
}

/// Calls `visit` with the full name of each symbol in `file`.
pub(super) fn visit<'a>(file: &'a FileDescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    let package = file.package();
    for message in &file.message_type {
        visit_message(package, message, visit);
    }
    for enumeration in &file.enum_type {
        visit_enum(package, enumeration, visit);
    }
    for extension in &file.extension {
        visit(join(package, extension.name()), Symbol::Extension(extension, &file.message_type));
    }
    for service in &file.service {
        let name = join(package, service.name());
        for method in &service.method {
            visit(join(&name, method.name()), Symbol::Method(method));
        }
        visit(name, Symbol::Service(service));
    }
}

/// Messages inside each other are as deep as rust-protobuf parses them: 100.
fn visit_message<'a>(scope: &str, message: &'a DescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    let name = join(scope, message.name());
    for field in &message.field {
        visit(join(&name, field.name()), Symbol::Field(field, message));
    }
    for (index, oneof) in message.oneof_decl.iter().enumerate() {
        visit(join(&name, oneof.name()), Symbol::Oneof(oneof, message, index));
    }
    for nested in &message.nested_type {
        visit_message(&name, nested, visit);
    }
    for enumeration in &message.enum_type {
        visit_enum(&name, enumeration, visit);
    }
    for extension in &message.extension {
        visit(join(&name, extension.name()), Symbol::Extension(extension, &message.nested_type));
    }
    visit(name, Symbol::Message(message));
}

fn visit_enum<'a>(scope: &str, enumeration: &'a EnumDescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    for value in &enumeration.value {
        visit(join(scope, value.name()), Symbol::EnumValue(value));
    }
    visit(join(scope, enumeration.name()), Symbol::Enum(enumeration));
}

/// The symbol of this full name.
pub(super) fn find<'a>(file: &'a FileDescriptorProto, name: &str) -> Option<Symbol<'a>> {
    let mut found = None;
    visit(file, &mut |full_name, symbol| {
        if full_name == name {
            found = Some(symbol);
        }
    });
    found
}

/// `scope.name`; the outermost scope has no name.
pub(super) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
