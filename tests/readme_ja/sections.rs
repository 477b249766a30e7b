//! A README by its headings: what of each section must be the same in every language.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

/// Blocks that differ between the languages: each has a test of its own.
const APART: [&str; 3] = ["demo", "help", "commands"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What stands under one heading.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) level: usize,
    pub(super) heading: String,
    /// Its paragraphs, list items, quotes, tables and code blocks, in order.
    pub(super) outline: Vec<&'static str>,
    /// The lines of its code blocks, without comments, each with its block's language.
    pub(super) lines: Vec<String>,
    /// Its code spans.
    pub(super) codes: BTreeSet<String>,
    /// Commands, flags and variables, wherever they stand.
    pub(super) names: BTreeSet<String>,
    pub(super) links: BTreeSet<String>,
    /// The rows of its tables.
    pub(super) rows: Vec<Vec<String>>,
    /// Numbers in its sentences.
    pub(super) numbers: BTreeSet<String>,
    /// The text of its paragraphs, items and cells, without code; `\n` for a line's end in the source.
    pub(super) prose: Vec<String>,
    /// Everything that it says, code too.
    text: String,
    /// What is said goes into the last cell of the last row.
    in_cell: bool,
}

/// `text` without what stands between `<!-- name -->` and `<!-- /name -->`.
fn without(text: &str, name: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    match (text.find(&start), text.find(&end)) {
        (Some(from), Some(to)) => format!("{}{}", &text[..from], &text[to + end.len()..]),
        _ => text.to_owned(),
    }
}

/// Reads a README.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let text = APART.iter().fold(text.to_owned(), |text, name| without(&text, name));
    let mut sections: Vec<Section> = Vec::new();
    let mut reader = Reader::default();
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        if let Event::Start(Tag::Heading { level, .. }) = &event {
            sections.push(Section { level: *level as usize, ..Section::default() });
            reader.heading = true;
        }
        if let Some(section) = sections.last_mut() {
            reader.read(event, section);
        }
    }
    let names = Regex::new(r"wafcanary [a-z][a-z-]*|--[a-z][a-z-]*|WAFCANARY_[A-Z_]+").unwrap();
    let numbers = Regex::new(r"\d+(?:[.,:]\d+)*").unwrap();
    for section in &mut sections {
        section.names = names.find_iter(&section.text).map(|found| found.as_str().to_owned()).collect();
        let mut prose = section.prose.join("\n");
        for (at, month) in MONTHS.iter().enumerate() {
            prose = prose.replace(&format!("{month} "), &format!("{} ", at + 1));
        }
        section.numbers = numbers.find_iter(&prose).map(|found| found.as_str().to_owned()).collect();
    }
    sections
}

#[derive(Default)]
struct Reader {
    heading: bool,
    /// The language of the code block.
    code: Option<String>,
    table_head: bool,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, section: &mut Section) {
        match event {
            Event::Start(tag) => self.open(tag, section),
            Event::End(TagEnd::Heading(_)) => self.heading = false,
            Event::End(TagEnd::CodeBlock) => self.code = None,
            Event::End(TagEnd::TableHead) => self.table_head = false,
            Event::End(TagEnd::TableCell) => section.in_cell = false,
            Event::Text(text) if self.heading => section.heading.push_str(&text),
            Event::Text(text) if self.code.is_some() => {
                section.text.push_str(&text);
                let language = self.code.as_deref().unwrap_or_default();
                let lines = text.lines().map(|line| without_comment(line).trim_end().to_owned());
                section.lines.extend(lines.filter(|line| !line.is_empty()).map(|line| format!("{language}: {line}")));
            }
            Event::Text(text) => section.say(&text),
            Event::Html(html) | Event::InlineHtml(html) => {
                let targets = html.split('"').skip(1).step_by(2).filter(|target| target.contains(['/', '.']));
                targets.for_each(|target| section.link(target));
            }
            Event::SoftBreak | Event::HardBreak => section.say("\n"),
            Event::Code(code) => {
                section.text.extend(["`", &code, "`"]);
                // A code span stands for a noun: it keeps the words around it apart.
                if let Some(prose) = section.prose.last_mut() {
                    prose.push('`');
                }
                section.fill(&code);
                section.codes.insert(code.into_string());
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>, section: &mut Section) {
        match tag {
            Tag::CodeBlock(kind) => {
                self.code = Some(match kind {
                    CodeBlockKind::Fenced(language) => language.into_string(),
                    CodeBlockKind::Indented => String::new(),
                });
                section.outline.push("code");
            }
            Tag::Paragraph => section.block("paragraph"),
            Tag::Item => section.block("item"),
            Tag::BlockQuote(_) => section.outline.push("quote"),
            Tag::Table(_) => section.outline.push("table"),
            Tag::TableHead => self.table_head = true,
            Tag::TableRow => section.rows.push(Vec::new()),
            Tag::TableCell => {
                section.prose.push(String::new());
                if !self.table_head
                    && let Some(row) = section.rows.last_mut()
                {
                    row.push(String::new());
                    section.in_cell = true;
                }
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => section.link(&dest_url),
            _ => {}
        }
    }
}

impl Section {
    fn block(&mut self, kind: &'static str) {
        self.outline.push(kind);
        self.prose.push(String::new());
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        if let Some(prose) = self.prose.last_mut() {
            prose.push_str(text);
        }
        self.fill(text);
    }

    fn link(&mut self, target: &str) {
        // A picture of the report is one in the reader's language.
        self.links.insert(target.replace("-ja.", "-en."));
    }

    fn fill(&mut self, text: &str) {
        if self.in_cell
            && let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut())
        {
            cell.push_str(text);
        }
    }
}

/// A line of a shell or of TOML without the comment at its end.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before == ' ' => return &line[..at],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line
}

