//! The services of a file, with the names that they have in Rust.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use protobuf::reflect::{FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use quote::{format_ident, quote};
use syn::{Attribute, Path};

use super::error::Error;
use super::sources::{self, Source};
use super::{markdown, names};

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
}

impl Service {
    pub fn of(source: &Source, file: &FileDescriptor, service: &ServiceDescriptor) -> Service {
        let short = service.proto().name();
        let name = match file.package() {
            "" => short.to_owned(),
            package => format!("{package}.{short}"),
        };
        let snake = names::snake_case(short);
        let ident = names::message_type(short);
        Service {
            documentation: source.comment_of(&name).unwrap_or_else(|| format!("The `{name}` service.")),
            methods: service.methods().map(|method| Method::of(source, &name, &method)).collect(),
            module: names::of_function(&snake),
            function: format_ident!("{snake}_service"),
            client: format_ident!("{}Client", names::capitalized(short)),
            ident,
            name,
        }
    }

    /// Methods that are distinct in protobuf and the same in Rust.
    pub fn collisions(&self, source: &Source, errors: &mut Vec<Error>) {
        let mut seen: HashMap<String, &Method> = HashMap::new();
        for method in &self.methods {
            if let Some(other) = seen.insert(method.snake.clone(), method) {
                let reason = format!("`{}` and `{}` both become `{}` in Rust", other.name, method.name, method.snake);
                errors.push(Error::at(&source.path, source.place_of(&method.name), reason));
            }
        }
    }
}

impl Method {
    fn of(source: &Source, service: &str, method: &MethodDescriptor) -> Method {
        let proto = method.proto();
        let name = format!("{service}.{}", proto.name());
        let snake = names::snake_case(proto.name());
        // `NAME` is the service's.
        let suffix = if snake == "name" { "_" } else { "" };
        Method {
            path: format!("/{service}/{}", proto.name()),
            comment: source.comment_of(&name),
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
            name,
        }
    }

    /// The documentation: the comment, or else the path, and then `more`.
    pub fn documentation(&self, more: &str) -> Vec<Attribute> {
        let text = self.comment.clone().unwrap_or_else(|| format!("`{}`.", self.path));
        markdown::attributes(&format!("{text}\n\n{more}"))
    }
}

/// The type of a message, seen from a file beside that of the message.
fn path_of(message: &MessageDescriptor) -> Path {
    let file = message.file_descriptor().name();
    let module: TokenStream = match sources::built_in_module(file) {
        // The table holds nothing but paths.
        Some(module) => module.parse().unwrap_or_default(),
        None => {
            let module = format_ident!("{}", names::module(file));
            quote!(super::#module)
        }
    };
    let mut nesting = Vec::new();
    let mut around = message.enclosing_message();
    while let Some(message) = around {
        nesting.insert(0, names::message_module(message.name()));
        around = message.enclosing_message();
    }
    let ty = names::message_type(message.name());
    syn::parse_quote!(#module::#(#nesting::)*#ty)
}
