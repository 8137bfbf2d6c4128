//! What is known of each service, and who waits for a change of it.
//!
//! Everything here is under one lock, which is held for map look-ups only: whoever has to be
//! woken is handed out, to be woken when the lock is free.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::{Health, ServingStatus};
use crate::status::Status;
use crate::status::code::Code;

/// The changes of a service that are kept for watches that have not read them yet.
pub(super) const MAX_CHANGES: usize = 64;

/// Who is to be woken, by the number of the watch.
pub(super) type Wakers = BTreeMap<u64, Waker>;

/// The services of a server.
#[derive(Default)]
pub(super) struct Registry {
    entries: HashMap<Arc<str>, Entry>,
    /// How many entries are there for their watches alone.
    unknown: usize,
    /// The number that the next watch gets.
    next_watch: u64,
    is_shut_down: bool,
    are_watches_ended: bool,
}

/// A service that is known, or watched, or both.
#[derive(Default)]
struct Entry {
    /// The last states, the present one at the end; `None` is "unknown".
    changes: VecDeque<Option<ServingStatus>>,
    /// How many states there have been before those.
    forgotten: u64,
    watches: usize,
    /// The watches that have read everything.
    waiting: Wakers,
}

/// What a watch has to remember.
pub(super) struct Position {
    pub service: Arc<str>,
    number: u64,
    /// How many states of the service it has passed.
    passed: u64,
    /// What it got last, unless it has got nothing yet.
    last: Option<Option<ServingStatus>>,
}

/// What there is for a watch.
pub(super) enum Next {
    State(Option<ServingStatus>),
    Nothing,
    End,
}

impl Entry {
    fn new(state: Option<ServingStatus>) -> Entry {
        Entry { changes: VecDeque::from([state]), ..Entry::default() }
    }

    fn state(&self) -> Option<ServingStatus> {
        self.changes.back().copied().flatten()
    }

    /// Takes a state, and hands out who waits for it.
    fn set(&mut self, state: Option<ServingStatus>) -> Wakers {
        if self.state() == state {
            return Wakers::new();
        }
        if self.changes.len() == MAX_CHANGES || self.watches == 0 {
            self.forgotten += 1;
            self.changes.pop_front();
        }
        self.changes.push_back(state);
        mem::take(&mut self.waiting)
    }
}

impl Registry {
    pub fn get(&self, service: &str) -> Option<ServingStatus> {
        self.entries.get(service)?.state()
    }

    /// Every service that is known, unless there are more than `max`.
    pub fn list(&self, max: usize) -> Option<Vec<(Arc<str>, ServingStatus)>> {
        if self.entries.len() - self.unknown > max {
            return None;
        }
        let known = self.entries.iter().filter_map(|(name, entry)| Some((Arc::clone(name), entry.state()?)));
        Some(known.collect())
    }

    pub fn set(&mut self, service: &str, status: ServingStatus) -> Wakers {
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

    pub fn clear(&mut self, service: &str) -> Wakers {
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

    pub fn shutdown(&mut self) -> Wakers {
        self.is_shut_down = true;
        let known = self.entries.values_mut().filter(|entry| entry.state().is_some());
        known.flat_map(|entry| entry.set(Some(ServingStatus::NotServing))).collect()
    }

    pub fn end_watches(&mut self) -> Wakers {
        self.are_watches_ended = true;
        self.entries.values_mut().flat_map(|entry| mem::take(&mut entry.waiting)).collect()
    }

    /// How many names there are, known or not.
    #[cfg(test)]
    pub fn names(&self) -> usize {
        self.entries.len()
    }

    pub fn watches(&self) -> usize {
        self.entries.values().map(|entry| entry.watches).sum()
    }

    pub fn begin_watch(&mut self, service: &str) -> Result<Position, Status> {
        let service = match self.entries.get_key_value(service) {
            Some((service, _)) => Arc::clone(service),
            None => self.add_unknown(service)?,
        };
        let number = self.next_watch;
        self.next_watch += 1;
        let mut position = Position { service, number, passed: 0, last: None };
        if let Some(entry) = self.entries.get_mut(&position.service) {
            entry.watches += 1;
            position.passed = entry.forgotten + entry.changes.len() as u64 - 1;
        }
        Ok(position)
    }

    fn add_unknown(&mut self, service: &str) -> Result<Arc<str>, Status> {
        if service.len() > Health::MAX_UNKNOWN_NAME {
            let message = format!(
                "there is no service with this name of {} bytes, and to wait for one it may have at most {}",
                service.len(),
                Health::MAX_UNKNOWN_NAME
            );
            return Err(Status::new(Code::InvalidArgument, message));
        }
        if self.unknown >= Health::MAX_UNKNOWN_NAMES {
            let message = format!(
                "there is no service `{service}`, and {} others that are not there are watched already",
                Health::MAX_UNKNOWN_NAMES
            );
            return Err(Status::new(Code::ResourceExhausted, message));
        }
        self.unknown += 1;
        let service = Arc::from(service);
        self.entries.insert(Arc::clone(&service), Entry::new(None));
        Ok(service)
    }

    /// What comes next for a watch. If that is nothing yet, `waker` is kept.
    ///
    /// The waker that was kept before is handed back, to be dropped without the lock.
    pub fn next(&mut self, watch: &mut Position, waker: &Waker) -> (Next, Option<Waker>) {
        let Some(entry) = self.entries.get_mut(&watch.service) else {
            return (Next::End, None);
        };
        watch.passed = watch.passed.max(entry.forgotten);
        while let Some(state) = entry.changes.get((watch.passed - entry.forgotten) as usize).copied() {
            watch.passed += 1;
            // Where changes were forgotten, the next one may be what it got last.
            if watch.last != Some(state) {
                watch.last = Some(state);
                return (Next::State(state), None);
            }
        }
        if self.are_watches_ended {
            return (Next::End, None);
        }
        (Next::Nothing, entry.waiting.insert(watch.number, waker.clone()))
    }

    /// Nothing of a watch stays behind. Its waker is handed back, to be dropped without the lock.
    pub fn end_watch(&mut self, watch: &Position) -> Option<Waker> {
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
