//! Waits until a channel is connected.

use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use grpcio::ConnectivityState::{GRPC_CHANNEL_READY, GRPC_CHANNEL_SHUTDOWN, GRPC_CHANNEL_TRANSIENT_FAILURE};

use super::Channel;
use super::options::MAX_TIMEOUT;

impl Channel {
    /// Connects, and returns whether that succeeded: `false` as soon as an attempt has failed, or when `timeout` has
    /// passed. The status of an RPC made now tells the reason.
    pub fn try_connect(&self, timeout: Duration) -> bool {
        let channel = self.client.channel();
        let begin = Instant::now();
        let timeout = timeout.min(MAX_TIMEOUT);
        loop {
            match channel.check_connectivity_state(true) {
                GRPC_CHANNEL_READY => return true,
                GRPC_CHANNEL_TRANSIENT_FAILURE | GRPC_CHANNEL_SHUTDOWN => return false,
                state => {
                    let rest = timeout.saturating_sub(begin.elapsed());
                    if !block_on(channel.wait_for_state_change(state, rest)) {
                        return false;
                    }
                }
            }
        }
    }
}
