//! What runs in pipelines: the action's scripts on the lab, comments that update themselves, and the files of the recipes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(unix)]

mod action;
mod comments;
mod files;
mod hooks;
mod recipes;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program of the tests' Python packages.
fn python_program(name: &str) -> Command {
    let program = root().join("target/corpus-venv/bin").join(name);
    assert!(program.is_file(), "tests/all.sh installs {}", program.display());
    Command::new(program)
}

/// A command without anything of a pipeline around it.
fn scrubbed(mut command: Command, dir: &Path) -> Command {
    for (name, _) in std::env::vars() {
        if ["WAFCANARY_", "GITHUB_", "CANARY_", "CI_", "RUNNER_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(dir).env("NO_COLOR", "1");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Asserts that a command ended well; returns what it said.
fn passes(mut command: Command) -> String {
    let output: Output = command.output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// The files below `folder` whose names end so.
fn files(folder: &str, ends: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.filter(|path| ends.iter().any(|end| path.to_str().unwrap().ends_with(end))).collect();
    found.sort();
    found
}
