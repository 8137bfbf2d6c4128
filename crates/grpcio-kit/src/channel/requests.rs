//! Sends the requests of a streaming RPC while its reply is awaited: in one task, without a thread of its own.

use std::pin::pin;

use futures::future::{pending, poll_fn};
use futures::{SinkExt, Stream, StreamExt};
use grpcio::{StreamingCallSink, WriteFlags};

/// Moves requests into the sink of an RPC, as fast as it takes them.
///
/// Never returns, and so keeps the sink: dropping one that is not closed cancels the RPC, and its status would be lost.
pub(super) async fn send<Req, T>(requests: impl Stream<Item = Req>, mut sink: StreamingCallSink<Req>) -> T {
    let sending = async {
        let mut requests = pin!(requests);
        loop {
            poll_fn(|cx| sink.poll_ready_unpin(cx)).await?;
            match requests.next().await {
                Some(request) => sink.start_send_unpin((request, WriteFlags::default()))?,
                None => return sink.close().await,
            }
        }
    };
    // A failure ends the sending only: the RPC's status tells the reason.
    let _: grpcio::Result<()> = sending.await;
    pending().await
}
