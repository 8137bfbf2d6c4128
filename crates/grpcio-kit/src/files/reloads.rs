//! How often files have been read again, for whoever watches the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often files have been taken, and refused, since they were first read. Clones share the counts.
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
    /// How often a changed content has been taken into use.
    pub fn succeeded(&self) -> u64 {
        self.counts.succeeded.load(Ordering::Relaxed)
    }

    /// How often a changed content has been refused; once for each, however long it stays.
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
