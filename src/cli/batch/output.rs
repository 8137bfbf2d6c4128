//! Replies as lines of a result and an error.

use std::fmt::Write;

use calc::arithmetic::{Number, Operation};
use calc::client::batch::ElementError;
use calc::proto::calc_batch::BatchReply;

/// Appends a line for each result of a checked reply.
pub fn write(operation: Operation, reply: &BatchReply, text: &mut String) {
    let mut errors = reply.errors.iter().peekable();
    // One of the two is empty.
    let integers = reply.n1.iter().copied().map(Number::Integer);
    let results = integers.chain(reply.f1.iter().copied().map(Number::Float));
    for (index, result) in results.enumerate() {
        // Writing to a String does not fail.
        let _ = match errors.next_if(|error| error.index as usize == index) {
            None => writeln!(text, "{result},"),
            Some(error) => writeln!(text, ",{}", ElementError::new(operation, error.code).reason()),
        };
    }
}
