//! The report on a single run, for people.

use std::io::{self, Write};

use super::page::{Page, Tone};
use super::run_view::Mark;
use super::terminal::{entry, notes, tone_of};
use super::text::plural;
use super::view::{outcome_words, side_facts};
use super::{Options, RunView, hints};
use crate::run::CaseRecord;
use crate::run::journal::JOURNAL;

/// Writes a run.
pub(crate) fn run(view: &RunView<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    let manifest = &view.run.manifest;
    // A run has no comparison to point at.
    let options = Options { whole: JOURNAL.into(), ..options.clone() };
    page.line(Tone::Heading, &view.headline())?;
    page.gap()?;
    page.hanging(Tone::Plain, "  ", &manifest.url)?;
    let facts = side_facts(manifest).join(" · ");
    page.hanging(Tone::Plain, "  ", &format!("{} · {facts}", outcome_words(&view.outcomes)))?;
    if !view.groups.is_empty() {
        page.gap()?;
        let entries = plural(view.groups.len(), "entry", "entries");
        page.line(Tone::Heading, &format!("Worth a look ({}) in {entries}, the gravest last", view.notable.len()))?;
        page.more(view.groups.len(), options.limit, &options.whole)?;
    }
    for group in view.groups.iter().take(options.limit).rev() {
        let words = group.kind.map_or("as it ought to be", Mark::words);
        entry(&mut page, (Tone::Bad, words), group, &[], &options)?;
    }
    notes(&mut page, &hints::for_run(view), &view.warnings(), &view.reasons, &options)?;
    page.gap()?;
    page.whole_line(tone_of(view.decision), &view.verdict())
}

/// `blocked, status 404, signature unrecognised, 2 attempts`.
pub(crate) fn outcome(case: &CaseRecord) -> String {
    let attempts = (case.attempts > 1).then(|| plural(case.attempts as usize, "attempt", "attempts"));
    words_with(case, attempts)
}

/// As [`outcome`], without what differs from run to run.
pub(crate) fn answer_words(case: &CaseRecord) -> String {
    words_with(case, None)
}

fn words_with(case: &CaseRecord, attempts: Option<String>) -> String {
    let verdict = &case.verdict;
    let mut words = vec![verdict.outcome.as_str().to_owned()];
    words.push(verdict.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}")));
    words.extend(verdict.signature.as_ref().map(|signature| format!("signature {signature}")));
    words.extend(attempts);
    if case.rounds.iter().any(|round| *round != verdict.outcome) {
        let rounds: Vec<_> = case.rounds.iter().map(|round| round.as_str()).collect();
        words.push(format!("rounds: {}", rounds.join("/")));
    }
    if verdict.would_block {
        words.push("a rule fired without blocking".into());
    }
    words.join(", ")
}
