//! Where authored state and live resources come from and are kept: bytes in, no meaning.
//!
//! Not here: reading what the bytes say (`document`).

pub mod backup;
pub mod directory;
pub mod embedded;
pub mod files;
mod place;
pub mod watch;

/// Bytes that nobody can guess.
///
/// # Errors
///
/// When the system has none.
pub fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}
