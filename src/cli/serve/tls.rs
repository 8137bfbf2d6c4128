//! `calc serve`: certificates.

use std::path::PathBuf;

use grpcio_kit::{ClientAuth, Metrics, ServerBuilder, ServerTls};
use structopt::StructOpt;

use super::metrics::count_reloads;
use crate::cli::exit::Exit;
use crate::cli::values;

// Its comment would take the place of the command's own: hence not `///`.
#[derive(StructOpt)]
pub struct Tls {
    /// Serves with TLS, with this certificate and those that lead to its CA (PEM); read again when it changes
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CERT", hide_env_values = true, parse(from_os_str))]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM, no pass phrase)
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_KEY", hide_env_values = true, parse(from_os_str))]
    tls_key: Option<PathBuf>,
    /// Asks clients for a certificate that one of these authorities has signed (PEM)
    #[structopt(long, value_name = "FILE", env = "CALC_TLS_CLIENT_CA", hide_env_values = true, parse(from_os_str))]
    tls_client_ca: Option<PathBuf>,
    /// Whether a client must have a certificate: `optional` or `required`; required if not given
    #[structopt(long, value_name = "WHETHER", env = "CALC_TLS_CLIENT_AUTH", hide_env_values = true,
        parse(try_from_str = values::client_auth))]
    tls_client_auth: Option<ClientAuth>,
}

impl Tls {
    /// What holds for clients if nothing else is said.
    pub fn client_auth(&self) -> String {
        if self.asks_clients() { "required" } else { "none" }.to_owned()
    }

    /// Whether clients are asked for a certificate.
    pub fn asks_clients(&self) -> bool {
        self.tls_client_ca.is_some()
    }

    /// Finds fault with the flags, before any file is read.
    pub fn check(&self) -> Result<(), Exit> {
        let fault = match self {
            Tls { tls_cert: Some(_), tls_key: None, .. } => "--tls-cert needs the certificate's key: --tls-key FILE",
            Tls { tls_cert: None, tls_key: Some(_), .. } => "--tls-key needs the key's certificate: --tls-cert FILE",
            Tls { tls_client_auth: Some(_), tls_client_ca: None, .. } => {
                "--tls-client-auth needs the authorities that sign clients' certificates: --tls-client-ca FILE"
            }
            Tls { tls_cert: None, tls_client_ca: Some(_), .. } => {
                "--tls-client-ca needs TLS: --tls-cert FILE --tls-key FILE"
            }
            _ => return Ok(()),
        };
        Err(Exit::Usage(fault.to_owned()))
    }

    /// Whether there is TLS at all.
    pub fn is_on(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Reads the files, and gives the server what they hold.
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
