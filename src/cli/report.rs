//! `wafcanary report`: a stored run, comparison or matrix, rendered again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::beside;
use super::console::Console;
use super::matrix;
use super::options::LangOption;
use super::session;
use crate::compare::{Comparison, Matrix};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::{self, Format, MatrixFormat, MatrixOptions, Options};
use crate::run::Run;

/// Renders what is stored; nothing is sent and nothing is decided again. Exits 0 whatever the decision was.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary report wafcanary-out/20261123T010203Z-compare
  wafcanary report comparison.json --format markdown
  wafcanary report runs/2026-11-23 --format csv > cases.csv
  wafcanary report runs/next --format html --lang ja > report.html
  wafcanary report wafcanary-out/20261123T010203Z-matrix --format xlsx --lang ja > matrix.xlsx")]
pub(crate) struct ReportArgs {
    /// Folder of a run, comparison or matrix, or a comparison.json or matrix.json
    #[arg(value_name = "RUN|COMPARISON|MATRIX")]
    stored: PathBuf,
    /// terminal, json, jsonl, junit, markdown, csv, sarif, github or html; of a matrix terminal, json, html, markdown, csv or
    /// xlsx
    #[arg(long, env = "WAFCANARY_FORMAT", value_name = "FORMAT", default_value = "terminal", value_parser = parse_any_format)]
    format: String,
    #[command(flatten)]
    lang: LangOption,
}

/// A format of anything that is stored.
fn parse_any_format(name: &str) -> std::result::Result<String, String> {
    if Format::parse(name).is_some() || MatrixFormat::parse(name).is_some() {
        return Ok(name.to_owned());
    }
    let mut known = Format::ALL.map(Format::as_str).to_vec();
    known.extend(MatrixFormat::ALL.map(MatrixFormat::as_str).iter().filter(|name| Format::parse(name).is_none()));
    Err(format!("known formats: {}", known.join(", ")))
}

impl ReportArgs {
    fn format(&self) -> Result<Format> {
        Format::parse(&self.format).ok_or_else(|| {
            let known = Format::ALL.map(Format::as_str).join(", ");
            Error::usage(format!("there is no `{}` of a run or a comparison", self.format))
                .key("--format")
                .help(format!("give one of {known}"))
        })
    }
}

pub(crate) fn report(args: &ReportArgs, console: &Console) -> Result<ExitCode> {
    let options =
        Options { width: Console::width(), colour: console.colour(), lang: args.lang.lang, ..Options::default() };
    match find(&args.stored)? {
        Stored::Comparison(path) => {
            let format = args.format()?;
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            let comparison = Comparison::read(&path)?;
            let options = Options {
                repros: super::compare::repros(&comparison, &folder),
                beside: beside::of_comparison(&comparison, &folder, &[format])?,
                ..options
            };
            console.report(format, |out| report::render_comparison(&comparison, format, &options, out))?;
        }
        Stored::Matrix(path) => {
            let format = MatrixFormat::parse(&args.format).ok_or_else(|| {
                let known = MatrixFormat::ALL.map(MatrixFormat::as_str).join(", ");
                Error::usage(format!("there is no `{}` of a matrix", args.format))
                    .key("--format")
                    .help(format!("give one of {known}"))
            })?;
            matrix::refuse_on_terminal(format)?;
            let options = MatrixOptions { lang: args.lang.lang, ..matrix::shown_here(console) };
            matrix::show(&Matrix::read(&path)?, format, &options, console)?;
        }
        Stored::Run => {
            let format = args.format()?;
            let run = Run::read(&args.stored)?;
            let options = Options { beside: beside::of_run(&run, &args.stored, &[format])?, ..options };
            console.report(format, |out| report::render_run(&run, format, &options, out))?;
        }
    }
    Ok(ExitCode::Passed)
}

/// What is stored.
enum Stored {
    Comparison(PathBuf),
    Matrix(PathBuf),
    Run,
}

fn find(stored: &Path) -> Result<Stored> {
    let document = |name: &str| Some(stored.join(name)).filter(|path| path.is_file());
    if stored.is_file() {
        // Whatever its name: the two have one key that tells them apart.
        let is_matrix = Matrix::is_at(stored);
        let path = stored.to_path_buf();
        return Ok(if is_matrix { Stored::Matrix(path) } else { Stored::Comparison(path) });
    }
    if let Some(path) = document(session::COMPARISON) {
        return Ok(Stored::Comparison(path));
    }
    if let Some(path) = document(matrix::MATRIX) {
        return Ok(Stored::Matrix(path));
    }
    if session::is_stored_run(stored) {
        return Ok(Stored::Run);
    }
    Err(Error::usage("there is no run and no comparison here, and no matrix")
        .file(stored)
        .help("give the folder that `run`, `compare` or `matrix` wrote, or a comparison.json or matrix.json"))
}
