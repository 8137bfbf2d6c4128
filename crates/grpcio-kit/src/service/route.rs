//! What the adapter knows of a method beside its handler.

use std::sync::Arc;
use std::time::Duration;

use crate::interceptor::Chain;
use crate::method::MethodDescriptor;

/// A method of a server, and what all methods of that server share.
#[derive(Clone)]
pub(crate) struct Route {
    pub method: MethodDescriptor,
    /// The time that the server allows a call.
    pub max_call_time: Option<Duration>,
    pub shared: Arc<Shared>,
}

/// What all methods of a server share.
pub(crate) struct Shared {
    pub chain: Chain,
    /// The largest request, in bytes, after it has been decompressed.
    pub max_request_bytes: usize,
    /// The largest reply, in bytes, before it is compressed.
    pub max_reply_bytes: usize,
}

impl Route {
    pub fn max_request_bytes(&self) -> usize {
        self.shared.max_request_bytes
    }

    pub fn max_reply_bytes(&self) -> usize {
        self.shared.max_reply_bytes
    }
}
