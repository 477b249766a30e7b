//! What one connection has carried, seen from both sides of TLS.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Not yet happened.
const NEVER: u64 = u64::MAX;

/// Counts and times of the request that a connection carries now. Shared by the layers of its IO; each field has one
/// writer at a time, because one task polls them all.
#[derive(Debug)]
pub(super) struct Tally {
    epoch: Instant,
    /// The head to put in the place of hyper's, until the layer above TLS takes it.
    head: Mutex<Option<Bytes>>,
    armed: AtomicBool,
    /// Bytes taken by the layer below, above TLS.
    upper: AtomicU64,
    /// Bytes handed to the kernel, below TLS.
    lower: AtomicU64,
    lower_at_begin: AtomicU64,
    last_write: AtomicU64,
    last_activity: AtomicU64,
    first_byte: AtomicU64,
    upper_at_answer: AtomicU64,
    lower_at_answer: AtomicU64,
    drained: AtomicBool,
    failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

/// Bytes of a request that had gone out at a certain moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone {
    /// Taken by TLS, or by the kernel where there is no TLS.
    pub(super) upper: u64,
    /// Handed to the kernel, TLS records included.
    pub(super) lower: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            head: Mutex::new(None),
            armed: AtomicBool::new(false),
            upper: AtomicU64::new(0),
            lower: AtomicU64::new(0),
            lower_at_begin: AtomicU64::new(0),
            last_write: AtomicU64::new(NEVER),
            last_activity: AtomicU64::new(0),
            first_byte: AtomicU64::new(NEVER),
            upper_at_answer: AtomicU64::new(0),
            lower_at_answer: AtomicU64::new(0),
            drained: AtomicBool::new(true),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// A request begins; `head` replaces the one that hyper writes.
    pub(super) fn begin(&self, head: Option<Bytes>) {
        self.armed.store(head.is_some(), Relaxed);
        *lock(&self.head) = head;
        self.upper.store(0, Relaxed);
        self.lower_at_begin.store(self.lower.load(Relaxed), Relaxed);
        self.last_write.store(NEVER, Relaxed);
        self.first_byte.store(NEVER, Relaxed);
        self.drained.store(false, Relaxed);
        self.touch();
    }

    pub(super) fn take_head(&self) -> Option<Bytes> {
        if self.armed.load(Relaxed) && self.armed.swap(false, Relaxed) { lock(&self.head).take() } else { None }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(NEVER - 1)
    }

    fn touch(&self) -> u64 {
        let now = self.now();
        self.last_activity.store(now, Relaxed);
        now
    }

    pub(super) fn wrote_above(&self, bytes: usize) {
        self.upper.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn wrote_below(&self, bytes: usize) {
        self.lower.fetch_add(bytes as u64, Relaxed);
        self.last_write.store(self.touch(), Relaxed);
    }

    pub(super) fn read_below(&self) {
        self.touch();
    }

    pub(super) fn set_drained(&self, drained: bool) {
        self.drained.store(drained, Relaxed);
    }

    /// Everything that hyper wrote has been handed on.
    pub(super) fn is_drained(&self) -> bool {
        self.drained.load(Relaxed)
    }

    /// The answer's first byte is here; only the first call of a request counts.
    pub(super) fn answer_begins(&self) {
        if self.first_byte.load(Relaxed) == NEVER {
            let gone = self.gone();
            self.upper_at_answer.store(gone.upper, Relaxed);
            self.lower_at_answer.store(gone.lower, Relaxed);
            self.first_byte.store(self.now(), Relaxed);
        }
    }

    /// What came was a 1xx answer: the final one is still to come.
    pub(super) fn was_informational(&self) {
        self.first_byte.store(NEVER, Relaxed);
    }

    pub(super) fn fail(&self, error: &io::Error) {
        if !self.failed.swap(true, Relaxed) {
            *lock(&self.failure) = Some(error.to_string());
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Why writing failed, in the system's words.
    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    fn gone(&self) -> Gone {
        let lower = self.lower.load(Relaxed) - self.lower_at_begin.load(Relaxed);
        Gone { upper: self.upper.load(Relaxed), lower }
    }

    /// What had gone out when the answer began, or, without an answer, until now.
    pub(super) fn gone_before_answer(&self) -> Gone {
        if self.first_byte.load(Relaxed) == NEVER {
            return self.gone();
        }
        Gone { upper: self.upper_at_answer.load(Relaxed), lower: self.lower_at_answer.load(Relaxed) }
    }

    /// Nothing was written after the answer began.
    pub(super) fn answer_came_last(&self) -> bool {
        self.gone_before_answer() == self.gone()
    }

    fn instant(&self, at: u64) -> Option<Instant> {
        (at != NEVER).then(|| self.epoch + Duration::from_micros(at))
    }

    pub(super) fn last_activity(&self) -> Instant {
        self.epoch + Duration::from_micros(self.last_activity.load(Relaxed))
    }

    pub(super) fn last_write(&self) -> Option<Instant> {
        self.instant(self.last_write.load(Relaxed))
    }

    pub(super) fn first_byte(&self) -> Option<Instant> {
        self.instant(self.first_byte.load(Relaxed))
    }
}

/// A poisoned lock only means that another task panicked: the value is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
