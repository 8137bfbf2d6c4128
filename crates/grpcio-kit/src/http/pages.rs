//! The pages of the HTTP endpoint: a response for each path.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::metrics;
use crate::metrics::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";

/// A response to an HTTP request.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) status: u16,
    content_type: &'static str,
    body: String,
}

impl Response {
    /// Returns a 200 with this body.
    pub fn ok(text: impl Into<String>) -> Response {
        Response::text(200, text)
    }

    /// Returns a 503 with this body.
    pub fn unavailable(text: impl Into<String>) -> Response {
        Response::text(503, text)
    }

    /// Sets the media type; `text/plain; charset=utf-8` by default.
    #[must_use]
    pub fn content_type(mut self, content_type: &'static str) -> Response {
        self.content_type = content_type;
        self
    }

    pub(super) fn text(status: u16, text: impl Into<String>) -> Response {
        Response { status, content_type: TEXT, body: text.into() }
    }

    /// Returns the bytes to send. A response to HEAD has the body's length, but not the body.
    pub(super) fn encode(&self, with_body: bool) -> String {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut response = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n",
            self.status,
            self.content_type,
            self.body.len()
        );
        response.push_str(if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" });
        response.push_str("Connection: close\r\n\r\n");
        response.push_str(if with_body { &self.body } else { "" });
        response
    }
}

type Page = Box<dyn Fn() -> Response + Send + Sync>;

/// The pages of an HTTP endpoint, by path.
#[derive(Default)]
#[must_use]
pub struct Pages {
    pages: Vec<(&'static str, Page)>,
}

impl Pages {
    /// Returns an endpoint without pages.
    pub fn new() -> Pages {
        Pages::default()
    }

    /// Adds a page under `path`, which begins with a slash. `make` is called for each request, on a thread with
    /// a stack of 256 KiB, and must not block.
    pub fn page(mut self, path: &'static str, make: impl Fn() -> Response + Send + Sync + 'static) -> Pages {
        self.pages.push((path, Box::new(make)));
        self
    }

    /// Adds `/metrics`, for Prometheus.
    pub fn metrics(self, metrics: Metrics) -> Pages {
        self.page("/metrics", move || match metrics.page() {
            Ok(page) => Response::ok(page).content_type(metrics::CONTENT_TYPE),
            Err(error) => {
                tracing::error!(%error, "cannot write the metrics page");
                Response::text(500, format!("{error}\n"))
            }
        })
    }

    /// Adds `/healthz` for liveness, always 200, and `/readyz` for readiness: 200 while `ready` returns true, or else
    /// 503.
    pub fn health(self, ready: impl Fn() -> bool + Send + Sync + 'static) -> Pages {
        self.page("/healthz", || Response::ok("ok\n")).page("/readyz", move || {
            if ready() { Response::ok("ready\n") } else { Response::unavailable("not ready\n") }
        })
    }

    /// Returns the response to a request.
    pub(super) fn respond(&self, method: &str, path: &str) -> Response {
        let Some((_, page)) = self.pages.iter().find(|(known, _)| *known == path) else {
            let list: String = self.pages.iter().map(|(path, _)| format!("  {path}\n")).collect();
            return Response::text(404, format!("not found; the pages are:\n{list}"));
        };
        if !matches!(method, "GET" | "HEAD") {
            return Response::text(405, "only GET and HEAD are allowed\n");
        }
        catch_unwind(AssertUnwindSafe(page)).unwrap_or_else(|_| {
            tracing::error!(path, "a page panicked");
            Response::text(500, "the page failed; the server's log has the reason\n")
        })
    }
}
