//! Whether a server accepts RPCs, for readiness probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a server accepts RPCs, at first not. A handle: clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Sets whether the server is ready.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Returns whether the server is ready.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
