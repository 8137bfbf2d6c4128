//! The services of a file, with the names that they have in Rust.

use proc_macro2::{Ident, TokenStream};
use protox::prost_reflect::{MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use quote::{format_ident, quote};
use syn::{Attribute, Path};

use crate::proto::Proto;
use crate::{markdown, names, runtime};

/// A service, with all of its names.
pub struct Service {
    /// `calc.Calculator`
    pub name: String,
    pub documentation: String,
    /// `Calculator`, the trait
    pub ident: Ident,
    /// `CalculatorAsync`, the trait whose unary methods are asynchronous
    pub async_ident: Ident,
    /// `calculator`, the constants
    pub module: Ident,
    /// `calculator_service`
    pub function: Ident,
    /// `calculator_async_service`
    pub async_function: Ident,
    /// `CalculatorClient`
    pub client: Ident,
    pub methods: Vec<Method>,
    /// Line and column of its name.
    pub position: (usize, usize),
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
    /// The function of `ServiceBuilder`, and of `Channel`: `unary`
    pub kind: &'static str,
    pub client_streaming: bool,
    pub server_streaming: bool,
    pub request: Path,
    pub reply: Path,
    /// Line and column of its name.
    pub position: (usize, usize),
}

impl Service {
    pub fn new(proto: &Proto, service: &ServiceDescriptor) -> Service {
        let name = service.full_name().to_owned();
        let snake = names::snake_case(service.name());
        let comment = proto.comment(service.path()).map(str::to_owned);
        Service {
            documentation: comment.unwrap_or_else(|| format!("The `{name}` service.")),
            methods: service.methods().map(|method| Method::new(proto, &method)).collect(),
            ident: names::message_type(service.name()),
            module: names::of_function(&snake),
            async_ident: format_ident!("{}Async", names::capitalized(service.name())),
            function: format_ident!("{snake}_service"),
            async_function: format_ident!("{snake}_async_service"),
            client: format_ident!("{}Client", names::capitalized(service.name())),
            position: proto.position(service.path()),
            name,
        }
    }

    /// Whether there are methods that can be asynchronous.
    pub fn has_unary(&self) -> bool {
        self.methods.iter().any(Method::is_unary)
    }

    /// Returns the names that it takes in the module of its file.
    pub fn items(&self) -> Vec<String> {
        // A function may be called like a module.
        let function = format!("{}()", self.function);
        let mut items = vec![self.ident.to_string(), self.module.to_string(), self.client.to_string(), function];
        if self.has_unary() {
            items.extend([self.async_ident.to_string(), format!("{}()", self.async_function)]);
        }
        items
    }
}

impl Method {
    fn new(proto: &Proto, method: &MethodDescriptor) -> Method {
        let snake = names::snake_case(method.name());
        // `NAME` is the service's.
        let suffix = if snake == "name" { "_" } else { "" };
        let (client_streaming, server_streaming) = (method.is_client_streaming(), method.is_server_streaming());
        Method {
            name: method.full_name().to_owned(),
            path: format!("/{}/{}", method.parent_service().full_name(), method.name()),
            comment: proto.comment(method.path()).map(str::to_owned),
            ident: names::of_function(&snake),
            constant: format_ident!("{}{suffix}", snake.to_uppercase()),
            snake,
            kind: match (client_streaming, server_streaming) {
                (false, false) => "unary",
                (false, true) => "server_streaming",
                (true, false) => "client_streaming",
                (true, true) => "bidi_streaming",
            },
            client_streaming,
            server_streaming,
            request: path_of(&method.input()),
            reply: path_of(&method.output()),
            position: proto.position(method.path()),
        }
    }

    pub fn is_unary(&self) -> bool {
        self.kind == "unary"
    }

    /// Returns the type that the server has for its request, or its stream of requests.
    pub fn argument(&self) -> TokenStream {
        let (request, runtime) = (&self.request, runtime());
        if self.client_streaming { quote!(#runtime::RequestStream<#request>) } else { quote!(#request) }
    }

    /// Returns the documentation: the comment, or else the path, and then `more`.
    pub fn documentation(&self, more: &str) -> Vec<Attribute> {
        let text = self.comment.clone().unwrap_or_else(|| format!("`{}`.", self.path));
        markdown::attributes(&format!("{text}\n\n{more}"))
    }
}

/// Returns the type of a message, as a file beside that of the message names it.
fn path_of(message: &MessageDescriptor) -> Path {
    let file = message.parent_file();
    let module = names::well_known_module(file.name()).unwrap_or_else(|| {
        let module = format_ident!("{}", names::module(file.name()));
        quote!(super::#module)
    });
    let mut nesting = Vec::new();
    let mut around = message.parent_message();
    while let Some(message) = around {
        nesting.insert(0, names::message_module(message.name()));
        around = message.parent_message();
    }
    let ty = names::message_type(message.name());
    syn::parse_quote!(#module::#(#nesting::)*#ty)
}
