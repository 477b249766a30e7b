//! What every format shows of a comparison, ordered once. Every number is counted from the cases.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Group, groups};
use super::text::{self, plural};
use crate::compare::{Class, ComparedCase, Comparison, Decision, Finding, SideSummary};
use crate::corpus::Intent;
use crate::exit::ExitCode;
use crate::profile::{Environment, Proof};
use crate::run::{RunEnding, RunManifest, WafEvidence};
use crate::verdict::{Count, Outcome};

/// What every format shows of a comparison.
#[derive(Debug)]
pub struct View<'a> {
    /// The record.
    pub comparison: &'a Comparison,
    /// Cases in each class; every class is there, also with 0.
    pub counts: BTreeMap<Class, usize>,
    /// What the gate counts, gravest class first, then by id.
    pub findings: Vec<&'a ComparedCase>,
    /// What is accepted for now, in the same order.
    pub waived: Vec<&'a ComparedCase>,
    /// What changed, or could not be told, and is not counted by the gate; in the same order.
    pub changed: Vec<&'a ComparedCase>,
    /// [`Self::findings`] by attachment, gravest class first, then by the weight of what is hit.
    pub finding_groups: Vec<CaseGroup<'a>>,
    /// [`Self::waived`] by attachment.
    pub waived_groups: Vec<CaseGroup<'a>>,
    /// [`Self::changed`] by attachment.
    pub changed_groups: Vec<CaseGroup<'a>>,
    /// The procedures that newly blocked files belong to, the hardest hit first.
    pub procedures: Vec<ProcedureHit<'a>>,
    /// The file families, by name.
    pub families: Vec<Family<'a>>,
    /// What became of the controls.
    pub controls: Controls,
    /// The findings of each class that has any: how many, and in words.
    phrases: Vec<(usize, String)>,
}

/// The compared cases of one attachment and class.
pub type CaseGroup<'a> = Group<'a, ComparedCase, Class>;

/// Which list of the report a case stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Findings,
    Waived,
    Changed,
    Nowhere,
}

impl List {
    fn of(case: &ComparedCase) -> Self {
        match &case.finding {
            Finding::Open | Finding::Expired { .. } => Self::Findings,
            Finding::Waived { .. } => Self::Waived,
            Finding::None if case.class == Class::Unchanged => Self::Nowhere,
            Finding::None => Self::Changed,
        }
    }
}

fn by_attachment(cases: &[ComparedCase], list: List) -> Vec<CaseGroup<'_>> {
    groups(cases.iter(), |case| case.class, |case| List::of(case) == list, is_doubtful)
}

/// Whether the class leaves open what the candidate does with the case.
pub(crate) fn is_doubtful(class: Class) -> bool {
    match class {
        Class::Flaky | Class::Inconclusive | Class::OnlyInBaseline | Class::OnlyInCandidate => true,
        Class::NewlyBlocked
        | Class::ProtectionLost
        | Class::NewlyAltered
        | Class::WouldBlock
        | Class::ReasonChanged
        | Class::NewlyDelivered
        | Class::ProtectionGained
        | Class::Unchanged => false,
    }
}

/// A procedure (手続) that would lose submissions.
#[derive(Debug)]
pub struct ProcedureHit<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its cases that are newly blocked or would be, waived ones too: citizens meet those as well. By id.
    pub cases: Vec<&'a ComparedCase>,
    /// Its legitimate cases.
    pub of: usize,
    /// The share, 0 to 1, of the weight of its attachments that is newly blocked. An attachment of which some cases are
    /// newly blocked counts with that part of its weight.
    pub share: f64,
}

/// The cases of one file family: the part of the id before the first `/`.
#[derive(Debug)]
pub struct Family<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its cases.
    pub cases: usize,
    /// Its cases by class; classes without a case are not there.
    pub classes: BTreeMap<Class, usize>,
}

/// What became of the controls.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Controls in the comparison.
    pub cases: usize,
    /// Refused by the baseline.
    pub blocked_by_baseline: usize,
    /// Refused by the candidate.
    pub blocked_by_candidate: usize,
}

