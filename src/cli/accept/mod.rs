//! `wafcanary accept`: findings taken into the waivers file, one after the other.

mod input;
mod review;
mod show;
mod store;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;

use super::compare::CompareArgs;
use super::console::Console;
use super::matrix::MATRIX;
use super::session::{self, COMPARISON};
use super::settings::Settings;
use crate::compare::waiver::{Pattern, Waivers};
use crate::compare::{Acceptance, Class, ComparedCase, Comparison, Finding};
use crate::corpus::Intent;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::text::{plural, visible};
use store::Store;

/// Goes through the findings of a stored comparison, gravest first: what happened, then what becomes of it. What is waived
/// goes into the waivers file at once, with owner, reason and last day; comments and order of the file are kept. Nothing is
/// sent, and the comparison stays as it is. Exits 0 when all is decided or written, 3 when findings are left undecided.
///
/// Without a terminal, `--case`, `--owner`, `--reason` and `--expires` say it all. With `CI` set it never writes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary accept wafcanary-out/20261123T010203Z-compare
  wafcanary accept runs/next --waivers waivers.toml --owner 'forms team'
  wafcanary accept runs/next --case 'xlsm/**' --owner 'forms team' --reason 'by e-mail until the fix' --expires 2027-03-31
  wafcanary accept runs/next --case control/eicar-pdf --class protection_lost --owner 'forms team' --reason 'scanned behind the edge' --expires 2027-03-31 --dry-run")]
pub(crate) struct AcceptArgs {
    /// Folder of a comparison
    #[arg(value_name = "COMPARISON")]
    comparison: PathBuf,
    /// File of accepted findings; made where it does not exist [default: that of wafcanary.toml, else the one that the
    /// comparison was made with, else waivers.toml]
    #[arg(long, env = "WAFCANARY_WAIVERS", value_name = "FILE")]
    waivers: Option<PathBuf>,
    /// Ask nothing, and waive the findings whose id matches the glob, in which `*` stops at `/` and `**` does not; controls by
    /// their exact id only. The glob is what is written. Repeatable
    #[arg(long = "case", env = "WAFCANARY_CASE", value_name = "GLOB")]
    cases: Vec<String>,
    /// With `--case`: only findings of this class; needed for controls. Repeatable
    #[arg(long = "class", env = "WAFCANARY_CLASS", value_name = "CLASS", value_delimiter = ',', value_parser = parse_class)]
    classes: Vec<Class>,
    /// Who answers for it
    #[arg(long, env = "WAFCANARY_OWNER", value_name = "NAME")]
    owner: Option<String>,
    /// Why it is accepted
    #[arg(long, env = "WAFCANARY_REASON", value_name = "TEXT")]
    reason: Option<String>,
    /// The last day on which it holds: two years from now at most
    #[arg(long, env = "WAFCANARY_EXPIRES", value_name = "YYYY-MM-DD", value_parser = parse_day)]
    expires: Option<Date>,
    /// Go through the findings that a waiver covers as well, to renew it
    #[arg(long, env = "WAFCANARY_RENEW", value_parser = clap::builder::BoolishValueParser::new())]
    renew: bool,
    /// With `--case`: print the waivers that would be written, and write nothing
    #[arg(long, env = "WAFCANARY_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    dry_run: bool,
    /// With `--case`: one JSON document instead of text
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

fn parse_class(name: &str) -> std::result::Result<Class, String> {
    Class::ALL.into_iter().find(|class| class.as_str() == name).ok_or_else(|| {
        let names = Class::ALL.map(Class::as_str).join(", ");
        format!("known classes: {names}")
    })
}

fn parse_day(text: &str) -> std::result::Result<Date, String> {
    text.parse().map_err(|_| "write a day as 2027-03-31".to_owned())
}

/// A stored comparison, and where its waivers go.
struct Subject {
    dir: PathBuf,
    comparison: Comparison,
    kept: Option<CompareArgs>,
    store: Store,
    today: Date,
}

pub(crate) fn accept(args: &AcceptArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let dry_run = args.dry_run && !args.cases.is_empty();
    if is_ci() && !dry_run {
        return Err(Error::usage("`CI` is set, and a pipeline accepts nothing by itself: nothing was written").help(
            "call this where people review, and commit the waivers file; `--case … --dry-run` shows what it would write",
        ));
    }
    let dir = folder_of(&args.comparison)?;
    // Before anything is read: what is missing is not in the comparison.
    let asked = if args.cases.is_empty() { None } else { Some(said(args)?) };
    if asked.is_none() {
        refuse_without_terminal(args)?;
    }
    let comparison = Comparison::read(&dir.join(COMPARISON))?;
    let kept: Option<CompareArgs> = session::kept_options(dir).ok();
    let waivers = args.waivers.clone().or_else(|| settings.waivers.clone());
    let waivers = waivers.or_else(|| kept.as_ref().and_then(|kept| kept.waivers.clone()));
    let subject = Subject {
        dir: dir.to_path_buf(),
        comparison,
        kept,
        store: Store::new(waivers.unwrap_or_else(|| PathBuf::from("waivers.toml"))),
        today: jiff::ZonedDateTime::now().date(),
    };
    match asked {
        Some(said) => by_flags(args, &said, &subject, console),
        None => review::review(args, subject, console),
    }
}

/// The folder of the comparison that is meant.
fn folder_of(path: &Path) -> Result<&Path> {
    let dir = if path.is_file() { path.parent().unwrap_or(Path::new("")) } else { path };
    if dir.join(COMPARISON).is_file() {
        return Ok(dir);
    }
    let help = if session::is_stored_run(dir) {
        "this is a run: let `wafcanary compare --candidate RUN` compare it with another one, and give the folder that it writes"
    } else if dir.join(MATRIX).is_file() {
        "this is a matrix, and it has no gate: let `wafcanary compare` compare two of its edges, and give the folder that it writes"
    } else {
        "give the folder that `wafcanary compare` wrote"
    };
    Err(Error::usage("there is no comparison here").file(path).help(help))
}

/// Whether this is a pipeline's run, as the services say it.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

fn refuse_without_terminal(args: &AcceptArgs) -> Result<()> {
    let only = [("--class", !args.classes.is_empty()), ("--dry-run", args.dry_run), ("--json", args.json)];
    if let Some((flag, _)) = only.into_iter().find(|(_, given)| *given) {
        let error = Error::usage(format!("`{flag}` goes with `--case`")).key(flag);
        return Err(error.help("say which findings with `--case GLOB`, or leave it out to go through them one by one"));
    }
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Error::usage("there is no terminal to ask at").help(
        "say it all: `--case GLOB --owner NAME --reason TEXT --expires YYYY-MM-DD`; `--dry-run` shows what would be written",
    ))
}

