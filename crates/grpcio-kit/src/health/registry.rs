//! The state of each service, and the watches that wait for a change of it.
//!
//! All of it is behind one lock: wakers are returned, to be woken or dropped once it is released.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use super::{Health, ServingStatus};
use crate::status::Status;
use crate::status::code::Code;

/// The maximum number of changes that are kept for a watch that has not read them yet.
pub(super) const MAX_CHANGES: usize = 64;

pub(super) type Wakers = Vec<Waker>;

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
struct Entry {
    /// `None` is "unknown".
    state: Option<ServingStatus>,
    watches: HashMap<u64, Reader>,
}

/// How far a watch has read.
struct Reader {
    /// The states that it has not received, oldest first.
    unread: VecDeque<Option<ServingStatus>>,
    /// The state that it received last, if any.
    last: Option<Option<ServingStatus>>,
    waker: Option<Waker>,
}

/// Identifies a watch.
pub(super) struct WatchId {
    service: Arc<str>,
    number: u64,
}

/// The next item of a watch.
pub(super) enum Next {
    State(Option<ServingStatus>),
    Pending,
    End,
}

impl Entry {
    fn new(state: Option<ServingStatus>) -> Entry {
        Entry { state, watches: HashMap::new() }
    }

    /// Changes the state, and returns the watches that wait for it.
    fn set(&mut self, state: Option<ServingStatus>) -> Wakers {
        if self.state == state {
            return Wakers::new();
        }
        self.state = state;
        let tell = |reader: &mut Reader| {
            if reader.unread.len() == MAX_CHANGES {
                reader.unread.pop_front();
            }
            reader.unread.push_back(state);
            reader.waker.take()
        };
        self.watches.values_mut().filter_map(tell).collect()
    }
}

impl Registry {
    pub(super) fn get(&self, service: &str) -> Option<ServingStatus> {
        self.entries.get(service)?.state
    }

    /// Returns all known services, unless there are more than `max`.
    pub(super) fn list(&self, max: usize) -> Option<Vec<(Arc<str>, ServingStatus)>> {
        if self.entries.len() - self.unknown > max {
            return None;
        }
        let known = self.entries.iter().filter_map(|(name, entry)| Some((Arc::clone(name), entry.state?)));
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
        if entry.state.is_none() {
            self.unknown -= 1;
        }
        entry.set(Some(status))
    }

    pub(super) fn clear(&mut self, service: &str) -> Wakers {
        let Some(entry) = self.entries.get_mut(service).filter(|entry| entry.state.is_some()) else {
            return Wakers::new();
        };
        if self.is_shut_down {
            return Wakers::new();
        }
        if entry.watches.is_empty() {
            self.entries.remove(service);
            return Wakers::new();
        }
        self.unknown += 1;
        entry.set(None)
    }

    pub(super) fn shutdown(&mut self) -> Wakers {
        self.is_shut_down = true;
        let known = self.entries.values_mut().filter(|entry| entry.state.is_some());
        known.flat_map(|entry| entry.set(Some(ServingStatus::NotServing))).collect()
    }

    pub(super) fn end_watches(&mut self) -> Wakers {
        self.are_watches_ended = true;
        let watches = self.entries.values_mut().flat_map(|entry| entry.watches.values_mut());
        watches.filter_map(|reader| reader.waker.take()).collect()
    }

    /// Returns the number of names, known or not.
    #[cfg(test)]
    pub(super) fn names(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn watches(&self) -> usize {
        self.entries.values().map(|entry| entry.watches.len()).sum()
    }

    pub(super) fn begin_watch(&mut self, service: &str) -> Result<WatchId, Status> {
        let service = match self.entries.get_key_value(service) {
            Some((service, _)) => Arc::clone(service),
            None => self.add_unknown(service)?,
        };
        let number = self.next_watch;
        self.next_watch += 1;
        if let Some(entry) = self.entries.get_mut(&service) {
            let reader = Reader { unread: VecDeque::from([entry.state]), last: None, waker: None };
            entry.watches.insert(number, reader);
        }
        Ok(WatchId { service, number })
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
    pub(super) fn next(&mut self, watch: &WatchId, waker: &Waker) -> (Next, Option<Waker>) {
        let entry = self.entries.get_mut(&watch.service);
        let Some(reader) = entry.and_then(|entry| entry.watches.get_mut(&watch.number)) else {
            return (Next::End, None);
        };
        while let Some(state) = reader.unread.pop_front() {
            // If changes were dropped, the next one may equal the state that it received last.
            if reader.last.replace(state) != Some(state) {
                return (Next::State(state), None);
            }
        }
        if self.are_watches_ended {
            return (Next::End, None);
        }
        (Next::Pending, reader.waker.replace(waker.clone()))
    }

    /// Removes a watch. Its waker is returned, to be dropped without the lock.
    pub(super) fn end_watch(&mut self, watch: &WatchId) -> Option<Waker> {
        let entry = self.entries.get_mut(&watch.service)?;
        let waker = entry.watches.remove(&watch.number)?.waker;
        if entry.watches.is_empty() && entry.state.is_none() {
            self.entries.remove(&watch.service);
            self.unknown -= 1;
        }
        waker
    }
}
