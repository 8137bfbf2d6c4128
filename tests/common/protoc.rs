//! Descriptors by protoc, an independent compiler.

use std::fs;
use std::path::{Path, PathBuf};

use protobuf::Message;
use protobuf::descriptor::{FileDescriptorProto, FileDescriptorSet};

use super::process::{python, stdout_of};

/// Returns the folder with the `.proto` files of the tests.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("protos")
}

/// Returns the descriptors of `files` in `folder` and of their imports, imports first.
pub fn compile(folder: &Path, files: &[&str]) -> Vec<FileDescriptorProto> {
    let out = tempfile::tempdir().unwrap();
    let set = out.path().join("set");
    let mut protoc = python("tests/python/protoc.py");
    protoc.arg(format!("-I{}", folder.display())).arg("--include_imports");
    stdout_of(protoc.arg(format!("--descriptor_set_out={}", set.display())).args(files));
    FileDescriptorSet::parse_from_bytes(&fs::read(set).unwrap()).unwrap().file
}
