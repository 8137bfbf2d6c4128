// Shared by build.rs and the tests of src/c_core.rs.

use std::ffi::OsStr;
use std::path::Path;

/// Whether the C core is built with the patches: `CMAKE_TOOLCHAIN_FILE` names a file in a folder with `patches.cmake`.
pub fn has_patches(toolchain_file: Option<&OsStr>) -> bool {
    let file = toolchain_file.map(Path::new).filter(|file| file.is_file());
    file.is_some_and(|file| file.with_file_name("patches.cmake").is_file())
}
