//! What became of regressions and controls when the exclusions were in place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::{Class, ComparedCase};
use crate::corpus::{CaseId, Intent};
use crate::run::{CaseRecord, Run, RunEnding};

/// One round of trying.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Round {
    /// 1-based.
    pub number: u32,
    /// Exclusions that were in place.
    pub exclusions: usize,
    /// Regressions that were sent.
    pub regressions: usize,
    /// Regressions that get through as they did on the baseline.
    #[schemars(with = "Vec<String>")]
    pub cured: Vec<CaseId>,
    /// Regressions that are still refused, or would be.
    #[schemars(with = "Vec<String>")]
    pub refused: Vec<CaseId>,
    /// Controls that the candidate kept out, and keeps out.
    pub kept_out: usize,
    /// Controls that the candidate kept out, and that get in now.
    #[schemars(with = "Vec<String>")]
    pub let_in: Vec<CaseId>,
    /// How many of those the baseline lets in as well.
    pub in_before: usize,
    /// Cases of which nothing can be said.
    #[schemars(with = "Vec<String>")]
    pub unclear: Vec<CaseId>,
}

impl Round {
    /// Holds what was sent with the exclusions in place against the comparison that they were made from.
    #[must_use]
    pub fn judge(number: u32, exclusions: usize, before: &[&ComparedCase], now: &Run) -> Self {
        let regressions = before.iter().filter(|case| case.intent == Intent::Legit).count();
        let mut round = Self { number, exclusions, regressions, ..Self::default() };
        let complete = now.ending == Some(RunEnding::Complete);
        let records: BTreeMap<&CaseId, &CaseRecord> = now.cases.iter().map(|record| (&record.case, record)).collect();
        for case in before {
            let id = case.id.clone();
            match (records.get(&case.id).filter(|_| complete), case.intent) {
                (None, _) => round.unclear.push(id),
                (Some(record), Intent::Legit) => match regression(case, record) {
                    Some(true) => round.cured.push(id),
                    Some(false) => round.refused.push(id),
                    None => round.unclear.push(id),
                },
                (Some(record), Intent::Control) => match control(case, record) {
                    Some(true) => round.kept_out += 1,
                    Some(false) => {
                        let before = case.baseline.as_ref().is_some_and(|side| side.outcome.is_past_edge());
                        round.in_before += usize::from(before);
                        round.let_in.push(id);
                    }
                    None => round.unclear.push(id),
                },
            }
        }
        round
    }
}

/// Whether a control is one that the candidate kept out, or would have.
#[must_use]
pub fn was_kept_out(case: &ComparedCase) -> bool {
    case.intent == Intent::Control
        && case.candidate.as_ref().is_some_and(|side| side.would_block || !side.outcome.is_past_edge())
}

/// Whether a regression is cured; `None`: that can't be told.
fn regression(case: &ComparedCase, now: &CaseRecord) -> Option<bool> {
    let baseline = case.baseline.as_ref()?.outcome;
    let mut classes = now.rounds.iter().map(|outcome| Class::of(Intent::Legit, baseline, *outcome));
    let cured = |class: Class| match class {
        Class::NewlyBlocked | Class::NewlyAltered => Some(false),
        Class::Unchanged | Class::NewlyDelivered | Class::ReasonChanged => Some(true),
        Class::ProtectionLost
        | Class::WouldBlock
        | Class::Flaky
        | Class::Inconclusive
        | Class::OnlyInBaseline
        | Class::OnlyInCandidate
        | Class::ProtectionGained => None,
    };
    let first = cured(classes.next()?)?;
    // An edge that disagrees with itself has cured nothing.
    classes.all(|class| cured(class) == Some(first)).then_some(first && !now.verdict.would_block)
}

/// Whether a control that was kept out still is; `None`: that can't be told.
fn control(case: &ComparedCase, now: &CaseRecord) -> Option<bool> {
    let before = case.candidate.as_ref()?;
    if before.outcome.is_past_edge() {
        // In detection mode it gets in, and the log says that it would not.
        return Some(now.verdict.would_block || !now.verdict.outcome.is_past_edge());
    }
    let mut classes = now.rounds.iter().map(|outcome| Class::of(Intent::Control, before.outcome, *outcome));
    if classes.clone().any(|class| class == Class::ProtectionLost) {
        return Some(false);
    }
    (classes.len() > 0 && classes.all(|class| class != Class::Inconclusive)).then_some(true)
}