/// What differs between two READMEs, each difference in one sentence that names what, where, and in which file.
pub(super) fn differences([english, japanese]: [&str; 2]) -> Vec<String> {
    let (ours, theirs) = (sections(english), sections(japanese));
    let (pairs, mut told) = pair(&ours, &theirs);
    for (ours, theirs) in pairs {
        told.extend(ours.against(theirs));
    }
    told
}

/// The sections that stand for each other, and those that stand alone.
fn pair<'a>(ours: &'a [Section], theirs: &'a [Section]) -> (Vec<(&'a Section, &'a Section)>, Vec<String>) {
    if ours.len() == theirs.len() {
        return (ours.iter().zip(theirs).collect(), Vec::new());
    }
    let (mut pairs, mut alone, mut next) = (Vec::new(), Vec::new(), 0);
    let lacks = |file: &str, other: &str, section: &Section, before: Option<&Section>| {
        let after = before.map_or(String::new(), |before| format!(", after `{}`", before.title()));
        format!("{file} has no section for `{}` of {other}{after}", section.title())
    };
    for section in ours {
        match theirs[next..].iter().position(|other| section.is_like(other)) {
            Some(skipped) => {
                for extra in &theirs[next..next + skipped] {
                    alone.push(lacks("README.md", "README.ja.md", extra, pairs.last().map(|(ours, _)| *ours)));
                }
                next += skipped + 1;
                pairs.push((section, &theirs[next - 1]));
            }
            None => alone.push(lacks("README.ja.md", "README.md", section, pairs.last().map(|(_, theirs)| *theirs))),
        }
    }
    for extra in &theirs[next..] {
        alone.push(lacks("README.md", "README.ja.md", extra, pairs.last().map(|(ours, _)| *ours)));
    }
    (pairs, alone)
}

impl Section {
    fn title(&self) -> String {
        format!("{} {}", "#".repeat(self.level), self.heading)
    }

    fn facts(&self) -> BTreeSet<&String> {
        self.lines.iter().chain(&self.codes).chain(&self.links).chain(&self.numbers).collect()
    }

    /// Whether two sections of different languages are about the same thing.
    fn is_like(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.facts(), other.facts());
        self.level == other.level && ours.intersection(&theirs).count() * 2 >= ours.union(&theirs).count()
    }

    fn against(&self, other: &Self) -> Vec<String> {
        let mut told = Vec::new();
        let place = format!("under `{}` / `{}`", self.title(), other.title());
        let mut alone = |what: &str, ours: BTreeSet<&String>, theirs: BTreeSet<&String>| {
            for fact in ours.difference(&theirs) {
                told.push(format!("README.ja.md lacks {what} `{fact}` {place}"));
            }
            for fact in theirs.difference(&ours) {
                told.push(format!("README.md lacks {what} `{fact}` {place}"));
            }
        };
        alone("the line", self.lines.iter().collect(), other.lines.iter().collect());
        alone("the code span", self.codes.iter().collect(), other.codes.iter().collect());
        alone("the name", self.names.iter().collect(), other.names.iter().collect());
        alone("the link to", self.foreign_links(), other.foreign_links());
        alone("the number", self.numbers.iter().collect(), other.numbers.iter().collect());
        let firsts = |section: &Self| section.rows.iter().filter_map(|row| row.first().cloned()).collect::<Vec<_>>();
        let (ours, theirs) = (firsts(self), firsts(other));
        alone("the row", ours.iter().collect(), theirs.iter().collect());
        if told.is_empty() {
            let mut order = |what: &str, same: bool, ours: String, theirs: String| {
                if !same {
                    told.push(format!("{what} differ {place}: README.md has {ours}, README.ja.md {theirs}"));
                }
            };
            let (level, other_level) = (self.level.to_string(), other.level.to_string());
            order("the levels of the headings", self.level == other.level, level, other_level);
            let words = |lines: &[String]| format!("{lines:?}");
            order("the lines", self.lines == other.lines, words(&self.lines), words(&other.lines));
            order("the rows", ours == theirs, words(&ours), words(&theirs));
            let outline = |section: &Self| section.outline.join(", ");
            order("the parts", self.outline == other.outline, outline(self), outline(other));
        }
        told
    }

    /// Links but those from one language to the other.
    fn foreign_links(&self) -> BTreeSet<&String> {
        self.links.iter().filter(|link| !link.starts_with("README.")).collect()
    }
}
