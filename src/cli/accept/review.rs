//! Finding by finding, at a terminal.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;

use super::super::compare::repros;
use super::super::console::Console;
use super::super::regressions::EXPLANATIONS;
use super::input::{Input, Typed, plain};
use super::store::Change;
use super::{AcceptArgs, Subject, bounded, show};
use crate::compare::accept::sound;
use crate::compare::waiver::{Pattern, Waiver, Waivers, waivable};
use crate::compare::{Acceptance, Class, ComparedCase, Comparison, Finding};
use crate::corpus::{CaseId, Intent};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::explain::{Explanation, Explanations};
use crate::report::review::{Item, items, render_item, render_lines};
use crate::report::text::{plural, visible};
use crate::report::{Options, sentence};

/// Days that are offered.
const DAYS: [i64; 2] = [30, 90];

/// The way back from a question to the choice.
const BACK: &str = "-";

/// What became of an item.
enum Decision {
    /// Its waivers are in the file.
    Waived(Change),
    /// It goes on counting.
    Kept,
    /// Nothing yet.
    Skipped,
    /// A waiver that was written for another item covers it as well.
    Covered,
}

/// What a choice leads to.
enum Next {
    Decided(Decision),
    Back,
    Again,
    Quit,
    Interrupted,
}

/// What was said last: the next finding often has the same owner and reason.
struct Last {
    owner: Option<String>,
    reason: Option<String>,
    expires: Option<Date>,
}

struct Review<'a> {
    subject: &'a Subject,
    console: &'a Console,
    options: Options,
    input: Input,
    last: Last,
}

pub(super) fn review(args: &AcceptArgs, mut subject: Subject, console: &Console) -> Result<ExitCode> {
    if let Some(expires) = args.expires {
        bounded(expires, subject.today)?;
    }
    for text in [&args.owner, &args.reason].into_iter().flatten() {
        sound(text)?;
    }
    let waivers = subject.store.waivers()?;
    let gone = retold(&mut subject.comparison, &waivers, subject.today);
    let triggers = triggers(&subject)?;
    let waived = items(&subject.comparison, &triggers, |case| matches!(case.finding, Finding::Waived { .. }));
    let mut all = items(&subject.comparison, &triggers, is_open);
    let open = all.len();
    let options = Options {
        width: Console::width(),
        colour: console.colour(),
        repros: repros(&subject.comparison, &subject.dir),
        ..Options::default()
    };
    let told = if waivers.is_empty() { "none in it yet".to_owned() } else { format!("{} in it", waivers.len()) };
    console.out(&format!("waivers: {} ({told})\n", visible(&subject.store.path().display().to_string())))?;
    if gone > 0 {
        console.out(&format!(
            "{} when the comparison was made, and no waiver covers {} now\n",
            plural(gone, "finding was waived", "findings were waived"),
            if gone == 1 { "it" } else { "them" }
        ))?;
    }
    if !waived.is_empty() && !args.renew {
        for item in &waived {
            console.out(&format!("waived already: {}\n", visible(&item.name())))?;
        }
        console.out("`--renew` goes through these as well\n")?;
    }
    if args.renew {
        all.extend(waived);
    }
    if all.is_empty() {
        console.out("no finding is left to decide on\n")?;
        return Ok(ExitCode::Passed);
    }
    let last = Last { owner: args.owner.clone(), reason: args.reason.clone(), expires: args.expires };
    let mut review = Review { subject: &subject, console, options, input: Input::new()?, last };
    let (decisions, interrupted) = review.all(&all)?;
    let left = review.sum_up(&all, open, &decisions)?;
    Ok(match (interrupted, left) {
        (true, _) => ExitCode::Interrupted,
        (false, 0) => ExitCode::Passed,
        (false, _) => ExitCode::Inconclusive,
    })
}

fn is_open(case: &ComparedCase) -> bool {
    matches!(case.finding, Finding::Open | Finding::Expired { .. })
}

