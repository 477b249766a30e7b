//! `wafcanary corpus`: what would be sent, whether it is sound, and what it covers.

mod add;
mod check;
mod list;
mod stats;

use clap::Subcommand;

use super::console::Console;
use super::settings::Settings;
use crate::error::Result;
use crate::exit::ExitCode;

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// List the cases that a selection makes
    List(list::ListArgs),
    /// Add files to a folder of attachments and to its manifest
    Add(add::AddArgs),
    /// Check files against the manifest, against their names and for personal data
    Check(check::CheckArgs),
    /// Count formats, sizes and names, and list what is not covered
    Stats(stats::StatsArgs),
}

pub(crate) fn corpus(command: CorpusCommand, settings: &Settings, console: &Console) -> Result<ExitCode> {
    match command {
        CorpusCommand::List(args) => list::list(&args, settings, console),
        CorpusCommand::Add(args) => add::add(&args, settings, console),
        CorpusCommand::Check(args) => check::check(&args, settings, console),
        CorpusCommand::Stats(args) => stats::stats(&args, settings, console),
    }
}
