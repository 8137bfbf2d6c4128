//! TLS of a client: the CAs that it trusts, its certificate, and the server name that it verifies.

use std::env;
use std::path::PathBuf;

use grpcio::{ChannelCredentials, ChannelCredentialsBuilder};

use crate::files::{FileError, read, warn_if_exposed};
use crate::tls::verify;

/// The usual paths of the system's CA bundle: Debian, Arch and Gentoo; Fedora; openSUSE; the BSDs, macOS and Alpine.
const SYSTEM_ROOTS: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// Environment variables that name another CA bundle: gRPC's and OpenSSL's.
const ROOTS_VARIABLES: [&str; 2] = ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE"];

/// TLS for a channel.
///
/// The server's certificate must be signed by a trusted CA and be valid for the target: its host name or IP address,
/// `localhost` for a Unix socket. TLS 1.2 and 1.3.
///
/// The files are read once, when the channel is created.
///
/// ```no_run
/// use grpcio_kit::{Channel, ClientTls};
///
/// let tls = ClientTls::default().ca("ca.crt").certificate("client.crt", "client.key");
/// let channel = Channel::builder("greeter.example.com:50051").tls(tls).connect()?;
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
    /// Trusts only the CAs in this file: PEM, one or more.
    ///
    /// The default is the system's CA bundle: the file in `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` or `SSL_CERT_FILE`, else
    /// `/etc/ssl/certs/ca-certificates.crt` or its equivalent on other systems.
    pub fn ca(mut self, file: impl Into<PathBuf>) -> ClientTls {
        self.ca = Some(file.into());
        self
    }

    /// Sets the client certificate, sent if the server requests one. Both files are PEM, the key without a pass phrase.
    pub fn certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ClientTls {
        self.pair = Some((certificate.into(), key.into()));
        self
    }

    /// Verifies the server's certificate for `name` instead of the target's host, and sends `name` as the authority of
    /// each RPC.
    pub fn server_name(mut self, name: impl Into<String>) -> ClientTls {
        self.server_name = Some(name.into());
        self
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Reads and checks the files: the C core would not report that it cannot use one, RPCs would fail.
    pub(crate) fn credentials(&self) -> Result<ChannelCredentials, FileError> {
        let roots = match &self.ca {
            Some(path) => verify::certificates((path, &read(path)?))?,
            None => {
                let path = system_roots()?;
                verify::system_certificates((&path, &read(&path)?))?
            }
        };
        let mut builder = ChannelCredentialsBuilder::new().root_cert(roots);
        if let Some((certificate_path, key_path)) = &self.pair {
            let (certificate, key) = (read(certificate_path)?, read(key_path)?);
            let chain = verify::pair((certificate_path, &certificate), (key_path, &key))?;
            warn_if_exposed(key_path, "the private key");
            builder = builder.cert(chain, key);
        }
        Ok(builder.build())
    }
}

/// The path of the system's CA bundle.
fn system_roots() -> Result<PathBuf, FileError> {
    let named = ROOTS_VARIABLES.into_iter().find_map(|name| env::var_os(name).filter(|path| !path.is_empty()));
    let usual = || SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.exists());
    named.map(PathBuf::from).or_else(usual).ok_or(FileError::NoSystemRoots)
}
