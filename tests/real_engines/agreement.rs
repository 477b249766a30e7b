//! Outcome by outcome: the record against both witnesses.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::{Engines, lab};
use crate::record::{Attempt, Case, Record};
use crate::witnesses::{Mark, Reason, Witnesses};

/// Every upload is refused or held up, whatever it holds: a few cases show it.
const REFUSE_ALL: [&str; 8] = [
    "ngx-early",
    "ngx-early-nolinger",
    "ngx-444",
    "ngx-502",
    "ngx-soft200",
    "ngx-redirect",
    "ngx-429",
    "ngx-slow504",
];

/// A run with what the witnesses say of it.
pub(crate) struct Heard {
    pub(crate) record: Record,
    pub(crate) witnesses: Witnesses,
    pub(crate) code: Option<i32>,
}

/// Runs with these arguments against an engine, and hears the witnesses.
pub(crate) fn run(engines: &Engines, profile: &str, arguments: &[&str]) -> Heard {
    let mark = Mark::new(engines, profile, &engines.origin_log());
    let out = engines.out();
    let path = engines.profile(profile);
    let always = ["run", "--profile", &path, "--out", out.to_str().unwrap(), "--format", "json"];
    let ran = engines.wafcanary(&[&always, arguments].concat());
    assert!(matches!(ran.code, Some(0 | 1 | 3)), "{profile}: {:?} {}", ran.code, ran.err);
    let record = Record::read(&out);
    let witnesses = mark.witnesses(|heard| all_told(heard, &record));
    Heard { record, witnesses, code: ran.code }
}

/// Whether the logs have caught up with the record.
pub(crate) fn all_told(heard: &Witnesses, record: &Record) -> bool {
    record.attempts().all(|(_, attempt)| told(heard, attempt).is_ok())
        && heard.unaccounted(&ids(record), record.canaries).is_none()
}

pub(crate) fn ids(record: &Record) -> BTreeSet<&str> {
    record.attempts().map(|(_, attempt)| attempt.id.as_str()).collect()
}

/// Whether both witnesses say of an attempt what the record says; `Ok`: and the reason for a refusal.
pub(crate) fn told(heard: &Witnesses, attempt: &Attempt) -> Result<Option<Reason>, String> {
    let status = heard.status(&attempt.id)?;
    let seen = attempt.status.unwrap_or(444);
    if status != seen {
        return Err(format!("the client saw {:?}, the access log has {status}", attempt.status));
    }
    let arrived = heard.arrived(&attempt.id, &attempt.sha256, attempt.size)?;
    let reason = heard.reason(&attempt.id);
    match (attempt.outcome.as_deref(), status, arrived, &reason) {
        (Some("delivered"), 200, true, None) => Ok(None),
        (Some("blocked"), _, false, Some(Reason::Rules(_) | Reason::BodyLimit | Reason::Server(502 | 504)))
        | (Some("too_large"), 413, false, Some(Reason::BodyLimit | Reason::Server(413)))
        | (Some("throttled"), 429, false, Some(Reason::Server(429)))
        // Tried again at once: the first attempt of a round.
        | (Some("dropped") | None, 444, false, Some(Reason::Server(444))) => Ok(reason),
        told => Err(format!("(outcome, status, arrived, reason) are {told:?}")),
    }
}

/// What disagrees in a run, a line each.
pub(crate) fn disagreements(heard: &Heard) -> Vec<String> {
    let Heard { record, witnesses, .. } = heard;
    let mut lines: Vec<String> = record
        .attempts()
        .filter_map(|(case, attempt)| {
            let why = told(witnesses, attempt).err()?;
            Some(format!("{} ({}): {why}; the record: {}", case.id, attempt.id, attempt.evidence))
        })
        .collect();
    lines.extend(record.cases.iter().filter_map(settled_otherwise));
    lines.extend(witnesses.unaccounted(&ids(record), record.canaries));
    if record.ending != "complete" {
        lines.push(format!("the run ended as {}", record.ending));
    }
    lines
}

/// The outcome of a case is that of all its rounds, and a round's that of its last attempt; `Some`: it is not.
fn settled_otherwise(case: &Case) -> Option<String> {
    let told: Vec<&str> = case.attempts.iter().filter_map(|attempt| attempt.outcome.as_deref()).collect();
    // A throttled upload is asked again, in the same round.
    let told: Vec<&str> = told.into_iter().filter(|outcome| *outcome != "throttled").collect();
    let settled = told == case.rounds && told.iter().all(|outcome| *outcome == case.outcome) && !told.is_empty();
    (!settled).then(|| format!("{}: {} of rounds {:?} and attempts {told:?}", case.id, case.outcome, case.rounds))
}

/// One line for people: outcomes, and for what reasons.
fn summary(profile: &str, heard: &Heard) -> String {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in &heard.record.cases {
        *outcomes.entry(&case.outcome).or_default() += 1;
        let last = case.attempts.last().unwrap();
        match heard.witnesses.reason(&last.id) {
            Some(Reason::Rules(rules)) => rules.into_iter().for_each(|rule| *reasons.entry(rule).or_default() += 1),
            Some(reason) => *reasons.entry(reason.to_string()).or_default() += 1,
            None => {}
        }
    }
    let list = |counts: Vec<String>| counts.join(", ");
    let outcomes = list(outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect());
    let reasons = list(reasons.iter().map(|(reason, count)| format!("{reason}: {count}")).collect());
    format!("{profile:<22} {outcomes:<40} {reasons}")
}

#[test]
fn every_outcome_at_every_engine_is_what_its_log_and_the_origin_say() {
    let engines = lab();
    let mut failures = Vec::new();
    let mut cases = 0;
    for profile in engines.profiles() {
        let few = ["--set", "smoke"];
        let heard = run(&engines, &profile, if REFUSE_ALL.contains(&profile.as_str()) { &few } else { &[] });
        cases += heard.record.cases.len();
        println!("{}", summary(&profile, &heard));
        failures.extend(disagreements(&heard).into_iter().map(|line| format!("{profile}: {line}")));
    }
    println!("{cases} cases");
    assert!(cases > 377 * 20, "{cases} cases");
    let shown = failures.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} disagreements, of which the first:\n{shown}", failures.len());
}
