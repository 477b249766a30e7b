//! The report for people: the least important first, the regressions last, one line of summary at the very end.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::page::{Page, Tone};
use super::text::{plural, shorten};
use super::view::{View, class_meaning, class_words, ending_words, outcome_words, percent, side_facts, sides};
use super::{Options, hints};
use crate::compare::{Class, ComparedCase, Decision, Finding, SideCase};

/// Characters of evidence that a finding shows; the whole of it is in the record.
const EVIDENCE: usize = 400;

/// Writes a comparison.
pub(crate) fn comparison(view: &View<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    page.line(Tone::Heading, &view.headline())?;
    both_sides(&mut page, view)?;
    classes(&mut page, view)?;
    families(&mut page, view, options)?;
    changed(&mut page, view, options)?;
    waived(&mut page, view, options)?;
    procedures(&mut page, view, options)?;
    findings(&mut page, view, options)?;
    doubts(&mut page, view, options)?;
    page.gap()?;
    let tone = match view.comparison.decision {
        Decision::Pass => Tone::Good,
        Decision::Fail => Tone::Bad,
        Decision::Inconclusive => Tone::Doubt,
    };
    page.whole_line(tone, &view.verdict_within(page.width()))
}

fn both_sides(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    page.gap()?;
    for (label, side, outcomes) in sides(view.comparison) {
        let run = &side.run;
        page.hanging(
            Tone::Plain,
            &format!("  {label:<9}  "),
            &format!("`{}` {}, {}", run.profile, run.url, run.started),
        )?;
        page.hanging(Tone::Plain, "             ", &side_facts(run).join(" · "))?;
        page.hanging(Tone::Plain, "             ", &outcome_words(&outcomes))?;
        if let Some(ending) = ending_words(side.ending.as_ref()) {
            page.hanging(Tone::Doubt, "             ", &format!("the run {ending}"))?;
        }
    }
    Ok(())
}

fn classes(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    let rows: Vec<_> = Class::ALL
        .into_iter()
        .filter_map(|class| view.counts.get(&class).filter(|count| **count > 0).map(|count| (class, *count)))
        .map(|(class, count)| {
            vec![class_words(class).to_owned(), format!("{count:>6}"), class_meaning(class).to_owned()]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, "Cases by class")?;
    page.table(&rows)?;
    if view.controls.cases > 0 {
        let controls = &view.controls;
        let text = format!(
            "{} among them: the baseline blocked {}, the candidate {}",
            plural(controls.cases, "control", "controls"),
            controls.blocked_by_baseline,
            controls.blocked_by_candidate
        );
        page.hanging(Tone::Plain, "  ", &text)?;
    }
    Ok(())
}

fn families(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    let told = |family: &&super::view::Family<'_>| family.classes.keys().any(|class| *class != Class::Unchanged);
    let touched: Vec<_> = view.families.iter().filter(told).collect();
    if touched.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, "File families touched")?;
    let rows: Vec<_> = touched
        .iter()
        .take(options.limit)
        .map(|family| {
            let classes: Vec<_> =
                family.classes.iter().map(|(class, count)| format!("{count} {}", class_words(*class))).collect();
            vec![family.name.to_owned(), plural(family.cases, "case", "cases"), classes.join(" · ")]
        })
        .collect();
    page.table(&rows)?;
    page.more(touched.len(), options.limit, &options.whole)
}

fn changed(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.changed.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &format!("Noted, not counted by the gate ({})", view.changed.len()))?;
    for case in view.changed.iter().take(options.limit) {
        page.hanging(Tone::Plain, "  ", &format!("{}  {}  {}", class_words(case.class), case.id, from_to(case)))?;
    }
    page.more(view.changed.len(), options.limit, &options.whole)
}

fn waived(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.waived.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &format!("Waived ({})", view.waived.len()))?;
    for case in view.waived.iter().take(options.limit) {
        page.hanging(Tone::Plain, "  ", &format!("{}  {}  {}", class_words(case.class), case.id, from_to(case)))?;
        page.hanging(Tone::Plain, "    ", &waiver_words(&case.finding))?;
    }
    page.more(view.waived.len(), options.limit, &options.whole)
}

fn procedures(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.procedures.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let count = plural(view.procedures.len(), "procedure", "procedures");
    page.line(Tone::Heading, &format!("{count} would lose submissions"))?;
    for hit in view.procedures.iter().take(options.limit) {
        page.hanging(Tone::Plain, "  ", hit.name)?;
        let share = percent(hit.share);
        let text =
            format!("{} of {} newly blocked, {share} of its weight", hit.cases.len(), plural(hit.of, "case", "cases"));
        page.hanging(Tone::Plain, "      ", &text)?;
    }
    page.more(view.procedures.len(), options.limit, &options.whole)
}

fn findings(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.findings.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &format!("Findings ({}), the gravest last", view.findings.len()))?;
    page.more(view.findings.len(), options.limit, &options.whole)?;
    // The gravest are kept when the list is cut, and stand last: next to the prompt.
    let mut shown: Vec<_> = view.findings.iter().take(options.limit).collect();
    shown.sort_by_key(|case| Reverse(case.class));
    for case in shown {
        page.gap()?;
        finding(page, case, options)?;
    }
    Ok(())
}