/// Tells the findings by the waivers as they are now. How many cases are open that were waived.
fn retold(comparison: &mut Comparison, waivers: &Waivers, today: Date) -> usize {
    let findings = |case: &ComparedCase| case.finding != Finding::None;
    let is_waived = |case: &ComparedCase| matches!(case.finding, Finding::Waived { .. });
    let before: Vec<bool> = comparison.cases.iter().map(is_waived).collect();
    let counted: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| comparison.cases.iter().any(|case| case.class == *class && findings(case)))
        .collect();
    waivers.apply(&mut comparison.cases, |class| counted.contains(&class), today);
    comparison.cases.iter().zip(before).filter(|(case, before)| *before && is_open(case)).count()
}

/// What `explain` is sure of, by case.
fn triggers(subject: &Subject) -> Result<BTreeMap<CaseId, String>> {
    let stored = Explanations::read(&subject.dir.join(EXPLANATIONS))?;
    let all = stored.into_iter().flat_map(|document| document.explanations);
    Ok(all.filter(Explanation::is_sure).map(|it| (it.case.clone(), sentence(&it))).collect())
}

impl Review<'_> {
    /// Goes through all of it. `true`: it was interrupted.
    fn all(&mut self, items: &[Item<'_>]) -> Result<(Vec<Option<Decision>>, bool)> {
        let mut decisions: Vec<Option<Decision>> = Vec::new();
        while let Some(item) = items.get(decisions.len()) {
            match self.one(item, decisions.len() + 1, items.len())? {
                Next::Decided(decision) => decisions.push(Some(decision)),
                Next::Back => self.back(items, &mut decisions)?,
                Next::Again => {}
                Next::Quit => return Ok((decisions, false)),
                Next::Interrupted => return Ok((decisions, true)),
            }
        }
        Ok((decisions, false))
    }

    /// Shows an item and asks until something comes of it.
    fn one(&mut self, item: &Item<'_>, number: usize, of: usize) -> Result<Next> {
        let waivers = self.subject.store.waivers()?;
        let today = self.subject.today;
        let covered = |case: &ComparedCase| waivers.covering(case, today).is_some_and(|it| it.expires >= today);
        if item.cases().all(|case| is_open(case) && covered(case)) {
            self.say(&format!("\n{number} of {of}: {}: covered by what was waived before", item.name()))?;
            return Ok(Next::Decided(Decision::Covered));
        }
        let old = item.cases().find_map(|case| waivers.covering(case, today));
        self.say(&format!("\n{number} of {of}"))?;
        self.console.render(|out| render_item(item, &self.options, out))?;
        if let Some(old) = old {
            self.say(&format!("    in file   {}", told(old)))?;
        }
        let barred = item.cases().find_map(|case| waivable(item.class, &Pattern::exact(case)).err());
        if let Some(error) = &barred {
            self.say(&format!("    it cannot be waived: {}", error.title()))?;
            if let Some(help) = error.help_text() {
                self.say(&format!("    help: {help}"))?;
            }
        }
        let files = whole_files(item);
        loop {
            let prompt = prompt(item, barred.is_none(), files.is_some(), old.is_some());
            let line = match self.input.line(&prompt, self.console)? {
                Typed::Line(line) => plain(&line),
                Typed::End => return Ok(Next::Quit),
                Typed::Interrupted => return Ok(Next::Interrupted),
            };
            let patterns = match (line.as_str(), &files, old) {
                ("k" | "keep", _, _) => return Ok(Next::Decided(Decision::Kept)),
                ("s" | "skip", _, _) => return Ok(Next::Decided(Decision::Skipped)),
                ("b" | "back" | "u" | "undo", _, _) => return Ok(Next::Back),
                ("q" | "quit", _, _) => return Ok(Next::Quit),
                ("r" | "request", _, _) => {
                    let (heading, lines) = show::request(&self.subject.dir, item.cases());
                    self.lines(&heading, &lines)?;
                    continue;
                }
                ("a" | "answer", _, _) => {
                    self.answer(item)?;
                    continue;
                }
                ("w" | "waive", _, _) if barred.is_none() => item.cases().map(Pattern::exact).collect(),
                ("f" | "file" | "files", Some(files), _) if barred.is_none() => files.clone(),
                ("n" | "renew", _, Some(old)) => vec![old.pattern.as_str().to_owned()],
                _ => {
                    self.say(&help(barred.is_none(), files.is_some(), old.is_some()))?;
                    continue;
                }
            };
            match self.waive(item, patterns, old)? {
                Next::Again => {}
                next => return Ok(next),
            }
        }
    }

    fn answer(&mut self, item: &Item<'_>) -> Result<()> {
        let Some(case) = item.cases().next() else { return Ok(()) };
        match show::answer(&self.subject.dir, self.subject.kept.as_ref(), case) {
            Ok((heading, lines)) => self.lines(&heading, &lines),
            Err(error) => {
                self.console.error(&error);
                Ok(())
            }
        }
    }

    /// Asks who answers for it, why and how long, and writes it.
    fn waive(&mut self, item: &Item<'_>, patterns: Vec<String>, old: Option<&Waiver>) -> Result<Next> {
        // What is renewed was said by somebody; otherwise it is as the last time.
        let before = |last: &Option<String>, old: Option<String>| last.clone().or(old);
        let owner = before(&self.last.owner, old.map(|old| old.owner.to_string()));
        let reason = old.map(|old| old.reason.to_string()).or_else(|| self.last.reason.clone());
        let owner = match self.text("owner", owner.as_deref())? {
            Ok(owner) => owner,
            Err(next) => return Ok(next),
        };
        let reason = match self.text("reason", reason.as_deref())? {
            Ok(reason) => reason,
            Err(next) => return Ok(next),
        };
        let expires = match self.day()? {
            Ok(expires) => expires,
            Err(next) => return Ok(next),
        };
        for control in controls(item) {
            if let Some(next) = self.confirm(control)? {
                return Ok(next);
            }
        }
        let accepted: Vec<Acceptance> = patterns
            .into_iter()
            .map(|case| Acceptance { case, class: item.class, owner: owner.clone(), reason: reason.clone(), expires })
            .collect();
        let waiting = || self.console.note("waiting for another `wafcanary accept`");
        let change = match self.subject.store.write(&accepted, waiting) {
            Ok(change) => change,
            // What is wrong with the file can be mended while this waits.
            Err(error) => {
                self.console.error(&error);
                return Ok(Next::Again);
            }
        };
        let path = visible(&self.subject.store.path().display().to_string());
        let count = plural(accepted.len(), "waiver", "waivers");
        self.say(&format!("    written   {count} until {expires}, in {path}"))?;
        let renewed =
            old.filter(|old| accepted.iter().any(|one| (&*one.case, one.class) == (old.pattern.as_str(), old.class)));
        if let Some(link) = renewed.and_then(|old| old.link.as_deref()) {
            self.say(&format!("    its link stays: {link}"))?;
        }
        self.last = Last { owner: Some(owner), reason: Some(reason), expires: Some(expires) };
        Ok(Next::Decided(Decision::Waived(change)))
    }

    /// Asks for a text; an empty line is the one in brackets.
    fn text(&mut self, what: &str, default: Option<&str>) -> Result<std::result::Result<String, Next>> {
        let offered = default.map(|default| format!(" [{}]", visible(default))).unwrap_or_default();
        loop {
            let line = match self.input.line(&format!("    {what}{offered}: "), self.console)? {
                Typed::Line(line) => line,
                Typed::End => return Ok(Err(Next::Quit)),
                Typed::Interrupted => return Ok(Err(Next::Interrupted)),
            };
            match (line.as_str(), default) {
                (BACK, _) => return Ok(Err(Next::Again)),
                ("", Some(default)) => return Ok(Ok(default.to_owned())),
                _ => {}
            }
            match sound(&line) {
                Ok(()) => return Ok(Ok(line)),
                Err(error) => {
                    let help = error.help_text().unwrap_or_default();
                    self.say(&format!("    {}: {help}; `{BACK}` goes back", error.title()))?;
                }
            }
        }
    }

    /// Asks for the last day: a day, or a number of days from today.
    fn day(&mut self) -> Result<std::result::Result<Date, Next>> {
        let today = self.subject.today;
        let offered = DAYS.map(|days| format!("{days} = {}", in_days(today, days).unwrap_or(today)));
        let default = self.last.expires.or_else(|| in_days(today, DAYS[0])).unwrap_or(today);
        let prompt = format!("    last day, or so many days ({}) [{default}]: ", offered.join(", "));
        loop {
            let line = match self.input.line(&prompt, self.console)? {
                Typed::Line(line) => plain(&line).replace('/', "-"),
                Typed::End => return Ok(Err(Next::Quit)),
                Typed::Interrupted => return Ok(Err(Next::Interrupted)),
            };
            let day = match line.as_str() {
                BACK => return Ok(Err(Next::Again)),
                "" => Some(default),
                text => match text.trim_end_matches(['d', '日']).parse::<i64>() {
                    Ok(days) => in_days(today, days),
                    Err(_) => text.parse().ok(),
                },
            };
            match day.map(|day| bounded(day, today).map(|()| day)) {
                Some(Ok(day)) => return Ok(Ok(day)),
                Some(Err(error)) => self.say(&format!("    {}", error.title().replace(" (key `--expires`)", "")))?,
                None => self.say("    write a day as 2027-03-31, or a number of days; `-` goes back")?,
            }
        }
    }

    /// Has the id of a control typed. `None`: it was.
    fn confirm(&mut self, control: &str) -> Result<Option<Next>> {
        let name = visible(control);
        self.say(&format!(
            "    `{name}` must be blocked, and a waiver lets it in. Type its id to accept that; anything else goes back."
        ))?;
        match self.input.line("    id: ", self.console)? {
            Typed::Line(line) if line == control || line == name => Ok(None),
            Typed::Line(_) => {
                self.say("    not accepted: that is not its id")?;
                Ok(Some(Next::Again))
            }
            Typed::End => Ok(Some(Next::Quit)),
            Typed::Interrupted => Ok(Some(Next::Interrupted)),
        }
    }

    /// Goes to the item before, and takes back what was written for it.
    fn back(&mut self, items: &[Item<'_>], decisions: &mut Vec<Option<Decision>>) -> Result<()> {
        // What is covered by another was not decided by anybody.
        while matches!(decisions.last(), Some(Some(Decision::Covered))) {
            decisions.pop();
        }
        let Some(decision) = decisions.pop() else { return self.say("    this is the first one") };
        let name = items.get(decisions.len()).map(Item::name).unwrap_or_default();
        let Some(Decision::Waived(change)) = decision else { return self.say(&format!("    back to {name}")) };
        let waiting = || self.console.note("waiting for another `wafcanary accept`");
        if self.subject.store.undo(&change, waiting)? {
            return self.say(&format!("    taken back: the waivers of {name}"));
        }
        self.say("    the waivers file was changed since: take the entry out of it yourself")?;
        decisions.push(Some(Decision::Waived(change)));
        Ok(())
    }

    /// Says what came of it. How many findings are left undecided.
    fn sum_up(&mut self, items: &[Item<'_>], open: usize, decisions: &[Option<Decision>]) -> Result<usize> {
        let (mut waived, mut kept, mut left) = (0, 0, 0);
        for (at, item) in items.iter().enumerate() {
            let cases = item.cases().count();
            match decisions.get(at).and_then(Option::as_ref) {
                Some(Decision::Waived(_) | Decision::Covered) => waived += cases,
                Some(Decision::Kept) => kept += cases,
                // A waiver that is not renewed goes on as it is.
                Some(Decision::Skipped) | None => left += if at < open { cases } else { 0 },
            }
        }
        self.say(&format!("\n{} waived, {kept} kept, {left} left undecided", plural(waived, "finding", "findings")))?;
        if waived > 0 {
            let file = visible(&self.subject.store.path().display().to_string());
            self.say(&format!(
                "the gate takes them from {file}: `wafcanary compare … --waivers {file}`, or `waivers` in wafcanary.toml"
            ))?;
        }
        Ok(left)
    }

    fn say(&self, text: &str) -> Result<()> {
        let text: Vec<String> = text.split('\n').map(visible).collect();
        self.console.out(&format!("{}\n", text.join("\n")))
    }

    fn lines(&self, heading: &str, lines: &[String]) -> Result<()> {
        self.console.render(|out| render_lines(heading, lines, &self.options, out))?;
        self.console.out("\n")
    }
}

fn in_days(today: Date, days: i64) -> Option<Date> {
    let span = Span::new().try_days(days).ok()?;
    today.checked_add(span).ok()
}

/// The controls among the cases, each once.
fn controls<'a>(item: &Item<'a>) -> Vec<&'a str> {
    let controls = item.cases().filter(|case| case.intent == Intent::Control);
    controls.map(|case| case.id.as_str()).collect()
}

