//! How a channel is to reach its server: in clear text or with TLS, with which token, compressed or not.

use super::target::{self, InvalidTarget};
use super::thread::ClientThread;
use crate::bearer_token::BearerToken;
use crate::channel::Channel;
use crate::compression::Compression;
use crate::files::FileError;
use crate::tls::client::ClientTls;

/// Why a channel cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The target cannot be one.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// A file of [`ClientTls`] cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The name that the server's certificate is to have is empty, or no name.
    #[error("{0:?} is no name of a server; write the name in its certificate")]
    ServerName(String),
    /// A token is a secret, and the way to this target is open to others.
    #[error("`{0}` would be sent the token in clear text; use TLS, or a target on this machine")]
    TokenInClearText(String),
}

/// What a channel is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct ChannelBuilder {
    target: String,
    tls: Option<ClientTls>,
    token: Option<BearerToken>,
    compression: Compression,
    own_connection: bool,
    thread: Option<ClientThread>,
}

impl ChannelBuilder {
    pub(super) fn new(target: &str) -> ChannelBuilder {
        ChannelBuilder {
            target: target.to_owned(),
            tls: None,
            token: None,
            compression: Compression::Off,
            own_connection: false,
            thread: None,
        }
    }

    /// Uses TLS; without it everything goes in clear text.
    pub fn tls(mut self, tls: ClientTls) -> ChannelBuilder {
        self.tls = Some(tls);
        self
    }

    /// Sends `token` with every call, as the metadata `authorization: Bearer …`.
    ///
    /// Without TLS that is for `localhost`, loopback addresses and Unix sockets only, and
    /// a proxy in the environment (`http_proxy`) is not used.
    pub fn bearer_token(mut self, token: BearerToken) -> ChannelBuilder {
        self.token = Some(token);
        self
    }

    /// Compresses requests, which are sent as they are otherwise. See [`Compression`] for which.
    ///
    /// Whether the server can decompress them is not asked before: one that does not know the algorithm ends each
    /// call with UNIMPLEMENTED, short requests too. Replies that are compressed are decompressed without this too,
    /// up to 4 MiB; one that would become larger ends its call with RESOURCE_EXHAUSTED.
    pub fn compression(mut self, compression: Compression) -> ChannelBuilder {
        self.compression = compression;
        self
    }

    /// Whether the channel shares its connections with no other. Otherwise the C core has one connection to an address
    /// for all channels of the process that are alike, and their calls share what the server allows on one.
    pub fn own_connection(mut self, own: bool) -> ChannelBuilder {
        self.own_connection = own;
        self
    }

    /// Uses a thread that other channels may use too, instead of one of its own.
    pub fn thread(mut self, thread: &ClientThread) -> ChannelBuilder {
        self.thread = Some(thread.clone());
        self
    }

    /// The channel. Its connection is made by the first call.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`]. Whether a server is there, and shows the right certificate, is
    /// known at the first call.
    pub fn connect(self) -> Result<Channel, ConnectError> {
        target::check(&self.target)?;
        let clear = self.tls.is_none();
        if clear && self.token.is_some() && !target::is_local(&self.target) {
            return Err(ConnectError::TokenInClearText(self.target));
        }
        let thread = self.thread.unwrap_or_else(ClientThread::start);
        let mut builder =
            self.compression.configure_channel(base(&thread)).use_local_subchannel_pool(self.own_connection);
        if let Some(tls) = &self.tls {
            if let Some(name) = tls.name() {
                builder = builder.override_ssl_target(check_name(name)?);
            }
            builder = builder.set_credentials(tls.credentials()?);
        }
        if clear && self.token.is_some() {
            builder = builder.enable_http_proxy(false);
        }
        Ok(Channel { client: grpcio::Client::new(builder.connect(&self.target)), token: self.token })
    }
}

/// A channel in clear text and without a token, to a target that has been checked.
pub(super) fn plain(target: &str) -> Channel {
    let builder = Compression::Off.configure_channel(base(&ClientThread::start()));
    Channel { client: grpcio::Client::new(builder.connect(target)), token: None }
}

fn base(thread: &ClientThread) -> grpcio::ChannelBuilder {
    grpcio::ChannelBuilder::new(thread.environment())
        .primary_user_agent(concat!("grpcio-kit/", env!("CARGO_PKG_VERSION")))
        // The C core writes a channel's trace without a lock, and channelz reads it.
        .raw_cfg_int(c"grpc.max_channel_trace_event_memory_per_node".into(), 0)
}

fn check_name(name: &str) -> Result<&str, ConnectError> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConnectError::ServerName(name.to_owned()));
    }
    Ok(name)
}
