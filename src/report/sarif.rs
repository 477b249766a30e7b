//! SARIF 2.1.0 (OASIS), for code scanning: a rule for each class of finding, a result for each finding.
//!
//! A result points at the line of the manifest that declares its attachment, the one file of a repository that a finding belongs
//! to. Its fingerprint is made of case and class, so that an alert stays the same one when lines move.

use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::place::Place;
use super::run_view::Mark;
use super::text::{grouped, plural};
use super::view::{exit_code, waf};
use super::{RunView, View, sentence};
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

/// A class of finding, as an alert explains it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    id: &'static str,
    level: &'static str,
    short: &'static str,
    full: &'static str,
    /// What to do, in steps.
    help: &'static [&'static str],
    tag: &'static str,
}

impl Rule {
    /// The rule of a class that the gate counts; `None`: it never does.
    fn of_class(class: Class) -> Option<Self> {
        let rule = |level, short, full, help, tag| Some(Self { id: class.as_str(), level, short, full, help, tag });
        match class {
            Class::NewlyBlocked => rule(
                "error",
                "A legitimate file no longer gets through",
                "A file that people attach to a form reaches the application through the edge as it is, and does not through \
                 the edge as it will be. The change must not go live as it is.",
                &[
                    "Ask `wafcanary explain` for the smallest property that makes the candidate refuse the file.",
                    "Ask `wafcanary suggest` for the narrowest exclusion, and try it on a staging WAF.",
                    "Where the refusal is meant, accept it in the file of waivers, with owner, reason and last day.",
                ],
                "regression",
            ),
            Class::ProtectionLost => rule(
                "error",
                "A control that must be blocked now gets further",
                "An upload that the edge must refuse was kept out, and now gets further than before. An exclusion is too wide, or \
                 a rule is off.",
                &[
                    "Look which exclusion or switch of the change lets it in, and narrow it.",
                    "A waiver for it must name this one control.",
                ],
                "protection",
            ),
            Class::NewlyAltered => rule(
                "error",
                "A file now arrives altered",
                "Bytes, filename or type that the application receives are not those that were sent, and on the edge as it is \
                 they were, or the sender saw a refusal. Nobody is told of such damage.",
                &[
                    "Compare the receipt with what was sent: digest, size, filename and type.",
                    "Switch off what rewrites uploads at the edge: sanitising, re-encoding, limits that cut.",
                ],
                "regression",
            ),
            Class::WouldBlock => rule(
                "error",
                "A legitimate file would be blocked by a rule that only logs",
                "The file gets through because the candidate's rules are in count, log or detection mode. When they block, it is \
                 refused.",
                &[
                    "Cure the rule before the mode is switched: `wafcanary suggest` writes the narrowest exclusion.",
                    "Where the refusal is meant, accept it in the file of waivers, with owner, reason and last day.",
                ],
                "regression",
            ),
            Class::Flaky => rule(
                "warning",
                "The edge disagrees with itself about a file",
                "Asked several times for the same upload, an edge gave different answers. Nothing is proven of the change by it.",
                &[
                    "Send it again with more rounds (`--confirm`), more slowly (`--rate`).",
                    "Look for nodes that have different rules.",
                ],
                "noise",
            ),
            Class::Inconclusive => rule(
                "warning",
                "A file could not be asked on both sides",
                "The edge throttled, banned or could not be reached, so nothing is known of the file. That is never a pass.",
                &[
                    "Read the evidence: address, credentials, pace.",
                    "Send it again: `wafcanary compare --resume` goes on with it.",
                ],
                "noise",
            ),
            Class::OnlyInBaseline => rule(
                "warning",
                "A file was not sent to the candidate",
                "The baseline has the case and the candidate has not, so nothing is known of it.",
                &["Send both sides with the same corpus and selection."],
                "noise",
            ),
            Class::ReasonChanged => rule(
                "warning",
                "A file is refused for another reason than before",
                "Both edges refuse the file, in different ways: people see another page, or wait for a time-out.",
                &["Look at what people see now, and whether the helpdesk knows it."],
                "regression",
            ),
            Class::OnlyInCandidate | Class::NewlyDelivered | Class::ProtectionGained | Class::Unchanged => None,
        }
    }

    /// The rules of a run: one for each [`Mark`].
    const OF_RUN: [Self; 5] = [
        Self {
            id: "not_delivered",
            level: "error",
            short: "A legitimate file does not get through",
            full: "A file that people attach to a form does not reach the application through this edge.",
            help: &[
                "Ask `wafcanary compare` whether it does through the edge as it was.",
                "Ask `wafcanary explain` what makes the edge refuse it.",
            ],
            tag: "regression",
        },
        Self {
            id: "control_delivered",
            level: "error",
            short: "A control that must be blocked gets past the edge",
            full: "An upload that the edge must refuse reaches the application.",
            help: &["Look whether the rules are on and block, and which exclusion lets it in."],
            tag: "protection",
        },
        Self {
            id: "flaky",
            level: "warning",
            short: "The edge disagrees with itself about a file",
            full: "Asked several times for the same upload, the edge gave different answers.",
            help: &["Send it again with more `--rounds`, more slowly (`--rate`)."],
            tag: "noise",
        },
        Self {
            id: "would_block",
            level: "warning",
            short: "A legitimate file would be blocked by a rule that only logs",
            full: "The file gets through because rules are in count, log or detection mode. When they block, it is refused.",
            help: &["Cure the rule before the mode is switched."],
            tag: "regression",
        },
        Self {
            id: "inconclusive",
            level: "warning",
            short: "A file could not be asked",
            full: "The edge throttled, banned or could not be reached, so nothing is known of the file.",
            help: &["Read the evidence: address, credentials, pace.", "`wafcanary run --resume` goes on with it."],
            tag: "noise",
        },
    ];

    fn value(&self) -> Value {
        let plain = self.help.join("\n");
        let list: Vec<_> = self.help.iter().map(|step| format!("* {step}")).collect();
        json!({
            "id": self.id,
            "shortDescription": { "text": self.short },
            "fullDescription": { "text": self.full },
            "help": { "text": plain, "markdown": format!("{}\n\n{}\n", self.full, list.join("\n")) },
            "defaultConfiguration": { "level": self.level },
            "properties": {
                "tags": ["waf", "upload", self.tag],
                "precision": if self.tag == "noise" { "low" } else { "very-high" },
                "problem.severity": self.level,
            },
        })
    }
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
                    // What is inconclusive was executed, and says nothing: code scanning must not close alerts by it.
                    "executionSuccessful": self.decision != Decision::Inconclusive,
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
    result["message"] = json!({ "text": text(&sentence::of_case(case)) });
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
    result["message"] = json!({ "text": text(&sentence::of_record(mark, case)) });
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
        if is_hidden(c) { out.push_str(&format!("<U+{:04X}>", u32::from(c))) } else { out.push(c) }
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
