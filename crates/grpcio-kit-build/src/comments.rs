//! Which comment of a `.proto` file belongs to which element.
//!
//! The comment directly above an element is its documentation, or else the one behind it on
//! the same line. rust-protobuf's parser drops both.

use super::token::{Comment, Tokens};

/// The documentation of an element: its tokens begin at `first`, and `end` is the `;` or `{`
/// behind which a comment on the same line still belongs to it.
pub fn documentation(tokens: &Tokens<'_>, first: usize, end: usize) -> Option<String> {
    let leading = leading(tokens, first);
    let lines = if leading.is_empty() { trailing(tokens, end).map(lines)? } else { leading };
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// The lines of the comment that ends directly above the token, or before it on its line.
fn leading(tokens: &Tokens<'_>, first: usize) -> Vec<String> {
    let token = &tokens.tokens[first];
    let mut below = token.line;
    let mut found = Vec::new();
    for comment in tokens.comments[token.comments.clone()].iter().rev() {
        let adjacent = comment.last_line == below || comment.last_line + 1 == below;
        if !comment.own_line || !adjacent {
            break;
        }
        below = comment.first_line;
        found.push(comment);
        // Lines of `//` are one comment; each `/* */` is one by itself.
        if comment.text.starts_with("/*") {
            break;
        }
    }
    // A block above a line comment is not part of it.
    if found.len() > 1 && found.last().is_some_and(|comment| comment.text.starts_with("/*")) {
        found.pop();
    }
    found.into_iter().rev().flat_map(lines).collect()
}

/// The comment behind the token on its line; behind `{`, also the one behind `{}`.
fn trailing<'t>(tokens: &'t Tokens<'_>, end: usize) -> Option<&'t Comment<'t>> {
    let line = tokens.tokens[end].line;
    let next = tokens.tokens.get(end + 1)?;
    match tokens.comments[next.comments.clone()].first() {
        Some(comment) if comment.first_line == line && !comment.own_line => Some(comment),
        None if next.line == line && matches!(next.text, "}" | ";") => trailing(tokens, end + 1),
        _ => None,
    }
}

/// The text of a comment, without what makes it one.
fn lines(comment: &Comment<'_>) -> Vec<String> {
    let text = comment.text.replace('\t', "    ");
    let text = text.trim_end_matches('\r');
    if text.starts_with("//") {
        return vec![without_margin(text.trim_start_matches('/'))];
    }
    let text = text.trim_start_matches('/').trim_start_matches('*');
    let text = text.strip_suffix('/').unwrap_or(text).trim_end_matches('*');
    let mut lines = text.lines();
    let mut cleaned: Vec<String> = lines.next().map(without_margin).into_iter().collect();
    // Blocks with a `*` at each line lose that; others what all of their lines are indented by.
    let rest: Vec<&str> = lines.collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let margin = rest.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    for line in rest {
        match line.trim_start().strip_prefix('*') {
            Some(line) => cleaned.push(without_margin(line)),
            None => cleaned.push(line.get(margin..).unwrap_or("").trim_end().to_owned()),
        }
    }
    cleaned
}

fn without_margin(line: &str) -> String {
    line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
}