/// Patterns for whole attachments, where each of their cases went this way and there are several.
fn whole_files(item: &Item<'_>) -> Option<Vec<String>> {
    let legit = item.cases().all(|case| case.intent == Intent::Legit);
    let whole = item.attachments().all(|(_, cases, of)| cases == of);
    let patterns: Vec<String> = item.attachments().flat_map(|(id, _, _)| Pattern::attachment(id)).collect();
    let used = |text: &String| Pattern::parse(text).is_ok_and(|it| item.cases().any(|case| it.covers(case)));
    let patterns: Vec<String> = patterns.into_iter().filter(used).collect();
    (legit && whole && item.cases().count() > item.attachments().count()).then_some(patterns)
}

fn told(waiver: &Waiver) -> String {
    let Waiver { pattern, owner, reason, expires, link, line, .. } = waiver;
    let link = link.as_deref().map(|link| format!(" ({link})")).unwrap_or_default();
    format!("line {line}: `{}` until {expires} by {owner}: {reason}{link}", pattern.as_str())
}

fn prompt(item: &Item<'_>, waivable: bool, files: bool, old: bool) -> String {
    let cases = item.cases().count();
    let mut choices = Vec::new();
    if waivable {
        choices.push(if cases > 1 { format!("[w]aive these {cases} cases") } else { "[w]aive".to_owned() });
        if files {
            let files = if item.attachments().count() > 1 { "[f]iles" } else { "[f]ile" };
            choices.push(format!("waive the {files} in all variants"));
        }
    }
    if old {
        choices.push("re[n]ew".to_owned());
    }
    choices.extend(["[k]eep", "[s]kip", "[r]equest", "[a]nswer", "[b]ack", "[q]uit"].map(str::to_owned));
    format!("\n{} > ", choices.join(" · "))
}

fn help(waivable: bool, files: bool, old: bool) -> String {
    let mut lines = Vec::new();
    if waivable {
        lines.push("    w  waive these cases and no others: asks for owner, reason and last day, and writes at once");
        if files {
            lines.push(
                "    f  waive the files whatever their names, types and clients, also what was not sent this time",
            );
        }
    }
    if old {
        lines.push("    n  renew the waiver that is in the file, in its place");
    }
    lines.extend([
        "    k  keep: it goes on counting against the gate",
        "    s  skip: decide later",
        "    r  show the request · a  show the answer",
        "    b  back to the one before; what was written for it is taken back",
        "    q  quit; what was decided is written",
    ]);
    lines.join("\n")
}
