//! `wafcanary corpus add`: a team's own files in its corpus.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::super::console::Console;
use super::super::settings::Settings;
use crate::corpus::add::{Added, Addition, Lock, Plan};
use crate::corpus::lint::{help, listed};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::text::{plural, visible};

/// Copies each file to `files/FORMAT/` below the corpus's folder and appends it to `manifest.toml`: id, digest, the filename
/// as it is, and what you say of it. Comments and order of the manifest are kept. What is in the corpus already is left
/// out. When one file cannot be added, none is. A folder that does not exist is made; the files of a folder without a
/// manifest are listed in the new one too, under the ids that they had.
///
/// `--scrub` removes EXIF with its place, XMP, IPTC and comments of pictures from JPEG, PNG, GIF, WebP, TIFF, HEIC and AVIF;
/// authors, company, own properties, local paths and names at comments from OOXML and ODF; the Info dictionary, XMP and
/// names at comments from PDF; tags of MP3; user data of MP4 and MOV; and the metadata of pictures inside PDF and Office
/// files. A file of another format, with a password, or with a picture that cannot be looked into is refused. Text inside
/// documents, files and drawings inside files, faces and number plates in pictures and the filename stay: look at them
/// yourself. A scrubbed file is another file: an edge that tripped on its metadata no longer does.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus add --corpus attachments/ 現況届.pdf --procedure 現況届提出フォーム
  wafcanary corpus add --corpus attachments/ ~/photos/*.jpg --scrub --tag photo
  wafcanary corpus add --corpus attachments/ inbox/ --scrub --dry-run")]
pub(crate) struct AddArgs {
    /// Files to add, or folders whose files are all added
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder of attachments
    #[arg(long, env = "WAFCANARY_CORPUS", value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Procedure (手続) that receives such files; repeatable
    #[arg(long = "procedure", env = "WAFCANARY_PROCEDURE", value_name = "NAME", value_delimiter = ',')]
    procedures: Vec<String>,
    /// Remove metadata: EXIF and its place, authors, company, comments of pictures, names at comments
    #[arg(long, env = "WAFCANARY_SCRUB", value_parser = clap::builder::BoolishValueParser::new())]
    scrub: bool,
    /// Label for selection, `smoke` for the smoke set; repeatable
    #[arg(long = "tag", env = "WAFCANARY_TAG", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// Share of real submissions that each stands for, relative to the other attachments [default: 1]
    #[arg(long, env = "WAFCANARY_WEIGHT", value_name = "N")]
    weight: Option<f64>,
    /// Where they come from [default: the program that wrote each, where the file says so]
    #[arg(long, env = "WAFCANARY_SOURCE", value_name = "TEXT")]
    source: Option<String>,
    /// Who may use them: an SPDX licence expression [default: the manifest's]
    #[arg(long, env = "WAFCANARY_LICENCE", value_name = "SPDX")]
    licence: Option<String>,
    /// Id of the one file [default: made from format and filename]
    #[arg(long, env = "WAFCANARY_ID", value_name = "FAMILY/NAME")]
    id: Option<String>,
    /// Say what would be added and removed, and write nothing
    #[arg(long, env = "WAFCANARY_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    dry_run: bool,
}

pub(super) fn add(args: &AddArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let Some(root) = args.corpus.as_ref().or(settings.corpus.as_ref()) else {
        let error =
            Error::usage("no corpus is given, and the built-in one is part of the program and cannot be changed");
        return Err(error.key("--corpus").help(
            "give a folder with `--corpus DIR`, in WAFCANARY_CORPUS or as `corpus` in wafcanary.toml; one that does not exist is made",
        ));
    };
    let addition = Addition {
        files: args.files.clone(),
        id: args.id.clone(),
        procedures: args.procedures.clone(),
        tags: args.tags.clone(),
        weight: args.weight,
        source: args.source.clone(),
        licence: args.licence.clone(),
        scrub: args.scrub,
        today: jiff::ZonedDateTime::now().date().to_string(),
    };
    let waiting = || console.note("waiting for another `corpus add` to this folder");
    let _lock = if args.dry_run { None } else { Lock::take(root, "corpus", waiting)? };
    let plan = match Plan::new(root, &addition) {
        Ok(plan) => plan,
        Err(errors) => {
            for error in &errors {
                console.error(error);
            }
            console.note(&format!("nothing was added: {}", plural(errors.len(), "error", "errors")));
            return Ok(ExitCode::Usage);
        }
    };
    for warning in &plan.warnings {
        console.warn(&visible(warning));
    }
    for note in &plan.notes {
        console.note(&visible(note));
    }
    if !args.dry_run {
        plan.apply()?;
    }
    console.out(&text(&plan, args))?;
    for added in plan.added.iter().filter(|added| !added.hints.is_empty()) {
        let hints = visible(&listed(&added.hints));
        let scrub =
            if args.scrub { "scrubbing does not reach it: look at the file" } else { "`--scrub` removes metadata" };
        let help = help(&added.hints, scrub);
        console.warn(&format!("`{}` may hold personal data: {hints}\n  help: {help}", visible(&added.id)));
    }
    Ok(ExitCode::Passed)
}

fn text(plan: &Plan, args: &AddArgs) -> String {
    let (add, remove) = if args.dry_run { ("would add", "would remove") } else { ("added", "removed") };
    let mut text = String::new();
    for (path, id) in &plan.present {
        let _ = writeln!(text, "in the corpus already: {} is `{}`", visible(&path.display().to_string()), visible(id));
    }
    for added in &plan.added {
        let Added { id, file, filename, bytes, removed, .. } = added;
        let _ = writeln!(text, "{add} {}: {}, {bytes} bytes, as `{}`", visible(id), visible(file), visible(filename));
        for field in removed {
            let _ = writeln!(text, "  {remove} {}", visible(&field.to_string()));
        }
        if args.scrub && removed.is_empty() {
            let _ = writeln!(text, "  it holds no metadata");
        }
    }
    if plan.added.is_empty() {
        text += "nothing to add\n";
        return text;
    }
    if args.scrub {
        text += "Text inside documents, files and drawings inside files, faces in pictures and filenames are as they were: look at them yourself.\n";
    }
    let manifest = visible(&plan.manifest().display().to_string());
    let count = plural(plan.added.len(), "attachment", "attachments");
    let _ = match (plan.creates_manifest, plan.taken_over) {
        (false, _) => writeln!(text, "{manifest}: {add} {count}"),
        (true, 0) => {
            writeln!(text, "{manifest}: {add} {count} to a new manifest; say in it who may use the files (`licence`)")
        }
        (true, old) => writeln!(
            text,
            "{manifest}: {add} {count} to a new manifest, which lists the {} that were here as well",
            plural(old, "file", "files")
        ),
    };
    text
}
