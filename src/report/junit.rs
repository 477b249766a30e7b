//! `JUnit` XML, the common core that CI systems read, with Surefire's flaky and rerun elements.
//!
//! A suite is a file family, a test case a case; the suite `gate` holds the reasons of the decision, so that a comparison
//! that fails as a whole (a dead baseline, no cases) is never all green. With the decision `pass` nothing is red.
//! The same holds for a single run, whose suite is called `run`.
//!
//! NOTE: the counts stand before the cases in XML, so that the document is built whole in memory, unlike JSON and CSV.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{FlakyOrRerun, NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString};

use super::RunView;
use super::place::Place;
use super::run_view::Mark;
use super::terminal::{evidence, from_to, side_words, waiver_words};
use super::text::visible;
use super::view::{View, class_meaning, class_words, family, family_of, side_facts, waf};
use super::waf::rule_words;
use crate::compare::{Class, ComparedCase, Decision, Finding, Reason, SideCase};
use crate::run::{CaseRecord, RunManifest, WafEvidence};
use crate::verdict::{Count, Outcome};

/// Writes a comparison.
pub(crate) fn comparison(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = &view.comparison.candidate.run;
    let mut report = Report::new(xml(&view.headline()));
    let comparison = view.comparison;
    let output = [vec![view.verdict()], comparison.warnings.clone()].concat();
    report.add_test_suite(gate("gate", (comparison.decision, &view.sentence()), &comparison.reasons, &output));
    let mut suites = Suites::default();
    for case in &view.comparison.cases {
        suites.add(run, family(case), compared(view, run, case));
    }
    let properties = [("baseline", &view.comparison.baseline.run), ("candidate", run)];
    suites.finish(&mut report, &properties);
    write(&report, out)
}

/// Writes a run.
pub(crate) fn run(view: &RunView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = &view.run.manifest;
    let mut report = Report::new(xml(&view.headline()));
    let output = [vec![view.verdict()], view.warnings()].concat();
    report.add_test_suite(gate("run", (view.decision, &view.sentence()), &view.reasons, &output));
    let mut suites = Suites::default();
    for case in &view.cases {
        suites.add(run, family_of(&case.case), sent(run, case));
    }
    suites.finish(&mut report, &[("run", run)]);
    write(&report, out)
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    report.serialize(&mut *out).map_err(io::Error::other)
}

/// Text for XML: what XML 1.0 forbids is written visibly, not dropped.
fn xml(text: &str) -> XmlString {
    XmlString::new(visible(text))
}

/// As [`xml`], several lines.
fn xml_lines(lines: &[String]) -> XmlString {
    XmlString::new(lines.iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n"))
}

#[derive(Default)]
struct Suites(BTreeMap<String, TestSuite>);

impl Suites {
    fn add(&mut self, run: &RunManifest, family: &str, mut case: TestCase) {
        let family = visible(family);
        case.set_classname(xml(&format!("{}.{family}", run.profile)));
        self.0.entry(family.clone()).or_insert_with(|| TestSuite::new(family)).add_test_case(case);
    }

    fn finish(self, report: &mut Report, runs: &[(&str, &RunManifest)]) {
        let mut all = Duration::ZERO;
        for mut suite in self.0.into_values() {
            let time = suite.test_cases.iter().filter_map(|case| case.time).sum();
            suite.set_time(time);
            all += time;
            for (side, run) in runs {
                for (key, value) in [
                    ("profile", run.profile.clone()),
                    ("profile_digest", run.profile_digest.to_string()),
                    ("url", run.url.clone()),
                    ("corpus", run.corpus.clone()),
                    ("corpus_digest", run.corpus_digest.to_string()),
                    ("run", run.run.clone()),
                    ("facts", side_facts(run).join(" · ")),
                ] {
                    suite.add_property((xml(&format!("{side}.{key}")), xml(&value)));
                }
            }
            report.add_test_suite(suite);
        }
        report.set_time(all);
    }
}

/// The suite of the decision and its reasons.
fn gate(name: &str, (decision, sentence): (Decision, &str), reasons: &[Reason], output: &[String]) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let status = |decision, message: &str| {
        let mut status = match decision {
            Decision::Pass => TestCaseStatus::success(),
            Decision::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Decision::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        status.set_message(xml(message)).set_type("gate");
        status
    };
    let class_name = format!("wafcanary.{name}");
    let mut case = TestCase::new("decision", status(decision, sentence));
    case.set_classname(class_name.clone());
    case.set_system_out(xml_lines(output));
    suite.add_test_case(case);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        let times = seen.entry(&reason.code).or_default();
        *times += 1;
        // CI systems drop a second case of the same name.
        let name = if *times == 1 { reason.code.clone() } else { format!("{} ({times})", reason.code) };
        let mut case = TestCase::new(xml(&name), status(reason.decision, &reason.message));
        case.set_classname(class_name.clone());
        suite.add_test_case(case);
    }
    suite
}

