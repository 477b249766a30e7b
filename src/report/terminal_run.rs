//! The report on a single run, for people.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::page::{Page, Tone};
use super::text::{plural, shorten};
use super::view::{outcome_words, side_facts};
use super::{Options, RunView, hints};
use crate::run::CaseRecord;

const EVIDENCE: usize = 400;

/// Writes a run.
pub(crate) fn run(view: &RunView<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    let manifest = &view.run.manifest;
    page.line(Tone::Heading, &view.headline())?;
    page.gap()?;
    page.hanging(Tone::Plain, "  ", &format!("{}, {}", manifest.url, manifest.started))?;
    page.hanging(Tone::Plain, "  ", &side_facts(manifest).join(" · "))?;
    page.hanging(Tone::Plain, "  ", &outcome_words(&view.outcomes))?;
    if !view.notable.is_empty() {
        page.gap()?;
        page.line(Tone::Heading, &format!("Worth a look ({}), the gravest last", view.notable.len()))?;
        page.more(view.notable.len(), options.limit, &options.whole)?;
    }
    let mut shown: Vec<_> = view.notable.iter().take(options.limit).collect();
    shown.sort_by_key(|(mark, _)| Reverse(*mark));
    for (mark, case) in shown {
        page.gap()?;
        page.hanging(Tone::Bad, "  ", &format!("{}  {}", mark.words(), case.case))?;
        page.field("file", &super::terminal::filename(&case.filename))?;
        page.field("outcome", &outcome(case))?;
        page.field("evidence", &shorten(&case.verdict.evidence, EVIDENCE))?;
        if !case.procedures.is_empty() {
            page.field("hits", &case.procedures.join(" · "))?;
        }
        if let Some(place) = &case.place {
            page.field("declared", place)?;
        }
        if let Some(path) = options.repros.get(&case.case) {
            page.command("reproduce", &format!("bash {}", super::curl::quote(path.as_bytes())))?;
        }
    }
    let (warnings, hints) = (view.warnings(), hints::for_run(view));
    if !warnings.is_empty() || !hints.is_empty() {
        page.gap()?;
    }
    for hint in hints {
        page.hanging(Tone::Plain, "hint: ", &hint)?;
    }
    for warning in warnings {
        page.hanging(Tone::Doubt, "warning: ", &warning)?;
    }
    page.gap()?;
    page.whole_line(Tone::Heading, &view.verdict())
}

/// `blocked, status 404, signature unrecognised, 2 attempts`.
pub(crate) fn outcome(case: &CaseRecord) -> String {
    let verdict = &case.verdict;
    let mut words = vec![verdict.outcome.as_str().to_owned()];
    words.push(verdict.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}")));
    words.extend(verdict.signature.as_ref().map(|signature| format!("signature {signature}")));
    if case.attempts > 1 {
        words.push(plural(case.attempts as usize, "attempt", "attempts"));
    }
    if case.rounds.iter().any(|round| *round != verdict.outcome) {
        let rounds: Vec<_> = case.rounds.iter().map(|round| round.as_str()).collect();
        words.push(format!("rounds: {}", rounds.join("/")));
    }
    if verdict.would_block {
        words.push("a rule fired without blocking".into());
    }
    words.join(", ")
}
