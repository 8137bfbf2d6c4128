//! The programs of gRPC's Ruby library, `src/ruby/pb/test/client.rb` and `server.rb`, which bring their own certificates.
//!
//! One test has all their cases, because they take long to start.

use std::process::Command;

use grpcio_kit::{Channel, ClientTls};

use super::peer::{PeerServer, folder};
use super::{Transport, cases, ours};
use crate::common::process::stdout_of;

/// Their cases: all but special_status_message.
const CASES: [&str; 12] = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "unimplemented_method",
    "unimplemented_service",
];

/// Does what `main` of client.rb does, for each case: it takes one, and Ruby takes a second to start.
const EVERY_CASE: &str = "
    load ARGV.shift
    cases = ARGV.shift.split(',')
    args = parse_args
    passed = cases.each do |name|
        args.test_case = name
        NamedTests.new(create_stub(args), args).method(name).call
    end
    puts passed
";

/// A name in the certificate.
const NAME: &str = "foo.test.google.fr";

fn our_client_passes(transport: Transport) {
    let Some(folder) = folder("CALC_GRPC_RUBY", "Ruby") else { return };
    let mut command = Command::new("ruby");
    command.arg(folder.join("pb/test/server.rb")).arg("--port=0");
    command.arg(format!("--use_tls={}", transport == Transport::Tls));
    let server = PeerServer::start(&mut command);
    let channel = Channel::builder(&format!("localhost:{}", server.port));
    let channel = match transport {
        Transport::ClearText => channel,
        Transport::Tls => channel.tls(ClientTls::default().ca(folder.join("spec/testdata/ca.pem")).server_name(NAME)),
    };
    let channel = channel.connect().unwrap();
    for case in CASES {
        eprintln!("{case}");
        cases::run(case, &channel);
    }
}

fn our_server_passes(transport: Transport) {
    let Some(folder) = folder("CALC_GRPC_RUBY", "Ruby") else { return };
    let data = folder.join("spec/testdata");
    let (certificate, key) = (data.join("server1.pem"), data.join("server1.key"));
    let server = ours::server((transport == Transport::Tls).then_some((&*certificate, &*key)));
    let mut command = Command::new("ruby");
    command.args(["-e", EVERY_CASE]).arg(folder.join("pb/test/client.rb")).arg(CASES.join(","));
    command.args(["--test_case=empty_unary", "--server_host=127.0.0.1", "--server_port", &ours::port(&server)]);
    if transport == Transport::Tls {
        command.args(["--use_tls=true", "--use_test_ca=true", "--server_host_override", NAME]);
    }
    let passed = stdout_of(&mut command);
    assert!(passed.ends_with(&format!("{}\n", CASES.join("\n"))), "{passed}");
}

#[test]
fn our_client_passes_against_rubys_server_in_clear_text() {
    our_client_passes(Transport::ClearText);
}

#[test]
fn our_client_passes_against_rubys_server_over_tls() {
    our_client_passes(Transport::Tls);
}

#[test]
fn rubys_client_passes_against_our_server_in_clear_text() {
    our_server_passes(Transport::ClearText);
}

#[test]
fn rubys_client_passes_against_our_server_over_tls() {
    our_server_passes(Transport::Tls);
}
