//! Counts of reloads, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of successful and failed reloads since the files were first loaded. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Reloads {
    pub(super) succeeded: Arc<AtomicU64>,
    pub(super) failed: Arc<AtomicU64>,
}

impl Reloads {
    /// Returns the number of changes that are, or were, in use.
    pub fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::Relaxed)
    }

    /// Returns the number of changes that were rejected. Each counts once, however long it stays.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
