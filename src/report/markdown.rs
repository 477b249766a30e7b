//! Markdown for a pull-request comment: bounded in length, and inert whatever the filenames hold.
//!
//! What comes from files or from the network stands in code spans, where neither HTML nor links nor mentions are active;
//! sentences of other modules, which may quote such things, are escaped character by character.

use std::io::{self, Write};

use super::group::{Group, Grouped, other_answer};
use super::run_view::Mark;
use super::terminal::{PROCEDURES, bundle, changes, procedures_heading, waivers};
use super::text::{shorten, visible};
use super::view::{
    CaseGroup, View, class_words, decision_word, ending_words, outcome_words, percent, side_facts, sides,
};
use super::waf::{decided_by, rule_words};
use super::{Options, RunView};
use crate::compare::{Class, Reason};
use crate::run::RunManifest;

/// The first line of every comment, by which a bot finds its own to update it.
const MARKER: &str = "<!-- wafcanary -->\n";
/// Characters of evidence in a table's cell.
const EVIDENCE: usize = 240;
/// Characters of a name, an id or a sentence.
const NAME: usize = 200;
/// Entries of the lists that are not findings.
const LIST: usize = 20;
/// Kept free for the lines that say what was left out.
const RESERVE: usize = 400;

/// Writes a comparison.
pub(crate) fn comparison(view: &View<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    page.push(MARKER);
    page.push(&format!("## {}: {}\n\n", decision_word(view.comparison.decision), text(&view.sentence())));
    page.push(&format!("{}.\n\n", text(&view.headline())));
    reasons(&mut page, &view.comparison.reasons, &view.comparison.warnings);
    edges(&mut page, view);
    counts(&mut page, view);
    procedures(&mut page, view);
    page.findings(view, options);
    page.details("Waived", view.waived.len(), &view.waived_groups);
    page.details("Noted, not counted by the gate", view.changed.len(), &view.changed_groups);
    page.finish(&view.verdict(), out)
}

/// Writes a run.
pub(crate) fn run(view: &RunView<'_>, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    page.push(MARKER);
    let heading = format!("{}: {}", decision_word(view.decision), text(&view.sentence()));
    page.push(&format!("## {heading}\n\n{}.\n\n", text(&view.headline())));
    reasons(&mut page, &view.reasons, &view.warnings());
    let manifest = &view.run.manifest;
    page.push(&edge("run", manifest, &outcome_words(&view.outcomes), None));
    if !view.groups.is_empty() {
        page.push(&format!("\n### Worth a look ({})\n\n", view.notable.len()));
        let mark = |mark: Option<Mark>| mark.map_or("", Mark::words);
        let head = "| why | attachment | file | cases | outcome | evidence |\n|---|---|---|---|---|---|\n";
        page.rows(head, view.groups.iter().map(|group| row(mark(group.kind), group, &[], options)));
    }
    page.finish(&view.verdict(), out)
}

fn reasons(page: &mut Page, reasons: &[Reason], warnings: &[String]) {
    let reasons: Vec<_> = reasons.iter().map(|reason| (reason.code.as_str(), reason.message.as_str())).collect();
    let warnings: Vec<_> = warnings.iter().map(|warning| ("warning", warning.as_str())).collect();
    for list in [reasons, warnings] {
        for (label, message) in list.iter().take(LIST) {
            page.push(&format!("- **{}:** {}\n", text(label), text(&shorten(message, NAME * 2))));
        }
        if list.len() > LIST {
            page.push(&format!("- … and {} more\n", list.len() - LIST));
        }
    }
    page.push("\n");
}

fn edges(page: &mut Page, view: &View<'_>) {
    for (label, side, outcomes) in sides(view.comparison) {
        let ending = ending_words(side.ending.as_ref());
        page.push(&edge(label, &side.run, &outcome_words(&outcomes), ending.as_deref()));
    }
    page.push("\n");
}

fn edge(label: &str, run: &RunManifest, outcomes: &str, ending: Option<&str>) -> String {
    let facts = side_facts(run).join(" · ");
    let ending = ending.map(|ending| format!(" · **the run {}**", text(ending))).unwrap_or_default();
    format!(
        "- {label} {} {}: {} · {}{ending}\n",
        code(&run.profile, NAME),
        code(&run.url, NAME),
        text(&facts),
        text(outcomes)
    )
}

