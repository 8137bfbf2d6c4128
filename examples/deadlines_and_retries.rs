//! Deadlines and retries: how long a client waits, for what, and what it tries again.
//!
//!     cargo run --release --example deadlines_and_retries

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use calc::{Client, server};
use grpcio_kit::{Call, Channel, Code, Interceptor, Status};

/// Fails two RPCs of three, as a server that is about to restart would.
#[derive(Default)]
struct Restarting {
    attempts: AtomicU32,
}

impl Interceptor for Restarting {
    fn before(&self, _: &Call<'_>) -> Result<(), Status> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        println!("server: attempt {attempt}");
        if attempt % 3 == 0 { Ok(()) } else { Err(Status::new(Code::Unavailable, "restarting")) }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = server::builder().interceptor(Restarting::default()).listen("127.0.0.1:0".parse()?).start()?;
    let target = server.addresses()[0].to_string();
    // What failed with UNAVAILABLE is retried, because a calculation may be done twice. `Client::connect` does the same.
    let channel = Channel::builder(&target).retry_idempotent(["calc.Calculator"]).connect()?;
    // The deadline covers all attempts together, and the backoff between them.
    println!("client: {}", Client::new(channel).timeout(Duration::from_secs(5)).add(20, 10)?);

    // Nothing listens on port 1: an RPC fails at once, or waits until its deadline for a server to come up.
    let nobody = Client::new(Channel::connect("127.0.0.1:1")?).timeout(Duration::from_millis(200));
    for wait_for_ready in [false, true] {
        let error = nobody.clone().wait_for_ready(wait_for_ready).add(20, 10).err().ok_or("something listens there")?;
        println!("client: {} with wait_for_ready({wait_for_ready})", error.status().code());
    }
    Ok(())
}
