//! One caller that watches one service.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;

use super::registry::{Next, Position};
use super::{Health, ServingStatus};
use crate::rpc::{Code, Status};

/// The states of a service, as they change. `None` is that of a service that is not known.
pub(super) struct Watch {
    health: Health,
    position: Position,
    is_over: bool,
}

impl Watch {
    pub fn begin(health: Health, service: &str) -> Result<Watch, Status> {
        let position = health.registry().begin_watch(service)?;
        Ok(Watch { health, position, is_over: false })
    }
}

impl Stream for Watch {
    type Item = Result<Option<ServingStatus>, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watch = self.get_mut();
        if watch.is_over {
            return Poll::Ready(None);
        }
        let (next, _previous) = watch.health.registry().next(&mut watch.position, cx.waker());
        match next {
            Next::State(state) => Poll::Ready(Some(Ok(state))),
            Next::Nothing => Poll::Pending,
            Next::End => {
                watch.is_over = true;
                Poll::Ready(Some(Err(Status::new(Code::Unavailable, "the server is ending"))))
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _waker = self.health.registry().end_watch(&self.position);
    }
}
