//! `calc serve`: the Calculator's server. Each group of flags has a file.

mod auth;
mod limits;
mod log;
mod metrics;
mod tls;
mod traces;

use std::num::NonZeroUsize;
use std::time::Duration;

use calc::server::{self, ShutdownOptions};
use grpcio_kit::{Compression, Drain, ListenAddress, Readiness, ServerBuilder};
use structopt::StructOpt;
use structopt::clap::{App, ArgMatches};

use crate::cli::exit::{self, Exit};
use crate::cli::{environment, values};

#[derive(StructOpt)]
pub struct Serve {
    /// Listen on HOST:PORT, [IPV6]:PORT or unix:PATH; repeat it or separate by commas; port 0 picks a free one
    #[structopt(long, value_name = "ADDR", env = "CALC_LISTEN", default_value = server::DEFAULT_ADDRESS,
        number_of_values = 1, use_delimiter = true)]
    listen: Vec<ListenAddress>,
    /// Set the number of completion queues, one thread each, 1 to 256 [default: one per processor]
    #[structopt(long, value_name = "N", env = "CALC_QUEUES", parse(try_from_str = values::queues))]
    queues: Option<NonZeroUsize>,
    /// Compress replies of 1,024 bytes and more for clients that accept it: off, gzip or deflate
    #[structopt(long, value_name = "ALGORITHM", env = "CALC_COMPRESSION", default_value = "off",
        parse(try_from_str = values::compression))]
    compression: Compression,
    /// Serve grpc.reflection.v1 and v1alpha: on or off
    #[structopt(long, value_name = "ON|OFF", env = "CALC_REFLECTION", default_value = "on",
        parse(try_from_str = values::on_off))]
    reflection: bool,
    /// Serve grpc.channelz.v1: on or off
    #[structopt(long, value_name = "ON|OFF", env = "CALC_CHANNELZ", default_value = "on",
        parse(try_from_str = values::on_off))]
    channelz: bool,
    /// Report NOT_SERVING for this long after a signal, before draining
    #[structopt(long, value_name = "SECONDS", env = "CALC_DRAIN_DELAY", default_value = "0",
        parse(try_from_str = values::grace))]
    drain_delay: Duration,
    /// Cancel RPCs that are in flight this long after draining began
    #[structopt(long, value_name = "SECONDS", env = "CALC_GRACE", default_value = "10",
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
    #[structopt(flatten)]
    traces: traces::Traces,
    /// Check the configuration, files included, and exit without listening
    #[structopt(long)]
    check: bool,
    /// Print each value in effect with its source, and exit
    #[structopt(long)]
    print_config: bool,
}

impl Serve {
    /// Runs the server. `source` has clap's description of the command, and the matches that `self` was made from.
    pub fn run(self, source: Option<(&App<'_, '_>, &ArgMatches<'_>)>) -> Result<(), Exit> {
        self.tls.check()?;
        self.auth.check(&self.tls)?;
        self.metrics.check()?;
        let mut builder = self.builder();
        if let (true, Some((command, matches))) = (self.print_config, source) {
            let computed = [("queues", builder.queue_count().to_string()), ("tls-client-auth", self.tls.client_auth())];
            exit::print(&environment::in_effect(command, matches, &computed))?;
            if !self.check {
                return Ok(());
            }
        }
        let log = self.log.init()?;
        let metrics = self.metrics.measure(builder.queue_count(), &log)?;
        if let Some(metrics) = &metrics {
            builder = builder.metrics(metrics);
        }
        let (mut builder, _recording) = self.traces.apply(builder)?;
        builder = self.log.apply(builder)?;
        builder = self.auth.apply(builder, &self.tls, &self.listen, metrics.as_ref())?;
        builder = self.tls.apply(builder, metrics.as_ref())?;
        if self.check {
            builder.check().map_err(Exit::failed)?;
            return exit::print("the configuration is valid\n");
        }
        let readiness = Readiness::default();
        let _endpoint = self.metrics.open(metrics, readiness.clone())?;
        let options = ShutdownOptions { drain_delay: self.drain_delay, grace: self.grace };
        match server::run(builder.readiness(readiness), options).map_err(Exit::failed)? {
            Drain::Clean => Ok(()),
            Drain::Cancelled { .. } => Err(Exit::failed("in-flight RPCs did not finish within --grace")),
            Drain::Stuck => Err(Exit::failed("a method did not return within --grace")),
        }
    }

    /// Creates the server, without what needs a file.
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
