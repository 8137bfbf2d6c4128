//! What is wrong with a `.proto` file, and where.

use std::fmt;
use std::path::PathBuf;

/// A mistake in a `.proto` file.
///
/// Displays as `protos/calc.proto:12:5: reason`, which editors and terminals turn into a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: PathBuf,
    /// From 1. A mistake about a whole file is on its first line.
    line: usize,
    /// From 1, in bytes.
    column: Option<usize>,
    reason: String,
}

impl Error {
    /// A mistake at a line and column.
    pub(crate) fn at(file: impl Into<PathBuf>, (line, column): (usize, usize), reason: impl Into<String>) -> Error {
        Error { file: file.into(), line, column: Some(column), reason: reason.into() }
    }

    /// A mistake about a file as a whole.
    pub(crate) fn about(file: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
        Error { file: file.into(), line: 1, column: None, reason: reason.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.file.display(), self.line)?;
        if let Some(column) = self.column {
            write!(f, "{column}:")?;
        }
        // `cargo::error=` ends at the first line break.
        write!(f, " {}", self.reason.replace('\n', " "))
    }
}

impl std::error::Error for Error {}
