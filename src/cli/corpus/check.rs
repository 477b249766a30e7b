//! `wafcanary corpus check`: whether a corpus is sound.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::console::Console;
use super::super::settings::Settings;
use crate::corpus::{Corpus, Level, Lint, lint};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::report::text::{plural, visible};

/// Reads every file and every line of the manifest: digests, ids, the first bytes against name and type, duplicates,
/// provenance, licence, hints at personal data (EXIF GPS, authors, mail addresses), controls, and axes that nothing
/// can have. Errors exit 1; warnings alone exit 0.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus check
  wafcanary corpus check attachments/
  wafcanary corpus check attachments/ --json")]
pub(crate) struct CheckArgs {
    /// Folder of attachments; the built-in corpus when left out
    #[arg(value_name = "DIR", env = "WAFCANARY_CORPUS")]
    corpus: Option<PathBuf>,
    /// One JSON object a line: `level`, `message`, `help`, `file`, `line`
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

pub(super) fn check(args: &CheckArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let corpus = match args.corpus.as_ref().or(settings.corpus.as_ref()) {
        Some(path) => Corpus::open(path)?,
        None => Corpus::builtin()?,
    };
    let lints = lint(&corpus);
    let count = |level| lints.iter().filter(|lint| lint.level == level).count();
    let (errors, warnings, notes) = (count(Level::Error), count(Level::Warning), count(Level::Note));
    let mut text = String::new();
    for lint in &lints {
        if args.json {
            let _ = writeln!(text, "{}", json(lint));
        } else {
            // A filename or an author may hold what a terminal would obey.
            let shown = lint.to_string();
            let _ = writeln!(text, "{}", shown.lines().map(visible).collect::<Vec<_>>().join("\n"));
        }
    }
    let summary = format!(
        "{}: {}, {}, {}, {}",
        corpus.name,
        plural(corpus.attachments.len(), "attachment", "attachments"),
        plural(errors, "error", "errors"),
        plural(warnings, "warning", "warnings"),
        plural(notes, "note", "notes"),
    );
    if args.json {
        console.note(&summary);
    } else {
        let _ = writeln!(text, "{summary}");
    }
    console.out(&text)?;
    Ok(if errors == 0 { ExitCode::Passed } else { ExitCode::Failed })
}

fn json(lint: &Lint) -> serde_json::Value {
    let place = lint.place.as_ref();
    serde_json::json!({
        "level": lint.level, "message": lint.message, "help": lint.help,
        "file": place.map(|(path, _)| path.display().to_string()), "line": place.map(|(_, line)| line),
    })
}
