//! Services: for each a trait to implement, constants of its methods, a function that
//! registers an implementation, and a client (`client.rs`).

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use protobuf::reflect::{FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use quote::{format_ident, quote};
use syn::{Attribute, Path};

use super::error::Error;
use super::sources::{self, Source};
use super::{client, markdown, names, runtime};

/// The code for the services of `source`, if it has any.
///
/// # Errors
///
/// Names that are distinct in protobuf and the same in Rust.
pub fn generate(source: &Source, file: &FileDescriptor) -> Result<Option<syn::File>, Vec<Error>> {
    let mut errors = Vec::new();
    let services: Vec<Service> = file.services().map(|service| Service::of(source, file, &service)).collect();
    if services.is_empty() {
        return Ok(None);
    }
    let mut items: HashMap<String, &Service> = HashMap::new();
    for service in &services {
        service.collisions(source, &mut errors);
        for item in [&service.ident, &service.module, &service.client] {
            if let Some(other) = items.insert(item.to_string(), service) {
                let reason = format!("`{}` and `{}` both become `{item}` in Rust", other.name, service.name);
                errors.push(Error::at(&source.path, source.place_of(&service.name), reason));
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let code = services.iter().map(Service::code);
    let about = format!(" The services of `{}`.", source.import);
    let parsed = syn::parse2(quote! {
        #![doc = #about]
        #![allow(clippy::all, dead_code, non_camel_case_types, non_snake_case, unused_variables)]
        #(#code)*
    });
    parsed.map(Some).map_err(|error| vec![Error::about(&source.path, format!("its services make no Rust: {error}"))])
}

/// A service, with all of its names.
pub struct Service {
    /// `calc.Calculator`
    pub name: String,
    documentation: String,
    /// `Calculator`, the trait
    ident: Ident,
    /// `calculator`, the constants
    pub module: Ident,
    /// `calculator_service`
    function: Ident,
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
    name: String,
    /// `/calc.Calculator/Add`
    path: String,
    /// In the `.proto` file.
    comment: Option<String>,
    /// `add`, and `move`
    pub snake: String,
    /// `add`, and `r#move`
    ident: Ident,
    /// `ADD`
    pub constant: Ident,
    pub kind: Kind,
    pub request: Path,
    pub reply: Path,
}

impl Service {
    fn of(source: &Source, file: &FileDescriptor, service: &ServiceDescriptor) -> Service {
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

    fn collisions(&self, source: &Source, errors: &mut Vec<Error>) {
        let mut seen: HashMap<String, &Method> = HashMap::new();
        for method in &self.methods {
            if let Some(other) = seen.insert(method.snake.clone(), method) {
                let reason = format!("`{}` and `{}` both become `{}` in Rust", other.name, method.name, method.snake);
                errors.push(Error::at(&source.path, source.place_of(&method.name), reason));
            }
        }
    }

    fn code(&self) -> TokenStream {
        let definition = self.definition();
        let constants = self.constants();
        let registration = self.registration();
        let client = client::code(self);
        quote!(#definition #constants #registration #client)
    }

    fn definition(&self) -> TokenStream {
        let Service { ident, function, .. } = self;
        let documentation = markdown::attributes(&self.documentation);
        let register = format!(" Register an implementation with [`{function}`].");
        let methods = self.methods.iter().map(Method::declaration);
        quote! {
            #(#documentation)*
            #[doc = ""]
            #[doc = #register]
            pub trait #ident: ::std::marker::Send + ::std::marker::Sync + 'static {
                #(#methods)*
            }
        }
    }

    fn constants(&self) -> TokenStream {
        let Service { name, module, .. } = self;
        let about = format!(" The methods of `{name}`.");
        let runtime = runtime();
        let constants = self.methods.iter().map(|method| {
            let Method { path, constant, request, reply, .. } = method;
            let about = format!(" `{path}`");
            // Paths of messages begin one module further up than in the rest of the file.
            let (request, reply) = (from_submodule(request), from_submodule(reply));
            quote! {
                #[doc = #about]
                pub const #constant: #runtime::Method<#request, #reply> = #runtime::Method::new(#path);
            }
        });
        quote! {
            #[doc = #about]
            pub mod #module {
                /// The full name of the service.
                pub const NAME: &str = #name;
                #(#constants)*
            }
        }
    }

    fn registration(&self) -> TokenStream {
        let Service { name, ident, module, function, .. } = self;
        let runtime = runtime();
        let about = format!(" `service` as the `{name}` service, ready to be registered with a server.");
        let methods = self.methods.iter().map(|method| {
            let Method { ident: handler, constant, request, .. } = method;
            let (add, argument) = match method.kind {
                Kind::Unary => ("unary", quote!(#request)),
                Kind::ServerStreaming => ("server_streaming", quote!(#request)),
                Kind::ClientStreaming => ("client_streaming", quote!(#runtime::RequestStream<#request>)),
                Kind::BidiStreaming => ("bidi_streaming", quote!(#runtime::RequestStream<#request>)),
            };
            let add = format_ident!("{add}");
            // Called by its path: `Arc` has methods of its own, and some RPC is named Clone.
            quote! {
                .#add(#module::#constant, {
                    let service = ::std::sync::Arc::clone(&service);
                    move |call: &#runtime::Call<'_>, argument: #argument| {
                        <S as #ident>::#handler(&service, call, argument)
                    }
                })
            }
        });
        quote! {
            #[doc = #about]
            pub fn #function<S: #ident>(service: S) -> #runtime::Service {
                let service = ::std::sync::Arc::new(service);
                #runtime::ServiceBuilder::new(#module::NAME) #(#methods)* .build()
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

    fn declaration(&self) -> TokenStream {
        let Method { ident, request, reply, .. } = self;
        let runtime = runtime();
        let documentation = self.documentation("");
        let result = quote!(::std::result::Result);
        let (argument, output) = match self.kind {
            Kind::Unary => (quote!(request: #request), quote!(#result<#reply, #runtime::Status>)),
            Kind::ServerStreaming => {
                (quote!(request: #request), quote!(#result<#runtime::ReplyStream<#reply>, #runtime::Status>))
            }
            Kind::ClientStreaming => {
                (quote!(requests: #runtime::RequestStream<#request>), quote!(#runtime::ReplyFuture<#reply>))
            }
            Kind::BidiStreaming => (
                quote!(requests: #runtime::RequestStream<#request>),
                quote!(#result<#runtime::ReplyStream<#reply>, #runtime::Status>),
            ),
        };
        quote! {
            #(#documentation)*
            fn #ident(&self, call: &#runtime::Call<'_>, #argument) -> #output;
        }
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

fn from_submodule(path: &Path) -> TokenStream {
    if path.leading_colon.is_some() { quote!(#path) } else { quote!(super::#path) }
}
