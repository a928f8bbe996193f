//! The files of a bundle as they are kept for later: one compressed stream, some times smaller.
//!
//! Most files are never looked at again once they are compiled. What may still be asked of them is
//! everything: an account whose newest files are refused stays at the last good ones, and whoever
//! manages may read each document as it is in force.

use std::io::{self, Read, Write as _};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::BundleFiles;

/// The files of a bundle, compressed.
#[derive(Debug)]
pub struct PackedFiles {
    stream: Box<[u8]>,
    count: usize,
}

impl PackedFiles {
    /// Compresses files.
    ///
    /// # Errors
    ///
    /// When the compression fails.
    pub fn pack(files: &BundleFiles) -> io::Result<Self> {
        let info = FrameInfo::new()
            .block_mode(BlockMode::Linked)
            .block_size(BlockSize::Max64KB);
        let mut stream = FrameEncoder::with_frame_info(info, Vec::new());
        for (path, content) in files.iter() {
            for part in [path.as_bytes(), content] {
                stream.write_all(&part.len().to_le_bytes())?;
                stream.write_all(part)?;
            }
        }
        let stream = stream.finish()?.into_boxed_slice();
        let count = files.iter().len();
        Ok(Self { stream, count })
    }

    /// The files as they were.
    ///
    /// # Errors
    ///
    /// When the stream is damaged.
    pub fn unpack(&self) -> io::Result<BundleFiles> {
        let mut stream = FrameDecoder::new(&*self.stream);
        let mut files = BundleFiles::default();
        for _ in 0..self.count {
            let path = part(&mut stream)?;
            let path = String::from_utf8(path)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            files.insert(path, part(&mut stream)?);
        }
        Ok(files)
    }

    /// How many bytes they take.
    pub fn len(&self) -> usize {
        self.stream.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The next path or content.
fn part(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; size_of::<usize>()];
    stream.read_exact(&mut length)?;
    let length = usize::from_le_bytes(length);
    let mut part = Vec::with_capacity(length);
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    let read = stream.take(limit).read_to_end(&mut part)?;
    if read < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_as_they_were_and_take_less() {
        let mut files = BundleFiles::default();
        files.insert("accounts/1/account.json", "{}");
        files.insert("a/部.json", Vec::new());
        let line = r#"{"name": "p", "policy": {"Version": "1", "Statement": []}}"#;
        files.insert("policies/system/all.jsonl", line.repeat(10_000));
        let packed = PackedFiles::pack(&files).unwrap();
        assert_eq!(packed.unpack().unwrap(), files);
        assert!(packed.len() < 20 * line.len() * 10, "{}", packed.len());
        let none = PackedFiles::pack(&BundleFiles::default()).unwrap();
        assert_eq!(none.unpack().unwrap(), BundleFiles::default());
    }

    #[test]
    fn a_damaged_stream_is_told() {
        let mut files = BundleFiles::default();
        files.insert("bundle.json", "{}");
        let PackedFiles { stream, count } = PackedFiles::pack(&files).unwrap();
        let cut = stream[..stream.len() - 10].into();
        let cut = PackedFiles { stream: cut, count };
        assert!(cut.unpack().is_err());
        let more = PackedFiles {
            stream,
            count: count + 1,
        };
        assert!(more.unpack().is_err());
    }
}
