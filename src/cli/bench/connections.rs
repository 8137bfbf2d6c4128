//! The connections of a run: all are there before the first call, or there is no run.

use std::time::{Duration, Instant};

use calc::Error;
use grpcio_kit::{Channel, ClientThread};

use super::options::Settings;
use crate::cli::connect::Connect;
use crate::cli::exit::Exit;

/// A channel, and the number of the thread that it uses.
pub struct Connection {
    pub channel: Channel,
    pub thread: usize,
}

/// Makes the connections, all within the time of one call.
pub fn connect(server: &Connect, settings: &Settings) -> Result<Vec<Connection>, Exit> {
    let threads: Vec<_> = (0..settings.threads.max(1)).map(|_| ClientThread::start()).collect();
    let builder = server.builder()?.own_connection(true);
    let mut connections = Vec::new();
    for (thread, client) in (0..threads.len()).cycle().map(|n| (n, &threads[n])).take(settings.connections as usize) {
        connections.push(Connection { channel: builder.clone().thread(client).connect()?, thread });
    }
    for connection in &connections {
        // Begins to connect, and does not wait for it.
        connection.channel.try_connect(Duration::ZERO);
    }
    let begin = Instant::now();
    for (n, connection) in (1..).zip(&connections) {
        let rest = settings.timeout.saturating_sub(begin.elapsed());
        if !server.try_connect(&connection.channel, rest) {
            return Err(not_connected(connection.channel.clone(), n, settings));
        }
    }
    Ok(connections)
}

/// Why there is no connection, which the status of a call tells.
fn not_connected(channel: Channel, n: u32, settings: &Settings) -> Exit {
    let reason = match calc::Client::new(channel).timeout(Duration::from_millis(100)).add(1, 2) {
        Err(Error::Unavailable(status)) => status.message().to_owned(),
        _ => format!("it takes more than {} s", settings.timeout.as_secs_f64()),
    };
    let which = if settings.connections == 1 { String::new() } else { format!(", connection {n}") };
    Exit::Unreachable(format!("cannot connect to {}{which}: {reason}", settings.target))
}
