//! What happens around every call, whatever its method: a hook before it and one after.
//!
//! Metrics, the access log, authentication and limits are interceptors; so is anything else
//! that is to be written once for all methods.
//!
//! What an interceptor does not see: a call of a method that the server does not have.
//! grpcio answers those with UNIMPLEMENTED before anything of this layer is asked. The same
//! goes for a unary call that ends before its request has arrived.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::call::panic::panicked;
use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// A hook before and after each call, of any kind.
///
/// Both run on the thread of a completion queue and must not wait for anything.
///
/// ```
/// use grpcio_kit::{Call, Code, Interceptor, Outcome, Status};
///
/// /// Lets in who knows the word.
/// struct Password;
///
/// impl Interceptor for Password {
///     fn before(&self, call: &Call<'_>) -> Result<(), Status> {
///         match call.metadata("password") {
///             Some(b"mellon") => Ok(()),
///             _ => Err(Status::new(Code::Unauthenticated, "speak, friend, and enter")),
///         }
///     }
///
///     fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
///         println!("{}: {} after {:?}", call.method(), outcome.code(), outcome.elapsed);
///     }
/// }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Runs once, before the server accepts calls, with every method that it serves.
    /// [`MethodDescriptor::index`] is the place of a method in `methods`.
    fn start(&self, methods: &[MethodDescriptor]) {
        let _ = methods;
    }

    /// Runs before the method; of a unary or server-streaming call, when the request has
    /// arrived, and before it is decoded.
    ///
    /// # Errors
    ///
    /// The status to refuse the call with. The method does not run then, nor the interceptors
    /// that come later.
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        let _ = call;
        Ok(())
    }

    /// Runs when the status of the call is known and about to be sent, if [`before`](Self::before)
    /// of this interceptor had let the call in. The last interceptor is the first to be told.
    ///
    /// Of a streaming call that ends with OK, it runs when the status has been sent: only then
    /// is it certain that the caller had not left.
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        let _ = (call, outcome);
    }

    /// Whether [`after`](Self::after) looks at who calls (peer, metadata, names) in streaming calls,
    /// which go on after the C core has let go of that: it is copied then. Unary calls have
    /// it in either case.
    fn keeps_caller(&self) -> bool {
        false
    }
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The status, if it is not OK.
    ///
    /// Of a streaming call that the caller left, it is CANCELLED, or DEADLINE_EXCEEDED if
    /// its deadline had passed.
    pub status: Option<&'a Status>,
    /// From the first interceptor to the status.
    pub elapsed: Duration,
    /// The requests that have been taken from the C core.
    pub received: u64,
    /// The replies that have been handed to the C core, or are about to be.
    pub sent: u64,
    /// Whether the method kept the thread of a completion queue for longer than
    /// [`ServerBuilder::blocked_thread_threshold`](crate::ServerBuilder::blocked_thread_threshold) at a time.
    pub blocked_thread: bool,
}

impl Outcome<'_> {
    /// The code.
    pub fn code(&self) -> Code {
        self.status.map_or(Code::Ok, Status::code)
    }
}

/// The interceptors of a server, in their order.
#[derive(Default)]
pub(crate) struct Chain {
    interceptors: Vec<Arc<dyn Interceptor>>,
    keeps_caller: bool,
}

/// How many interceptors, from the first, have admitted an RPC.
pub(crate) struct Admitted(usize);

impl Chain {
    pub(crate) fn new(interceptors: Vec<Arc<dyn Interceptor>>, methods: &[MethodDescriptor]) -> Chain {
        for interceptor in &interceptors {
            interceptor.start(methods);
        }
        let keeps_caller = interceptors.iter().any(|interceptor| interceptor.keeps_caller());
        Chain { interceptors, keeps_caller }
    }

    pub(crate) fn keeps_caller(&self) -> bool {
        self.keeps_caller
    }

    /// Runs `before` of each interceptor, until one rejects the RPC.
    pub(crate) fn before(&self, call: &Call<'_>) -> (Admitted, Result<(), Status>) {
        for (index, interceptor) in self.interceptors.iter().enumerate() {
            let admitted = catch_unwind(AssertUnwindSafe(|| interceptor.before(call)));
            if let Err(status) = admitted.unwrap_or_else(|panic| Err(panicked(call.method(), &*panic))) {
                return (Admitted(index), Err(status));
            }
        }
        (Admitted(self.interceptors.len()), Ok(()))
    }

    /// Runs `after` of those that admitted the RPC.
    pub(crate) fn after(&self, admitted: &Admitted, call: &Call<'_>, outcome: &Outcome<'_>) {
        for interceptor in self.interceptors[..admitted.0].iter().rev() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| interceptor.after(call, outcome))) {
                // The RPC has its status already; the log has the panic.
                let _ = panicked(call.method(), &*panic);
            }
        }
    }
}
