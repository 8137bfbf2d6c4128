//! Bearer tokens, and the files that hold them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::files::FileError;
use crate::files::{read, warn_if_exposed};

/// Minimum length of a token, in characters. 16 random ones cannot be guessed.
pub const MIN_TOKEN_LENGTH: usize = 16;

/// Maximum length of a token, in characters. It is sent with every RPC, whose metadata may have 8 KiB in all.
pub const MAX_TOKEN_LENGTH: usize = 1024;

/// A secret that authenticates a client, sent as the metadata `authorization: Bearer …`
/// ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). `Debug` does not show it.
#[derive(Clone)]
pub struct BearerToken(Arc<str>);

/// The text is not a valid [`BearerToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has {MIN_TOKEN_LENGTH} to {MAX_TOKEN_LENGTH} characters, all printable ASCII and none a space")]
pub struct InvalidToken;

impl BearerToken {
    /// Creates a token of [`MIN_TOKEN_LENGTH`] to [`MAX_TOKEN_LENGTH`] characters from `!` to `~`.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] for any other text.
    pub fn new(text: &str) -> Result<BearerToken, InvalidToken> {
        let fits = (MIN_TOKEN_LENGTH..=MAX_TOKEN_LENGTH).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(BearerToken(text.into()))
        } else {
            Err(InvalidToken)
        }
    }

    /// Reads the first token in a file of the form that [`BearerTokens`](crate::BearerTokens) reads. Logs a warning if
    /// group or others can access it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be read, has no token, or a line with something else.
    pub fn read(path: impl AsRef<Path>) -> Result<BearerToken, FileError> {
        let path = path.as_ref();
        let tokens = parse(path, &read(path)?)?;
        warn_if_exposed(path, "the token");
        tokens.into_iter().next().ok_or_else(|| none(path))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// Parses the tokens in a file, at least one. Errors name the line, not its text.
pub(crate) fn parse(path: &Path, content: &[u8]) -> Result<Vec<BearerToken>, FileError> {
    let mut tokens = Vec::new();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        // Invalid UTF-8 is no ASCII either, and rejected as such.
        let line = String::from_utf8_lossy(line);
        let Some(text) = line.split_ascii_whitespace().next().filter(|text| !text.starts_with('#')) else {
            continue;
        };
        let token = BearerToken::new(text);
        tokens.push(token.map_err(|error| FileError::content(path, format!("line {}: {error}", index + 1)))?);
    }
    if tokens.is_empty() { Err(none(path)) } else { Ok(tokens) }
}

fn none(path: &Path) -> FileError {
    FileError::content(path, "it holds no token; write one per line, such as from `openssl rand -hex 32`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &str) -> Result<Vec<String>, String> {
        let tokens = parse(Path::new("file"), content.as_bytes()).map_err(|error| error.to_string())?;
        Ok(tokens.iter().map(|token| token.as_str().to_owned()).collect())
    }

    #[test]
    fn a_file_has_one_token_per_line_and_comments() {
        let content = "# for tests\n\n0123456789abcdef\r\n  fedcba9876543210\tthe name of its owner\n";
        assert_eq!(texts(content).unwrap(), ["0123456789abcdef", "fedcba9876543210"]);
    }

    #[test]
    fn an_invalid_line_is_reported_by_its_number_alone() {
        for bad in ["secret", &"s".repeat(1025), "secretsecretsecré"] {
            let error = texts(&format!("0123456789abcdef\n{bad}\n")).unwrap_err();
            assert!(error.starts_with("file: line 2: a token has 16 to 1024 characters"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(texts(&"s".repeat(1024)).unwrap().len(), 1);
    }

    #[test]
    fn a_file_without_a_token_is_rejected_with_what_to_do() {
        for empty in ["", "\n", "# 0123456789abcdef\n"] {
            assert!(texts(empty).unwrap_err().contains("openssl rand"));
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = BearerToken::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
        assert_eq!(BearerToken::new("0123456789 abcdef").unwrap_err(), InvalidToken);
    }
}
