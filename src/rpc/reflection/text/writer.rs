//! Lines with their indentation. Whatever a descriptor calls a name is looked at before it is
//! written: the text goes to terminals and to compilers.

use protobuf::descriptor::FileDescriptorProto;

use super::Malformed;

/// What decides how fields are labelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Proto2,
    Proto3,
    Editions,
}

/// The text so far.
pub(super) struct Writer {
    pub syntax: Syntax,
    text: String,
    depth: usize,
    /// The first thing that could not be written.
    malformed: Option<Malformed>,
}

impl Writer {
    pub fn new(file: &FileDescriptorProto) -> Writer {
        let syntax = match file.syntax() {
            "proto3" => Syntax::Proto3,
            "editions" => Syntax::Editions,
            _ => Syntax::Proto2,
        };
        Writer { syntax, text: String::new(), depth: 0, malformed: None }
    }

    pub fn finish(self) -> Result<String, Malformed> {
        match self.malformed {
            None => Ok(self.text),
            Some(malformed) => Err(malformed),
        }
    }

    pub fn malformed(&mut self, what: String) {
        self.malformed.get_or_insert(Malformed(what));
    }

    pub fn line(&mut self, line: &str) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Separates what comes from what was, unless nothing was in these braces.
    pub fn blank_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("{\n") && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line that ends in `{`; what follows is inside.
    pub fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    /// A line that begins with `}`. Braces with nothing inside share a line.
    pub fn close(&mut self, line: &str) {
        self.depth = self.depth.saturating_sub(1);
        if self.text.ends_with("{\n") {
            self.text.pop();
            self.text.push_str(line);
            self.text.push('\n');
        } else {
            self.line(line);
        }
    }

    /// A name, with dots or without; a type has one in front.
    pub fn name<'n>(&mut self, name: &'n str) -> &'n str {
        let parts = name.strip_prefix('.').unwrap_or(name).split('.');
        if !parts.into_iter().all(is_identifier) {
            self.malformed(format!("{name:?} as a name"));
        }
        name
    }

    /// What stands after `reserved`: ranges with both ends included, and names.
    pub fn reserved(&mut self, ranges: impl Iterator<Item = (i32, i32)>, max: i32, names: &[String]) {
        let ranges: Vec<String> = ranges.map(|(start, end)| range(start, end, max)).collect();
        let names: Vec<String> = match self.syntax {
            Syntax::Editions => names.iter().map(|name| self.name(name).to_owned()).collect(),
            _ => names.iter().map(|name| quoted(name)).collect(),
        };
        for list in [ranges, names] {
            if !list.is_empty() {
                self.line(&format!("reserved {};", list.join(", ")));
            }
        }
    }
}

/// `1`, `1 to 3`, `1 to max`.
pub(super) fn range(start: i32, end: i32, max: i32) -> String {
    match end {
        _ if start == end => start.to_string(),
        end if end >= max => format!("{start} to max"),
        end => format!("{start} to {end}"),
    }
}

fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A string literal. What is not printable, or may not look like what it is, is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => literal.extend(['\\', letter]),
            '\n' => literal.push_str("\\n"),
            ' '..='~' => literal.push(letter),
            letter if letter.is_alphanumeric() => literal.push(letter),
            letter => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    literal.push_str(&format!("\\{byte:03o}"));
                }
            }
        }
    }
    literal.push('"');
    literal
}