impl<'a> View<'a> {
    /// Orders and counts a comparison.
    #[must_use]
    pub fn new(comparison: &'a Comparison) -> Self {
        let mut counts: BTreeMap<Class, usize> = Class::ALL.into_iter().map(|class| (class, 0)).collect();
        let (mut findings, mut waived, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for case in &comparison.cases {
            *counts.entry(case.class).or_default() += 1;
            match List::of(case) {
                List::Findings => findings.push(case),
                List::Waived => waived.push(case),
                List::Changed => changed.push(case),
                List::Nowhere => {}
            }
        }
        for list in [&mut findings, &mut waived, &mut changed] {
            list.sort_by(|a, b| (a.class, &a.id).cmp(&(b.class, &b.id)));
        }
        Self {
            comparison,
            counts,
            phrases: Class::ALL.into_iter().filter_map(|class| finding_phrase(class, &findings)).collect(),
            findings,
            waived,
            changed,
            finding_groups: by_attachment(&comparison.cases, List::Findings),
            waived_groups: by_attachment(&comparison.cases, List::Waived),
            changed_groups: by_attachment(&comparison.cases, List::Changed),
            procedures: procedures(&comparison.cases),
            families: families(&comparison.cases),
            controls: controls(&comparison.cases),
        }
    }

    /// What was compared, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let (baseline, candidate) = (&self.comparison.baseline.run, &self.comparison.candidate.run);
        let corpus = if baseline.corpus == candidate.corpus {
            format!("corpus `{}`", baseline.corpus)
        } else {
            format!("corpora `{}` and `{}`", baseline.corpus, candidate.corpus)
        };
        let cases = plural(self.comparison.cases.len(), "case", "cases");
        format!("Compared `{}` with `{}`: {cases}, {corpus}", baseline.profile, candidate.profile)
    }

    /// The simplest case of each finding's attachment: those that a report shows how to reproduce, gravest first.
    pub fn examples(&self) -> impl Iterator<Item = &'a ComparedCase> {
        self.finding_groups.iter().map(Group::example)
    }

    /// What the decision rests on, in one sentence without the decision: `3 legitimate files newly blocked (of 142 cases)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.parts(Class::ALL.len()).join(" · ")
    }

    /// The last line of a report: `FAIL  3 legitimate files newly blocked (of 142 cases) · exit 1`.
    #[must_use]
    pub fn verdict(&self) -> String {
        self.verdict_of(&self.sentence())
    }

    /// The last line, if possible in at most `columns`: the gravest classes in words, the rest counted. The two gravest always
    /// stand there in words, however narrow the terminal.
    #[must_use]
    pub fn verdict_within(&self, columns: usize) -> String {
        let shorter = |classes| self.verdict_of(&self.parts(classes).join(" · "));
        let mut lines = (2..=Class::ALL.len()).rev().map(shorter);
        lines.find(|line| text::columns(line) <= columns).unwrap_or_else(|| shorter(2))
    }

    fn verdict_of(&self, sentence: &str) -> String {
        last_line(self.comparison.decision, sentence)
    }

    /// The sentence in parts, with the findings of the gravest `classes` in words and the others counted together.
    fn parts(&self, classes: usize) -> Vec<String> {
        let cases = plural(self.comparison.cases.len(), "case", "cases");
        let more: usize = self.phrases.iter().skip(classes).map(|(count, _)| count).sum();
        let mut parts: Vec<String> = self.phrases.iter().take(classes).map(|(_, phrase)| phrase.clone()).collect();
        if more > 0 {
            parts.push(format!("{more} more {}", if more == 1 { "finding" } else { "findings" }));
        }
        if let Some(first) = parts.first_mut() {
            *first = format!("{first} (of {cases})");
        }
        let reason = || self.deciding_reasons().next().unwrap_or("no reason is on record").to_owned();
        match self.comparison.decision {
            Decision::Pass if parts.is_empty() => {
                parts.push(format!("no findings in {cases}"));
                parts.extend(self.uncounted());
            }
            Decision::Pass => parts.push("within the limits of the gate".into()),
            Decision::Fail if parts.is_empty() => parts.push(reason()),
            Decision::Fail => {}
            Decision::Inconclusive => parts.insert(0, reason()),
        }
        if !self.waived.is_empty() {
            parts.push(format!("{} waived", self.waived.len()));
        }
        parts
    }

    /// What looks like a finding and is not counted by the gate: `58 newly blocked not counted`. `None`: there is nothing.
    fn uncounted(&self) -> Option<String> {
        let told: Vec<String> = Class::DOUBTFUL
            .into_iter()
            .map(|class| (class, self.changed.iter().filter(|case| case.class == class).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(class, count)| format!("{count} {}", class_words(class)))
            .collect();
        (!told.is_empty()).then(|| format!("{} not counted", told.join(", ")))
    }

    /// Whether a reason with this code makes the gate fail.
    #[must_use]
    pub fn fails_for(&self, code: &str) -> bool {
        self.comparison.reasons.iter().any(|reason| reason.decision == Decision::Fail && reason.code.contains(code))
    }

    fn deciding_reasons(&self) -> impl Iterator<Item = &'a str> {
        let decision = self.comparison.decision;
        self.comparison.reasons.iter().filter(move |reason| reason.decision == decision).map(|reason| &*reason.message)
    }
}

