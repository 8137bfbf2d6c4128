//! Everything in a file that has a full name.

use protobuf::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

/// Something in a file that has a full name.
#[derive(Clone, Copy)]
pub(crate) enum Symbol<'a> {
    Message,
    Extension(&'a FieldDescriptorProto),
    Service(&'a ServiceDescriptorProto),
    /// An enum, field, oneof or method, or an enum value, which is a sibling of its enum: `package.VALUE`.
    Other,
}

/// Calls `visit` with the full name of each symbol in `file`.
pub(crate) fn visit<'a>(file: &'a FileDescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    let package = file.package();
    for message in &file.message_type {
        visit_message(package, message, visit);
    }
    for enumeration in &file.enum_type {
        visit_enum(package, enumeration, visit);
    }
    for extension in &file.extension {
        visit(join(package, extension.name()), Symbol::Extension(extension));
    }
    for service in &file.service {
        let name = join(package, service.name());
        for method in &service.method {
            visit(join(&name, method.name()), Symbol::Other);
        }
        visit(name, Symbol::Service(service));
    }
}

/// Messages inside each other are as deep as rust-protobuf parses them: 100.
fn visit_message<'a>(scope: &str, message: &'a DescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    let name = join(scope, message.name());
    for field in &message.field {
        visit(join(&name, field.name()), Symbol::Other);
    }
    for oneof in &message.oneof_decl {
        visit(join(&name, oneof.name()), Symbol::Other);
    }
    for nested in &message.nested_type {
        visit_message(&name, nested, visit);
    }
    for enumeration in &message.enum_type {
        visit_enum(&name, enumeration, visit);
    }
    for extension in &message.extension {
        visit(join(&name, extension.name()), Symbol::Extension(extension));
    }
    visit(name, Symbol::Message);
}

fn visit_enum<'a>(scope: &str, enumeration: &'a EnumDescriptorProto, visit: &mut dyn FnMut(String, Symbol<'a>)) {
    for value in &enumeration.value {
        visit(join(scope, value.name()), Symbol::Other);
    }
    visit(join(scope, enumeration.name()), Symbol::Other);
}

/// The symbol of this full name.
pub(crate) fn find<'a>(file: &'a FileDescriptorProto, name: &str) -> Option<Symbol<'a>> {
    let mut found = None;
    visit(file, &mut |full_name, symbol| {
        if full_name == name {
            found = Some(symbol);
        }
    });
    found
}

/// `scope.name`; the outermost scope has no name.
pub(crate) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
