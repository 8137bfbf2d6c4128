//! The head of an HTTP request, read with a limit on its size and validated.

use std::io::{ErrorKind, Read};

use super::connection::Connection;
use super::pages::Response;

/// Maximum size of the head, with the request line, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Maximum number of header fields.
const MAX_FIELDS: usize = 64;

/// A request, but for its fields.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub method: String,
    /// Without a query.
    pub path: String,
    /// Whether something follows the head, such as a body, which is discarded.
    pub has_more: bool,
}

/// Reads the head of a request. The error is the response to one that cannot be read, or `None` if the client sent
/// nothing or closed the connection within the head.
pub(super) fn read(connection: &mut Connection<'_>) -> Result<Request, Option<Response>> {
    let mut head = [0; MAX_HEAD];
    let mut length = 0;
    while length < MAX_HEAD {
        match connection.read(&mut head[length..]) {
            Ok(0) => return Err(None),
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::TimedOut && length > 0 => {
                connection.grant_last_word();
                return Err(Some(Response::text(408, "the request did not arrive in time\n")));
            }
            Err(_) => return Err(None),
        }
        if let Some(request) = parse(&head[..length])? {
            return Ok(request);
        }
    }
    Err(Some(too_large()))
}

fn too_large() -> Response {
    Response::text(431, format!("a request's head has at most {MAX_HEAD} bytes and {MAX_FIELDS} fields\n"))
}

/// Parses the request at the start of `head`; `None` if it is incomplete.
fn parse(head: &[u8]) -> Result<Option<Request>, Response> {
    let malformed = |reason| Err(Response::text(400, reason));
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(too_large()),
        Err(httparse::Error::Version) => return malformed("only HTTP/1.0 and HTTP/1.1 are supported\n"),
        Err(_) => return malformed("this is not an HTTP request\n"),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return malformed("this is not an HTTP request\n");
    };
    // RFC 9112, 3.2.
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || (version == 1 && hosts == 0) {
        return malformed("a request must have one Host field\n");
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
            assert!(matches!(parse(&head[..length]), Ok(None)));
        }
    }

    #[test]
    fn an_invalid_request_is_rejected() {
        let two_hosts = "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n";
        for head in ["\0", "GET  /\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.1\r\n\r\n", two_hosts, "\x16\x03\x01"] {
            assert_eq!(parse(head.as_bytes()).unwrap_err().status, 400, "{head:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS));
        assert_eq!(parse(many.as_bytes()).unwrap_err().status, 431);
    }
}