/// `PASS`, `FAIL` or `INCONCLUSIVE`.
pub(crate) fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "PASS",
        Decision::Fail => "FAIL",
        Decision::Inconclusive => "INCONCLUSIVE",
    }
}

/// `FAIL  3 legitimate files newly blocked · exit 1`.
pub(crate) fn last_line(decision: Decision, sentence: &str) -> String {
    format!("{}  {sentence} · exit {}", decision_word(decision), exit_code(decision) as u8)
}

/// The exit code that the decision leads to.
pub(crate) fn exit_code(decision: Decision) -> ExitCode {
    match decision {
        Decision::Pass => ExitCode::Passed,
        Decision::Fail => ExitCode::Failed,
        Decision::Inconclusive => ExitCode::Inconclusive,
    }
}

/// What the WAF's log says of a case: the candidate's word, or the baseline's where only that one refused it.
pub(crate) fn waf(case: &ComparedCase) -> Option<&WafEvidence> {
    [&case.candidate, &case.baseline].into_iter().flatten().find_map(|side| side.waf.as_deref())
}

/// The family of a case.
#[must_use]
pub fn family(case: &ComparedCase) -> &str {
    family_of(&case.id)
}

pub(crate) fn family_of(id: &crate::corpus::CaseId) -> &str {
    let attachment = id.attachment();
    attachment.split('/').next().unwrap_or(attachment)
}

/// `newly blocked`: the class in words.
#[must_use]
pub fn class_words(class: Class) -> &'static str {
    match class {
        Class::NewlyBlocked => "newly blocked",
        Class::ProtectionLost => "protection lost",
        Class::NewlyAltered => "newly altered",
        Class::WouldBlock => "would be blocked",
        Class::Flaky => "flaky",
        Class::Inconclusive => "inconclusive",
        Class::OnlyInBaseline => "only in baseline",
        Class::OnlyInCandidate => "only in candidate",
        Class::ReasonChanged => "reason changed",
        Class::NewlyDelivered => "newly delivered",
        Class::ProtectionGained => "protection gained",
        Class::Unchanged => "unchanged",
    }
}

