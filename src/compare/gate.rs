//! From counted facts to a decision.

use std::collections::BTreeMap;

use super::{Class, ComparedCase, Decision, Finding, Policy, Reason, WaiverUse};
use crate::corpus::Intent;
use crate::run::{CaseRecord, Run, RunEnding, RunManifest};
use crate::verdict::{Count, Outcome};

/// What the gate looks at: counts, never cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Cases on either side.
    pub total: u64,
    /// Cases of each class.
    pub counts: BTreeMap<Class, u64>,
    /// Findings of each class that no live waiver covers.
    pub open: BTreeMap<Class, u64>,
    /// Cases that are known on both sides.
    pub known: u64,
    /// Controls among them.
    pub known_controls: u64,
    /// Cases of the baseline.
    pub in_baseline: u64,
    /// Cases of the baseline that the candidate has settled, or whose absence is waived.
    pub covered: u64,
    /// Legitimate cases that the baseline delivered.
    pub baseline_delivered: u64,
    /// Controls that are known on the baseline.
    pub baseline_controls: u64,
    /// Those among them that got in.
    pub baseline_controls_in: u64,
    /// Why a side did not settle all that was asked of it.
    pub incomplete: Vec<String>,
    /// The name of the profile that both sides are, if they are the same edge.
    pub same_edge: Option<String>,
    /// The names of the two corpora, if they are not the same.
    pub different_corpora: Option<(String, String)>,
    /// What came of the waivers.
    pub waivers: WaiverUse,
}

impl Facts {
    /// Counts the cases, whose findings have been told by the waivers.
    #[must_use]
    pub fn of(cases: &[ComparedCase], sides: [(&RunManifest, Option<&RunEnding>); 2], waivers: WaiverUse) -> Self {
        let [(baseline, baseline_ending), (candidate, candidate_ending)] = sides;
        let mut facts = Self {
            total: cases.len() as u64,
            counts: Class::ALL.into_iter().map(|class| (class, 0)).collect(),
            incomplete: [("baseline", baseline_ending), ("candidate", candidate_ending)]
                .into_iter()
                .filter_map(|(side, ending)| incomplete(side, ending))
                .collect(),
            same_edge: (baseline.profile_digest == candidate.profile_digest).then(|| baseline.profile.clone()),
            different_corpora: (baseline.corpus_digest != candidate.corpus_digest)
                .then(|| (baseline.corpus.clone(), candidate.corpus.clone())),
            waivers,
            ..Self::default()
        };
        for case in cases {
            facts.count(case);
        }
        facts
    }

    fn count(&mut self, case: &ComparedCase) {
        *self.counts.entry(case.class).or_default() += 1;
        let waived = match case.finding {
            Finding::Open | Finding::Expired { .. } => {
                *self.open.entry(case.class).or_default() += 1;
                false
            }
            Finding::Waived { .. } => true,
            Finding::None => false,
        };
        let is_known = |outcome: Option<Outcome>| outcome.is_some_and(|outcome| outcome.count() != Count::Inconclusive);
        let baseline = case.baseline.as_ref().map(|side| side.outcome);
        let candidate = case.candidate.as_ref().map(|side| side.outcome);
        let control = case.intent == Intent::Control;
        if is_known(baseline) && is_known(candidate) {
            self.known += 1;
            self.known_controls += u64::from(control);
        }
        if baseline.is_some() {
            self.in_baseline += 1;
            self.covered += u64::from(candidate.is_some() || waived);
        }
        let delivered = baseline == Some(Outcome::Delivered);
        self.baseline_delivered += u64::from(delivered && !control);
        self.baseline_controls += u64::from(control && is_known(baseline));
        self.baseline_controls_in += u64::from(control && delivered);
    }

    fn count_of(&self, class: Class) -> u64 {
        self.counts.get(&class).copied().unwrap_or_default()
    }

    fn open_of(&self, class: Class) -> u64 {
        self.open.get(&class).copied().unwrap_or_default()
    }
}

pub(super) fn incomplete(side: &str, ending: Option<&RunEnding>) -> Option<String> {
    match ending {
        Some(RunEnding::Complete) => None,
        None => Some(format!("the {side}'s run did not come to its end")),
        Some(RunEnding::Interrupted) => Some(format!("the {side}'s run was interrupted")),
        Some(RunEnding::Banned { detail }) => Some(format!("the {side}'s edge banned the run ({detail})")),
        Some(RunEnding::Ceiling { detail }) => Some(format!("the {side}'s run reached a ceiling ({detail})")),
        Some(RunEnding::Unreachable { detail }) => Some(format!("the {side} can't be asked ({detail})")),
        Some(RunEnding::OtherSideEnded) => Some(format!("the {side}'s run ended with that of the other edge")),
    }
}

