//! What the origin remembers: receipts and the bytes of files, both bounded.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Room for one receipt on average, in bytes; a usual one takes a tenth.
const RECEIPT: usize = 4096;

/// How much an origin remembers. The oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Receipts that are kept: one at least.
    pub receipts: usize,
    /// Bytes of all kept files together.
    pub store_bytes: usize,
    /// Bytes of the largest file that is kept.
    pub file_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { receipts: 65_536, store_bytes: 64 << 20, file_bytes: 8 << 20 }
    }
}

/// What is left of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// All of it.
    Whole(Bytes),
    /// It was too large to be kept.
    TooLarge,
    /// It made room for newer ones.
    Evicted,
    /// It was lost.
    Lost,
}

impl Default for Kept {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::TooLarge | Self::Evicted | Self::Lost => 0,
        }
    }
}

#[derive(Debug)]
struct Entry {
    attempt: Arc<str>,
    /// JSON.
    receipt: Bytes,
    file: Kept,
}

#[derive(Debug, Default)]
struct Shelves {
    numbers: HashMap<Arc<str>, u64>,
    /// By the order of their arrival.
    entries: BTreeMap<u64, Entry>,
    next: u64,
    receipt_bytes: usize,
    file_bytes: usize,
    /// No entry before this one has a file.
    first_file: u64,
}

/// Receipts and files by attempt.
#[derive(Debug)]
pub(super) struct Store {
    limits: Limits,
    shelves: Mutex<Shelves>,
}

impl Store {
    /// An empty store.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, shelves: Mutex::default() }
    }

    /// Bytes of the largest file that is kept.
    pub(super) fn max_file(&self) -> usize {
        self.limits.file_bytes.min(self.limits.store_bytes)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a receipt and its file; an older one of the same attempt goes.
    pub(super) fn put(&self, attempt: &str, receipt: Bytes, file: Kept) {
        let mut shelves = self.shelves();
        if let Some(&number) = shelves.numbers.get(attempt) {
            shelves.forget(number);
        }
        shelves.add(Entry { attempt: attempt.into(), receipt, file });
        while shelves.entries.len() > 1
            && (shelves.entries.len() > self.limits.receipts
                || shelves.receipt_bytes > self.limits.receipts.saturating_mul(RECEIPT))
        {
            let Some((&oldest, _)) = shelves.entries.first_key_value() else { break };
            shelves.forget(oldest);
        }
        while shelves.file_bytes > self.limits.store_bytes && shelves.evict_file() {}
    }

    /// The receipt of an attempt, JSON.
    pub(super) fn receipt(&self, attempt: &str) -> Option<Bytes> {
        self.shelves().entry(attempt).map(|entry| entry.receipt.clone())
    }

    /// The file of an attempt.
    pub(super) fn file(&self, attempt: &str) -> Option<Kept> {
        self.shelves().entry(attempt).map(|entry| entry.file.clone())
    }
}

impl Shelves {
    fn entry(&self, attempt: &str) -> Option<&Entry> {
        self.entries.get(self.numbers.get(attempt)?)
    }

    fn add(&mut self, entry: Entry) {
        self.receipt_bytes += entry.receipt.len();
        self.file_bytes += entry.file.len();
        self.numbers.insert(Arc::clone(&entry.attempt), self.next);
        self.entries.insert(self.next, entry);
        self.next += 1;
    }

    fn forget(&mut self, number: u64) {
        if let Some(entry) = self.entries.remove(&number) {
            self.receipt_bytes -= entry.receipt.len();
            self.file_bytes -= entry.file.len();
            self.numbers.remove(&entry.attempt);
        }
    }

    /// Drops the oldest file; `false`: there is none.
    fn evict_file(&mut self) -> bool {
        let Some((&number, entry)) = self.entries.range_mut(self.first_file..).next() else { return false };
        self.first_file = number + 1;
        if entry.file.len() > 0 {
            self.file_bytes -= std::mem::replace(&mut entry.file, Kept::Evicted).len();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(receipts: usize, store_bytes: usize) -> Store {
        Store::new(Limits { receipts, store_bytes, file_bytes: 100 })
    }

    fn put(store: &Store, attempt: &str, size: usize) {
        store.put(attempt, Bytes::from(attempt.to_owned()), Kept::Whole(vec![0; size].into()));
    }

    #[test]
    fn the_oldest_receipts_go_first_and_take_their_files_along() {
        let store = store(3, 1000);
        for number in 0..10 {
            put(&store, &number.to_string(), 10);
        }
        let kept: Vec<_> = (0..10).filter(|number| store.receipt(&number.to_string()).is_some()).collect();
        assert_eq!(kept, [7, 8, 9]);
        assert_eq!(store.file("6"), None);
        assert_eq!(store.shelves().file_bytes, 30);
    }

    #[test]
    fn the_oldest_files_go_first_and_leave_their_receipts() {
        let store = store(100, 25);
        for attempt in ["a", "b", "c"] {
            put(&store, attempt, 10);
        }
        assert_eq!(store.file("a"), Some(Kept::Evicted));
        assert_eq!(store.file("b").unwrap().len(), 10);
        assert!(store.receipt("a").is_some());
    }

    #[test]
    fn an_attempt_that_comes_again_counts_once_and_as_the_newest() {
        let store = store(2, 25);
        for attempt in ["a", "b", "a", "c"] {
            put(&store, attempt, 10);
        }
        assert!(store.receipt("b").is_none() && store.receipt("a").is_some() && store.receipt("c").is_some());
        assert_eq!(store.shelves().file_bytes, 20);
    }

    #[test]
    fn large_receipts_make_room_too_but_the_newest_stays() {
        let store = store(2, 0);
        for attempt in ["a", "b"] {
            store.put(attempt, vec![b' '; RECEIPT * 3].into(), Kept::TooLarge);
        }
        assert!(store.receipt("a").is_none() && store.receipt("b").is_some());
    }
}
