//! Pending replies: returned by the methods of services, received by clients.

use std::pin::Pin;

use futures::{Future, Stream};

use crate::status::Status;

/// The future reply of an RPC.
pub type ReplyFuture<Rep> = Pin<Box<dyn Future<Output = Result<Rep, Status>> + Send>>;

/// The replies of a streaming RPC. An `Err` is the last item.
///
/// In a client, grpcio returns the status of a failed RPC as soon as it arrives: replies received just before it may be
/// lost. None are lost when the RPC succeeds.
pub type ReplyStream<Rep> = Pin<Box<dyn Stream<Item = Result<Rep, Status>> + Send>>;
