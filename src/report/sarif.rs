//! SARIF 2.1.0 (OASIS), for code scanning: a rule for each class of finding, a result for each finding.
//!
//! A result points at the line of the manifest that declares its attachment, the one file of a repository that a finding belongs
//! to. Its fingerprint is made of case and class, so that an alert stays the same one when lines move.

use std::fmt::Write as _;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::place::Place;
use super::run_view::Mark;
use super::sarif_rule::Rule;
use super::text::{grouped, plural};
use super::view::{exit_code, waf};
use super::{RunView, View, told};
use crate::compare::{Class, ComparedCase, Decision, Finding, Reason, SideCase};
use crate::corpus::name::is_hidden;
use crate::corpus::{CaseId, Sha256Digest};
use crate::run::{CaseRecord, RunManifest, WafEvidence};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Results in one document at most: GitHub refuses more.
const MOST: usize = 25_000;
/// Results that GitHub shows of them, the gravest first.
const SHOWN: usize = 5_000;
/// What stays as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The root of the repository, by the name that code scanning knows.
const ROOT: &str = "%SRCROOT%";

/// Writes a comparison.
pub(crate) fn comparison(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let comparison = view.comparison;
    let (baseline, candidate) = (&comparison.baseline.run, &comparison.candidate.run);
    let rules: Vec<Rule> = Class::ALL.into_iter().filter_map(Rule::of_class).collect();
    let cases = view.findings.iter().chain(&view.waived);
    let results = cases.take(MOST).map(|case| compared(view, &rules, case)).collect();
    let name = format!("{}..{}", baseline.profile, candidate.profile);
    Document {
        run: candidate,
        name: &name,
        rules: &rules,
        all: view.findings.len() + view.waived.len(),
        results,
        decision: comparison.decision,
        sentence: view.verdict(),
        reasons: &comparison.reasons,
        warnings: &comparison.warnings,
    }
    .write(out)
}

/// Writes a run.
pub(crate) fn run(view: &RunView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = &view.run.manifest;
    let rules = Rule::OF_RUN;
    let results = view.notable.iter().take(MOST).map(|(mark, case)| sent(run, &rules, *mark, case)).collect();
    Document {
        run,
        name: &run.profile,
        rules: &rules,
        all: view.notable.len(),
        results,
        decision: view.decision,
        sentence: view.verdict(),
        reasons: &view.reasons,
        warnings: &view.warnings(),
    }
    .write(out)
}

/// A document with one run.
struct Document<'a> {
    run: &'a RunManifest,
    /// What the results are told apart by from those of other comparisons of the same commit.
    name: &'a str,
    rules: &'a [Rule],
    results: Vec<Value>,
    /// Results, those that were left out too.
    all: usize,
    decision: Decision,
    sentence: String,
    reasons: &'a [Reason],
    warnings: &'a [String],
}

impl Document<'_> {
    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let version = self.run.tool.rsplit(' ').next().unwrap_or_default();
        let category = plain(self.name).replace('/', "-");
        let root = "the root of the repository, or the working folder where there is none";
        let document = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "wafcanary",
                    "version": version,
                    "semanticVersion": version,
                    "shortDescription": { "text": env!("CARGO_PKG_DESCRIPTION") },
                    "rules": self.rules.iter().map(Rule::value).collect::<Vec<_>>(),
                }},
                "automationDetails": { "id": format!("wafcanary/{category}/{}", self.run.run) },
                "invocations": [{
                    "exitCode": exit_code(self.decision) as u8,
                    "exitCodeDescription": plain(&self.sentence),
                    "executionSuccessful": self.is_whole(),
                    "startTimeUtc": self.run.started,
                    "toolExecutionNotifications": self.notifications(),
                }],
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": { ROOT: { "description": { "text": root } } },
                "results": self.results,
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    }

    /// The decision's reasons, what a reader must know, and what was left out.
    /// Whether what has no result is known to be well. Otherwise code scanning must not close alerts by it: a run that fails
    /// may have been banned half-way.
    fn is_whole(&self) -> bool {
        let unknown = |decision| decision == Decision::Inconclusive;
        !unknown(self.decision) && !self.reasons.iter().any(|reason| unknown(reason.decision))
    }

    fn notifications(&self) -> Vec<Value> {
        let told = |level: &str, code: &str, message: &str| json!({ "level": level, "descriptor": { "id": plain(code) }, "message": { "text": text(message) } });
        let level = |decision| match decision {
            Decision::Fail | Decision::Inconclusive => "error",
            Decision::Pass => "note",
        };
        let reasons = self.reasons.iter().map(|reason| told(level(reason.decision), &reason.code, &reason.message));
        let warnings = self.warnings.iter().map(|warning| told("warning", "warning", warning));
        let mut all: Vec<_> = reasons.chain(warnings).collect();
        if self.all > self.results.len() {
            let left = plural(self.all - self.results.len(), "result is", "results are");
            let message = format!(
                "{left} left out, the least grave: code scanning takes {} a document. The JSON report has all",
                grouped(MOST as u64)
            );
            all.push(told("warning", "results_left_out", &message));
        }
        if self.results.len() > SHOWN {
            let message = format!(
                "GitHub shows {} of these {} results: those of the gravest levels",
                grouped(SHOWN as u64),
                grouped(self.results.len() as u64)
            );
            all.push(told("warning", "results_not_shown", &message));
        }
        all
    }
}

