//! `calc health`: whether a server, or one of its services, can be called. Made for probes: it
//! ends with the exit codes of `grpc_health_probe`, which says nothing of the calculator's own.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use grpcio_kit::proto::grpc_health::health::health_check_response::ServingStatus;
use grpcio_kit::proto::grpc_health::health::{HealthCheckRequest, HealthCheckResponse};
use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
use grpcio_kit::{Code, Status};
use structopt::StructOpt;

use super::connect::Connect;
use super::exit::{self, Exit};

/// The exit codes, for `--help`.
pub const HELP: &str = "\
EXIT CODES:
    0    the service is SERVING
    1    wrong usage, or standard output could not be written
    2    the server could not be connected to in time
    3    the call failed or timed out; also if the server does not know the service
    4    the service is not SERVING

They are those of grpc_health_probe. With --watch the command ends with 3 when the server ends.";

const WRONG_USAGE: u8 = 1;
const NOT_CONNECTED: u8 = 2;
const CALL_FAILED: u8 = 3;
const NOT_SERVING: u8 = 4;

#[derive(StructOpt)]
pub struct Health {
    /// The service's full name, such as calc.Calculator; the server as a whole if not given
    #[structopt(value_name = "SERVICE", default_value = "", hide_default_value = true)]
    service: String,
    /// Prints the status and each change of it, until interrupted; the time is that to connect
    #[structopt(long)]
    watch: bool,
    #[structopt(flatten)]
    server: Connect,
}

impl Health {
    pub fn run(self) -> Result<(), Exit> {
        let begin = Instant::now();
        let channel = self.server.channel().map_err(as_probe)?;
        let is_connected = channel.try_connect(self.server.timeout);
        // Where there is no connection, the call tells why.
        let rest = self.server.timeout.saturating_sub(begin.elapsed());
        let client = HealthClient::new(channel);
        let request = HealthCheckRequest { service: self.service, ..Default::default() };
        let failed = |status| failure(is_connected, &status);
        if self.watch {
            let time = if is_connected { Duration::MAX } else { rest };
            for reply in client.watch(&request, self.server.call_options().timeout(time)) {
                if !print(&reply.map_err(failed)?)? {
                    return Ok(());
                }
            }
            return Err(failed(Status::new(Code::Unavailable, "the server ended the watch")));
        }
        let reply = client.check(&request, self.server.call_options().timeout(rest)).map_err(failed)?;
        print(&reply)?;
        match reply.status.enum_value() {
            Ok(ServingStatus::SERVING) => Ok(()),
            _ => Err(Exit::Probe(NOT_SERVING, format!("the status is {}", name(&reply)))),
        }
    }
}

/// Whether the command line is that of `calc health`, whose exit code for wrong usage is another.
pub fn is_meant(command: Option<&OsStr>) -> bool {
    command.is_some_and(|command| command == "health")
}

/// Wrong usage, with a probe's exit code.
pub fn as_probe(exit: Exit) -> Exit {
    match exit {
        Exit::Usage(message) => Exit::Probe(WRONG_USAGE, message),
        exit => exit,
    }
}

fn failure(is_connected: bool, status: &Status) -> Exit {
    match status.code() {
        _ if !is_connected => Exit::Probe(NOT_CONNECTED, format!("cannot connect: {status}")),
        Code::Unimplemented => Exit::Probe(CALL_FAILED, format!("the server has no grpc.health.v1.Health: {status}")),
        _ => Exit::Probe(CALL_FAILED, status.to_string()),
    }
}

/// Says whether there is a reader.
fn print(reply: &HealthCheckResponse) -> Result<bool, Exit> {
    exit::print_while_read(&format!("{}\n", name(reply)))
}

/// The status, as the protocol writes it.
fn name(reply: &HealthCheckResponse) -> String {
    match reply.status.enum_value() {
        Ok(status) => format!("{status:?}"),
        Err(number) => number.to_string(),
    }
}
