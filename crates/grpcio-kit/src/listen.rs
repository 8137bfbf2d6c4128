//! The addresses that a server listens on.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use grpcio::ServerCredentials;
use socket2::{Domain, Socket, Type};

use crate::tls::server::ServerTls;

/// An address to listen on.
///
/// Its text form is `HOST:PORT` (`127.0.0.1:50050`, `[::]:50050`, `localhost:0`) or `unix:PATH`. `[::]` accepts IPv4
/// connections too. With port 0 the system chooses one. The server listens on each address that a host name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP port.
    Tcp {
        /// A host name or an IP address, without brackets.
        host: String,
        /// The port; with 0 the system chooses one.
        port: u16,
    },
    /// A Unix socket. The server creates the file at its start and removes it at its end.
    Unix(PathBuf),
}

/// The text is not a valid [`ListenAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address to listen on: {reason}")]
pub struct ParseAddressError {
    text: String,
    reason: &'static str,
}

impl FromStr for ListenAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<ListenAddress, ParseAddressError> {
        let fail = |reason| Err(ParseAddressError { text: text.to_owned(), reason });
        if text.contains('\0') {
            return fail("it contains a NUL character");
        }
        if let Some(path) = text.strip_prefix("unix:") {
            // The C core's two forms: `unix:path` and `unix:///path`.
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => fail("write the path of a socket after `unix:`"),
                path => Ok(ListenAddress::Unix(PathBuf::from(path))),
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return fail("it has no port; write HOST:PORT, [IPV6]:PORT or unix:PATH");
        };
        let Ok(port) = port.parse() else {
            return fail("the port is not a number from 0 to 65535");
        };
        let host = match host.strip_prefix('[').map(|host| host.strip_suffix(']')) {
            Some(Some(host)) if host.parse::<Ipv6Addr>().is_ok() => host,
            Some(_) => return fail("the brackets do not contain an IPv6 address"),
            None if host.contains(':') => return fail("an IPv6 address needs brackets; write [IPV6]:PORT"),
            None if host.is_empty() => {
                return fail("it has no host; write [::]:PORT to listen on all addresses");
            }
            None => host,
        };
        Ok(ListenAddress::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            ListenAddress::Tcp { host, port } => write!(f, "{host}:{port}"),
            // Of a path that begins with two slashes they would be taken for a part of the scheme.
            ListenAddress::Unix(path) if path.as_os_str().as_encoded_bytes().starts_with(b"//") => {
                write!(f, "unix://{}", path.display())
            }
            ListenAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> ListenAddress {
        ListenAddress::Tcp { host: address.ip().to_string(), port: address.port() }
    }
}

impl ListenAddress {
    /// Whether only this machine can connect: a Unix socket, a loopback address, or `localhost`.
    pub fn is_local(&self) -> bool {
        match self {
            ListenAddress::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            }
            ListenAddress::Unix(_) => true,
        }
    }

    /// Adds this address to `server`. Returns the resolved addresses, with their port.
    ///
    /// The C core reports no reason for a failure, and none at all if it could bind one of several addresses. So each is
    /// bound without it first.
    pub(crate) fn bind(&self, server: &mut grpcio::Server, tls: Option<&ServerTls>) -> io::Result<Vec<ListenAddress>> {
        match self {
            ListenAddress::Tcp { host, port } => bind_tcp(server, tls, host, *port),
            ListenAddress::Unix(path) => {
                check_unix(path)?;
                add_port(server, tls, self.to_string())?;
                Ok(vec![self.clone()])
            }
        }
    }
}

fn bind_tcp(
    server: &mut grpcio::Server,
    tls: Option<&ServerTls>,
    host: &str,
    mut port: u16,
) -> io::Result<Vec<ListenAddress>> {
    let mut bound = Vec::new();
    let mut unavailable = None;
    for address in (host, port).to_socket_addrs()? {
        let mut address = SocketAddr::new(address.ip(), port);
        match check_tcp(address) {
            Ok(()) => {}
            // Names have IPv6 addresses on machines without IPv6, too.
            Err(error) if is_family_missing(&error) => {
                if address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
                    unavailable = Some(error);
                    continue;
                }
                address.set_ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
                check_tcp(address)?;
            }
            Err(error) => return Err(error),
        }
        // With port 0, all addresses of a name get the port that the system chose for the first.
        port = add_port(server, tls, address.to_string())?;
        address.set_port(port);
        if !bound.contains(&ListenAddress::from(address)) {
            bound.push(ListenAddress::from(address));
        }
    }
    match unavailable {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

fn add_port(server: &mut grpcio::Server, tls: Option<&ServerTls>, address: String) -> io::Result<u16> {
    let credentials = tls.map_or_else(ServerCredentials::insecure, ServerTls::credentials);
    server
        .add_listening_port(address, credentials)
        .map_err(|_| io::Error::other("the C core could not bind it and gives no reason"))
}

/// Checks that a TCP address can be bound: binds it without listening, and releases it.
fn check_tcp(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        // As the C core does: `[::]` accepts IPv4 too.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())
}

fn is_family_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// Checks that a Unix socket can be created at `path`. The C core would replace one that another server listens on.
fn check_unix(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(file) if !file.file_type().is_socket() => {
            Err(io::Error::new(ErrorKind::AlreadyExists, "the path exists and is not a socket"))
        }
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another server listens on it")),
            // Left by a server that was killed; the C core replaces it.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(error),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // For the reason if it fails: the folder, its permissions, or the length of the path.
            drop(std::os::unix::net::UnixListener::bind(path)?);
            std::fs::remove_file(path)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        text.parse::<ListenAddress>().unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_displayed_as_it_is_parsed() {
        for text in ["[::]:50050", "127.0.0.1:0", "localhost:65535", "unix:/tmp/greeter.sock", "unix:greeter.sock"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        assert_eq!("unix:///a/b".parse(), Ok(ListenAddress::Unix("/a/b".into())));
        // Fuzzing found it: it became `unix://a/b`, which is the relative path a/b.
        let slashes: ListenAddress = "unix:////a/b".parse().unwrap();
        assert_eq!(slashes.to_string(), "unix:////a/b");
    }

    #[test]
    fn an_invalid_address_is_rejected_with_what_to_write_instead() {
        assert!(reason("localhost").contains("write HOST:PORT"));
        assert!(reason("localhost:70000").contains("from 0 to 65535"));
        assert!(reason("localhost:http").contains("from 0 to 65535"));
        assert!(reason(":50050").contains("write [::]:PORT"));
        assert!(reason("::1:50050").contains("needs brackets"));
        assert!(reason("[localhost]:1").contains("do not contain an IPv6 address"));
        assert!(reason("unix:").contains("path of a socket"));
        assert!(reason("a\0b:1").contains("NUL"));
    }
}
