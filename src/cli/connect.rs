//! Where a command finds the server that it asks, and how it gets there.

use std::time::Duration;

use calc::rpc::{CallOptions, Channel};
use structopt::StructOpt;

use super::exit::Exit;
use super::values;

#[derive(StructOpt)]
pub struct Connect {
    /// The server: HOST:PORT, dns:///HOST:PORT, ipv4:ADDR:PORT,ADDR:PORT or unix:PATH
    #[structopt(
        long,
        value_name = "TARGET",
        env = "CALC_TARGET",
        hide_env_values = true,
        default_value = "localhost:50050"
    )]
    target: String,
    /// The time that the call may take, 0.001 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_TIMEOUT", hide_env_values = true, default_value = "5",
        parse(try_from_str = values::timeout))]
    pub timeout: Duration,
}

impl Connect {
    /// A channel to the server. The connection is made by its first call.
    pub fn channel(&self) -> Result<Channel, Exit> {
        Ok(Channel::connect(&self.target)?)
    }

    /// The options of one call.
    pub fn call_options(&self) -> CallOptions {
        CallOptions::default().timeout(self.timeout)
    }
}
