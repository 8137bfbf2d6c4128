//! Replies to come: what methods return and clients receive.

use std::pin::Pin;

use futures::{Future, Stream};

use crate::status::Status;

/// A reply to come.
pub type ReplyFuture<Rep> = Pin<Box<dyn Future<Output = Result<Rep, Status>> + Send>>;

/// Replies to come. An `Err` is the last item.
///
/// On the client's side, grpcio gives the status of a call that failed as soon as it is
/// there: replies that arrived just before it may be lost. After a success none are.
pub type ReplyStream<Rep> = Pin<Box<dyn Stream<Item = Result<Rep, Status>> + Send>>;
