//! Authentication and authorization: interceptors that reject an RPC before its request is decoded.
//!
//! ```text
//! tokens            the bearer tokens that a server accepts
//! names             the names that a client certificate may have
//! unauthenticated   the services that need neither
//! ```

pub(crate) mod names;
pub(crate) mod tokens;
mod unauthenticated;
