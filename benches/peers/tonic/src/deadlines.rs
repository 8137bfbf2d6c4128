//! Calls whose deadlines expire at once, on the connection of calls that have time: none of those may fail.
//!
//!     tonic-deadlines HOST:PORT
//!
//! tonic's HTTP/2 library ends a connection, and fails every call on it, when the server ends a stream twice.

use std::error::Error;
use std::time::Duration;

use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Request};

use proto::AddRequest;
use proto::calculator_client::CalculatorClient;

mod proto {
    tonic::include_proto!("calc");
}

type Failure = Box<dyn Error + Send + Sync>;

/// Calls that have time, and tasks that meanwhile make one call after another that has none.
const CALLS: usize = 200;
const HURRIED_TASKS: usize = 20;
const HURRIED_CALLS: usize = 10;
const ROUNDS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(20);

async fn add(mut client: CalculatorClient<Channel>, timeout: Duration) -> Result<i32, tonic::Status> {
    let mut request = Request::new(AddRequest { n1: 20, n2: 10 });
    request.set_timeout(timeout);
    Ok(client.add(request).await?.into_inner().n1)
}

/// Makes a call, again if the server has refused its stream: it does while it still cleans up too many expired ones.
async fn add_accepted(client: CalculatorClient<Channel>) -> Result<i32, tonic::Status> {
    loop {
        match add(client.clone(), PATIENCE).await {
            Err(status) if format!("{status:?}").contains("REFUSED_STREAM") => {}
            ended => return ended,
        }
    }
}

/// Makes calls that may fail, but only because their deadline has expired; returns how many did.
async fn hurry(client: CalculatorClient<Channel>) -> Result<usize, tonic::Status> {
    let mut expired = 0;
    for _ in 0..HURRIED_CALLS {
        match add(client.clone(), Duration::from_millis(1)).await {
            Ok(_) => {}
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => expired += 1,
            Err(status) if format!("{status:?}").contains("REFUSED_STREAM") => {}
            Err(status) => return Err(status),
        }
    }
    Ok(expired)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let target = std::env::args().nth(1).ok_or("usage: tonic-deadlines HOST:PORT")?;
    let client = CalculatorClient::connect(format!("http://{target}")).await?;
    // With the first reply comes how many calls the server allows at a time.
    add(client.clone(), PATIENCE).await?;
    let mut expired = 0;
    for _ in 0..ROUNDS {
        let (mut calls, mut hurried) = (JoinSet::new(), JoinSet::new());
        (0..HURRIED_TASKS).for_each(|_| drop(hurried.spawn(hurry(client.clone()))));
        (0..CALLS).for_each(|_| drop(calls.spawn(add_accepted(client.clone()))));
        while let Some(sum) = calls.join_next().await {
            match sum? {
                Ok(30) => {}
                wrong => return Err(format!("a call that has time: {wrong:?}").into()),
            }
        }
        while let Some(ended) = hurried.join_next().await {
            expired += ended??;
        }
    }
    if expired == 0 {
        return Err("no deadline has expired".into());
    }
    println!("{} calls succeeded beside {expired} whose deadline expired", CALLS * ROUNDS);
    Ok(())
}
