//! A Calculator's blocking client, against any server of the contract:
//!
//!     cargo run --release --example client [TARGET]

use std::error::Error;

use calc::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "localhost:50050".to_owned());
    let client = Client::connect(&target)?;
    println!("{}", client.add(20, 10)?);
    println!("{}", client.subtract(20, 10)?);
    println!("{}", client.multiply(20, 10)?);
    println!("{:?}", client.divide(10, 2)?);
    Ok(())
}