/// The decision of the gate, with its reasons, gravest first. Pure.
///
/// * A comparison that compares nothing (no cases, the same edge, two corpora) is inconclusive whatever else is in
///   it: its findings prove nothing.
/// * Else a limit of findings that is passed fails the gate, also when other things are not known: what is proven
///   does not become unproven by what is missing.
/// * Else anything that is not known well enough makes it inconclusive.
/// * A pass has no reason against it.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> (Decision, Vec<Reason>) {
    let mut reasons = void(facts, policy);
    let is_void = !reasons.is_empty();
    reasons.extend(failures(facts, policy));
    reasons.extend(unknowns(facts, policy));
    (if is_void { Decision::Inconclusive } else { gravest(&reasons) }, reasons)
}

/// What the reasons make of a decision: a failure that is proven before what is not known.
fn gravest(reasons: &[Reason]) -> Decision {
    let has = |decision: Decision| reasons.iter().any(|reason| reason.decision == decision);
    if has(Decision::Fail) {
        Decision::Fail
    } else if has(Decision::Inconclusive) {
        Decision::Inconclusive
    } else {
        Decision::Pass
    }
}

/// The decision on a single run, which has no other edge to be held against: a pass is a run that came to its end, in
/// which every legitimate case was delivered and no control got past the edge. Pure.
#[must_use]
pub fn decide_run(run: &Run) -> (Decision, Vec<Reason>) {
    let mut reasons = Vec::new();
    let count = |intent: Intent, is: &dyn Fn(&CaseRecord) -> bool| {
        run.cases.iter().filter(|case| case.intent == intent && is(case)).count() as u64
    };
    let missed = count(Intent::Legit, &|case| case.verdict.outcome.count() == Count::Fail);
    if missed > 0 {
        let message =
            format!("{missed} legitimate {} not get through", if missed == 1 { "case does" } else { "cases do" });
        reasons.push(reason(Decision::Fail, "not_delivered", message));
    }
    let inside = count(Intent::Control, &|case| case.verdict.outcome.is_past_edge());
    if inside > 0 {
        let message = format!("{inside} {} past the edge", if inside == 1 { "control gets" } else { "controls get" });
        reasons.push(reason(Decision::Fail, "control_delivered", message));
    }
    let own = |case: &CaseRecord| case.rounds.iter().any(|round| *round != case.verdict.outcome);
    let flaky = count(Intent::Legit, &own) + count(Intent::Control, &own);
    if flaky > 0 {
        reasons.push(reason(Decision::Fail, "flaky", finding_words(Class::Flaky, flaky)));
    }
    if run.cases.is_empty() {
        reasons.push(inconclusive("empty_corpus", "no case is settled".to_owned()));
    }
    let unknown = run.cases.iter().filter(|case| case.verdict.outcome.count() == Count::Inconclusive).count() as u64;
    if unknown > 0 {
        reasons.push(inconclusive("inconclusive", format!("{} could not be asked", cases(unknown))));
    }
    reasons.extend(incomplete("edge", run.ending.as_ref()).map(|message| inconclusive("run_incomplete", message)));
    (gravest(&reasons), reasons)
}

fn reason(decision: Decision, code: &str, message: String) -> Reason {
    Reason { decision, code: code.to_owned(), message }
}

fn inconclusive(code: &str, message: String) -> Reason {
    reason(Decision::Inconclusive, code, message)
}

/// What makes the whole comparison void.
fn void(facts: &Facts, policy: &Policy) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if facts.total == 0 {
        reasons.push(inconclusive("empty_corpus", "there is no case to compare".to_owned()));
    }
    if let Some(profile) = &facts.same_edge
        && !policy.allow_same_edge
    {
        let message = format!(
            "baseline and candidate are the same edge (profile `{profile}`): give two profiles, or set \
             `allow_same_edge` to compare an edge with itself"
        );
        reasons.push(inconclusive("same_edge", message));
    }
    if let Some((baseline, candidate)) = &facts.different_corpora {
        let message = if baseline == candidate {
            format!(
                "the two runs were sent from different states or selections of the corpus `{baseline}`: send one again"
            )
        } else {
            format!("the two runs are of different corpora (`{baseline}` and `{candidate}`): send one again")
        };
        reasons.push(inconclusive("different_corpora", message));
    }
    reasons
}

