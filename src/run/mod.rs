//! The record: an append-only journal of attempts and outcomes that survives a kill at any moment.

mod answers;
pub mod conduct;
pub mod event;
pub mod journal;
pub mod lane;
pub mod pool;
pub mod preflight;
pub mod read;
mod sentinel;
pub mod waf;

pub use answers::{Answer, Answers, last_attempt};
pub use conduct::{Batch, Endings, Ends, Plan, Sink, conduct};
pub use event::{Attempt, CaseRecord, Event, RunEnding, RunManifest, SCHEMA_VERSION, SideName};
pub use journal::Journal;
pub use lane::Lane;
pub use pool::Pool;
pub use read::Stored;
pub use waf::{Attempts, Joined, LogSource, WafEvidence, WafLog};

/// A stored run, as far as comparing and reporting need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What was asked of it.
    pub manifest: RunManifest,
    /// How it ended; `None`: it was killed, or is still being written.
    pub ending: Option<RunEnding>,
    /// The settled cases, in the order in which they were settled.
    pub cases: Vec<CaseRecord>,
    /// The WAF's logs that were read for it.
    pub waf_logs: Vec<WafLog>,
}