fn compared(view: &View<'_>, run: &RunManifest, case: &ComparedCase) -> TestCase {
    let mut test = TestCase::new(xml(case.id.as_str()), compared_status(view, case));
    let millis = [&case.baseline, &case.candidate].into_iter().flatten().map(|side| side.millis).sum();
    test.set_time(Duration::from_millis(millis));
    place(&mut test, run, case.place.as_deref());
    test.add_property(("class", case.class.as_str()));
    test.add_property((XmlString::new("profile"), xml(&run.profile)));
    test.add_property((XmlString::new("filename"), xml(&case.filename)));
    for procedure in &case.procedures {
        test.add_property((XmlString::new("procedure"), xml(procedure)));
    }
    for (label, side) in [("baseline", &case.baseline), ("candidate", &case.candidate)] {
        if let Some(side) = side {
            test.add_property((XmlString::new(label), xml(&side_words(side))));
        }
    }
    test
}

/// What the case is for CI: red only where the gate is.
fn compared_status(view: &View<'_>, case: &ComparedCase) -> TestCaseStatus {
    let passed = view.comparison.decision == Decision::Pass;
    let kind = match (&case.finding, case.class) {
        (Finding::Waived { .. }, _) => return skipped(case, &waiver_words(&case.finding)),
        (Finding::None, Class::Inconclusive | Class::OnlyInBaseline | Class::OnlyInCandidate) => {
            return skipped(case, "not counted by the gate");
        }
        (Finding::Open | Finding::Expired { .. } | Finding::None, Class::Flaky) if !view.fails_for("flaky") => {
            let mut status = TestCaseStatus::success();
            status.add_reruns(reruns(case));
            return status;
        }
        (Finding::None, _) => return TestCaseStatus::success(),
        (Finding::Open | Finding::Expired { .. }, _) if passed => {
            return skipped(case, "within the limits of the gate");
        }
        (Finding::Open | Finding::Expired { .. }, Class::Inconclusive) => NonSuccessKind::Error,
        (Finding::Open | Finding::Expired { .. }, _) => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let words = format!("{}: {}", class_words(case.class), from_to(case));
    status.set_message(xml(&words)).set_type(case.class.as_str()).set_description(xml_lines(&description(case)));
    status.set_rerun_kind(FlakyOrRerun::Rerun).add_reruns(reruns(case));
    status
}

fn skipped(case: &ComparedCase, why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(&format!("{}: {why}", class_words(case.class)))).set_type(case.class.as_str());
    status.set_description(xml_lines(&description(case)));
    status
}

fn description(case: &ComparedCase) -> Vec<String> {
    let mut lines = vec![
        format!("{} ({})", class_words(case.class), class_meaning(case.class)),
        format!("file: {}", case.filename),
    ];
    for (label, side) in [("baseline", &case.baseline), ("candidate", &case.candidate)] {
        lines.push(format!("{label}: {}", side.as_ref().map_or_else(|| "not asked".into(), side_words)));
    }
    lines.extend(evidence(case));
    lines.extend(waf(case).into_iter().flat_map(rule_lines));
    if !case.procedures.is_empty() {
        lines.push(format!("hits: {}", case.procedures.join(" · ")));
    }
    if case.finding != Finding::Open && case.finding != Finding::None {
        lines.push(waiver_words(&case.finding));
    }
    lines
}

