//! The status of an RPC whose method panicked.

use std::any::Any;

use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// INTERNAL for a panic in a method, or in an interceptor; the log has the reason.
pub(crate) fn panicked(method: MethodDescriptor, panic: &(dyn Any + Send)) -> Status {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no string");
    tracing::error!(method = method.path(), panic = message, "the method panicked");
    // The panic's own text may hold what callers should not see.
    Status::new(Code::Internal, format!("{method} failed unexpectedly; the server's log has the reason"))
}
