//! Converts names of protobuf to names of Rust.
//!
//! Messages are named by rust-protobuf, whose rules are repeated here. Services and methods are named by this
//! generator.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::runtime;

/// The keywords of Rust's edition 2024 that rust-protobuf 3.7.2 does not know.
const FORGOTTEN_BY_RUST_PROTOBUF: &[&str] = &["gen", "try"];

/// Keywords that cannot be written `r#keyword`.
const NEVER_RAW: &[&str] = &["self", "Self", "super", "crate", "_"];

/// The files of which the protobuf crate has the messages, beside `descriptor.proto`.
const WELL_KNOWN: &[&str] = &[
    "any.proto",
    "api.proto",
    "duration.proto",
    "empty.proto",
    "field_mask.proto",
    "source_context.proto",
    "struct.proto",
    "timestamp.proto",
    "type.proto",
    "wrappers.proto",
];

/// Returns the module of the messages in a file that the protobuf crate brings along.
pub fn well_known_module(import: &str) -> Option<TokenStream> {
    let runtime = runtime();
    let file = import.strip_prefix("google/protobuf/")?;
    if file == "descriptor.proto" {
        return Some(quote!(#runtime::protobuf::descriptor));
    }
    let module = format_ident!("{}", module(file));
    WELL_KNOWN.contains(&file).then(|| quote!(#runtime::protobuf::well_known_types::#module))
}

/// Returns the module of a `.proto` file.
pub fn module(proto_path: &str) -> String {
    let file = protobuf_codegen::proto_name_to_rs(proto_path);
    file.strip_suffix(".rs").unwrap_or(&file).to_owned()
}

/// Returns the name of a field or an enum value: rust-protobuf escapes keywords alone.
pub fn field(name: &str) -> Ident {
    if is_forgotten(name) {
        return Ident::new_raw(name, Span::call_site());
    }
    // The escape is the same as that of a file, and the only one that rust-protobuf exports.
    format_ident!("{}", module(name))
}

/// Returns the type of a message, enum or oneof.
pub fn message_type(name: &str) -> Ident {
    field(&capitalized(name))
}

/// Returns the module with the types that are nested in a message.
pub fn message_module(name: &str) -> Ident {
    field(&protobuf_parse::snake_case(name))
}

/// Returns the variant of a oneof's enum.
pub fn oneof_variant(name: &str) -> Ident {
    field(&protobuf_parse::camel_case(name))
}

/// Returns whether `name` is a keyword that rust-protobuf does not escape.
pub fn is_forgotten(name: &str) -> bool {
    FORGOTTEN_BY_RUST_PROTOBUF.contains(&name)
}

/// Returns the name of a function or module of this generator. A keyword becomes `r#keyword`, or `keyword_` where Rust
/// has no such name.
pub fn of_function(name: &str) -> Ident {
    if NEVER_RAW.contains(&name) {
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