/// What the class means, in half a line.
#[must_use]
pub fn class_meaning(class: Class) -> &'static str {
    match class {
        Class::NewlyBlocked => "legitimate, got through, no longer does",
        Class::ProtectionLost => "must be blocked, and now gets further",
        Class::NewlyAltered => "now arrives changed, and did not before",
        Class::WouldBlock => "gets through, because a rule only logs",
        Class::Flaky => "the edge disagrees with itself",
        Class::Inconclusive => "one side could not be asked",
        Class::OnlyInBaseline => "the candidate was not asked",
        Class::OnlyInCandidate => "the baseline was not asked",
        Class::ReasonChanged => "neither better nor worse, another reason",
        Class::NewlyDelivered => "legitimate, was refused, now gets through",
        Class::ProtectionGained => "must be blocked, and got further before",
        Class::Unchanged => "the same on both sides",
    }
}

/// The findings of a class: how many, and in words.
fn finding_phrase(class: Class, findings: &[&ComparedCase]) -> Option<(usize, String)> {
    let cases: Vec<_> = findings.iter().filter(|case| case.class == class).collect();
    let count = cases.len();
    if count == 0 {
        return None;
    }
    let files = cases.iter().map(|case| case.id.attachment()).collect::<BTreeSet<_>>().len();
    let uploads = |verb: &str| {
        if files == count {
            format!("{} {verb}", plural(files, "legitimate file", "legitimate files"))
        } else {
            let files = plural(files, "legitimate file", "legitimate files");
            format!("{} of {files} {verb}", plural(count, "upload", "uploads"))
        }
    };
    let phrase = match class {
        Class::NewlyBlocked => uploads("newly blocked"),
        Class::WouldBlock => uploads("would be blocked"),
        Class::NewlyAltered if cases.iter().all(|case| case.intent == Intent::Legit) => uploads("newly altered"),
        Class::ProtectionLost
        | Class::NewlyAltered
        | Class::Flaky
        | Class::Inconclusive
        | Class::OnlyInBaseline
        | Class::OnlyInCandidate
        | Class::ReasonChanged
        | Class::NewlyDelivered
        | Class::ProtectionGained
        | Class::Unchanged => format!("{count} {}", class_words(class)),
    };
    Some((count, phrase))
}

/// The cases of one procedure, while they are counted.
#[derive(Default)]
struct Tally<'a> {
    hit: Vec<&'a ComparedCase>,
    /// By attachment: newly blocked cases, all cases, weight.
    attachments: BTreeMap<&'a str, (usize, usize, f64)>,
}

impl<'a> Tally<'a> {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    fn close(mut self, name: &'a str) -> ProcedureHit<'a> {
        self.hit.sort_by(|a, b| a.id.cmp(&b.id));
        let all: f64 = self.attachments.values().map(|(_, _, weight)| weight).sum();
        // NOTE: the part first, so that all of an attachment is its weight to the last bit, and all of them 100 %.
        let lost: f64 = self.attachments.values().map(|(hit, of, weight)| weight * (*hit as f64 / *of as f64)).sum();
        let of = self.attachments.values().map(|(_, of, _)| of).sum();
        ProcedureHit { name, cases: self.hit, of, share: if all > 0.0 { lost / all } else { 0.0 } }
    }
}

fn procedures(cases: &[ComparedCase]) -> Vec<ProcedureHit<'_>> {
    let mut tallies: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.intent == Intent::Legit) {
        let hit = matches!(case.class, Class::NewlyBlocked | Class::WouldBlock);
        for name in case.procedures.iter().map(|name| &**name).collect::<BTreeSet<_>>() {
            let tally = tallies.entry(name).or_default();
            let (blocked, of, weight) = tally.attachments.entry(case.id.attachment()).or_default();
            *of += 1;
            *weight = case.weight;
            if hit {
                *blocked += 1;
                tally.hit.push(case);
            }
        }
    }
    let hit = tallies.into_iter().filter(|(_, tally)| !tally.hit.is_empty());
    let mut hits: Vec<_> = hit.map(|(name, tally)| tally.close(name)).collect();
    hits.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.name.cmp(b.name)));
    hits
}

fn families(cases: &[ComparedCase]) -> Vec<Family<'_>> {
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    for case in cases {
        let name = family(case);
        let family = families.entry(name).or_insert_with(|| Family { name, cases: 0, classes: BTreeMap::new() });
        family.cases += 1;
        *family.classes.entry(case.class).or_default() += 1;
    }
    families.into_values().collect()
}

