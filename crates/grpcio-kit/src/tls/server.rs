//! TLS of a server: its certificate and key, the CAs of client certificates, and their reload while the server runs.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grpcio::{CertificateRequestType, ServerCredentials, ServerCredentialsBuilder, ServerCredentialsFetcher};

use crate::files::FileError;
use crate::files::reloads::Reloads;
use crate::files::warn_if_exposed;
use crate::files::watch::{DEFAULT_POLL_INTERVAL, Watched};
use crate::tls::verify;

/// Whether clients must have a certificate. A certificate that a client sends must be signed by the client CA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Clients without a certificate can connect.
    Optional,
    /// Clients without a certificate cannot connect.
    #[default]
    Required,
}

/// TLS for every address that a server listens on, including Unix sockets. Clones share the files and the thread that
/// watches them.
///
/// Changed files are reloaded and used for new connections; existing connections keep their certificate. Files that
/// cannot be used are rejected with a warning in the log, and the previous ones stay in use.
///
/// TLS 1.2 and 1.3, with the C core's cipher suites (`GRPC_SSL_CIPHER_SUITES`). Loading does not check expiry, host names
/// or signatures: clients do.
///
/// ```no_run
/// use grpcio_kit::{ClientAuth, Server, ServerTls};
///
/// let tls = ServerTls::files("tls.crt", "tls.key").client_ca("ca.crt", ClientAuth::Required).load()?;
/// let server = Server::builder().tls(tls).listen("[::]:50050".parse()?).start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ServerTls {
    pairs: Watched<Pair>,
    request: CertificateRequestType,
}

/// The files of a [`ServerTls`], before they are loaded.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerTlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<(PathBuf, ClientAuth)>,
    poll_interval: Duration,
}

/// The content of the files, verified: PEM without a NUL byte.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl ServerTls {
    /// The server's certificate, followed by its intermediate CAs, and its private key. Both are PEM, the key without a
    /// pass phrase.
    pub fn files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ServerTlsFiles {
        ServerTlsFiles {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
            poll_interval: DEFAULT_POLL_INTERVAL,
        }
    }

    /// Counts of successful and failed reloads.
    pub fn reloads(&self) -> Reloads {
        self.pairs.reloads()
    }

    /// Credentials for one listening port: the C core fetches a change once for each.
    pub(crate) fn credentials(&self) -> ServerCredentials {
        let fetcher = Fetcher { tls: self.clone(), fetched: AtomicU64::new(0) };
        ServerCredentials::with_fetcher(Box::new(fetcher), self.request)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the keys.
        f.debug_struct("ServerTls").field("request", &self.request).finish_non_exhaustive()
    }
}

impl ServerTlsFiles {
    /// Requests client certificates signed by the CAs in this file: PEM, one or more.
    ///
    /// The server closes the connection of a client whose certificate it rejects; with TLS 1.3 that happens after the
    /// client's side of the handshake.
    pub fn client_ca(mut self, ca: impl Into<PathBuf>, auth: ClientAuth) -> ServerTlsFiles {
        self.client_ca = Some((ca.into(), auth));
        self
    }

    /// Sets how often the files are checked for changes: [`DEFAULT_POLL_INTERVAL`] by default, at least 10 milliseconds.
    pub fn poll_interval(mut self, interval: Duration) -> ServerTlsFiles {
        self.poll_interval = interval;
        self
    }

    /// Loads the files and watches them for changes. Logs a warning if group or others can access the key.
    ///
    /// # Errors
    ///
    /// [`FileError`], with the file's name, if a file cannot be read or holds no certificate or key, or if the key does
    /// not belong to the certificate.
    pub fn load(self) -> Result<ServerTls, FileError> {
        let ServerTlsFiles { certificate, key, client_ca, poll_interval } = self;
        let request = match client_ca {
            None => CertificateRequestType::DontRequestClientCertificate,
            Some((_, ClientAuth::Optional)) => CertificateRequestType::RequestClientCertificateAndVerify,
            Some((_, ClientAuth::Required)) => CertificateRequestType::RequestAndRequireClientCertificateAndVerify,
        };
        let ca = client_ca.map(|(path, _)| path);
        let paths = [&certificate, &key].into_iter().chain(&ca).cloned().collect();
        let pairs = Watched::start("certificates", paths, poll_interval, move |contents| {
            let content = |index: usize| contents.get(index).map_or(&[][..], Vec::as_slice);
            let chain = verify::pair((&certificate, content(0)), (&key, content(1)))?;
            let client_ca = ca.as_ref().map(|ca| verify::certificates((ca, content(2)))).transpose()?;
            warn_if_exposed(&key, "the private key");
            Ok(Pair { certificate: chain, key: content(1).to_vec(), client_ca })
        })?;
        Ok(ServerTls { pairs, request })
    }
}

/// Called by the C core at every new connection to one port. Reads no file.
struct Fetcher {
    tls: ServerTls,
    /// The generation that the C core has for this port; 0 before the first fetch.
    fetched: AtomicU64,
}

impl ServerCredentialsFetcher for Fetcher {
    fn fetch(&self) -> Result<Option<ServerCredentialsBuilder>, Box<dyn Error>> {
        let latest = self.tls.pairs.latest();
        if self.fetched.swap(latest.generation, Ordering::AcqRel) == latest.generation {
            return Ok(None);
        }
        let pair = &latest.value;
        let builder = ServerCredentialsBuilder::new().add_cert(pair.certificate.clone(), pair.key.clone());
        Ok(Some(match &pair.client_ca {
            Some(ca) => builder.root_cert(ca.clone(), self.tls.request),
            None => builder,
        }))
    }
}
