//! Mistakes that rust-protobuf's parser lets pass, or reports without a line.
//!
//! protoc refuses all of them. Left alone, they end as Rust code that does not compile, or
//! that decodes one of two fields with the same number.

use std::collections::HashMap;

use super::error::Error;
use super::names;
use super::outline::{Element, Kind};
use super::sources::Source;

/// The largest field number: a tag has 32 bits, three of them for the wire type.
const MAX_FIELD_NUMBER: i64 = (1 << 29) - 1;

/// Every mistake in `sources` that can be told from names and numbers.
pub fn check(sources: &[Source]) -> Vec<Error> {
    let mut errors = Vec::new();
    modules_are_distinct(sources, &mut errors);
    // If an outline is not complete, the parser reports why.
    let sources: Vec<&Source> = sources.iter().filter(|source| source.outline.is_complete).collect();
    names_are_distinct(&sources, &mut errors);
    for source in sources {
        numbers_are_right(source, &mut errors);
        enums_begin_with_zero(source, &mut errors);
    }
    errors
}

/// rust-protobuf names the module of a file after its last component only.
fn modules_are_distinct(sources: &[Source], errors: &mut Vec<Error>) {
    let mut seen: HashMap<String, &Source> = HashMap::new();
    for source in sources.iter().filter(|source| source.is_input) {
        let module = names::module(&source.import);
        if let Some(first) = seen.get(&module) {
            let reason = format!("its Rust module `{module}` is also that of {}: rename one", first.path.display());
            errors.push(Error::about(&source.path, reason));
        }
        let services = source.outline.elements.iter().any(|element| element.kind == Kind::Service);
        if services {
            seen.insert(format!("{module}_grpc"), source);
        }
        seen.insert(module, source);
    }
}

fn names_are_distinct(sources: &[&Source], errors: &mut Vec<Error>) {
    let mut seen: HashMap<&str, (&Source, &Element)> = HashMap::new();
    for source in sources {
        for element in &source.outline.elements {
            let Some((file, first)) = seen.insert(&element.name, (source, element)) else { continue };
            let reason = format!(
                "`{}` is declared twice; the other one is in {}:{}",
                element.name,
                file.path.display(),
                first.place.0
            );
            errors.push(Error::at(&source.path, element.place, reason));
        }
    }
}

fn numbers_are_right(source: &Source, errors: &mut Vec<Error>) {
    let mut seen: HashMap<(&str, i64), &Element> = HashMap::new();
    for field in source.outline.elements.iter().filter(|element| element.kind == Kind::Field) {
        let Some(number) = field.number else { continue };
        if !(1..=MAX_FIELD_NUMBER).contains(&number) {
            let reason = format!("field number {number} is not between 1 and {MAX_FIELD_NUMBER}");
            errors.push(Error::at(&source.path, field.place, reason));
        }
        if (19_000..20_000).contains(&number) {
            let reason = format!("field number {number}: 19000 to 19999 are reserved for protobuf itself");
            errors.push(Error::at(&source.path, field.place, reason));
        }
        if let Some(first) = seen.insert((&field.parent, number), field) {
            let reason = format!("`{}` and `{}` have the same number, {number}", first.name, field.name);
            errors.push(Error::at(&source.path, field.place, reason));
        }
    }
}

/// rust-protobuf panics at an enum without values.
fn enums_begin_with_zero(source: &Source, errors: &mut Vec<Error>) {
    for declared in source.outline.elements.iter().filter(|element| element.kind == Kind::Enum) {
        let mut values = source.outline.elements.iter().filter(|value| value.parent == declared.name);
        match values.next() {
            None => {
                let reason = format!("the enum `{}` has no values", declared.name);
                errors.push(Error::at(&source.path, declared.place, reason));
            }
            Some(first) if source.outline.is_proto3 && first.number != Some(0) => {
                let reason = format!("`{}` is the first value of its enum, and has to be 0 in proto3", first.name);
                errors.push(Error::at(&source.path, first.place, reason));
            }
            Some(_) => {}
        }
    }
}
