//! Transport security, by the C core's TLS library: OpenSSL or BoringSSL.
//!
//! ```text
//! server   the server's certificate and key, and the CAs of client certificates
//! client   the CAs that a client trusts, and its certificate
//! verify   checks the content of the files before the C core gets it
//! ```

pub(crate) mod client;
pub(crate) mod server;
mod verify;
