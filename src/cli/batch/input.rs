//! Lines of two int32s with a comma between them, as columns.
//!
//! This is all of CSV that two columns of integers can have: quotes around a number, spaces, CRLF, a byte order mark.

use std::io::{ErrorKind, Read};
use std::str;

use calc::client::batch::DEFAULT_ELEMENTS;
use futures::SinkExt;
use futures::channel::mpsc::Sender;
use futures::executor::block_on;

use crate::cli::exit::Exit;

/// What is read at a time.
const BUFFER: usize = 128 * 1024;

/// The longest line. The longest that makes sense has 27 bytes.
const MAX_LINE: usize = 1024;

/// What Windows puts before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Operands for one message.
#[derive(Default)]
pub struct Columns {
    pub n1: Vec<i32>,
    pub n2: Vec<i32>,
    /// How many bytes of the input were read for these and all before them.
    pub read: u64,
}

/// Reads all of `input` and sends its columns: a message when it is full, and when nothing more has arrived yet. Ends
/// early when nobody takes them.
///
/// # Errors
///
/// An input that cannot be read, or a line that is not what it should be; the lines before it have been sent.
pub fn read(mut input: impl Read, header: bool, sender: Sender<Columns>) -> Result<(), Exit> {
    let mut lines = Lines { sender, columns: Columns::default(), line: 0, header };
    let mut buffer = vec![0; BUFFER];
    // What has been read and belongs to a line that has not ended.
    let mut length = 0;
    loop {
        let count = match input.read(&mut buffer[length..]) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Exit::Input(error)),
        };
        let arrived = &buffer[..length + count];
        let end = match arrived.iter().rposition(|byte| *byte == b'\n') {
            _ if count == 0 => length,
            Some(end) => end + 1,
            None => 0,
        };
        if !lines.take(&arrived[..end])? || count == 0 {
            return Ok(());
        }
        length = arrived.len() - end;
        if length > MAX_LINE {
            return Err(lines.malformed(lines.line + 1, &format!("has more than {MAX_LINE} bytes")));
        }
        buffer.copy_within(end..end + length, 0);
    }
}

struct Lines {
    sender: Sender<Columns>,
    columns: Columns,
    /// The number of the last line.
    line: u64,
    /// Whether the next line is a header.
    header: bool,
}

impl Lines {
    /// Takes lines that have ended. Says whether to go on.
    fn take(&mut self, text: &[u8]) -> Result<bool, Exit> {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.line += 1;
            self.columns.read += line.len() as u64;
            let content = match line.strip_prefix(BYTE_ORDER_MARK) {
                Some(content) if self.line == 1 => content,
                _ => line,
            };
            let content = content.trim_ascii();
            if content.is_empty() || std::mem::take(&mut self.header) {
                continue;
            }
            match pair(content) {
                Some((n1, n2)) => {
                    self.columns.n1.push(n1);
                    self.columns.n2.push(n2);
                }
                None => {
                    self.send();
                    let shown: String = String::from_utf8_lossy(content).chars().take(80).collect();
                    return Err(self.malformed(self.line, &format!("is `{}`", shown.escape_debug())));
                }
            }
            if self.columns.n1.len() == DEFAULT_ELEMENTS && !self.send() {
                return Ok(false);
            }
        }
        Ok(self.send())
    }

    /// Sends what there is. Says whether anybody takes it.
    fn send(&mut self) -> bool {
        if self.columns.n1.is_empty() {
            return true;
        }
        let read = self.columns.read;
        let next = Columns { read, ..Columns::default() };
        block_on(self.sender.send(std::mem::replace(&mut self.columns, next))).is_ok()
    }

    fn malformed(&self, line: u64, what: &str) -> Exit {
        let range = format!("{} to {}", i32::MIN, i32::MAX);
        let hint = if line == 1 { "; if it is a header, add --header" } else { "" };
        Exit::Line(format!(
            "line {line} {what}; a line has two int32s ({range}) with a comma between them, such as 10,4{hint}"
        ))
    }
}

/// The two numbers of a line.
fn pair(line: &[u8]) -> Option<(i32, i32)> {
    let comma = line.iter().position(|byte| *byte == b',')?;
    Some((number(&line[..comma])?, number(&line[comma + 1..])?))
}

fn number(field: &[u8]) -> Option<i32> {
    let field = field.trim_ascii();
    let field = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field);
    str::from_utf8(field).ok()?.parse().ok()
}
