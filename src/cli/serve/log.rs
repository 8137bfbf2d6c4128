//! `calc serve --log-level`, `--log-format`, `--access-log`: what goes to standard error.

use grpcio_kit::log::{self, Format, Guard};
use grpcio_kit::{AccessLog, ServerBuilder};
use structopt::StructOpt;
use tracing::level_filters::LevelFilter;

use crate::cli::exit::Exit;
use crate::cli::values::{self, Rate};

// Its comment would take the place of the command's own: hence not `///`.
#[derive(StructOpt)]
pub struct Log {
    /// The least that is logged, on standard error
    #[structopt(long, value_name = "LEVEL", env = "CALC_LOG_LEVEL", hide_env_values = true, default_value = "info",
        possible_values = &["off", "error", "warn", "info", "debug", "trace"])]
    log_level: LevelFilter,
    /// What a line of the log looks like: text for people, json for programs
    #[structopt(long, value_name = "FORMAT", env = "CALC_LOG_FORMAT", hide_env_values = true, default_value = "text",
        possible_values = &["text", "json"], parse(from_str = format))]
    log_format: Format,
    /// The share of calls that are logged, 0 to 1, beside those that the server failed; or `off`
    #[structopt(long, value_name = "RATE", env = "CALC_ACCESS_LOG", hide_env_values = true, default_value = "off",
        parse(try_from_str = values::rate))]
    access_log: Rate,
}

/// What clap lets through.
fn format(text: &str) -> Format {
    match text {
        "json" => Format::Json,
        _ => Format::Text,
    }
}

impl Log {
    /// Sets the log up. It ends with what is returned.
    pub fn init(&self) -> Result<Guard, Exit> {
        Ok(log::init(log::Options { level: self.log_level, format: self.log_format })?)
    }

    /// Adds the access log to `server`, if it is wanted.
    pub fn apply(&self, server: ServerBuilder) -> Result<ServerBuilder, Exit> {
        match self.access_log.0 {
            None => Ok(server),
            Some(rate) => Ok(server.interceptor(AccessLog::new(rate)?)),
        }
    }
}
