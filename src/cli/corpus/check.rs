//! `wafcanary corpus check`: whether a corpus is sound.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::console::Console;
use super::super::settings::Settings;
use crate::corpus::lint::unlisted;
use crate::corpus::{Corpus, Level, Lint, lint};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::text::{plural, visible};

/// Reads every file and every line of the manifest: digests, ids, the first bytes against name and type, duplicates,
/// provenance, licence, hints at personal data (EXIF GPS, authors, mail addresses), controls, and axes that nothing
/// can have. Errors exit 1; warnings alone exit 0. A corpus that does not open exits 2: with `--json`, each of its errors is
/// a line as well.
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
    let folder = args.corpus.as_ref().or(settings.corpus.as_ref());
    let opened = match folder {
        Some(path) => Corpus::open_collecting(path),
        None => Corpus::builtin().map_err(|error| vec![error]),
    };
    let corpus = match opened {
        Ok(corpus) => corpus,
        Err(errors) => return does_not_open(&errors, args, console),
    };
    let mut lints = lint(&corpus);
    lints.extend(folder.and_then(|path| unlisted(path)));
    lints.sort_by_key(|lint| lint.level);
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

/// The errors of a corpus that does not open; with `--json` on stdout, as a reader of it expects.
fn does_not_open(errors: &[Error], args: &CheckArgs, console: &Console) -> Result<ExitCode> {
    let mut text = String::new();
    for error in errors {
        if args.json {
            let line = serde_json::json!({
                "level": Level::Error, "message": error.title(), "help": error.help_text(),
                "file": error.path().map(|path| path.display().to_string()), "line": error.line(),
            });
            let _ = writeln!(text, "{line}");
        } else {
            console.error(error);
        }
    }
    console.out(&text)?;
    console.note(&format!("the corpus does not open: {}", plural(errors.len(), "error", "errors")));
    Ok(ExitCode::Usage)
}

fn json(lint: &Lint) -> serde_json::Value {
    let place = lint.place.as_ref();
    serde_json::json!({
        "level": lint.level, "message": lint.message, "help": lint.help,
        "file": place.map(|(path, _)| path.display().to_string()), "line": place.map(|(_, line)| line),
    })
}
