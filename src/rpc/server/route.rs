//! What the adapter knows of a method beside its handler.

use std::sync::Arc;
use std::time::Duration;

use crate::rpc::MethodDescriptor;
use crate::rpc::interceptor::Chain;

/// A method of a server, and what all methods of that server share.
#[derive(Clone)]
pub(in crate::rpc) struct Route {
    pub method: MethodDescriptor,
    pub shared: Arc<Shared>,
}

/// What all methods of a server share.
pub(in crate::rpc) struct Shared {
    pub chain: Chain,
    /// The time that the server allows a streaming call.
    pub max_call_time: Option<Duration>,
    /// The largest request, in bytes, after it has been decompressed.
    pub max_request_bytes: usize,
}

impl Route {
    pub fn max_bytes(&self) -> usize {
        self.shared.max_request_bytes
    }
}
