//! The Calculator on tonic, as its examples write a server:
//!
//!     bench-tonic HOST:PORT

use std::error::Error;

use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use proto::calculator_server::{Calculator, CalculatorServer};
use proto::{
    AddReply, AddRequest, DivideReply, DivideRequest, MeuliplyReply, MultiplyRequest, SubstractReply, SubstractRequest,
};

mod proto {
    tonic::include_proto!("calc");
}

struct CalculatorService;

#[tonic::async_trait]
impl Calculator for CalculatorService {
    async fn add(&self, request: Request<AddRequest>) -> Result<Response<AddReply>, Status> {
        let AddRequest { n1, n2 } = request.into_inner();
        let n1 = fit(n1, '+', n2, i64::from(n1) + i64::from(n2))?;
        Ok(Response::new(AddReply { n1 }))
    }

    async fn substract(&self, request: Request<SubstractRequest>) -> Result<Response<SubstractReply>, Status> {
        let SubstractRequest { n1, n2 } = request.into_inner();
        let n1 = fit(n1, '-', n2, i64::from(n1) - i64::from(n2))?;
        Ok(Response::new(SubstractReply { n1 }))
    }

    async fn multiply(&self, request: Request<MultiplyRequest>) -> Result<Response<MeuliplyReply>, Status> {
        let MultiplyRequest { n1, n2 } = request.into_inner();
        let n1 = fit(n1, '*', n2, i64::from(n1) * i64::from(n2))?;
        Ok(Response::new(MeuliplyReply { n1 }))
    }

    async fn divide(&self, request: Request<DivideRequest>) -> Result<Response<DivideReply>, Status> {
        let DivideRequest { n1, n2 } = request.into_inner();
        if n2 == 0 {
            return Err(Status::invalid_argument("division by zero"));
        }
        Ok(Response::new(DivideReply { f1: (f64::from(n1) / f64::from(n2)) as f32 }))
    }
}

fn fit(n1: i32, operator: char, n2: i32, result: i64) -> Result<i32, Status> {
    i32::try_from(result).map_err(|_| {
        let range = format!("{} to {}", i32::MIN, i32::MAX);
        Status::out_of_range(format!("{n1} {operator} {n2} = {result} does not fit an int32 ({range})"))
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: bench-tonic HOST:PORT")?;
    // What `Server::serve` does, with the port known.
    let connections = TcpIncoming::bind(address.parse()?)?.with_nodelay(Some(true));
    println!("listening on {}", connections.local_addr()?);
    Server::builder().add_service(CalculatorServer::new(CalculatorService)).serve_with_incoming(connections).await?;
    Ok(())
}
