//! A Calculator's server:
//!
//!     cargo run --release --example server [ADDRESS]

use std::error::Error;

use calc::server;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| server::DEFAULT_ADDRESS.to_owned());
    server::run(server::builder().listen(address.parse()?), server::ShutdownOptions::default())?;
    Ok(())
}
