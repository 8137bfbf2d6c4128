//! The parser of requests to the HTTP endpoint, with a connection that is a slice.

use crate::Pieces;

mod connection {
    use std::io::{self, Read};

    use super::Pieces;

    pub struct Connection<'a>(pub Pieces<'a>);

    impl Connection<'_> {
        pub fn grant_last_word(&mut self) {}
    }

    impl Read for Connection<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.0.read(target)
        }
    }
}

mod pages {
    #[derive(Debug)]
    pub struct Response {
        pub status: u16,
    }

    impl Response {
        pub fn text(status: u16, _: impl Into<String>) -> Response {
            Response { status }
        }
    }
}

#[allow(dead_code, reason = "the endpoint uses the rest")]
#[path = "../../../crates/grpcio-kit/src/http/request.rs"]
mod request;

/// The first byte is the size of the pieces in which the others arrive.
pub fn http(bytes: &[u8]) {
    let [size, bytes @ ..] = bytes else { return };
    let read = |size| request::read(&mut connection::Connection(Pieces { rest: bytes, size }));
    match read(usize::from(*size) + 1) {
        Ok(request) => {
            assert!(!request.method.is_empty());
            assert!(!request.path.contains(|c: char| matches!(c, '?' | '#' | ' ') || c.is_control()), "{request:?}");
        }
        Err(Some(response)) => assert!(matches!(response.status, 400 | 431), "{response:?}"),
        Err(None) => assert!(bytes.len() < 8 * 1024),
    }
}
