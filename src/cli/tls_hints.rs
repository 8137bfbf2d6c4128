//! What helps when a TLS handshake fails: the C core's message is that of the TLS library.

/// What the messages contain, in lower case and with spaces (BoringSSL writes `WRONG_VERSION_NUMBER`), and what to do.
const HINTS: [(&str, &str); 5] = [
    ("wrong version number", "the server has no TLS at this port; use --tls off, or another port"),
    ("certificate verify failed", UNTRUSTED),
    // OpenSSL, if a CA of this name is trusted, but has another key.
    ("asn1 encoding routines", UNTRUSTED),
    (
        "is not in peer certificate",
        "the server's certificate is for other names; if it is the right server, give one with --tls-server-name NAME",
    ),
    (
        "socket closed",
        "if the server has TLS, use --tls on or --tls-ca FILE; if it asks for a client certificate that it trusts, give one \
         with --tls-cert FILE and --tls-key FILE",
    ),
];

const UNTRUSTED: &str =
    "the server's certificate has expired, or is of a CA that is not trusted here; name its CA with --tls-ca FILE";

/// Returns what to do about the error of a connection, if its reason may be TLS.
pub fn find(error: &str) -> Option<&'static str> {
    let error = error.to_lowercase().replace('_', " ");
    if !error.contains("failed to connect") {
        return None;
    }
    HINTS.iter().find(|(reason, _)| error.contains(reason)).map(|(_, hint)| *hint)
}
