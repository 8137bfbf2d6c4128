//! Writes the client of a service: for each method a blocking function and an asynchronous one.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::model::{Method, Service};
use crate::{names, runtime};

/// Returns the code of a service's client.
pub fn code(service: &Service) -> TokenStream {
    let Service { name, client, .. } = service;
    let runtime = runtime();
    let about = format!(" A client for the `{name}` service. Clones share the channel.");
    let names = function_names(service);
    let methods = service.methods.iter().zip(&names).map(|(method, names)| functions_of(service, method, names));
    quote! {
        #[doc = #about]
        #[derive(::std::clone::Clone)]
        pub struct #client {
            channel: #runtime::Channel,
        }

        impl #client {
            /// Creates a client on `channel`.
            pub fn new(channel: #runtime::Channel) -> Self {
                Self { channel }
            }
            #(#methods)*
        }
    }
}

/// Returns the names of the two functions of each method. `new` and `clone` are taken, and `foo_async` may be both that
/// of `Foo` and that of a method `FooAsync`: the second one of a name gets a `_`.
fn function_names(service: &Service) -> Vec<(String, String)> {
    let mut taken = HashSet::from(["new".to_owned(), "clone".to_owned()]);
    let mut free = |mut name: String| {
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    let blocking: Vec<String> = service.methods.iter().map(|method| free(method.snake.clone())).collect();
    let asynchronous = service.methods.iter().map(|method| free(format!("{}_async", method.snake)));
    blocking.into_iter().zip(asynchronous.collect::<Vec<_>>()).collect()
}

fn functions_of(service: &Service, method: &Method, (blocking, asynchronous): &(String, String)) -> TokenStream {
    let Method { constant, request, reply, .. } = method;
    let module = &service.module;
    let runtime = runtime();
    let (blocking, asynchronous) = (names::of_function(blocking), format_ident!("{asynchronous}"));
    let (call, call_async) = (format_ident!("{}", method.kind), format_ident!("{}_async", method.kind));
    let (argument, sync_type, async_type) = if method.client_streaming {
        let iterator = quote!(impl ::std::iter::IntoIterator<Item = #request, IntoIter: ::std::marker::Send + 'static>);
        let stream = quote!(impl #runtime::Stream<Item = #request> + ::std::marker::Send + 'static);
        (quote!(requests), iterator, stream)
    } else {
        (quote!(request), quote!(&#request), quote!(&#request))
    };
    let (sync_result, sync_text, async_result, async_text) = if method.server_streaming {
        (
            quote!(#runtime::Replies<#reply>),
            "Returns an iterator, which blocks until each reply has come.",
            quote!(#runtime::ReplyStream<#reply>),
            "Returns a stream of the replies.",
        )
    } else {
        (
            quote!(::std::result::Result<#reply, #runtime::Status>),
            "Blocks until the reply has come.",
            quote!(#runtime::ReplyFuture<#reply>),
            "Returns a future of the reply.",
        )
    };
    let (sync_text, async_text) = (method.documentation(sync_text), method.documentation(async_text));
    quote! {
        #(#sync_text)*
        pub fn #blocking(&self, #argument: #sync_type, options: #runtime::CallOptions) -> #sync_result {
            self.channel.#call(#module::#constant, #argument, options)
        }

        #(#async_text)*
        pub fn #asynchronous(&self, #argument: #async_type, options: #runtime::CallOptions) -> #async_result {
            self.channel.#call_async(#module::#constant, #argument, options)
        }
    }
}
