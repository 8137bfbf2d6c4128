//! Replies, as lines of a result and an error.

use std::fmt::{Display, Write};

use calc::client::batch::ElementError;
use calc::proto::calc_batch::{BatchReply, Operation};

/// Appends a line for each result of a reply, which has been checked.
pub fn write(operation: Operation, reply: &BatchReply, text: &mut String) {
    if operation == Operation::OPERATION_DIVIDE {
        // Every digit of the float, as `calc divide` prints it.
        lines(operation, reply, reply.f1.iter().map(|f1| Digits(f64::from(*f1))), text);
    } else {
        lines(operation, reply, reply.n1.iter(), text);
    }
}

fn lines(operation: Operation, reply: &BatchReply, results: impl Iterator<Item = impl Display>, text: &mut String) {
    let mut errors = reply.errors.iter().peekable();
    for (index, result) in results.enumerate() {
        // Writing to a String does not fail.
        let _ = match errors.next_if(|error| error.index as usize == index) {
            None => writeln!(text, "{result},"),
            Some(error) => writeln!(text, ",{}", ElementError::new(operation, error.code).reason()),
        };
    }
}

struct Digits(f64);

impl Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
