//! Random and mutated bytes to `calc serve`, beside a client whose RPCs must all be right; `script/fuzz` sends more.

use crate::common::certificates::Folder;
use crate::common::needs_patch;
use crate::common::process::{ServerProcess, calc, python, stdout_of};

fn fuzz(tls: &[&str], ca: &[&str]) {
    needs_patch("0013");
    let server = ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(tls));
    let pid = server.process.id().to_string();
    stdout_of(python("tests/python/fuzz_frames.py").args([server.target(), &pid, "400"]).args(ca));
}

#[test]
#[cfg(target_os = "linux")]
fn mutated_bytes_frames_and_messages_leave_a_server_serving() {
    fuzz(&[], &[]);
}

#[test]
#[cfg(target_os = "linux")]
fn mutated_bytes_frames_and_messages_leave_a_server_with_tls_serving() {
    let folder = Folder::new();
    let (crt, key, ca) = (folder.arg("tls.crt"), folder.arg("tls.key"), folder.arg("ca.crt"));
    fuzz(&["--tls-cert", &crt, "--tls-key", &key], &["--ca", &ca]);
}
