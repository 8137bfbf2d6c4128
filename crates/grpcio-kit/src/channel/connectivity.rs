//! Waits until a channel is connected.

use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use grpcio::ConnectivityState::{GRPC_CHANNEL_READY, GRPC_CHANNEL_SHUTDOWN, GRPC_CHANNEL_TRANSIENT_FAILURE};

use super::Channel;
use super::options::MAX_TIMEOUT;

impl Channel {
    /// Connects, and returns whether that succeeded: `false` when `timeout` has passed, or as soon as an attempt has
    /// failed unless `wait_for_ready`. The status of an RPC made now tells the reason.
    pub fn try_connect(&self, timeout: Duration, wait_for_ready: bool) -> bool {
        let channel = self.client.channel();
        let begin = Instant::now();
        let timeout = timeout.min(MAX_TIMEOUT);
        loop {
            match channel.check_connectivity_state(true) {
                GRPC_CHANNEL_READY => return true,
                GRPC_CHANNEL_SHUTDOWN => return false,
                GRPC_CHANNEL_TRANSIENT_FAILURE if !wait_for_ready => return false,
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