fn compared(view: &View<'_>, rules: &[Rule], case: &ComparedCase) -> Value {
    let run = &view.comparison.candidate.run;
    let rule = rules.iter().position(|rule| rule.id == case.class.as_str());
    let (level, suppressions) = match &case.finding {
        // GitHub does not look at suppressions: as a note, an accepted finding fails no check there.
        Finding::Waived { owner, reason, expires } => (
            "note",
            vec![json!({
                "kind": "external",
                "status": "accepted",
                "justification": text(&format!("{owner}, until {expires}: {reason}")),
            })],
        ),
        // Within the limits of the gate.
        Finding::Open | Finding::Expired { .. } | Finding::None if view.comparison.decision == Decision::Pass => {
            ("warning", Vec::new())
        }
        Finding::Open | Finding::Expired { .. } | Finding::None => {
            (rule.map_or("warning", |at| rules[at].level), Vec::new())
        }
    };
    let finding = match case.finding {
        Finding::None => "none",
        Finding::Open => "open",
        Finding::Waived { .. } => "waived",
        Finding::Expired { .. } => "expired",
    };
    let mut result = result(run, case.class.as_str(), rule, &case.id, case.place.as_deref());
    result["level"] = level.into();
    result["message"] = json!({ "text": text(&told::of_case(case)) });
    result["suppressions"] = suppressions.into();
    result["properties"] = json!({
        "case": plain(case.id.as_str()),
        "filename": plain(&case.filename),
        "finding": finding,
        "procedures": all_plain(case.procedures.iter().map(|name| &**name)),
        "weight": case.weight,
        "baseline": side(case.baseline.as_ref()),
        "candidate": side(case.candidate.as_ref()),
        "wafRules": rule_ids(waf(case)),
    });
    result
}

fn sent(run: &RunManifest, rules: &[Rule], mark: Mark, case: &CaseRecord) -> Value {
    let rule = rules.iter().position(|rule| rule.id == mark.as_str());
    let mut result = result(run, mark.as_str(), rule, &case.case, case.place.as_deref());
    result["level"] = rule.map_or("warning", |at| rules[at].level).into();
    result["message"] = json!({ "text": text(&told::of_record(mark, case)) });
    result["properties"] = json!({
        "case": plain(case.case.as_str()),
        "filename": plain(&case.filename),
        "procedures": all_plain(case.procedures.iter().map(|name| &**name)),
        "weight": case.weight,
        "outcome": case.verdict.outcome.as_str(),
        "status": case.verdict.status,
        "wafRules": rule_ids(case.waf.as_deref()),
    });
    result
}

/// What every result has.
fn result(run: &RunManifest, class: &str, rule: Option<usize>, case: &CaseId, place: Option<&str>) -> Value {
    let fingerprint = Sha256Digest::of(format!("{case}\n{class}").as_bytes()).to_string();
    let mut result = json!({
        "ruleId": class,
        "locations": [location(run, case, place)],
        "partialFingerprints": {
            "wafcanaryCase/v1": fingerprint,
            // NOTE: the one that GitHub looks at. Made of the line, it would be the same for all cases of an attachment.
            "primaryLocationLineHash": format!("{}:1", &fingerprint[..16]),
        },
    });
    if let Some(rule) = rule {
        result["ruleIndex"] = rule.into();
    }
    result
}

/// The line of the manifest, and the case by its id.
fn location(run: &RunManifest, case: &CaseId, place: Option<&str>) -> Value {
    let place = Place::of(run, place.unwrap_or_default());
    let encoded = |path: &str| utf8_percent_encode(path, PATH).to_string();
    let artifact = if place.folder.is_some() {
        // Without a manifest: the folder itself.
        let path = place.path();
        json!({ "uri": if path.is_empty() { "./".to_owned() } else { encoded(&path) }, "uriBaseId": ROOT })
    } else {
        let file = if place.file.is_empty() { "manifest.toml" } else { place.file };
        let words = format!("the manifest of the corpus `{}`, which is not in this repository", run.corpus);
        json!({
            "uri": encoded(&format!("wafcanary-corpus/{file}")),
            "description": { "text": text(&words) },
        })
    };
    let mut physical = json!({ "artifactLocation": artifact });
    if let Some(line) = place.line.filter(|line| *line > 0) {
        physical["region"] = json!({ "startLine": line });
    }
    let name = plain(case.as_str());
    json!({ "physicalLocation": physical, "logicalLocations": [{ "fullyQualifiedName": name, "kind": "resource" }] })
}

fn side(side: Option<&SideCase>) -> Value {
    side.map_or(Value::Null, |side| {
        json!({
            "outcome": side.outcome.as_str(),
            "status": side.status,
            "signature": side.signature.as_deref().map(plain),
        })
    })
}

fn rule_ids(evidence: Option<&WafEvidence>) -> Vec<String> {
    let rules = evidence.into_iter().flat_map(|evidence| &evidence.rules);
    rules.map(|hit| plain(hit.id.as_deref().unwrap_or(&hit.message))).collect()
}

fn all_plain<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(plain).collect()
}

/// What a stranger wrote, on one line, with nothing hidden in it.
fn plain(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        if is_hidden(c) {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A message, in which nothing becomes a link (3.11.6 of the standard), a placeholder (3.11.5) or, where it is shown as Markdown,
/// a mention.
fn text(raw: &str) -> String {
    let mut out = plain(raw).replace('{', "{{").replace('}', "}}").replace("](", "] (");
    for (mark, apart) in [("@", "@\u{200b}"), ("#", "#\u{200b}"), ("://", ":\u{200b}//"), ("www.", "www\u{200b}.")] {
        out = out.replace(mark, apart);
    }
    out
}
