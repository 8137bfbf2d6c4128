//! Bearer-token authentication from a token file.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::time::Duration;

use subtle::{Choice, ConstantTimeEq};

use super::unauthenticated::UnauthenticatedServices;
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

/// The maximum number of tokens in a file.
const MAX_TOKENS: usize = 1000;

/// Bearer-token authentication: accepts RPCs whose metadata `authorization: Bearer TOKEN` has a token from a file, and
/// rejects others with UNAUTHENTICATED. Of several such entries the first counts.
///
/// The file has one token per line, of 16 to 1,024 printable ASCII characters; at most 1,000 tokens. Text after a token
/// and white space is a comment, as are lines that begin with `#`; empty lines are ignored. A changed file is reloaded: a
/// removed token is rejected from the next RPC on. A file that cannot be used is rejected with a warning in the log, and
/// the previous tokens stay in use.
///
/// The time of a lookup does not depend on the number of tokens, nor on how much of a token a client has guessed.
///
/// ```no_run
/// use grpcio_kit::{BearerTokens, Server};
///
/// let tokens = BearerTokens::file("tokens").load()?.allow_unauthenticated("grpc.health.v1.Health");
/// let server = Server::builder().interceptor(tokens).listen("[::1]:50050".parse()?).start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BearerTokens {
    tokens: Watched<TokenIndex>,
    unauthenticated: UnauthenticatedServices,
}

/// The file of a [`BearerTokens`], before it is loaded.
#[derive(Clone, Debug)]
#[must_use]
pub struct BearerTokensFile {
    path: PathBuf,
    poll_interval: Duration,
}

impl BearerTokens {
    /// Tokens from a file, which [`BearerTokensFile::load`] loads.
    pub fn file(path: impl Into<PathBuf>) -> BearerTokensFile {
        BearerTokensFile { path: path.into(), poll_interval: DEFAULT_POLL_INTERVAL }
    }

    /// Accepts RPCs without a token to this service, by its full name: `grpc.health.v1.Health`.
    #[must_use]
    pub fn allow_unauthenticated(mut self, service: impl Into<String>) -> BearerTokens {
        self.unauthenticated.add(service.into());
        self
    }

    /// Counts of successful and failed reloads.
    pub fn reloads(&self) -> Reloads {
        self.tokens.reloads()
    }
}

/// Tokens by a hash of their text.
///
/// The hash has a random key for each load of the file, so a client cannot learn anything about a token from the time that
/// finding its hash takes: it would have to know the key to choose texts with related hashes. The hash only selects; what
/// it finds is compared as a whole, in constant time. A token that is not there is compared with itself instead, so that it
/// takes the same time.
struct TokenIndex {
    hasher: RandomState,
    /// More than one for a hash if two tokens have the same, or if a token is in the file twice.
    by_hash: HashMap<u64, Vec<BearerToken>>,
}

impl TokenIndex {
    fn new(tokens: Vec<BearerToken>) -> TokenIndex {
        let hasher = RandomState::new();
        let mut by_hash: HashMap<u64, Vec<BearerToken>> = HashMap::with_capacity(tokens.len());
        for token in tokens {
            by_hash.entry(hasher.hash_one(token.as_str().as_bytes())).or_default().push(token);
        }
        TokenIndex { hasher, by_hash }
    }

    fn contains(&self, token: &[u8]) -> bool {
        let is_known = match self.by_hash.get(&self.hasher.hash_one(token)) {
            // All of them: `any` would end at the first.
            Some(known) => known
                .iter()
                .map(|known| known.as_str().as_bytes().ct_eq(token))
                .fold(Choice::from(0), |known, same| known | same),
            None => token.ct_eq(token) & Choice::from(0),
        };
        is_known.into()
    }
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTokens").field("unauthenticated", &self.unauthenticated).finish_non_exhaustive()
    }
}

impl BearerTokensFile {
    /// Sets how often the file is checked for changes: [`DEFAULT_POLL_INTERVAL`] by default, at least 10 milliseconds.
    pub fn poll_interval(mut self, interval: Duration) -> BearerTokensFile {
        self.poll_interval = interval;
        self
    }

