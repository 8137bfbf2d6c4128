//! A server with two queues. Its method `Slow` prints `slow`, and blocks its thread until a line arrives on standard
//! input. It is a program of its own because all servers of a process share their pollers.

use std::io::stdin;
use std::num::NonZeroUsize;
use std::thread;

use calc::proto::calc::{AddReply, AddRequest};
use grpcio_kit::{Method, Server, ServiceBuilder};

const QUICK: Method<AddRequest, AddReply> = Method::new("/test.Pollers/Quick");
const SLOW: Method<AddRequest, AddReply> = Method::new("/test.Pollers/Slow");

fn reply(request: AddRequest) -> AddReply {
    AddReply { n1: request.n1, ..Default::default() }
}

fn main() {
    let service =
        ServiceBuilder::new("test.Pollers").unary(QUICK, |_, request| Ok(reply(request))).unary(SLOW, |_, request| {
            println!("slow");
            stdin().read_line(&mut String::new()).unwrap();
            Ok(reply(request))
        });
    let server = Server::builder().queues(NonZeroUsize::new(2).unwrap()).service(service.build());
    let server = server.listen("127.0.0.1:0".parse().unwrap()).start().unwrap();
    println!("listening on {}", server.addresses()[0]);
    loop {
        thread::park();
    }
}
