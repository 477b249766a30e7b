//! One row per case; what a machine reads, so that its words are those of the JSON.

use std::io::{self, Write};

use super::super::csv::{Rows, intent};
use crate::compare::Matrix;
use crate::compare::matrix::{Agreement, Cell};

/// Writes the table.
pub(super) fn matrix(matrix: &Matrix, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Rows::new(false, out)?;
    let fixed =
        ["id", "intent", "kind", "filename", "name_classes", "client", "procedures", "weight", "place", "agreement"];
    let columns = matrix
        .columns
        .iter()
        .flat_map(|column| ["outcome", "status", "signature"].map(|what| format!("{} {what}", column.name)));
    rows.write(fixed.map(String::from).into_iter().chain(columns))?;
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
        rows.write(fixed.into_iter().chain(case.cells.iter().flat_map(|told| cell(told.as_ref()))))?;
    }
    rows.finish()
}

fn cell(cell: Option<&Cell>) -> [String; 3] {
    let Some(cell) = cell else { return ["not_asked".to_owned(), String::new(), String::new()] };
    [
        cell.outcome.as_str().to_owned(),
        cell.status.map(|status| status.to_string()).unwrap_or_default(),
        cell.signature.as_deref().unwrap_or_default().to_owned(),
    ]
}

fn agreement(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Differs => "differs",
        Agreement::Unknown => "unknown",
        Agreement::Same => "same",
    }
}
