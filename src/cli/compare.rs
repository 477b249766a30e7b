//! `wafcanary compare`: two edges, one decision.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::beside;
use super::console::Console;
use super::dry_run;
use super::edge::{self, Edge};
use super::github;
use super::options::{OutputOptions, SelectOptions, SendOptions, WafLogOptions};
use super::preflight;
use super::run::exit_code;
use super::session::{self, COMPARISON, Lap, Selected};
use super::settings::Settings;
use crate::compare::{Class, ComparedCase, Comparison, Decision, Policy, Waivers};
use crate::corpus::{CaseId, Intent};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::profile::Profile;
use crate::replay::Replayer;
use crate::report::{self, Format, Options};
use crate::run::preflight::MOST_UPLOADS;
use crate::run::{Attempts, LogSource, Run, SideName};

/// Each case goes to both edges in turn, to the baseline twice; what disagrees is sent again before it is called a
/// regression. The gate's decision is the exit code.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[command(after_help = "\
Examples:
  wafcanary compare --baseline profiles/lab/standard.toml --candidate profiles/lab/upper.toml
  wafcanary compare --baseline runs/2026-11-01 --candidate next.toml --waivers waivers.toml
  wafcanary compare --baseline now.toml --candidate next.toml --dry-run
  wafcanary compare --baseline runs/a --candidate runs/b --format json
  wafcanary compare --baseline now.toml --candidate detect.toml --waf-log candidate=/var/log/nginx/modsec_audit.json")]
pub(crate) struct CompareArgs {
    /// The edge as it is: a profile (sent now) or the folder of a stored run
    #[arg(long, env = "WAFCANARY_BASELINE", value_name = "PROFILE|RUN")]
    pub(crate) baseline: Option<PathBuf>,
    /// The edge as it will be: a profile (sent now) or the folder of a stored run
    #[arg(long, env = "WAFCANARY_CANDIDATE", value_name = "PROFILE|RUN")]
    pub(crate) candidate: Option<PathBuf>,
    /// Times that both edges are asked for a case before a difference counts; the majority decides
    #[arg(long, env = "WAFCANARY_CONFIRM", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) confirm: u32,
    /// File of accepted findings: case, class, owner, reason, expiry date
    #[arg(long, env = "WAFCANARY_WAIVERS", value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// Compare although both sides are the same edge: to measure its noise
    #[arg(long, env = "WAFCANARY_ALLOW_SAME_EDGE", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) allow_same_edge: bool,
    /// Send the corpus without asking both edges first, by a few uploads, whether it can prove anything
    #[arg(long, env = "WAFCANARY_NO_PREFLIGHT", value_parser = clap::builder::BoolishValueParser::new())]
    #[serde(skip)]
    pub(crate) no_preflight: bool,
    #[command(flatten)]
    pub(crate) select: SelectOptions,
    #[command(flatten)]
    pub(crate) send: SendOptions,
    #[command(flatten)]
    #[serde(default)]
    pub(crate) waf: WafLogOptions,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) output: OutputOptions,
}

/// A side of the comparison: what is given for it, and the edge when it is sent to now.
struct Half {
    side: SideName,
    given: PathBuf,
    edge: Option<Edge>,
    waf_logs: Vec<LogSource>,
}

impl Half {
    /// What a preflight needs of it; `None`: it is a stored run.
    fn before(&self) -> Option<preflight::Side<'_>> {
        let (profile, rounds) = (&self.edge.as_ref()?.profile, rounds(self.side));
        Some(preflight::Side { which: self.side, name: folder(self.side), path: &self.given, profile, rounds })
    }
}

/// Times that the baseline is asked for each case: its disagreement with itself is the noise.
const BASELINE_ROUNDS: u32 = 2;

fn rounds(side: SideName) -> u32 {
    match side {
        SideName::Baseline => BASELINE_ROUNDS,
        SideName::Candidate => 1,
    }
}

/// Name of a side's record in the folder of the comparison.
pub(crate) fn folder(side: SideName) -> &'static str {
    match side {
        SideName::Baseline => "baseline",
        SideName::Candidate => "candidate",
    }
}

