//! The record: an append-only journal of attempts and outcomes that survives a kill at any moment.

pub mod event;
pub mod pool;

pub use event::{Attempt, CaseRecord, Event, RunEnding, RunManifest, SideName};
pub use pool::Pool;

/// A stored run, as far as comparing and reporting need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What was asked of it.
    pub manifest: RunManifest,
    /// How it ended; `None`: it was killed, or is still being written.
    pub ending: Option<RunEnding>,
    /// The settled cases, in the order in which they were settled.
    pub cases: Vec<CaseRecord>,
}
