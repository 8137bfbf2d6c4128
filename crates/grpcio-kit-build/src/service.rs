//! Services: for each a trait to implement, constants of its methods, a function that
//! registers an implementation, and a client (`client.rs`).

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

use crate::error::Error;
use crate::model::{Kind, Method, Service};
use crate::proto::Proto;
use crate::{client, markdown, names, runtime};

/// Returns the code for the services of a file, if it has any.
///
/// # Errors
///
/// Names that are distinct in protobuf and the same in Rust.
pub fn generate(proto: &Proto) -> Result<Option<syn::File>, Vec<Error>> {
    let mut errors = Vec::new();
    let services = (0..).zip(proto.descriptor.services());
    let services: Vec<Service> = services.map(|(at, service)| Service::new(proto, at, &service)).collect();
    if services.is_empty() {
        return Ok(None);
    }
    let mut items: HashMap<String, &Service> = HashMap::new();
    for service in &services {
        service.collisions(proto, &mut errors);
        for item in [&service.ident, &service.module, &service.client] {
            if let Some(other) = items.insert(item.to_string(), service) {
                let reason = format!("`{}` and `{}` both become `{item}` in Rust", other.name, service.name);
                errors.push(Error::at(&proto.path, service.position, reason));
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let messages = format_ident!("{}", names::module(proto.import()));
    let code = services.iter().map(|service| code(service, &messages));
    let about = format!(" The services of `{}`.", proto.import());
    let parsed = syn::parse2(quote! {
        #![doc = #about]
        #![allow(clippy::all, dead_code, non_camel_case_types, non_snake_case, unused_variables)]
        #(#code)*
    });
    parsed.map(Some).map_err(|error| vec![Error::about(&proto.path, format!("its services make no Rust: {error}"))])
}

/// `messages` is the module of the file's messages, which has its descriptor too.
fn code(service: &Service, messages: &Ident) -> TokenStream {
    let definition = definition(service);
    let constants = constants(service);
    let registration = registration(service, messages);
    let client = client::code(service);
    quote!(#definition #constants #registration #client)
}

/// The trait.
fn definition(service: &Service) -> TokenStream {
    let Service { ident, function, .. } = service;
    let documentation = markdown::attributes(&service.documentation);
    let register = format!(" Register an implementation with [`{function}`].");
    let methods = service.methods.iter().map(declaration);
    quote! {
        #(#documentation)*
        #[doc = ""]
        #[doc = #register]
        pub trait #ident: ::std::marker::Send + ::std::marker::Sync + 'static {
            #(#methods)*
        }
    }
}

/// The constants of its methods.
fn constants(service: &Service) -> TokenStream {
    let Service { name, module, .. } = service;
    let about = format!(" The methods of `{name}`.");
    let runtime = runtime();
    let constants = service.methods.iter().map(|method| {
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

/// The function that registers an implementation.
fn registration(service: &Service, messages: &Ident) -> TokenStream {
    let Service { name, ident, module, function, .. } = service;
    let runtime = runtime();
    let about = format!(" `service` as the `{name}` service, ready to be registered with a server.");
    let methods = service.methods.iter().map(|method| {
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
            #runtime::ServiceBuilder::new(#module::NAME)
                .described_by(super::#messages::file_descriptor())
                #(#methods)*
                .build()
        }
    }
}

fn declaration(method: &Method) -> TokenStream {
    let Method { ident, request, reply, .. } = method;
    let runtime = runtime();
    let documentation = method.documentation("");
    let result = quote!(::std::result::Result);
    let (argument, output) = match method.kind {
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

fn from_submodule(path: &Path) -> TokenStream {
    if path.leading_colon.is_some() { quote!(#path) } else { quote!(super::#path) }
}
