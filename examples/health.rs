//! Health (grpc.health.v1): a client watches the Calculator's status while the server changes it.
//!
//!     cargo run --release --example health

use std::error::Error;
use std::time::Duration;

use calc::proto::calc_grpc::calculator;
use calc::server;
use grpcio_kit::proto::grpc_health::health::HealthCheckRequest;
use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
use grpcio_kit::{CallOptions, Channel, ServingStatus};

fn main() -> Result<(), Box<dyn Error>> {
    let server = server::builder().listen("127.0.0.1:0".parse()?).start()?;
    let health = server.health().ok_or("the server has no health service")?;
    let client = HealthClient::new(Channel::connect(&server.addresses()[0].to_string())?);
    let request = HealthCheckRequest { service: calculator::NAME.to_owned(), ..Default::default() };
    let options = CallOptions::default().timeout(Duration::from_secs(5));

    // Load balancers and Kubernetes poll `Check`; gRPC clients keep a `Watch` open.
    println!("check: {:?}", client.check(&request, options.clone())?.status);
    let mut watch = client.watch(&request, options);
    let mut next = || watch.next().ok_or("the server ended the watch");
    println!("watch: {:?}", next()??.status);
    // Such as when a database that the service needs is gone, and when it is back.
    health.set(calculator::NAME, ServingStatus::NotServing);
    println!("watch: {:?}", next()??.status);
    health.set(calculator::NAME, ServingStatus::Serving);
    println!("watch: {:?}", next()??.status);
    Ok(())
}
