//! The digest of a bundle: SHA-256 over the digests of its files, in the order of their paths.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::BundleFiles;

/// The digest of a bundle's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BundleDigest([u8; 32]);

impl BundleDigest {
    /// The digest of files in memory.
    pub fn of(files: &BundleFiles) -> Self {
        let mut digester = Digester::default();
        for (path, content) in files.iter() {
            digester.add(path, content);
        }
        digester.finish()
    }

    /// The first 64 bits.
    pub fn short(self) -> u64 {
        let first = self.0.first_chunk().copied();
        first.map_or(0, u64::from_be_bytes)
    }
}

/// Makes the digest of one file's content, piece by piece.
#[derive(Debug, Default)]
pub struct ContentDigester(Sha256);

impl ContentDigester {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}

/// Makes the digest of files that come one by one, in any order, without keeping their contents.
#[derive(Debug, Default)]
pub struct Digester(BTreeMap<String, [u8; 32]>);

impl Digester {
    /// Adds a file.
    pub fn add(&mut self, path: impl Into<String>, content: &[u8]) {
        self.0.insert(path.into(), Sha256::digest(content).into());
    }

    /// Adds a file whose content was met piece by piece.
    pub fn add_digested(&mut self, path: impl Into<String>, content: ContentDigester) {
        self.0.insert(path.into(), content.0.finalize().into());
    }

    /// The digest of all that were added.
    pub fn finish(self) -> BundleDigest {
        let mut whole = Sha256::new();
        for (path, digest) in self.0 {
            // The length ends the path, which may hold any byte.
            whole.update(path.len().to_be_bytes());
            whole.update(path);
            whole.update(digest);
        }
        BundleDigest(whole.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_contents_count_and_their_order_does_not() {
        let digest = |files: &[(&str, &str)]| {
            let mut digester = Digester::default();
            for (path, content) in files {
                digester.add(*path, content.as_bytes());
            }
            digester.finish()
        };
        let one = digest(&[("a/x.json", "1"), ("a.json", "2")]);
        assert_eq!(one, digest(&[("a.json", "2"), ("a/x.json", "1")]));
        let mut pieces = ContentDigester::default();
        pieces.update(b"ab");
        pieces.update(b"c");
        let mut digester = Digester::default();
        digester.add_digested("a.json", pieces);
        assert_eq!(digester.finish(), digest(&[("a.json", "abc")]));
        let mut files = BundleFiles::default();
        files.insert("a.json", "2");
        files.insert("a/x.json", "1");
        assert_eq!(one, BundleDigest::of(&files));
        assert_ne!(one, digest(&[("a.json", "1"), ("a/x.json", "2")]));
        assert_ne!(one, digest(&[("a.json", "2")]));
        assert_ne!(one.short(), digest(&[]).short());
    }
}
