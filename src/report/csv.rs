//! CSV for spreadsheets, RFC 4180: one row per case, and no cell that a spreadsheet would run.

use std::io::{self, Write};

use super::Options;
use super::text::visible;
use super::view::{family, family_of};
use super::waf::rule_ids;
use crate::compare::{ComparedCase, Comparison, Finding, SideCase};
use crate::corpus::Intent;
use crate::run::{CaseRecord, Run};

/// Writes a comparison.
pub(crate) fn comparison(comparison: &Comparison, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Rows::new(options.bom, out)?;
    let side = |name: &str| SIDE.map(|column| format!("{name}_{column}"));
    let fixed = ["id", "family", "intent", "class", "finding", "waiver", "filename", "procedures", "weight", "place"];
    let rules = ["baseline_rules", "candidate_rules"].map(String::from);
    rows.write(fixed.map(String::from).into_iter().chain(side("baseline")).chain(side("candidate")).chain(rules))?;
    for case in &comparison.cases {
        rows.write(compared(case))?;
    }
    rows.finish()
}

/// Writes a run.
pub(crate) fn run(run: &Run, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Rows::new(options.bom, out)?;
    let columns = ["id", "family", "intent", "filename", "procedures", "weight", "place"];
    rows.write(columns.into_iter().chain(SIDE).chain(["rules"]).map(String::from))?;
    let mut cases: Vec<_> = run.cases.iter().collect();
    cases.sort_by(|a, b| a.case.cmp(&b.case));
    for case in cases {
        rows.write(sent(case))?;
    }
    rows.finish()
}

const SIDE: [&str; 8] = ["outcome", "status", "signature", "attempts", "rounds", "would_block", "millis", "evidence"];

pub(super) struct Rows<'a>(::csv::Writer<&'a mut dyn Write>);

impl<'a> Rows<'a> {
    pub(super) fn new(bom: bool, out: &'a mut dyn Write) -> io::Result<Self> {
        if bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let terminator = ::csv::Terminator::CRLF;
        Ok(Self(::csv::WriterBuilder::new().terminator(terminator).from_writer(out)))
    }

    pub(super) fn write(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        let cells = cells.into_iter().map(|cell| inert(&cell));
        self.0.write_record(cells).map_err(io::Error::other)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A cell that a spreadsheet takes as text on one line: what is hidden is written out, and an apostrophe stands before what
/// would begin a formula (OWASP, "CSV injection"). The full-width signs count in Japanese locales.
fn inert(cell: &str) -> String {
    let cell = visible(cell);
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') => format!("'{cell}"),
        Some(_) | None => cell,
    }
}

fn compared(case: &ComparedCase) -> impl Iterator<Item = String> {
    let (finding, waiver) = match &case.finding {
        Finding::None => ("none", String::new()),
        Finding::Open => ("open", String::new()),
        Finding::Waived { owner, reason, expires } => ("waived", format!("{owner}, until {expires}: {reason}")),
        Finding::Expired { owner, expires } => ("expired", format!("{owner}, until {expires}")),
    };
    let fixed = [
        case.id.to_string(),
        family(case).to_owned(),
        intent(case.intent).to_owned(),
        case.class.as_str().to_owned(),
        finding.to_owned(),
        waiver,
        case.filename.to_string(),
        case.procedures.join("; "),
        case.weight.to_string(),
        text(case.place.as_deref()),
    ];
    let rules =
        [&case.baseline, &case.candidate].map(|side| rule_ids(side.as_ref().and_then(|side| side.waf.as_deref())));
    fixed.into_iter().chain(side(case.baseline.as_ref())).chain(side(case.candidate.as_ref())).chain(rules)
}

fn side(side: Option<&SideCase>) -> [String; 8] {
    let Some(side) = side else { return Default::default() };
    [
        side.outcome.as_str().to_owned(),
        side.status.map(|status| status.to_string()).unwrap_or_default(),
        text(side.signature.as_deref()),
        side.attempts.to_string(),
        rounds(&side.rounds),
        side.would_block.to_string(),
        side.millis.to_string(),
        side.evidence.to_string(),
    ]
}

fn sent(case: &CaseRecord) -> impl Iterator<Item = String> {
    let verdict = &case.verdict;
    let fixed = [
        case.case.to_string(),
        family_of(&case.case).to_owned(),
        intent(case.intent).to_owned(),
        case.filename.to_string(),
        case.procedures.join("; "),
        case.weight.to_string(),
        text(case.place.as_deref()),
    ];
    let side = [
        verdict.outcome.as_str().to_owned(),
        verdict.status.map(|status| status.to_string()).unwrap_or_default(),
        text(verdict.signature.as_deref()),
        case.attempts.to_string(),
        rounds(&case.rounds),
        verdict.would_block.to_string(),
        case.millis.to_string(),
        verdict.evidence.to_string(),
    ];
    fixed.into_iter().chain(side).chain([rule_ids(case.waf.as_deref())])
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn rounds(rounds: &[crate::verdict::Outcome]) -> String {
    rounds.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join("/")
}

pub(super) fn intent(intent: Intent) -> &'static str {
    match intent {
        Intent::Legit => "legit",
        Intent::Control => "control",
    }
}
