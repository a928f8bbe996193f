//! Tokens of pages: where a list goes on, sealed for one question of one caller (security 9).
//!
//! The key is made at start and never leaves the process: a token of another run, of another
//! question, or that somebody made up, is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::status::ManageFault;

/// How many bytes the seal has.
const SEAL: usize = 32;
/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 4_096;

/// What tokens are sealed with.
#[derive(Clone)]
pub struct PageKey(Hmac<Sha256>);

impl std::fmt::Debug for PageKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PageKey")
    }
}

impl PageKey {
    /// A key from random bytes.
    pub fn new(random: [u8; 64]) -> Self {
        Self(Hmac::new(&random.into()))
    }

    /// A token for the page after `position`.
    pub fn seal(&self, question: &[&str], position: &str) -> String {
        let mut token = self
            .over(question, position)
            .finalize()
            .into_bytes()
            .to_vec();
        token.extend_from_slice(position.as_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The position of a token, if it is one of this question.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn open(&self, question: &[&str], token: &str) -> Result<String, ManageFault> {
        let refused = |()| ManageFault::PageToken;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(ManageFault::PageToken);
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused(()))?;
        let (seal, position) = token.split_at_checked(SEAL).ok_or(ManageFault::PageToken)?;
        let position = std::str::from_utf8(position).map_err(|_| refused(()))?;
        let sealed = self.over(question, position);
        // Compared in constant time.
        sealed.verify_slice(seal).map_err(|_| refused(()))?;
        Ok(position.to_owned())
    }

    fn over(&self, question: &[&str], position: &str) -> Hmac<Sha256> {
        let mut seal = self.0.clone();
        for part in question.iter().chain([&position]) {
            // The length ends each part.
            seal.update(&part.len().to_le_bytes());
            seal.update(part.as_bytes());
        }
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_question_and_one_run() {
        let key = PageKey::new([7; 64]);
        let question = ["ListObjects", "owner", "accounts/"];
        let token = key.seal(&question, "accounts/1");
        assert_eq!(key.open(&question, &token).unwrap(), "accounts/1");
        let others: [&[&str]; 3] = [
            &["ListObjects", "owner", "accounts"],
            &["ListObjects", "ownera", "ccounts/"],
            &["ListRevisions", "owner", "accounts/"],
        ];
        for other in others {
            assert_eq!(key.open(other, &token), Err(ManageFault::PageToken));
        }
        let other_run = PageKey::new([8; 64]);
        assert_eq!(
            other_run.open(&question, &token),
            Err(ManageFault::PageToken)
        );
        for made_up in ["", "x", "!", &token[1..], &token.repeat(100)] {
            assert_eq!(key.open(&question, made_up), Err(ManageFault::PageToken));
        }
    }
}
