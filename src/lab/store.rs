//! What the origin remembers: receipts and the bytes of small files, both bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::origin::Receipt;

/// The largest file that is kept for read-back, in bytes.
const MAX_FILE: usize = 1 << 20;
/// All kept files together, in bytes.
const MAX_FILES: usize = 64 << 20;
/// Receipts that are kept; the oldest go first.
const MAX_RECEIPTS: usize = 65_536;

/// What is left of a file.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// All of it.
    Whole(Bytes),
    /// It was too large to be kept.
    TooLarge,
    /// It was lost.
    Lost,
}

impl Default for Kept {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Kept {
    /// Adds bytes, as long as it stays small.
    pub(super) fn extend(&mut self, more: &[u8]) {
        let Self::Whole(bytes) = self else { return };
        if bytes.len() + more.len() > MAX_FILE {
            *self = Self::TooLarge;
            return;
        }
        // NOTE: we are the only owner while the part is read, so this does not copy what is there.
        let mut grown = bytes::BytesMut::from(std::mem::take(bytes));
        grown.extend_from_slice(more);
        *bytes = grown.freeze();
    }

    /// What is there; empty for a file that was not kept.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::TooLarge | Self::Lost => &[],
        }
    }
}

#[derive(Debug, Default)]
struct Shelves {
    receipts: HashMap<String, Arc<Receipt>>,
    receipt_order: VecDeque<String>,
    files: HashMap<String, Kept>,
    file_order: VecDeque<String>,
    file_bytes: usize,
}

/// Receipts and files by attempt.
#[derive(Debug, Default)]
pub(super) struct Store(Mutex<Shelves>);

impl Store {
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a receipt and its file; an older one of the same attempt goes.
    pub(super) fn put(&self, attempt: &str, receipt: Receipt, file: Kept) {
        let mut shelves = self.shelves();
        let key = attempt.to_owned();
        if shelves.receipts.insert(key.clone(), Arc::new(receipt)).is_none() {
            shelves.receipt_order.push_back(key.clone());
        }
        shelves.file_bytes += file.bytes().len();
        match shelves.files.insert(key.clone(), file) {
            Some(old) => shelves.file_bytes -= old.bytes().len(),
            None => shelves.file_order.push_back(key),
        }
        while shelves.receipts.len() > MAX_RECEIPTS {
            let Some(oldest) = shelves.receipt_order.pop_front() else { break };
            shelves.receipts.remove(&oldest);
        }
        while shelves.file_bytes > MAX_FILES || shelves.files.len() > MAX_RECEIPTS {
            let Some(oldest) = shelves.file_order.pop_front() else { break };
            let old = shelves.files.remove(&oldest).map_or(0, |old| old.bytes().len());
            shelves.file_bytes -= old;
        }
    }

    /// The receipt of an attempt.
    pub(super) fn receipt(&self, attempt: &str) -> Option<Arc<Receipt>> {
        self.shelves().receipts.get(attempt).cloned()
    }

    /// The file of an attempt.
    pub(super) fn file(&self, attempt: &str) -> Option<Kept> {
        self.shelves().files.get(attempt).cloned()
    }
}
