//! The bytes of a file: where they come from, how many they are, and their digest.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Digest(pub [u8; 32]);

impl Sha256Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hex digits of either case.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let hex = hex.as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut out = [0; 32];
        if hex.len() != 64 {
            return None;
        }
        for (slot, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
            *slot = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(out))
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&hex).ok_or_else(|| serde::de::Error::custom(format!("`{hex}` is not a SHA-256 digest")))
    }
}

/// Bytes written as lower-case hex digits, two each.
#[derive(Debug, Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // NOTE: every record holds several digests; `{:02x}` for each byte took longer than the JSON around them.
        self.0.chunks(32).try_for_each(|bytes| {
            let mut digits = [0; 64];
            for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
                pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            f.write_str(std::str::from_utf8(&digits[..bytes.len() * 2]).unwrap_or_default())
        })
    }
}

/// What a file looked like when its digest was taken; a later reader that sees another stamp refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub len: u64,
    /// Time of last modification, where the file system has one.
    pub modified: Option<SystemTime>,
}

/// Bytes that a repeated pattern has at least.
const WIDE: usize = 4096;

/// A run of bytes of a [`Content`].
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes held in memory: small, or part of the program.
    Bytes(Bytes),
    /// A range of a file on disk.
    File {
        /// The file.
        path: Arc<PathBuf>,
        /// First byte.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// What the file looked like when it was digested.
        stamp: Stamp,
    },
    /// `len` bytes made by repeating `pattern`.
    Fill {
        /// What is repeated; not empty.
        pattern: Bytes,
        /// How many bytes.
        len: u64,
    },
}

impl Piece {
    /// Bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } | Self::Fill { len, .. } => *len,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same bytes with a pattern that is worth a read of its own: one of a single byte takes a read for each.
    fn widened(self) -> Self {
        match self {
            Self::Fill { pattern, len } if pattern.len() < WIDE && len > pattern.len() as u64 => {
                Self::Fill { pattern: pattern.repeat(WIDE.div_ceil(pattern.len())).into(), len }
            }
            other => other,
        }
    }

    /// `len` of its bytes from `start` on, both within it.
    fn part(&self, start: u64, len: u64) -> Self {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(index(start)..index(start + len))),
            Self::File { path, offset, stamp, .. } => {
                Self::File { path: path.clone(), offset: offset + start, len, stamp: stamp.clone() }
            }
            Self::Fill { pattern, .. } => {
                let turn = index(start % pattern.len() as u64);
                let turned = [&pattern[turn..], &pattern[..turn]].concat();
                Self::Fill { pattern: turned.into(), len }
            }
        }
    }
}

/// The bytes of a file to upload: never held in memory whole when they are on disk.
#[derive(Debug, Clone)]
pub struct Content {
    pieces: Arc<[Piece]>,
    len: u64,
    sha256: Sha256Digest,
}

impl Content {
    /// Content made of `pieces`, which are read once to take the digest.
    pub fn from_pieces(pieces: Vec<Piece>) -> io::Result<Self> {
        let pieces: Vec<Piece> = pieces.into_iter().map(Piece::widened).collect();
        let len = pieces.iter().map(Piece::len).sum();
        let mut content = Self { pieces: pieces.into(), len, sha256: Sha256Digest([0; 32]) };
        let mut hasher = Sha256::new();
        let mut reader = content.reader();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        content.sha256 = Sha256Digest(hasher.finalize().into());
        Ok(content)
    }

    /// Content held in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let sha256 = Sha256Digest::of(&bytes);
        Self { len: bytes.len() as u64, pieces: [Piece::Bytes(bytes)].into(), sha256 }
    }

    /// The whole of a file on disk.
    pub fn from_file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let stamp = Stamp::of(&File::open(&path)?.metadata()?);
        Self::from_pieces(vec![Piece::File { path: Arc::new(path), offset: 0, len: stamp.len, stamp }])
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// The pieces, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The bytes of `range` as pieces; what lies past the end is left out.
    #[must_use]
    pub fn range(&self, range: Range<u64>) -> Vec<Piece> {
        let mut start = 0;
        let mut out = Vec::new();
        for piece in self.pieces.iter() {
            let end = start + piece.len();
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                out.push(piece.part(from - start, to - from));
            }
            start = end;
        }
        out
    }

    /// Reads the bytes of `range` into memory; fewer when the content ends before.
    pub fn read_range(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let pieces = self.range(range).into();
        ContentReader { pieces, next: 0, left: 0, open: None }.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads the bytes from the start. A file that is not the one that was digested gives an
    /// [`io::ErrorKind::InvalidData`] error, at the latest at its end.
    #[must_use]
    pub fn reader(&self) -> ContentReader {
        ContentReader { pieces: self.pieces.clone(), next: 0, left: 0, open: None }
    }
}

