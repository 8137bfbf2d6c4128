//! Messages on their way between bytes and types.

pub(super) mod codec;
pub mod wire;