pub(crate) fn compare(mut args: CompareArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let resume = args.output.resume.clone();
    if let Some(dir) = &resume {
        let output = args.output;
        args = CompareArgs { output, ..session::kept_options(dir)? };
    }
    args.baseline = Some(given(args.baseline, settings.baseline.as_ref(), "--baseline")?);
    args.candidate = Some(given(args.candidate, settings.candidate.as_ref(), "--candidate")?);
    args.waivers = args.waivers.or_else(|| settings.waivers.clone());
    if args.send.dry_run {
        return plan_only(&args, settings, console);
    }
    let writes = session::open_writes(&args.output.write)?;
    let dir = resume.clone().unwrap_or_else(|| session::output_folder(args.output.out.as_ref(), "compare"));
    let runtime = session::runtime()?;
    let made = runtime.block_on(make(&args, settings, &dir, resume.is_some(), console));
    let formats: Vec<Format> = writes.iter().map(|(format, ..)| *format).chain([args.output.format]).collect();
    let Some(comparison) = made.inspect_err(|error| session::empty_writes(&writes, error))? else {
        console.note(&format!("interrupted; go on with: wafcanary compare --resume {}", dir.display()));
        return Ok(ExitCode::Interrupted);
    };
    // The document of a million cases takes as long to write as the report to render.
    std::thread::scope(|scope| {
        let kept = scope.spawn(|| keep(&comparison, &dir));
        github::hand_on(&report::github_output(&comparison), console);
        let stored = Options {
            repros: repros(&comparison, &dir),
            lang: args.output.lang.lang,
            beside: beside::of_comparison(&comparison, &dir, &formats)?,
            ..Options::default()
        };
        let summary = |budget, out: &mut dyn std::io::Write| {
            let options = Options { budget, repros: stored.repros.clone(), ..Options::default() };
            report::render_comparison(&comparison, Format::Markdown, &options, out)
        };
        github::summarise(summary, console);
        for (format, path, file) in &writes {
            session::fill(path, file, |out| report::render_comparison(&comparison, *format, &stored, out))?;
        }
        let options = Options { width: Console::width(), colour: console.colour(), ..stored };
        let format = args.output.format;
        console.report(format, |out| report::render_comparison(&comparison, format, &options, out))?;
        kept.join().unwrap_or_else(|_| Err(Error::inconclusive("cannot write the comparison").file(&dir)))
    })?;
    console.note(&format!("record: {}", dir.display()));
    Ok(exit_code(comparison.decision))
}

/// Writes the comparison's document into its folder.
fn keep(comparison: &Comparison, dir: &Path) -> Result<()> {
    session::keep_document(&dir.join(COMPARISON), "comparison", |out| {
        report::render_comparison(comparison, Format::Json, &Options::default(), out)
    })
}

/// The scripts in the folder `dir` that send a finding again, as they are called from the working folder: however the
/// folder was written, the same way.
pub(crate) fn repros(comparison: &Comparison, dir: &Path) -> BTreeMap<CaseId, String> {
    if !dir.join(report::repro::FOLDER).is_dir() {
        return BTreeMap::new();
    }
    let regressions = comparison.cases.iter().filter(|case| is_regression(case)).map(|case| &case.id);
    let written = report::repro::written(dir, regressions).into_iter();
    let dir = from_here(dir);
    written.map(|(case, script)| (case, dir.join(script).display().to_string())).collect()
}

/// The folder as seen from the working folder, where it lies below that; otherwise its whole path.
fn from_here(dir: &Path) -> PathBuf {
    let given = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Ok(whole) = given.canonicalize() else { return dir.to_path_buf() };
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here.ok().and_then(|here| whole.strip_prefix(here).ok().map(Path::to_path_buf));
    match below {
        // No program may take it for an option.
        Some(below) if below.as_os_str().as_encoded_bytes().starts_with(b"-") => Path::new(".").join(below),
        Some(below) => below,
        None => whole,
    }
}

/// The record of a side: in the comparison's folder `dir`, or where the stored run was that it was made from.
pub(crate) fn record(dir: &Path, kept: Option<&CompareArgs>, side: SideName) -> Option<PathBuf> {
    let given = kept.and_then(|kept| match side {
        SideName::Baseline => kept.baseline.clone(),
        SideName::Candidate => kept.candidate.clone(),
    });
    std::iter::once(dir.join(folder(side))).chain(given).find(|folder| session::is_stored_run(folder))
}

fn given(flag: Option<PathBuf>, setting: Option<&PathBuf>, name: &str) -> Result<PathBuf> {
    flag.or_else(|| setting.cloned()).ok_or_else(|| {
        Error::usage(format!("no {} is given", &name[2..]))
            .key(name)
            .help("give a profile, or the folder of a stored run; try `--baseline profiles/lab/standard.toml --candidate profiles/lab/upper.toml`")
    })
}

fn plan_only(args: &CompareArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let mut profiles = Vec::new();
    for (side, path) in sides(args) {
        if !session::is_stored_run(path) {
            profiles.push((side, edge::load(path, &args.send)?));
        }
    }
    let loaded: Vec<&Profile> = profiles.iter().map(|(_, profile)| profile).collect();
    let selected = session::select(&args.select, settings, &loaded, console)?;
    let planned: Vec<_> = profiles.iter().map(|(side, profile)| (profile, rounds(*side))).collect();
    let preflight = if args.no_preflight { 0 } else { MOST_UPLOADS };
    dry_run::print(&selected, &planned, preflight, console)
}

