//! The replies of an RPC as a blocking iterator.

use futures::StreamExt;
use futures::executor::block_on;

use crate::reply::ReplyStream;
use crate::status::Status;

/// The replies of a call, for callers that wait: an iterator over a [`ReplyStream`].
///
/// Dropping it before its end cancels the call.
#[must_use = "dropping the replies cancels the call"]
pub struct Replies<Rep> {
    stream: ReplyStream<Rep>,
}

impl<Rep> Replies<Rep> {
    pub(crate) fn new(stream: ReplyStream<Rep>) -> Replies<Rep> {
        Replies { stream }
    }
}

impl<Rep> Iterator for Replies<Rep> {
    type Item = Result<Rep, Status>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.stream.next())
    }
}
