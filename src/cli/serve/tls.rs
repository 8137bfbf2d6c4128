//! `calc serve`: TLS and client certificates.

use std::path::PathBuf;

use grpcio_kit::{ClientAuth, Metrics, ServerBuilder, ServerTls};
use structopt::StructOpt;

use super::metrics::count_reloads;
use crate::cli::exit::Exit;
use crate::cli::values;

// Not `///`, which structopt would make the command's description.
#[derive(StructOpt)]
pub struct Tls {
    /// Serve TLS with the certificate chain in this PEM file; reloaded when it changes
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CERT", parse(from_os_str))]
    tls_cert: Option<PathBuf>,
    /// Set the private key of --tls-cert (PEM, no passphrase)
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_KEY", parse(from_os_str))]
    tls_key: Option<PathBuf>,
    /// Request client certificates signed by a CA in this PEM file
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CLIENT_CA", parse(from_os_str))]
    tls_client_ca: Option<PathBuf>,
    /// Require a client certificate: optional or required [default: required with --tls-client-ca]
    #[structopt(long, value_name = "MODE", env = "CALC_TLS_CLIENT_AUTH",
        parse(try_from_str = values::client_auth))]
    tls_client_auth: Option<ClientAuth>,
}

impl Tls {
    /// Returns the default of `--tls-client-auth`.
    pub fn client_auth(&self) -> String {
        if self.requests_certificates() { "required" } else { "none" }.to_owned()
    }

    /// Returns whether client certificates are requested.
    pub fn requests_certificates(&self) -> bool {
        self.tls_client_ca.is_some()
    }

    /// Validates the flags, before any file is read.
    pub fn check(&self) -> Result<(), Exit> {
        let fault = match self {
            Tls { tls_cert: Some(_), tls_key: None, .. } => "--tls-cert needs its private key: --tls-key FILE",
            Tls { tls_cert: None, tls_key: Some(_), .. } => "--tls-key needs its certificate: --tls-cert FILE",
            Tls { tls_client_auth: Some(_), tls_client_ca: None, .. } => {
                "--tls-client-auth needs the CA of the clients' certificates: --tls-client-ca FILE"
            }
            Tls { tls_cert: None, tls_client_ca: Some(_), .. } => {
                "--tls-client-ca needs TLS: --tls-cert FILE --tls-key FILE"
            }
            _ => return Ok(()),
        };
        Err(Exit::Usage(fault.to_owned()))
    }

    /// Returns whether the server uses TLS.
    pub fn is_on(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Reads the files and sets up the server's TLS.
    pub fn apply(self, server: ServerBuilder, metrics: Option<&Metrics>) -> Result<ServerBuilder, Exit> {
        let (Some(certificate), Some(key)) = (self.tls_cert, self.tls_key) else {
            return Ok(server);
        };
        let mut files = ServerTls::files(certificate, key);
        if let Some(ca) = self.tls_client_ca {
            files = files.client_ca(ca, self.tls_client_auth.unwrap_or_default());
        }
        let tls = files.load().map_err(Exit::failed)?;
        count_reloads(metrics, "certificates", tls.reloads())?;
        Ok(server.tls(tls))
    }
}
