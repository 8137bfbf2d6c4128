//! calc's clients: the blocking one with a thread for each call in flight, the asynchronous one with a task for each,
//! on the thread that receives replies (`Channel::spawn`). All calls are on one channel.
//!
//!     bench-client blocking|async HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)

use std::error::Error;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use calc::Client;
use grpcio_kit::Channel;

type Latencies = Vec<f64>;
type Failure = Box<dyn Error + Send + Sync>;

fn check(reply: Result<i32, calc::Error>) -> Result<(), Failure> {
    match reply? {
        30 => Ok(()),
        wrong => Err(format!("20 + 10 is {wrong}").into()),
    }
}

fn micros(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e6
}

fn blocking(client: &Client, calls: usize) -> Result<Latencies, Failure> {
    let mut latencies = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        check(client.add(20, 10))?;
        latencies.push(micros(began));
    }
    Ok(latencies)
}

async fn asynchronous(client: &Client, calls: usize) -> Result<Latencies, Failure> {
    let mut latencies = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        check(client.add_async(20, 10).await)?;
        latencies.push(micros(began));
    }
    Ok(latencies)
}

/// Makes equally many calls in each of `in_flight` loops. Returns their latencies in µs.
fn run(kind: &str, channel: &Channel, in_flight: usize, calls: usize) -> Result<Latencies, Failure> {
    let (sender, receiver) = mpsc::channel();
    for _ in 0..in_flight {
        let (channel, client, sender) = (channel.clone(), Client::new(channel.clone()), sender.clone());
        let calls = calls / in_flight;
        // The receiver is gone only if another loop has failed.
        if kind == "async" {
            channel.spawn(async move { drop(sender.send(asynchronous(&client, calls).await)) });
        } else {
            thread::spawn(move || drop(sender.send(blocking(&client, calls))));
        }
    }
    drop(sender);
    let mut all = Vec::with_capacity(calls);
    for latencies in receiver {
        all.extend(latencies?);
    }
    Ok(all)
}

/// Tells the measuring program `what`, and waits until it answers.
fn tell(what: &str) -> io::Result<usize> {
    println!("{what}");
    io::stdin().read_line(&mut String::new())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [kind, target, in_flight, calls] = arguments.as_slice() else {
        return Err("usage: bench-client blocking|async HOST:PORT IN_FLIGHT CALLS".into());
    };
    let (in_flight, calls) = (in_flight.parse()?, calls.parse()?);
    let channel = Channel::connect(target)?;
    run(kind, &channel, in_flight, in_flight.max(calls / 5))?;
    tell("ready")?;
    let mut latencies = run(kind, &channel, in_flight, calls)?;
    tell("done")?;
    latencies.sort_by(f64::total_cmp);
    println!("{} {}", latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100]);
    Ok(())
}
