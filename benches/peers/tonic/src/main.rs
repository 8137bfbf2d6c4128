//! The Calculator on tonic, as its examples write a server:
//!
//!     bench-tonic HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]

use std::collections::HashMap;
use std::error::Error;

use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};
use tonic_types::{BadRequest, ErrorInfo, StatusExt};

use proto::calculator_server::{Calculator, CalculatorServer};
use proto::{
    AddReply, AddRequest, DivideReply, DivideRequest, MeuliplyReply, MultiplyRequest, SubstractReply, SubstractRequest,
};

mod flags;

mod proto {
    tonic::include_proto!("calc");
}

struct CalculatorService;

#[tonic::async_trait]
impl Calculator for CalculatorService {
    async fn add(&self, request: Request<AddRequest>) -> Result<Response<AddReply>, Status> {
        let AddRequest { n1, n2 } = request.into_inner();
        let n1 = fit("Add", n1, '+', n2, i64::from(n1) + i64::from(n2))?;
        Ok(Response::new(AddReply { n1 }))
    }

    async fn substract(&self, request: Request<SubstractRequest>) -> Result<Response<SubstractReply>, Status> {
        let SubstractRequest { n1, n2 } = request.into_inner();
        let n1 = fit("Substract", n1, '-', n2, i64::from(n1) - i64::from(n2))?;
        Ok(Response::new(SubstractReply { n1 }))
    }

    async fn multiply(&self, request: Request<MultiplyRequest>) -> Result<Response<MeuliplyReply>, Status> {
        let MultiplyRequest { n1, n2 } = request.into_inner();
        let n1 = fit("Multiply", n1, '*', n2, i64::from(n1) * i64::from(n2))?;
        Ok(Response::new(MeuliplyReply { n1 }))
    }

    async fn divide(&self, request: Request<DivideRequest>) -> Result<Response<DivideReply>, Status> {
        let DivideRequest { n1, n2 } = request.into_inner();
        if n2 == 0 {
            let details = vec![
                BadRequest::with_violation("n2", "must not be zero").into(),
                ErrorInfo::new("DIVISION_BY_ZERO", "calc", HashMap::new()).into(),
            ];
            return Err(Status::with_error_details_vec(Code::InvalidArgument, "division by zero", details));
        }
        Ok(Response::new(DivideReply { f1: (f64::from(n1) / f64::from(n2)) as f32 }))
    }
}

fn fit(operation: &str, n1: i32, operator: char, n2: i32, result: i64) -> Result<i32, Status> {
    i32::try_from(result).map_err(|_| {
        let range = format!("{} to {}", i32::MIN, i32::MAX);
        let message = format!("{n1} {operator} {n2} = {result} does not fit an int32 ({range})");
        let operands = [("n1", n1.to_string()), ("n2", n2.to_string()), ("result", result.to_string())];
        let mut metadata: HashMap<_, _> = operands.map(|(key, value)| (key.to_owned(), value)).into();
        metadata.insert("operation".to_owned(), operation.to_owned());
        let details = vec![ErrorInfo::new("INT32_OVERFLOW", "calc", metadata).into()];
        Status::with_error_details_vec(Code::OutOfRange, message, details)
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: bench-tonic HOST:PORT")?;
    // What `Server::serve` does, with the port known.
    let connections = TcpIncoming::bind(address.parse()?)?.with_nodelay(Some(true));
    println!("listening on {}", connections.local_addr()?);
    let mut server = Server::builder();
    if let (Some(certificate), Some(key)) = (flags::read("--cert")?, flags::read("--key")?) {
        let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        if let Some(ca) = flags::read("--client-ca")? {
            tls = tls.client_ca_root(Certificate::from_pem(ca));
        }
        server = server.tls_config(tls)?;
    }
    server.add_service(CalculatorServer::new(CalculatorService)).serve_with_incoming(connections).await?;
    Ok(())
}
