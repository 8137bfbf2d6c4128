//! One call: a request, and the check of its reply.

use futures::Future;
use grpcio_kit::{Code, Status};

/// Why a call failed.
#[derive(Debug)]
pub enum Failure {
    /// The status of the RPC, which was not OK.
    Status(Status),
    /// The RPC succeeded, but its reply is wrong: what is wrong with it.
    WrongReply(String),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Status(status)
    }
}

impl Failure {
    /// Returns whether the failure comes at once and will come for the next call too, as from a server that is gone.
    pub(crate) fn lasts(&self) -> bool {
        use Code::{PermissionDenied, Unauthenticated, Unavailable, Unimplemented};
        matches!(self, Failure::Status(status)
            if [Unavailable, Unimplemented, Unauthenticated, PermissionDenied].contains(&status.code()))
    }
}

/// Makes one call after the other; there is one `Caller` for each call in flight.
///
/// A call is a unary RPC, or one message of a stream and the reply to it.
pub trait Caller: Send + 'static {
    /// Sends a request, waits for the reply and checks it. It must not block: it runs on the thread on which the replies
    /// of other calls arrive.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    fn call(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Ends what outlives a call, such as a stream; called after the last call.
    fn finish(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
