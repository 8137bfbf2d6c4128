//! One watch: an RPC that streams the states of one service.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use super::registry::{Next, WatchId};
use super::{Health, ServingStatus};
use crate::status::Status;
use crate::status::code::Code;

/// The states of a service, as they change. `None` is that of an unknown service.
pub(super) struct Watch {
    health: Health,
    id: WatchId,
    is_over: bool,
}

impl Watch {
    pub(super) fn begin(health: Health, service: &str) -> Result<Watch, Status> {
        let id = health.registry().begin_watch(service)?;
        Ok(Watch { health, id, is_over: false })
    }
}

impl Stream for Watch {
    type Item = Result<Option<ServingStatus>, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watch = self.get_mut();
        if watch.is_over {
            return Poll::Ready(None);
        }
        let (next, _previous) = watch.health.registry().next(&watch.id, cx.waker());
        match next {
            Next::State(state) => Poll::Ready(Some(Ok(state))),
            Next::Pending => Poll::Pending,
            Next::End => {
                watch.is_over = true;
                Poll::Ready(Some(Err(Status::new(Code::Unavailable, "the server is shutting down"))))
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _waker = self.health.registry().end_watch(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::health::registry::MAX_CHANGES;

    /// Everything that a watch can receive now.
    fn read(watch: &mut Watch) -> Vec<Option<ServingStatus>> {
        std::iter::from_fn(|| watch.next().now_or_never()?).map(Result::unwrap).collect()
    }

    fn change(health: &Health, times: usize) -> Vec<Option<ServingStatus>> {
        let statuses = [ServingStatus::Unknown, ServingStatus::NotServing, ServingStatus::Serving];
        let changes = statuses.into_iter().cycle().take(times);
        changes.inspect(|status| health.set("a", *status)).map(Some).collect()
    }

    #[test]
    fn a_slow_watch_receives_the_newest_changes() {
        let health = Health::new();
        let mut watch = Watch::begin(health.clone(), "a").unwrap();
        assert_eq!(read(&mut watch), [None]);
        let changes = change(&health, MAX_CHANGES - 1);
        assert_eq!(read(&mut watch), changes);
        let changes = change(&health, 10 * MAX_CHANGES);
        assert_eq!(read(&mut watch), changes[9 * MAX_CHANGES..]);
    }

    #[test]
    fn a_watch_never_receives_a_status_twice_in_a_row_even_if_changes_were_dropped() {
        let health = Health::new();
        for lost in 0..10 {
            let mut watch = Watch::begin(health.clone(), "a").unwrap();
            let mut got = read(&mut watch);
            change(&health, MAX_CHANGES + lost);
            got.extend(read(&mut watch));
            assert!(got.len() >= MAX_CHANGES, "{got:?}");
            assert!(got.windows(2).all(|pair| pair[0] != pair[1]), "{got:?}");
        }
    }

    #[test]
    fn a_watch_begins_with_the_current_status_only() {
        let health = Health::new();
        let _other = Watch::begin(health.clone(), "a").unwrap();
        change(&health, 2);
        let mut watch = Watch::begin(health.clone(), "a").unwrap();
        assert_eq!(read(&mut watch), [Some(ServingStatus::NotServing)]);
    }

    #[test]
    fn watches_end_after_the_last_change() {
        let health = Health::new();
        let mut watch = Watch::begin(health.clone(), "").unwrap();
        health.shutdown();
        health.end_watches();
        let next = |watch: &mut Watch| watch.next().now_or_never().unwrap();
        assert_eq!(next(&mut watch), Some(Ok(Some(ServingStatus::Serving))));
        assert_eq!(next(&mut watch), Some(Ok(Some(ServingStatus::NotServing))));
        assert_eq!(next(&mut watch).unwrap().unwrap_err().code(), Code::Unavailable);
        assert_eq!(next(&mut watch), None);
    }

    #[test]
    fn an_unknown_name_is_removed_with_its_last_watch() {
        let health = Health::new();
        let watches = [(); 3].map(|()| Watch::begin(health.clone(), "a").unwrap());
        health.set("a", ServingStatus::Serving);
        health.clear("a");
        health.clear("a");
        assert_eq!(health.registry().names(), 2);
        drop(watches);
        assert_eq!(health.registry().names(), 1);
        health.set("a", ServingStatus::Serving);
        assert_eq!(health.registry().names(), 2);
    }
}
