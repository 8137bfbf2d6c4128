//! The Calculator on grpcio with the crate's defaults, as its examples write a server:
//!
//!     bench-grpcio HOST:PORT

use std::error::Error;
use std::sync::Arc;
use std::thread;

use grpcio::{
    Environment, Marshaller, Method, MethodType, RpcContext, RpcStatus, RpcStatusCode, ServerBuilder,
    ServerCredentials, ServiceBuilder, UnarySink, pb_de, pb_ser,
};
use protobuf::Message;

use calc::{
    AddReply, AddRequest, DivideReply, DivideRequest, MeuliplyReply, MultiplyRequest, SubstractReply, SubstractRequest,
};

include!(concat!(env!("OUT_DIR"), "/calc/mod.rs"));

const ADD: Method<AddRequest, AddReply> = method("/calc.Calculator/Add");
const SUBSTRACT: Method<SubstractRequest, SubstractReply> = method("/calc.Calculator/Substract");
const MULTIPLY: Method<MultiplyRequest, MeuliplyReply> = method("/calc.Calculator/Multiply");
const DIVIDE: Method<DivideRequest, DivideReply> = method("/calc.Calculator/Divide");

/// What grpcio-compiler generates for a unary method.
const fn method<Request: Message, Reply: Message>(name: &'static str) -> Method<Request, Reply> {
    let (req_mar, resp_mar) = (Marshaller { ser: pb_ser, de: pb_de }, Marshaller { ser: pb_ser, de: pb_de });
    Method { ty: MethodType::Unary, name, req_mar, resp_mar }
}

/// A handler that answers with what `compute` gives.
fn answer<Request, Reply>(
    compute: fn(&Request) -> Result<Reply, RpcStatus>,
) -> impl FnMut(RpcContext<'_>, Request, UnarySink<Reply>) + Send + Clone
where
    Request: 'static,
    Reply: 'static,
{
    move |ctx, request, sink| {
        let sent = match compute(&request) {
            Ok(reply) => sink.success(reply),
            Err(status) => sink.fail(status),
        };
        ctx.spawn(async move {
            if let Err(error) = sent.await {
                eprintln!("cannot reply: {error}");
            }
        });
    }
}

fn fit(n1: i32, operator: char, n2: i32, result: i64) -> Result<i32, RpcStatus> {
    i32::try_from(result).map_err(|_| {
        let range = format!("{} to {}", i32::MIN, i32::MAX);
        let message = format!("{n1} {operator} {n2} = {result} does not fit an int32 ({range})");
        RpcStatus::with_message(RpcStatusCode::OUT_OF_RANGE, message)
    })
}

fn add(request: &AddRequest) -> Result<AddReply, RpcStatus> {
    let n1 = fit(request.n1, '+', request.n2, i64::from(request.n1) + i64::from(request.n2))?;
    Ok(AddReply { n1, ..Default::default() })
}

fn substract(request: &SubstractRequest) -> Result<SubstractReply, RpcStatus> {
    let n1 = fit(request.n1, '-', request.n2, i64::from(request.n1) - i64::from(request.n2))?;
    Ok(SubstractReply { n1, ..Default::default() })
}

fn multiply(request: &MultiplyRequest) -> Result<MeuliplyReply, RpcStatus> {
    let n1 = fit(request.n1, '*', request.n2, i64::from(request.n1) * i64::from(request.n2))?;
    Ok(MeuliplyReply { n1, ..Default::default() })
}

fn divide(request: &DivideRequest) -> Result<DivideReply, RpcStatus> {
    if request.n2 == 0 {
        return Err(RpcStatus::with_message(RpcStatusCode::INVALID_ARGUMENT, "division by zero".to_owned()));
    }
    Ok(DivideReply { f1: (f64::from(request.n1) / f64::from(request.n2)) as f32, ..Default::default() })
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: bench-grpcio HOST:PORT")?;
    let (host, _) = address.rsplit_once(':').ok_or("the address is HOST:PORT")?;
    let service = ServiceBuilder::new()
        .add_unary_handler(&ADD, answer(add))
        .add_unary_handler(&SUBSTRACT, answer(substract))
        .add_unary_handler(&MULTIPLY, answer(multiply))
        .add_unary_handler(&DIVIDE, answer(divide))
        .build();
    // One completion queue per core, as `EnvBuilder` has it by default.
    let environment = Arc::new(Environment::new(thread::available_parallelism()?.get()));
    let mut server = ServerBuilder::new(environment).register_service(service).build()?;
    let port = server.add_listening_port(&address, ServerCredentials::insecure())?;
    server.start();
    println!("listening on {host}:{port}");
    loop {
        thread::park();
    }
}
