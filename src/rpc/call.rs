//! What a method may know of the call that it answers.

use grpcio::RpcContext;

/// The call that a method answers.
///
/// It is lent for the time of the method only; a stream or future that the method returns
/// takes along what it needs.
pub struct Call<'a> {
    method: &'static str,
    /// `None` in a test of a service without a server.
    context: Option<&'a RpcContext<'a>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: &'static str, context: &'a RpcContext<'a>) -> Call<'a> {
        Call { method, context: Some(context) }
    }

    /// A call that nobody made: no peer, no metadata, no deadline. Lets a test ask a
    /// service without a server.
    pub fn detached(method: &'static str) -> Call<'static> {
        Call { method, context: None }
    }

    /// The path of the method: `/package.Service/Method`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Who calls, as the C core writes it: `ipv4:127.0.0.1:50000`, `ipv6:%5B::1%5D:50000`, `unix:`.
    ///
    /// Allocates at each call.
    pub fn peer(&self) -> String {
        self.context.map(RpcContext::peer).unwrap_or_default()
    }

    /// The first value of the metadata `key`, which is in lower case. Values of keys that
    /// end in `-bin` are decoded already.
    pub fn metadata(&self, key: &str) -> Option<&[u8]> {
        self.context?.request_headers().iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Whether the caller's deadline has passed; `false` if there is none.
    pub fn is_expired(&self) -> bool {
        self.context.is_some_and(|context| context.deadline().exceeded())
    }
}
