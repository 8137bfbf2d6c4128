//! What an HTTP port has to show: a reply for each path.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::request::{MAX_HEAD, Refusal, Request};
use crate::metrics;
use crate::metrics::Metrics;

const TEXT: &str = "text/plain; charset=utf-8";

/// A reply to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    content_type: &'static str,
    body: String,
}

impl Reply {
    /// 200, with a text.
    pub fn ok(text: impl Into<String>) -> Reply {
        Reply::text(200, text)
    }

    /// 503, with a text: not now.
    pub fn unavailable(text: impl Into<String>) -> Reply {
        Reply::text(503, text)
    }

    /// The media type; `text/plain; charset=utf-8` unless another is given.
    #[must_use]
    pub fn content_type(mut self, content_type: &'static str) -> Reply {
        self.content_type = content_type;
        self
    }

    fn text(status: u16, text: impl Into<String>) -> Reply {
        Reply { status, content_type: TEXT, body: text.into() }
    }

    /// The reply as it is sent. One to HEAD has the length of the body, and not the body.
    fn encode(&self, allow: bool, with_body: bool) -> String {
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
        let mut reply = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n",
            self.status,
            self.content_type,
            self.body.len()
        );
        reply.push_str(if allow { "Allow: GET, HEAD\r\n" } else { "" });
        reply.push_str("Connection: close\r\n\r\n");
        reply.push_str(if with_body { &self.body } else { "" });
        reply
    }
}

type Page = Box<dyn Fn() -> Reply + Send + Sync>;

/// What an HTTP port has to show.
#[derive(Default)]
#[must_use]
pub struct Pages {
    pages: Vec<(&'static str, Page)>,
}

impl Pages {
    /// No page.
    pub fn new() -> Pages {
        Pages::default()
    }

    /// Adds a page, by its path with the slash. It is made at each request, by one of the port's
    /// own threads.
    pub fn page(mut self, path: &'static str, make: impl Fn() -> Reply + Send + Sync + 'static) -> Pages {
        self.pages.push((path, Box::new(make)));
        self
    }

    /// Adds `/metrics`, for Prometheus.
    pub fn metrics(self, metrics: Metrics) -> Pages {
        self.page("/metrics", move || match metrics.page() {
            Ok(page) => Reply::ok(page).content_type(metrics::CONTENT_TYPE),
            Err(error) => {
                tracing::error!(%error, "there is no page of metrics");
                Reply::text(500, format!("{error}\n"))
            }
        })
    }

    /// Adds `/healthz`, which is 200 as long as the process lives, and `/readyz`, which is 200
    /// while `ready` says so and 503 otherwise.
    pub fn health(self, ready: impl Fn() -> bool + Send + Sync + 'static) -> Pages {
        self.page("/healthz", || Reply::ok("ok\n"))
            .page("/readyz", move || if ready() { Reply::ok("ready\n") } else { Reply::unavailable("not ready\n") })
    }

    /// The reply to what was asked, as it is sent. `None` if there is nobody to send it to.
    pub(super) fn answer(&self, asked: Result<Request, Refusal>) -> Option<String> {
        let refuse = |status, text: &str| Some(Reply::text(status, format!("{text}\n")).encode(false, true));
        let request = match asked {
            Ok(request) => request,
            Err(Refusal::Gone) => return None,
            Err(Refusal::TimedOut) => return refuse(408, "the request did not arrive in time"),
            Err(Refusal::TooLarge) => {
                return refuse(431, &format!("a request's head may have {MAX_HEAD} bytes and 64 fields"));
            }
            Err(Refusal::Malformed(reason)) => return refuse(400, reason),
        };
        let with_body = request.method != "HEAD";
        let Some((_, page)) = self.pages.iter().find(|(path, _)| *path == request.path) else {
            return Some(self.not_found().encode(false, with_body));
        };
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Some(Reply::text(405, "only GET and HEAD are answered\n").encode(true, true));
        }
        // The threads are few, and a page must not cost one.
        let reply = catch_unwind(AssertUnwindSafe(page)).unwrap_or_else(|_| {
            tracing::error!(path = request.path, "a page panicked");
            Reply::text(500, "the page cannot be made; the server's log has the reason\n")
        });
        Some(reply.encode(false, with_body))
    }

    fn not_found(&self) -> Reply {
        let list = self.pages.iter().fold(String::from("there are:\n"), |mut list, (path, _)| {
            let _ = writeln!(list, "  {path}");
            list
        });
        Reply::text(404, list)
    }
}
