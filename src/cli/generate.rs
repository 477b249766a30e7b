//! `wafcanary generate`: what is made from the program itself.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::console::Console;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::{compare, corpus, profile, report};

#[derive(Debug, Subcommand)]
pub(crate) enum GenerateCommand {
    /// Shell completions, to standard output
    Completions(CompletionsArgs),
    /// Manual pages, one a command, into a folder
    Man(FolderArgs),
    /// JSON Schemas of every file that people or machines write and read, into a folder
    Schema(FolderArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  wafcanary generate completions bash > /etc/bash_completion.d/wafcanary")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  wafcanary generate schema schema")]
pub(crate) struct FolderArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn generate(command: &GenerateCommand, console: &Console) -> Result<ExitCode> {
    match command {
        GenerateCommand::Completions(args) => {
            let mut text = Vec::new();
            clap_complete::generate(args.shell, &mut super::command(), "wafcanary", &mut text);
            console.out(&String::from_utf8_lossy(&text))?;
        }
        GenerateCommand::Man(args) => {
            into(&args.folder, |folder| clap_mangen::generate_to(super::command(), folder))?;
        }
        GenerateCommand::Schema(args) => into(&args.folder, |folder| {
            for (name, schema) in schemas() {
                let text = serde_json::to_string_pretty(&schema)? + "\n";
                std::fs::write(folder.join(name), text)?;
            }
            Ok(())
        })?,
    }
    Ok(ExitCode::Passed)
}

/// Every schema with the name of its file in `schema/`.
fn schemas() -> [(&'static str, serde_json::Value); 10] {
    [
        ("manifest.json", corpus::schema()),
        ("profile.json", profile::schema().to_value()),
        ("run.json", report::run_schema().to_value()),
        ("comparison.json", report::comparison_schema().to_value()),
        ("explanations.json", report::explanations_schema().to_value()),
        ("limits.json", report::limits_schema().to_value()),
        ("matrix.json", report::matrix_schema().to_value()),
        ("suggestion.json", schemars::schema_for!(report::SuggestionDocument).to_value()),
        ("waivers.json", schemars::schema_for!(compare::WaiverFile).to_value()),
        ("wafcanary.json", schemars::schema_for!(Settings).to_value()),
    ]
}

fn into(folder: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
    std::fs::create_dir_all(folder).and_then(|()| write(folder)).map_err(|error| {
        Error::usage(format!("cannot write: {error}")).file(folder).help("give a folder that can be written to")
    })
}
