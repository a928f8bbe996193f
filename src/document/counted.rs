//! How many of something there are, in words for people: `1 error`, `2 errors`.
//!
//! Not here: words whose plural is not theirs with an `s`; nothing that is counted has one.

use std::fmt::Display;

/// A number with the word for one of what it counts.
pub fn counted<N: Copy + Display + From<u8> + PartialEq>(number: N, one: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_told_as_one() {
        assert_eq!(counted(0_usize, "error"), "0 errors");
        assert_eq!(counted(1_u64, "further error"), "1 further error");
        assert_eq!(counted(2_usize, "error"), "2 errors");
        assert_eq!(counted(11_u64, "key"), "11 keys");
    }
}
