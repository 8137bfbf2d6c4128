//! Counts of reloads, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of successful and failed reloads since the files were first loaded. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Reloads {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Reloads {
    /// Returns the number of changes that are, or were, in use.
    pub fn succeeded(&self) -> u64 {
        self.counts.succeeded.load(Ordering::Relaxed)
    }

    /// Returns the number of changes that were rejected. Each counts once, however long it stays.
    pub fn failed(&self) -> u64 {
        self.counts.failed.load(Ordering::Relaxed)
    }

    pub(super) fn count_success(&self) {
        self.counts.succeeded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
    }
}
