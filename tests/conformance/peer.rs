//! A program that others wrote for gRPC's interop tests.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::process::Running;
use crate::common::wait_until;

/// Returns the folder that an environment variable of `script/test` names. If it is empty, `peers.sh` could not provide
/// the programs: says so, though output of tests that pass is not shown otherwise.
pub fn folder(variable: &str, program: &str) -> Option<PathBuf> {
    let folder = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; script/test sets it"));
    if folder.is_empty() {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: this system has no {program} for gRPC's interop tests");
        return None;
    }
    Some(PathBuf::from(folder))
}

/// A server that does not tell its port.
pub struct PeerServer {
    _process: Running,
    pub port: u16,
}

impl PeerServer {
    /// Starts a server on port 0 and waits until it listens.
    pub fn start(command: &mut Command) -> PeerServer {
        let process = Running::start(command);
        let port = Cell::new(None);
        wait_until(|| {
            port.set(listening_port(process.id()));
            port.get().is_some()
        });
        PeerServer { _process: process, port: port.get().unwrap() }
    }
}

/// Returns the TCP port on which a process listens, as Linux knows it: the peers run nowhere else.
fn listening_port(process: i32) -> Option<u16> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let files = fs::read_dir(folder.join("fd")).ok()?.flatten();
    let sockets: Vec<String> = files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    ["net/tcp", "net/tcp6"].iter().find_map(|table| port_of(&folder.join(table), &sockets))
}

/// Finds one of these sockets in a table of the kernel's, in state 0A: listening.
fn port_of(table: &Path, sockets: &[String]) -> Option<u16> {
    fs::read_to_string(table).ok()?.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (address, state, socket) = (fields.get(1)?, *fields.get(3)?, *fields.get(9)?);
        let listens = state == "0A" && sockets.iter().any(|other| other == socket);
        let port = u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()?;
        listens.then_some(port)
    })
}