fn sides(args: &CompareArgs) -> impl Iterator<Item = (SideName, &Path)> {
    [(SideName::Baseline, &args.baseline), (SideName::Candidate, &args.candidate)]
        .into_iter()
        .filter_map(|(side, path)| Some((side, path.as_deref()?)))
}

/// Sends what is to be sent, and compares. `None`: it was interrupted.
async fn make(
    args: &CompareArgs,
    settings: &Settings,
    dir: &Path,
    resume: bool,
    console: &Console,
) -> Result<Option<Comparison>> {
    let mut policy = settings.gate.clone();
    policy.allow_same_edge |= args.allow_same_edge;
    let waivers = args.waivers.as_deref().map_or_else(|| Ok(Waivers::default()), read_waivers)?;
    let mut halves = Vec::new();
    for (side, path) in sides(args) {
        let stored = session::is_stored_run(path);
        // What was sent before now, or before a `--resume`, may be anywhere in the log.
        let waf_logs = args.waf.sources(side, !(stored || resume))?;
        let edge = if stored { None } else { Some(Edge::open(path, &args.send, console).await?) };
        halves.push(Half { side, given: path.to_path_buf(), edge, waf_logs });
    }
    refuse_same_edge(&halves, &policy)?;
    let live: Vec<&Half> = halves.iter().filter(|half| half.edge.is_some()).collect();
    if !live.is_empty() {
        let profiles: Vec<&Profile> = live.iter().filter_map(|half| Some(&*half.edge.as_ref()?.profile)).collect();
        let selected = session::select(&args.select, settings, &profiles, console)?;
        let stored = halves.iter().filter(|half| half.edge.is_none()).map(|half| half.given.as_path());
        refuse_other_corpus(stored, &selected)?;
        keep_options(args, dir, resume)?;
        let mut pacers = Vec::new();
        if !resume && !args.no_preflight {
            let sides: Vec<_> = live.iter().filter_map(|half| half.before()).collect();
            let ready = preflight::before(&sides, &selected, policy.allow_same_edge, console).await;
            pacers = ready.inspect_err(|error| refused(dir, error, console))?;
        }
        let pacers = pacers.into_iter().chain(std::iter::repeat(None));
        let laps = live.iter().zip(pacers).filter_map(|(half, pacer)| {
            Some(Lap {
                side: half.side,
                profile: half.edge.as_ref()?.profile.clone(),
                dir: dir.join(folder(half.side)),
                rounds: rounds(half.side),
                operator: args.send.operator.clone(),
                pacer,
                selected: &selected,
                waf_logs: half.waf_logs.clone(),
            })
        });
        if session::send(laps.collect(), args.confirm, resume, console).await? {
            return Ok(None);
        }
        let comparison = assemble(&halves, dir, &policy, &waivers)?;
        reproduce(&comparison, &halves, &selected, dir, console)?;
        return Ok(Some(comparison));
    }
    keep_options(args, dir, resume)?;
    assemble(&halves, dir, &policy, &waivers).map(Some)
}

/// After a preflight that found no sense in sending the corpus.
fn refused(dir: &Path, error: &Error, console: &Console) {
    session::forget_options(dir);
    github::hand_on(&report::github_decision(Decision::Inconclusive), console);
    let page = report::github_refusal(&error.title(), error.help_text());
    github::summarise(|_, out| out.write_all(page.as_bytes()), console);
}

/// Makes the folder, when nothing speaks against the comparison any more.
fn keep_options(args: &CompareArgs, dir: &Path, resume: bool) -> Result<()> {
    if resume { Ok(()) } else { session::keep_options(dir, args) }
}

fn read_waivers(path: &Path) -> Result<Waivers> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("cannot read the waivers: {error}")).file(path).key("--waivers").help("check the path")
    })?;
    Waivers::parse(&text, path)
}

/// Finds, before anything is sent, that both sides are one edge: comparing it with itself proves nothing.
fn refuse_same_edge(halves: &[Half], policy: &Policy) -> Result<()> {
    // Nothing would be sent: the gate says it, in the report that was asked for.
    if halves.iter().all(|half| half.edge.is_none()) {
        return Ok(());
    }
    let digest = |half: &Half| match &half.edge {
        Some(edge) => Ok(edge.profile.digest()),
        None => Run::read_manifest(&half.given).map(|manifest| manifest.profile_digest),
    };
    let digests = halves.iter().map(digest).collect::<Result<Vec<_>>>()?;
    match digests[..] {
        [baseline, candidate] if baseline == candidate && !policy.allow_same_edge => {
            Err(Error::inconclusive("baseline and candidate are the same edge").file(&halves[1].given).help(
                "point the candidate at the edge as it will be; to measure one edge's noise, add `--allow-same-edge`",
            ))
        }
        _ => Ok(()),
    }
}

