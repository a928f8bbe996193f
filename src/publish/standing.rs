//! How what is in force stands to what its source holds: told to health, and to those who decide
//! where it may not decide for ever.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// How what is in force stands to what its source holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// What became of the newest documents.
    pub newest: Newest,
    /// From when on what is in force decides no more; `None`: it does for ever.
    pub expires: Option<Timestamp>,
}

impl Standing {
    /// Whether what is in force decides no more at an instant.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// What became of the newest documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Newest {
    /// They are in force.
    #[default]
    InForce,
    /// They are refused, or those of an account are, or they cannot be read.
    Refused,
}

/// From when on nothing is decided, in milliseconds of the Unix epoch.
#[derive(Debug)]
pub(super) struct Expiry(AtomicI64);

impl Default for Expiry {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }
}

impl Expiry {
    pub(super) fn set(&self, expires: Option<Timestamp>) {
        let expires = expires.map_or(i64::MAX, Timestamp::as_millisecond);
        self.0.store(expires, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self, now: impl FnOnce() -> Timestamp) -> bool {
        let expires = self.0.load(Ordering::Relaxed);
        expires != i64::MAX && expires <= now().as_millisecond()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_expires_asks_no_clock() {
        let expiry = Expiry::default();
        assert!(!expiry.is_over(|| panic!("the clock was asked")));
        let at = Timestamp::from_millisecond(5).unwrap();
        expiry.set(Some(at));
        let is_over = |now| expiry.is_over(|| Timestamp::from_millisecond(now).unwrap());
        assert_eq!([4, 5, 6].map(is_over), [false, true, true]);
        expiry.set(None);
        assert!(!expiry.is_over(|| Timestamp::MAX));
    }
}
