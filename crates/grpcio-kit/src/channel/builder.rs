//! Configures a channel: transport security, credentials, compression, limits, connections and retries.

use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use super::core_channel::{self, ChannelArgs, CoreChannel};
use super::service_config;
use super::target::{self, InvalidTarget};
use super::thread::ClientThread;
use crate::bearer_token::BearerToken;
use crate::channel::Channel;
use crate::compression::Compression;
use crate::files::FileError;
use crate::tls::client::ClientTls;

/// Sent unless the program names itself.
const USER_AGENT: &str = concat!("grpcio-kit/", env!("CARGO_PKG_VERSION"));

/// Follows it, as in a channel that grpcio makes.
const GRPCIO: &str = "grpc-rust/0.13.0";

/// The default of [`ChannelBuilder::keepalive`]. Servers of the C core and of grpc-go close a connection that pings more
/// often than every 5 minutes, unless they are configured otherwise; this is more, because pings do not arrive evenly.
const KEEPALIVE_TIME: Duration = Duration::from_secs(330);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a channel cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The target is malformed.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// A file of [`ClientTls`] cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The server name to verify is empty or malformed.
    #[error("{0:?} is not a server name; use the name in the server's certificate")]
    ServerName(String),
    /// The user agent is not a header value.
    #[error("{0:?} is not a user agent; use NAME/VERSION in printable ASCII characters")]
    UserAgent(String),
    /// What is to be retried is neither a service nor a method.
    #[error(
        "{0:?} is neither the name of a service, such as shop.Prices, nor the path of a method, such as /shop.Prices/Get"
    )]
    Idempotent(String),
    /// The token would be readable by others on its way to the target.
    #[error("the token would be sent to `{0}` in clear text; use TLS, or a target on this machine")]
    TokenInClearText(String),
}

