//! An HTTP/1.1 port beside the gRPC ones, for what looks after a server: metrics and health.
//!
//! A few threads, each of which accepts a connection, answers one request and closes. A request
//! has [`TIME`] in all, from the connection to the last byte written, so that nobody holds a
//! thread for longer; connections that come meanwhile wait in the system's queue. It is
//! plain text without authentication: listen on `127.0.0.1`, or where only the monitoring gets.

mod connection;
mod pages;
mod request;

use std::io::{self, Write};
use std::net::Shutdown;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use crate::listen::ListenAddress;
use connection::Connection;
pub use pages::{Pages, Reply};

/// The time of a request, from its connection to the last byte of the reply: 5 seconds.
pub const TIME: Duration = Duration::from_secs(5);

/// The threads of a port: the requests that are answered at a time.
const THREADS: usize = 4;

/// The pause after the system has no connection to give, for want of file descriptors say.
const PAUSE: Duration = Duration::from_millis(50);

/// Why an HTTP port cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is a Unix socket.
    #[error("the HTTP port cannot listen on {0}; write HOST:PORT or [IPV6]:PORT")]
    Unix(ListenAddress),
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {address} for HTTP: {source}; choose another port, or port 0 for any")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The reason.
        source: io::Error,
    },
    /// The system has no threads left.
    #[error("cannot start a thread for the HTTP port: {0}; look at the limits of this user")]
    Thread(io::Error),
}

/// An HTTP port. Dropping it closes it and waits for its threads, which give up what they do.
pub struct HttpServer {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl HttpServer {
    /// Listens on `address`, at the first of a name's addresses that can be had, and shows `pages`.
    /// Port 0 lets the system choose.
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
        let mut server = HttpServer { listener, address: bound, stop: Arc::default(), threads: Vec::new() };
        let pages = Arc::new(pages);
        for number in 0..THREADS {
            let (listener, stop) = (Arc::clone(&server.listener), Arc::clone(&server.stop));
            let pages = Arc::clone(&pages);
            let thread = thread::Builder::new().name(format!("http-{number}"));
            let thread = thread.spawn(move || serve(&listener, &pages, &stop)).map_err(HttpError::Thread)?;
            server.threads.push(thread);
        }
        Ok(server)
    }

    /// Where it listens: the real port in place of port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gets the threads out of their wait for a connection.
    fn wake(&self) {
        // Linux ends every wait for a connection then, and needs no file descriptor for it.
        if SockRef::from(&*self.listener).shutdown(Shutdown::Both).is_ok() {
            return;
        }
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        for _ in &self.threads {
            let _ = TcpStream::connect_timeout(&address, PAUSE);
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake();
        for thread in self.threads.drain(..) {
            // A thread that panicked has been logged.
            let _ = thread.join();
        }
    }
}

/// Answers one connection after the other.
fn serve(listener: &TcpListener, pages: &Pages, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok(_) if stop.load(Ordering::SeqCst) => return,
            Ok((stream, _)) => answer(Connection::new(stream, TIME, stop), pages),
            Err(_) if stop.load(Ordering::SeqCst) => return,
            Err(error) => {
                tracing::debug!(%error, "the HTTP port cannot accept a connection");
                thread::sleep(PAUSE);
            }
        }
    }
}

fn answer(mut connection: Connection<'_>, pages: &Pages) {
    let asked = request::read(&mut connection);
    let has_more = asked.as_ref().map_or(true, |request| request.has_more);
    if asked == Err(request::Refusal::TimedOut) {
        // Its time is over, but a word or two fit into the system's buffer.
        connection.grant_a_moment();
    }
    let Some(reply) = pages.answer(asked) else {
        return;
    };
    // A caller that does not read its reply does not want it.
    if connection.write_all(reply.as_bytes()).is_ok() && has_more {
        connection.close_after_reading();
    }
}
