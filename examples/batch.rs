//! Many calculations in one RPC, as slices and as iterators:
//!
//!     cargo run --release --example batch [TARGET]

use std::error::Error;

use calc::Client;
use calc::arithmetic::{Number, Operation};

fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "localhost:50050".to_owned());
    let batch = Client::connect(&target)?.batch();

    // Slices in, a vector out. A calculation that fails does not affect the others.
    for quotient in batch.columns(Operation::Divide, &[10, 1, 7], &[4, 0, 2])? {
        match quotient {
            Ok(quotient) => println!("{quotient}"),
            Err(error) => println!("{error}"),
        }
    }

    // An iterator in, an iterator out: of any length, in bounded memory.
    let pairs = (1..=1_000_000).map(|n| (n, 2));
    let mut sum = 0;
    for product in batch.pairs(Operation::Multiply, pairs) {
        if let Number::Integer(product) = product?? {
            sum += i64::from(product);
        }
    }
    println!("{sum}");
    Ok(())
}
