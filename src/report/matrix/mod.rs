//! The compatibility table of many edges: one file for each format, and the words that they share.

mod csv;
mod html;
mod markdown;
mod terminal;
mod words;
mod xlsx;

use std::io::{self, Write};

use super::html::words as terms;
use super::{Lang, json};
use crate::compare::Matrix;

/// The form of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MatrixFormat {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// One JSON document; its schema is `schema/matrix.json`.
    Json,
    /// One page that needs nothing else.
    Html,
    /// Tables for an issue or a wiki.
    Markdown,
    /// One row per case.
    Csv,
    /// A workbook.
    Xlsx,
}

impl MatrixFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Terminal, Self::Json, Self::Html, Self::Markdown, Self::Csv, Self::Xlsx];

    /// The name in `--format`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Whether a terminal can show it.
    #[must_use]
    pub fn is_text(self) -> bool {
        self != Self::Xlsx
    }
}

/// What a renderer may know beside the record.
#[derive(Debug, Clone)]
pub struct MatrixOptions {
    /// Columns of the terminal report; fewer than 40 count as 40.
    pub width: usize,
    /// Write ANSI colours into the terminal report.
    pub colour: bool,
    /// Entries of each list in the terminal report; the rest is counted.
    pub limit: usize,
    /// Characters of the Markdown report at most. GitHub refuses comments over 65,536.
    pub budget: usize,
    /// The language of HTML, Markdown and XLSX. Terminal, JSON and CSV are English.
    pub lang: Lang,
}

impl Default for MatrixOptions {
    fn default() -> Self {
        Self { width: 100, colour: false, limit: 50, budget: 60_000, lang: Lang::En }
    }
}

/// Writes a matrix. The same arguments give the same bytes.
///
/// # Errors
/// Those of `out`.
pub fn render_matrix(
    matrix: &Matrix,
    format: MatrixFormat,
    options: &MatrixOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        MatrixFormat::Terminal => terminal::matrix(matrix, options, out),
        MatrixFormat::Json => json::document(matrix, out),
        MatrixFormat::Html => html::matrix(matrix, options, out),
        MatrixFormat::Markdown => markdown::matrix(matrix, options, out),
        MatrixFormat::Csv => csv::matrix(matrix, out),
        MatrixFormat::Xlsx => xlsx::matrix(matrix, options, out),
    }
}
