//! `wafcanary profile`: presets, and what a profile comes to.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::console::Console;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::profile::{self, Profile};

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the presets that a profile can extend
    List,
    /// Check a profile without sending anything
    Check(FileArgs),
    /// Show a profile resolved: presets merged, each value with its origin, secrets as ***
    Show(FileArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary profile check profiles/staging.toml
  wafcanary profile show profiles/lab/upper.toml")]
pub(crate) struct FileArgs {
    /// The profile
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn profile(command: ProfileCommand, console: &Console) -> Result<ExitCode> {
    let load = |args: &FileArgs| Profile::load(&args.file, &|name| std::env::var(name).ok());
    match command {
        ProfileCommand::List => {
            let mut text = String::new();
            for preset in profile::presets() {
                let _ = writeln!(text, "preset/{:<18} {}", preset.name, preset.summary());
            }
            console.out(&text)?;
        }
        ProfileCommand::Check(args) => {
            let profile = load(&args)?;
            let lints = profile::check(&profile);
            let mut text = String::new();
            for lint in &lints {
                let _ = writeln!(text, "warning: {lint}");
            }
            let _ = writeln!(text, "profile `{}` is sound: {} warnings", profile.name, lints.len());
            console.out(&text)?;
        }
        ProfileCommand::Show(args) => console.out(&load(&args)?.show())?,
    }
    Ok(ExitCode::Passed)
}
