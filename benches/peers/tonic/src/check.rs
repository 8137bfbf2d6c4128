//! Checks a Calculator with tonic: prints a line for each check (script/interop).
//!
//!     bench-tonic-check HOST:PORT [--ca FILE [--cert FILE --key FILE]] [--refused]

use std::error::Error;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use proto::calculator_client::CalculatorClient;
use proto::{AddReply, AddRequest, DivideRequest, MultiplyRequest, SubstractRequest};

mod flags;

mod proto {
    tonic::include_proto!("calc");
}

type Client = CalculatorClient<Channel>;
type Failure = Box<dyn Error>;

/// Concurrent calls, each with operands of its own.
const CALLS: i32 = 10_000;
/// The deadline of calls that must succeed, and of one that must not.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

fn equal<T: Debug + PartialEq>(what: &str, got: T, expected: T) -> Result<(), Failure> {
    if got == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, got {got:?}").into()) }
}

fn with_deadline<T>(message: T, timeout: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

async fn add(mut client: Client, n1: i32, n2: i32) -> Result<i32, Status> {
    Ok(client.add(with_deadline(AddRequest { n1, n2 }, PATIENCE)).await?.into_inner().n1)
}

async fn four_calls(mut client: Client) -> Result<(), Failure> {
    let (n1, n2) = (20, 10);
    equal("Add", add(client.clone(), n1, n2).await?, 30)?;
    equal("Substract", client.substract(SubstractRequest { n1, n2 }).await?.into_inner().n1, 10)?;
    equal("Multiply", client.multiply(MultiplyRequest { n1, n2 }).await?.into_inner().n1, 200)?;
    equal("Divide", client.divide(DivideRequest { n1: 10, n2: 2 }).await?.into_inner().f1, 5.0)
}

async fn two_errors(mut client: Client) -> Result<(), Failure> {
    let status = add(client.clone(), i32::MAX, 1).await.err().ok_or("an overflow succeeded")?;
    let message = "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)";
    equal("an overflow", (status.code(), status.message()), (Code::OutOfRange, message))?;
    let info = status.get_details_error_info().ok_or("an overflow has no details")?;
    equal("its reason", (info.reason.as_str(), info.domain.as_str()), ("INT32_OVERFLOW", "calc"))?;
    let metadata = [("operation", "Add"), ("n1", "2147483647"), ("n2", "1"), ("result", "2147483648")];
    equal("its metadata", info.metadata, metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into())?;

    let status = client.divide(DivideRequest { n1: 1, n2: 0 }).await.err().ok_or("a division by zero succeeded")?;
    equal("a division by zero", (status.code(), status.message()), (Code::InvalidArgument, "division by zero"))?;
    let info = status.get_details_error_info().ok_or("a division by zero has no info")?;
    equal("its reason", (info.reason.as_str(), info.domain.as_str()), ("DIVISION_BY_ZERO", "calc"))?;
    let violations = status.get_details_bad_request().ok_or("a division by zero names no field")?.field_violations;
    let fields: Vec<_> = violations.iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
    equal("its fields", fields, vec![("n2", "must not be zero")])
}

async fn concurrent_calls(client: &Client) -> Result<(), Failure> {
    let mut calls = JoinSet::new();
    for n in 0..CALLS {
        let sum = add(client.clone(), n, 1);
        calls.spawn(async move { (n, sum.await) });
    }
    while let Some(ended) = calls.join_next().await {
        let (n, sum) = ended?;
        equal("a concurrent call", sum?, n + 1)?;
    }
    Ok(())
}

/// Makes a call whose request never comes: it is in flight until it ends.
async fn open_call(channel: Channel, timeout: Duration) -> Result<Response<AddReply>, Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let requests = with_deadline(tokio_stream::pending::<AddRequest>(), timeout);
    let codec: ProstCodec<AddRequest, AddReply> = ProstCodec::default();
    grpc.client_streaming(requests, PathAndQuery::from_static("/calc.Calculator/Add"), codec).await
}

async fn calls_without_request(channel: &Channel, client: &Client) -> Result<(), Failure> {
    let status = open_call(channel.clone(), SHORT).await.err().ok_or("a call without its request succeeded")?;
    // tonic's own clock says CANCELLED when it ends the call before the server does.
    if (status.code(), status.message()) != (Code::Cancelled, "Timeout expired") {
        equal("a deadline", status.code(), Code::DeadlineExceeded)?;
    }
    equal("a sum", add(client.clone(), 1, 1).await?, 2)?;
    println!("deadline");

    let mut cancelled = Box::pin(open_call(channel.clone(), PATIENCE));
    // The connection is in order: the server has its headers when it replies to this one.
    let other = pin!(add(client.clone(), 1, 2));
    tokio::select! {
        biased;
        ended = &mut cancelled => return Err(format!("a call without its request ended: {ended:?}").into()),
        sum = other => equal("a sum", sum?, 3)?,
    }
    drop(cancelled);
    equal("a sum", add(client.clone(), 1, 3).await?, 4)?;
    println!("cancellation");
    Ok(())
}

fn connect(target: &str) -> Result<Channel, Failure> {
    let Some(ca) = flags::read("--ca")? else {
        return Ok(Endpoint::from_shared(format!("http://{target}"))?.connect_lazy());
    };
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    if let (Some(certificate), Some(key)) = (flags::read("--cert")?, flags::read("--key")?) {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    Ok(Endpoint::from_shared(format!("https://{target}"))?.tls_config(tls)?.connect_lazy())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let channel = connect(&std::env::args().nth(1).ok_or("usage: bench-tonic-check HOST:PORT [FLAGS]")?)?;
    let client = CalculatorClient::new(channel.clone());
    if std::env::args().any(|argument| argument == "--refused") {
        let status = add(client, 1, 1).await.err().ok_or("a call that must fail succeeded")?;
        // After its own part of the handshake, tonic reports the end of the connection as CANCELLED or UNKNOWN.
        if status.code() != Code::Unavailable && status.source().is_none_or(|source| !source.is::<tonic::transport::Error>()) {
            return Err(format!("{status:?}: expected the end of the connection").into());
        }
        println!("refused");
        return Ok(());
    }
    four_calls(client.clone()).await?;
    println!("calls");
    two_errors(client.clone()).await?;
    println!("errors");
    concurrent_calls(&client).await?;
    println!("concurrency");
    calls_without_request(&channel, &client).await
}
