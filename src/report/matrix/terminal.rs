//! The table at a terminal: kinds and procedures by edge, then what differs, and one line of summary at the very end.

use std::io::{self, Write};

use super::super::Lang;
use super::super::page::{Page, Tone};
use super::super::text::{columns, grouped, plural};
use super::super::view::{outcome_words, side_facts};
use super::words::{self, cell, share, short_cell, short_share, short_tally, tally};
use super::{MatrixOptions, terms};
use crate::compare::Matrix;
use crate::compare::matrix::{Cell, Column, MatrixCase, Procedure, Tally};
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
    let mut form = kinds(&mut page, matrix)?;
    form = form.max(procedures(&mut page, matrix, options)?);
    form = form.max(differences(&mut page, matrix, options)?);
    if form == Form::Signs {
        page.gap()?;
        page.line(Tone::Plain, words::SHORT)?;
    }
    notes(&mut page, matrix, options)?;
    page.gap()?;
    let sure = matrix.settled && !words::is_unsteady(matrix);
    let tone = if sure { Tone::Good } else { Tone::Doubt };
    let code = if matrix.settled { 0 } else { 3 };
    let (verdict, sentence) = (words::settled(Lang::En, matrix), words::sentence(Lang::En, matrix));
    page.whole_line(tone, &format!("{verdict}  {sentence} · exit {code}"))
}

fn edge(page: &mut Page<'_>, at: usize, column: &Column) -> io::Result<()> {
    let run = &column.run;
    page.hanging(Tone::Plain, &format!("  [{}]  ", at + 1), &format!("`{}` {}", column.name, run.url))?;
    let outcomes = column.outcomes.iter().map(|(outcome, count)| (*outcome, usize::try_from(*count).unwrap_or(0)));
    let mut told = vec![outcome_words(&outcomes.collect())];
    let unsteady = column.legit.unsteady + column.controls.unsteady;
    if unsteady > 0 {
        told.push(format!("{} unsteady", grouped(unsteady)));
    }
    told.extend(side_facts(run));
    told.retain(|told| !told.is_empty());
    page.hanging(Tone::Plain, "       ", &told.join(" · "))
}

/// How the cells of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Words,
    /// In short; a line says what the signs mean.
    Signs,
}

/// A row: a cell for each edge, in words and in short, and what they are of, which may be long.
struct Row {
    of: String,
    cells: Vec<(String, String)>,
}

impl Row {
    fn new(of: &str, cells: impl Iterator<Item = (String, String)>) -> Self {
        Self { of: of.to_owned(), cells: cells.collect() }
    }

    /// The edges' cells from `from` on up to `to`, then what they are of.
    fn part(&self, from: usize, to: usize, form: Form) -> Vec<String> {
        let cells = self.cells.iter().skip(from).take(to - from);
        cells.map(|(words, sign)| if form == Form::Signs { sign } else { words }).chain([&self.of]).cloned().collect()
    }
}

/// A table in words; where they are too wide, in short; where that is too wide as well, a few edges at a time.
fn table(page: &mut Page<'_>, matrix: &Matrix, of: &str, rows: Vec<Row>) -> io::Result<Form> {
    let edges = matrix.columns.len();
    let number = |at: usize| (format!("[{}]", at + 1), format!("[{}]", at + 1));
    let rows: Vec<Row> = std::iter::once(Row::new(of, (0..edges).map(number))).chain(rows).collect();
    let widths = |form: Form| -> Vec<usize> {
        let width = |row: &Row, at: usize| {
            row.cells.get(at).map_or(0, |(words, sign)| columns(if form == Form::Signs { sign } else { words }))
        };
        (0..edges).map(|at| rows.iter().map(|row| width(row, at)).max().unwrap_or(0)).collect()
    };
    let part = |from, to, form| rows.iter().map(|row| row.part(from, to, form)).collect::<Vec<_>>();
    if page.fits(&widths(Form::Words)) {
        page.table(&part(0, edges, Form::Words))?;
        return Ok(Form::Words);
    }
    let widths = widths(Form::Signs);
    let mut from = 0;
    while from < edges {
        let fitting = (from + 1..=edges).take_while(|to| page.fits(&widths[from..*to])).last();
        let to = fitting.unwrap_or(from + 1);
        if from > 0 {
            page.gap()?;
        }
        page.table(&part(from, to, Form::Signs))?;
        from = to;
    }
    Ok(Form::Signs)
}

