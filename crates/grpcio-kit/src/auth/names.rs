//! Lets in whose certificate has a name on a list.

use super::open::OpenServices;
use crate::call::Call;
use crate::interceptor::Interceptor;
use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// Why a text is no name for [`AllowedNames`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no name of a certificate: {reason}")]
pub struct InvalidName {
    name: String,
    reason: &'static str,
}

/// Lets in whose certificate has a name on a list.
///
/// The names of a certificate are its subject alternative names of any kind (a host, a URI such as
/// `spiffe://example.com/adder`, an e-mail or IP address), or its common name if it has none of them.
/// They are compared to the letter, and upper and lower case differ. `*.example.com` on the list stands
/// for every host with one label before `.example.com`, of letters, digits, `-` and `_`.
///
/// Without a certificate that the server has verified, or with one that has no name, a call gets
/// UNAUTHENTICATED; with a name that is not on the list, PERMISSION_DENIED. The server needs a
/// [client CA](crate::ServerTlsFiles::client_ca): without it nobody has a certificate.
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
    names: Vec<Name>,
    open: OpenServices,
}

#[derive(Debug)]
enum Name {
    Exact(String),
    /// What follows the `*`, from its dot on.
    OneLabel(String),
}

impl AllowedNames {
    /// A list of names. An empty one lets nobody in.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for an empty name, and for a `*` other than in `*.` at the beginning.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<AllowedNames, InvalidName> {
        let names = names.into_iter().map(|name| Name::new(name.into())).collect::<Result<_, _>>()?;
        Ok(AllowedNames { names, open: OpenServices::default() })
    }

    /// Lets anybody call the methods of this service, by its full name: `grpc.health.v1.Health`.
    /// Whether a client gets a connection without a certificate is for TLS to say.
    #[must_use]
    pub fn open(mut self, service: impl Into<String>) -> AllowedNames {
        self.open.add(service.into());
        self
    }

    fn allows(&self, name: &str) -> bool {
        self.names.iter().any(|allowed| allowed.matches(name))
    }
}

impl Name {
    fn new(name: String) -> Result<Name, InvalidName> {
        let reason = match name.strip_prefix('*') {
            None if name.is_empty() => "it is empty",
            None if !name.contains('*') => return Ok(Name::Exact(name)),
            Some(rest) if rest.len() > 1 && rest.starts_with('.') && !rest.contains('*') => {
                return Ok(Name::OneLabel(rest.to_owned()));
            }
            _ => "write it out, or `*.example.com` for every host there",
        };
        Err(InvalidName { name, reason })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Name::Exact(exact) => exact == name,
            Name::OneLabel(rest) => name.strip_suffix(rest.as_str()).is_some_and(is_label),
        }
    }
}

/// So that neither `https://host` nor `somebody@host` is taken for a label.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Interceptor for AllowedNames {
    fn start(&self, methods: &[MethodDescriptor]) {
        self.open.start(methods);
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if self.open.contains(call.method()) {
            return Ok(());
        }
        let names = call.peer_names();
        if names.is_empty() {
            let message = "no name; show a certificate that the server can verify";
            return Err(Status::new(Code::Unauthenticated, message));
        }
        if names.iter().any(|name| self.allows(name)) {
            return Ok(());
        }
        let message = format!("not on the list of those who may call: {}", names.join(", "));
        Err(Status::new(Code::PermissionDenied, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_to_the_letter() {
        let names = AllowedNames::new(["a.example.com", "spiffe://example.com/a"]).unwrap();
        assert!(names.allows("a.example.com") && names.allows("spiffe://example.com/a"));
        for other in ["", "A.example.com", "b.a.example.com", "a.example.com.", "a.example.co", "a.example.com\0"] {
            assert!(!names.allows(other), "{other}");
        }
    }

    #[test]
    fn a_star_stands_for_one_label_of_a_host() {
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
    fn a_star_elsewhere_is_refused_with_what_to_write() {
        for name in ["*", "*.", "a.*", "*.*.com", "a*.example.com", "*example.com"] {
            let error = AllowedNames::new([name]).unwrap_err().to_string();
            assert!(error.contains("write it out"), "{error}");
        }
        assert_eq!(AllowedNames::new([""]).unwrap_err().to_string(), "`` is no name of a certificate: it is empty");
    }

    #[test]
    fn a_call_without_a_certificate_is_not_let_in() {
        let names = AllowedNames::new(["a"]).unwrap();
        let status = names.before(&Call::detached("/a.B/C")).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}
