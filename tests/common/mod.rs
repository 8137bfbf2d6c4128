//! Helpers of several tests: servers, programs, certificates, raw RPCs.

pub mod certificates;
pub mod http;
pub mod process;
pub mod protoc;
pub mod raw;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use grpcio_kit::log::silence_core;
use grpcio_kit::{Channel, Server, ServerBuilder};

/// The maximum time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// Says that a test is about what a patch of the C core does. With a stock core (`GRPCIO_STOCK_CORE=1`) it fails here.
pub fn needs_patch(number: &str) {
    let mut patches = fs::read_dir(root().join("patches/grpc")).unwrap().map(|entry| entry.unwrap().file_name());
    let patch = patches.find(|name| name.to_str().unwrap().starts_with(number));
    let patch = patch.unwrap_or_else(|| panic!("there is no patch {number}"));
    let version = grpcio_kit::core_version();
    assert!(version.ends_with(", patched"), "this test needs {patch:?}, and the C core is {version}");
}

/// Keeps the C core of this process from logging the errors that tests cause on standard error.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(silence_core);
}

/// Starts `server` on a free port. It shuts down when it is dropped.
pub fn start(server: ServerBuilder) -> Server {
    silence();
    server.listen("127.0.0.1:0".parse().unwrap()).start().unwrap()
}

/// Starts a Calculator on a free port.
pub fn calculator() -> Server {
    start(calc::server::builder())
}

/// Returns the target of a server's first address.
pub fn target(server: &Server) -> String {
    server.addresses()[0].to_string()
}

/// Creates a channel to a server.
pub fn channel(server: &Server) -> Channel {
    Channel::connect(&target(server)).unwrap()
}

/// Creates a client of a server, with a timeout for a busy machine.
pub fn client(server: &Server) -> calc::Client {
    calc::Client::connect(&target(server)).unwrap().timeout(PATIENCE)
}

/// Polls a condition that has no event to wait for.
pub fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "the condition does not become true");
        thread::sleep(Duration::from_millis(5));
    }
}
