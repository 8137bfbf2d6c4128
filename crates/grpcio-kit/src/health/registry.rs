//! The state of each service, and the watches that wait for a change of it.
//!
//! All of it is behind one lock, which is held for map look-ups only: wakers are returned, to be woken or dropped once
//! the lock is released.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::{Health, ServingStatus};
use crate::status::Status;
use crate::status::code::Code;

/// The maximum number of changes of a service that are kept for watches that have not read them yet.
pub(super) const MAX_CHANGES: usize = 64;

/// Wakers, by the number of their watch.
pub(super) type Wakers = BTreeMap<u64, Waker>;

/// The services of a server.
#[derive(Default)]
pub(super) struct Registry {
    entries: HashMap<Arc<str>, Entry>,
    /// The number of entries that exist only for their watches.
    unknown: usize,
    /// The number of the next watch.
    next_watch: u64,
    is_shut_down: bool,
    are_watches_ended: bool,
}

/// A service that is known, watched, or both.
#[derive(Default)]
struct Entry {
    /// The latest states, the current one last; `None` is "unknown".
    changes: VecDeque<Option<ServingStatus>>,
    /// The number of states before those.
    dropped: u64,
    watches: usize,
    /// The watches that have read everything so far.
    waiting: Wakers,
}

/// How far a watch has read.
pub(super) struct Position {
    pub(super) service: Arc<str>,
    number: u64,
    /// The number of the service's states that it has passed.
    passed: u64,
    /// The state that it received last, if any.
    last: Option<Option<ServingStatus>>,
}

/// The next item of a watch.
pub(super) enum Next {
    State(Option<ServingStatus>),
    Pending,
    End,
}

impl Entry {
    fn new(state: Option<ServingStatus>) -> Entry {
        Entry { changes: VecDeque::from([state]), ..Entry::default() }
    }

    fn state(&self) -> Option<ServingStatus> {
        self.changes.back().copied().flatten()
    }

    /// Adds a state, and returns the watches that wait for it.
    fn set(&mut self, state: Option<ServingStatus>) -> Wakers {
        if self.state() == state {
            return Wakers::new();
        }
        if self.changes.len() == MAX_CHANGES || self.watches == 0 {
            self.dropped += 1;
            self.changes.pop_front();
        }
        self.changes.push_back(state);
        mem::take(&mut self.waiting)
    }
}

impl Registry {
    pub(super) fn get(&self, service: &str) -> Option<ServingStatus> {
        self.entries.get(service)?.state()
    }

    /// Returns all known services, unless there are more than `max`.
    pub(super) fn list(&self, max: usize) -> Option<Vec<(Arc<str>, ServingStatus)>> {
        if self.entries.len() - self.unknown > max {
            return None;
        }
        let known = self.entries.iter().filter_map(|(name, entry)| Some((Arc::clone(name), entry.state()?)));
        Some(known.collect())
    }

    pub(super) fn set(&mut self, service: &str, status: ServingStatus) -> Wakers {
        if self.is_shut_down {
            return Wakers::new();
        }
        let Some(entry) = self.entries.get_mut(service) else {
            self.entries.insert(Arc::from(service), Entry::new(Some(status)));
            return Wakers::new();
        };
        if entry.state().is_none() {
            self.unknown -= 1;
        }
        entry.set(Some(status))
    }

    pub(super) fn clear(&mut self, service: &str) -> Wakers {
        let Some(entry) = self.entries.get_mut(service).filter(|entry| entry.state().is_some()) else {
            return Wakers::new();
        };
        if self.is_shut_down {
            return Wakers::new();
        }
        if entry.watches == 0 {
            self.entries.remove(service);
            return Wakers::new();
        }
        self.unknown += 1;
        entry.set(None)
    }

    pub(super) fn shutdown(&mut self) -> Wakers {
        self.is_shut_down = true;
        let known = self.entries.values_mut().filter(|entry| entry.state().is_some());
        known.flat_map(|entry| entry.set(Some(ServingStatus::NotServing))).collect()
    }

    pub(super) fn end_watches(&mut self) -> Wakers {
        self.are_watches_ended = true;
        self.entries.values_mut().flat_map(|entry| mem::take(&mut entry.waiting)).collect()
    }

    /// Returns the number of names, known or not.
    #[cfg(test)]
    pub(super) fn names(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn watches(&self) -> usize {
        self.entries.values().map(|entry| entry.watches).sum()
    }

    pub(super) fn begin_watch(&mut self, service: &str) -> Result<Position, Status> {
        let service = match self.entries.get_key_value(service) {
            Some((service, _)) => Arc::clone(service),
            None => self.add_unknown(service)?,
        };
        let number = self.next_watch;
        self.next_watch += 1;
        let mut position = Position { service, number, passed: 0, last: None };
        if let Some(entry) = self.entries.get_mut(&position.service) {
            entry.watches += 1;
            position.passed = entry.dropped + entry.changes.len() as u64 - 1;
        }
        Ok(position)
    }

    fn add_unknown(&mut self, service: &str) -> Result<Arc<str>, Status> {
        if service.len() > Health::MAX_UNKNOWN_NAME {
            let message = format!(
                "the service is unknown, and its name of {} bytes is too long to be watched; the maximum is {}",
                service.len(),
                Health::MAX_UNKNOWN_NAME
            );
            return Err(Status::new(Code::InvalidArgument, message));
        }
        if self.unknown >= Health::MAX_UNKNOWN_NAMES {
            let message = format!(
                "the service `{service}` is unknown, and {} unknown services are watched already, which is the maximum",
                Health::MAX_UNKNOWN_NAMES
            );
            return Err(Status::new(Code::ResourceExhausted, message));
        }
        self.unknown += 1;
        let service = Arc::from(service);
        self.entries.insert(Arc::clone(&service), Entry::new(None));
        Ok(service)
    }

    /// Returns the next item of a watch. If there is none yet, `waker` is kept, and the one kept before is returned, to
    /// be dropped without the lock.
    pub(super) fn next(&mut self, watch: &mut Position, waker: &Waker) -> (Next, Option<Waker>) {
        let Some(entry) = self.entries.get_mut(&watch.service) else {
            return (Next::End, None);
        };
        watch.passed = watch.passed.max(entry.dropped);
        while let Some(state) = entry.changes.get((watch.passed - entry.dropped) as usize).copied() {
            watch.passed += 1;
            // If changes were dropped, the next one may equal the state that it received last.
            if watch.last != Some(state) {
                watch.last = Some(state);
                return (Next::State(state), None);
            }
        }
        if self.are_watches_ended {
            return (Next::End, None);
        }
        (Next::Pending, entry.waiting.insert(watch.number, waker.clone()))
    }

    /// Removes a watch. Its waker is returned, to be dropped without the lock.
    pub(super) fn end_watch(&mut self, watch: &Position) -> Option<Waker> {
        let entry = self.entries.get_mut(&watch.service)?;
        entry.watches -= 1;
        let waker = entry.waiting.remove(&watch.number);
        if entry.watches == 0 && entry.state().is_none() {
            self.entries.remove(&watch.service);
            self.unknown -= 1;
        }
        waker
    }
}
