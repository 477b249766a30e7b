//! `wafcanary profile`: presets, and what a profile comes to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::console::Console;
use super::edge::{self, Edge};
use super::{preflight, session};
use crate::error::Result;
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
  wafcanary profile check profiles/staging.toml --offline")]
pub(crate) struct CheckArgs {
    /// The profile; a second one is taken for the candidate beside it
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    files: Vec<PathBuf>,
    /// Look at the files alone, and send nothing
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
    let mut profiles = Vec::new();
    for path in &args.files {
        profiles.push((path.as_path(), load(path)?));
    }
    if !args.offline {
        let help = "`--offline` looks at the file alone; to send to it, add `--allow-production`";
        for (path, profile) in &profiles {
            edge::refuse_production(profile, path, args.allow_production, help)?;
        }
    }
    for (_, profile) in &profiles {
        let lints = profile::check(profile);
        let mut text = String::new();
        for lint in &lints {
            let _ = writeln!(text, "warning: {lint}");
        }
        let _ = writeln!(text, "profile `{}` is sound: {} warnings", profile.name, lints.len());
        console.out(&text)?;
    }
    if args.offline {
        return Ok(ExitCode::Passed);
    }
    session::runtime()?.block_on(async {
        let mut edges = Vec::new();
        for (path, profile) in profiles {
            edges.push(Edge::start(profile, path).await?);
        }
        preflight::check(&edges, console).await
    })
}
