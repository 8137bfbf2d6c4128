//! How names of protobuf become names of Rust.
//!
//! Messages are named by rust-protobuf, and the rules for them here have to be its own
//! (`protobuf_codegen::proto_name_to_rs` is the only one that it shares). Methods and
//! services are named by this generator.

use proc_macro2::{Ident, Span};

/// The words that rust-protobuf 3.7.2 puts a `_` behind.
const ESCAPED_BY_RUST_PROTOBUF: &[&str] = &[
    "_", "as", "async", "await", "break", "crate", "dyn", "else", "enum", "extern", "false", "fn", "for", "if", "impl",
    "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "self", "Self", "struct",
    "super", "true", "trait", "type", "unsafe", "use", "while", "continue", "box", "const", "where", "virtual", "proc",
    "alignof", "become", "offsetof", "priv", "pure", "sizeof", "typeof", "unsized", "yield", "do", "abstract", "final",
    "override", "macro",
];

/// The keywords of Rust's edition 2024 that rust-protobuf 3.7.2 knows nothing of.
const FORGOTTEN_BY_RUST_PROTOBUF: &[&str] = &["gen", "try"];

/// Keywords that cannot be written `r#keyword`.
const NEVER_RAW: &[&str] = &["self", "Self", "super", "crate", "_"];

/// The module of a `.proto` file, which is also the name of the file without `.rs`.
pub fn module(proto_path: &str) -> String {
    let file = protobuf_codegen::proto_name_to_rs(proto_path);
    file.strip_suffix(".rs").unwrap_or(&file).to_owned()
}

/// A name that rust-protobuf writes as it is in the `.proto` file: a field, an enum value.
pub fn of_rust_protobuf(name: &str) -> Ident {
    if FORGOTTEN_BY_RUST_PROTOBUF.contains(&name) {
        return Ident::new_raw(name, Span::call_site());
    }
    let suffix = if ESCAPED_BY_RUST_PROTOBUF.contains(&name) { "_" } else { "" };
    Ident::new(&format!("{name}{suffix}"), Span::call_site())
}

/// The type of a message.
pub fn message_type(name: &str) -> Ident {
    of_rust_protobuf(&capitalized(name))
}

/// The module with the types that are nested in a message.
pub fn message_module(name: &str) -> Ident {
    let mut module = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            module.push('_');
        }
        module.push(c.to_ascii_lowercase());
        after_lower = c.is_lowercase();
    }
    of_rust_protobuf(&module)
}

/// The variant of a oneof's enum.
pub fn oneof_variant(field: &str) -> Ident {
    of_rust_protobuf(&field.split('_').map(capitalized).collect::<String>())
}

/// Whether rust-protobuf writes `name` as it is although it is a keyword.
pub fn is_forgotten(name: &str) -> bool {
    FORGOTTEN_BY_RUST_PROTOBUF.contains(&name)
}

/// A function or module of this generator; a keyword becomes `r#keyword`, or `keyword_` where
/// that does not exist.
pub fn of_function(name: &str) -> Ident {
    if NEVER_RAW.contains(&name) {
        Ident::new(&format!("{name}_"), Span::call_site())
    } else if is_forgotten(name) || ESCAPED_BY_RUST_PROTOBUF.contains(&name) {
        Ident::new_raw(name, Span::call_site())
    } else {
        Ident::new(name, Span::call_site())
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
