//! `wafcanary corpus`: what would be sent, and whether it is sound.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::console::Console;
use super::options::SelectOptions;
use super::session;
use super::settings::Settings;
use crate::corpus::{Corpus, Intent, Level, lint};
use crate::error::Result;
use crate::exit::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// List the cases that a selection makes
    List(ListArgs),
    /// Check digests, ids, provenance, controls and axes
    Check(CheckArgs),
}

/// Lists id, intent, client, size and filename of each case. Controls are listed too; whether they are sent, the profile says.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus list --set smoke
  wafcanary corpus list --corpus attachments/ --case 'pdf/*' --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    select: SelectOptions,
    /// One JSON object a line
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

/// Reads every file and every line of the manifest. Errors exit 1; warnings alone exit 0.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus check
  wafcanary corpus check attachments/")]
pub(crate) struct CheckArgs {
    /// Folder of attachments; the built-in corpus when left out
    #[arg(value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(crate) fn corpus(command: CorpusCommand, settings: &Settings, console: &Console) -> Result<ExitCode> {
    match command {
        CorpusCommand::List(args) => list(&args, settings, console),
        CorpusCommand::Check(args) => check(&args, settings, console),
    }
}

fn list(args: &ListArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let selected = session::select(&args.select, settings, &[], console)?;
    let mut text = String::new();
    for case in selected.cases.iter() {
        let control = match case.attachment.intent {
            Intent::Legit => "legit",
            Intent::Control => "control",
        };
        let (id, client, bytes) = (case.id.as_str(), case.client.as_str(), case.content.len());
        if args.json {
            let line = serde_json::json!({
                "id": id, "intent": case.attachment.intent, "client": client, "bytes": bytes,
                "filename": case.filename.text, "transport": case.transport, "sha256": case.content.sha256(),
                "procedures": case.attachment.procedures, "tags": case.attachment.tags, "weight": case.attachment.weight,
                "trips": case.attachment.provenance.trips,
            });
            let _ = writeln!(text, "{line}");
        } else {
            let filename = crate::report::text::visible(&case.filename.text);
            let _ = writeln!(text, "{id}  {control}  {client}  {bytes} B  {filename}");
        }
    }
    console.out(&text)?;
    console.note(&format!("{} cases of `{}`, digest {}", selected.cases.len(), selected.corpus, selected.digest));
    Ok(ExitCode::Passed)
}

fn check(args: &CheckArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let corpus = match args.corpus.as_ref().or(settings.corpus.as_ref()) {
        Some(path) => Corpus::open(path)?,
        None => Corpus::builtin()?,
    };
    let lints = lint(&corpus);
    let count = |level| lints.iter().filter(|lint| lint.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let mut text = String::new();
    for lint in &lints {
        let _ = writeln!(text, "{lint}");
    }
    let _ = writeln!(
        text,
        "{}: {} attachments, {errors} errors, {warnings} warnings",
        corpus.name,
        corpus.attachments.len()
    );
    console.out(&text)?;
    Ok(if errors == 0 { ExitCode::Passed } else { ExitCode::Failed })
}
