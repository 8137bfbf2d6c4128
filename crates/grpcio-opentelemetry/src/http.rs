//! The HTTP client of the exporter, on the thread that exports.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

/// The maximum size of a collector's reply, in bytes.
const MAX_REPLY: u64 = 1 << 20;

#[derive(Debug)]
pub struct Client(Agent);

impl Client {
    pub fn new(timeout: Duration) -> Client {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // Spans do not go where HTTP_PROXY says.
            .proxy(None);
        Client(config.build().into())
    }
}

#[async_trait]
impl HttpClient for Client {
    // Blocks: the thread has nothing else to do.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let reply = self.0.run(Request::from_parts(head, &body[..]))?;
        let (head, body) = reply.into_parts();
        let body = body.into_with_config().limit(MAX_REPLY).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}

/// Whether a URL is `http://HOST:PORT`, with a path or without.
pub fn is_base_url(url: &str) -> bool {
    Request::get(url).body(()).is_ok_and(|request| {
        let uri = request.uri();
        uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::is_base_url;

    #[test]
    fn a_base_url_has_the_scheme_http_and_a_host() {
        for url in ["http://127.0.0.1:4318", "http://[::1]:4318/", "http://collector", "http://collector:80/otlp"] {
            assert!(is_base_url(url), "{url}");
        }
        for url in ["", "127.0.0.1:4318", "https://collector:4318", "http://", "http://a b", "http://a/?b", "collector"]
        {
            assert!(!is_base_url(url), "{url}");
        }
    }
}
