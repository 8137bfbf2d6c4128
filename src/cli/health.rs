//! `calc health`: a probe with the exit codes of `grpc_health_probe`, by grpc.health.v1
//! (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).

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
    1    wrong usage, or standard output failed
    2    the server cannot be reached within --timeout
    3    the RPC failed or timed out, or the server does not have the service
    4    the service is not SERVING

They are those of grpc_health_probe. With --watch the command ends with 3 when the server ends.";

pub const WRONG_USAGE: u8 = 1;
const NOT_CONNECTED: u8 = 2;
const CALL_FAILED: u8 = 3;
const NOT_SERVING: u8 = 4;

#[derive(StructOpt)]
pub struct Health {
    /// Full name of a service, such as calc.Calculator [default: the server as a whole]
    #[structopt(value_name = "SERVICE", default_value = "", hide_default_value = true)]
    service: String,
    /// Print the status and its changes until interrupted; --timeout limits the time to connect
    #[structopt(long)]
    watch: bool,
    #[structopt(flatten)]
    server: Connect,
}

impl Health {
    pub fn run(self) -> Result<(), Exit> {
        let begin = Instant::now();
        let channel = self.server.channel()?;
        let is_connected = channel.try_connect(self.server.timeout, self.server.wait_for_ready);
        // Without a connection, the status of the RPC says why.
        let rest = self.server.timeout.saturating_sub(begin.elapsed());
        let client = HealthClient::new(channel);
        let request = HealthCheckRequest { service: self.service, ..Default::default() };
        let options = |timeout| self.server.call_options().timeout(timeout).wait_for_ready(false);
        let failed = |status| failure(is_connected, &status);
        if self.watch {
            for reply in client.watch(&request, options(if is_connected { Duration::MAX } else { rest })) {
                if !print(&reply.map_err(failed)?)? {
                    return Ok(());
                }
            }
            return Err(failed(Status::new(Code::Unavailable, "the server ended the watch")));
        }
        let reply = client.check(&request, options(rest)).map_err(failed)?;
        print(&reply)?;
        match reply.status.enum_value() {
            Ok(ServingStatus::SERVING) => Ok(()),
            _ => Err(Exit::Code(NOT_SERVING, format!("the status is {}", name(&reply)))),
        }
    }
}

fn failure(is_connected: bool, status: &Status) -> Exit {
    match status.code() {
        _ if !is_connected => Exit::Code(NOT_CONNECTED, format!("cannot connect: {status}")),
        Code::Unimplemented => Exit::Code(CALL_FAILED, format!("the server has no grpc.health.v1.Health: {status}")),
        _ => Exit::Code(CALL_FAILED, status.to_string()),
    }
}

/// Prints a status, and returns whether the pipe is still open.
fn print(reply: &HealthCheckResponse) -> Result<bool, Exit> {
    exit::print_while_read(&format!("{}\n", name(reply)))
}

/// Returns the status as the protocol writes it.
fn name(reply: &HealthCheckResponse) -> String {
    match reply.status.enum_value() {
        Ok(status) => format!("{status:?}"),
        Err(number) => number.to_string(),
    }
}
