//! Files with certificates, keys and tokens: reading them, and reloading them when they change.

pub(crate) mod reloads;
pub(crate) mod watch;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Maximum size of a file: 1 MiB. A bundle of all public CAs has a quarter of that.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file does not exist, must not be read, or is not a regular file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file has more than [`MAX_FILE_BYTES`].
    #[error("{} is too large: the maximum is {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The content cannot be used.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do. Contains no secret.
        reason: String,
    },
    /// The system has no CA bundle at any of the usual paths.
    #[error("this system has no CA bundle; install the package ca-certificates, or name a file with the CA")]
    NoSystemRoots,
    /// The thread that watches the files could not be started.
    #[error("cannot watch {} for changes: {source}", path.display())]
    Watch {
        /// The first of the files.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl FileError {
    pub(crate) fn content(path: &Path, reason: impl Into<String>) -> FileError {
        FileError::Content { path: path.to_owned(), reason: reason.into() }
    }
}

/// Reads a regular file: reading anything else may block for ever.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::Read { path: path.to_owned(), source };
    // First, because opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(fail(io::Error::other("it is not a regular file")));
    }
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)).map_err(fail)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

/// Logs a warning if users who should not can access a file with a secret.
pub(crate) fn warn_if_exposed(path: &Path, what: &str) {
    // Follows symlinks, whose own mode means nothing.
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if is_exposed(metadata.uid(), mode) {
        let mode = format!("{mode:04o}");
        tracing::warn!(file = %path.display(), mode, "group or others have access to {what}; restrict it with chmod 600");
    }
}

/// Whether users other than the owner have access. The group may read a file of root's, as PostgreSQL allows it for
/// keys: that is how Debian and Kubernetes hand them to a service.
fn is_exposed(owner: u32, mode: u32) -> bool {
    let allowed = if owner == 0 { 0o740 } else { 0o700 };
    mode & 0o777 & !allowed != 0
}

#[cfg(test)]
mod tests {
    use super::is_exposed;

    #[test]
    fn a_group_may_read_files_of_root_only() {
        for (owner, mode, exposed) in [
            (0, 0o600, false),
            (0, 0o640, false),
            (0, 0o440, false),
            (0, 0o644, true),
            (0, 0o660, true),
            (1000, 0o600, false),
            (1000, 0o640, true),
            (1000, 0o604, true),
        ] {
            assert_eq!(is_exposed(owner, mode), exposed, "{owner} {mode:o}");
        }
    }
}
