//! The patches of the C core: what their headers say, and a build with one that does not apply.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::root;

fn patches() -> Vec<(String, String)> {
    let folder = fs::read_dir(root().join("patches/grpc")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_patch_says_what_is_wrong_where_it_is_reported_and_which_test_shows_it() {
    for (name, text) in patches() {
        let (header, diff) = text.split_once("\n---\n").unwrap_or_else(|| panic!("{name} has no header"));
        for field in ["Description", "Origin", "Bug", "Forwarded", "Test"] {
            assert!(header.lines().any(|line| line.starts_with(&format!("{field}: "))), "{name} lacks {field}");
        }
        let (_, test) = header.split_once("\nTest: ").unwrap();
        if let Some(file) = test.split([' ', ',', '\n']).next().filter(|word| word.starts_with("tests/")) {
            assert!(root().join(file).is_file(), "{name}: {file}");
        }
        assert!(diff.starts_with("diff --git a/"), "{name}");
        assert_eq!(patches().iter().filter(|(other, _)| other[..4] == name[..4]).count(), 1, "{name}: its number");
    }
}

/// Configures a C core of these files with `cmake/patches.cmake`.
fn configure(core: &Path, stock: &str) -> Output {
    let project = "cmake_minimum_required(VERSION 3.22)\nproject(grpc LANGUAGES NONE)\n";
    fs::write(core.join("CMakeLists.txt"), project).unwrap();
    Command::new("cmake")
        .arg(format!("-DCMAKE_PROJECT_grpc_INCLUDE={}", root().join("cmake/patches.cmake").display()))
        .arg("-S")
        .arg(core)
        .arg("-B")
        .arg(core.join("build"))
        .env_remove("CMAKE_TOOLCHAIN_FILE")
        .env("GRPCIO_STOCK_CORE", stock)
        .output()
        .unwrap()
}

#[test]
fn a_patch_that_does_not_apply_stops_the_build_and_is_named() {
    let core = tempfile::tempdir().unwrap();
    let (name, _) = patches().into_iter().min().unwrap();
    fs::create_dir_all(core.path().join("src/core/lib/surface")).unwrap();
    fs::write(core.path().join("src/core/lib/surface/version.cc"), "another version\n").unwrap();
    let output = configure(core.path(), "");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains(&name) && text.contains("This patch does not apply"), "{text}");
}

#[test]
fn a_stock_core_is_configured_without_patches() {
    let core = tempfile::tempdir().unwrap();
    let output = configure(core.path(), "1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("without patches"));
    assert!(!core.path().join("build/patched").exists());
}
