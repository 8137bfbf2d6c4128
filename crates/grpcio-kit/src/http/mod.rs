//! The HTTP/1.1 endpoint for metrics, liveness and readiness, beside a server's gRPC ports.
//!
//! A thread accepts connections; each gets a thread of its own with a small stack, which responds to one request and
//! closes. A request has [`TIME`] in all, from the connection to the last byte of the response. At most
//! [`MAX_CONNECTIONS`] are open: a new one then replaces the one that has waited longest without a complete request,
//! so that idle or slow clients cannot keep a probe out. There is no encryption and no authentication: listen on
//! `127.0.0.1` or an internal network. Of HTTP libraries, `hyper` needs tokio, and `tiny_http` limits neither time nor
//! connections.

mod connection;
mod pages;
mod request;

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::listen::ListenAddress;
use connection::{Connections, Open};
pub use pages::{Pages, Response};

/// The time for a request, from its connection to the last byte of the response: 5 seconds.
pub const TIME: Duration = Duration::from_secs(5);

/// Maximum number of open connections, each with a thread: 128.
pub const MAX_CONNECTIONS: usize = 128;

/// The stack of a connection's thread, in bytes, of which a request takes up to 24 KiB.
const STACK_SIZE: usize = 256 * 1024;

/// The pause after a connection could not be accepted, for lack of file descriptors for example.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the HTTP endpoint did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is a Unix socket.
    #[error("the HTTP endpoint cannot listen on {0}; write HOST:PORT or [IPV6]:PORT")]
    Unix(ListenAddress),
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {address} for HTTP: {source}; choose another port, or port 0 for any")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The reason.
        source: io::Error,
    },
    /// The system has no thread left.
    #[error("cannot start a thread for the HTTP endpoint: {0}; check this user's limit of processes")]
    Thread(io::Error),
}

/// A running HTTP endpoint. Dropping it closes every connection and waits for the threads, at most [`TIME`].
pub struct HttpServer {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    connections: Arc<Connections>,
    /// Disconnected when every thread has ended.
    ended: Receiver<()>,
}

impl HttpServer {
    /// Listens on `address`, of a host name on the first of its addresses that works, and serves `pages`. Port 0 lets
    /// the system choose.
    ///
    /// # Errors
    ///
    /// See [`HttpError`].
    pub fn start(address: &ListenAddress, pages: Pages) -> Result<HttpServer, HttpError> {
        let ListenAddress::Tcp { host, port } = address else {
            return Err(HttpError::Unix(address.clone()));
        };
        let listen = || {
            let listener = TcpListener::bind((host.as_str(), *port))?;
            listener.local_addr().map(|bound| (Arc::new(listener), bound))
        };
        let (listener, bound) = listen().map_err(|source| HttpError::Listen { address: address.clone(), source })?;
        let (end, ended) = mpsc::channel();
        let connections = Arc::new(Connections::new(MAX_CONNECTIONS));
        let server = HttpServer { listener, address: bound, connections, ended };
        let (listener, connections) = (Arc::clone(&server.listener), Arc::clone(&server.connections));
        let serve = move || {
            serve(listener, &connections, &pages);
            drop((pages, end));
        };
        thread::Builder::new().name("http".to_owned()).spawn(serve).map_err(HttpError::Thread)?;
        Ok(server)
    }

    /// Returns where it listens, with the real port in place of port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.connections.stop();
        // On Linux this ends every `accept`, and needs no file descriptor for it. Elsewhere a connection does; to an
        // unspecified address, it goes to this machine.
        if SockRef::from(&*self.listener).shutdown(Shutdown::Both).is_err() {
            let _ = TcpStream::connect_timeout(&self.address, PAUSE);
        }
        if self.ended.recv_timeout(TIME) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a page of the HTTP endpoint does not return; its thread is left behind");
        }
    }
}

/// Gives each connection a thread, and returns when all of those have ended. The port is free before that.
fn serve(listener: Arc<TcpListener>, connections: &Connections, pages: &Pages) {
    thread::scope(move |scope| {
        while !connections.is_stopped() {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(_) if connections.is_stopped() => return,
                Err(error) => {
                    tracing::debug!(%error, "the HTTP endpoint cannot accept a connection");
                    thread::sleep(PAUSE);
                    continue;
                }
            };
            let Some(open) = connections.add(stream, TIME) else {
                return;
            };
            let thread = thread::Builder::new().name("http-connection".to_owned()).stack_size(STACK_SIZE);
            let ended = Arc::clone(&open);
            let work = move || {
                respond(&open, pages);
                connections.remove(&open);
            };
            if let Err(error) = thread.spawn_scoped(scope, work) {
                tracing::debug!(%error, "the HTTP endpoint has no thread for a connection");
                connections.remove(&ended);
            }
        }
    });
}

/// Reads a request and writes the response.
fn respond(open: &Open, pages: &Pages) {
    let mut connection = open.connection();
    let request = request::read(&mut connection);
    open.has_request.store(true, Ordering::Relaxed);
    let (response, has_more) = match request {
        Ok(request) => {
            let response = pages.respond(&request.method, &request.path);
            (response.encode(request.method != "HEAD"), request.has_more)
        }
        Err(Some(response)) => (response.encode(true), true),
        Err(None) => return,
    };
    // A client that does not read its response does not want it.
    if connection.write_all(response.as_bytes()).is_ok() && has_more {
        connection.close_after_reading();
    }
}
