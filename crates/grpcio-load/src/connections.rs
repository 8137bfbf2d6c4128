//! The connections of a run: all of them exist before the first call, or the run fails.

use std::io;
use std::time::{Duration, Instant};

use grpcio_kit::proto::grpc_health::health::HealthCheckRequest;
use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
use grpcio_kit::{CallOptions, Channel, ChannelBuilder, ClientThread, Code, ConnectError};

use crate::settings::Settings;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The channel cannot be made.
    #[error(transparent)]
    Channel(#[from] ConnectError),
    /// The server cannot be reached.
    #[error("connection {number}: {reason}")]
    Unreachable {
        /// The number of the connection, from 1.
        number: u32,
        /// What the C core says of it.
        reason: String,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

/// Connects all channels at the same time, within the timeout of a call. Their threads take turns.
pub(crate) fn connect(builder: ChannelBuilder, settings: &Settings) -> Result<Vec<Channel>, LoadError> {
    let threads: Vec<_> = (0..settings.threads.max(1)).map(|_| ClientThread::start()).collect();
    let builder = builder.own_connection(true);
    let mut channels = Vec::new();
    for thread in threads.iter().cycle().take(settings.connections as usize) {
        let channel = builder.clone().thread(thread).connect()?;
        // Starts to connect without waiting.
        channel.try_connect(Duration::ZERO, false);
        channels.push(channel);
    }
    let begin = Instant::now();
    for (number, channel) in (1..).zip(&channels) {
        let rest = settings.timeout.saturating_sub(begin.elapsed());
        if !channel.try_connect(rest, settings.wait_for_ready) {
            let reason = reason(channel, settings.timeout);
            return Err(LoadError::Unreachable { number, reason });
        }
    }
    Ok(channels)
}

/// Returns why there is no connection, from the status of an RPC; any method would do.
fn reason(channel: &Channel, timeout: Duration) -> String {
    let options = CallOptions::default().timeout(Duration::from_millis(100));
    match HealthClient::new(channel.clone()).check(&HealthCheckRequest::default(), options) {
        Err(status) if status.code() == Code::Unavailable => status.message().to_owned(),
        _ => format!("not connected within {} s", timeout.as_secs_f64()),
    }
}
