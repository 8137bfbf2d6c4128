//! Options of the commands that call a server: its target, the deadline, TLS and the token.

use std::path::PathBuf;
use std::time::Duration;

use calc::client::{Client, IDEMPOTENT, USER_AGENT};
use grpcio_kit::{BearerToken, CallOptions, Channel, ChannelBuilder, ClientTls};
use structopt::StructOpt;

use super::exit::Exit;
use super::values;

#[derive(StructOpt)]
pub struct Connect {
    /// Call the server at HOST:PORT, dns:///HOST:PORT, ipv4:ADDR:PORT,ADDR:PORT or unix:PATH
    #[structopt(long, value_name = "TARGET", env = "CALC_TARGET", default_value = "localhost:50050")]
    pub target: String,
    /// Set the deadline of each RPC
    #[structopt(long, value_name = "SECONDS", env = "CALC_TIMEOUT", default_value = "5",
        parse(try_from_str = values::timeout))]
    pub timeout: Duration,
    /// Wait for the server up to --timeout instead of failing after four attempts
    #[structopt(long)]
    pub wait_for_ready: bool,
    /// Use one address of the target or all in turn
    #[structopt(long, value_name = "POLICY", env = "CALC_LOAD_BALANCING", default_value = "pick_first",
        possible_values = &["pick_first", "round_robin"])]
    load_balancing: String,
    /// Use TLS: on or off [default: on with another --tls flag, otherwise off]
    #[structopt(long, value_name = "ON|OFF", env = "CALC_CLIENT_TLS", parse(try_from_str = values::on_off))]
    tls: Option<bool>,
    /// Trust the CA certificates in this PEM file [default: the system's]
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_CA", parse(from_os_str))]
    tls_ca: Option<PathBuf>,
    /// Present the client certificate in this PEM file
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_CERT", parse(from_os_str))]
    tls_cert: Option<PathBuf>,
    /// Set the private key of --tls-cert (PEM, no passphrase)
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TLS_KEY", parse(from_os_str))]
    tls_key: Option<PathBuf>,
    /// Expect this name in the server's certificate [default: the target's host]
    #[structopt(long, value_name = "NAME", env = "CALC_CLIENT_TLS_SERVER_NAME")]
    tls_server_name: Option<String>,
    /// Send the first token in this file; without TLS only to a target on this machine
    #[structopt(long, value_name = "FILE", env = "CALC_CLIENT_TOKEN_FILE", parse(from_os_str))]
    token_file: Option<PathBuf>,
}

impl Connect {
    /// Creates a client. Its first RPC connects.
    pub fn client(&self) -> Result<Client, Exit> {
        Ok(Client::new(self.channel()?).timeout(self.timeout).wait_for_ready(self.wait_for_ready))
    }

    /// Creates a channel, which retries calculations. Its first RPC connects.
    pub fn channel(&self) -> Result<Channel, Exit> {
        Ok(self.builder()?.retry_idempotent([IDEMPOTENT]).connect()?)
    }

    /// Creates a builder of channels without retries. It has read the token; each channel reads the TLS files.
    pub fn builder(&self) -> Result<ChannelBuilder, Exit> {
        let round_robin = self.load_balancing == "round_robin";
        let mut channel = Channel::builder(&self.target).user_agent(USER_AGENT).round_robin(round_robin);
        if let Some(tls) = self.tls()? {
            channel = channel.tls(tls);
        }
        if let Some(path) = &self.token_file {
            channel = channel.bearer_token(BearerToken::read(path).map_err(Exit::failed)?);
        }
        Ok(channel)
    }

    /// Returns the TLS settings; `None` for clear text.
    fn tls(&self) -> Result<Option<ClientTls>, Exit> {
        let mut tls = ClientTls::default();
        if let Some(ca) = &self.tls_ca {
            tls = tls.ca(ca);
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => tls = tls.certificate(certificate, key),
            (None, None) => {}
            (Some(_), None) => return Err(Exit::Usage("--tls-cert needs its private key: --tls-key FILE".into())),
            (None, Some(_)) => return Err(Exit::Usage("--tls-key needs its certificate: --tls-cert FILE".into())),
        }
        if let Some(name) = &self.tls_server_name {
            tls = tls.server_name(name);
        }
        let is_implied = self.tls_ca.is_some() || self.tls_cert.is_some() || self.tls_server_name.is_some();
        Ok(self.tls.unwrap_or(is_implied).then_some(tls))
    }

    /// Returns the options of an RPC.
    pub fn call_options(&self) -> CallOptions {
        CallOptions::default().timeout(self.timeout).wait_for_ready(self.wait_for_ready)
    }
}
