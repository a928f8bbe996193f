//! Tokens of pages: where a list goes on, sealed for one question of one caller (security 9).
//!
//! A position may name what whoever asks must not see, so that a token hides it.
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

/// What begins a block of a mask. No question begins so: its first part would be as long as this
/// says.
const MASK: &[u8] = &[0xff; 8];

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

    /// A token for the page after `position`, which only this key can read.
    pub fn seal(&self, question: &[&str], position: &str) -> String {
        let seal = self.over(question, position).finalize().into_bytes();
        let mut token = seal.to_vec();
        token.extend(self.masked(&seal, position.as_bytes()));
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
        let position = String::from_utf8(self.masked(seal, position));
        let position = position.map_err(|_| refused(()))?;
        let sealed = self.over(question, &position);
        // Compared in constant time.
        sealed.verify_slice(seal).map_err(|_| refused(()))?;
        Ok(position)
    }

    /// A position under its mask, or from under it. The mask is drawn from the seal, which is of
    /// this position and question alone, as in SIV: equal tokens are all that can be told.
    fn masked(&self, seal: &[u8], position: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(position.len());
        for (number, chunk) in position.chunks(SEAL).enumerate() {
            let mut block = self.0.clone();
            block.update(MASK);
            block.update(&number.to_le_bytes());
            block.update(seal);
            let block = block.finalize().into_bytes();
            masked.extend(chunk.iter().zip(block).map(|(byte, mask)| byte ^ mask));
        }
        masked
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
