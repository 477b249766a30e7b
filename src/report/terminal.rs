//! The report for people: the least important first, the regressions last, one line of summary at the very end.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::group::{Answer, Group, Grouped, other_answer, without_peer};
use super::page::{Page, Tone};
use super::text::{plural, shorten};
use super::view::{
    CaseGroup, ProcedureHit, View, class_meaning, class_words, outcome_words, percent, side_facts, sides, waf,
};
use super::waf::{decided_by, rule_words};
use super::{Options, hints};
use crate::compare::{Class, ComparedCase, Decision, Finding, Reason, SideCase};
use crate::corpus::CaseId;
use crate::run::{RunEnding, WafEvidence};
use crate::verdict::Text;

/// What is only noted must not push the findings off the screen: it has one line for so many of theirs.
const NOTED_SHARE: usize = 5;

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
    page.whole_line(tone_of(view.comparison.decision), &view.verdict_within(page.width()))
}

fn both_sides(page: &mut Page<'_>, view: &View<'_>) -> io::Result<()> {
    page.gap()?;
    for (label, side, outcomes) in sides(view.comparison) {
        let run = &side.run;
        let lead = format!("  {label:<9}  ");
        page.hanging(Tone::Plain, &lead, &format!("`{}` {}", run.profile, run.url))?;
        let facts = side_facts(run).join(" · ");
        let (tone, ending) = match &side.ending {
            Some(RunEnding::Complete) => (Tone::Plain, ""),
            // Why is among the reasons of the decision.
            Some(_) | None => (Tone::Doubt, " · the run is NOT COMPLETE"),
        };
        page.hanging(tone, "             ", &format!("{} · {facts}{ending}", outcome_words(&outcomes)))?;
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
    let limit = options.limit.div_ceil(NOTED_SHARE);
    for group in view.changed_groups.iter().take(limit) {
        page.hanging(Tone::Plain, "  ", &brief_group(group))?;
    }
    page.more(view.changed_groups.len(), limit, &options.whole)
}

fn waived(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.waived.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &format!("Waived ({})", view.waived.len()))?;
    for group in view.waived_groups.iter().take(options.limit) {
        page.hanging(Tone::Plain, "  ", &brief_group(group))?;
        for waiver in waivers(group) {
            page.hanging(Tone::Plain, "    ", &waiver)?;
        }
    }
    page.more(view.waived_groups.len(), options.limit, &options.whole)
}

fn procedures(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.procedures.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line(Tone::Heading, &procedures_heading(view.procedures.len()))?;
    page.line(Tone::Plain, PROCEDURES)?;
    let row = |hit: &ProcedureHit<'_>| {
        let tests = format!("{} of {} test uploads", hit.cases.len(), hit.of);
        vec![format!("{:>4}", percent(hit.share)), tests, hit.name.to_owned()]
    };
    let rows: Vec<_> = view.procedures.iter().take(options.limit).map(row).collect();
    page.table(&rows)?;
    page.more(view.procedures.len(), options.limit, &options.whole)
}

/// What the figures of the procedures mean, for those who answer for one.
pub(crate) const PROCEDURES: &str = "The percentage is the part of the files that people attach to it which would no longer arrive, estimated with the \
     corpus's weights; beside it, how many of its test uploads were refused.";

/// `3 procedures (手続) would lose submissions`.
pub(crate) fn procedures_heading(count: usize) -> String {
    format!("{} (手続) would lose submissions", plural(count, "procedure", "procedures"))
}

fn findings(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    if view.findings.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let files = plural(view.finding_groups.len(), "entry", "entries");
    page.line(Tone::Heading, &format!("Findings ({}) in {files}, the gravest last", view.findings.len()))?;
    page.more(view.finding_groups.len(), options.limit, &options.whole)?;
    // The gravest are kept when the list is cut, and stand last: next to the prompt.
    for group in view.finding_groups.iter().take(options.limit).rev() {
        finding(page, group.kind, group, options)?;
    }
    Ok(())
}

/// The cases of a class that the gate counts.
pub(crate) fn finding<K>(
    page: &mut Page<'_>,
    class: Class,
    group: &Group<'_, ComparedCase, K>,
    options: &Options,
) -> io::Result<()> {
    let tone = if class.is_grave() { Tone::Bad } else { Tone::Doubt };
    entry(page, (tone, class_words(class)), group, &waivers(group), options)
}

/// One group, told by its simplest case.
pub(crate) fn entry<C: Grouped, K>(
    page: &mut Page<'_>,
    (tone, kind): (Tone, &str),
    group: &Group<'_, C, K>,
    waivers: &[String],
    options: &Options,
) -> io::Result<()> {
    page.gap()?;
    let share = group.share().map(|share| format!("  {share}")).unwrap_or_default();
    page.hanging(tone, "  ", &format!("{kind}  {}{share}", group.attachment))?;
    page.field("file", &group.filename())?;
    if let Some(pattern) = &group.pattern {
        page.field("which", pattern)?;
    }
    let example = group.example();
    if example.id().as_str() != group.attachment {
        page.field("example", example.id().as_str())?;
    }
    answers(page, group, options)?;
    rules(page, group, options)?;
    if !example.procedures().is_empty() {
        let mut names = example.procedures().iter().take(options.limit).cloned().collect::<Vec<_>>().join(" · ");
        if example.procedures().len() > options.limit {
            names = format!("{names} · … and {} more", example.procedures().len() - options.limit);
        }
        page.field("needed by", &names)?;
    }
    for waiver in waivers {
        page.field("waiver", waiver)?;
    }
    if let Some(place) = example.place() {
        page.field("declared", place)?;
    }
    if let Some(path) = bundle(group, options) {
        page.command("reproduce", &format!("bash {}", super::curl::quote(path.as_bytes())))?;
    }
    Ok(())
}

