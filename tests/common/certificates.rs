//! Certificates that tests generate.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grpcio_kit::{ServerTls, ServerTlsFiles};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

/// A certificate authority (CA).
pub struct Authority {
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, in PEM form.
#[derive(Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    /// Issues a certificate with a common name and these subject alternative names: hosts, IP addresses, URIs.
    pub fn issue(&self, common_name: &str, names: &[&str]) -> Pair {
        let (uris, names): (Vec<_>, Vec<_>) =
            names.iter().map(|name| name.to_string()).partition(|n| n.contains("://"));
        let mut params = CertificateParams::new(names).unwrap();
        params.subject_alt_names.extend(uris.into_iter().map(|uri| SanType::URI(uri.try_into().unwrap())));
        params.distinguished_name.push(DnType::CommonName, common_name);
        self.sign(params)
    }

    /// Issues a certificate for the addresses that tests listen on, expired in 2000.
    pub fn issue_expired(&self) -> Pair {
        let mut params = CertificateParams::new(local_names()).unwrap();
        params.not_before = rcgen::date_time_ymd(1999, 1, 1);
        params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        self.sign(params)
    }

    /// Issues a certificate for the addresses that tests listen on.
    pub fn issue_local(&self) -> Pair {
        self.issue("server", &["localhost", "127.0.0.1"])
    }

    fn sign(&self, params: CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

fn local_names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}

/// A folder with a CA and a server's certificate and key.
pub struct Folder {
    pub ca: Authority,
    folder: TempDir,
}

impl Folder {
    pub fn new() -> Folder {
        // Handshakes fail in most tests with certificates.
        super::silence();
        let folder = Folder { ca: Authority::new("a CA"), folder: tempfile::tempdir().unwrap() };
        folder.put("ca.crt", &folder.ca.certificate);
        folder.put_pair("tls", &folder.ca.issue_local());
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the path of a file as an argument.
    pub fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file atomically, readable by its owner only.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let next = self.path(&format!("{name}.next"));
        fs::write(&next, content).unwrap();
        chmod(&next, 0o600);
        fs::rename(&next, self.path(name)).unwrap();
    }

    /// Writes `NAME.crt` and `NAME.key`.
    pub fn put_pair(&self, name: &str, pair: &Pair) {
        self.put(&format!("{name}.crt"), &pair.certificate);
        self.put(&format!("{name}.key"), &pair.key);
    }

    /// Returns the server's files, polled often.
    pub fn server(&self) -> ServerTlsFiles {
        ServerTls::files(self.path("tls.crt"), self.path("tls.key")).poll_interval(Duration::from_millis(20))
    }
}

pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
