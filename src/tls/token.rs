//! Bearer tokens of the management channel, each in a file of its own.
//!
//! Only digests are kept. A token is compared with all of them, in a time that does not depend on
//! where it differs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::files::{Content, ReadError};
use super::kept::Material;
use crate::model::account::Name;

/// The fewest bytes of a token.
const MIN_BYTES: usize = 32;
/// The most bytes of a token.
const MAX_BYTES: usize = 4_096;
/// The permissions of everybody but the file's owner.
const OTHERS: u32 = 0o077;

/// A file with a token, and the name of those who hold it: `ops=/run/secrets/ops`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFile {
    name: Name,
    path: PathBuf,
}

/// A text is no `NAME=PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `NAME=PATH`")]
pub struct InvalidTokenFile;

impl FromStr for TokenFile {
    type Err = InvalidTokenFile;

    fn from_str(text: &str) -> Result<Self, InvalidTokenFile> {
        let (name, path) = text.split_once('=').ok_or(InvalidTokenFile)?;
        let name = Name::try_from(name).map_err(|_| InvalidTokenFile)?;
        if path.is_empty() {
            return Err(InvalidTokenFile);
        }
        let path = PathBuf::from(path);
        Ok(Self { name, path })
    }
}

/// Why tokens cannot be put into force.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Others may read or change the file.
    #[error("{} is open to others: its mode is {mode:04o}, not 0600 or 0400", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is not one line of at least 32 visible characters.
    #[error(
        "{} does not hold one line of {MIN_BYTES} to {MAX_BYTES} visible ASCII characters",
        path.display()
    )]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// Two names have one token, or two tokens one name.
    #[error("{} has the name or the token of another file", path.display())]
    Duplicate {
        /// The second of the two files.
        path: PathBuf,
    },
}

/// A token that was handed over, or one of a file.
#[derive(Clone, Copy)]
struct Secret([u8; 32]);

impl Secret {
    fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// The tokens in force.
pub struct Tokens(Vec<(Name, Secret)>);

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        formatter.debug_list().entries(names).finish()
    }
}

impl Tokens {
    /// The name of those who hold a token.
    pub fn holder(&self, token: &[u8]) -> Option<&Name> {
        let given = Secret::of(token);
        let mut found = u64::MAX;
        for (place, (_, known)) in (0_u64..).zip(&self.0) {
            let same: Choice = given.0.ct_eq(&known.0);
            found.conditional_assign(&place, same);
        }
        let place = usize::try_from(found).ok()?;
        self.0.get(place).map(|(name, _)| name)
    }
}

impl Material for Vec<TokenFile> {
    type Made = Tokens;
    type Error = InvalidToken;

    const WHAT: &'static str = "tokens";

    fn summary(made: &Tokens) -> String {
        format!("of {made:?}")
    }

    fn paths(&self) -> Vec<&Path> {
        self.iter().map(|file| file.path.as_path()).collect()
    }

    fn make(&self, files: &[Content]) -> Result<Tokens, InvalidToken> {
        let mut tokens = Tokens(Vec::new());
        for (TokenFile { name, .. }, file) in self.iter().zip(files) {
            let token = token(file)?;
            let path = || file.path.clone();
            let is_known = tokens.holder(token).is_some();
            if is_known || tokens.0.iter().any(|(known, _)| known == name) {
                return Err(InvalidToken::Duplicate { path: path() });
            }
            tokens.0.push((name.clone(), Secret::of(token)));
        }
        Ok(tokens)
    }
}

/// The token of a file, whose final line break is no part of it.
fn token(file: &Content) -> Result<&[u8], InvalidToken> {
    let Content { path, bytes, mode } = file;
    let mode = mode & 0o7777;
    if mode & OTHERS != 0 {
        let path = path.clone();
        return Err(InvalidToken::Mode { path, mode });
    }
    let token = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let token = token.strip_suffix(b"\r").unwrap_or(token);
    let is_visible = token.iter().all(u8::is_ascii_graphic);
    if is_visible && (MIN_BYTES..=MAX_BYTES).contains(&token.len()) {
        Ok(token)
    } else {
        let path = path.clone();
        Err(InvalidToken::Form { path })
    }
}

/// Reads one token, as a client does.
///
/// # Errors
///
/// When the file cannot be read, is open to others, or holds no token.
pub fn read_token(path: &Path) -> Result<String, InvalidToken> {
    let read = super::files::read_settled(&[path])?;
    let [file] = read.as_slice() else {
        let path = path.to_owned();
        return Err(InvalidToken::Form { path });
    };
    Ok(String::from_utf8_lossy(token(file)?).into_owned())
}