impl Stamp {
    /// The stamp of the file that has this metadata.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { len: metadata.len(), modified: metadata.modified().ok() }
    }

    fn check(&self, metadata: &Metadata, path: &Path) -> io::Result<()> {
        if Self::of(metadata) == *self {
            return Ok(());
        }
        let message = format!("`{}` changed while it was being used", path.display());
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

/// Reads a [`Content`] from start to end.
#[derive(Debug)]
pub struct ContentReader {
    pieces: Arc<[Piece]>,
    next: usize,
    left: u64,
    open: Option<File>,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.left == 0 {
                if let (Some(file), Some(Piece::File { path, stamp, .. })) =
                    (self.open.take(), self.next.checked_sub(1).and_then(|last| self.pieces.get(last)))
                {
                    stamp.check(&file.metadata()?, path)?;
                }
                let Some(piece) = self.pieces.get(self.next) else { return Ok(0) };
                if let Piece::File { path, offset, stamp, .. } = piece {
                    let mut file = File::open(path.as_path())?;
                    stamp.check(&file.metadata()?, path)?;
                    if *offset > 0 {
                        file.seek(SeekFrom::Start(*offset))?;
                    }
                    self.open = Some(file);
                }
                self.left = piece.len();
                self.next += 1;
                continue;
            }
            let piece = &self.pieces[self.next - 1];
            let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
            let done = piece.len() - self.left;
            let read = match piece {
                Piece::Bytes(bytes) => {
                    let start = usize::try_from(done).unwrap_or(usize::MAX);
                    buffer[..want].copy_from_slice(&bytes[start..start + want]);
                    want
                }
                Piece::Fill { pattern, .. } => {
                    let turn = usize::try_from(done % pattern.len() as u64).unwrap_or(0);
                    let want = want.min(pattern.len() - turn);
                    buffer[..want].copy_from_slice(&pattern[turn..turn + want]);
                    want
                }
                Piece::File { path, .. } => {
                    let read = self.open.as_mut().map_or(Ok(0), |file| file.read(&mut buffer[..want]))?;
                    if read == 0 {
                        let message = format!("`{}` became shorter while it was being read", path.display());
                        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                    }
                    read
                }
            };
            self.left -= read as u64;
            return Ok(read);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(dir: &Path) -> Content {
        let path = dir.join("middle");
        std::fs::write(&path, b"0123456789").unwrap();
        let stamp = Stamp::of(&std::fs::metadata(&path).unwrap());
        let part = Piece::File { path: Arc::new(path), offset: 2, len: 6, stamp };
        let fill = Piece::Fill { pattern: Bytes::from_static(b"xyz"), len: 8 };
        Content::from_pieces(vec![Piece::Bytes(Bytes::from_static(b"ab")), part, fill]).unwrap()
    }

    #[test]
    fn every_range_reads_the_same_bytes_as_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        let content = mixed(dir.path());
        let mut whole = Vec::new();
        content.reader().read_to_end(&mut whole).unwrap();
        assert_eq!(whole, b"ab234567xyzxyzxy");
        assert_eq!(content.sha256(), Sha256Digest::of(&whole));
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                let read = content.read_range(start as u64..end as u64).unwrap();
                assert_eq!(read, whole[start..end], "{start}..{end}");
            }
        }
    }

    #[test]
    fn hex_digits_are_those_of_the_standard_library() {
        let bytes: Vec<u8> = (0..=255).collect();
        let expected = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(Hex(&bytes).to_string(), expected);
        assert_eq!(Hex(&bytes[..33]).to_string(), expected[..66]);
        assert_eq!(Hex(b"").to_string(), "");
    }

    #[test]
    fn a_file_that_changed_after_the_digest_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let content = mixed(dir.path());
        std::fs::write(dir.path().join("middle"), b"0123456789 and more").unwrap();
        let error = content.reader().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
