//! What is fuzzed: for each target of `fuzz/` a function of arbitrary bytes, which panics if something is wrong.
//!
//! `fuzz/` compiles them with libFuzzer. The test of this package (`replay.rs`) calls them with the kept inputs, without a
//! fuzzer. Code of the products that is not public is compiled here a second time, from its file.

mod cli;
mod csv;
mod describe;
mod http;
mod messages;
mod protos;
mod reference;
mod rpcs;
mod secrets;
mod values;

pub use csv::csv;
pub use http::http;
pub use messages::messages;
pub use protos::protos;
pub use rpcs::rpcs;
pub use secrets::secrets;
pub use values::values;

/// A function of arbitrary bytes, which panics if it finds a fault.
pub type Target = fn(&[u8]);

/// The targets, with the names of their folders in `fuzz/corpus/`.
pub const TARGETS: [(&str, Target); 7] = [
    ("csv", csv),
    ("http", http),
    ("messages", messages),
    ("protos", protos),
    ("rpcs", rpcs),
    ("secrets", secrets),
    ("values", values),
];

/// Input that arrives in pieces of at most so many bytes, as it does from a connection.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let read = std::io::BufRead::fill_buf(self)?.read(target)?;
        self.rest = &self.rest[read..];
        Ok(read)
    }
}

impl std::io::BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(&self.rest[..self.size.min(self.rest.len())])
    }

    fn consume(&mut self, count: usize) {
        // What is left of a piece stays together with what follows; that makes no difference to a reader.
        self.rest = &self.rest[count..];
    }
}

/// Folders of the process are in memory where the system has such a place.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be created")
}
