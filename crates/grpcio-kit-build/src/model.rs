//! The services of a file, with the names that they have in Rust.

use std::collections::HashMap;

use proc_macro2::Ident;
use protobuf::reflect::{MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use quote::{format_ident, quote};
use syn::{Attribute, Path};

use crate::error::Error;
use crate::proto::Proto;
use crate::{markdown, names};

/// A service, with all of its names.
pub struct Service {
    /// `calc.Calculator`
    pub name: String,
    pub documentation: String,
    /// `Calculator`, the trait
    pub ident: Ident,
    /// `calculator`, the constants
    pub module: Ident,
    /// `calculator_service`
    pub function: Ident,
    /// `CalculatorClient`
    pub client: Ident,
    pub methods: Vec<Method>,
    /// Line and column of its name.
    pub position: (usize, usize),
}

/// What a method takes and returns.
#[derive(Clone, Copy)]
pub enum Kind {
    Unary,
    ServerStreaming,
    ClientStreaming,
    BidiStreaming,
}

/// A method, with all of its names.
pub struct Method {
    /// `calc.Calculator.Add`
    pub name: String,
    /// `/calc.Calculator/Add`
    pub path: String,
    /// In the `.proto` file.
    pub comment: Option<String>,
    /// `add`, and `move`
    pub snake: String,
    /// `add`, and `r#move`
    pub ident: Ident,
    /// `ADD`
    pub constant: Ident,
    pub kind: Kind,
    pub request: Path,
    pub reply: Path,
    /// Line and column of its name.
    pub position: (usize, usize),
}

impl Service {
    /// Returns the service number `at` of a file.
    pub fn new(proto: &Proto, at: i32, service: &ServiceDescriptor) -> Service {
        let short = service.proto().name();
        let name = match proto.descriptor.package() {
            "" => short.to_owned(),
            package => format!("{package}.{short}"),
        };
        // See `Proto::comment`: 6 and 2 are fields of `FileDescriptorProto` and `ServiceDescriptorProto`.
        let path = vec![6, at];
        let methods = (0..).zip(service.methods());
        let methods = methods.map(|(at, method)| Method::new(proto, vec![6, path[1], 2, at], &name, &method)).collect();
        let snake = names::snake_case(short);
        let comment = proto.comment(&path).map(str::to_owned);
        Service {
            documentation: comment.unwrap_or_else(|| format!("The `{name}` service.")),
            methods,
            ident: names::message_type(short),
            module: names::of_function(&snake),
            function: format_ident!("{snake}_service"),
            client: format_ident!("{}Client", names::capitalized(short)),
            position: proto.position(&path),
            name,
        }
    }

    /// Reports methods that are distinct in protobuf and the same in Rust.
    pub fn collisions(&self, proto: &Proto, errors: &mut Vec<Error>) {
        let mut seen: HashMap<String, &Method> = HashMap::new();
        for method in &self.methods {
            if let Some(other) = seen.insert(method.snake.clone(), method) {
                let reason = format!("`{}` and `{}` both become `{}` in Rust", other.name, method.name, method.snake);
                errors.push(Error::at(&proto.path, method.position, reason));
            }
        }
    }
}

impl Method {
    fn new(file: &Proto, path: Vec<i32>, service: &str, method: &MethodDescriptor) -> Method {
        let proto = method.proto();
        let name = format!("{service}.{}", proto.name());
        let snake = names::snake_case(proto.name());
        // `NAME` is the service's.
        let suffix = if snake == "name" { "_" } else { "" };
        Method {
            path: format!("/{service}/{}", proto.name()),
            comment: file.comment(&path).map(str::to_owned),
            ident: names::of_function(&snake),
            constant: format_ident!("{}{suffix}", snake.to_uppercase()),
            snake,
            kind: match (proto.client_streaming(), proto.server_streaming()) {
                (false, false) => Kind::Unary,
                (false, true) => Kind::ServerStreaming,
                (true, false) => Kind::ClientStreaming,
                (true, true) => Kind::BidiStreaming,
            },
            request: path_of(&method.input_type()),
            reply: path_of(&method.output_type()),
            position: file.position(&path),
            name,
        }
    }

    /// The documentation: the comment, or else the path, and then `more`.
    pub fn documentation(&self, more: &str) -> Vec<Attribute> {
        let text = self.comment.clone().unwrap_or_else(|| format!("`{}`.", self.path));
        markdown::attributes(&format!("{text}\n\n{more}"))
    }
}

/// Returns the type of a message, as a file beside that of the message names it.
fn path_of(message: &MessageDescriptor) -> Path {
    let file = message.file_descriptor();
    let module = names::well_known_module(file.name()).unwrap_or_else(|| {
        let module = format_ident!("{}", names::module(file.name()));
        quote!(super::#module)
    });
    let mut nesting = Vec::new();
    let mut around = message.enclosing_message();
    while let Some(message) = around {
        nesting.insert(0, names::message_module(message.name()));
        around = message.enclosing_message();
    }
    let ty = names::message_type(message.name());
    syn::parse_quote!(#module::#(#nesting::)*#ty)
}