/// What the flags say of every finding that they match.
struct Said {
    owner: String,
    reason: String,
    expires: Date,
}

fn said(args: &AcceptArgs) -> Result<Said> {
    let (Some(owner), Some(reason), Some(expires)) = (&args.owner, &args.reason, args.expires) else {
        let given = [
            ("--owner NAME", args.owner.is_some()),
            ("--reason TEXT", args.reason.is_some()),
            ("--expires YYYY-MM-DD", args.expires.is_some()),
        ];
        let missing: Vec<&str> = given.into_iter().filter(|(_, given)| !given).map(|(flag, _)| flag).collect();
        let error = Error::usage("`--case` asks nothing, so that owner, reason and last day are to be given");
        return Err(error.key("--case").help(format!("add `{}`", missing.join(" "))));
    };
    Ok(Said { owner: owner.trim().to_owned(), reason: reason.trim().to_owned(), expires })
}

/// Years for which a finding is accepted at most.
const YEARS: i16 = 2;

/// Refuses a day on which nothing would be waived, and one that nobody would live to see: a waiver that never ends is none.
fn bounded(expires: Date, today: Date) -> Result<()> {
    let latest = today.saturating_add(Span::new().years(YEARS));
    let (wrong, wanted) = match () {
        () if expires <= today => ("is not in the future".to_owned(), format!("today is {today}: name a later day")),
        () if expires > latest => (format!("is more than {YEARS} years ahead"), format!("name a day until {latest}")),
        () => return Ok(()),
    };
    let error = Error::usage(format!("{expires} {wrong}")).key("--expires");
    Err(error.help(format!("{wanted}, on which somebody will look at it again")))
}

impl Subject {
    /// What the gate counted, or a waiver kept it from counting.
    fn findings(&self) -> impl Iterator<Item = &ComparedCase> {
        self.comparison.cases.iter().filter(|case| case.finding != Finding::None)
    }

    /// The findings that these waivers leave open.
    fn open(&self, waivers: &Waivers) -> usize {
        let holds = |case: &ComparedCase| waivers.covering(case, self.today).is_some_and(|it| it.expires >= self.today);
        self.findings().filter(|case| !holds(case)).count()
    }
}

/// What was written, for machines.
#[derive(Serialize)]
struct Document<'a> {
    waivers: String,
    dry_run: bool,
    written: Vec<Written<'a>>,
    findings_left: usize,
}

#[derive(Serialize)]
struct Written<'a> {
    case: &'a str,
    class: Class,
    owner: &'a str,
    reason: &'a str,
    expires: String,
    /// Findings of the comparison that it covers.
    findings: usize,
    /// The day until which an earlier waiver for the same was written.
    renews: Option<String>,
    /// Where the earlier one was agreed: it stays beside the new reason.
    link: Option<&'a str>,
}

