//! What `calc serve` tells the service manager, which is a socket here.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::common::PATIENCE;
use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, stdout_of};

const SIGTERM: i32 = 15;

struct ServiceManager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl ServiceManager {
    fn new() -> ServiceManager {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        ServiceManager { socket, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("notify")
    }

    fn start(&self, command: &mut Command) -> ServerProcess {
        ServerProcess::start(command.env("NOTIFY_SOCKET", self.path()))
    }

    /// The next message, as lines.
    fn next(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("the service manager is told nothing");
        String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned).collect()
    }
}

fn serve() -> Command {
    calc(&["serve", "--listen", "127.0.0.1:0"])
}

#[test]
fn it_is_told_that_the_server_accepts_rpcs_and_that_it_drains() {
    let manager = ServiceManager::new();
    let mut server = manager.start(serve().args(["--drain-delay", "0.5", "--grace", "100"]));
    assert_eq!(manager.next(), ["READY=1".to_owned(), format!("STATUS=listening on {}", server.target())]);
    assert_eq!(stdout_of(&mut calc(&["add", "20", "10", "--target", server.target()])), "30\n");
    server.process.signal(SIGTERM);
    assert_eq!(manager.next(), ["STOPPING=1", "STATUS=draining"]);
    // Drain delay, grace, and ten seconds more.
    assert_eq!(manager.next(), ["EXTEND_TIMEOUT_USEC=110500000"]);
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn it_is_told_that_files_were_reloaded() {
    let (manager, folder) = (ServiceManager::new(), Folder::new());
    let tls = ["--tls-cert", &folder.arg("tls.crt"), "--tls-key", &folder.arg("tls.key")];
    let _server = manager.start(serve().args(tls));
    assert_eq!(manager.next()[0], "READY=1");
    folder.put_pair("tls", &folder.ca.issue_local());
    let reloading = manager.next();
    assert_eq!(reloading[0], "RELOADING=1");
    assert!(reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(manager.next(), ["READY=1"]);
}

#[test]
fn it_is_told_that_the_server_answers_as_often_as_it_asks() {
    let manager = ServiceManager::new();
    let _server = manager.start(serve().env("WATCHDOG_USEC", "400000"));
    assert_eq!(manager.next()[0], "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.next(), ["WATCHDOG=1"]);
    }
}

/// Otherwise the server would not start, or write to a socket of another program.
#[test]
fn without_one_the_server_starts_and_a_broken_socket_is_a_warning() {
    let mut server = ServerProcess::start(serve().env("NOTIFY_SOCKET", "/nowhere/notify"));
    server.wait_for_line_with("the service manager cannot be told");
    assert_eq!(stdout_of(&mut calc(&["add", "20", "10", "--target", server.target()])), "30\n");
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().code(), Some(0));
}
