//! What every format shows of a single run, ordered once. Every number is counted from the cases.

use std::collections::BTreeMap;

use super::group::{Answer, Group, Grouped, groups, without_peer};
use super::text::plural;
use super::view::last_line;
use crate::compare::{Decision, Reason, decide_run};
use crate::corpus::{CaseId, Intent};
use crate::run::{CaseRecord, Run, WafEvidence};
use crate::verdict::{Count, Outcome, Text};

/// What every format shows of a single run: what got through, what did not, and what was decided of it.
#[derive(Debug)]
pub struct RunView<'a> {
    /// The record.
    pub run: &'a Run,
    /// All cases, by id.
    pub cases: Vec<&'a CaseRecord>,
    /// Cases by outcome; outcomes without a case are not there.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Cases that went as they ought to not: see `Mark`. Undelivered legitimate files first, then by id.
    pub notable: Vec<(Mark, &'a CaseRecord)>,
    /// [`Self::notable`] by attachment, gravest mark first, then by the weight of what is hit.
    pub groups: Vec<Group<'a, CaseRecord, Option<Mark>>>,
    /// What the exit code says.
    pub decision: Decision,
    /// Why, gravest first. A pass has none.
    pub reasons: Vec<Reason>,
}

/// Why a case of a run is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A legitimate file that did not get through.
    NotDelivered,
    /// A control that got in.
    ControlDelivered,
    /// The edge disagreed with itself.
    Flaky,
    /// A legitimate file that got through because a rule only logs.
    WouldBlock,
    /// It could not be asked.
    Inconclusive,
}

impl Mark {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotDelivered => "not_delivered",
            Self::ControlDelivered => "control_delivered",
            Self::Flaky => "flaky",
            Self::WouldBlock => "would_block",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The name in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotDelivered => "not delivered",
            Self::ControlDelivered => "control delivered",
            Self::Flaky => "flaky",
            Self::WouldBlock => "would be blocked",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The mark of a case; `None`: it went as it ought to.
    #[must_use]
    pub fn of(case: &CaseRecord) -> Option<Self> {
        let outcome = case.verdict.outcome;
        match (case.intent, outcome.count()) {
            (_, Count::Inconclusive) => Some(Self::Inconclusive),
            (Intent::Legit, Count::Fail) => Some(Self::NotDelivered),
            (Intent::Control, _) if outcome.is_past_edge() => Some(Self::ControlDelivered),
            (Intent::Legit, Count::Pass) | (Intent::Control, Count::Pass | Count::Fail) => {
                let flaky = case.rounds.iter().any(|round| *round != outcome).then_some(Self::Flaky);
                flaky.or_else(|| case.verdict.would_block.then_some(Self::WouldBlock))
            }
        }
    }
}

impl Grouped for CaseRecord {
    fn id(&self) -> &CaseId {
        &self.case
    }

    fn filename(&self) -> &str {
        &self.filename
    }

    fn procedures(&self) -> &[Text] {
        &self.procedures
    }

    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn weight(&self) -> f64 {
        self.weight
    }

    fn waf(&self) -> Option<&WafEvidence> {
        self.waf.as_deref()
    }

    fn answer(&self) -> Answer {
        let evidence = Some(without_peer(&self.verdict.evidence).to_owned()).filter(|text| !text.is_empty());
        let words = super::terminal_run::answer_words(self);
        Answer { sides: vec![("outcome", words)], evidence: evidence.into_iter().collect() }
    }
}

impl<'a> RunView<'a> {
    /// Orders and counts a run.
    #[must_use]
    pub fn new(run: &'a Run) -> Self {
        let mut cases: Vec<_> = run.cases.iter().collect();
        cases.sort_by(|a, b| a.case.cmp(&b.case));
        let mut outcomes = BTreeMap::new();
        for case in &cases {
            *outcomes.entry(case.verdict.outcome).or_default() += 1;
        }
        let mut notable: Vec<_> = cases.iter().filter_map(|case| Some((Mark::of(case)?, *case))).collect();
        notable.sort_by(|a, b| (a.0, &a.1.case).cmp(&(b.0, &b.1.case)));
        let doubtful = |mark| matches!(mark, Some(Mark::Flaky | Mark::Inconclusive));
        let groups = groups(cases.iter().copied(), Mark::of, |case| Mark::of(case).is_some(), doubtful);
        let (decision, reasons) = decide_run(run);
        Self { run, cases, outcomes, notable, groups, decision, reasons }
    }

    /// What was run, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let run = &self.run.manifest;
        format!("Sent corpus `{}` through `{}`: {} of {} settled", run.corpus, run.profile, self.cases.len(), {
            plural(usize::try_from(run.cases).unwrap_or(usize::MAX), "case", "cases")
        })
    }

    /// What a reader must know of the run.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let run = &self.run.manifest;
        let mut warnings = Vec::new();
        if run.proof == crate::profile::Proof::Status {
            warnings.push(
                "passes are weak: `proof = \"status\"` believes the status code, and an edge may refuse with a 200"
                    .into(),
            );
        }
        if run.insecure {
            warnings.push("certificates were not checked: whoever answered may not be the edge".into());
        }
        warnings.extend(self.run.waf_log_warnings());
        if !run.authorized {
            warnings.push("controls were not sent (`authorized` is not set): protection was not tested".into());
        }
        warnings
    }

    /// The last line of a report: `FAIL  130 of 142 legitimate cases delivered · 8 of 8 controls blocked · exit 1`.
    #[must_use]
    pub fn verdict(&self) -> String {
        last_line(self.decision, &self.sentence())
    }

    /// What got through and what did not, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let of = |intent| self.cases.iter().filter(|case| case.intent == intent).count();
        let marked =
            |mark, intent| self.notable.iter().filter(|(known, case)| *known == mark && case.intent == intent).count();
        let (legit, controls) = (of(Intent::Legit), of(Intent::Control));
        let unknown = marked(Mark::Inconclusive, Intent::Legit);
        let delivered = legit - unknown - marked(Mark::NotDelivered, Intent::Legit);
        let mut parts =
            vec![format!("{delivered} of {} delivered", plural(legit, "legitimate case", "legitimate cases"))];
        if controls > 0 {
            let blocked = controls
                - marked(Mark::ControlDelivered, Intent::Control)
                - marked(Mark::Inconclusive, Intent::Control);
            parts.push(format!("{blocked} of {} blocked", plural(controls, "control", "controls")));
        }
        let unknown = unknown + marked(Mark::Inconclusive, Intent::Control);
        if unknown > 0 {
            parts.push(format!("{unknown} inconclusive"));
        }
        let flaky = marked(Mark::Flaky, Intent::Legit) + marked(Mark::Flaky, Intent::Control);
        if flaky > 0 {
            parts.push(format!("{flaky} flaky"));
        }
        let would_block = marked(Mark::WouldBlock, Intent::Legit);
        if would_block > 0 {
            parts.push(format!("{would_block} would be blocked"));
        }
        let settled = u64::try_from(self.cases.len()).unwrap_or(u64::MAX);
        if self.run.manifest.cases > settled {
            parts.push(format!("{} not settled", self.run.manifest.cases - settled));
        }
        parts.join(" · ")
    }
}
