//! Where a mistake is that rust-protobuf reports.
//!
//! Its parser names file, line and column of what it cannot read. Of a name that it cannot
//! resolve it names the file only; the place is found by looking for the name.

use super::error::Error;
use super::outline::Kind;
use super::sources::Source;
use super::token::Tokens;

/// The mistake behind the chain of errors, outermost first, that rust-protobuf returned.
///
/// `sources` is what it was given, and not empty.
pub fn diagnose(chain: &[String], sources: &[Source]) -> Error {
    let reported = chain.iter().find_map(|error| {
        let (file, reason) = error.strip_prefix("error in `")?.split_once("`: ")?;
        let source = sources.iter().find(|source| source.path.to_string_lossy() == file)?;
        Some((source, reason))
    });
    let Some((source, reason)) = reported else {
        let file = sources.last().map(|source| source.path.clone()).unwrap_or_default();
        return Error::about(file, chain.join(": "));
    };
    let tokens = Tokens::of(&source.text);
    // The parser is at the token before it.
    if let Some(comment) = tokens.comments.last().filter(|comment| comment.is_open()) {
        return Error::at(&source.path, (comment.first_line, comment.column), "this comment is not closed");
    }
    if let Some((place, reason)) = placed(reason) {
        let near = tokens.tokens.iter().find(|token| token.place() >= place && !token.text.is_empty());
        let near = near.map_or("at the end of the file".to_owned(), |token| format!("near `{}`", token.text));
        return Error::at(&source.path, place, format!("{reason} ({near})"));
    }
    let (name, scope) = culprit(reason);
    let place = name.and_then(|name| find(source, &tokens, name, scope));
    let reason = match name {
        Some(name) if reason.starts_with("object is not found by path") => {
            format!("there is no message or enum `{name}` here, nor in what is imported")
        }
        Some(name) if reason.starts_with("Message `") => format!("`{name}` is not a message"),
        _ => reason.to_owned(),
    };
    match place {
        Some(place) => Error::at(&source.path, place, reason),
        None => Error::about(&source.path, reason),
    }
}

/// The place in `at LINE:COLUMN: REASON`.
fn placed(reason: &str) -> Option<((usize, usize), &str)> {
    let (place, reason) = reason.strip_prefix("at ")?.split_once(": ")?;
    let (line, column) = place.split_once(':')?;
    Some(((line.parse().ok()?, column.parse().ok()?), reason))
}

/// The name that a reason is about, and the scope it was looked for in: what is quoted, or
/// else the last word.
fn culprit(reason: &str) -> (Option<&str>, Option<&str>) {
    let mut quoted = reason.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(name) => (Some(name), quoted.next()),
        None => (reason.split_whitespace().next_back(), None),
    }
}

/// Where `name` stands in the file; the declarations of that name do not count.
fn find(source: &Source, tokens: &Tokens<'_>, name: &str, scope: Option<&str>) -> Option<(usize, usize)> {
    let name = name.trim_start_matches('.');
    let scope = scope.map(|scope| scope.trim_start_matches('.'));
    let places = |name: &str| -> Vec<usize> {
        let parts: Vec<&str> = name.split_inclusive('.').flat_map(split_dot).collect();
        let all = tokens.tokens.windows(parts.len()).enumerate();
        all.filter(|(_, window)| window.iter().map(|token| token.text).eq(parts.iter().copied()))
            .map(|(at, _)| at)
            .filter(|at| tokens.tokens.get(at + parts.len()).is_none_or(|after| after.text != "."))
            .collect()
    };
    // A file may well leave out the beginning of the name that the parser resolved it to.
    let shorter = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
    let found = std::iter::once(name).chain(shorter).map(places).find(|places| !places.is_empty())?;
    let in_scope = |at: &&usize| scope.is_some_and(|scope| scope_of(source, **at) == scope);
    let is_use = |at: &&usize| {
        let place = tokens.tokens[**at].place();
        source.outline.elements.iter().all(|element| element.place != place)
    };
    let mut uses = found.iter().filter(is_use);
    let found = uses.clone().find(in_scope).or(uses.next()).or(found.first());
    found.map(|at| tokens.tokens[*at].place())
}

/// `"calc."` → `"calc"` and `"."`.
fn split_dot(part: &str) -> impl Iterator<Item = &str> {
    let name = part.strip_suffix('.');
    [Some(name.unwrap_or(part)), name.map(|_| ".")].into_iter().flatten()
}

/// What the types at a token are relative to: the innermost message around it, or the package.
fn scope_of(source: &Source, token: usize) -> &str {
    let outline = &source.outline;
    let mut messages = outline.elements.iter().filter(|element| element.kind == Kind::Message);
    // Elements are in the order of the file: the last one that begins before is the innermost.
    let around = messages.rfind(|message| message.tokens.contains(&token));
    around.map_or(&outline.package, |message| &message.name)
}
