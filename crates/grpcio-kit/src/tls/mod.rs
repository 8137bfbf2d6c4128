//! Transport security, by the C core's BoringSSL.
//!
//! ```text
//! server   the server's certificate and key, and whose certificates clients may show
//! client   whom a client trusts, and the certificate that it shows
//! judge    whether the C core will take what the files hold, before it is handed over
//!   pem    what can be told of a file by its lines
//! ```

pub(crate) mod client;
mod judge;
mod pem;
pub(crate) mod server;