fn answers<C: Grouped, K>(page: &mut Page<'_>, group: &Group<'_, C, K>, options: &Options) -> io::Result<()> {
    let [(answer, count), others @ ..] = &group.answers[..] else { return Ok(()) };
    let all = group.cases.len();
    for (at, (label, words)) in answer.sides.iter().enumerate() {
        // The count stands with the side that differs.
        let differs = !others.is_empty() && at + 1 == answer.sides.len();
        let count = if differs { format!(" ({count} of {})", plural(all, "case", "cases")) } else { String::new() };
        page.field(label, &format!("{words}{count}"))?;
    }
    for evidence in &answer.evidence {
        page.field("evidence", &shorten(evidence, EVIDENCE))?;
    }
    for (other, count) in others.iter().take(options.limit) {
        page.field("also", &shorten(&other_answer(other, *count, all), EVIDENCE))?;
    }
    if others.len() > options.limit {
        page.field("also", &format!("… and {} more answers", others.len() - options.limit))?;
    }
    Ok(())
}

/// The rules that fired, by the WAF's own log.
fn rules<C: Grouped, K>(page: &mut Page<'_>, group: &Group<'_, C, K>, options: &Options) -> io::Result<()> {
    let all = group.cases.len();
    for (hit, count) in group.rules.iter().take(options.limit) {
        let part =
            if *count < all { format!("in {count} of {}: ", plural(all, "case", "cases")) } else { String::new() };
        page.field("rule", &shorten(&format!("{part}{}", rule_words(hit)), EVIDENCE))?;
    }
    if group.rules.len() > options.limit {
        page.field("rule", &format!("… and {} more", group.rules.len() - options.limit))?;
    }
    match decided_by(&group.rules, all) {
        Some(part) => page.field("decided", &format!("by {part}")),
        None => Ok(()),
    }
}

/// The script of the simplest case that has one.
pub(crate) fn bundle<'a, C: Grouped, K>(group: &Group<'_, C, K>, options: &'a Options) -> Option<&'a String> {
    group.cases.iter().find_map(|case| options.repros.get(case.id()))
}

impl Grouped for ComparedCase {
    fn id(&self) -> &CaseId {
        &self.id
    }

    fn filename(&self) -> &str {
        &self.filename
    }

    fn procedures(&self) -> &[Text] {
        &self.procedures
    }

    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn weight(&self) -> f64 {
        self.weight
    }

    fn waf(&self) -> Option<&WafEvidence> {
        waf(self)
    }

    fn answer(&self) -> Answer {
        let words = |side: &Option<SideCase>| side.as_ref().map_or_else(|| "not asked".to_owned(), answer_words);
        let evidence = evidence(self).iter().map(|text| without_peer(text).to_owned()).collect();
        Answer { sides: vec![("baseline", words(&self.baseline)), ("candidate", words(&self.candidate))], evidence }
    }
}

fn doubts(page: &mut Page<'_>, view: &View<'_>, options: &Options) -> io::Result<()> {
    let (reasons, warnings) = (&view.comparison.reasons, &view.comparison.warnings);
    notes(page, &hints::for_comparison(view), warnings, reasons, options)
}

/// What to do, what to know, and what decided.
pub(crate) fn notes(
    page: &mut Page<'_>,
    hints: &[String],
    warnings: &[String],
    reasons: &[Reason],
    options: &Options,
) -> io::Result<()> {
    if reasons.is_empty() && warnings.is_empty() && hints.is_empty() {
        return Ok(());
    }
    page.gap()?;
    for hint in hints {
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

/// The tone of the last line.
pub(crate) fn tone_of(decision: Decision) -> Tone {
    match decision {
        Decision::Pass => Tone::Good,
        Decision::Fail => Tone::Bad,
        Decision::Inconclusive => Tone::Doubt,
    }
}

/// `newly delivered  7z/plans  35 of 39 cases  blocked, 403 → delivered, 200`.
fn brief_group(group: &CaseGroup<'_>) -> String {
    let mut words = vec![class_words(group.kind).to_owned(), group.attachment.to_owned()];
    words.extend(group.share());
    words.push(changes(group));
    words.join("  ")
}

/// The distinct changes of a group's cases, with counts where there are several.
pub(crate) fn changes(group: &CaseGroup<'_>) -> String {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for change in group.cases.iter().map(|case| from_to(case)) {
        match counted.iter_mut().find(|(known, _)| *known == change) {
            Some((_, count)) => *count += 1,
            None => counted.push((change, 1)),
        }
    }
    match &counted[..] {
        [(only, _)] => only.clone(),
        several => several.iter().map(|(change, count)| format!("{count} × {change}")).collect::<Vec<_>>().join("; "),
    }
}

/// The distinct waivers of a group's cases, in words.
pub(crate) fn waivers<K>(group: &Group<'_, ComparedCase, K>) -> Vec<String> {
    let words = group.cases.iter().map(|case| waiver_words(&case.finding)).filter(|words| !words.is_empty());
    words.collect::<BTreeSet<_>>().into_iter().collect()
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
    let attempts = (side.attempts > 1).then(|| plural(side.attempts as usize, "attempt", "attempts"));
    words_with(side, attempts)
}

/// As [`side_words`], without what differs from run to run.
fn answer_words(side: &SideCase) -> String {
    words_with(side, None)
}

fn words_with(side: &SideCase, attempts: Option<String>) -> String {
    let mut words = vec![side.outcome.as_str().to_owned()];
    words.push(side.status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}")));
    words.extend(side.signature.as_ref().map(|signature| format!("signature {signature}")));
    words.extend(attempts);
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
