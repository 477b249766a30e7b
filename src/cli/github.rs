//! What GitHub Actions reads of a step: its outputs and its summary.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::console::Console;
use crate::report;

/// Appends lines, such as the decision and the counts, to `$GITHUB_OUTPUT`, for the later steps of a workflow.
pub(super) fn hand_on(lines: &str, console: &Console) {
    if let Some(path) = file("GITHUB_OUTPUT") {
        let written = append(&path, lines.as_bytes());
        // The exit code says the same, so this does not change it.
        warn("GITHUB_OUTPUT", &path, written, console);
    }
}

/// Appends a Markdown report, which `render` writes with a budget of characters, to `$GITHUB_STEP_SUMMARY`.
pub(super) fn summarise(render: impl Fn(usize, &mut dyn io::Write) -> io::Result<()>, console: &Console) {
    let Some(path) = file("GITHUB_STEP_SUMMARY") else { return };
    let used = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    // A heading needs a free line before it.
    let gap: &[u8] = if used > 0 { b"\n\n" } else { b"" };
    let page = report::github_summary(used + gap.len() as u64, |budget| {
        let mut page = Vec::new();
        render(budget, &mut page)?;
        Ok(page)
    });
    let written = page.and_then(|page| match page {
        Some(page) => append(&path, &[gap, &page].concat()),
        None => Err(io::Error::other("it is full, and GitHub takes no more than 1 MiB of a step")),
    });
    warn("GITHUB_STEP_SUMMARY", &path, written, console);
}

fn file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn append(path: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

fn warn(variable: &str, path: &std::path::Path, written: io::Result<()>, console: &Console) {
    if let Err(error) = written {
        console.warn(&format!("cannot write to `${variable}` ({}): {error}", path.display()));
    }
}
