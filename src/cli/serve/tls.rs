//! `calc serve`: TLS.

use std::path::PathBuf;

use grpcio_kit::{ClientAuth, Metrics, ServerBuilder, ServerTls};
use structopt::StructOpt;

use super::metrics::count_reloads;
use crate::cli::exit::Exit;
use crate::cli::values;

// Its comment would take the place of the command's own: hence not `///`.
#[derive(StructOpt)]
pub struct Tls {
    /// Serves with TLS, with this certificate and its intermediate CAs (PEM); reloaded when it changes
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CERT", hide_env_values = true, parse(from_os_str))]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM, no pass phrase)
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_KEY", hide_env_values = true, parse(from_os_str))]
    tls_key: Option<PathBuf>,
    /// Requests client certificates signed by these CAs (PEM)
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CLIENT_CA", hide_env_values = true, parse(from_os_str))]
    tls_client_ca: Option<PathBuf>,
    /// Whether clients must have a certificate: `optional` or `required` [default: required]
    #[structopt(long, value_name = "WHETHER", env = "CALC_TLS_CLIENT_AUTH", hide_env_values = true,
        parse(try_from_str = values::client_auth))]
    tls_client_auth: Option<ClientAuth>,
}

impl Tls {
    /// The default of `--tls-client-auth`.
    pub fn client_auth(&self) -> String {
        if self.requests_client_certificates() { "required" } else { "none" }.to_owned()
    }

    /// Whether client certificates are requested.
    pub fn requests_client_certificates(&self) -> bool {
        self.tls_client_ca.is_some()
    }

    /// Checks the combination of flags, before any file is read.
    pub fn check(&self) -> Result<(), Exit> {
        let fault = match self {
            Tls { tls_cert: Some(_), tls_key: None, .. } => "--tls-cert needs the certificate's key: --tls-key FILE",
            Tls { tls_cert: None, tls_key: Some(_), .. } => "--tls-key needs the key's certificate: --tls-cert FILE",
            Tls { tls_client_auth: Some(_), tls_client_ca: None, .. } => {
                "--tls-client-auth needs the CA of client certificates: --tls-client-ca FILE"
            }
            Tls { tls_cert: None, tls_client_ca: Some(_), .. } => {
                "--tls-client-ca needs TLS: --tls-cert FILE --tls-key FILE"
            }
            _ => return Ok(()),
        };
        Err(Exit::Usage(fault.to_owned()))
    }

    /// Whether the server uses TLS.
    pub fn is_on(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Loads the files into the server.
    pub fn apply(self, server: ServerBuilder, metrics: Option<&Metrics>) -> Result<ServerBuilder, Exit> {
        let (Some(certificate), Some(key)) = (self.tls_cert, self.tls_key) else {
            return Ok(server);
        };
        let mut files = ServerTls::files(certificate, key);
        if let Some(ca) = self.tls_client_ca {
            files = files.client_ca(ca, self.tls_client_auth.unwrap_or_default());
        }
        let tls = files.load()?;
        count_reloads(metrics, "certificates", tls.reloads())?;
        Ok(server.tls(tls))
    }
}
