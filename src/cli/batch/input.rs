//! Parses lines of two int32s separated by a comma into columns.
//!
//! Accepts the CSV that two columns of integers can have: quotes around a number, spaces, CRLF, a byte order mark.

use std::io::{BufRead, BufReader, Read};

use calc::client::batch::DEFAULT_ELEMENTS;
use futures::SinkExt;
use futures::channel::mpsc::Sender;
use futures::executor::block_on;

use crate::cli::exit::Exit;

/// The maximum size of a read, in bytes.
const BUFFER: usize = 128 * 1024;

/// The maximum length of a line, in bytes. A line without redundant spaces has at most 27.
const MAX_LINE: usize = 1024;

/// Windows programs write it at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Operands for one message.
#[derive(Default)]
pub struct Columns {
    pub n1: Vec<i32>,
    pub n2: Vec<i32>,
    /// The number of bytes of input up to the last of these pairs.
    pub read: u64,
}

/// Reads `input` to its end and sends its columns: when a message is full, and before a read that may block. Stops
/// when the receiver is gone.
///
/// # Errors
///
/// The input cannot be read, or a line is malformed; the lines before it have been sent.
pub fn read(input: impl Read, header: bool, sender: Sender<Columns>) -> Result<(), Exit> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut lines = Lines { sender, columns: Columns::default(), line: 0, header };
    let mut line = Vec::new();
    loop {
        if let Some(end) = input.buffer().iter().position(|byte| *byte == b'\n') {
            lines.push(&input.buffer()[..=end])?;
            input.consume(end + 1);
            continue;
        }
        // Without the end of a line in the buffer the next read may block.
        if !lines.send() {
            return Ok(());
        }
        line.clear();
        let read = input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line);
        read.map_err(|error| Exit::failed(format!("cannot read standard input: {error}")))?;
        lines.push(&line)?;
        if !line.ends_with(b"\n") {
            // The last one.
            lines.send();
            return Ok(());
        }
    }
}

struct Lines {
    sender: Sender<Columns>,
    columns: Columns,
    /// The number of the last line.
    line: u64,
    /// Whether the next line that is not empty is a header.
    header: bool,
}

impl Lines {
    /// Parses a line, and sends the columns if they are full.
    fn push(&mut self, line: &[u8]) -> Result<(), Exit> {
        self.line += 1;
        self.columns.read += line.len() as u64;
        if line.strip_suffix(b"\n").unwrap_or(line).len() > MAX_LINE {
            return Err(self.malformed(&format!("has more than {MAX_LINE} bytes"), ""));
        }
        let content = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(content) if self.line == 1 => content,
            _ => line,
        };
        let content = content.trim_ascii();
        if content.is_empty() || std::mem::take(&mut self.header) {
            return Ok(());
        }
        let Some((n1, n2)) = pair(content) else {
            let shown: String = String::from_utf8_lossy(content).chars().take(80).collect();
            // With --header the first line has not come this far.
            let hint = if self.line == 1 { "; if it is a header, add --header" } else { "" };
            return Err(self.malformed(&format!("is `{}`", shown.escape_debug()), hint));
        };
        self.columns.n1.push(n1);
        self.columns.n2.push(n2);
        if self.columns.n1.len() >= DEFAULT_ELEMENTS {
            self.send();
        }
        Ok(())
    }

    /// Sends the pairs so far, and returns whether the receiver is there.
    fn send(&mut self) -> bool {
        if self.columns.n1.is_empty() {
            return true;
        }
        let read = self.columns.read;
        let next = Columns { read, ..Columns::default() };
        block_on(self.sender.send(std::mem::replace(&mut self.columns, next))).is_ok()
    }

    /// Sends the lines before the last one, and returns the error of the last one.
    fn malformed(&mut self, what: &str, hint: &str) -> Exit {
        self.send();
        let line = self.line;
        let range = format!("{} to {}", i32::MIN, i32::MAX);
        Exit::Usage(format!(
            "line {line} {what}; expected two int32s ({range}) separated by a comma, such as 10,4{hint}"
        ))
    }
}

/// Parses the two numbers of a line.
fn pair(line: &[u8]) -> Option<(i32, i32)> {
    let comma = line.iter().position(|byte| *byte == b',')?;
    Some((number(&line[..comma])?, number(&line[comma + 1..])?))
}

fn number(field: &[u8]) -> Option<i32> {
    let field = field.trim_ascii();
    let field = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field);
    // Without a detour by `str`, which takes longer than the rest.
    let (sign, digits) = match field {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let (first, rest) = digits.split_first()?;
    let append = |number: i64, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(number * 10 + i64::from(digit)).filter(|number| *number <= 1 << 31)
    };
    let number = rest.iter().try_fold(append(0, first)?, append)?;
    i32::try_from(sign * number).ok()
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::channel::mpsc;

    use super::*;

    /// Reads at most so many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }

    /// Returns the first numbers of `text`, read in pieces, and its error.
    fn sent(text: &str, header: bool, piece: usize) -> (Vec<i32>, Option<String>) {
        let (sender, receiver) = mpsc::channel(text.len());
        let error = match read(Pieces(text.as_bytes(), piece), header, sender) {
            Ok(()) => None,
            Err(Exit::Usage(message)) => Some(message),
            Err(_) => panic!("the input can be read"),
        };
        let sent: Vec<Columns> = block_on(receiver.collect());
        (sent.into_iter().flat_map(|columns| columns.n1).collect(), error)
    }

    #[test]
    fn the_limit_of_a_line_does_not_depend_on_the_reads() {
        let longest = format!("{}1,2", " ".repeat(MAX_LINE - 3));
        for piece in [1, 100, MAX_LINE, MAX_LINE + 1, MAX_LINE + 8, BUFFER] {
            assert_eq!(sent(&format!("7,7\n{longest}\n8,8"), false, piece), (vec![7, 1, 8], None));
            assert_eq!(sent(&longest, false, piece), (vec![1], None));
            for end in ["", "\n", "\n8,8\n"] {
                let (n1, error) = sent(&format!("7,7\n {longest}{end}"), false, piece);
                let error = error.unwrap();
                assert!(n1 == [7] && error.starts_with("line 2 has more than 1024 bytes; "), "{n1:?} {error}");
                for header in [false, true] {
                    let (n1, error) = sent(&format!(" {longest}{end}"), header, piece);
                    let error = error.unwrap();
                    assert!(n1.is_empty() && error.starts_with("line 1 has more than 1024 bytes; "), "{error}");
                    assert!(!error.contains("--header"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_number_is_what_the_standard_library_parses_as_an_int32() {
        for text in
            ["0", "-0", "+7", "007", "2147483647", "-2147483648", "2147483648", "-2147483649", "99999999999999999999"]
                .into_iter()
                .chain(["", "-", "+", "--1", "+-1", "1-", "1 2", "1a", "/", ":", "\u{663}", "0x1", "1.0", "1e3"])
        {
            assert_eq!(number(text.as_bytes()), text.parse().ok(), "{text}");
        }
        assert_eq!(number(b" \"-5\"\r"), Some(-5));
        assert_eq!(number(b"\"-5"), None);
    }

    #[test]
    fn a_first_line_without_numbers_may_be_a_header() {
        let (_, error) = sent("a,b\n1,2\n", false, BUFFER);
        assert!(error.unwrap().ends_with("; if it is a header, add --header"));
        assert_eq!(sent("\n\na,b\n1,2\n", true, BUFFER), (vec![1], None));
        let (_, error) = sent("a,b\nc,d\n", true, BUFFER);
        assert!(!error.unwrap().contains("--header"));
    }
}
