//! The head of a request: read up to a limit and a moment, and checked.

use std::io::{ErrorKind, Read};

use super::connection::Connection;

/// The longest head, with its request line, in bytes.
pub(super) const MAX_HEAD: usize = 8 * 1024;

/// The most header fields.
const MAX_FIELDS: usize = 64;

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub method: String,
    /// Without a query.
    pub path: String,
    /// Whether there is more than the head, such as a body, which nobody reads.
    pub has_more: bool,
}

/// Why there is no request.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Nothing came, or the connection ended within the head: there is nobody to answer.
    Gone,
    /// The head was not there in time.
    TimedOut,
    /// The head is over [`MAX_HEAD`] bytes, or has more than [`MAX_FIELDS`] fields.
    TooLarge,
    /// It is no HTTP/1.0 or HTTP/1.1.
    Malformed(&'static str),
}

/// Reads the head of a request.
pub(super) fn read(connection: &mut Connection<'_>) -> Result<Request, Refusal> {
    let mut head = [0; MAX_HEAD];
    let mut length = 0;
    loop {
        match connection.read(&mut head[length..]) {
            Ok(0) => return Err(Refusal::Gone),
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::TimedOut && length > 0 => return Err(Refusal::TimedOut),
            Err(_) => return Err(Refusal::Gone),
        }
        if let Some(request) = parse(&head[..length])? {
            return Ok(request);
        }
        if length == MAX_HEAD {
            return Err(Refusal::TooLarge);
        }
    }
}

/// The request that `head` begins with; `None` if there is more to come.
fn parse(head: &[u8]) -> Result<Option<Request>, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Malformed("this port speaks HTTP/1.1")),
        Err(_) => return Err(Refusal::Malformed("this is no HTTP request")),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("this is no HTTP request"));
    };
    // RFC 9112, 3.2.
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || (version == 1 && hosts == 0) {
        return Err(Refusal::Malformed("a request has one Host field"));
    }
    let is_body =
        |name: &str| ["content-length", "transfer-encoding"].iter().any(|body| name.eq_ignore_ascii_case(body));
    let has_more = length < head.len() || request.headers.iter().any(|field| is_body(field.name));
    Ok(Some(Request { method: method.to_owned(), path: path(target).to_owned(), has_more }))
}

/// The path of a target, which may be a whole URL (RFC 9112, 3.2.2) and have a query.
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

    fn asked(head: &str) -> Request {
        parse(head.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_path_is_found_in_every_form_of_a_target() {
        for target in ["/metrics", "/metrics?name=a://b", "http://host:1/metrics", "http://host/metrics?x"] {
            let request = asked(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
            assert_eq!(request, Request { method: "GET".into(), path: "/metrics".into(), has_more: false }, "{target}");
        }
        assert_eq!(asked("GET http://host HTTP/1.0\r\n\r\n").path, "/");
        assert_eq!(asked("OPTIONS * HTTP/1.0\r\n\r\n").path, "*");
    }

    #[test]
    fn what_comes_after_the_head_is_noticed() {
        assert!(!asked("GET / HTTP/1.0\r\n\r\n").has_more);
        assert!(asked("GET / HTTP/1.0\r\n\r\nx").has_more);
        assert!(asked("GET / HTTP/1.0\r\nContent-length: 1\r\n\r\n").has_more);
    }

    #[test]
    fn a_head_is_waited_for_as_long_as_it_may_become_one() {
        let head = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        for length in 0..head.len() {
            assert_eq!(parse(&head[..length]), Ok(None));
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let two_hosts = "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n";
        for head in ["\0", "GET  /\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.1\r\n\r\n", two_hosts, "\x16\x03\x01"] {
            assert!(matches!(parse(head.as_bytes()), Err(Refusal::Malformed(_))), "{head:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS));
        assert_eq!(parse(many.as_bytes()), Err(Refusal::TooLarge));
    }
}
