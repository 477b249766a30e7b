//! `wafcanary report`: a stored run or comparison, rendered again.

use std::path::PathBuf;

use clap::Args;

use super::beside;
use super::console::Console;
use super::options::{LangOption, parse_format};
use super::session;
use crate::compare::Comparison;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::{self, Format, Options};
use crate::run::Run;

/// Renders what is stored; nothing is sent and nothing is decided again. Exits 0 whatever the decision was.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary report wafcanary-out/20261123T010203Z-compare
  wafcanary report comparison.json --format markdown
  wafcanary report runs/2026-11-23 --format csv > cases.csv
  wafcanary report runs/next --format html --lang ja > report.html")]
pub(crate) struct ReportArgs {
    /// Folder of a run or comparison, or a comparison.json
    #[arg(value_name = "RUN|COMPARISON")]
    stored: PathBuf,
    /// terminal, json, jsonl, junit, markdown, csv, sarif, github or html
    #[arg(long, env = "WAFCANARY_FORMAT", value_name = "FORMAT", default_value = "terminal", value_parser = parse_format)]
    format: Format,
    #[command(flatten)]
    lang: LangOption,
}

pub(crate) fn report(args: &ReportArgs, console: &Console) -> Result<ExitCode> {
    let options =
        Options { width: Console::width(), colour: console.colour(), lang: args.lang.lang, ..Options::default() };
    let comparison = if args.stored.is_file() { args.stored.clone() } else { args.stored.join(session::COMPARISON) };
    if comparison.is_file() {
        let folder = comparison.parent().unwrap_or(std::path::Path::new("")).to_path_buf();
        let comparison = Comparison::read(&comparison)?;
        let options = Options {
            repros: super::compare::repros(&comparison, &folder),
            beside: beside::of_comparison(&comparison, &folder, &[args.format])?,
            ..options
        };
        console.render(|out| report::render_comparison(&comparison, args.format, &options, out))?;
    } else if session::is_stored_run(&args.stored) {
        let run = Run::read(&args.stored)?;
        let options = Options { beside: beside::of_run(&run, &args.stored, &[args.format])?, ..options };
        console.render(|out| report::render_run(&run, args.format, &options, out))?;
    } else {
        return Err(Error::usage("there is no run and no comparison here")
            .file(&args.stored)
            .help("give the folder that `run` or `compare` wrote, or a comparison.json"));
    }
    Ok(ExitCode::Passed)
}
