//! The lines that `calc batch` reads, compared with the standard library's parser of numbers.

use futures::StreamExt;
use futures::channel::mpsc;
use futures::executor::block_on;

use crate::Pieces;
use crate::cli::batch_input::{Columns, read};
use crate::cli::exit::Exit;

/// The first byte says whether there is a header, and the second the size of the pieces in which the others arrive.
pub fn csv(bytes: &[u8]) {
    let [header, size, bytes @ ..] = bytes else { return };
    let header = header % 2 == 1;
    let (sender, receiver) = mpsc::channel(bytes.len());
    let result = read(Pieces { rest: bytes, size: usize::from(*size) + 1 }, header, sender);
    let columns: Vec<Columns> = block_on(receiver.collect());
    for part in &columns {
        assert!(!part.n1.is_empty() && part.n1.len() == part.n2.len());
    }
    let pairs: Vec<_> = columns.iter().flat_map(|part| part.n1.iter().copied().zip(part.n2.iter().copied())).collect();
    let (expected, malformed) = reference(bytes, header);
    assert_eq!(pairs, expected);
    match (result, malformed) {
        (Ok(()), None) => {}
        (Err(Exit::Usage(message)), Some(line)) => {
            assert!(message.starts_with(&format!("line {line} ")), "{line}: {message}");
            assert!(message.len() < 1024 && !message.contains(char::is_control), "{message:?}");
        }
        (Err(Exit::Usage(message)), None) => panic!("{message}"),
        (Err(Exit::Code(_, message)), _) => panic!("{message}"),
        (Ok(()), Some(line)) => panic!("line {line} was accepted"),
    }
}

/// The pairs up to the first malformed line, and its number.
fn reference(bytes: &[u8], mut header: bool) -> (Vec<(i32, i32)>, Option<usize>) {
    let mut pairs = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.len() > 1024 {
            return (pairs, Some(index + 1));
        }
        let line = if index == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }.trim_ascii();
        if line.is_empty() || std::mem::take(&mut header) {
            continue;
        }
        let Some(pair) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(',')).and_then(|(n1, n2)| {
            let number = |field: &str| {
                let field = std::str::from_utf8(field.as_bytes().trim_ascii()).ok()?;
                field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field).parse::<i32>().ok()
            };
            Some((number(n1)?, number(n2)?))
        }) else {
            return (pairs, Some(index + 1));
        };
        pairs.push(pair);
    }
    (pairs, None)
}
