//! Checks a Calculator with calc's blocking and asynchronous clients (script/interop). Prints a line for each check.
//!
//!     check-client TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use calc::proto::calc::{AddReply, AddRequest};
use calc::proto::calc_grpc::calculator;
use calc::{Client, client};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use futures::stream;
use grpcio_kit::proto::google_rpc::error_details::{BadRequest, ErrorInfo};
use grpcio_kit::{CallOptions, Channel, ClientTls, Code, Method, ReplyFuture, Status};

type Failure = Box<dyn Error>;

/// Concurrent calls, each with operands of its own.
const CALLS: i32 = 10_000;
/// The deadline of calls that must succeed, and of one that must not.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

fn equal<T: Debug + PartialEq>(what: &str, got: T, expected: T) -> Result<(), Failure> {
    if got == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, got {got:?}").into()) }
}

fn four_calls(client: &Client) -> Result<(), Failure> {
    equal("Add", client.add(20, 10)?, 30)?;
    equal("Substract", client.subtract(20, 10)?, 10)?;
    equal("Multiply", client.multiply(20, 10)?, 200)?;
    equal("Divide", client.divide(10, 2)?, 5.0)
}

fn two_errors(client: &Client) -> Result<(), Failure> {
    let Err(client::Error::Overflow { result, status }) = client.add(i32::MAX, 1) else {
        return Err(format!("an overflow is {:?}", client.add(i32::MAX, 1)).into());
    };
    equal("an overflow", (status.code(), result), (Code::OutOfRange, 2_147_483_648))?;
    let message = "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)";
    equal("its message", status.message(), message)?;
    let metadata = [("operation", "Add"), ("n1", "2147483647"), ("n2", "1"), ("result", "2147483648")];
    let info = status.detail::<ErrorInfo>().unwrap_or_default();
    equal("its reason", info.reason.as_str(), "INT32_OVERFLOW")?;
    let metadata: HashMap<_, _> = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    equal("its metadata", info.metadata, metadata)?;

    let Err(client::Error::DivisionByZero(status)) = client.divide(1, 0) else {
        return Err(format!("a division by zero is {:?}", client.divide(1, 0)).into());
    };
    equal("a division by zero", (status.code(), status.message()), (Code::InvalidArgument, "division by zero"))?;
    let violations = status.detail::<BadRequest>().unwrap_or_default().field_violations;
    let fields: Vec<_> = violations.iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
    equal("its fields", fields, vec![("n2", "must not be zero")])
}

fn concurrent_calls(client: &Client) -> Result<(), Failure> {
    let replies = block_on(join_all((0..CALLS).map(|n| client.add_async(n, 1))));
    replies.into_iter().zip(1..).try_for_each(|(reply, sum)| equal("a sum", reply?, sum))
}

/// Starts a call whose request never comes: it is in flight until it ends.
fn open_call(channel: &Channel, timeout: Duration) -> ReplyFuture<AddReply> {
    let method: Method<AddRequest, AddReply> = Method::new(calculator::ADD.path());
    channel.client_streaming_async(method, stream::pending(), CallOptions::default().timeout(timeout))
}

fn calls_without_request(channel: &Channel, client: &Client) -> Result<(), Failure> {
    let late = block_on(open_call(channel, SHORT));
    equal("a deadline", late.map_err(|status: Status| status.code()), Err(Code::DeadlineExceeded))?;
    equal("a sum", client.add(1, 1)?, 2)?;
    println!("deadline");

    // It starts when it is polled first.
    let mut cancelled = open_call(channel, PATIENCE);
    if let Some(ended) = (&mut cancelled).now_or_never() {
        return Err(format!("a call without its request ended at once: {ended:?}").into());
    }
    // The connection is in order: the server has its headers when it replies to this one.
    equal("a sum", client.add(1, 2)?, 3)?;
    drop(cancelled);
    equal("a sum", client.add(1, 3)?, 4)?;
    println!("cancellation");
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut channel = Channel::builder(&arguments.next().ok_or("usage: check-client TARGET [FLAGS]")?);
    let (mut flags, mut is_refused) = (HashMap::new(), false);
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--refused" => is_refused = true,
            "--ca" | "--cert" | "--key" => drop(flags.insert(flag, arguments.next().ok_or("a file is missing")?)),
            _ => return Err(format!("unknown flag {flag}").into()),
        }
    }
    if let Some(ca) = flags.get("--ca") {
        let mut tls = ClientTls::default().ca(ca);
        if let (Some(certificate), Some(key)) = (flags.get("--cert"), flags.get("--key")) {
            tls = tls.certificate(certificate, key);
        }
        channel = channel.tls(tls);
    }
    let channel = channel.connect()?;
    let client = Client::new(channel.clone()).timeout(PATIENCE);
    if is_refused {
        let status = client.add(1, 1).err().map(|error| error.status().code());
        equal("a call", status, Some(Code::Unavailable))?;
        println!("refused");
        return Ok(());
    }
    four_calls(&client)?;
    println!("calls");
    two_errors(&client)?;
    println!("errors");
    concurrent_calls(&client)?;
    println!("concurrency");
    calls_without_request(&channel, &client)
}
