//! `calc serve`: the log and the access log on standard error.

use grpcio_kit::log::{self, Format, Guard};
use grpcio_kit::{AccessLog, ServerBuilder};
use structopt::StructOpt;
use tracing::level_filters::LevelFilter;

use crate::cli::exit::Exit;
use crate::cli::values::{self, Rate};

// Not `///`, which structopt would make the command's description.
#[derive(StructOpt)]
pub struct Log {
    /// Set the minimum level of the log
    #[structopt(long, value_name = "LEVEL", env = "CALC_LOG_LEVEL", default_value = "info",
        possible_values = &["off", "error", "warn", "info", "debug", "trace"])]
    log_level: LevelFilter,
    /// Set the format of the log's lines
    #[structopt(long, value_name = "FORMAT", env = "CALC_LOG_FORMAT", default_value = "text",
        possible_values = &["text", "json"], parse(from_str = format))]
    log_format: Format,
    /// Log this fraction of RPCs, 0 to 1, and every RPC that the server failed; or off
    #[structopt(long, value_name = "RATE", env = "CALC_ACCESS_LOG", default_value = "off",
        parse(try_from_str = values::rate))]
    access_log: Rate,
}

/// Parses one of the possible values.
fn format(text: &str) -> Format {
    if text == "json" { Format::Json } else { Format::Text }
}

impl Log {
    /// Starts the log, which ends when the guard is dropped.
    pub fn init(&self) -> Result<Guard, Exit> {
        log::init(log::Options { level: self.log_level, format: self.log_format }).map_err(Exit::failed)
    }

    /// Adds the access log to the server.
    pub fn apply(&self, server: ServerBuilder) -> Result<ServerBuilder, Exit> {
        match self.access_log {
            None => Ok(server),
            Some(rate) => Ok(server.interceptor(AccessLog::new(rate).map_err(|error| Exit::Usage(error.to_string()))?)),
        }
    }
}