fn kinds(page: &mut Page<'_>, matrix: &Matrix) -> io::Result<Form> {
    if matrix.cases.is_empty() {
        return Ok(Form::Words);
    }
    page.gap()?;
    page.line(Tone::Heading, "Legitimate files that are delivered, by kind")?;
    let told = |told: Tally, intent| (tally(Lang::En, told, intent), short_tally(told, intent));
    let row = |of: &str, tallies: &mut dyn Iterator<Item = Tally>, intent| {
        Row::new(of, tallies.map(|tally| told(tally, intent)))
    };
    let mut rows = Vec::new();
    for (kind, tallies) in matrix.by_kind() {
        rows.push(row(terms::kind(Lang::En, kind), &mut tallies.into_iter(), Intent::Legit));
    }
    let edges = &matrix.columns;
    rows.push(row("all of them", &mut edges.iter().map(|column| column.legit), Intent::Legit));
    let shares = edges.iter().map(|column| shares(column.share, column.legit));
    rows.push(Row::new(words::share_name(Lang::En), shares));
    if edges.iter().any(|column| column.controls.of > 0) {
        let controls = &mut edges.iter().map(|column| column.controls);
        rows.push(row("controls, that are blocked", controls, Intent::Control));
    }
    table(page, matrix, "kind", rows)
}

/// A share in words and in short.
fn shares(told: Option<f64>, tally: Tally) -> (String, String) {
    (share(Lang::En, told, tally), short_share(told, tally))
}

fn procedures(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<Form> {
    let procedures = matrix.by_procedure();
    let loses = |procedure: &&Procedure<'_>| procedure.tallies.iter().any(|tally| tally.bad > 0);
    let unknown = |procedure: &&Procedure<'_>| procedure.tallies.iter().any(|tally| tally.unknown > 0);
    let hit: Vec<_> = procedures.iter().filter(|procedure| loses(procedure) || unknown(procedure)).collect();
    if hit.is_empty() {
        return Ok(Form::Words);
    }
    page.gap()?;
    let all = plural(procedures.len(), "procedure", "procedures");
    let lost = procedures.iter().filter(loses).count();
    let open = match procedures.iter().filter(unknown).count() {
        0 => String::new(),
        open => format!(", {open} are not known whole"),
    };
    page.line(Tone::Heading, &format!("{lost} of {all} (手続) lose files on some edge{open}"))?;
    page.line(Tone::Plain, words::about_shares(Lang::En))?;
    let row = |procedure: &&Procedure<'_>| {
        let cells = procedure.shares.iter().zip(&procedure.tallies);
        Row::new(procedure.name, cells.map(|(told, tally)| shares(*told, *tally)))
    };
    let form = table(page, matrix, "procedure", hit.iter().take(options.limit).map(row).collect())?;
    page.more(hit.len(), options.limit, WHOLE)?;
    Ok(form)
}

fn differences(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<Form> {
    let differing: Vec<_> = words::differing(matrix).collect();
    if differing.is_empty() {
        return Ok(Form::Words);
    }
    page.gap()?;
    let count = plural(differing.len(), "case", "cases");
    let or = if words::is_unsteady(matrix) { ", or are unsteady," } else { "" };
    page.line(Tone::Heading, &format!("The edges differ{or} on {count}"))?;
    let row = |case: &&MatrixCase| {
        let told =
            |told: &Option<Cell>| (cell(Lang::En, case.intent, told.as_ref()), short_cell(case.intent, told.as_ref()));
        Row::new(case.id.as_str(), case.cells.iter().map(told))
    };
    let form = table(page, matrix, "case", differing.iter().take(options.limit).map(row).collect())?;
    page.more(differing.len(), options.limit, WHOLE)?;
    Ok(form)
}

fn notes(page: &mut Page<'_>, matrix: &Matrix, options: &MatrixOptions) -> io::Result<()> {
    if matrix.reasons.is_empty() && matrix.warnings.is_empty() {
        return Ok(());
    }
    page.gap()?;
    for (lead, list) in [("warning: ", &matrix.warnings), ("inconclusive: ", &matrix.reasons)] {
        for note in list.iter().take(options.limit) {
            page.hanging(Tone::Doubt, lead, &words::note(Lang::En, matrix, note).text())?;
        }
        page.more(list.len(), options.limit, WHOLE)?;
    }
    Ok(())
}
