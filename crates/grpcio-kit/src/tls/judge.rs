//! Whether the C core will take certificates and keys, asked before they are handed over.
//!
//! Once a server runs, or a channel is made, the C core says nothing of a pair that it does not take: connections
//! fail. But a server refuses to add a port with one, so that is what is tried, on a server that
//! never starts and an address that nobody sees. It gives no reason; so each part of a file is
//! tried by itself, beside a pair that is known to be good.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::Arc;

use grpcio::{CertificateRequestType, EnvBuilder, Environment, ServerCredentials, ServerCredentialsBuilder};

use super::pem;
use crate::channelz::ServerId;
use crate::files::FileError;
use crate::log::core::expecting_errors;

/// A certificate of nobody, for one day, and the key to it, which is no secret: no connection is
/// ever made with them. The C core looks at certificate authorities only beside such a pair.
const NOBODY_CERTIFICATE: &str = concat!(
    "-----BEGIN ",
    "CERTIFICATE-----\n",
    "MIIBdzCCAR2gAwIBAgIUYVwVtRiKtkSt+WpYBLZ4XElqsfUwCgYIKoZIzj0EAwIw\n",
    "ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyMjEwNDQ1MFoXDTI2MTEyMzEwNDQ1\n",
    "MFowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n",
    "nQUbDqCJGtu7lm1vZopoDBTeu4Xrpr72ItW+47reYOa2G50Ov+cbMEbA8gnYsry4\n",
    "Kett6P7pkKrxr9FGzOqIBKNTMFEwHQYDVR0OBBYEFDw05sIqS71lTJDLGLQTBetq\n",
    "durjMB8GA1UdIwQYMBaAFDw05sIqS71lTJDLGLQTBetqdurjMA8GA1UdEwEB/wQF\n",
    "MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKtfFgqVuFMTT8HG7rc/ss+BW5zPSMK9\n",
    "M/NxA1GEmIVBAiBNUhbLbkLlwUJQmyBtSy3S6J3wd13zC0BY1CUNPobkCw==\n",
    "-----END ",
    "CERTIFICATE-----\n",
);
const NOBODY_KEY: &str = concat!(
    "-----BEGIN ",
    "PRIVATE KEY-----\n",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpUwUK6rukryapMpX\n",
    "qI/OT33jH72RlMojfRgaACQmOOihRANCAASdBRsOoIka27uWbW9mimgMFN67heum\n",
    "vvYi1b7jut5g5rYbnQ6/5xswRsDyCdiyvLgp623o/umQqvGv0UbM6ogE\n",
    "-----END ",
    "PRIVATE KEY-----\n",
);

/// A file's name and its content.
pub(super) type Content<'a> = (&'a Path, &'a [u8]);

/// Asks the C core.
pub(super) struct Judge {
    env: Arc<Environment>,
}

impl Judge {
    pub fn new() -> Judge {
        Judge { env: Arc::new(EnvBuilder::new().cq_count(1).name_prefix("tls-check").build()) }
    }

    /// A certificate with those that lead to its CA, and its key. Gives the certificates alone.
    pub fn pair(&self, certificate: Content<'_>, key: Content<'_>) -> Result<Vec<u8>, FileError> {
        let chain = self.authorities(certificate.0, certificate.1)?;
        pem::check_key(key.0, key.1)?;
        if self.accepts(&chain, key.1, None) {
            return Ok(chain);
        }
        let reason = format!(
            "the private key is damaged, or does not belong to the first certificate in {}; the two have the same \
             public key, which `openssl pkey -pubout -in KEY` and `openssl x509 -pubkey -noout -in CERT` print",
            certificate.0.display()
        );
        Err(FileError::content(key.0, reason))
    }

    /// Certificates, each of which must be one, without what else is in the file: the C core would pass
    /// over whatever follows something damaged.
    pub fn authorities(&self, path: &Path, content: &[u8]) -> Result<Vec<u8>, FileError> {
        let certificates = pem::certificates(path, content)?;
        let count = certificates.len();
        for (index, certificate) in certificates.iter().enumerate() {
            if !self.accepts_authority(certificate.as_bytes()) {
                let reason = format!("certificate {} of {count} is damaged; copy the file again", index + 1);
                return Err(FileError::content(path, reason));
            }
        }
        Ok(certificates.concat().into_bytes())
    }

    /// Whether `content` has a certificate to begin with.
    pub fn accepts_authority(&self, content: &[u8]) -> bool {
        self.accepts(NOBODY_CERTIFICATE.as_bytes(), NOBODY_KEY.as_bytes(), Some(content))
    }

    /// None of the contents may have a NUL byte: grpcio panics at one.
    fn accepts(&self, certificate: &[u8], key: &[u8], ca: Option<&[u8]>) -> bool {
        let credentials = || {
            let pair = ServerCredentialsBuilder::new().add_cert(certificate.to_vec(), key.to_vec());
            let request = CertificateRequestType::RequestAndRequireClientCertificateAndVerify;
            ca.iter().fold(pair, |builder, ca| builder.root_cert(*ca, request)).build()
        };
        if cfg!(target_os = "linux") {
            if self.can_listen(abstract_address(), credentials()) {
                return true;
            }
            // Nothing but the credentials was wrong if it listens without them.
            if self.can_listen(abstract_address(), ServerCredentials::insecure()) {
                return false;
            }
        }
        // Where such addresses do not exist, or Unix sockets are forbidden.
        self.can_listen("127.0.0.1:0".to_owned(), credentials())
    }

    fn can_listen(&self, address: String, credentials: ServerCredentials) -> bool {
        let server = ServerId::of(|| grpcio::ServerBuilder::new(Arc::clone(&self.env)).requests_slot_per_cq(1).build());
        server.is_ok_and(|(mut server, _)| expecting_errors(|| server.add_listening_port(address, credentials).is_ok()))
    }
}

/// A name in no folder, which only Linux has, and which nobody else has.
fn abstract_address() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("unix-abstract:grpc-tls-check-{}-{random:016x}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_that_others_are_tried_beside_is_good() {
        let path = Path::new("nobody");
        let pair = ((path, NOBODY_CERTIFICATE.as_bytes()), (path, NOBODY_KEY.as_bytes()));
        Judge::new().pair(pair.0, pair.1).unwrap();
    }

    #[test]
    fn what_follows_a_good_certificate_is_looked_at_too() {
        let damaged = format!("{NOBODY_CERTIFICATE}{}", NOBODY_CERTIFICATE.replace("MIIB", "AAAA"));
        let damaged_key = NOBODY_KEY.replace("MIGH", "AAAA=");
        let mixed = format!("text\n{damaged_key}{NOBODY_CERTIFICATE}\n{damaged_key}{NOBODY_CERTIFICATE}");
        let taken = Judge::new().authorities(Path::new("ca"), mixed.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(taken).unwrap(), NOBODY_CERTIFICATE.repeat(2));
        let error = Judge::new().authorities(Path::new("ca"), damaged.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "ca: certificate 2 of 2 is damaged; copy the file again");
    }
}
