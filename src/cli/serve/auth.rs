//! `calc serve`: authentication by token, authorization by certificate name.

use std::path::PathBuf;

use grpcio_kit::{AllowedNames, BearerTokens, Health, ListenAddress, Metrics, ServerBuilder};
use structopt::StructOpt;

use super::metrics::count_reloads;
use super::tls::Tls;
use crate::cli::exit::Exit;
use crate::cli::values;

// Not `///`, which structopt would make the command's description.
#[derive(StructOpt)]
pub struct Auth {
    /// Require a token of this file, one per line, as `authorization: Bearer TOKEN`; reloaded when it changes
    #[structopt(long, value_name = "FILE", env = "CALC_TOKEN_FILE", parse(from_os_str))]
    token_file: Option<PathBuf>,
    /// Accept only client certificates with one of these names; `*.example.com` matches its hosts
    #[structopt(long, value_name = "NAME", env = "CALC_ALLOW_NAMES", number_of_values = 1, use_delimiter = true)]
    allow_names: Vec<String>,
    /// Answer grpc.health.v1 without token or allowed name: on or off
    #[structopt(long, value_name = "ON|OFF", env = "CALC_OPEN_HEALTH", default_value = "off",
        parse(try_from_str = values::on_off))]
    open_health: bool,
}

impl Auth {
    /// Validates the flags, before any file is read.
    pub fn check(&self, tls: &Tls) -> Result<(), Exit> {
        if !self.allow_names.is_empty() && !tls.requests_certificates() {
            let fault = "--allow-names needs the CA of the clients' certificates: --tls-client-ca FILE";
            return Err(Exit::Usage(fault.to_owned()));
        }
        Ok(())
    }

    /// Adds the interceptors to the server.
    pub fn apply(
        self,
        mut server: ServerBuilder,
        tls: &Tls,
        addresses: &[ListenAddress],
        metrics: Option<&Metrics>,
    ) -> Result<ServerBuilder, Exit> {
        if !self.allow_names.is_empty() {
            let names = AllowedNames::new(self.allow_names.iter().map(|name| name.trim()))
                .map_err(|error| Exit::Usage(format!("--allow-names: {error}")))?;
            server =
                server.interceptor(if self.open_health { names.allow_unauthenticated(Health::NAME) } else { names });
        }
        if let Some(path) = self.token_file {
            let tokens = BearerTokens::file(path).load().map_err(Exit::failed)?;
            count_reloads(metrics, "tokens", tokens.reloads())?;
            server =
                server.interceptor(if self.open_health { tokens.allow_unauthenticated(Health::NAME) } else { tokens });
            for address in addresses.iter().filter(|address| !tls.is_on() && !address.is_local()) {
                tracing::warn!(%address, "tokens reach this address in clear text; encrypt them with --tls-cert and --tls-key");
            }
        }
        Ok(server)
    }
}
