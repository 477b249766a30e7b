//! One row per case; what a machine reads, so that its words are those of the JSON.

use std::io::{self, Write};

use super::super::csv::{Rows, intent};
use super::super::text::visible;
use crate::compare::Matrix;
use crate::compare::matrix::{Agreement, Cell, Mark};

/// The columns of an edge.
const CELL: [&str; 5] = ["outcome", "status", "signature", "rounds_agree", "rounds"];

/// Writes the table.
pub(super) fn matrix(matrix: &Matrix, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Rows::new(false, out)?;
    let fixed =
        ["id", "intent", "kind", "filename", "name_classes", "client", "procedures", "weight", "place", "agreement"];
    let columns = matrix.columns.iter().flat_map(|column| CELL.map(|what| format!("{} {what}", column.name)));
    write(&mut rows, fixed.map(String::from).into_iter().chain(columns))?;
    for case in &matrix.cases {
        let classes: Vec<_> = case.name_classes.iter().map(|class| class.as_str()).collect();
        let fixed = [
            case.id.to_string(),
            intent(case.intent).to_owned(),
            case.kind.to_string(),
            case.filename.to_string(),
            classes.join("; "),
            case.client.as_deref().unwrap_or_default().to_owned(),
            case.procedures.join("; "),
            case.weight.to_string(),
            case.place.as_deref().unwrap_or_default().to_owned(),
            agreement(case.agreement).to_owned(),
        ];
        write(&mut rows, fixed.into_iter().chain(case.cells.iter().flat_map(|told| cell(told.as_ref()))))?;
    }
    rows.finish()
}

/// A row, with what is hidden or reorders text written out.
fn write(rows: &mut Rows<'_>, cells: impl Iterator<Item = String>) -> io::Result<()> {
    rows.write(cells.map(|cell| visible(&cell)))
}

/// What is unsteady is so called: a column that is filtered for `delivered` must not hold it.
fn cell(cell: Option<&Cell>) -> [String; 5] {
    let Some(cell) = cell else {
        return ["not_asked".to_owned(), String::new(), String::new(), String::new(), String::new()];
    };
    let is_known = Mark::of(Some(cell)) != Mark::Unknown;
    let rounds: Vec<_> = cell.rounds.iter().map(|round| round.as_str()).collect();
    [
        if cell.unsteady { "unsteady" } else { cell.outcome.as_str() }.to_owned(),
        cell.status.map(|status| status.to_string()).unwrap_or_default(),
        cell.signature.as_deref().unwrap_or_default().to_owned(),
        if is_known { cell.rounds.is_empty().to_string() } else { String::new() },
        rounds.join("/"),
    ]
}

fn agreement(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Differs => "differs",
        Agreement::Unknown => "unknown",
        Agreement::Unsteady => "unsteady",
        Agreement::Same => "same",
    }
}
