//! The table at a terminal: kinds and procedures by edge, then what differs, and one line of summary at the very end.

use std::io::{self, Write};

use super::super::Lang;
use super::super::page::{Page, Tone};
use super::super::text::plural;
use super::super::view::{outcome_words, side_facts};
use super::words::{self, cell, share, tally};
use super::{MatrixOptions, terms};
use crate::compare::Matrix;
use crate::compare::matrix::Column;
use crate::corpus::Intent;

/// What a cut list points at.
const WHOLE: &str = "matrix.json";

/// Writes the table.
pub(super) fn matrix(matrix: &Matrix, options: &MatrixOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    page.line(Tone::Heading, &format!("Compatibility of {}", words::headline(Lang::En, matrix)))?;
    page.gap()?;
    for (at, column) in matrix.columns.iter().enumerate() {
        edge(&mut page, at, column)?;
    }
    kinds(&mut page, matrix)?;
    procedures(&mut page, matrix, options)?;
    differences(&mut page, matrix, options)?;
    notes(&mut page, matrix, options)?;
    page.gap()?;
    let tone = if matrix.settled { Tone::Good } else { Tone::Doubt };
    let code = if matrix.settled { 0 } else { 3 };
    let (verdict, sentence) = (words::settled(Lang::En, matrix), words::sentence(Lang::En, matrix));
    page.whole_line(tone, &format!("{verdict}  {sentence} · exit {code}"))
}

fn edge(page: &mut Page<'_>, at: usize, column: &Column) -> io::Result<()> {
    let run = &column.run;
    page.hanging(Tone::Plain, &format!("  [{}]  ", at + 1), &format!("`{}` {}", column.name, run.url))?;
    let outcomes = column.outcomes.iter().map(|(outcome, count)| (*outcome, usize::try_from(*count).unwrap_or(0)));
    let facts = side_facts(run).join(" · ");
    page.hanging(Tone::Plain, "       ", &format!("{} · {facts}", outcome_words(&outcomes.collect())))
}

/// A row: the edges' cells, then what they are of, which may be long.
fn row(cells: impl Iterator<Item = String>, of: &str) -> Vec<String> {
    cells.chain([of.to_owned()]).collect()
}

/// The numbers of the edges, and what the rows are of.
fn head(matrix: &Matrix, of: &str) -> Vec<String> {
    row((1..=matrix.columns.len()).map(|number| format!("[{number}]")), of)
}

fn kinds(page: &mut Page<'_>, matrix: &Matrix) -> io::Result<()> {
    if matrix.cases.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, "Legitimate files that are delivered, by kind")?;
    let mut rows = vec![head(matrix, "kind")];
    for (kind, tallies) in matrix.by_kind() {
        let cells = tallies.iter().map(|told| tally(Lang::En, *told, Intent::Legit));
        rows.push(row(cells, terms::kind(Lang::En, kind)));
    }
    let columns = &matrix.columns;
    rows.push(row(columns.iter().map(|column| tally(Lang::En, column.legit, Intent::Legit)), "all of them"));
    rows.push(row(columns.iter().map(|column| share(Lang::En, column.share)), "submissions, estimated"));
    if columns.iter().any(|column| column.controls.of > 0) {
        let controls = columns.iter().map(|column| tally(Lang::En, column.controls, Intent::Control));
        rows.push(row(controls, "controls, that are blocked"));
    }
    page.table(&rows)
}

fn procedures(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<()> {
    let procedures = matrix.by_procedure();
    let hit: Vec<_> = procedures
        .iter()
        .filter(|procedure| procedure.shares.iter().any(|share| share.is_some_and(|share| share < 1.0)))
        .collect();
    if hit.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let all = plural(procedures.len(), "procedure", "procedures");
    page.line(Tone::Heading, &format!("{} of {all} (手続) lose submissions on some edge", hit.len()))?;
    page.line(Tone::Plain, words::about_shares(Lang::En))?;
    let mut rows = vec![head(matrix, "procedure")];
    for procedure in hit.iter().take(options.limit) {
        let cells = procedure.shares.iter().map(|told| share(Lang::En, *told));
        rows.push(row(cells, procedure.name));
    }
    page.table(&rows)?;
    page.more(hit.len(), options.limit, WHOLE)
}

fn differences(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<()> {
    let differing: Vec<_> = words::differing(matrix).collect();
    if differing.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &format!("The edges differ on {}", plural(differing.len(), "case", "cases")))?;
    let mut rows = vec![head(matrix, "case")];
    for case in differing.iter().take(options.limit) {
        let cells = case.cells.iter().map(|told| cell(Lang::En, case.intent, told.as_ref()));
        rows.push(row(cells, case.id.as_str()));
    }
    page.table(&rows)?;
    page.more(differing.len(), options.limit, WHOLE)
}

fn notes(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<()> {
    if matrix.reasons.is_empty() && matrix.warnings.is_empty() {
        return Ok(());
    }
    page.gap()?;
    for (lead, list) in [("warning: ", &matrix.warnings), ("inconclusive: ", &matrix.reasons)] {
        for note in list.iter().take(options.limit) {
            page.hanging(Tone::Doubt, lead, &note.message)?;
        }
        page.more(list.len(), options.limit, WHOLE)?;
    }
    Ok(())
}
