<<<<<<< HEAD
//! `calc serve`: the Calculator's server.

mod auth;
mod limits;
mod tls;

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use calc::rpc::{Compression, Drain, ListenAddress};
use calc::server::{self, RunError};
use structopt::StructOpt;
use structopt::clap::ArgMatches;

use crate::cli::exit::{self, Exit};
use crate::cli::{environment, values};
=======
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
>>>>>>> metrics

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
<<<<<<< HEAD
    /// Compresses replies of 1,024 bytes and more, for clients that accept it
    #[structopt(long, value_name = "off|gzip|deflate", env = "CALC_COMPRESSION", hide_env_values = true,
        default_value = "off", parse(try_from_str = values::compression))]
    compression: Compression,
=======
    /// The largest request that is accepted
    #[structopt(long, value_name = "BYTES", env = "CALC_MAX_REQUEST_BYTES", hide_env_values = true,
        default_value = "4194304", parse(try_from_str = values::request_bytes))]
    max_request_bytes: u32,
>>>>>>> metrics
    /// The time that calls in flight have to finish when the server ends, 0 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_GRACE", hide_env_values = true, default_value = "10",
        parse(try_from_str = values::grace))]
    grace: Duration,
    #[structopt(flatten)]
<<<<<<< HEAD
    limits: limits::Limits,
    #[structopt(flatten)]
    tls: tls::Tls,
    #[structopt(flatten)]
    auth: auth::Auth,
    /// Checks all of this, files included, and ends without having listened
    #[structopt(long)]
    check: bool,
    /// Prints what is in force and where each value comes from, and ends
    #[structopt(long)]
    print_config: bool,
}

impl Serve {
    /// `matches` are what this was made from.
    pub fn run(self, matches: Option<&ArgMatches<'_>>) -> Result<(), Exit> {
        self.tls.check()?;
        self.auth.check(&self.tls)?;
        if let (true, Some(matches)) = (self.print_config, matches) {
            let queues = thread::available_parallelism().map_or(1, NonZeroUsize::get);
            let computed = [("queues", queues.to_string())];
            exit::print(&environment::in_force(&Serve::clap(), matches, &computed))?;
        }
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
        let mut builder = server::builder().limits(self.limits.limits()).compression(self.compression);
        let tls = self.tls.load()?;
        builder = self.auth.apply(builder, tls.is_some(), &self.listen)?;
        if let Some(tls) = tls {
            builder = builder.tls(tls);
        }
=======
    metrics: metrics::MetricsOptions,
    #[structopt(flatten)]
    log: log::LogOptions,
}

impl Serve {
    pub fn run(self) -> Result<(), Exit> {
        let log = self.log.init()?;
        let mut builder = server::builder().max_request_bytes(self.max_request_bytes);
>>>>>>> metrics
        for address in self.listen {
            builder = builder.listen(address);
        }
        if let Some(queues) = self.queues {
            builder = builder.queues(queues);
        }
<<<<<<< HEAD
        if self.check {
            builder.check().map_err(RunError::from)?;
            return exit::print("the configuration can be served\n");
        }
        if self.print_config {
            return Ok(());
        }
=======
        // The first interceptors: they see what others refuse.
        let (builder, _port) = self.metrics.apply(builder, &log)?;
        let builder = self.log.apply(builder)?;
>>>>>>> metrics
        match server::run(builder, self.grace)? {
            Drain::Clean => Ok(()),
            Drain::Cancelled => Err(Exit::Serve("calls in flight did not finish in time".to_owned())),
            Drain::Stuck => Err(Exit::Serve("a method did not return".to_owned())),
        }
    }
}