fn controls(cases: &[ComparedCase]) -> Controls {
    let mut controls = Controls::default();
    let refused = |outcome: Outcome| outcome.count() == Count::Fail && outcome != Outcome::Altered;
    for case in cases.iter().filter(|case| case.intent == Intent::Control) {
        controls.cases += 1;
        controls.blocked_by_baseline += usize::from(case.baseline.as_ref().is_some_and(|side| refused(side.outcome)));
        controls.blocked_by_candidate += usize::from(case.candidate.as_ref().is_some_and(|side| refused(side.outcome)));
    }
    controls
}

/// What stands behind a side, in the words of a report: what was asked, what passes rest on, what is doubtful.
pub(crate) fn side_facts(run: &RunManifest) -> Vec<String> {
    let mut facts = vec![proof_words(run.proof).to_owned()];
    if run.insecure {
        facts.push("certificates NOT checked".into());
    }
    facts.push(if run.authorized { "controls sent".into() } else { "controls not sent (not authorised)".into() });
    facts.push(match run.environment {
        Environment::Lab => "lab".into(),
        Environment::Staging => "staging".into(),
        Environment::Production => "PRODUCTION".into(),
    });
    facts
}

fn proof_words(proof: Proof) -> &'static str {
    match proof {
        Proof::Receipt => "proof: receipt",
        Proof::ReadBack => "proof: read-back",
        Proof::Marker => "proof: success marker",
        Proof::Status => "proof: status alone (WEAK)",
    }
}

/// How a side ended, if it did not end well.
pub(crate) fn ending_words(ending: Option<&RunEnding>) -> Option<String> {
    match ending {
        None => Some("did not end: killed, or still being written".into()),
        Some(RunEnding::Complete) => None,
        Some(RunEnding::Interrupted) => Some("was interrupted before its end".into()),
        Some(RunEnding::Banned { detail }) => Some(format!("ended early, banned by the edge: {detail}")),
        Some(RunEnding::Ceiling { detail }) => Some(format!("ended early at a ceiling: {detail}")),
        Some(RunEnding::Unreachable { detail }) => Some(format!("could not begin, nothing can be asked: {detail}")),
        Some(RunEnding::OtherSideEnded) => Some("ended early, because the other edge could not go on".into()),
    }
}

/// Cases of a side by outcome, those that there are: `130 delivered · 12 blocked`.
pub(crate) fn outcome_words(counts: &BTreeMap<Outcome, usize>) -> String {
    let parts: Vec<_> = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| counts.get(&outcome).filter(|count| **count > 0).map(|count| (outcome, count)))
        .map(|(outcome, count)| format!("{count} {}", outcome.as_str()))
        .collect();
    if parts.is_empty() { "nothing settled".into() } else { parts.join(" · ") }
}

/// The outcomes of one side, counted from the cases.
pub(crate) fn side_outcomes<'a>(
    comparison: &'a Comparison,
    side: impl Fn(&'a ComparedCase) -> Option<&'a crate::compare::SideCase>,
) -> BTreeMap<Outcome, usize> {
    let mut counts = BTreeMap::new();
    for side in comparison.cases.iter().filter_map(side) {
        *counts.entry(side.outcome).or_default() += 1;
    }
    counts
}

/// Both sides with their labels.
pub(crate) fn sides(comparison: &Comparison) -> [(&'static str, &SideSummary, BTreeMap<Outcome, usize>); 2] {
    [
        ("baseline", &comparison.baseline, side_outcomes(comparison, |case| case.baseline.as_ref())),
        ("candidate", &comparison.candidate, side_outcomes(comparison, |case| case.candidate.as_ref())),
    ]
}

/// A share as a percentage that does not lie at its ends: `<1%`, `>99%`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "<1%".into()
    } else if percent > 99.0 && percent < 100.0 {
        ">99%".into()
    } else {
        format!("{percent:.0}%")
    }
}
