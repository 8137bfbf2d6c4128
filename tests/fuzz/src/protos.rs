//! The code generator, on text that may be no `.proto` file: code or errors, never a panic.

use std::fs;

/// Two files, which may import each other: `a.proto` up to the first NUL, and `b.proto` after it.
pub fn protos(bytes: &[u8]) {
    thread_local!(static FOLDER: tempfile::TempDir = crate::folder());
    let mut files = bytes.splitn(2, |byte| *byte == 0);
    let (a, b) = (files.next().unwrap_or_default(), files.next());
    FOLDER.with(|folder| {
        let path = |name| folder.path().join(name);
        fs::write(path("a.proto"), a).expect("a file can be written");
        fs::write(path("b.proto"), b.unwrap_or_default()).expect("a file can be written");
        let names: &[&str] = if b.is_some() { &["a.proto", "b.proto"] } else { &["a.proto"] };
        let result = grpcio_kit_build::Config::new(folder.path()).module("m", names).generate(path("out"));
        match result {
            Ok(()) => assert!(path("out/m/mod.rs").exists()),
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!(!error.to_string().contains("protobuf-codegen wrote"), "{error}");
                }
            }
        }
    });
}
