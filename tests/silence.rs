//! Tests that pass print nothing but their names.

use std::process::Command;

use crate::common::process::run;

/// The C core printed the handshakes that fail as they should.
#[test]
fn the_tests_of_tls_print_nothing_on_standard_error() {
    let mut tests = Command::new(std::env::current_exe().unwrap());
    // Those of `conformance` say if they are skipped.
    let output = run(tests.args(["tls::", "tls_files::", "--skip", "conformance::"]));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains(" passed; 0 failed;"), "{stdout}{stderr}");
    assert_eq!(stderr, "");
}
