//! An interceptor of one's own: it requires metadata of each RPC, and prints how each RPC ended.
//!
//!     cargo run --release --example interceptor

use std::error::Error;

use calc::proto::calc::DivideRequest;
use calc::proto::calc_grpc::CalculatorClient;
use calc::server;
use grpcio_kit::{Call, CallOptions, Channel, Code, Interceptor, MetadataBuilder, Outcome, Status};

/// Requires the metadata `department`, and prints it with the status of the RPC.
struct Departments;

fn department<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.metadata("department").and_then(|value| std::str::from_utf8(value).ok())
}

impl Interceptor for Departments {
    /// Runs before the method. An error is the status of the RPC; the method does not run.
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        match department(call) {
            Some(_) => Ok(()),
            None => Err(Status::new(Code::InvalidArgument, "the metadata `department` is missing")),
        }
    }

    /// Runs when the status is about to be sent, for RPCs that `before` accepted.
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        println!("server: {} for {}: {}", call.method(), department(call).unwrap_or("?"), outcome.code());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = server::builder().interceptor(Departments).listen("127.0.0.1:0".parse()?).start()?;
    let client = CalculatorClient::new(Channel::connect(&server.addresses()[0].to_string())?);
    let mut metadata = MetadataBuilder::new();
    metadata.add_str("department", "sales")?;
    let of_sales = CallOptions::default().metadata(metadata.build());

    for (n2, options) in [(4, of_sales.clone()), (0, of_sales), (4, CallOptions::default())] {
        match client.divide(&DivideRequest { n1: 10, n2, ..Default::default() }, options) {
            Ok(reply) => println!("client: {:?}", reply.f1),
            Err(status) => println!("client: {status}"),
        }
    }
    Ok(())
}
