//! What a `.proto` file declares: names with their places, numbers and comments.
//!
//! Types and options are skipped over; they are the parser's business.

use std::ops::Range;

use super::comments;
use super::token::{Token, Tokens};

/// What an [`Element`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    Field,
    Oneof,
    Enum,
    EnumValue,
    Service,
    Method,
}

/// Something with a name.
#[derive(Debug)]
pub struct Element {
    pub kind: Kind,
    /// With the package: `calc.AddRequest.n1`. An enum value is named after its enum, a field
    /// of a oneof after the message.
    pub name: String,
    /// The name of the element around it, or of the package.
    pub parent: String,
    /// Of the name: line and column.
    pub place: (usize, usize),
    /// Of a field or an enum value.
    pub number: Option<i64>,
    /// The comment that documents it.
    pub documentation: Option<String>,
    /// All of its tokens.
    pub tokens: Range<usize>,
}

/// An `import` statement.
#[derive(Debug)]
pub struct Import {
    pub path: String,
    pub place: (usize, usize),
}

/// What a file declares.
#[derive(Debug, Default)]
pub struct Outline {
    pub package: String,
    pub is_proto3: bool,
    pub imports: Vec<Import>,
    pub elements: Vec<Element>,
    /// Whether the file was understood to its end. If not, the parser has something to say.
    pub is_complete: bool,
}

impl Outline {
    /// The outline of a file.
    pub fn of(tokens: &Tokens<'_>) -> Outline {
        let mut reader = Reader { tokens, at: 0, outline: Outline::default() };
        reader.outline.is_complete = reader.file().is_some();
        reader.outline
    }
}

/// Reads declarations. `None` is a file that cannot be right.
struct Reader<'t> {
    tokens: &'t Tokens<'t>,
    at: usize,
    outline: Outline,
}

impl<'t> Reader<'t> {
    fn token(&self) -> &'t Token<'t> {
        // The last token, which marks the end, is never passed.
        &self.tokens.tokens[self.at.min(self.tokens.tokens.len() - 1)]
    }

