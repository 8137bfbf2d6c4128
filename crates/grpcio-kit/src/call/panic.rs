//! Containment of panics: the status of an RPC whose method panicked.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// Logs a panic of a method or an interceptor, and returns INTERNAL for it.
pub(crate) fn panicked(method: MethodDescriptor, panic: &(dyn Any + Send)) -> Status {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(not a string)");
    tracing::error!(method = method.path(), panic = message, "the method panicked");
    // The panic's own text may be confidential.
    Status::new(Code::Internal, format!("{method} panicked; see the server's log"))
}

/// Runs a part of a method and turns its panic into INTERNAL.
pub(crate) fn contain<T>(method: MethodDescriptor, f: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
    // Nothing that the closure captured is used after a panic but the service itself: like a value behind a lock, it
    // has to be prepared for that.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(method, &*panic)))
}
