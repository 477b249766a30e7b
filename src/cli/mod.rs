//! The commands: arguments in, library call, exit code out.

mod accept;
mod beside;
mod compare;
mod console;
mod corpus;
mod demo;
mod dry_run;
mod edge;
mod explain;
mod generate;
mod github;
mod lab;
mod limits;
mod matrix;
mod options;
mod origin;
mod preflight;
mod profile;
mod regressions;
mod report;
mod run;
mod session;
mod settings;
mod suggest;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::Result;
use crate::exit::ExitCode;
use console::Console;
use settings::Settings;

const AFTER_HELP: &str = "\
Exit codes: 0 passed · 1 the gate failed · 2 wrong usage or configuration · 3 inconclusive (never a pass) · 130 interrupted

Every flag can also be set as WAFCANARY_<FLAG> (dashes become underscores), or in wafcanary.toml.
Precedence: flag > WAFCANARY_* > wafcanary.toml > built-in; for what a profile says: flag > WAFCANARY_* > profile > preset.

Examples:
  wafcanary demo
  wafcanary compare --baseline profiles/now.toml --candidate profiles/next.toml
  wafcanary run --profile profiles/staging.toml --corpus attachments/";

/// Says which legitimate attachments stop getting through before a CDN or WAF change goes live.
#[derive(Debug, Parser)]
#[command(name = "wafcanary", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Read this configuration instead of the wafcanary.toml found upwards to the repository's root
    #[arg(long, global = true, env = "WAFCANARY_CONFIG", value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Read no wafcanary.toml
    #[arg(long, global = true, env = "WAFCANARY_NO_CONFIG", value_parser = clap::builder::BoolishValueParser::new(), conflicts_with = "config")]
    no_config: bool,
    /// Colours in what people read; `auto` looks at the terminal, `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, global = true, env = "WAFCANARY_COLOR", value_name = "WHEN", default_value = "auto")]
    color: console::When,
    /// Show no progress
    #[arg(long, global = true, env = "WAFCANARY_NO_PROGRESS", value_parser = clap::builder::BoolishValueParser::new())]
    no_progress: bool,
    /// Say which configuration is used
    #[arg(long, short, global = true, env = "WAFCANARY_VERBOSE", value_parser = clap::builder::BoolishValueParser::new())]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replay the 2024 incident on the embedded lab: two plans of one CDN, and what the stricter one refuses
    Demo(demo::DemoArgs),
    /// Send a corpus through one edge and record what became of each case
    Run(run::RunArgs),
    /// Send a corpus through two edges, or compare stored runs, and gate the difference
    Compare(compare::CompareArgs),
    /// Send a corpus through many edges, or read stored runs, and show what each lets through: the compatibility table
    Matrix(matrix::MatrixArgs),
    /// Show a stored run, comparison or matrix again, the same bytes as the live report
    Report(report::ReportArgs),
    /// Find out why the candidate refuses what the baseline delivers: which characters, bytes, size or header
    Explain(explain::ExplainArgs),
    /// Write the narrowest exclusions that let the regressions through, and try them on a staging WAF
    Suggest(suggest::SuggestArgs),
    /// Go through the findings of a comparison, and waive what is accepted: with owner, reason and last day
    Accept(accept::AcceptArgs),
    /// Find an edge's limits, to the byte: sizes, filenames, numbers of files and fields, and how much it inspects
    Limits(limits::LimitsArgs),
    /// List, check, count or add attachments, and list the cases made from them
    #[command(subcommand)]
    Corpus(corpus::CorpusCommand),
    /// List, check or show profiles: where uploads go and what proves their delivery
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// The embedded origin and edges, to try things against
    #[command(subcommand)]
    Lab(lab::LabCommand),
    /// The origin that gives receipts, to be put behind a staging edge
    Origin(origin::OriginArgs),
    /// Write completions, manual pages and JSON Schemas
    #[command(subcommand)]
    Generate(generate::GenerateCommand),
}

/// Parses the arguments and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return console::clap_error(&error),
    };
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return console::clap_error(&error),
    };
    let console = Console::new(cli.global.color, cli.global.no_progress);
    match one_folder(&mut cli.command, &matches).and_then(|()| dispatch(cli, &console)) {
        Ok(code) => code,
        Err(error) => {
            console.error(&error);
            error.exit_code()
        }
    }
}

/// Of `--out` and `--resume`, a flag goes before a variable; two of one rank are an error.
fn one_folder(command: &mut Command, matches: &ArgMatches) -> Result<()> {
    let (out, resume) = match command {
        Command::Run(args) => args.output_mut().folders(),
        Command::Compare(args) => args.output.folders(),
        Command::Matrix(args) => args.folders(),
        Command::Demo(_)
        | Command::Report(_)
        | Command::Explain(_)
        | Command::Suggest(_)
        | Command::Accept(_)
        | Command::Limits(_)
        | Command::Corpus(_)
        | Command::Profile(_)
        | Command::Lab(_)
        | Command::Origin(_)
        | Command::Generate(_) => return Ok(()),
    };
    let Some((_, matches)) = matches.subcommand() else { return Ok(()) };
    match (matches.value_source("resume"), matches.value_source("out")) {
        (None, _) | (_, None) => Ok(()),
        (Some(ValueSource::CommandLine), Some(ValueSource::EnvVariable)) => {
            *out = None;
            Ok(())
        }
        (Some(ValueSource::EnvVariable), Some(ValueSource::CommandLine)) => {
            *resume = None;
            Ok(())
        }
        _ => Err(crate::error::Error::usage("`--resume` and `--out` are both given").help(
            "a resumed run goes on in its own folder: take one of them out, WAFCANARY_RESUME and WAFCANARY_OUT too",
        )),
    }
}

/// The command line's definition: for parsing, completions, manual pages and the README's check.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

fn dispatch(cli: Cli, console: &Console) -> Result<ExitCode> {
    let settings = || Settings::find(&cli.global, console);
    match cli.command {
        Command::Demo(args) => demo::demo(&args, console),
        Command::Run(args) => run::run(args, &settings()?, console),
        Command::Compare(args) => compare::compare(args, &settings()?, console),
        Command::Matrix(args) => matrix::matrix(args, &settings()?, console),
        Command::Report(args) => report::report(&args, console),
        Command::Explain(args) => explain::explain(&args, &settings()?, console),
        Command::Suggest(args) => suggest::suggest(&args, &settings()?, console),
        Command::Accept(args) => accept::accept(&args, &settings()?, console),
        Command::Limits(args) => limits::limits(&args, &settings()?, console),
        Command::Corpus(command) => corpus::corpus(command, &settings()?, console),
        Command::Profile(command) => profile::profile(command, console),
        Command::Lab(command) => lab::lab(command, console),
        Command::Origin(args) => origin::origin(&args, console),
        Command::Generate(command) => generate::generate(&command, console),
    }
}
