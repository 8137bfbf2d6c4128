//! Checks certificates and private keys before the C core gets them.
//!
//! The C core reports nothing about files that it cannot use: it ignores all certificates after a damaged one, and connections
//! fail when a key does not belong to its certificate. So each certificate is parsed here, as X.509 in PEM form ([RFC 7468]),
//! and the C core gets exactly what was parsed. That a key belongs to a certificate cannot be told without cryptography (an
//! Ed25519 key does not contain its public key), so the TLS library checks the pair: a server that never starts refuses a port whose
//! credentials do not match.
//!
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

use grpcio::{ChannelBuilder, EnvBuilder, ServerCredentialsBuilder};
use rustls_pki_types::pem::{Error, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::files::FileError;
use crate::log::core::expecting_errors;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The base64 characters in a line of PEM. BoringSSL reads no lines of more than 254.
const LINE_LENGTH: usize = 64;

/// The path and the content of a file.
pub(super) type Content<'a> = (&'a Path, &'a [u8]);

/// Checks a certificate chain and its private key. Returns the certificates alone, in PEM form.
pub(super) fn pair(certificate: Content<'_>, key: Content<'_>) -> Result<Vec<u8>, FileError> {
    let chain = certificates(certificate)?;
    check_key(key)?;
    if is_accepted(&chain, key.1) {
        return Ok(chain);
    }
    let reason = format!(
        "the private key is damaged, or does not belong to the first certificate in {}; the two have the same public key, \
         which `openssl pkey -pubout -in KEY` and `openssl x509 -pubkey -noout -in CERT` print",
        certificate.0.display()
    );
    Err(FileError::content(key.0, reason))
}

/// Checks each certificate in a file, of which there is at least one. Returns them in PEM form, without a NUL byte and
/// without what else is in the file.
pub(super) fn certificates(file: Content<'_>) -> Result<Vec<u8>, FileError> {
    parse(file, false)
}

/// Like [`certificates`], for the system's CA bundle: skips what cannot be parsed, which nobody here can repair.
pub(super) fn system_certificates(file: Content<'_>) -> Result<Vec<u8>, FileError> {
    parse(file, true)
}

fn parse((path, content): Content<'_>, skip_damaged: bool) -> Result<Vec<u8>, FileError> {
    let text = text(path, content, "x509")?;
    let fail = |reason| Err(FileError::content(path, reason));
    let count = text.matches(BEGIN).count();
    let mut pem = String::with_capacity(text.len());
    for (index, section) in text.split(BEGIN).skip(1).enumerate() {
        if !is_certificate(section) {
            if skip_damaged {
                continue;
            }
            return fail(format!("certificate {} of {count} is damaged; copy the file again", index + 1));
        }
        // In lines of the usual length, whatever they were.
        let body = section.split(END).next().unwrap_or_default();
        pem.push_str(BEGIN);
        for (index, char) in body.chars().filter(|char| !char.is_ascii_whitespace()).enumerate() {
            if index % LINE_LENGTH == 0 {
                pem.push('\n');
            }
            pem.push(char);
        }
        pem.extend(["\n", END, "\n"]);
    }
    if pem.is_empty() {
        return fail(format!("it holds no certificate in PEM form, which begins with `{BEGIN}`"));
    }
    Ok(pem.into_bytes())
}

/// Whether this text, which followed `BEGIN`, starts with an X.509 certificate and the line that ends it.
fn is_certificate(section: &str) -> bool {
    let der = CertificateDer::from_pem_slice(format!("{BEGIN}{section}").as_bytes());
    // Parses any certificate, whether it will be used as a trust anchor or not.
    der.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok())
}

/// Checks that a file has a private key in PEM form that is not encrypted.
fn check_key((path, content): Content<'_>) -> Result<(), FileError> {
    let text = text(path, content, "pkey")?;
    let reason = if !text.contains("PRIVATE KEY-----") {
        "it holds no private key in PEM form, which begins with `-----BEGIN PRIVATE KEY-----`"
    } else if text.contains("ENCRYPTED") {
        "the private key is encrypted; `openssl pkey -in FILE -out NEW` decrypts it"
    } else {
        match PrivateKeyDer::from_pem_slice(content) {
            Ok(_) => return Ok(()),
            Err(Error::NoItemsFound) => {
                "it holds no private key of a supported kind; `openssl pkey -in FILE -out NEW` converts some"
            }
            Err(_) => "the private key is damaged; copy the file again",
        }
    };
    Err(FileError::content(path, reason))
}

/// PEM is text; grpcio panics at a NUL byte.
fn text<'a>(path: &Path, content: &'a [u8], command: &str) -> Result<&'a str, FileError> {
    std::str::from_utf8(content).ok().filter(|text| !text.contains('\0')).ok_or_else(|| {
        let convert = format!("openssl {command} -inform der -in FILE -out NEW");
        FileError::content(
            path,
            format!("it is binary, not text in PEM form; if it is in DER form, `{convert}` converts it"),
        )
    })
}

/// Whether the C core accepts this certificate chain and key. Neither may have a NUL byte.
fn is_accepted(chain: &[u8], key: &[u8]) -> bool {
    let env = Arc::new(EnvBuilder::new().cq_count(1).name_prefix("tls-check").build());
    let is_accepted_at = |address: String| {
        // Not in channelz, which lists servers that can be called.
        let args = ChannelBuilder::new(Arc::clone(&env)).raw_cfg_int(c"grpc.enable_channelz".into(), 0).build_args();
        let server = grpcio::ServerBuilder::new(Arc::clone(&env)).requests_slot_per_cq(1).channel_args(args).build();
        let credentials = ServerCredentialsBuilder::new().add_cert(chain.to_vec(), key.to_vec()).build();
        server.is_ok_and(|mut server| expecting_errors(|| server.add_listening_port(address, credentials).is_ok()))
    };
    // A name that is not in the file system, and that nobody else has. Only Linux has such addresses.
    let unique = RandomState::new().hash_one(std::process::id());
    let addresses = [format!("unix-abstract:grpc-tls-check-{unique:016x}"), "127.0.0.1:0".to_owned()];
    addresses.into_iter().any(is_accepted_at)
}
