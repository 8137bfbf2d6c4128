//! Who may call: interceptors that refuse a call before its request is decoded.
//!
//! ```text
//! token    a bearer token: what may be one, and the file that it is in
//! tokens   the tokens that a server knows
//! names    the names that a client's certificate may have
//! open     the services that anybody may call
//! ```

pub(crate) mod names;
mod open;
pub(crate) mod tokens;
