//! The one stream of events: journal, progress and live log listen to it.

use serde::{Deserialize, Serialize};

use super::waf::{WafEvidence, WafLog};
use crate::corpus::{CaseId, Intent, Sha256Digest};
use crate::profile::{Environment, Proof};
use crate::replay::Observation;
use crate::verdict::{List, Outcome, Text, Verdict};

/// The version of the run record's format. Readers refuse another major version.
pub const SCHEMA_VERSION: u32 = 1;

/// Which of the two edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideName {
    /// The edge as it is; also the only edge of a `run`, and each edge of a `matrix`.
    Baseline,
    /// The edge as it will be.
    Candidate,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// First line of a journal, and again at each resume.
    RunStarted(RunManifest),
    /// One attempt, with its facts and, for the last attempt of a round, what the round means.
    Attempt(Attempt),
    /// A canary control was sent.
    Canary {
        /// The edge.
        side: SideName,
        /// When, RFC 3339.
        at: String,
        /// Its facts.
        observation: Observation,
        /// What they mean.
        verdict: Verdict,
    },
    /// Sending stopped for a while.
    Paused {
        /// The edge.
        side: SideName,
        /// Seconds.
        seconds: f64,
        /// Why.
        reason: String,
    },
    /// A case is settled: all its rounds are over.
    Case(CaseRecord),
    /// What the WAF's log says of a settled case.
    Waf {
        /// The edge.
        side: SideName,
        /// The case.
        case: CaseId,
        /// What it says.
        evidence: WafEvidence,
    },
    /// A log of the WAF was read to its end.
    WafLog {
        /// The edge.
        side: SideName,
        /// What was read.
        log: WafLog,
    },
    /// Last line of a journal that came to an end.
    RunFinished {
        /// The edge.
        side: SideName,
        /// When, RFC 3339.
        at: String,
        /// How.
        ending: RunEnding,
    },
}

/// One attempt of one round of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The edge.
    pub side: SideName,
    /// The case.
    pub case: CaseId,
    /// 1-based: each round asks the edge once.
    pub round: u32,
    /// 1-based: a round has more than one attempt when the transport failed.
    pub attempt: u32,
    /// Its id, as it stood in the header `X-Wafcanary-Attempt`: receipts and the WAF's log name it.
    #[serde(default)]
    pub id: String,
    /// When it began, RFC 3339.
    pub at: String,
    /// The facts.
    pub observation: Observation,
    /// What the round means; on its last attempt only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What was asked of a run, and of which edge: written once, before the first request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunManifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `wafcanary 0.1.0`.
    pub tool: String,
    /// Unique id of the run; also in the case header of each request.
    pub run: String,
    /// Which side of a comparison it was sent as.
    pub side: SideName,
    /// When it began, RFC 3339.
    pub started: String,
    /// Name of the profile.
    pub profile: String,
    /// Digest of the resolved profile without its secrets: two sides with the same digest are the same edge.
    #[schemars(with = "String")]
    pub profile_digest: Sha256Digest,
    /// URL that uploads went to, redacted.
    pub url: String,
    /// What stands behind it.
    pub environment: Environment,
    /// The kind of proof that passes rest on.
    pub proof: Proof,
    /// Certificates were not checked.
    pub insecure: bool,
    /// Controls were sent.
    pub authorized: bool,
    /// Requests a second at most; `None`: unpaced.
    pub rate: Option<f64>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Name of the corpus.
    pub corpus: String,
    /// Folder of the corpus, from the root of the repository (or from the working folder, where there is none), with `/` between;
    /// `None`: it is built in, or elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus_folder: Option<String>,
    /// Digest of the selected cases (ids, contents and all that goes on the wire).
    #[schemars(with = "String")]
    pub corpus_digest: Sha256Digest,
    /// Cases selected.
    pub cases: u64,
    /// Times that each case is asked at least.
    pub rounds: u32,
    /// Who ran it, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// What became of one case on one edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The edge.
    pub side: SideName,
    /// The case.
    pub case: CaseId,
    /// What the edge ought to do with it.
    pub intent: Intent,
    /// The settled verdict: that of the majority of rounds.
    pub verdict: Verdict,
    /// The outcomes of the rounds, in order. More than one distinct value: the edge disagrees with itself.
    pub rounds: List<Outcome>,
    /// Attempts in all rounds.
    pub attempts: u32,
    /// Procedures (手続) that receive such an attachment.
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub procedures: List<Text>,
    /// Share of real submissions that the attachment stands for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: f64,
    /// For a control: the id of its legitimate twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Text>,
    /// Filename as the user sees it.
    pub filename: Text,
    /// `manifest.toml:12`, where the attachment is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text>,
    /// Milliseconds that all its attempts took together.
    pub millis: u64,
    /// What the WAF's log says of its attempts; `None`: nothing, or no log was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waf: Option<Box<WafEvidence>>,
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(weight: &f64) -> bool {
    (*weight - 1.0).abs() < f64::EPSILON
}

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RunEnding {
    /// Every selected case is settled.
    Complete,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The edge banned us: the canary control stopped getting through.
    Banned {
        /// What was seen.
        detail: String,
    },
    /// A ceiling of the profile was reached.
    Ceiling {
        /// Which.
        detail: String,
    },
    /// The first canary control could not be sent at all: DNS, connect, TLS, proxy or credentials.
    Unreachable {
        /// What was seen.
        detail: String,
    },
    /// The other edge of the comparison could not go on.
    OtherSideEnded,
}