fn finding(page: &mut Page<'_>, case: &ComparedCase, options: &Options) -> io::Result<()> {
    let tone = match case.class {
        Class::NewlyBlocked | Class::ProtectionLost | Class::NewlyAltered => Tone::Bad,
        Class::Flaky
        | Class::Inconclusive
        | Class::OnlyInBaseline
        | Class::OnlyInCandidate
        | Class::ReasonChanged
        | Class::NewlyDelivered
        | Class::ProtectionGained
        | Class::Unchanged => Tone::Doubt,
    };
    page.hanging(tone, "  ", &format!("{}  {}", class_words(case.class), case.id))?;
    page.field("file", &filename(&case.filename))?;
    for (label, side) in [("baseline", &case.baseline), ("candidate", &case.candidate)] {
        page.field(label, &side.as_ref().map_or_else(|| "not asked".to_owned(), side_words))?;
    }
    for evidence in evidence(case) {
        page.field("evidence", &shorten(&evidence, EVIDENCE))?;
    }
    if !case.procedures.is_empty() {
        let mut names = case.procedures.iter().take(options.limit).cloned().collect::<Vec<_>>().join(" · ");
        if case.procedures.len() > options.limit {
            names = format!("{names} · … and {} more", case.procedures.len() - options.limit);
        }
        page.field("hits", &names)?;
    }
    if matches!(case.finding, Finding::Expired { .. }) {
        page.field("waiver", &waiver_words(&case.finding))?;
    }
    if let Some(place) = &case.place {
        page.field("declared", place)?;
    }
    if let Some(path) = options.repros.get(&case.id) {
        page.command("reproduce", &format!("bash {}", super::curl::quote(path.as_bytes())))?;
    }
    Ok(())
}

fn doubts(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    let reasons = &view.comparison.reasons;
    let warnings = &view.comparison.warnings;
    let hints = hints::for_comparison(view);
    if reasons.is_empty() && warnings.is_empty() && hints.is_empty() {
        return Ok(());
    }
    page.gap()?;
    for hint in &hints {
        page.hanging(Tone::Plain, "hint: ", hint)?;
    }
    for warning in warnings.iter().take(options.limit) {
        page.hanging(Tone::Doubt, "warning: ", warning)?;
    }
    page.more(warnings.len(), options.limit, &options.whole)?;
    for reason in reasons.iter().take(options.limit) {
        let lead = match reason.decision {
            Decision::Pass => "note: ",
            Decision::Fail => "fails: ",
            Decision::Inconclusive => "inconclusive: ",
        };
        page.hanging(Tone::Plain, lead, &reason.message)?;
    }
    page.more(reasons.len(), options.limit, &options.whole)
}

/// A filename as it is, in quotes where its ends could not be seen.
pub(crate) fn filename(name: &str) -> String {
    let blank = |c: char| c.is_whitespace();
    if name.is_empty() || name.starts_with(blank) || name.ends_with(blank) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

/// `delivered, 200 → blocked, 404`.
pub(crate) fn from_to(case: &ComparedCase) -> String {
    let words = |side: &Option<SideCase>| side.as_ref().map_or_else(|| "not asked".to_owned(), brief);
    format!("{} → {}", words(&case.baseline), words(&case.candidate))
}

fn brief(side: &SideCase) -> String {
    match side.status {
        Some(status) => format!("{}, {status}", side.outcome.as_str()),
        None => side.outcome.as_str().to_owned(),
    }
}

/// `blocked, status 404, signature unrecognised, 3 attempts (blocked, delivered, blocked), a rule fired without blocking`.
pub(crate) fn side_words(side: &SideCase) -> String {
    let mut words = vec![side.outcome.as_str().to_owned()];
    words.push(side.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}")));
    words.extend(side.signature.as_ref().map(|signature| format!("signature {signature}")));
    if side.attempts > 1 {
        words.push(plural(side.attempts as usize, "attempt", "attempts"));
    }
    if !side.rounds.is_empty() {
        let rounds: Vec<_> = side.rounds.iter().map(|round| round.as_str()).collect();
        words.push(format!("rounds: {}", rounds.join("/")));
    }
    if side.would_block {
        words.push("a rule fired without blocking".into());
    }
    words.join(", ")
}

/// What was seen: the candidate's evidence, or the baseline's where the candidate was not asked.
/// Both where both are needed to understand the class.
pub(crate) fn evidence(case: &ComparedCase) -> Vec<String> {
    let baseline = case.baseline.as_ref().map(|side| side.evidence.to_string()).filter(|text| !text.is_empty());
    let candidate = case.candidate.as_ref().map(|side| side.evidence.to_string()).filter(|text| !text.is_empty());
    match (case.class, baseline, candidate) {
        (Class::Flaky | Class::Inconclusive | Class::ReasonChanged, Some(baseline), Some(candidate))
            if baseline != candidate =>
        {
            vec![format!("baseline: {baseline}"), format!("candidate: {candidate}")]
        }
        (_, _, Some(candidate)) => vec![candidate],
        (_, Some(baseline), None) => vec![format!("baseline: {baseline}")],
        (_, None, None) => Vec::new(),
    }
}

/// The waiver of a finding, in words.
pub(crate) fn waiver_words(finding: &Finding) -> String {
    match finding {
        Finding::None | Finding::Open => String::new(),
        Finding::Waived { owner, reason, expires } => format!("waived until {expires} by {owner}: {reason}"),
        Finding::Expired { owner, expires } => {
            format!("the waiver of {owner} expired after {expires}: it counts again")
        }
    }
}