fn counts(page: &mut Page, view: &View<'_>) {
    let there = |class: &Class| view.counts.get(class).copied().filter(|count| *count > 0);
    let rows: Vec<_> = Class::ALL.into_iter().filter_map(|class| Some((class, there(&class)?))).collect();
    if rows.is_empty() {
        return;
    }
    page.push("| class | cases |\n|---|---:|\n");
    for (class, count) in rows {
        page.push(&format!("| {} | {count} |\n", class_words(class)));
    }
    page.push("\n");
}

fn procedures(page: &mut Page, view: &View<'_>) {
    if view.procedures.is_empty() {
        return;
    }
    page.push(&format!("### {}\n\n{PROCEDURES}\n\n", procedures_heading(view.procedures.len())));
    page.push("| lost | test uploads refused | procedure |\n|---:|---:|---|\n");
    for hit in view.procedures.iter().take(LIST * 2) {
        let name = text(&shorten(hit.name, NAME));
        page.push(&format!("| {} | {} of {} | {name} |\n", text(&percent(hit.share)), hit.cases.len(), hit.of));
    }
    if view.procedures.len() > LIST * 2 {
        page.push(&format!("\n… and {} more\n", view.procedures.len() - LIST * 2));
    }
    page.push("\n");
}

/// Text that grows within a budget of characters.
pub(super) struct Bounded {
    text: String,
    used: usize,
    budget: usize,
}

impl Bounded {
    pub(super) fn new(budget: usize) -> Self {
        Self { text: String::new(), used: 0, budget }
    }

    /// Adds a piece if it fits, `spare` characters kept free.
    pub(super) fn fits(&mut self, piece: &str, spare: usize) -> bool {
        let chars = piece.chars().count();
        let fits = self.used + chars + spare <= self.budget;
        if fits {
            self.text.push_str(piece);
            self.used += chars;
        }
        fits
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())
    }
}

/// The comment as it grows.
struct Page {
    text: Bounded,
    whole: String,
    /// Something was left out that no other line tells of.
    cut: bool,
}

impl Page {
    fn new(options: &Options) -> Self {
        Self { text: Bounded::new(options.budget), whole: options.whole.clone(), cut: false }
    }

    fn fits(&mut self, piece: &str, spare: usize) -> bool {
        self.text.fits(piece, spare)
    }

    fn push(&mut self, piece: &str) {
        let fits = self.fits(piece, RESERVE);
        self.cut |= !fits;
    }

    /// A table of as many rows as fit, and how many more there are.
    fn rows(&mut self, head: &str, rows: impl ExactSizeIterator<Item = String>) {
        let all = rows.len();
        let mut shown = 0;
        if self.fits(head, RESERVE) {
            shown = rows.take_while(|row| self.fits(row, RESERVE)).count();
        }
        if shown < all {
            let more = format!("\n… and {} more (see {})\n", all - shown, code(&self.whole, NAME));
            // NOTE: within the reserve; a budget too small even for that is told by `finish`.
            let fits = self.fits(&more, RESERVE / 2);
            self.cut |= !fits;
        }
    }

    fn findings(&mut self, view: &View<'_>, options: &Options) {
        if view.findings.is_empty() {
            return;
        }
        self.push(&format!("### Findings ({})\n\n", view.findings.len()));
        let head =
            "| class | attachment | file | cases | baseline → candidate | evidence |\n|---|---|---|---|---|---|\n";
        let groups = view.finding_groups.iter();
        self.rows(head, groups.map(|group| row(class_words(group.kind), group, &waivers(group), options)));
        self.push("\n");
    }