/// Limits of findings that are passed.
fn failures(facts: &Facts, policy: &Policy) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for class in Class::ALL.into_iter().filter(|class| *class != Class::Inconclusive) {
        let Some((key, limit)) = policy.limit(class) else { continue };
        let (open, all) = (facts.open_of(class), facts.count_of(class));
        if limit.allows(open, facts.total) {
            continue;
        }
        let waived = if all > open { format!(" ({} more waived)", all - open) } else { String::new() };
        let message = format!("{}{waived}, at most {limit} allowed", finding_words(class, open));
        reasons.push(reason(Decision::Fail, key, message));
    }
    if policy.deny_unused_waivers && !facts.waivers.unused.is_empty() {
        let message = facts.waivers.unused.join("; ");
        reasons.push(reason(Decision::Fail, "deny_unused_waivers", message));
    }
    reasons
}

/// What is not known well enough.
fn unknowns(facts: &Facts, policy: &Policy) -> Vec<Reason> {
    let mut reasons: Vec<_> =
        facts.incomplete.iter().map(|message| inconclusive("run_incomplete", message.clone())).collect();
    if facts.total > 0 && facts.baseline_delivered == 0 {
        let message = "nothing gets through the baseline, so nothing can be lost: is its profile right?";
        reasons.push(inconclusive("dead_baseline", message.to_owned()));
    }
    let unknown = facts.open_of(Class::Inconclusive);
    if !policy.max_inconclusive.allows(unknown, facts.total) {
        let message =
            format!("{}, at most {} allowed", finding_words(Class::Inconclusive, unknown), policy.max_inconclusive);
        reasons.push(inconclusive("max_inconclusive", message));
    }
    if !covers(facts, policy.min_coverage) {
        let message = format!(
            "the candidate settled {} of the baseline's {} cases; at least {}% are asked for",
            facts.covered,
            facts.in_baseline,
            policy.min_coverage * 100.0
        );
        reasons.push(inconclusive("min_coverage", message));
    }
    if facts.known < policy.min_cases {
        let message =
            format!("{} are known on both sides; at least {} are asked for", cases(facts.known), policy.min_cases);
        reasons.push(inconclusive("min_cases", message));
    }
    if policy.require_controls && facts.known_controls == 0 {
        let message = "no control was asked on both sides: set `authorized` in the profiles, with the owner's consent";
        reasons.push(inconclusive("require_controls", message.to_owned()));
    }
    reasons
}

#[expect(clippy::cast_precision_loss, reason = "case counts are far below 2^52")]
fn covers(facts: &Facts, share: f64) -> bool {
    facts.covered == facts.in_baseline || facts.covered as f64 >= share * facts.in_baseline as f64
}

pub(super) fn cases(count: u64) -> String {
    if count == 1 { "1 case".to_owned() } else { format!("{count} cases") }
}

fn finding_words(class: Class, count: u64) -> String {
    let (one, many) = match class {
        Class::NewlyBlocked => ("legitimate case no longer gets through", "legitimate cases no longer get through"),
        Class::ProtectionLost => ("control gets further than before", "controls get further than before"),
        Class::NewlyAltered => ("case now arrives altered", "cases now arrive altered"),
        Class::WouldBlock => (
            "legitimate case would be blocked if the candidate's rules did not only log",
            "legitimate cases would be blocked if the candidate's rules did not only log",
        ),
        Class::ReasonChanged => ("case is refused for another reason", "cases are refused for another reason"),
        Class::Flaky => ("case disagrees with itself", "cases disagree with themselves"),
        Class::Inconclusive => ("case could not be asked on both sides", "cases could not be asked on both sides"),
        Class::OnlyInBaseline => ("case is in the baseline only", "cases are in the baseline only"),
        Class::OnlyInCandidate => ("case is in the candidate only", "cases are in the candidate only"),
        Class::NewlyDelivered => ("case newly gets through", "cases newly get through"),
        Class::ProtectionGained => ("control is newly kept out", "controls are newly kept out"),
        Class::Unchanged => ("case is unchanged", "cases are unchanged"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}
