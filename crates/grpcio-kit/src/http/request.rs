//! The head of an HTTP request, read with a limit on its size and validated.

use std::io::{ErrorKind, Read};

use super::connection::Connection;

/// Maximum size of the head, with the request line, in bytes.
pub(super) const MAX_HEAD: usize = 8 * 1024;

/// Maximum number of header fields.
pub(super) const MAX_FIELDS: usize = 64;

/// A request, but for its fields.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub method: String,
    /// Without a query.
    pub path: String,
    /// Whether something follows the head, such as a body, which is discarded.
    pub has_more: bool,
}

/// Why there is no request to respond to.
#[derive(Debug, PartialEq)]
pub(super) enum RequestError {
    /// The client sent nothing, or closed the connection within the head.
    Gone,
    /// The head did not arrive in time.
    TimedOut,
    /// The head is over [`MAX_HEAD`] bytes, or has more than [`MAX_FIELDS`] fields.
    TooLarge,
    /// It is not HTTP/1.0 or HTTP/1.1.
    Malformed(&'static str),
}

/// Reads the head of a request.
pub(super) fn read(connection: &mut Connection<'_>) -> Result<Request, RequestError> {
    let mut head = [0; MAX_HEAD];
    let mut length = 0;
    loop {
        match connection.read(&mut head[length..]) {
            Ok(0) => return Err(RequestError::Gone),
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::TimedOut && length > 0 => return Err(RequestError::TimedOut),
            Err(_) => return Err(RequestError::Gone),
        }
        if let Some(request) = parse(&head[..length])? {
            return Ok(request);
        }
        if length == MAX_HEAD {
            return Err(RequestError::TooLarge);
        }
    }
}

/// Parses the request at the start of `head`; `None` if it is incomplete.
fn parse(head: &[u8]) -> Result<Option<Request>, RequestError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(RequestError::TooLarge),
        Err(httparse::Error::Version) => {
            return Err(RequestError::Malformed("only HTTP/1.0 and HTTP/1.1 are supported"));
        }
        Err(_) => return Err(RequestError::Malformed("this is not an HTTP request")),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(RequestError::Malformed("this is not an HTTP request"));
    };
    // RFC 9112, 3.2.
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || (version == 1 && hosts == 0) {
        return Err(RequestError::Malformed("a request must have one Host field"));
    }
    let is_body =
        |name: &str| ["content-length", "transfer-encoding"].iter().any(|body| name.eq_ignore_ascii_case(body));
    let has_more = length < head.len() || request.headers.iter().any(|field| is_body(field.name));
    Ok(Some(Request { method: method.to_owned(), path: path(target).to_owned(), has_more }))
}

/// Returns the path of a target, which may be a whole URL (RFC 9112, 3.2.2) and have a query.
fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |start| &rest[start..]),
        _ => target,
    };
    path.split(['?', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        parse(head.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn every_form_of_a_target_has_its_path() {
        for target in ["/metrics", "/metrics?name=a://b", "http://host:1/metrics", "http://host/metrics?x"] {
            let request = request(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
            assert_eq!(request, Request { method: "GET".into(), path: "/metrics".into(), has_more: false }, "{target}");
        }
        assert_eq!(request("GET http://host HTTP/1.0\r\n\r\n").path, "/");
        assert_eq!(request("OPTIONS * HTTP/1.0\r\n\r\n").path, "*");
    }

    #[test]
    fn what_follows_the_head_is_noticed() {
        assert!(!request("GET / HTTP/1.0\r\n\r\n").has_more);
        assert!(request("GET / HTTP/1.0\r\n\r\nx").has_more);
        assert!(request("GET / HTTP/1.0\r\nContent-length: 1\r\n\r\n").has_more);
    }

    #[test]
    fn an_incomplete_head_is_waited_for() {
        let head = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        for length in 0..head.len() {
            assert_eq!(parse(&head[..length]), Ok(None));
        }
    }

    #[test]
    fn an_invalid_request_is_rejected() {
        let two_hosts = "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n";
        for head in ["\0", "GET  /\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.1\r\n\r\n", two_hosts, "\x16\x03\x01"] {
            assert!(matches!(parse(head.as_bytes()), Err(RequestError::Malformed(_))), "{head:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS));
        assert_eq!(parse(many.as_bytes()), Err(RequestError::TooLarge));
    }
}
