//! Validates targets, the [names of servers](https://grpc.github.io/grpc/core/md_doc_naming.html).

use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};

/// The schemes that the C core knows. It would look up a name that begins with any other.
const SCHEMES: [&str; 6] = ["dns", "ipv4", "ipv6", "unix", "unix-abstract", "xds"];

/// A target that a channel cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is not a target: {reason}")]
pub struct InvalidTarget {
    target: String,
    reason: &'static str,
}

/// Rejects what the C core would panic on or misread.
pub(super) fn check(target: &str) -> Result<(), InvalidTarget> {
    let fail = |reason| Err(InvalidTarget { target: target.to_owned(), reason });
    if target.is_empty() {
        return fail("it is empty; write HOST:PORT, or unix:PATH");
    }
    if target.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return fail("it contains white space or a control character");
    }
    match target.split_once(':') {
        None => fail("it has no port; write HOST:PORT, or unix:PATH"),
        Some((scheme, rest)) if rest.starts_with("//") && !SCHEMES.contains(&scheme) => {
            fail("it is a URL; write HOST:PORT, dns:///HOST:PORT or unix:PATH, and set TLS apart from it")
        }
        Some(("unix", "" | "//")) => fail("write the path of a socket after `unix:`"),
        Some(("ipv4", list)) if !list.split(',').all(|address| address.parse::<SocketAddrV4>().is_ok()) => {
            fail("write ipv4:ADDRESS:PORT, with more after commas")
        }
        Some(("ipv6", list)) if !list.split(',').all(|address| address.parse::<SocketAddrV6>().is_ok()) => {
            fail("write ipv6:[ADDRESS]:PORT, with more after commas")
        }
        Some(("dns", rest)) if rest.starts_with("//") && !rest.starts_with("///") => {
            fail("the system resolves names, without a name server of the target's; write dns:///HOST:PORT")
        }
        Some(("xds", _)) if !has_xds() => fail("this program has no xDS; compile it with GRPCIO_XDS=1"),
        Some(_) => Ok(()),
    }
}

/// Whether the C core is compiled with xDS (`cmake/toolchain.cmake`).
fn has_xds() -> bool {
    option_env!("GRPCIO_XDS") == Some("1")
}

/// Whether `target` is on this machine: a loopback address, `localhost`, or a Unix socket. Unusual ways to write one
/// do not count.
pub(super) fn is_local(target: &str) -> bool {
    match target.split_once(':') {
        Some(("unix" | "unix-abstract", _)) => true,
        Some(("ipv4" | "ipv6", list)) => list.split(',').all(is_local_host),
        Some(("dns", rest)) => is_local_host(rest.strip_prefix("///").unwrap_or(rest)),
        _ => is_local_host(target),
    }
}

fn is_local_host(host_and_port: &str) -> bool {
    let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_c_core_is_compiled_without_is_refused_with_the_remedy() {
        let error = check("dns://8.8.8.8/localhost:1").unwrap_err().to_string();
        assert!(error.ends_with("write dns:///HOST:PORT"), "{error}");
        assert_eq!(check("dns:///localhost:1"), Ok(()));
        match check("xds:///calc") {
            Ok(()) => assert!(has_xds()),
            Err(error) => assert!(!has_xds() && error.to_string().ends_with("compile it with GRPCIO_XDS=1"), "{error}"),
        }
    }

    /// They were taken for names of hosts, which do not exist.
    #[test]
    fn a_url_is_refused_with_the_forms_of_a_target() {
        for url in ["http://localhost:1", "https://localhost:1", "grpc://localhost:1", "HTTPS://localhost"] {
            let error = check(url).unwrap_err().to_string();
            assert!(error.contains("it is a URL; write HOST:PORT, dns:///HOST:PORT or unix:PATH"), "{error}");
        }
        for target in ["dns:///localhost:1", "unix:///a", "ipv4:127.0.0.1:1", "http:80"] {
            assert_eq!(check(target), Ok(()));
        }
    }

    #[test]
    fn loopback_targets_are_local() {
        let local = [
            "localhost:1",
            "LocalHost:1",
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "dns:localhost:1",
            "dns:///localhost:1",
            "ipv4:127.0.0.1:1,127.0.0.2:2",
            "ipv6:[::1]:1",
            "unix:a",
            "unix:///a",
            "unix-abstract:a",
        ];
        for target in local {
            assert!(is_local(target), "{target}");
        }
    }

    #[test]
    fn targets_that_only_look_like_loopback_are_not_local() {
        let others = [
            "example.com:1",
            "localhost.example.com:1",
            "10.0.0.1:1",
            "[::]:1",
            "0.0.0.0:1",
            "ipv4:127.0.0.1:1,10.0.0.1:1",
            "ipv6:[::2]:1",
            "dns:///example.com%3A1/localhost:1",
            "dns:///example.com/localhost:1",
            "dns://localhost:1",
            "dns://8.8.8.8/localhost:1",
            "localhost:1@example.com:1",
            "DNS:localhost:1",
            "xds:localhost:1",
        ];
        for target in others {
            assert!(!is_local(target), "{target}");
        }
    }
}
