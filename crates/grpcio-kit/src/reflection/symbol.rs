//! The symbols of a file: everything in it that has a full name.

use protobuf::descriptor::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// A kind of symbol.
#[derive(Clone, Copy)]
pub(super) enum Symbol<'a> {
    Message,
    Extension(&'a FieldDescriptorProto),
    /// A service, method, field, oneof, enum, or enum value, which is a sibling of its enum: `package.VALUE`.
    Other,
}

/// Calls `visit` with the full name of each symbol in `file`.
pub(super) fn visit<'a>(file: &'a FileDescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    let package = file.package();
    visit_scope(package, &file.message_type, &file.enum_type, &file.extension, visit);
    for service in &file.service {
        let name = join(package, service.name());
        for method in &service.method {
            visit(join(&name, method.name()), Symbol::Other);
        }
        visit(name, Symbol::Other);
    }
}

/// Visits what a file and a message may both contain. rust-protobuf parses up to 100 levels of messages.
fn visit_scope<'a>(
    scope: &str,
    messages: &'a [DescriptorProto],
    enums: &'a [EnumDescriptorProto],
    extensions: &'a [FieldDescriptorProto],
    visit: &mut dyn FnMut(String, Symbol<'a>),
) {
    for message in messages {
        let name = join(scope, message.name());
        let fields = message.field.iter().map(|field| field.name());
        for member in fields.chain(message.oneof_decl.iter().map(|oneof| oneof.name())) {
            visit(join(&name, member), Symbol::Other);
        }
        visit_scope(&name, &message.nested_type, &message.enum_type, &message.extension, visit);
        visit(name, Symbol::Message);
    }
    for enumeration in enums {
        for value in &enumeration.value {
            visit(join(scope, value.name()), Symbol::Other);
        }
        visit(join(scope, enumeration.name()), Symbol::Other);
    }
    for extension in extensions {
        visit(join(scope, extension.name()), Symbol::Extension(extension));
    }
}

/// Returns `scope.name`; the outermost scope is empty.
fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
