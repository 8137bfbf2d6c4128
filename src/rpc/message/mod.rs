//! Messages on their way between bytes and types.

pub(super) mod codec;
mod fixed;
mod unknown;
pub mod wire;