    fn text(&self) -> &'t str {
        self.token().text
    }

    /// The text `ahead` tokens on.
    fn peek(&self, ahead: usize) -> &'t str {
        self.tokens.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        (self.text() == text).then(|| self.at += 1)
    }

    fn file(&mut self) -> Option<()> {
        loop {
            match self.text() {
                "" => return Some(()),
                ";" => self.at += 1,
                "syntax" => {
                    self.outline.is_proto3 |= self.tokens.tokens.get(self.at + 2)?.string() == Some("proto3");
                    self.skip_statement()?;
                }
                "package" => {
                    let start = self.at + 1;
                    self.skip_statement()?;
                    let name = &self.tokens.tokens[start..self.at - 1];
                    self.outline.package = name.iter().map(|token| token.text).collect();
                }
                "import" => self.import()?,
                "option" | "edition" => self.skip_statement()?,
                "extend" => self.skip_block()?,
                "message" | "enum" | "service" => {
                    let package = self.outline.package.clone();
                    self.declaration(&package)?;
                }
                _ => return None,
            }
        }
    }

    fn import(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_statement()?;
        let token = self.tokens.tokens[start..self.at].iter().find(|token| token.string().is_some())?;
        self.outline.imports.push(Import { path: token.string()?.to_owned(), place: token.place() });
        Some(())
    }

    /// A message, enum, oneof or service, with what is in it.
    fn declaration(&mut self, parent: &str) -> Option<()> {
        let kind = match self.text() {
            "message" => Kind::Message,
            "enum" => Kind::Enum,
            "oneof" => Kind::Oneof,
            "service" => Kind::Service,
            _ => return None,
        };
        let first = self.at;
        self.at += 1;
        let name = self.name(parent)?;
        let index = self.outline.elements.len();
        self.add(kind, parent, first, self.at - 1, self.at, None);
        self.expect("{")?;
        while self.text() != "}" {
            match (kind, self.text()) {
                (_, "") => return None,
                (_, ";") => self.at += 1,
                (_, "option") => self.skip_statement()?,
                (Kind::Message | Kind::Enum, "reserved" | "extensions") => self.skip_statement()?,
                (Kind::Message, "extend") => self.skip_block()?,
                (Kind::Message, "message" | "enum" | "oneof") if self.peek(2) == "{" => self.declaration(&name)?,
                (Kind::Message, _) => self.numbered(Kind::Field, &name)?,
                (Kind::Oneof, _) => self.numbered(Kind::Field, parent)?,
                (Kind::Service, "rpc") => self.method(&name)?,
                (Kind::Service, _) => return None,
                // `Kind` has more values, but the match above gives no other.
                (_, _) => self.numbered(Kind::EnumValue, &name)?,
            }
        }
        self.at += 1;
        self.outline.elements[index].tokens.end = self.at;
        Some(())
    }

    /// A field or an enum value: `... name = number ...;`.
    fn numbered(&mut self, kind: Kind, parent: &str) -> Option<()> {
        let first = self.at;
        while self.text() != "=" {
            if matches!(self.text(), "" | ";" | "{" | "}") {
                return None;
            }
            self.at += 1;
        }
        let name = self.at.checked_sub(1).filter(|name| *name >= first)?;
        let negative = self.peek(1) == "-";
        let number = number(self.peek(if negative { 2 } else { 1 }));
        let number = number.map(|number| if negative { -number } else { number });
        // A group, which rust-protobuf does not support, is a field with a block.
        while !matches!(self.text(), ";" | "{") {
            match self.text() {
                "" | "}" => return None,
                "[" => self.skip_brackets()?,
                _ => self.at += 1,
            }
        }
        if self.text() == "{" {
            return self.skip_brackets();
        }
        self.add(kind, parent, first, name, self.at, number);
        self.at += 1;
        Some(())
    }

    /// `rpc Name(Type) returns (Type)` and `;` or a block of options.
    fn method(&mut self, parent: &str) -> Option<()> {
        let first = self.at;
        self.at += 1;
        self.name(parent)?;
        let name = self.at - 1;
        while !matches!(self.text(), ";" | "{") {
            match self.text() {
                "" | "}" => return None,
                _ => self.at += 1,
            }
        }
        let end = self.at;
        match self.text() {
            ";" => self.at += 1,
            _ => self.skip_brackets()?,
        }
        self.add(Kind::Method, parent, first, name, end, None);
        Some(())
    }

    fn name(&mut self, parent: &str) -> Option<String> {
        let token = self.token();
        self.at += 1;
        token.is_word().then(|| qualified(parent, token.text))
    }

    fn add(&mut self, kind: Kind, parent: &str, first: usize, name: usize, end: usize, number: Option<i64>) {
        let token = &self.tokens.tokens[name];
        self.outline.elements.push(Element {
            kind,
            name: qualified(parent, token.text),
            parent: parent.to_owned(),
            place: token.place(),
            number,
            documentation: comments::documentation(self.tokens, first, end),
            tokens: first..end,
        });
    }

    /// Up to and including the next `;` that is outside of brackets.
    fn skip_statement(&mut self) -> Option<()> {
        loop {
            match self.text() {
                "" => return None,
                ";" => {
                    self.at += 1;
                    return Some(());
                }
                "{" | "[" | "(" => self.skip_brackets()?,
                _ => self.at += 1,
            }
        }
    }

    /// Up to and including the next block.
    fn skip_block(&mut self) -> Option<()> {
        while self.text() != "{" {
            if matches!(self.text(), "" | ";") {
                return None;
            }
            self.at += 1;
        }
        self.skip_brackets()
    }

    /// A bracket and all that is in it.
    fn skip_brackets(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match self.text() {
                "" => return None,
                "{" | "[" | "(" => depth += 1,
                "}" | "]" | ")" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

fn qualified(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// A number as protobuf writes it: decimal, octal or hexadecimal.
fn number(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => i64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}
