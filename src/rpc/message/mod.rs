//! Messages on their way between bytes and types.

pub(super) mod codec;
mod fixed;
pub mod wire;
