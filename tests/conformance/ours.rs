//! Our server and our client.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use grpcio_kit::{Call, Channel, ClientTls, Code, Interceptor, Outcome, Server, ServerTls};

use super::service::Conforming;
use super::{Transport, cases};
use crate::common::certificates::Folder;
use crate::common::{PATIENCE, start, target};
use crate::protos::grpc_testing::test_grpc::test_service_service;

/// Tells how each RPC ended.
struct Ends(Sender<(&'static str, Code)>);

impl Interceptor for Ends {
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        // The test may have ended.
        let _ = self.0.send((call.method().path(), outcome.code()));
    }
}

/// Starts our server, over TLS with a certificate and its key.
pub fn server(tls: Option<(&Path, &Path)>) -> Server {
    let server = Server::builder().service(test_service_service(Conforming));
    start(match tls {
        Some((certificate, key)) => server.tls(ServerTls::files(certificate, key).load().unwrap()),
        None => server,
    })
}

/// Starts our server, with the certificates of the folder for TLS.
pub fn server_over(transport: Transport, folder: &Folder) -> Server {
    let (certificate, key) = (folder.path("tls.crt"), folder.path("tls.key"));
    server((transport == Transport::Tls).then_some((&*certificate, &*key)))
}

/// Returns the port of our server as an argument.
pub fn port(server: &Server) -> String {
    target(server).rsplit_once(':').unwrap().1.to_owned()
}

/// Connects our client, which trusts the folder's authority over TLS.
pub fn connect(target: &str, transport: Transport, folder: &Folder) -> Channel {
    let channel = Channel::builder(target);
    match transport {
        Transport::ClearText => channel,
        Transport::Tls => channel.tls(ClientTls::default().ca(folder.path("ca.crt"))),
    }
    .connect()
    .unwrap()
}

pub fn passes(case: &str, transport: Transport) {
    let folder = Folder::new();
    let server = server_over(transport, &folder);
    cases::run(case, &connect(&target(&server), transport, &folder));
}

/// The description has the client check the status; dropping an RPC leaves only the server to ask. (It may never hear of one
/// that is cancelled at its beginning.)
#[test]
fn our_server_learns_of_a_cancelled_rpc() {
    let (sender, ends) = channel();
    let server = start(Server::builder().service(test_service_service(Conforming)).interceptor(Ends(sender)));
    cases::run("cancel_after_first_response", &Channel::connect(&target(&server)).unwrap());
    // The other RPC of the case may end before.
    let mut seen = std::iter::from_fn(|| ends.recv_timeout(PATIENCE).ok());
    assert!(seen.any(|end| end == ("/grpc.testing.TestService/FullDuplexCall", Code::Cancelled)));
}