    /// Loads the file and watches it for changes. Logs a warning if group or others can access it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be read, has no token or too many, or a line with something else.
    pub fn load(self) -> Result<BearerTokens, FileError> {
        let BearerTokensFile { path, poll_interval } = self;
        let tokens = Watched::start("tokens", vec![path.clone()], poll_interval, move |contents| {
            let tokens = parse(&path, contents.first().map_or(&[], Vec::as_slice))?;
            if tokens.len() > MAX_TOKENS {
                let reason = format!("it has {} tokens; the maximum is {MAX_TOKENS}", tokens.len());
                return Err(FileError::content(&path, reason));
            }
            warn_if_exposed(&path, "the tokens");
            Ok(TokenIndex::new(tokens))
        })?;
        Ok(BearerTokens { tokens, unauthenticated: UnauthenticatedServices::default() })
    }
}

impl Interceptor for BearerTokens {
    fn start(&self, methods: &[MethodDescriptor]) {
        self.unauthenticated.start(methods);
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if self.unauthenticated.contains(call.method()) {
            return Ok(());
        }
        let reject = |why| Err(Status::new(Code::Unauthenticated, why));
        let Some(authorization) = call.metadata("authorization") else {
            return reject("no token; send the metadata `authorization: Bearer TOKEN`");
        };
        match token_in(authorization) {
            None => reject("malformed `authorization` metadata; send `Bearer TOKEN`"),
            Some(token) if self.tokens.latest().value.contains(token) => Ok(()),
            Some(_) => reject("unknown token"),
        }
    }
}

/// The token in `Bearer TOKEN`. The scheme is not case-sensitive (RFC 9110, 11.1).
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
    fn the_token_follows_the_scheme() {
        assert_eq!(token_in(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(token_in(b"bearer  abc "), Some(&b"abc"[..]));
        for malformed in ["", "abc", "Bearer", "Bearer ", "Bearer  ", "Basic abc", "Bearerabc", "Bearer a b"] {
            assert_eq!(token_in(malformed.as_bytes()), None, "{malformed}");
        }
    }

    #[test]
    fn only_whole_tokens_of_the_file_are_known() {
        for count in [1, 2, 1000] {
            // The first one twice.
            let texts: Vec<_> = (0..count).chain([0]).map(|number| format!("token-of-client-{number:04}")).collect();
            let index = TokenIndex::new(texts.iter().map(|text| BearerToken::new(text).unwrap()).collect());
            for text in &texts {
                assert!(index.contains(text.as_bytes()), "{text}");
                assert!(!index.contains(&text.as_bytes()[1..]) && !index.contains(format!("{text}0").as_bytes()));
                assert!(!index.contains(text.to_uppercase().as_bytes()));
            }
            assert!(!index.contains(b"token-of-client-1000") && !index.contains(b""));
        }
    }

    #[test]
    fn tokens_with_the_same_hash_are_told_apart() {
        let [one, other, third] = ["0123456789abcdef", "0123456789abcdeX", "0123456789abcdeY"];
        let mut index = TokenIndex::new(vec![BearerToken::new(one).unwrap()]);
        let tokens = index.by_hash.remove(&index.hasher.hash_one(one.as_bytes())).unwrap();
        let tokens = [tokens, vec![BearerToken::new(other).unwrap()]].concat();
        for text in [one, other, third] {
            index.by_hash.insert(index.hasher.hash_one(text.as_bytes()), tokens.clone());
        }
        assert!(
            index.contains(one.as_bytes()) && index.contains(other.as_bytes()) && !index.contains(third.as_bytes())
        );
    }

    #[test]
    fn a_file_has_a_maximum_number_of_tokens_and_they_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, "0123456789abcdef\n".repeat(1000)).unwrap();
        let tokens = BearerTokens::file(&path).load().unwrap();
        assert!(!format!("{tokens:?}").contains("0123"));
        std::fs::write(&path, "0123456789abcdef\n".repeat(1001)).unwrap();
        let error = BearerTokens::file(&path).load().unwrap_err().to_string();
        assert!(error.contains("has 1001 tokens; the maximum is 1000"), "{error}");
    }
}
