//! Files that a server or a client is set up with: certificates, keys, tokens.

pub(crate) mod reloads;
pub(crate) mod watch;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is read: 1 MiB. A bundle of every public certificate authority has
/// a quarter of that.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is not there, may not be read, or is no regular file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It has more than [`MAX_FILE_BYTES`].
    #[error("{} is too large: it has more than {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold what it should.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do. Holds nothing of the file's content.
        reason: String,
    },
    /// No file with the certificate authorities of this machine is where it usually is.
    #[error("this machine has no list of certificate authorities; install ca-certificates, or name a file with the CA")]
    NoSystemRoots,
    /// There is no thread to watch files with.
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

/// The content of a regular file: reading anything else may never end.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::Read { path: path.to_owned(), source };
    // Asked first: to open a pipe is to wait for whoever writes it.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(fail(io::Error::other("it is no regular file")));
    }
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)).map_err(fail)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

/// Says so in the log if a file with a secret is open to more users than its owner.
pub(crate) fn warn_if_exposed(path: &Path, what: &str) {
    // Of the file itself where `path` is a symlink, which is always open to everybody.
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let mode = format!("{mode:04o}");
        tracing::warn!(file = %path.display(), mode, "group or others have access to {what}; chmod 600 takes it away");
    }
}
