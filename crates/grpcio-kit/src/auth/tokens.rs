//! Lets in who sends a token that the server knows.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use subtle::{Choice, ConstantTimeEq};

use super::open::OpenServices;
use crate::bearer_token::{BearerToken, parse};
use crate::call::Call;
use crate::files::FileError;
use crate::files::reloads::Reloads;
use crate::files::warn_if_exposed;
use crate::files::watch::{DEFAULT_POLL_INTERVAL, Watched};
use crate::interceptor::Interceptor;
use crate::method::MethodDescriptor;
use crate::status::Status;
use crate::status::code::Code;

/// The most tokens in a file: each call is compared with all of them.
const MAX_TOKENS: usize = 1000;

/// Lets in who sends a token of a file as the metadata `authorization: Bearer TOKEN`. Others get
/// UNAUTHENTICATED. Of several such entries the first counts.
///
/// The file has one token on a line, of 16 to 1,024 printable ASCII characters, 1,000 of them at most. What
/// follows a token after white space is for people; lines that begin with `#` and empty ones count for
/// nothing. It is read again when it changes: a token that is gone is refused from the next call on. A
/// new content that is not of this form is refused with a line in the log, and the old tokens stay.
///
/// A token is compared with every one of the file, in a time that tells its length at most.
///
/// ```no_run
/// use grpcio_kit::{BearerTokens, Server};
///
/// let tokens = BearerTokens::file("tokens").load()?.open("grpc.health.v1.Health");
/// let server = Server::builder().interceptor(tokens).listen("[::1]:50050".parse()?).start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BearerTokens {
    tokens: Watched<Vec<BearerToken>>,
    open: OpenServices,
}

/// The file of a [`BearerTokens`], before it is read.
#[derive(Clone, Debug)]
#[must_use]
pub struct BearerTokensFile {
    path: PathBuf,
    poll_interval: Duration,
}

impl BearerTokens {
    /// Tokens from a file.
    pub fn file(path: impl Into<PathBuf>) -> BearerTokensFile {
        BearerTokensFile { path: path.into(), poll_interval: DEFAULT_POLL_INTERVAL }
    }

    /// Lets anybody call the methods of this service, by its full name: `grpc.health.v1.Health`.
    #[must_use]
    pub fn open(mut self, service: impl Into<String>) -> BearerTokens {
        self.open.add(service.into());
        self
    }

    /// How often the file has been read again.
    pub fn reloads(&self) -> Reloads {
        self.tokens.reloads()
    }

    fn knows(&self, token: &[u8]) -> bool {
        let latest = self.tokens.latest();
        // Every token, whichever it is: no `any`, which ends at the first.
        let same = latest.value.iter().map(|known| known.as_str().as_bytes().ct_eq(token));
        same.fold(Choice::from(0), |known, same| known | same).into()
    }
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTokens").field("open", &self.open).finish_non_exhaustive()
    }
}

impl BearerTokensFile {
    /// The time between two looks at the file; [`DEFAULT_POLL_INTERVAL`] unless set, 10 milliseconds
    /// at least.
    pub fn poll_interval(mut self, interval: Duration) -> BearerTokensFile {
        self.poll_interval = interval;
        self
    }

    /// Reads the file, and watches it from here on.
    ///
    /// A file that group or others have access to is a warning in the log.
    ///
    /// # Errors
    ///
    /// [`FileError`] if it cannot be read, has no token, too many, or a line that is none.
    pub fn load(self) -> Result<BearerTokens, FileError> {
        let BearerTokensFile { path, poll_interval } = self;
        let tokens = Watched::start("tokens", vec![path.clone()], poll_interval, move |contents| {
            let tokens = parse(&path, contents.first().map_or(&[], Vec::as_slice))?;
            if tokens.len() > MAX_TOKENS {
                let reason = format!("it has {} tokens, and {MAX_TOKENS} is the most", tokens.len());
                return Err(FileError::content(&path, reason));
            }
            warn_if_exposed(&path, "the tokens");
            Ok(tokens)
        })?;
        Ok(BearerTokens { tokens, open: OpenServices::default() })
    }
}

impl Interceptor for BearerTokens {
    fn start(&self, methods: &[MethodDescriptor]) {
        self.open.start(methods);
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if self.open.contains(call.method()) {
            return Ok(());
        }
        let refuse = |why| Err(Status::new(Code::Unauthenticated, why));
        let Some(authorization) = call.metadata("authorization") else {
            return refuse("no token; send the metadata `authorization: Bearer TOKEN`");
        };
        match token_in(authorization) {
            None => refuse("malformed `authorization` metadata; send `Bearer TOKEN`"),
            Some(token) if self.knows(token) => Ok(()),
            Some(_) => refuse("unknown token"),
        }
    }
}

/// The token in `Bearer TOKEN`; the case of the first word does not count (RFC 9110, 11.1).
fn token_in(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = authorization.split_at_checked(b"Bearer ".len())?;
    let token = rest.trim_ascii();
    let is_token = !token.is_empty() && token.iter().all(u8::is_ascii_graphic);
    (scheme.eq_ignore_ascii_case(b"Bearer ") && is_token).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_what_follows_bearer() {
        assert_eq!(token_in(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(token_in(b"bearer  abc "), Some(&b"abc"[..]));
        for malformed in ["", "abc", "Bearer", "Bearer ", "Bearer  ", "Basic abc", "Bearerabc", "Bearer a b"] {
            assert_eq!(token_in(malformed.as_bytes()), None, "{malformed}");
        }
    }

    #[test]
    fn neither_the_file_nor_its_tokens_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, "0123456789abcdef\n".repeat(1000)).unwrap();
        let tokens = BearerTokens::file(&path).load().unwrap();
        assert!(tokens.knows(b"0123456789abcdef") && !tokens.knows(b"0123456789abcdeX") && !tokens.knows(b""));
        assert!(!format!("{tokens:?}").contains("0123"));
        std::fs::write(&path, "0123456789abcdef\n".repeat(1001)).unwrap();
        let error = BearerTokens::file(&path).load().unwrap_err().to_string();
        assert!(error.contains("has 1001 tokens, and 1000 is the most"), "{error}");
    }
}
