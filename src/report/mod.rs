//! Telling people and machines what was found: it renders and never decides.
//!
//! Every format is a pure function of the stored record and of [`Options`](crate::report::Options): a run rendered again gives the same bytes.

mod beside;
mod csv;
pub mod curl;
mod explain;
mod github;
pub mod group;
mod hints;
mod html;
mod json;
mod junit;
mod lang;
mod limits;
mod markdown;
pub mod matrix;
mod page;
mod place;
pub mod progress;
pub mod repro;
pub mod review;
mod run_view;
mod sarif;
mod sarif_rule;
mod schema;
mod suggest;
mod terminal;
mod terminal_run;
pub mod text;
mod told;
pub mod view;
mod waf;

use std::collections::BTreeMap;
use std::io::{self, Write};

pub use beside::{Beside, Suggested, SuggestedRound, SuggestedText};
pub use explain::{render_explanations, sentence};
pub use github::{github_decision, github_output, github_refusal, github_summary};
pub use lang::Lang;
pub use limits::render_limits;
pub use matrix::{MatrixFormat, MatrixOptions, render_matrix};
pub use progress::Progress;
pub use repro::Repro;
pub use run_view::RunView;
pub use schema::{comparison_schema, explanations_schema, limits_schema, matrix_schema, run_schema};
pub use suggest::{SuggestionDocument, suggestion_lines, trial_lines};
pub use view::View;
pub use waf::rule_lines;

use crate::compare::Comparison;
use crate::corpus::CaseId;
use crate::run::Run;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// One JSON document; its schema is in `schema/`.
    Json,
    /// One JSON object per line: the cases, then a summary.
    Jsonl,
    /// `JUnit` XML, for CI systems.
    Junit,
    /// A pull-request comment.
    Markdown,
    /// One row per case, for spreadsheets.
    Csv,
    /// One file for a browser.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that annotate a run of GitHub Actions.
    Github,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Terminal,
        Self::Json,
        Self::Jsonl,
        Self::Junit,
        Self::Markdown,
        Self::Csv,
        Self::Html,
        Self::Sarif,
        Self::Github,
    ];

    /// The name in `--format`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The extension of a file in this format, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Terminal => "txt",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "xml",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::Github => "commands",
        }
    }
}

/// What a renderer may know beside the record.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns of the terminal report; fewer than 40 count as 40.
    pub width: usize,
    /// Write ANSI colours into the terminal report.
    pub colour: bool,
    /// Entries of each list in the terminal report; the rest is counted. An entry is an attachment and what became of it.
    pub limit: usize,
    /// Characters of the Markdown report at most. GitHub refuses comments over 65,536.
    pub budget: usize,
    /// Begin CSV with a byte order mark: Excel takes UTF-8 without one for the system's code page.
    pub bom: bool,
    /// What a cut list points at: the file with every case of a comparison.
    pub whole: String,
    /// The scripts with which a finding is reproduced, as they are to be printed after `bash`: see [`repro::written`].
    /// Reports show the simplest case of each entry that has one.
    pub repros: BTreeMap<CaseId, String>,
    /// The language of the HTML report.
    pub lang: Lang,
    /// What stands beside the record; the HTML report shows it.
    pub beside: Beside,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 100,
            colour: false,
            limit: 50,
            budget: 60_000,
            bom: false,
            whole: "comparison.json".into(),
            repros: BTreeMap::new(),
            lang: Lang::En,
            beside: Beside::default(),
        }
    }
}

/// Writes a comparison. The same arguments give the same bytes.
///
/// # Errors
/// Those of `out`.
pub fn render_comparison(
    comparison: &Comparison,
    format: Format,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Terminal => terminal::comparison(&View::new(comparison), options, out),
        Format::Json => json::comparison(comparison, out),
        Format::Jsonl => json::comparison_lines(comparison, out),
        Format::Junit => junit::comparison(&View::new(comparison), out),
        Format::Markdown => markdown::comparison(&View::new(comparison), options, out),
        Format::Csv => csv::comparison(comparison, options, out),
        Format::Html => html::comparison(&View::new(comparison), options, out),
        Format::Sarif => sarif::comparison(&View::new(comparison), out),
        Format::Github => github::comparison(&View::new(comparison), out),
    }
}

/// Writes a single run. The same arguments give the same bytes.
///
/// `jsonl` has the lines of a journal that a [`Run`] keeps: its start, its settled cases, and its end (without the time);
/// then the decision.
///
/// # Errors
/// Those of `out`.
pub fn render_run(run: &Run, format: Format, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Terminal => terminal_run::run(&RunView::new(run), options, out),
        Format::Json => json::run(run, out),
        Format::Jsonl => json::run_lines(run, out),
        Format::Junit => junit::run(&RunView::new(run), out),
        Format::Markdown => markdown::run(&RunView::new(run), options, out),
        Format::Csv => csv::run(run, options, out),
        Format::Html => html::run(&RunView::new(run), options, out),
        Format::Sarif => sarif::run(&RunView::new(run), out),
        Format::Github => github::run(&RunView::new(run), out),
    }
}
