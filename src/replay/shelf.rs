//! The bytes of small files, at hand for the next request that carries them: a corpus sends each file many times.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Mutex;

use bytes::Bytes;

use super::tally::lock;
use crate::corpus::{Content, Piece, Sha256Digest};

/// Bytes kept at most; the oldest go first.
const ROOM: usize = 8 << 20;

/// Files by digest. Whoever asks gives a file that fits into memory.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<Sha256Digest, Bytes>,
    order: VecDeque<Sha256Digest>,
    bytes: usize,
}

impl Shelf {
    /// All bytes of `content`. A file that is no longer the one that was digested is an error; once it is on the shelf,
    /// its digested bytes are sent, whatever becomes of it.
    pub(super) fn bytes(&self, content: &Content) -> io::Result<Bytes> {
        if let [Piece::Bytes(bytes)] = content.pieces() {
            return Ok(bytes.clone());
        }
        if let Some(bytes) = lock(&self.0).files.get(&content.sha256()) {
            return Ok(bytes.clone());
        }
        let bytes = Bytes::from(content.read_range(0..content.len())?);
        lock(&self.0).put(content.sha256(), bytes.clone());
        Ok(bytes)
    }
}

impl Kept {
    fn put(&mut self, digest: Sha256Digest, bytes: Bytes) {
        let len = bytes.len();
        if self.files.insert(digest, bytes).is_some() {
            return;
        }
        self.bytes += len;
        self.order.push_back(digest);
        while self.bytes > ROOM {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.files.remove(&oldest).map_or(0, |bytes| bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_was_digested_or_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.pdf");
        std::fs::write(&path, b"%PDF-1.4").unwrap();
        let content = Content::from_file(&path).unwrap();
        let shelf = Shelf::default();
        assert_eq!(shelf.bytes(&content).unwrap(), "%PDF-1.4");
        std::fs::write(&path, b"%PDF-1.4 and more").unwrap();
        assert_eq!(shelf.bytes(&content).unwrap(), "%PDF-1.4");
        assert_eq!(Shelf::default().bytes(&content).unwrap_err().kind(), io::ErrorKind::InvalidData);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Shelf::default().bytes(&content).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_shelf_stays_within_its_room_and_drops_the_oldest() {
        let mut kept = Kept::default();
        let digest = |number: u8| Sha256Digest([number; 32]);
        for number in 0..20 {
            kept.put(digest(number), vec![0; 1 << 20].into());
            assert!(kept.bytes <= ROOM);
        }
        assert_eq!(kept.files.len(), 8);
        assert!(kept.files.contains_key(&digest(19)) && !kept.files.contains_key(&digest(11)));
    }
}
