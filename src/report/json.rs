//! JSON for machines: the document as it is stored, written as it is walked.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::compare::{Class, ComparedCase, Comparison, Decision, Reason, SideSummary, decide_run};
use crate::corpus::{CaseId, Intent};
use crate::run::{CaseRecord, Event, Run, RunEnding, RunManifest, SideName, WafEvidence, WafLog};
use crate::verdict::{Outcome, Text};

/// A single run, as `report RUN --format json` writes it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "wafcanary run")]
pub(crate) struct RunDocument<'a> {
    /// The version of this format. Additive changes keep it.
    schema_version: u32,
    /// What was asked of the run, and of which edge.
    run: &'a RunManifest,
    /// How it ended; `null`: it was killed, or is still being written.
    ending: Option<&'a RunEnding>,
    /// What the exit code says: whether every legitimate case was delivered and no control got in.
    decision: Decision,
    /// Why, gravest first. A pass has none.
    reasons: Vec<Reason>,
    /// Cases by outcome; every outcome is there, also with 0.
    outcomes: BTreeMap<Outcome, u64>,
    /// The WAF's logs that were read for it.
    #[serde(skip_serializing_if = "<[WafLog]>::is_empty")]
    waf_logs: &'a [WafLog],
    /// The settled cases, by id.
    #[schemars(with = "Vec<RunCase>")]
    cases: RunCases<'a>,
}

/// Cases that are made while they are written: there is never a second copy of a run.
#[derive(Debug)]
struct RunCases<'a>(Vec<&'a CaseRecord>);

impl Serialize for RunCases<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|case| RunCase::new(case)))
    }
}

/// What became of one case.
#[derive(Debug, Serialize, JsonSchema)]
struct RunCase<'a> {
    /// The case.
    #[schemars(with = "String")]
    id: &'a CaseId,
    /// What the edge ought to do with it.
    intent: Intent,
    /// What became of it.
    outcome: Outcome,
    /// The edge's signature that matched.
    signature: Option<&'a str>,
    /// Status of the answer that decided.
    status: Option<u16>,
    /// Attempts in all rounds.
    attempts: u32,
    /// What was seen.
    evidence: &'a str,
    /// The outcomes of the rounds, in order.
    rounds: &'a [Outcome],
    /// A rule fired without blocking.
    would_block: bool,
    /// Filename as the user sees it.
    filename: &'a str,
    /// Procedures (手続) that receive such an attachment.
    procedures: &'a [Text],
    /// Share of real submissions that the attachment stands for.
    weight: f64,
    /// For a control: the id of its legitimate twin.
    twin: Option<&'a str>,
    /// `manifest.toml:12`, where the attachment is declared.
    place: Option<&'a str>,
    /// Milliseconds that all its attempts took together.
    millis: u64,
    /// What the WAF's log says of its attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    waf: Option<&'a WafEvidence>,
}

impl<'a> RunDocument<'a> {
    fn new(run: &'a Run) -> Self {
        let mut cases: Vec<_> = run.cases.iter().collect();
        cases.sort_by(|a, b| a.case.cmp(&b.case));
        let mut outcomes: BTreeMap<_, u64> = Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
        for case in &cases {
            *outcomes.entry(case.verdict.outcome).or_default() += 1;
        }
        let (decision, reasons) = decide_run(run);
        Self {
            schema_version: crate::run::event::SCHEMA_VERSION,
            run: &run.manifest,
            ending: run.ending.as_ref(),
            decision,
            reasons,
            outcomes,
            waf_logs: &run.waf_logs,
            cases: RunCases(cases),
        }
    }
}

impl<'a> RunCase<'a> {
    fn new(case: &'a CaseRecord) -> Self {
        Self {
            id: &case.case,
            intent: case.intent,
            outcome: case.verdict.outcome,
            signature: case.verdict.signature.as_deref(),
            status: case.verdict.status,
            attempts: case.attempts,
            evidence: &case.verdict.evidence,
            rounds: &case.rounds,
            would_block: case.verdict.would_block,
            filename: &case.filename,
            procedures: &case.procedures,
            weight: case.weight,
            twin: case.twin.as_deref(),
            place: case.place.as_deref(),
            millis: case.millis,
            waf: case.waf.as_deref(),
        }
    }
}

/// Writes a comparison.
pub(crate) fn comparison(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    document(comparison, out)
}

/// Writes a run.
pub(crate) fn run(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    document(&RunDocument::new(run), out)
}

/// Writes a document, one row of its lists to a line.
pub(super) fn document(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Rows::default()))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The last line of a comparison in JSON lines: all of it but the cases.
#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    decision: Decision,
    reasons: &'a [Reason],
    counts: &'a BTreeMap<Class, u64>,
    baseline: &'a SideSummary,
    candidate: &'a SideSummary,
    warnings: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
enum Line<'a> {
    ComparedCase(&'a ComparedCase),
    Comparison(Summary<'a>),
    RunFinished { side: SideName, ending: &'a RunEnding },
    Decision { decision: Decision, reasons: Vec<Reason> },
}

/// Writes a comparison as one line per case, then a summary line.
pub(crate) fn comparison_lines(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for case in &comparison.cases {
        line(&Line::ComparedCase(case), &mut out)?;
    }
    let summary = Summary {
        schema_version: comparison.schema_version,
        decision: comparison.decision,
        reasons: &comparison.reasons,
        counts: &comparison.counts,
        baseline: &comparison.baseline,
        candidate: &comparison.candidate,
        warnings: &comparison.warnings,
    };
    line(&Line::Comparison(summary), &mut out)?;
    out.flush()
}

/// Writes a run as the lines of its journal that are kept in memory, and what was decided of it.
pub(crate) fn run_lines(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    line(&Event::RunStarted(run.manifest.clone()), &mut out)?;
    for case in &run.cases {
        line(&Event::Case(case.clone()), &mut out)?;
    }
    if let Some(ending) = &run.ending {
        line(&Line::RunFinished { side: run.manifest.side, ending }, &mut out)?;
    }
    let (decision, reasons) = decide_run(run);
    line(&Line::Decision { decision, reasons }, &mut out)?;
    out.flush()
}

fn line(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Breaks lines at the top level only: one key to a line, and one case to a line. So a document of a million cases stays small,
/// and `grep` and `diff` work on it.
#[derive(Default)]
struct Rows {
    depth: usize,
    /// Whether the value at depth 2 that is being written is the first of its array.
    open: bool,
}

impl Rows {
    fn breaks(&self) -> bool {
        self.depth <= 1
    }

    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: u8) -> io::Result<()> {
        self.depth += 1;
        out.write_all(&[bracket])
    }
}

impl Formatter for Rows {
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b'{')
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.breaks() {
            out.write_all(b"\n")?;
        }
        self.depth -= 1;
        out.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.breaks() { out.write_all(b"\n  ") } else { Ok(()) }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.breaks() { b": " } else { b":" })
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open = false;
        self.begin(out, b'[')
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth == 1 && self.open {
            out.write_all(b"\n  ")?;
        }
        out.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth == 2 { out.write_all(b"\n    ") } else { Ok(()) }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.open = true;
        Ok(())
    }
}
