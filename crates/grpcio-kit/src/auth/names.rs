//! Authorization by the names in a client certificate.

use super::unauthenticated::UnauthenticatedServices;
use crate::call::Call;
use crate::interceptor::Interceptor;
use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// Why [`AllowedNames`] rejects a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a certificate name: {reason}")]
pub struct InvalidName {
    name: String,
    reason: &'static str,
}

/// Authorization by the names in a client certificate: accepts RPCs of clients whose certificate has an allowed name.
///
/// The names of a certificate are its subject alternative names of any kind (a host, a URI such as
/// `spiffe://example.com/adder`, an e-mail or IP address), or its common name if it has none of them. They are compared
/// exactly, upper and lower case included. The allowed name `*.example.com` matches every host with one label before
/// `.example.com`, of letters, digits, `-` and `_`.
///
/// RPCs without a verified certificate, or with one without a name, fail with UNAUTHENTICATED; those without an allowed
/// name with PERMISSION_DENIED. The server needs a [client CA](crate::ServerTlsFiles::client_ca): without it no client
/// has a certificate.
///
/// ```no_run
/// use grpcio_kit::{AllowedNames, ClientAuth, Server, ServerTls};
///
/// let tls = ServerTls::files("tls.crt", "tls.key").client_ca("ca.crt", ClientAuth::Required).load()?;
/// let names = AllowedNames::new(["adder.example.com", "*.batch.example.com"])?;
/// let server = Server::builder().tls(tls).interceptor(names).listen("[::]:50050".parse()?).start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AllowedNames {
    /// Names, and `*.` with the rest of a host.
    names: Vec<String>,
    unauthenticated: UnauthenticatedServices,
}

impl AllowedNames {
    /// Allows these names. An empty list rejects every RPC.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for an empty name, and for a `*` other than in `*.` at the beginning.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<AllowedNames, InvalidName> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        for name in &names {
            let rest = name.strip_prefix("*.").unwrap_or(name);
            let reason = match () {
                () if name.is_empty() => "it is empty",
                () if rest.is_empty() || rest.contains('*') => "write it out, or `*.example.com` for every host there",
                () => continue,
            };
            return Err(InvalidName { name: name.clone(), reason });
        }
        Ok(AllowedNames { names, unauthenticated: UnauthenticatedServices::default() })
    }

    /// Accepts every RPC to this service, by its full name: `grpc.health.v1.Health`. With
    /// [`ClientAuth::Required`](crate::ClientAuth) clients still need a certificate to connect.
    #[must_use]
    pub fn allow_unauthenticated(mut self, service: impl Into<String>) -> AllowedNames {
        self.unauthenticated.add(service.into());
        self
    }

    fn allows(&self, name: &str) -> bool {
        self.names.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(rest) => name.strip_suffix(rest).is_some_and(is_label),
            None => allowed == name,
        })
    }
}

/// Whether this is one label of a host name: neither `https://host` nor `somebody@host` is.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Interceptor for AllowedNames {
    fn start(&self, methods: &[MethodDescriptor]) {
        self.unauthenticated.start(methods);
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if self.unauthenticated.contains(call.method()) {
            return Ok(());
        }
        let names = call.peer_names();
        if names.is_empty() {
            let message = "no client certificate with a name; connect with one that the server's client CA has signed";
            return Err(Status::new(Code::Unauthenticated, message));
        }
        if names.iter().any(|name| self.allows(name)) {
            return Ok(());
        }
        let message = format!("none of the client certificate's names is allowed: {}", names.join(", "));
        Err(Status::new(Code::PermissionDenied, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_exactly() {
        let names = AllowedNames::new(["a.example.com", "spiffe://example.com/a"]).unwrap();
        assert!(names.allows("a.example.com") && names.allows("spiffe://example.com/a"));
        for other in ["", "A.example.com", "b.a.example.com", "a.example.com.", "a.example.co", "a.example.com\0"] {
            assert!(!names.allows(other), "{other}");
        }
    }

    #[test]
    fn a_star_matches_one_label_of_a_host() {
        let names = AllowedNames::new(["*.example.com"]).unwrap();
        assert!(names.allows("a.example.com") && names.allows("a-1_b.example.com"));
        let others = [
            "example.com",
            ".example.com",
            "a.b.example.com",
            "x@a.example.com",
            "https://a.example.com",
            "*.example.com",
        ];
        for other in others {
            assert!(!names.allows(other), "{other}");
        }
    }

    #[test]
    fn a_star_elsewhere_is_rejected_with_what_to_write() {
        for name in ["*", "*.", "a.*", "*.*.com", "a*.example.com", "*example.com"] {
            let error = AllowedNames::new([name]).unwrap_err().to_string();
            assert!(error.contains("write it out"), "{error}");
        }
        assert_eq!(AllowedNames::new([""]).unwrap_err().to_string(), "`` is not a certificate name: it is empty");
    }

    #[test]
    fn an_rpc_without_a_certificate_is_unauthenticated() {
        let names = AllowedNames::new(["a"]).unwrap();
        let status = names.before(&Call::detached("/a.B/C")).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}
