//! `calc serve`: the Calculator's server. Options that belong together have a file each.

mod auth;
mod limits;
mod log;
mod metrics;
mod tls;

use std::num::NonZeroUsize;
use std::time::Duration;

use calc::server::{self, Ending, RunError};
use grpcio_kit::{Compression, Drain, ListenAddress, Readiness, ServerBuilder};
use structopt::StructOpt;
use structopt::clap::ArgMatches;

use crate::cli::exit::{self, Exit};
use crate::cli::{environment, values};

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
    /// Compresses replies of 1,024 bytes and more, for clients that accept it: off, gzip or deflate
    #[structopt(long, value_name = "ALGORITHM", env = "CALC_COMPRESSION", hide_env_values = true,
        default_value = "off", parse(try_from_str = values::compression))]
    compression: Compression,
    /// Whether clients can ask for the services and their protos: on or off
    #[structopt(long, value_name = "ON|OFF", env = "CALC_REFLECTION", hide_env_values = true,
        default_value = "on", parse(try_from_str = values::on_off))]
    reflection: bool,
    /// Whether clients can ask for the server's connections and their counts: on or off
    #[structopt(long, value_name = "ON|OFF", env = "CALC_CHANNELZ", hide_env_values = true,
        default_value = "on", parse(try_from_str = values::on_off))]
    channelz: bool,
    /// The time that the server goes on after SIGTERM while its health says NOT_SERVING, 0 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_LAME_DUCK", hide_env_values = true, default_value = "0",
        parse(try_from_str = values::grace))]
    lame_duck: Duration,
    /// The time that calls in flight have to finish when the server ends, 0 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_GRACE", hide_env_values = true, default_value = "10",
        parse(try_from_str = values::grace))]
    grace: Duration,
    #[structopt(flatten)]
    limits: limits::Limits,
    #[structopt(flatten)]
    tls: tls::Tls,
    #[structopt(flatten)]
    auth: auth::Auth,
    #[structopt(flatten)]
    metrics: metrics::Metrics,
    #[structopt(flatten)]
    log: log::Log,
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
        self.metrics.check()?;
        let mut builder = self.builder();
        if let (true, Some(matches)) = (self.print_config, matches) {
            let computed = [("queues", builder.queue_count().to_string()), ("tls-client-auth", self.tls.client_auth())];
            exit::print(&environment::in_force(&Serve::clap(), matches, &computed))?;
            if !self.check {
                return Ok(());
            }
        }
        let log = self.log.init()?;
        let metrics = self.metrics.measure(builder.queue_count(), &log)?;
        if let Some(metrics) = &metrics {
            // The first interceptors see what others refuse.
            builder = builder.interceptor(metrics.clone());
        }
        builder = self.log.apply(builder)?;
        builder = self.auth.apply(builder, &self.tls, &self.listen, metrics.as_ref())?;
        builder = self.tls.apply(builder, metrics.as_ref())?;
        if self.check {
            builder.check().map_err(RunError::from)?;
            return exit::print("the configuration can be served\n");
        }
        let readiness = Readiness::default();
        let _port = self.metrics.open(metrics, readiness.clone())?;
        let ending = Ending { lame_duck: self.lame_duck, grace: self.grace };
        match server::run(builder.readiness(readiness), ending)? {
            Drain::Clean => Ok(()),
            Drain::Cancelled { .. } => Err(Exit::Serve("calls in flight did not finish in time".to_owned())),
            Drain::Stuck => Err(Exit::Serve("a method did not return".to_owned())),
        }
    }

    /// What needs no file.
    fn builder(&self) -> ServerBuilder {
        let mut builder = server::builder()
            .limits(self.limits.limits())
            .compression(self.compression)
            .reflection(self.reflection)
            .channelz(self.channelz);
        for address in &self.listen {
            builder = builder.listen(address.clone());
        }
        match self.queues {
            Some(queues) => builder.queues(queues),
            None => builder,
        }
    }
}
