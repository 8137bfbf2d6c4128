//! A client on smol's executor: the kit's futures need no runtime, so any executor can run them.
//!
//!     cargo run --release --example smol_client

use std::error::Error;

use async_executor::Executor;
use calc::{Client, server};
use futures_lite::future;

fn main() -> Result<(), Box<dyn Error>> {
    let server = server::builder().listen("127.0.0.1:0".parse()?).start()?;
    let client = Client::connect(&server.addresses()[0].to_string())?;

    // `smol::spawn` and `smol::block_on` are these two, with a global executor.
    let executor = Executor::new();
    let tasks: Vec<_> = (1..=4)
        .map(|n| {
            let client = client.clone();
            executor.spawn(async move { client.multiply_async(n, n).await })
        })
        .collect();
    // All four RPCs are in flight at once.
    let squares = future::block_on(executor.run(async {
        let mut squares = Vec::new();
        for task in tasks {
            squares.push(task.await?);
        }
        Ok::<_, calc::Error>(squares)
    }))?;
    println!("{squares:?}");
    Ok(())
}
