//! Baseline and candidate joined by case id, and what was decided of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Class;
use crate::corpus::{CaseId, Intent};
use crate::run::RunManifest;
use crate::verdict::Outcome;

/// The version of the comparison's JSON. Additive changes keep it.
pub const SCHEMA_VERSION: u32 = 1;

/// A comparison, as it is written to `comparison.json`. Other programs read it: see `schema/comparison.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The decision of the gate.
    pub decision: Decision,
    /// Why, gravest first. A pass has none that fail.
    pub reasons: Vec<Reason>,
    /// Cases in each class; every class is there, also with 0.
    pub counts: BTreeMap<Class, u64>,
    /// The edge as it is.
    pub baseline: SideSummary,
    /// The edge as it will be.
    pub candidate: SideSummary,
    /// What a reader must know of the comparison: weak proofs, certificates not checked, waivers that match nothing.
    pub warnings: Vec<String>,
    /// Every case, by id.
    pub cases: Vec<ComparedCase>,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Exit code 0.
    Pass,
    /// Exit code 1.
    Fail,
    /// Exit code 3. Never a pass.
    Inconclusive,
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// What it makes of the decision.
    pub decision: Decision,
    /// Stable code: a key of `[gate]`, or `empty_corpus`, `dead_baseline`, `same_edge`, `different_corpora`, `run_incomplete`, …
    pub code: String,
    /// In one sentence.
    pub message: String,
}

/// One edge of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideSummary {
    /// What was asked of it.
    pub run: RunManifest,
    /// Whether every selected case was settled, and how the run ended if not.
    pub ending: Option<crate::run::RunEnding>,
    /// Cases by outcome; every outcome is there, also with 0.
    pub outcomes: BTreeMap<Outcome, u64>,
}

/// One case on both edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedCase {
    /// The case.
    #[schemars(with = "String")]
    pub id: CaseId,
    /// What the edge ought to do with it.
    pub intent: Intent,
    /// What changed.
    pub class: Class,
    /// The edge as it is; `None`: not asked.
    pub baseline: Option<SideCase>,
    /// The edge as it will be; `None`: not asked.
    pub candidate: Option<SideCase>,
    /// Filename as the user sees it.
    pub filename: String,
    /// Procedures (手続) that receive such an attachment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedures: Vec<String>,
    /// Share of real submissions that the attachment stands for.
    pub weight: f64,
    /// `manifest.toml:12`, where the attachment is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether the gate counts it, and if not, by which waiver.
    pub finding: Finding,
}

/// One case on one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideCase {
    /// What became of it.
    pub outcome: Outcome,
    /// The edge's signature that matched.
    pub signature: Option<String>,
    /// Status of the answer that decided.
    pub status: Option<u16>,
    /// Attempts in all rounds.
    pub attempts: u32,
    /// What was seen.
    pub evidence: String,
    /// Outcomes of the rounds, where they disagree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Outcome>,
    /// A rule fired without blocking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub would_block: bool,
    /// Milliseconds that all its attempts took together.
    pub millis: u64,
}

/// Whether the gate counts a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Finding {
    /// Its class is nothing to act on.
    None,
    /// It counts against the gate.
    Open,
    /// It is accepted for now.
    Waived {
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// Last day, `YYYY-MM-DD`.
        expires: String,
    },
    /// A waiver matched, and has expired: it counts again.
    Expired {
        /// Who answered for it.
        owner: String,
        /// Last day, `YYYY-MM-DD`.
        expires: String,
    },
}