    fn details(&mut self, title: &str, cases: usize, groups: &[CaseGroup<'_>]) {
        let close = "\n</details>\n\n";
        let open = format!("<details>\n<summary>{title} ({cases})</summary>\n\n");
        if groups.is_empty() || !self.fits(&open, 2 * RESERVE) {
            self.cut |= !groups.is_empty();
            return;
        }
        let waived = groups.iter().any(|group| !waivers(group).is_empty());
        let head = if waived {
            "| class | attachment | cases | change | waiver |\n|---|---|---|---|---|\n"
        } else {
            "| class | attachment | cases | change |\n|---|---|---|---|\n"
        };
        // The closing tag must fit whatever happens to the rows.
        self.text.budget -= close.len();
        self.rows(
            head,
            groups.iter().map(|group| {
                let id = cell(group.attachment, NAME);
                let count = group.share().unwrap_or_else(|| group.cases.len().to_string());
                let row = format!("| {} | {id} | {count} | {} |", class_words(group.kind), text(&changes(group)));
                if waived {
                    format!("{row} {} |\n", text(&shorten(&waivers(group).join(" / "), NAME)))
                } else {
                    row + "\n"
                }
            }),
        );
        self.text.budget += close.len();
        self.fits(close, 0);
    }

    fn finish(mut self, verdict: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.cut {
            let note = format!("\nThis comment is cut to its budget; everything is in {}.\n", code(&self.whole, NAME));
            self.fits(&note, 0);
        }
        self.fits(&format!("\n**{}**\n", text(&shorten(verdict, NAME))), 0);
        self.text.write(out)
    }
}

fn row<C: Grouped, K>(kind: &str, group: &Group<'_, C, K>, waivers: &[String], options: &Options) -> String {
    let example = group.example();
    let mut id = cell(group.attachment, NAME);
    if example.id().as_str() != group.attachment {
        id = format!("{id}<br>for example {}", cell(example.id().as_str(), NAME));
    }
    let mut cases = group.share().unwrap_or_else(|| group.cases.len().to_string());
    if let Some(pattern) = &group.pattern {
        cases = format!("{cases}: {}", text(&shorten(pattern, NAME)));
    }
    let (mut answer, mut notes) = (String::new(), String::new());
    if let [(first, count), others @ ..] = &group.answers[..] {
        let sides: Vec<_> = first.sides.iter().map(|(_, words)| text(&shorten(words, NAME))).collect();
        answer = sides.join(" → ");
        if !others.is_empty() {
            answer = format!("{answer} ({count} of {})", group.cases.len());
        }
        notes = cell(&first.evidence.join(" / "), EVIDENCE);
        for (other, count) in others.iter().take(LIST) {
            let also = shorten(&other_answer(other, *count, group.cases.len()), EVIDENCE);
            notes = format!("{notes}<br>also {}", cell(&also, EVIDENCE));
        }
    }
    for (hit, count) in group.rules.iter().take(LIST) {
        let words = cell(&shorten(&rule_words(hit), EVIDENCE), EVIDENCE);
        let cases =
            if *count < group.cases.len() { format!(" ({count} of {})", group.cases.len()) } else { String::new() };
        notes = format!("{notes}<br>rule {words}{cases}");
    }
    if let Some(part) = decided_by(&group.rules, group.cases.len()) {
        notes = format!("{notes}<br>decided by {}", text(&part));
    }
    for waiver in waivers {
        notes = format!("{notes}<br>{}", text(&shorten(waiver, NAME)));
    }
    if let Some(path) = bundle(group, options) {
        let command = format!("bash {}", super::curl::quote(path.as_bytes()));
        notes = format!("{notes}<br>reproduce: {}", cell(&command, NAME * 2));
    }
    format!("| {kind} | {id} | {} | {cases} | {answer} | {notes} |\n", cell(&group.filename(), NAME))
}

/// A code span of what a stranger wrote; empty text gives an empty string, for which there is no code span.
pub(super) fn code(raw: &str, limit: usize) -> String {
    let raw = shorten(&visible(raw), limit);
    if raw.trim().is_empty() {
        return raw.replace(' ', "␠");
    }
    let longest = raw.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A blank at both ends is taken away again; it keeps backticks and blanks at the ends apart from the fence.
    let blank = if raw.starts_with(['`', ' ']) || raw.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{raw}{blank}{fence}")
}

/// A code span in a table's cell: the one place where a pipe needs a backslash inside code.
pub(super) fn cell(raw: &str, limit: usize) -> String {
    code(raw, limit).replace('|', "\\|")
}

/// A sentence, every character of which stands for itself. A zero-width space keeps `@` from mentioning anyone and `#1` from
/// linking to an issue, and addresses from becoming links.
pub(crate) fn text(raw: &str) -> String {
    let raw = visible(raw);
    let mut out = String::with_capacity(raw.len() + 16);
    for (at, c) in raw.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' => out.extend(['\\', c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '!' | '|' | '~' | '$' => out.extend(['\\', c]),
            ':' if raw[at..].starts_with(":/") => out.push_str(":\u{200b}"),
            '.' if ends_with_www(&raw[..at]) => out.push_str("\u{200b}."),
            c => out.push(c),
        }
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_survives_backticks_pipes_and_line_ends() {
        assert_eq!(code("a`b", 20), "``a`b``");
        assert_eq!(code("`a``", 20), "``` `a`` ```");
        assert_eq!(cell("a|b\nc", 20), "`a\\|b\\nc`");
        assert_eq!(code("", 20), "");
    }
}
