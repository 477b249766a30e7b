//! Baseline and candidate joined by case id, and what was decided of it.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::civil::Date;

use super::gate::{Facts, decide};
use super::{Class, Policy, Waivers, compare};
use crate::corpus::{CaseId, Intent};
use crate::error::{Error, Result};
use crate::profile::Proof;
use crate::run::{Run, RunManifest, WafEvidence, WafLog};
use crate::verdict::{List, Outcome, Text};

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
    /// The WAF's logs that were read for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waf_logs: Vec<WafLog>,
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
    pub filename: Text,
    /// Procedures (手続) that receive such an attachment.
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub procedures: List<Text>,
    /// Share of real submissions that the attachment stands for.
    pub weight: f64,
    /// `manifest.toml:12`, where the attachment is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text>,
    /// Whether the gate counts it, and if not, by which waiver.
    pub finding: Finding,
}

/// One case on one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideCase {
    /// What became of it.
    pub outcome: Outcome,
    /// The edge's signature that matched.
    pub signature: Option<Text>,
    /// Status of the answer that decided.
    pub status: Option<u16>,
    /// Attempts in all rounds.
    pub attempts: u32,
    /// What was seen.
    pub evidence: Text,
    /// Outcomes of the rounds, where they disagree.
    #[serde(default, skip_serializing_if = "<[Outcome]>::is_empty")]
    pub rounds: List<Outcome>,
    /// A rule fired without blocking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub would_block: bool,
    /// Milliseconds that all its attempts took together.
    pub millis: u64,
    /// What the WAF's log says of its attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waf: Option<Box<WafEvidence>>,
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
        owner: Text,
        /// Why.
        reason: Text,
        /// Last day, `YYYY-MM-DD`.
        expires: Text,
    },
    /// A waiver matched, and has expired: it counts again.
    Expired {
        /// Who answered for it.
        owner: Text,
        /// Last day, `YYYY-MM-DD`.
        expires: Text,
    },
}

impl Comparison {
    /// Reads a stored comparison.
    ///
    /// # Errors
    /// A file that can't be read, is no comparison, or is one of another schema version.
    pub fn read(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let error = |what: String| Error::usage(what).file(path).help("give a comparison.json that `compare` wrote");
        let text = std::fs::read(path).map_err(|cause| error(format!("cannot read the comparison: {cause}")))?;
        match serde_json::from_slice::<Version>(&text) {
            Ok(Version { schema_version }) if schema_version != SCHEMA_VERSION => Err(error(format!(
                "the comparison has schema version {schema_version}, and this program reads version {SCHEMA_VERSION}"
            ))),
            _ => serde_json::from_slice(&text).map_err(|cause| error(format!("this is no comparison: {cause}"))),
        }
    }

    /// Compares two runs and asks the gate. Pure: `today` is the day that waivers are held against.
    #[must_use]
    pub fn assemble(baseline: Run, candidate: Run, policy: &Policy, waivers: &Waivers, today: Date) -> Self {
        let sides = [SideSummary::of(&baseline), SideSummary::of(&candidate)];
        let logs = [("baseline", &baseline), ("candidate", &candidate)];
        let logs =
            logs.map(|(side, run)| run.waf_log_warnings().into_iter().map(move |told| format!("{side}: {told}")));
        let logs: Vec<String> = logs.into_iter().flatten().collect();
        let mut cases = compare(baseline, candidate);
        let used = waivers.apply(&mut cases, |class| policy.is_finding(class), today);
        let [baseline, candidate] = sides;
        let asked = [(&baseline.run, baseline.ending.as_ref()), (&candidate.run, candidate.ending.as_ref())];
        let facts = Facts::of(&cases, asked, used);
        let (decision, reasons) = decide(&facts, policy);
        let mut warnings = warnings(&facts, &baseline, &candidate);
        warnings.extend(logs);
        let counts = facts.counts;
        Self { schema_version: SCHEMA_VERSION, decision, reasons, counts, baseline, candidate, warnings, cases }
    }
}

impl SideSummary {
    /// The summary of a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut outcomes: BTreeMap<_, u64> = Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
        for case in &run.cases {
            *outcomes.entry(case.verdict.outcome).or_default() += 1;
        }
        Self { run: run.manifest.clone(), ending: run.ending.clone(), outcomes, waf_logs: run.waf_logs.clone() }
    }
}

/// What a reader must know beside the decision.
fn warnings(facts: &Facts, baseline: &SideSummary, candidate: &SideSummary) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, side) in [("baseline", baseline), ("candidate", candidate)] {
        if side.run.proof == Proof::Status {
            warnings.push(format!(
                "the {name}'s passes are weak: they rest on the status alone, and an edge may answer 200 for a refusal"
            ));
        }
        if side.run.insecure {
            warnings.push(format!("the {name}'s certificates were not checked (`insecure`)"));
        }
    }
    if baseline.run.proof != candidate.run.proof {
        warnings.push("baseline and candidate rest on different kinds of proof".to_owned());
    }
    if facts.baseline_controls > 0 && facts.baseline_controls_in == facts.baseline_controls {
        warnings.push("every control gets through the baseline: is its WAF on?".to_owned());
    }
    if facts.total > 0 && facts.known_controls == 0 {
        warnings.push("no control was asked on both sides, so a lost protection would not be seen".to_owned());
    }
    warnings.extend(facts.waivers.ending.iter().cloned());
    warnings.extend(facts.waivers.unused.iter().cloned());
    warnings
}
