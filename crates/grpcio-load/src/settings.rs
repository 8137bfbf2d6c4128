//! What a run does.

use std::time::Duration;

/// How long a run measures.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// Calls begin for so long; at a fixed rate, it is the time in which calls are due.
    Duration(Duration),
    /// The number of calls.
    Count(u64),
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, which are not shared; at least 1.
    pub connections: u32,
    /// Calls in flight on each connection, at least 1. A server may allow fewer on one; the others then wait in the
    /// client.
    pub concurrency: u32,
    /// Completion-queue threads that connections are distributed over, at least 1.
    pub threads: u32,
    /// How much is measured, after the warm-up.
    pub amount: Amount,
    /// How long calls are made before; they are counted apart.
    pub warm_up: Duration,
    /// Calls per second, above 0. `None` is the closed loop: each call in flight is followed by the next at once.
    pub rate: Option<f64>,
    /// The deadline that a [`Caller`](crate::Caller) gives its calls. Connecting may take as long, and a call of a fixed
    /// rate may begin so late.
    pub timeout: Duration,
    /// Whether to wait for the server to come up, within the timeout, instead of failing when it refuses a connection.
    pub wait_for_ready: bool,
}

impl Default for Settings {
    /// 10 calls in flight on one connection, 10 seconds, no warm-up, closed loop, a timeout of 5 seconds.
    fn default() -> Settings {
        Settings {
            connections: 1,
            concurrency: 10,
            threads: 1,
            amount: Amount::Duration(Duration::from_secs(10)),
            warm_up: Duration::ZERO,
            rate: None,
            timeout: Duration::from_secs(5),
            wait_for_ready: false,
        }
    }
}
