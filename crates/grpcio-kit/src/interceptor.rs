//! Interceptors: a hook before and one after every RPC, of any method and kind.
//!
//! Metrics, the access log, authentication and limits are interceptors; so is anything else
//! that should be written once for all methods.
//!
//! RPCs of methods that the server does not have are those of one method, `/other/other`; with a C core that is not patched
//! no interceptor sees them. Nor do interceptors see RPCs that the C core rejects, or a unary RPC that ends before its request
//! has arrived. Only [`Metrics`](crate::Metrics) counts these, without their method.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::call::panic::panicked;
use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// A hook before and after each RPC, of any kind.
///
/// Both run on the thread of a completion queue and must not block it.
///
/// ```
/// use grpcio_kit::{Call, Code, Interceptor, Outcome, Status};
///
/// /// Requires an API key.
/// struct ApiKey;
///
/// impl Interceptor for ApiKey {
///     fn before(&self, call: &Call<'_>) -> Result<(), Status> {
///         match call.metadata("x-api-key") {
///             Some(b"secret") => Ok(()),
///             _ => Err(Status::new(Code::Unauthenticated, "x-api-key is missing or wrong")),
///         }
///     }
///
///     fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
///         println!("{}: {} after {:?}", call.method(), outcome.code(), outcome.elapsed);
///     }
/// }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// Runs once, before the server accepts RPCs, with all its methods.
    /// [`MethodDescriptor::index`] is a method's index in `methods`.
    fn start(&self, methods: &[MethodDescriptor]) {
        let _ = methods;
    }

    /// Runs before the method; of a unary or server-streaming RPC, when the request has
    /// arrived, and before it is decoded.
    ///
    /// # Errors
    ///
    /// The status to reject the RPC with. Then neither later interceptors nor the method run.
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        let _ = call;
        Ok(())
    }

    /// Runs when the status is known and about to be sent, if this interceptor's
    /// [`before`](Self::before) admitted the RPC; in reverse order.
    ///
    /// If a streaming RPC, or one of an asynchronous method or [`Workers`](crate::Workers), ends with OK, it runs after
    /// the status has been sent: only then is it certain that the client had not cancelled.
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        let _ = (call, outcome);
    }

    /// Whether [`after`](Self::after) needs the client's peer address, metadata and names in streaming RPCs, which
    /// outlast the C core's copy of them: they are copied then. Unary RPCs have them in any case.
    fn keeps_caller(&self) -> bool {
        false
    }
}

/// How an RPC ended.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The status, if it is not OK.
    ///
    /// If the client ended the RPC, it is CANCELLED, or DEADLINE_EXCEEDED if the deadline had passed.
    pub status: Option<&'a Status>,
    /// The time from the first interceptor to the status.
    pub elapsed: Duration,
    /// The number of requests received from the C core.
    pub received: u64,
    /// The number of replies handed to the C core, or about to be.
    pub sent: u64,
    /// Whether the method blocked the thread of a completion queue for longer than
    /// [`ServerBuilder::blocked_thread_threshold`](crate::ServerBuilder::blocked_thread_threshold) at a time.
    pub blocked_thread: bool,
}

impl Outcome<'_> {
    /// Returns the status code.
    pub fn code(&self) -> Code {
        self.status.map_or(Code::Ok, Status::code)
    }
}

/// The interceptors of a server, in their order.
#[derive(Default)]
pub(crate) struct Chain {
    interceptors: Vec<Arc<dyn Interceptor>>,
    pub(crate) keeps_caller: bool,
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
