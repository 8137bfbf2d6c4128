//! The requests of a streaming RPC.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures::{Stream, StreamExt};
use grpcio::MessageReader;
use protobuf::MessageFull;

use crate::codec::decode;
use crate::status::Status;

/// grpcio's stream of requests, shared with the adapter: grpcio cancels an RPC whose requests are dropped before their
/// end, and a method may reply before it has read all of them.
pub(crate) struct SharedRequests {
    stream: Mutex<grpcio::RequestStream<MessageReader>>,
    received: AtomicU64,
}

impl SharedRequests {
    /// How many have been received.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The requests of a client-streaming or bidirectional RPC.
///
/// Ends after the first `Err`: a request that cannot be decoded, or the end of the RPC
/// itself, because the client cancelled it or its deadline passed. Messages are read from
/// the connection only as fast as this stream is polled; HTTP/2 flow control then stops the client.
pub struct RequestStream<Req> {
    /// `None` after the end.
    requests: Option<Arc<SharedRequests>>,
    /// Maximum size of one, in bytes, decompressed.
    max_bytes: usize,
    message: PhantomData<fn() -> Req>,
}

impl<Req> RequestStream<Req> {
    /// Returns the stream for the method, and the handle that the adapter keeps until the reply is sent.
    pub(crate) fn share(
        stream: grpcio::RequestStream<MessageReader>,
        max_bytes: usize,
    ) -> (RequestStream<Req>, Arc<SharedRequests>) {
        let shared = Arc::new(SharedRequests { stream: Mutex::new(stream), received: AtomicU64::new(0) });
        (RequestStream { requests: Some(Arc::clone(&shared)), max_bytes, message: PhantomData }, shared)
    }
}

impl<Req: MessageFull> Stream for RequestStream<Req> {
    type Item = Result<Req, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(shared) = &self.requests else {
            return Poll::Ready(None);
        };
        let next = {
            // Poisoned only if grpcio panicked; its stream is then polled again.
            let mut requests = shared.stream.lock().unwrap_or_else(PoisonError::into_inner);
            match ready!(requests.poll_next_unpin(cx)) {
                // The requests of a cancelled RPC end too. Polling once more tells the two apart.
                None => ready!(requests.poll_next_unpin(cx)),
                next => next,
            }
        };
        if let Some(Ok(_)) = &next {
            shared.received.fetch_add(1, Ordering::Relaxed);
        }
        let next = next.map(|bytes| decode(bytes.map_err(Status::from)?, self.max_bytes));
        if !matches!(next, Some(Ok(_))) {
            self.requests = None;
        }
        Poll::Ready(next)
    }
}
