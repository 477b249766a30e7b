//! Baseline and candidate joined by case id.

use std::cmp::Ordering;

use super::{Class, ComparedCase, Finding, SideCase};
use crate::corpus::Intent;
use crate::run::{CaseRecord, Run};
use crate::verdict::{Count, List, Outcome};

/// Joins two runs by case id and gives each case its class. Pure; the records are moved, not copied.
///
/// The answer is in the order of ids. Where a run holds a case twice (a merge of overlapping shards), the last
/// record counts. Which cases are findings is for the gate to say: here every one is [`Finding::None`].
#[must_use]
pub fn compare(baseline: Run, candidate: Run) -> Vec<ComparedCase> {
    let (baseline, candidate) = (by_id(baseline.cases), by_id(candidate.cases));
    let mut joined = Vec::with_capacity(baseline.len().max(candidate.len()));
    let (mut baseline, mut candidate) = (baseline.into_iter().peekable(), candidate.into_iter().peekable());
    loop {
        let order = match (baseline.peek(), candidate.peek()) {
            (None, None) => return joined,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.case.cmp(&right.case),
        };
        let left = if order.is_le() { baseline.next() } else { None };
        let right = if order.is_ge() { candidate.next() } else { None };
        joined.extend(case(left, right));
    }
}

fn by_id(mut cases: Vec<CaseRecord>) -> Vec<CaseRecord> {
    // NOTE: a stable sort, so that of records of one case the last one settled is the last.
    cases.sort_by(|left, right| left.case.cmp(&right.case));
    cases.dedup_by(|later, kept| {
        let same = later.case == kept.case;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    cases
}

fn case(baseline: Option<CaseRecord>, candidate: Option<CaseRecord>) -> Option<ComparedCase> {
    let class = match (&baseline, &candidate) {
        (Some(left), Some(right)) => class_of(left, right),
        (Some(_), None) => Class::OnlyInBaseline,
        (None, Some(_)) => Class::OnlyInCandidate,
        (None, None) => return None,
    };
    let (baseline, baseline_facts) = baseline.map(split).unzip();
    let (candidate, candidate_facts) = candidate.map(split).unzip();
    // What is said of a case itself is the candidate's: it was asked last.
    let facts = candidate_facts.or(baseline_facts)?;
    Some(ComparedCase { class, baseline, candidate, ..facts })
}

/// The class of a case with records on both sides.
///
/// Not knowing comes first: a side that could not be asked says nothing, however its rounds look. Then
/// disagreement within a side. A round that could not be asked is no disagreement: the other rounds stand.
fn class_of(baseline: &CaseRecord, candidate: &CaseRecord) -> Class {
    let class = Class::of(candidate.intent, baseline.verdict.outcome, candidate.verdict.outcome);
    if class == Class::Inconclusive {
        return class;
    }
    if disagrees(baseline) || disagrees(candidate) {
        return Class::Flaky;
    }
    // A control that is to be refused soon is no finding, and no news either: it still gets in.
    let would_block = candidate.verdict.would_block && !baseline.verdict.would_block;
    if class == Class::Unchanged && would_block && candidate.intent == Intent::Legit {
        return Class::WouldBlock;
    }
    let reason = |record: &CaseRecord| (record.verdict.signature.clone(), record.verdict.status);
    let passed = baseline.verdict.outcome == Outcome::Delivered;
    if class == Class::Unchanged && !passed && reason(baseline) != reason(candidate) {
        return Class::ReasonChanged;
    }
    class
}

/// Whether the rounds that were answered differ from each other, or from what was settled.
fn disagrees(record: &CaseRecord) -> bool {
    let settled = record.verdict.outcome;
    record.rounds.iter().any(|round| *round != settled && round.count() != Count::Inconclusive)
}

fn split(record: CaseRecord) -> (SideCase, ComparedCase) {
    let disagree = record.rounds.iter().any(|round| *round != record.verdict.outcome);
    let side = SideCase {
        outcome: record.verdict.outcome,
        signature: record.verdict.signature,
        status: record.verdict.status,
        attempts: record.attempts,
        evidence: record.verdict.evidence,
        rounds: if disagree { record.rounds } else { List::default() },
        would_block: record.verdict.would_block,
        millis: record.millis,
        waf: record.waf,
    };
    let facts = ComparedCase {
        id: record.case,
        intent: record.intent,
        class: Class::Unchanged,
        baseline: None,
        candidate: None,
        filename: record.filename,
        procedures: record.procedures,
        weight: record.weight,
        place: record.place,
        finding: Finding::None,
    };
    (side, facts)
}