/// The rules that fired, a line each.
fn rule_lines(evidence: &WafEvidence) -> impl Iterator<Item = String> {
    evidence.rules.iter().map(|hit| format!("rule: {}", rule_words(hit)))
}

/// The rounds that did not get through, where rounds disagree.
fn reruns(case: &ComparedCase) -> Vec<TestRerun> {
    let sides = [("baseline", &case.baseline), ("candidate", &case.candidate)];
    let side = |(label, side): (&str, &Option<SideCase>)| {
        side.as_ref().map_or_else(Vec::new, |side| failed_rounds(label, &side.rounds, &side.evidence))
    };
    sides.into_iter().flat_map(side).collect()
}

fn failed_rounds(label: &str, rounds: &[Outcome], evidence: &str) -> Vec<TestRerun> {
    let mut reruns = Vec::new();
    for (at, outcome) in rounds.iter().enumerate() {
        let kind = match outcome.count() {
            Count::Pass => continue,
            Count::Fail => NonSuccessKind::Failure,
            Count::Inconclusive => NonSuccessKind::Error,
        };
        let mut rerun = TestRerun::new(kind);
        let text = format!("{label}, round {} of {}: {}", at + 1, rounds.len(), outcome.as_str());
        rerun.set_message(xml(&text)).set_type(outcome.as_str()).set_description(xml(evidence));
        reruns.push(rerun);
    }
    reruns
}

fn sent(run: &RunManifest, case: &CaseRecord) -> TestCase {
    let words = super::terminal_run::outcome(case);
    let failed = |kind, mark: Mark| {
        let mut status = TestCaseStatus::non_success(kind);
        let mut lines = vec![format!("file: {}", case.filename), words.clone(), case.verdict.evidence.to_string()];
        lines.extend(case.waf.iter().flat_map(|evidence| rule_lines(evidence)));
        status.set_message(xml(&format!("{}: {words}", mark.words()))).set_type(mark.as_str());
        status.set_description(xml_lines(&lines));
        if case.rounds.iter().any(|round| *round != case.verdict.outcome) {
            let rounds = failed_rounds("run", &case.rounds, &case.verdict.evidence);
            status.set_rerun_kind(FlakyOrRerun::Rerun).add_reruns(rounds);
        }
        status
    };
    let status = match Mark::of(case) {
        None | Some(Mark::WouldBlock) => TestCaseStatus::success(),
        // A flaky case fails a run: which of its answers is right, nothing else tells.
        Some(mark @ (Mark::NotDelivered | Mark::ControlDelivered | Mark::Flaky)) => {
            failed(NonSuccessKind::Failure, mark)
        }
        Some(mark @ Mark::Inconclusive) => failed(NonSuccessKind::Error, mark),
    };
    let mut test = TestCase::new(xml(case.case.as_str()), status);
    test.set_time(Duration::from_millis(case.millis));
    place(&mut test, run, case.place.as_deref());
    test.add_property((XmlString::new("profile"), xml(&run.profile)));
    test.add_property((XmlString::new("filename"), xml(&case.filename)));
    test.add_property(("outcome", case.verdict.outcome.as_str()));
    for procedure in &case.procedures {
        test.add_property((XmlString::new("procedure"), xml(procedure)));
    }
    test
}

/// Where the attachment is declared, as the attributes `file` and `line`.
fn place(test: &mut TestCase, run: &RunManifest, place: Option<&str>) {
    let Some(place) = place else { return };
    let place = Place::of(run, place);
    test.extra.insert("file".into(), xml(&place.path()));
    if let Some(line) = place.line {
        test.extra.insert("line".into(), xml(&line.to_string()));
    }
}
