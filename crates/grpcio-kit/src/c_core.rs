//! The version of gRPC's C core that the program is linked with.

use std::ffi::CStr;

/// What `grpc_g_stands_for` returns in a C core that `patches/grpc/` has patched.
const PATCHED: &CStr = c"grpcio-kit";

/// Returns the version of gRPC's C core in this program, and whether it has the patches of `patches/grpc/`:
/// `1.56.2, patched` or `1.56.2, unpatched`. The C core itself reports it, so that a stale build shows.
pub fn core_version() -> &'static str {
    // SAFETY: the function has no arguments and returns a string literal, which ends with NUL and lives forever.
    #[allow(unsafe_code)]
    describe(unsafe { CStr::from_ptr(grpcio_sys::grpc_g_stands_for()) })
}

fn describe(g_stands_for: &CStr) -> &'static str {
    if g_stands_for == PATCHED { "1.56.2, patched" } else { "1.56.2, unpatched" }
}

#[cfg(test)]
#[path = "../build/toolchain.rs"]
mod toolchain;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_version_is_that_of_the_sources_of_grpcio_sys() {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        let lock = fs::read_to_string(lock).unwrap();
        let (_, package) = lock.split_once("\nname = \"grpcio-sys\"\n").unwrap();
        let version = package.lines().next().unwrap();
        assert!(version.contains("+1.56.2-"), "{version}");
    }

    #[test]
    fn a_stock_core_is_unpatched() {
        assert_eq!(describe(c"galvanized"), "1.56.2, unpatched");
        assert_eq!(describe(PATCHED), "1.56.2, patched");
    }

    #[test]
    fn the_core_is_built_patched_only_with_a_toolchain_file_beside_the_patches() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("toolchain.cmake");
        assert!(!toolchain::has_patches(None));
        assert!(!toolchain::has_patches(Some("".as_ref())));
        fs::write(folder.path().join("patches.cmake"), "").unwrap();
        assert!(!toolchain::has_patches(Some(file.as_os_str())), "the toolchain file is missing");
        fs::write(&file, "").unwrap();
        assert!(toolchain::has_patches(Some(file.as_os_str())));
        fs::remove_file(folder.path().join("patches.cmake")).unwrap();
        assert!(!toolchain::has_patches(Some(file.as_os_str())), "the patches are missing");
    }
}
