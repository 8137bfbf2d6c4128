//! The replies of an RPC as a blocking iterator.

use futures::StreamExt;
use futures_lite::future::block_on;

use crate::reply::ReplyStream;
use crate::status::Status;

/// A blocking iterator over the replies of a streaming RPC, a [`ReplyStream`].
///
/// Dropping it before its end cancels the RPC.
#[must_use = "dropping the replies cancels the RPC"]
pub struct Replies<Rep> {
    pub(super) stream: ReplyStream<Rep>,
}

impl<Rep> Iterator for Replies<Rep> {
    type Item = Result<Rep, Status>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.stream.next())
    }
}
