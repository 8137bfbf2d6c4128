//! `calc serve`: the Calculator's server. Options that belong together have a file each.

mod log;
mod metrics;

use std::num::NonZeroUsize;
use std::time::Duration;

use calc::rpc::{Drain, ListenAddress};
use calc::server;
use structopt::StructOpt;

use super::exit::Exit;
use super::values;

#[derive(StructOpt)]
pub struct Serve {
    /// Where to listen: HOST:PORT, [IPV6]:PORT or unix:PATH, more than once or separated by commas; port 0 lets the
    /// system choose, and standard error has the choice
    #[structopt(long, value_name = "ADDR", env = "CALC_LISTEN", hide_env_values = true,
        default_value = server::DEFAULT_ADDRESS, number_of_values = 1, use_delimiter = true)]
    listen: Vec<ListenAddress>,
    /// The number of completion queues, each with a thread, 1 to 256; one per processor if not given
    #[structopt(long, value_name = "N", env = "CALC_QUEUES", hide_env_values = true,
        parse(try_from_str = values::queues))]
    queues: Option<NonZeroUsize>,
    /// The largest request that is accepted
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REQUEST_BYTES", hide_env_values = true,
        default_value = "4194304", parse(try_from_str = values::request_bytes))]
    max_request_bytes: u32,
    /// The time that calls in flight have to finish when the server ends, 0 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_GRACE", hide_env_values = true, default_value = "10",
        parse(try_from_str = values::grace))]
    grace: Duration,
    #[structopt(flatten)]
    metrics: metrics::MetricsOptions,
    #[structopt(flatten)]
    log: log::LogOptions,
}

impl Serve {
    pub fn run(self) -> Result<(), Exit> {
        let log = self.log.init()?;
        let mut builder = server::builder().max_request_bytes(self.max_request_bytes);
        for address in self.listen {
            builder = builder.listen(address);
        }
        if let Some(queues) = self.queues {
            builder = builder.queues(queues);
        }
        // The first interceptors: they see what others refuse.
        let (builder, _port) = self.metrics.apply(builder, &log)?;
        let builder = self.log.apply(builder)?;
        match server::run(builder, self.grace)? {
            Drain::Clean => Ok(()),
            Drain::Cancelled => Err(Exit::Serve("calls in flight did not finish in time".to_owned())),
            Drain::Stuck => Err(Exit::Serve("a method did not return".to_owned())),
        }
    }
}
