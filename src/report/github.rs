//! What a GitHub Actions step hands on: outputs, annotations, its summary.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::group::{Group, Grouped};
use super::place::Place;
use super::run_view::Mark;
use super::text::{plural, shorten, visible};
use super::view::{class_words, decision_word, exit_code};
use super::{RunView, View, told};
use crate::compare::{Class, Comparison, Decision, Finding};
use crate::run::RunManifest;

/// Annotations of one level that GitHub shows of a step.
const SHOWN: usize = 10;
/// Characters of an annotation's message: GitHub cuts at 4 KiB.
const MESSAGE: usize = 1_000;
/// Characters of a title.
const TITLE: usize = 200;
/// Bytes of a step's summary: GitHub drops a larger one whole.
const SUMMARY: usize = 1 << 20;

/// Lines for `$GITHUB_OUTPUT`: `decision`, `exit_code`, `cases`, the number of cases in each class (`newly_blocked`, …),
/// `findings`, `waived` and `procedures_hit`. Only fixed words and numbers, so that no filename can add a line.
#[must_use]
pub fn github_output(comparison: &Comparison) -> String {
    let view = View::new(comparison);
    let mut lines = github_decision(comparison.decision);
    let _ = writeln!(lines, "cases={}", comparison.cases.len());
    for (class, count) in &view.counts {
        let _ = writeln!(lines, "{}={count}", class.as_str());
    }
    for (key, count) in
        [("findings", view.findings.len()), ("waived", view.waived.len()), ("procedures_hit", view.procedures.len())]
    {
        let _ = writeln!(lines, "{key}={count}");
    }
    lines
}

/// The lines `decision` and `exit_code` of [`github_output`]: all that there is where nothing was compared.
#[must_use]
pub fn github_decision(decision: Decision) -> String {
    let word = match decision {
        Decision::Pass => "pass",
        Decision::Fail => "fail",
        Decision::Inconclusive => "inconclusive",
    };
    format!("decision={word}\nexit_code={}\n", exit_code(decision) as u8)
}

/// A Markdown report for `$GITHUB_STEP_SUMMARY`, which holds `used` bytes already: as long as there is room for.
/// `render` writes it with a budget of characters. `None`: there is no room even for its verdict.
///
/// # Errors
/// Those of `render`.
pub fn github_summary(used: u64, mut render: impl FnMut(usize) -> io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    let room = SUMMARY.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX));
    let mut budget = room;
    // A character has up to four bytes, and how many only the text tells.
    while budget > 0 {
        let page = render(budget)?;
        if page.len() <= room {
            return Ok((!page.is_empty()).then_some(page));
        }
        budget = (budget * room / page.len()).min(budget - 1);
    }
    Ok(None)
}

/// The summary of a comparison that its preflight ended.
#[must_use]
pub fn github_refusal(why: &str, help: Option<&str>) -> String {
    let help = help.map(|help| format!("\n\n{}", super::markdown::text(help))).unwrap_or_default();
    let word = decision_word(Decision::Inconclusive);
    format!("## {word}: nothing was compared\n\n{}{help}\n", super::markdown::text(why))
}

/// Writes the annotations of a comparison, an attachment each, gravest first.
pub(crate) fn comparison(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = &view.comparison.candidate.run;
    let passed = view.comparison.decision == Decision::Pass;
    let about = |group: &Group<'_, crate::compare::ComparedCase, Class>| {
        // What is within the limits of the gate fails nothing.
        let level = if group.kind.is_grave() && !passed { Level::Error } else { Level::Warning };
        annotation(run, level, class_words(group.kind), group, &told::of_case(group.example()))
    };
    let mut annotations = vec![verdict(view.comparison.decision, &view.verdict())];
    annotations.extend(view.finding_groups.iter().map(about));
    let waived = view.waived.iter().filter(|case| matches!(case.finding, Finding::Waived { .. })).count();
    if waived > 0 {
        let message =
            format!("{}: see the file of waivers", plural(waived, "finding is waived", "findings are waived"));
        annotations.push(Annotation { level: Level::Notice, title: "waived".into(), message, place: None, cases: 0 });
    }
    write(&annotations, out)
}

/// Writes the annotations of a run.
pub(crate) fn run(view: &RunView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = &view.run.manifest;
    let mut annotations = vec![verdict(view.decision, &view.verdict())];
    for group in &view.groups {
        let Some(mark) = group.kind else { continue };
        let level = match mark {
            Mark::NotDelivered | Mark::ControlDelivered => Level::Error,
            Mark::Flaky | Mark::WouldBlock | Mark::Inconclusive => Level::Warning,
        };
        let sentence = told::of_record(mark, group.example());
        annotations.push(annotation(run, level, mark.words(), group, &sentence));
    }
    write(&annotations, out)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

struct Annotation {
    level: Level,
    title: String,
    message: String,
    /// File, from the root of the repository, and line.
    place: Option<(String, Option<u64>)>,
    /// Uploads that it stands for.
    cases: usize,
}

fn verdict(decision: Decision, verdict: &str) -> Annotation {
    let level = match decision {
        Decision::Fail | Decision::Inconclusive => Level::Error,
        Decision::Pass => Level::Notice,
    };
    Annotation { level, title: "wafcanary".into(), message: verdict.to_owned(), place: None, cases: 0 }
}

fn annotation<C: Grouped, K>(
    run: &RunManifest,
    level: Level,
    kind: &str,
    group: &Group<'_, C, K>,
    sentence: &str,
) -> Annotation {
    let mut message = shorten(sentence, MESSAGE);
    if group.cases.len() > 1 {
        let pattern = group.pattern.as_ref().map(|pattern| format!(": {pattern}")).unwrap_or_default();
        message = format!("{message} So with {} of {} cases of this file{pattern}.", group.cases.len(), group.of);
    }
    // A file that is not in the repository would be looked for in it.
    let place = group.example().place().map(|place| Place::of(run, place)).filter(|place| place.folder.is_some());
    let place = place.map(|place| (place.path(), place.line));
    Annotation { level, title: format!("{kind}: {}", group.attachment), message, place, cases: group.cases.len() }
}

/// The annotations that GitHub shows; the last one of a level counts those that it would not.
fn write(annotations: &[Annotation], out: &mut dyn Write) -> io::Result<()> {
    for level in Level::ALL {
        let all: Vec<_> = annotations.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if all.len() > SHOWN { SHOWN - 1 } else { all.len() };
        for annotation in &all[..shown] {
            line(annotation, out)?;
        }
        let left = &all[shown..];
        if !left.is_empty() {
            let uploads = plural(left.iter().map(|annotation| annotation.cases).sum(), "upload", "uploads");
            let files = plural(left.len(), "file", "files");
            let message = format!("{uploads} of {files} more: see the report, which has all");
            line(&Annotation { level, title: "and more".into(), message, place: None, cases: 0 }, out)?;
        }
    }
    Ok(())
}

fn line(annotation: &Annotation, out: &mut dyn Write) -> io::Result<()> {
    let mut properties = Vec::new();
    if let Some((file, line)) = &annotation.place {
        properties.push(format!("file={}", property(file)));
        properties.extend(line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&shorten(&annotation.title, TITLE))));
    let (command, message) = (annotation.level.command(), data(&annotation.message));
    writeln!(out, "::{command} {}::{message}", properties.join(","))
}

/// A command's message: one line, whatever is in it.
fn data(raw: &str) -> String {
    visible(raw).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A command's property, which also ends at `:` and `,`.
fn property(raw: &str) -> String {
    data(raw).replace(':', "%3A").replace(',', "%2C")
}
