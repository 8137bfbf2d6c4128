//! The words of a `.proto` file, each with its place, and the comments between them.
//!
//! rust-protobuf's parser keeps neither comments nor the places of names; this one keeps
//! nothing else. It accepts everything: to refuse is the parser's business.

use std::ops::Range;

/// A word, a number, a string literal with its quotes, or one character of punctuation.
/// The last token of every file is empty.
#[derive(Debug)]
pub struct Token<'a> {
    pub text: &'a str,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The comments between the previous token and this one.
    pub comments: Range<usize>,
}

impl Token<'_> {
    /// Where it begins: line and column.
    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// The contents, if it is a string literal.
    pub fn string(&self) -> Option<&str> {
        let quote = self.text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        self.text[1..].strip_suffix(quote)
    }

    /// Whether it can be a name.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// A comment, with its `//` or `/*`.
#[derive(Debug)]
pub struct Comment<'a> {
    pub text: &'a str,
    pub first_line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub last_line: usize,
    /// Whether nothing but white space is before it on its line.
    pub own_line: bool,
}

impl Comment<'_> {
    /// Whether it is a `/*` without a `*/`.
    pub fn is_open(&self) -> bool {
        self.text.strip_prefix("/*").is_some_and(|inside| !inside.ends_with("*/"))
    }
}

/// A file, cut into tokens.
#[derive(Debug)]
pub struct Tokens<'a> {
    /// Never empty: the last one marks the end.
    pub tokens: Vec<Token<'a>>,
    pub comments: Vec<Comment<'a>>,
}

impl<'a> Tokens<'a> {
    /// Cuts `text` into tokens.
    pub fn of(text: &'a str) -> Tokens<'a> {
        let mut cut = Tokens { tokens: Vec::new(), comments: Vec::new() };
        let mut seen_comments = 0;
        let (mut line, mut column) = (1, 1);
        // The line of the last token or comment: is the next comment alone on its own?
        let mut occupied_line = 0;
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        while let Some(first) = rest.chars().next() {
            let length = length_of_next(rest, first);
            let (piece, after) = rest.split_at(length);
            let lines = piece.matches('\n').count();
            if piece.starts_with("//") || piece.starts_with("/*") {
                let own_line = occupied_line != line;
                cut.comments.push(Comment { text: piece, first_line: line, column, last_line: line + lines, own_line });
                occupied_line = line + lines;
            } else if !first.is_whitespace() {
                let comments = seen_comments..cut.comments.len();
                cut.tokens.push(Token { text: piece, line, column, comments });
                seen_comments = cut.comments.len();
                occupied_line = line;
            }
            line += lines;
            column = match piece.rfind('\n') {
                Some(newline) => piece[newline..].chars().count(),
                None => column + piece.chars().count(),
            };
            rest = after;
        }
        cut.tokens.push(Token { text: "", line, column, comments: seen_comments..cut.comments.len() });
        cut
    }
}

/// How many bytes the next token, comment or white space takes.
fn length_of_next(rest: &str, first: char) -> usize {
    let until = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return until(rest.find('\n'));
    }
    if let Some(inside) = rest.strip_prefix("/*") {
        return until(inside.find("*/").map(|end| end + "/**/".len()));
    }
    match first {
        '"' | '\'' => string_length(rest, first),
        first if is_word_part(first) => until(rest.find(|c| !is_word_part(c))),
        first if first.is_whitespace() => until(rest.find(|c: char| !c.is_whitespace())),
        first => first.len_utf8(),
    }
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A literal ends with its quote, or else with its line.
fn string_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