/// Configures and makes a [`Channel`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ChannelBuilder {
    target: String,
    tls: Option<ClientTls>,
    token: Option<BearerToken>,
    compression: Compression,
    service_config: Option<CString>,
    round_robin: bool,
    idempotent: Vec<String>,
    keepalive_time: Duration,
    keepalive_timeout: Duration,
    max_reply_bytes: u32,
    user_agent: String,
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
            service_config: None,
            round_robin: false,
            idempotent: Vec::new(),
            keepalive_time: KEEPALIVE_TIME,
            keepalive_timeout: KEEPALIVE_TIMEOUT,
            max_reply_bytes: 4 * 1024 * 1024,
            user_agent: USER_AGENT.to_owned(),
            own_connection: false,
            thread: None,
        }
    }

    /// Uses TLS; the default is clear text.
    pub fn tls(mut self, tls: ClientTls) -> ChannelBuilder {
        self.tls = Some(tls);
        self
    }

    /// Sends `token` with every RPC, as the metadata `authorization: Bearer …`.
    ///
    /// Without TLS this is limited to `localhost`, loopback addresses and Unix sockets, and a proxy in the environment
    /// (`http_proxy`) is not used.
    pub fn bearer_token(mut self, token: BearerToken) -> ChannelBuilder {
        self.token = Some(token);
        self
    }

    /// Compresses requests; the default is not to. See [`Compression`] for which are compressed.
    ///
    /// A client cannot know beforehand what the server decompresses: one that does not know the algorithm ends every
    /// RPC with UNIMPLEMENTED, those with short requests too. Compressed replies are accepted with any setting.
    pub fn compression(mut self, compression: Compression) -> ChannelBuilder {
        self.compression = compression;
        self
    }

    /// Sets the [service config](https://grpc.io/docs/guides/service-config/), a JSON object, for targets whose resolver
    /// has none: retries, load balancing, timeouts per method. It takes the place of [`round_robin`] and
    /// [`retry_idempotent`]. It ends at the first NUL byte. With an invalid one, every RPC ends with INVALID_ARGUMENT.
    ///
    /// [`round_robin`]: ChannelBuilder::round_robin
    /// [`retry_idempotent`]: ChannelBuilder::retry_idempotent
    pub fn service_config(mut self, json: &str) -> ChannelBuilder {
        self.service_config = json.split('\0').next().and_then(|json| CString::new(json).ok());
        self
    }

    /// Sets whether the channel connects to every address of its target and takes them in turn (`round_robin`), such as
    /// those of `dns:///host:port` or `ipv4:10.0.0.1:50051,10.0.0.2:50051`. By default it connects to the first that
    /// accepts, and uses it alone (`pick_first`).
    pub fn round_robin(mut self, round_robin: bool) -> ChannelBuilder {
        self.round_robin = round_robin;
        self
    }

    /// Retries RPCs of these services (`shop.Prices`) and methods (`/shop.Prices/Get`) that end with UNAVAILABLE before
    /// the first reply; the default is none.
    ///
    /// The server may have executed such an RPC, so only name what may be executed twice. An RPC has up to four attempts
    /// within its deadline, 0.1, 0.2 and 0.4 s apart, each 20 % more or less at random. A budget stops the retries to a
    /// target of which most attempts fail: 250 failures begin without a success, and each success allows a tenth of a
    /// retry. All channels to that target share the budget. A server may forbid a retry, or ask for another delay, by the
    /// trailer `grpc-retry-pushback-ms`.
    pub fn retry_idempotent<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> ChannelBuilder {
        self.idempotent.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets keepalive: after `time` without data from the server while RPCs are in flight, the client sends a PING, and
    /// closes the connection with UNAVAILABLE when nothing answers within `timeout`. The system closes it as well when the
    /// server's machine does not acknowledge data for `timeout` (`TCP_USER_TIMEOUT`). 330 s and 20 s by default; both are
    /// at least 1 ms, and a `time` of 24 days or more is none.
    ///
    /// Servers close connections that ping more often than they allow: every 5 minutes by default in most gRPC
    /// implementations, every 10 s in this crate ([`Limits::min_ping_interval`](crate::Limits::min_ping_interval)).
    pub fn keepalive(mut self, time: Duration, timeout: Duration) -> ChannelBuilder {
        (self.keepalive_time, self.keepalive_timeout) = (time, timeout);
        self
    }

    /// Sets the maximum size of a reply in bytes, as it is received and once it is decompressed: 4 MiB by default. A
    /// larger one ends its RPC with RESOURCE_EXHAUSTED.
    pub fn max_reply_bytes(mut self, bytes: u32) -> ChannelBuilder {
        self.max_reply_bytes = bytes;
        self
    }

    /// Sets how the program names itself in the metadata `user-agent`, such as `greeter/1.2.3`. The versions of grpcio
    /// and the C core follow it.
    pub fn user_agent(mut self, user_agent: &str) -> ChannelBuilder {
        self.user_agent = user_agent.to_owned();
        self
    }

    /// Sets whether the channel has connections of its own. By default the C core shares one connection to an address
    /// among all channels of the process with the same settings, and with it the server's limits per connection.
    pub fn own_connection(mut self, own: bool) -> ChannelBuilder {
        self.own_connection = own;
        self
    }

    /// Receives replies on a thread that other channels may use too, instead of one of its own.
    pub fn thread(mut self, thread: &ClientThread) -> ChannelBuilder {
        self.thread = Some(thread.clone());
        self
    }

    /// Returns the channel, which connects at its first RPC.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`]. Whether the server can be reached, and has the right certificate, shows at the first RPC.
    pub fn connect(self) -> Result<Channel, ConnectError> {
        target::check(&self.target)?;
        if !self.user_agent.split(' ').all(is_printable) {
            return Err(ConnectError::UserAgent(self.user_agent));
        }
        // Credentials, too, take an initialised C core.
        core_channel::init();
        let mut args = ChannelArgs::default();
        for (key, value) in self.compression.channel_args() {
            args.integer(key, value);
        }
        args.string(c"grpc.primary_user_agent", text(format!("{} {GRPCIO}", self.user_agent)));
        args.integer(c"grpc.use_local_subchannel_pool", self.own_connection.into());
        // Replies are measured when they are decoded. The C core would not receive less of a large one: it measures
        // when all of it is there.
        args.integer(c"grpc.max_receive_message_length", -1);
        // The C core writes a channel's trace without a lock, and channelz reads it.
        args.integer(c"grpc.max_channel_trace_event_memory_per_node", 0);
        args.integer(c"grpc.keepalive_time_ms", milliseconds(self.keepalive_time));
        args.integer(c"grpc.keepalive_timeout_ms", milliseconds(self.keepalive_timeout));
        // Otherwise a stream without requests is pinged twice, and never again.
        args.integer(c"grpc.http2.max_pings_without_data", 0);
        let idempotent = service_config::json(self.round_robin, &self.idempotent).map_err(ConnectError::Idempotent)?;
        if let Some(config) = self.service_config.or(idempotent.map(text)) {
            args.string(c"grpc.service_config", config);
        }
        let mut credentials = None;
        if let Some(tls) = &self.tls {
            if let Some(name) = tls.name() {
                if !is_printable(name) {
                    return Err(ConnectError::ServerName(name.to_owned()));
                }
                args.string(c"grpc.ssl_target_name_override", text(name.to_owned()));
            }
            credentials = Some(tls.credentials()?);
        } else if self.token.is_some() {
            if !target::is_local(&self.target) {
                return Err(ConnectError::TokenInClearText(self.target));
            }
            args.integer(c"grpc.enable_http_proxy", 0);
        }
        let core = CoreChannel::new(&text(self.target), credentials, &args, self.thread);
        Ok(Channel {
            core: Arc::new(core),
            token: self.token,
            max_reply_bytes: usize::try_from(self.max_reply_bytes).unwrap_or(usize::MAX),
        })
    }
}

/// Returns a text, up to its first NUL byte; those checked above have none.
fn text(text: String) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// Returns a time as the C core's `int`, whose maximum means forever.
fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// Whether `text` is not empty and all of it is printable ASCII without spaces.
fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_user_agent_has_the_version_of_grpcio() {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        let lock = fs::read_to_string(lock).unwrap();
        let (_, version) = GRPCIO.split_once('/').unwrap();
        assert!(lock.contains(&format!("\nname = \"grpcio\"\nversion = \"{version}\"\n")), "{version}");
    }
}
