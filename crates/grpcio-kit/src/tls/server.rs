//! TLS on the server's side: which files, whose certificates clients may show, and how the C
//! core gets new ones while it runs.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grpcio::{CertificateRequestType, ServerCredentials, ServerCredentialsBuilder, ServerCredentialsFetcher};

use super::judge::Judge;
use crate::files::FileError;
use crate::files::reloads::Reloads;
use crate::files::warn_if_exposed;
use crate::files::watch::{DEFAULT_POLL_INTERVAL, Watched};

/// Whether clients must show a certificate. One that is shown must be signed by the client CA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// A client may do without.
    Optional,
    /// A client without one gets no connection.
    #[default]
    Required,
}

/// TLS for every address that a server listens on, Unix sockets among them. Clones share the
/// files and their watching.
///
/// The certificates are read again when their files change, and are used from the next connection on;
/// those that exist stay as they are. New ones that the C core would not take are refused with a
/// line in the log, and the old ones stay.
///
/// TLS 1.2 and 1.3, with the C core's cipher suites (`GRPC_SSL_CIPHER_SUITES`). What nobody checks
/// when files are read: whether a certificate has expired, is for this host, or is signed by anybody.
/// Clients do.
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

/// The files of a [`ServerTls`], before they are read.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerTlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<(PathBuf, ClientAuth)>,
    poll_interval: Duration,
}

/// What was in the files, each a text in PEM form without a NUL byte.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl ServerTls {
    /// The server's certificate, followed by those that lead to its CA, and its private key. Both
    /// in PEM form, the key without a pass phrase.
    pub fn files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ServerTlsFiles {
        ServerTlsFiles {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
            poll_interval: DEFAULT_POLL_INTERVAL,
        }
    }

    /// How often the files have been read again.
    pub fn reloads(&self) -> Reloads {
        self.pairs.reloads()
    }

    /// Credentials for one listening port: each has to be told of a change once.
    pub(crate) fn credentials(&self) -> ServerCredentials {
        let fetcher = Fetcher { tls: self.clone(), told: AtomicU64::new(0) };
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
    /// The certificate authorities that sign clients' certificates (PEM, any number of them), and
    /// whether a client must have one. Without this no client is asked for a certificate.
    ///
    /// A client whose certificate is refused has its connection closed; with TLS 1.3 it learns so
    /// after its side of the handshake is done.
    pub fn client_ca(mut self, ca: impl Into<PathBuf>, auth: ClientAuth) -> ServerTlsFiles {
        self.client_ca = Some((ca.into(), auth));
        self
    }

    /// The time between two looks at the files; [`DEFAULT_POLL_INTERVAL`] unless set, 10 milliseconds
    /// at least.
    pub fn poll_interval(mut self, interval: Duration) -> ServerTlsFiles {
        self.poll_interval = interval;
        self
    }

    /// Reads the files, and watches them from here on.
    ///
    /// A key that group or others have access to is a warning in the log.
    ///
    /// # Errors
    ///
    /// [`FileError`], with the name of the file: it cannot be read, holds no certificate or key, or
    /// the key does not belong to the certificate.
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
            Pair::judge(&certificate, &key, ca.as_deref(), contents)
        })?;
        Ok(ServerTls { pairs, request })
    }
}

impl Pair {
    fn judge(certificate: &Path, key: &Path, ca: Option<&Path>, contents: &[Vec<u8>]) -> Result<Pair, FileError> {
        let content = |index: usize| contents.get(index).map_or(&[][..], Vec::as_slice);
        let judge = Judge::new();
        let chain = judge.pair((certificate, content(0)), (key, content(1)))?;
        let client_ca = ca.map(|ca| judge.authorities(ca, content(2))).transpose()?;
        warn_if_exposed(key, "the private key");
        Ok(Pair { certificate: chain, key: content(1).to_vec(), client_ca })
    }
}

/// What the C core asks at every new connection to one port. It waits for no file.
struct Fetcher {
    tls: ServerTls,
    /// The generation that this port has.
    told: AtomicU64,
}

impl ServerCredentialsFetcher for Fetcher {
    fn fetch(&self) -> Result<Option<ServerCredentialsBuilder>, Box<dyn Error>> {
        let latest = self.tls.pairs.latest();
        if self.told.swap(latest.generation, Ordering::AcqRel) == latest.generation {
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