/// Finds, before anything is sent, that a `stored` side was asked other cases.
pub(super) fn refuse_other_corpus<'a>(stored: impl Iterator<Item = &'a Path>, selected: &Selected) -> Result<()> {
    for given in stored {
        let stored = Run::read_manifest(given)?;
        if stored.corpus_digest != selected.digest {
            return Err(Error::inconclusive(format!(
                "the stored run has {} cases of `{}`, and now {} cases of `{}` are selected, not the same",
                stored.cases,
                stored.corpus,
                selected.cases.len(),
                selected.corpus
            ))
            .file(given)
            .help("select the same corpus and cases as the stored run did, or send every side now"));
        }
    }
    Ok(())
}

/// Joins both runs and asks the gate.
fn assemble(halves: &[Half], dir: &Path, policy: &Policy, waivers: &Waivers) -> Result<Comparison> {
    let [baseline, candidate] = halves else { return Err(Error::usage("a comparison has two sides")) };
    let read = |half: &Half| match half.edge {
        Some(_) => Run::read(&dir.join(folder(half.side))),
        None => read_stored(half),
    };
    // Two journals of a million cases are read in the time of one.
    let (baseline, candidate) = std::thread::scope(|scope| {
        let baseline = scope.spawn(|| read(baseline));
        let candidate = read(candidate);
        let baseline = baseline.join().unwrap_or_else(|_| Err(Error::inconclusive("cannot read the baseline")));
        (baseline, candidate)
    });
    Ok(Comparison::assemble(baseline?, candidate?, policy, waivers, jiff::ZonedDateTime::now().date()))
}

/// A stored run, with what a log that was given for it now says of it. The record itself stays as it is.
fn read_stored(half: &Half) -> Result<Run> {
    let mut run = Run::read(&half.given)?;
    if !half.waf_logs.is_empty() {
        run.attach(Attempts::read(&half.given)?.join(&half.waf_logs)?);
    }
    Ok(run)
}

/// Bundles written at most: a candidate that refuses everything would fill the disk.
const MOST_BUNDLES: usize = 200;

/// Bytes of bundles written at most, bodies counted.
const MOST_BUNDLE_BYTES: u64 = 512 << 20;

/// Whether the case is a legitimate file that no longer arrives as it did.
pub(super) fn is_regression(case: &ComparedCase) -> bool {
    match case.class {
        Class::NewlyBlocked | Class::NewlyAltered => case.intent == Intent::Legit,
        Class::ProtectionLost
        | Class::WouldBlock
        | Class::Flaky
        | Class::Inconclusive
        | Class::OnlyInBaseline
        | Class::OnlyInCandidate
        | Class::ReasonChanged
        | Class::NewlyDelivered
        | Class::ProtectionGained
        | Class::Unchanged => false,
    }
}

/// Writes the request of each regression, so that anyone can send it again. Controls are left out: nothing that a
/// virus scanner knows is written to disk.
fn reproduce(
    comparison: &Comparison,
    halves: &[Half],
    selected: &Selected,
    dir: &Path,
    console: &Console,
) -> Result<()> {
    let Some(edge) = halves.iter().rfind(|half| half.side == SideName::Candidate).and_then(|half| half.edge.as_ref())
    else {
        return Ok(());
    };
    let ids: Vec<&CaseId> = comparison.cases.iter().filter(|case| is_regression(case)).map(|case| &case.id).collect();
    let replayer = Replayer::new(edge.profile.clone(), &comparison.candidate.run.run)?;
    let mut bytes = 0;
    let regressions = selected.cases.iter().filter(|case| ids.binary_search(&&case.id).is_ok());
    for (written, case) in regressions.enumerate() {
        bytes += case.content.len() * 2;
        if written == MOST_BUNDLES || bytes > MOST_BUNDLE_BYTES {
            console.note(&format!(
                "the requests of {written} of {} regressions are in {}/requests",
                ids.len(),
                dir.display()
            ));
            break;
        }
        let request = replayer.request(case, "reproduction")?;
        report::repro::write(dir, &case.id, &request, &edge.profile.target, &edge.profile.redactor).map_err(
            |error| Error::inconclusive(format!("cannot write the request of `{}`: {error}", case.id)).file(dir),
        )?;
    }
    Ok(())
}
