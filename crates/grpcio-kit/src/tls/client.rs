//! TLS on the client's side: whom it trusts, the certificate that it shows, and the name that it
//! asks for.

use std::env;
use std::path::{Path, PathBuf};

use grpcio::{ChannelCredentials, ChannelCredentialsBuilder};

use super::judge::Judge;
use crate::files::FileError;
use crate::files::{read, warn_if_exposed};

/// Where systems have their certificate authorities in one file: Debian, Arch and Gentoo; Fedora;
/// openSUSE; the BSDs, macOS and Alpine.
const SYSTEM_ROOTS: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// Variables that name another file: gRPC's own, and OpenSSL's.
const ROOTS_VARIABLES: [&str; 2] = ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE"];

/// TLS for a channel.
///
/// The server must show a certificate that a trusted CA has signed, for the name in the target: over
/// TCP the host's, by name or by number, over a Unix socket `localhost`. TLS 1.2 and 1.3.
///
/// The files are read when the channel is made, and not again.
///
/// ```no_run
/// use grpcio_kit::{Channel, ClientTls};
///
/// let tls = ClientTls::default().ca("ca.crt").certificate("client.crt", "client.key");
/// let channel = Channel::builder("calc.example.com:50050").tls(tls).connect()?;
/// # drop(channel);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ClientTls {
    ca: Option<PathBuf>,
    pair: Option<(PathBuf, PathBuf)>,
    server_name: Option<String>,
}

impl ClientTls {
    /// Trusts the certificate authorities in this file (PEM, any number of them), and no others.
    /// Without it those of the system are trusted: the file that `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH`
    /// or `SSL_CERT_FILE` names, or the first of `/etc/ssl/certs/ca-certificates.crt` and its like.
    pub fn ca(mut self, file: impl Into<PathBuf>) -> ClientTls {
        self.ca = Some(file.into());
        self
    }

    /// Shows the server this certificate, if it asks for one. Both files are in PEM form, the key
    /// without a pass phrase.
    pub fn certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ClientTls {
        self.pair = Some((certificate.into(), key.into()));
        self
    }

    /// Asks for a certificate for `name` instead of the one in the target, and sends `name` as the authority
    /// of each call.
    pub fn server_name(mut self, name: impl Into<String>) -> ClientTls {
        self.server_name = Some(name.into());
        self
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Reads the files. The C core would not say that it takes none of them: calls would fail.
    pub(crate) fn credentials(&self) -> Result<ChannelCredentials, FileError> {
        let judge = Judge::new();
        let roots = match &self.ca {
            Some(path) => judge.authorities(path, &read(path)?)?,
            None => system_roots(&judge)?,
        };
        let mut builder = ChannelCredentialsBuilder::new().root_cert(roots);
        if let Some((certificate_path, key_path)) = &self.pair {
            let (certificate, key) = (read(certificate_path)?, read(key_path)?);
            let chain = judge.pair((certificate_path, &certificate), (key_path, &key))?;
            warn_if_exposed(key_path, "the private key");
            builder = builder.cert(chain, key);
        }
        Ok(builder.build())
    }
}

fn system_roots(judge: &Judge) -> Result<Vec<u8>, FileError> {
    let named = ROOTS_VARIABLES.into_iter().find_map(|name| env::var_os(name).filter(|path| !path.is_empty()));
    let path = match named {
        Some(path) => PathBuf::from(path),
        None => {
            let usual = SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
            usual.ok_or(FileError::NoSystemRoots)?.to_owned()
        }
    };
    let roots = read(&path)?;
    // Some systems have a hundred and more in it: whether there is one is enough.
    if roots.contains(&0) || !judge.accepts_authority(&roots) {
        return Err(FileError::content(&path, "it holds no certificate in PEM form; name a file with the CA"));
    }
    Ok(roots)
}
