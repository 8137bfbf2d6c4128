//! Writes for each service: a trait to implement, a second one whose unary methods are asynchronous, constants of the
//! methods, functions that register an implementation, and a client (`client.rs`).

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

use crate::error::Error;
use crate::model::{Method, Service};
use crate::proto::Proto;
use crate::{RUNTIME, client, markdown, names, runtime};

/// Returns the code for the services of a file, if it has any.
///
/// # Errors
///
/// Names that are distinct in protobuf and the same in Rust.
pub fn generate(proto: &Proto) -> Result<Option<syn::File>, Vec<Error>> {
    let services: Vec<Service> = proto.file.services().map(|service| Service::new(proto, &service)).collect();
    if services.is_empty() {
        return Ok(None);
    }
    let mut errors = Vec::new();
    for service in &services {
        let methods = service.methods.iter().map(|method| (&method.name, method.position, vec![method.snake.clone()]));
        collisions(proto, methods, &mut errors);
    }
    let items = services.iter().map(|service| (&service.name, service.position, service.items()));
    collisions(proto, items, &mut errors);
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
    parsed
        .map(Some)
        .map_err(|error| vec![Error::about(&proto.path, format!("the code of its services does not parse: {error}"))])
}

/// Reports elements that are distinct in protobuf and the same in Rust, from their names, positions, and names in Rust.
fn collisions<'a>(
    proto: &Proto,
    elements: impl Iterator<Item = (&'a String, (usize, usize), Vec<String>)>,
    errors: &mut Vec<Error>,
) {
    let mut seen = HashMap::new();
    for (name, position, items) in elements {
        let taken: Vec<_> =
            items.into_iter().filter_map(|item| Some((seen.insert(item.clone(), name)?, item))).collect();
        if let Some((other, item)) = taken.first() {
            let reason = format!("`{other}` and `{name}` both become `{item}` in Rust");
            errors.push(Error::at(&proto.path, position, reason));
        }
    }
}

/// `messages` is the module of the file's messages, which has its descriptor too.
fn code(service: &Service, messages: &Ident) -> TokenStream {
    let plain = server(service, messages, false);
    let asynchronous = service.has_unary().then(|| server(service, messages, true));
    let constants = constants(service);
    let client = client::code(service);
    quote!(#plain #asynchronous #constants #client)
}

/// The trait and the function that registers an implementation of it. `is_async`: whether its unary methods are.
fn server(service: &Service, messages: &Ident, is_async: bool) -> TokenStream {
    let Service { name, module, .. } = service;
    let runtime = runtime();
    let (ident, function) = match is_async {
        true => (&service.async_ident, &service.async_function),
        false => (&service.ident, &service.function),
    };
    let documentation = markdown::attributes(&service.documentation);
    let mut rules = vec![format!(
        " Register an implementation with [`{function}`]. Its methods run on the thread of a completion queue and must not block it."
    )];
    if is_async {
        rules.push(
            " Unary methods can be written as `async fn`: while their futures wait, that thread serves other RPCs."
                .into(),
        );
    } else if service.has_unary() {
        let other = &service.async_ident;
        rules.push(format!(
            " [`{other}`] has asynchronous unary methods; [`on_workers`]({RUNTIME}::Service::on_workers) runs unary methods that block on other threads."
        ));
    }
    let about = format!(" Returns `service` as the `{name}` service, to be registered with a server.");
    let declarations = service.methods.iter().map(|method| declaration(method, is_async));
    let registrations = service.methods.iter().map(|method| registration(module, ident, method, is_async));
    quote! {
        #(#documentation)*
        #[doc = ""]
        #(#[doc = #rules])*
        pub trait #ident: ::std::marker::Send + ::std::marker::Sync + 'static {
            #(#declarations)*
        }

        #[doc = #about]
        pub fn #function<S: #ident>(service: S) -> #runtime::Service {
            let service = ::std::sync::Arc::new(service);
            #runtime::ServiceBuilder::new(#module::NAME)
                .described_by(super::#messages::file_descriptor())
                #(#registrations)*
                .build()
        }
    }
}

/// A method of the trait.
fn declaration(method: &Method, is_async: bool) -> TokenStream {
    let Method { ident, reply, .. } = method;
    let runtime = runtime();
    let documentation = method.documentation("");
    let is_async = is_async && method.is_unary();
    let call = if is_async { quote!(#runtime::Call<'static>) } else { quote!(&#runtime::Call<'_>) };
    let name = format_ident!("{}", if method.client_streaming { "requests" } else { "request" });
    let argument = method.argument();
    let result = quote!(::std::result::Result);
    let output = if method.server_streaming {
        quote!(#result<#runtime::ReplyStream<#reply>, #runtime::Status>)
    } else if method.client_streaming {
        quote!(#runtime::ReplyFuture<#reply>)
    } else if is_async {
        quote!(impl ::std::future::Future<Output = #result<#reply, #runtime::Status>> + ::std::marker::Send)
    } else {
        quote!(#result<#reply, #runtime::Status>)
    };
    quote! {
        #(#documentation)*
        fn #ident(&self, call: #call, #name: #argument) -> #output;
    }
}

/// The call of the builder that adds a method. Handlers are called by their path: `Arc` has methods of its own, and
/// some RPC is named Clone.
fn registration(module: &Ident, ty: &Ident, method: &Method, is_async: bool) -> TokenStream {
    let Method { ident: handler, constant, .. } = method;
    let runtime = runtime();
    let argument = method.argument();
    let is_async = is_async && method.is_unary();
    let add = format_ident!("{}{}", method.kind, if is_async { "_async" } else { "" });
    let closure = if is_async {
        quote! {
            move |call: #runtime::Call<'static>, argument: #argument| {
                let service = ::std::sync::Arc::clone(&service);
                async move { <S as #ty>::#handler(&service, call, argument).await }
            }
        }
    } else {
        quote! {
            move |call: &#runtime::Call<'_>, argument: #argument| <S as #ty>::#handler(&service, call, argument)
        }
    };
    quote! {
        .#add(#module::#constant, {
            let service = ::std::sync::Arc::clone(&service);
            #closure
        })
    }
}

/// The constants of the methods.
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

fn from_submodule(path: &Path) -> TokenStream {
    if path.leading_colon.is_some() { quote!(#path) } else { quote!(super::#path) }
}
