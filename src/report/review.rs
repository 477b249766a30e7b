//! Findings to decide on one after the other, as `accept` shows them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Options;
use super::group::{Group, groups};
use super::page::{Page, Tone};
use super::terminal::finding;
use super::text::plural;
use super::view::{class_words, is_doubtful};
use crate::compare::{Class, ComparedCase, Comparison};
use crate::corpus::CaseId;

/// What is decided at once: the cases of one attachment that went the same way, or those of several that have one trigger.
#[derive(Debug)]
pub struct Item<'a> {
    /// What became of them.
    pub class: Class,
    /// Why, in a sentence; `None`: it is not explained.
    pub trigger: Option<&'a str>,
    /// By attachment, the hardest hit first; never empty.
    groups: Vec<Group<'a, ComparedCase, Way>>,
}

/// Class and trigger; what is not explained has the last number.
type Way = (Class, usize);

impl<'a> Item<'a> {
    /// All its cases.
    pub fn cases(&self) -> impl Iterator<Item = &'a ComparedCase> {
        self.groups.iter().flat_map(|group| group.cases.iter().copied())
    }

    /// The attachments with all their cases in the comparison, and how many of those are in this item.
    pub fn attachments(&self) -> impl Iterator<Item = (&'a str, usize, usize)> {
        self.groups.iter().map(|group| (group.attachment, group.cases.len() + group.accepted, group.of))
    }

    /// `newly blocked  dxf/road-plan`, or how many attachments.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.groups[..] {
            [only] => format!("{}  {}", class_words(self.class), only.attachment),
            several => format!("{}  {} files with one trigger", class_words(self.class), several.len()),
        }
    }
}

/// The cases of a comparison that are `listed`, by class, gravest first; those with one trigger together.
#[must_use]
pub fn items<'a>(
    comparison: &'a Comparison,
    triggers: &'a BTreeMap<CaseId, String>,
    listed: impl Fn(&ComparedCase) -> bool,
) -> Vec<Item<'a>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in comparison.cases.iter().filter(|case| listed(case)) {
        if let Some(trigger) = triggers.get(&case.id) {
            *counts.entry(trigger).or_default() += 1;
        }
    }
    let mut order: Vec<&str> = counts.keys().copied().collect();
    order.sort_by_key(|trigger| std::cmp::Reverse(counts[trigger]));
    let number: BTreeMap<&str, usize> = order.iter().enumerate().map(|(number, trigger)| (*trigger, number)).collect();
    let way = |case: &ComparedCase| {
        let trigger = triggers.get(&case.id).and_then(|trigger| number.get(trigger.as_str()).copied());
        (case.class, trigger.unwrap_or(usize::MAX))
    };
    let mut items: Vec<Item<'a>> = Vec::new();
    for group in groups(comparison.cases.iter(), way, listed, |(class, _)| is_doubtful(class)) {
        let (class, number) = group.kind;
        let trigger = order.get(number).copied();
        match items.last_mut() {
            Some(item) if trigger.is_some() && (item.class, item.trigger) == (class, trigger) => {
                item.groups.push(group);
            }
            Some(_) | None => items.push(Item { class, trigger, groups: vec![group] }),
        }
    }
    items
}

/// Writes what is to be decided, in the words of the terminal report.
///
/// # Errors
/// Those of `out`.
pub fn render_item(item: &Item<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    if let Some(trigger) = item.trigger {
        let cases = plural(item.cases().count(), "case", "cases");
        let files = plural(item.groups.len(), "file", "files");
        page.gap()?;
        page.hanging(Tone::Heading, "  ", &format!("{cases} of {files}: {trigger}"))?;
    }
    let (first, others) = (&item.groups[..1], &item.groups[1..]);
    for group in first {
        finding(&mut page, item.class, group, options)?;
    }
    if !others.is_empty() {
        page.gap()?;
        for group in others {
            let share = group.share().map(|share| format!("  {share}")).unwrap_or_default();
            page.hanging(Tone::Plain, "  and ", &format!("{}{share}  {}", group.attachment, group.filename()))?;
        }
    }
    Ok(())
}

/// Writes lines below a heading, indented and wrapped.
///
/// # Errors
/// Those of `out`.
pub fn render_lines(heading: &str, lines: &[String], options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options.width, options.colour);
    page.gap()?;
    page.hanging(Tone::Heading, "  ", heading)?;
    lines.iter().try_for_each(|line| page.hanging(Tone::Plain, "    ", line))
}
