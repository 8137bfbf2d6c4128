//! Converts names of protobuf to names of Rust.
//!
//! Messages are named by rust-protobuf, whose rules are repeated here. Services and methods are named by this
//! generator.

use proc_macro2::{Ident, Span, TokenStream};
use protox::file::{FileResolver, GoogleFileResolver};
use quote::{format_ident, quote};

use crate::runtime;

/// Returns the module of the messages in a file that the protobuf crate brings along.
pub fn well_known_module(import: &str) -> Option<TokenStream> {
    let runtime = runtime();
    let file = import.strip_prefix("google/protobuf/").filter(|file| !file.contains('/'))?;
    GoogleFileResolver::new().open_file(import).ok()?;
    let module = format_ident!("{}", module(file));
    Some(match file {
        "descriptor.proto" => quote!(#runtime::protobuf::#module),
        _ => quote!(#runtime::protobuf::well_known_types::#module),
    })
}

/// Returns the module of a `.proto` file.
pub fn module(proto_path: &str) -> String {
    let file = protobuf_codegen::proto_name_to_rs(proto_path);
    file.strip_suffix(".rs").unwrap_or(&file).to_owned()
}

/// Returns the name of a type or module of rust-protobuf: it escapes keywords alone.
fn escaped(name: &str) -> Ident {
    if is_forgotten(name) {
        return Ident::new_raw(name, Span::call_site());
    }
    // The escape is the same as that of a file, and the only one that rust-protobuf exports.
    format_ident!("{}", module(name))
}

/// Returns the type of a message, enum or oneof.
pub fn message_type(name: &str) -> Ident {
    escaped(&capitalized(name))
}

/// Returns the module with the types that are nested in a message.
pub fn message_module(name: &str) -> Ident {
    escaped(&protobuf_parse::snake_case(name))
}

/// Returns whether `name` is a keyword of edition 2024 that rust-protobuf 3.7.2 does not escape.
pub fn is_forgotten(name: &str) -> bool {
    matches!(name, "gen" | "try")
}

/// Returns the name of a function or module of this generator. A keyword becomes `r#keyword`, or `keyword_` where Rust
/// has no such name.
pub fn of_function(name: &str) -> Ident {
    if matches!(name, "self" | "Self" | "super" | "crate" | "_") {
        format_ident!("{name}_")
    } else if is_forgotten(name) || module(name) != name {
        Ident::new_raw(name, Span::call_site())
    } else {
        format_ident!("{name}")
    }
}

/// `GetHTTPInfo` → `get_http_info`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let starts_word = before.is_some_and(|before| {
            before.is_lowercase()
                || before.is_ascii_digit()
                || before.is_uppercase() && letters.get(at + 1).is_some_and(|after| after.is_lowercase())
        });
        if letter.is_uppercase() && starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// `calculator` → `Calculator`.
pub fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