fn by_flags(args: &AcceptArgs, said: &Said, subject: &Subject, console: &Console) -> Result<ExitCode> {
    bounded(said.expires, subject.today)?;
    let mut accepted: Vec<(Acceptance, usize)> = Vec::new();
    for glob in &args.cases {
        for (class, findings) in matched(glob, args, subject, console)? {
            let (owner, reason) = (said.owner.clone(), said.reason.clone());
            let one = Acceptance { case: glob.clone(), class, owner, reason, expires: said.expires };
            if !accepted.iter().any(|(known, _)| *known == one) {
                accepted.push((one, findings));
            }
        }
    }
    let waivers: Vec<Acceptance> = accepted.iter().map(|(one, _)| one.clone()).collect();
    let change = if args.dry_run {
        subject.store.plan(&waivers)?
    } else {
        subject.store.write(&waivers, || console.note("waiting for another `wafcanary accept`"))?
    };
    let before = Waivers::parse(change.before.as_deref().unwrap_or_default(), subject.store.path())?;
    let after = Waivers::parse(&change.after, subject.store.path())?;
    let written: Vec<Written<'_>> = accepted
        .iter()
        .map(|(one, findings)| {
            let renewed = before.of(&one.case, one.class);
            Written {
                case: &one.case,
                class: one.class,
                owner: &one.owner,
                reason: &one.reason,
                expires: one.expires.to_string(),
                findings: *findings,
                renews: renewed.map(|waiver| waiver.expires.to_string()),
                link: renewed.and_then(|waiver| waiver.link.as_deref()),
            }
        })
        .collect();
    let left = subject.open(&after);
    let path = subject.store.path().display().to_string();
    if args.json {
        let document = Document { waivers: path, dry_run: args.dry_run, written, findings_left: left };
        return Console::json(&document).map(|()| ExitCode::Passed);
    }
    let blocks: Vec<String> = waivers.iter().map(Acceptance::to_toml).collect();
    console.out(&blocks.join("\n"))?;
    for one in &written {
        let findings = plural(one.findings, "finding", "findings");
        let renewed = one.renews.as_ref().map(|until| format!(", renewed: it was until {until}")).unwrap_or_default();
        let link = one.link.map(|link| format!("; its link stays: {}", visible(link))).unwrap_or_default();
        console.note(&format!("`{}` for `{}`: {findings}{renewed}{link}", visible(one.case), one.class.as_str()));
    }
    let (did, count) = (if args.dry_run { "would write" } else { "wrote" }, plural(written.len(), "waiver", "waivers"));
    console.note(&format!("{}: {did} {count}; {} left", visible(&path), plural(left, "finding is", "findings are")));
    Ok(ExitCode::Passed)
}

/// The classes of the findings that a glob of `--case` is for, and how many there are of each.
fn matched(glob: &str, args: &AcceptArgs, subject: &Subject, console: &Console) -> Result<Vec<(Class, usize)>> {
    let pattern = Pattern::parse(glob).map_err(|error| error.key("--case"))?;
    let wanted = |class: Class| args.classes.is_empty() || args.classes.contains(&class);
    let cases: Vec<&ComparedCase> =
        subject.findings().filter(|case| wanted(case.class) && pattern.covers(case)).collect();
    if let Some(control) = cases.iter().find(|case| case.intent == Intent::Control && args.classes.is_empty()) {
        let class = control.class.as_str();
        let error = Error::usage(format!("`{}` is a control: it must be blocked", control.id)).key("--case");
        return Err(error.help(format!("if it is really to be accepted, add `--class {class}`")));
    }
    let mut counted: Vec<(Class, usize)> = Vec::new();
    for class in Class::ALL {
        let count = cases.iter().filter(|case| case.class == class).count();
        if count > 0 {
            counted.push((class, count));
        }
    }
    let refused = counted.iter().find_map(|(class, _)| crate::compare::waiver::waivable(*class, glob).err());
    let whole = counted.len();
    counted.retain(|(class, _)| crate::compare::waiver::waivable(*class, glob).is_ok());
    match refused {
        Some(error) if counted.is_empty() => return Err(error.key("--case")),
        Some(error) => console.warn(&format!("{} of the classes left out: {error}", whole - counted.len())),
        None => {}
    }
    if counted.is_empty() {
        let error = Error::usage(format!("no finding matches `{glob}`")).key("--case");
        return Err(error.help(
            "`wafcanary report COMPARISON` lists the findings; a control is named by its exact id, and `*` stops at `/`",
        ));
    }
    // All there is, and not only what was found.
    let mut legit = subject.comparison.cases.iter().filter(|case| case.intent == Intent::Legit).peekable();
    if legit.peek().is_some() && legit.all(|case| pattern.covers(case) && case.id.as_str() != glob) {
        let classes: Vec<String> = counted.iter().map(|(class, _)| format!("`{}`", class.as_str())).collect();
        console.warn(&format!(
            "`{}` covers every file: later findings of {} are covered too, whatever they are",
            visible(glob),
            classes.join(", ")
        ));
    }
    Ok(counted)
}
