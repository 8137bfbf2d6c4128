//! The Calculator's client on tonic: a task for each call in flight, all on one channel.
//!
//!     bench-tonic-client HOST:PORT                     one call, as a program of its own
//!     bench-tonic-client HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)

use std::error::Error;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::Request;
use tonic::transport::Channel;

use proto::AddRequest;
use proto::calculator_client::CalculatorClient;

mod proto {
    tonic::include_proto!("calc");
}

type Failure = Box<dyn Error + Send + Sync>;

async fn add(client: &mut CalculatorClient<Channel>) -> Result<i32, Failure> {
    let mut request = Request::new(AddRequest { n1: 20, n2: 10 });
    request.set_timeout(Duration::from_secs(5));
    match client.add(request).await?.into_inner().n1 {
        30 => Ok(30),
        wrong => Err(format!("20 + 10 is {wrong}").into()),
    }
}

/// Makes equally many calls in each of `in_flight` tasks. Returns their latencies in µs.
async fn run(client: &CalculatorClient<Channel>, in_flight: usize, calls: usize) -> Result<Vec<f64>, Failure> {
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let mut client = client.clone();
        tasks.spawn(async move {
            let mut latencies = Vec::with_capacity(calls / in_flight);
            for _ in 0..calls / in_flight {
                let began = Instant::now();
                add(&mut client).await?;
                latencies.push(began.elapsed().as_secs_f64() * 1e6);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut all = Vec::with_capacity(calls);
    while let Some(latencies) = tasks.join_next().await {
        all.extend(latencies??);
    }
    Ok(all)
}

/// Tells the measuring program `what`, and waits until it answers.
fn tell(what: &str) -> Result<(), Failure> {
    println!("{what}");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

// One thread: more of them cost more CPU time per call.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let usage = "usage: bench-tonic-client HOST:PORT [IN_FLIGHT CALLS]";
    let mut client = CalculatorClient::connect(format!("http://{}", arguments.first().ok_or(usage)?)).await?;
    let [_, in_flight, calls] = arguments.as_slice() else {
        println!("{}", add(&mut client).await?);
        return Ok(());
    };
    let (in_flight, calls) = (in_flight.parse()?, calls.parse()?);
    run(&client, in_flight, in_flight.max(calls / 5)).await?;
    tell("ready")?;
    let mut latencies = run(&client, in_flight, calls).await?;
    tell("done")?;
    latencies.sort_by(f64::total_cmp);
    println!("{} {}", latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100]);
    Ok(())
}
