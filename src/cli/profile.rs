//! `wafcanary profile`: presets, and what a profile comes to.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::console::Console;
use super::edge::{self, Edge};
use super::{preflight, session};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::profile::{self, Profile};

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the presets that a profile can extend
    List,
    /// Check a profile, or a baseline and a candidate, by sending a few uploads
    ///
    /// At most 11 small ones go to each edge: can it be reached, are the credentials right, is a benign file delivered and
    /// its receipt seen, are controls kept out (sent only where `guard.authorized` is true), does the pace get us banned,
    /// do the clocks agree, and, of two profiles, do they lead to two edges? What is not as it should be says what to do.
    Check(CheckArgs),
    /// Show a profile resolved: presets merged, each value with its origin, secrets as ***
    Show(FileArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Exit codes: 0 fine, or warnings alone · 1 a check failed · 2 wrong profile · 3 something could not be asked

Examples:
  wafcanary profile check profiles/lab/standard.toml
  wafcanary profile check now.toml next.toml
  wafcanary profile check profiles/staging.toml --offline
  wafcanary profile check --offline profiles/now.toml profiles/next.toml profiles/spare.toml")]
pub(crate) struct CheckArgs {
    /// The profile; a second one is taken for the candidate beside it. With `--offline`, any number of profiles
    #[arg(value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,
    /// Look at the files alone, and send nothing; a variable that is not set is a warning
    #[arg(long, env = "WAFCANARY_OFFLINE", value_parser = clap::builder::BoolishValueParser::new())]
    offline: bool,
    /// Send to a profile whose environment is `production`
    #[arg(long, env = "WAFCANARY_ALLOW_PRODUCTION", value_parser = clap::builder::BoolishValueParser::new())]
    allow_production: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary profile show profiles/lab/upper.toml")]
pub(crate) struct FileArgs {
    /// The profile
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn profile(command: ProfileCommand, console: &Console) -> Result<ExitCode> {
    match command {
        ProfileCommand::List => {
            let mut text = String::new();
            for preset in profile::presets() {
                let _ = writeln!(text, "preset/{:<18} {}", preset.name, preset.summary());
            }
            console.out(&text)?;
        }
        ProfileCommand::Check(args) => return check(&args, console),
        ProfileCommand::Show(args) => console.out(&load(&args.file)?.show())?,
    }
    Ok(ExitCode::Passed)
}

fn load(path: &Path) -> Result<Profile> {
    Profile::load(path, &|name| std::env::var(name).ok())
}

fn check(args: &CheckArgs, console: &Console) -> Result<ExitCode> {
    if args.offline {
        return check_files(&args.files, console);
    }
    if args.files.len() > 2 {
        return Err(Error::usage(format!("{} profiles are given, and two edges are compared", args.files.len()))
            .help("give the baseline and the candidate, or look at the files alone with `--offline`"));
    }
    let mut profiles = Vec::new();
    for path in &args.files {
        profiles.push((path.as_path(), load(path)?));
    }
    let help = "`--offline` looks at the file alone; to send to it, add `--allow-production`";
    for (path, profile) in &profiles {
        edge::refuse_production(profile, path, args.allow_production, help)?;
    }
    for (_, profile) in &profiles {
        console.out(&told(profile, &[]))?;
    }
    session::runtime()?.block_on(async {
        let mut edges = Vec::new();
        for (path, profile) in profiles {
            edges.push(Edge::start(profile, path).await?);
        }
        preflight::check(&edges, console).await
    })
}

/// Looks at each file, and tells the errors of all of them: a hook before a commit names many.
fn check_files(files: &[PathBuf], console: &Console) -> Result<ExitCode> {
    let mut wrong = false;
    for path in files {
        // The secrets of a pipeline are not on the machine of whoever writes the profile.
        let unset = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            let value = std::env::var(name).ok();
            value.or_else(|| {
                unset.borrow_mut().insert(name.to_owned());
                Some(STAND_IN.to_owned())
            })
        };
        match Profile::load(path, &variable) {
            Ok(profile) => {
                let unset = unset.take().into_iter().map(|name| format!("the variable `{name}` is not set here"));
                console.out(&told(&profile, &unset.collect::<Vec<_>>()))?;
            }
            Err(error) => {
                wrong = true;
                console.error(&error);
            }
        }
    }
    Ok(if wrong { ExitCode::Usage } else { ExitCode::Passed })
}

/// In place of a variable that is not set, where nothing is sent: good as an address, a word and a secret.
const STAND_IN: &str = "https://unset.invalid";

/// What is weak in a profile.
fn told(profile: &Profile, more: &[String]) -> String {
    let mut text = String::new();
    let warnings: Vec<String> =
        profile::check(profile).iter().map(ToString::to_string).chain(more.iter().cloned()).collect();
    for warning in &warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    let _ = writeln!(text, "profile `{}` is sound: {} warnings", profile.name, warnings.len());
    text
}
