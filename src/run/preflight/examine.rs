//! What the facts of a preflight mean, for one edge.

use std::time::Duration;

use jiff::SignedDuration;

use super::first::FirstCanary;
use super::{Check, Facts, Finding, Level, Probe};
use crate::profile::Profile;
use crate::replay::pace::http_date;
use crate::verdict::{Count, Verdict};

/// Clocks that are further apart are worth a warning: cookies and signed URLs often live for a minute or a few.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What the facts say of the edge, in the order of an upload's way. Pure.
///
/// `Inconclusive` stands for what `judge` calls inconclusive, and `Failure` for what it calls a failure. Where the
/// profile sends no canary controls (`pace.canary_every = 0`), its author knows that the edge refuses them.
#[must_use]
pub fn examine(facts: &Facts, profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(probe) = facts.first.last() {
        FirstCanary { profile, probe }.examine(&mut findings);
        if probe.passed() {
            findings.extend(controls(facts, profile));
        }
        findings.extend(pace(facts, profile));
        findings.extend(clock(facts, profile));
    }
    if let Some(ceiling) = &facts.ceiling {
        let level = if facts.first.is_empty() { Level::Inconclusive } else { Level::Warning };
        let message = format!("{ceiling} before the preflight was over");
        findings.push(Finding::new(level, Check::Ceiling, message, "raise the ceiling: a run needs more than that"));
    }
    for finding in &mut findings {
        finding.message = profile.redactor.redact(&finding.message);
    }
    findings
}

/// Whether the edge keeps any control out.
fn controls(facts: &Facts, profile: &Profile) -> Option<Finding> {
    if facts.controls.is_empty() {
        let whose = if profile.guard.authorized { " on the other side" } else { "" };
        let message =
            format!("none were sent: `guard.authorized` is not true{whose}, so a lost protection will not be seen");
        return Some(Finding { level: Level::Skipped, check: Check::Controls, message, help: None });
    }
    let told = |probes: &[&Probe]| {
        let one = |probe: &&Probe| {
            let status = probe.verdict.status.map_or_else(String::new, |status| format!(" {status}"));
            format!("`{}` ({}{status})", probe.case, probe.verdict.outcome.as_str())
        };
        probes.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let known = |probe: &&Probe| probe.verdict.outcome.count() != Count::Inconclusive;
    let (inside, outside): (Vec<_>, Vec<_>) =
        facts.controls.iter().filter(known).partition(|probe| probe.verdict.outcome.is_past_edge());
    match (inside.len(), outside.len()) {
        // All of them were throttled, and the pace says so.
        (0, 0) => None,
        (0, kept) => Some(Finding::fine(Check::Controls, format!("{kept} of {kept} kept out: {}", told(&outside)))),
        (in_, 0) => {
            let observed = inside.iter().any(|probe| probe.verdict.would_block);
            let help = if observed {
                "a rule fired without blocking: the WAF is in detection (count, log) mode"
            } else {
                "is the WAF on, in blocking mode, and for this path? An edge that is meant to be off needs nothing done"
            };
            let all = if in_ == 1 { "the control" } else { "every control" };
            let message = format!("{all} gets past the edge: {}", told(&inside));
            Some(Finding::new(Level::Warning, Check::Controls, message, help))
        }
        (in_, kept) => Some(Finding::fine(
            Check::Controls,
            format!("{kept} of {} kept out: {}; past the edge: {}", in_ + kept, told(&outside), told(&inside)),
        )),
    }
}

/// Whether pace and controls leave us welcome.
fn pace(facts: &Facts, profile: &Profile) -> Option<Finding> {
    const SLOWER: &str = "lower `pace.rate` and `pace.concurrency`, or have this machine's address exempted from the edge's \
                          rate limit and ban rules";
    let most = profile.pace.max_retry_after;
    let first = facts.first.last()?;
    if first.throttled() {
        let message = match first.retry_after {
            Some(wait) => format!("the edge takes nothing for now: it asks for a pause of {wait:?}"),
            None => format!("the edge takes nothing for now: {}", first.verdict.evidence),
        };
        let help = format!("wait for an earlier ban to pass, then {SLOWER}; `pace.max_retry_after` allows {most:?}");
        return Some(Finding::new(Level::Failure, Check::Pace, message, help));
    }
    if facts.together.is_empty() {
        return None;
    }
    let after: Vec<&Probe> = facts.together.iter().chain(&facts.again).collect();
    let Some(refused) = after.iter().find(|probe| !probe.passed()) else {
        let uploads = facts.together.len();
        let message = if uploads == 1 {
            "one more is delivered".to_owned()
        } else {
            format!("{uploads} more at once are delivered")
        };
        let after = if facts.controls.is_empty() { "" } else { " after the controls" };
        return Some(Finding::fine(Check::Pace, message + after));
    };
    let Verdict { outcome, evidence, .. } = &refused.verdict;
    let when = if facts.controls.is_empty() { "at this pace" } else { "at this pace, after the controls" };
    let told = format!("{}: {evidence}", outcome.as_str());
    let wait = after.iter().filter(|probe| probe.throttled()).filter_map(|probe| probe.retry_after).max();
    match wait {
        Some(wait) if wait > most => {
            let message =
                format!("the edge asks for a pause of {wait:?} {when}, and `pace.max_retry_after` allows {most:?}");
            return Some(Finding::new(Level::Failure, Check::Pace, message, SLOWER));
        }
        Some(wait) => {
            let message = format!("the edge asks for a pause of {wait:?} {when}, and a run will obey");
            return Some(Finding::new(Level::Warning, Check::Pace, message, SLOWER));
        }
        None => {}
    }
    if facts.again.iter().any(Probe::passed) {
        let message = format!("the benign file did not get through for a while {when} ({told})");
        return Some(Finding::new(Level::Warning, Check::Pace, message, SLOWER));
    }
    let message = format!("the benign file got through before, and no longer does {when} ({told})");
    Some(Finding::new(Level::Failure, Check::Pace, message, SLOWER))
}

/// Whether both clocks agree, by the `Date` of an answer.
fn clock(facts: &Facts, profile: &Profile) -> Option<Finding> {
    let (probe, date) = facts.probes().find_map(|probe| {
        let date = probe.observation.answer.as_ref()?.header("date").and_then(http_date)?;
        Some((probe, date))
    })?;
    // The answer's second lies somewhere in the attempt.
    let end = probe.at.saturating_add(Duration::from_micros(probe.observation.timings.total_us)).unwrap_or(probe.at);
    let (skew, way) = if date < probe.at {
        (probe.at.duration_since(date), "behind")
    } else {
        (date.duration_since(end), "ahead of")
    };
    if skew <= SKEW {
        return Some(Finding::fine(Check::Clock, "the edge's clock and this machine's agree"));
    }
    let message = format!("the edge's clock is {} s {way} this machine's", skew.as_secs());
    let cookies = if profile.before.is_empty() {
        ""
    } else {
        "; until then cookies of the steps that have an expiry date may be taken as expired, and sign-ins fail"
    };
    let help = format!("set this machine's clock (`timedatectl` shows it){cookies}");
    Some(Finding::new(Level::Warning, Check::Clock, message, help))
}
