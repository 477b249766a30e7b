//! `wafcanary corpus stats`: what a selection covers, and what it does not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;

use super::super::console::Console;
use super::super::options::SelectOptions;
use super::super::session;
use super::super::settings::Settings;
use crate::corpus::{NameClass, SizeClass, Stats};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::text::{columns, pad, plural, visible, wrap};

/// Counts the cases of a selection by format and size, by name class, client, transport and procedure, controls too, and
/// lists what no legitimate file covers: common formats, sizes at the edges up to which WAFs look, name classes, and
/// procedures for which one file stands.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus stats
  wafcanary corpus stats --corpus attachments/ --set full
  wafcanary corpus stats --procedure 現況届提出フォーム --json")]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    select: SelectOptions,
    /// One JSON object, with the count of each format, size and name class
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

pub(super) fn stats(args: &StatsArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let selected = session::select(&args.select, settings, &[], console)?;
    let stats = Stats::of(&selected.cases);
    if args.json {
        let mut value =
            serde_json::json!({ "schema_version": 1, "corpus": selected.corpus, "digest": selected.digest });
        let counts = serde_json::to_value(&stats)
            .map_err(|error| Error::inconclusive(format!("the counts cannot be written as JSON: {error}")))?;
        if let (Some(value), serde_json::Value::Object(counts)) = (value.as_object_mut(), counts) {
            value.extend(counts);
        }
        console.out(&format!("{value:#}\n"))?;
    } else {
        console.out(&text(&selected.corpus, &stats, Console::width()))?;
    }
    Ok(ExitCode::Passed)
}

fn text(corpus: &str, stats: &Stats, width: usize) -> String {
    let mut text = format!(
        "{}: {}, {}, {}\n\n",
        visible(corpus),
        plural(stats.attachments, "attachment", "attachments"),
        plural(stats.controls, "control", "controls"),
        plural(stats.cases, "case", "cases"),
    );
    text += &table(&formats(stats));
    for (title, counts) in [
        ("Name class", stats.names.iter().map(|(name, n)| (name.as_str().to_owned(), *n)).collect()),
        ("Client", by_count(&stats.clients)),
        ("Transport", by_count(&stats.transports)),
    ] {
        text.push('\n');
        text += &counted(title, "cases", &counts);
    }
    if !stats.procedures.is_empty() {
        text.push('\n');
        text += &counted("Procedure", "files", &by_count(&stats.procedures));
    }
    text + &not_covered(stats, width)
}

/// Formats with their files and the cases of each size.
fn formats(stats: &Stats) -> Vec<Vec<String>> {
    let mut head = vec!["Format".to_owned(), "files".to_owned(), "cases".to_owned()];
    head.extend(SizeClass::ALL.map(|size| size.label().to_owned()));
    let mut rows = vec![head];
    for (name, format) in &stats.formats {
        let mut row = vec![visible(name), format.attachments.to_string(), format.cases.to_string()];
        row.extend(SizeClass::ALL.map(|size| number(format.sizes.get(&size).copied().unwrap_or_default())));
        rows.push(row);
    }
    rows
}

/// A count, with nothing in place of 0 that an eye stays on.
fn number(n: usize) -> String {
    if n == 0 { "·".to_owned() } else { n.to_string() }
}

/// The largest first; of one count, by name.
fn by_count(counts: &BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = counts.iter().map(|(name, n)| (visible(name), *n)).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}

fn counted(title: &str, unit: &str, counts: &[(String, usize)]) -> String {
    let mut rows = vec![vec![title.to_owned(), unit.to_owned()]];
    rows.extend(counts.iter().map(|(name, n)| vec![name.clone(), n.to_string()]));
    table(&rows)
}

/// Rows of cells: the first column to the left, numbers to the right.
fn table(rows: &[Vec<String>]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(width.saturating_sub(columns(cell)));
            let _ = if column == 0 { write!(line, "{}", pad(cell, *width)) } else { write!(line, "  {blanks}{cell}") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn not_covered(stats: &Stats, width: usize) -> String {
    let gaps = &stats.not_covered;
    let formats: Vec<String> = gaps.formats.iter().map(|format| (*format).to_owned()).collect();
    let sizes: Vec<String> = gaps.sizes.iter().map(|size| size_in_words(*size)).collect();
    let names: Vec<String> = gaps.names.iter().map(|name| NameClass::as_str(*name).to_owned()).collect();
    let procedures: Vec<String> = gaps.single_attachment.iter().map(|name| visible(name)).collect();
    let mut text = "\nNot covered\n".to_owned();
    let before = text.len();
    for (what, items) in [
        ("common formats", formats),
        ("sizes", sizes),
        ("name classes", names),
        ("procedures with a single file", procedures),
    ] {
        if !items.is_empty() {
            for (at, line) in wrap(&format!("{what}: {}", items.join(", ")), width.saturating_sub(4)).iter().enumerate()
            {
                let _ = writeln!(text, "{}{line}", if at == 0 { "  " } else { "    " });
            }
        }
    }
    if text.len() == before {
        text += "  nothing that is looked for\n";
    }
    text
}

/// A size without its neighbours in a table.
fn size_in_words(size: SizeClass) -> String {
    let at = SizeClass::ALL.iter().position(|class| *class == size).unwrap_or_default();
    let from = at.checked_sub(1).and_then(|before| SizeClass::ALL[before].limit());
    let unit =
        |bytes: u64| if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) };
    match (from, size.limit()) {
        (Some(from), Some(to)) => format!("{} to {}", unit(from), unit(to)),
        (None, Some(to)) => format!("up to {}", unit(to)),
        (Some(from), None) => format!("over {}", unit(from)),
        (None, None) => "any".to_owned(),
    }
}
