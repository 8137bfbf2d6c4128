//! Where a command finds the server that it asks, and how it gets there.

use std::path::PathBuf;
use std::time::Duration;

use calc::client::USER_AGENT;
use grpcio_kit::{BearerToken, CallOptions, Channel, ChannelBuilder, ClientTls};
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
    pub target: String,
    /// The time that the call may take, 0.001 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_TIMEOUT", hide_env_values = true, default_value = "5",
        parse(try_from_str = values::timeout))]
    pub timeout: Duration,
    /// Whether to use TLS, `on` or `off` whatever else is given; on if not given and another --tls flag is
    #[structopt(long, value_name = "ON|OFF", env = "CALC_CLIENT_TLS", hide_env_values = true,
        parse(try_from_str = values::on_off))]
    tls: Option<bool>,
    /// Trusts these authorities (PEM) and no others; those of the system if not given
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_CA", hide_env_values = true, parse(from_os_str))]
    tls_ca: Option<PathBuf>,
    /// Shows the server this certificate, if it asks (PEM)
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_CERT", hide_env_values = true, parse(from_os_str))]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM, no pass phrase)
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_KEY", hide_env_values = true, parse(from_os_str))]
    tls_key: Option<PathBuf>,
    /// The name that the server's certificate must have, if it is not the target's
    #[structopt(long, value_name = "NAME", env = "CALC_CLIENT_TLS_SERVER_NAME", hide_env_values = true)]
    tls_server_name: Option<String>,
    /// Sends the first token in this file; without TLS only to a target on this machine
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TOKEN_FILE", hide_env_values = true, parse(from_os_str))]
    token_file: Option<PathBuf>,
}

impl Connect {
    /// A channel to the server. The connection is made by its first call.
    pub fn channel(&self) -> Result<Channel, Exit> {
        Ok(self.builder()?.connect()?)
    }

    /// What such a channel is to be. The token has been read; files of TLS are read by each channel.
    pub fn builder(&self) -> Result<ChannelBuilder, Exit> {
        let mut channel = Channel::builder(&self.target).user_agent(USER_AGENT);
        if let Some(tls) = self.tls()? {
            channel = channel.tls(tls);
        }
        if let Some(path) = &self.token_file {
            channel = channel.bearer_token(BearerToken::read(path)?);
        }
        Ok(channel)
    }

    /// `None` stands for clear text.
    fn tls(&self) -> Result<Option<ClientTls>, Exit> {
        let mut tls = ClientTls::default();
        let mut is_asked_for = false;
        if let Some(ca) = &self.tls_ca {
            (tls, is_asked_for) = (tls.ca(ca), true);
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => (tls, is_asked_for) = (tls.certificate(certificate, key), true),
            (None, None) => {}
            (Some(_), None) => {
                return Err(Exit::Usage("--tls-cert needs the certificate's key: --tls-key FILE".into()));
            }
            (None, Some(_)) => {
                return Err(Exit::Usage("--tls-key needs the key's certificate: --tls-cert FILE".into()));
            }
        }
        if let Some(name) = &self.tls_server_name {
            (tls, is_asked_for) = (tls.server_name(name), true);
        }
        Ok(self.tls.unwrap_or(is_asked_for).then_some(tls))
    }

    /// The options of one call.
    pub fn call_options(&self) -> CallOptions {
        CallOptions::default().timeout(self.timeout)
    }
}
