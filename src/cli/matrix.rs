//! `wafcanary matrix`: many edges, one table.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::console::Console;
use super::edge::{self, Edge};
use super::options::{LangOption, SelectOptions, SendOptions};
use super::session::{self, Lap};
use super::settings::Settings;
use super::{compare, dry_run, preflight};
use crate::compare::Matrix;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::profile::Profile;
use crate::report::{MatrixFormat, MatrixOptions, render_matrix};
use crate::run::preflight::MOST_UPLOADS;
use crate::run::{Ends, Run, SideName};

/// Name of the table's document.
pub(crate) const MATRIX: &str = "matrix.json";

/// Edges at most: a wider table is read by nobody, and each edge has a journal open.
const MOST_COLUMNS: usize = 50;

/// Each case goes to every profile in turn; stored runs are read. Where the edges differ, all are asked again before it
/// counts. An edge that bans us or cannot be reached leaves its cells empty, and the others go on. A matrix does not gate:
/// it exits 0 when everything is settled, whatever the edges let through, and 3 when something is not known: an edge that
/// could not be asked, cases that not every edge was asked for, no case at all. An edge that stands in two columns is
/// exit code 3, too, unless `--allow-same-edge` is given.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[command(after_help = "\
Examples:
  wafcanary matrix profiles/lab/standard.toml profiles/lab/upper.toml
  wafcanary matrix vendor-a.toml vendor-b.toml vendor-c.toml --write html=matrix.html --write xlsx=matrix.xlsx --lang ja
  wafcanary matrix runs/2026-11-01 runs/2026-12-01 next.toml --allow-same-edge --format markdown
  wafcanary matrix vendor-a.toml vendor-b.toml --dry-run
  wafcanary matrix --resume wafcanary-out/20261123T010203Z-matrix")]
pub(crate) struct MatrixArgs {
    /// The edges, in the order of the columns: profiles (sent now) or the folders of stored runs; two at least
    #[arg(value_name = "PROFILE|RUN")]
    edges: Vec<PathBuf>,
    /// Ask each edge for each case N times; what disagrees with itself is told
    #[arg(long, env = "WAFCANARY_ROUNDS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Times that the edges are asked for a case before a difference counts; the majority decides
    #[arg(long, env = "WAFCANARY_CONFIRM", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    confirm: u32,
    /// Put the same edge into several columns: to see its noise, or what became of it since a stored run
    #[arg(long, env = "WAFCANARY_ALLOW_SAME_EDGE", value_parser = clap::builder::BoolishValueParser::new())]
    // NOTE: kept under another key than that of `compare`, which so refuses to resume a matrix.
    #[serde(rename = "same_edge_allowed")]
    allow_same_edge: bool,
    /// Send the corpus without asking the edges first, by a few uploads, whether it can prove anything
    #[arg(long, env = "WAFCANARY_NO_PREFLIGHT", value_parser = clap::builder::BoolishValueParser::new())]
    #[serde(skip)]
    no_preflight: bool,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    send: SendOptions,
    #[command(flatten)]
    #[serde(skip)]
    output: MatrixOutput,
}

/// Where the record goes, and what is shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What comes out")]
struct MatrixOutput {
    /// Folder for the record; must not hold one yet [default: wafcanary-out/TIME-matrix]
    #[arg(long, env = "WAFCANARY_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the matrix in this folder, with the options that it was started with
    #[arg(long, env = "WAFCANARY_RESUME", value_name = "DIR", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    /// Format of standard output: terminal, json, html, markdown, csv or xlsx
    #[arg(long, env = "WAFCANARY_FORMAT", value_name = "FORMAT", default_value = "terminal", value_parser = parse_format)]
    format: MatrixFormat,
    /// Also write this format to a file; repeatable: `--write html=matrix.html --write xlsx=matrix.xlsx`
    #[arg(long, env = "WAFCANARY_WRITE", value_name = "FORMAT=FILE", value_delimiter = ',', value_parser = parse_write)]
    write: Vec<(MatrixFormat, PathBuf)>,
    #[command(flatten)]
    lang: LangOption,
}

impl MatrixArgs {
    /// `--out` and `--resume`.
    pub(crate) fn folders(&mut self) -> (&mut Option<PathBuf>, &mut Option<PathBuf>) {
        (&mut self.output.out, &mut self.output.resume)
    }
}

fn parse_format(name: &str) -> std::result::Result<MatrixFormat, String> {
    let known = || format!("known formats: {}", MatrixFormat::ALL.map(MatrixFormat::as_str).join(", "));
    MatrixFormat::parse(name).ok_or_else(known)
}

fn parse_write(text: &str) -> std::result::Result<(MatrixFormat, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write it as FORMAT=FILE, for example xlsx=matrix.xlsx")?;
    Ok((parse_format(format)?, PathBuf::from(file)))
}

/// A column: what is given for it, and the edge when it is sent to now.
struct Place {
    given: PathBuf,
    /// Where its record is.
    dir: PathBuf,
    edge: Option<Edge>,
}

pub(crate) fn matrix(mut args: MatrixArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let resume = args.output.resume.clone();
    if let Some(dir) = &resume {
        let output = args.output;
        args = MatrixArgs { output, ..session::kept_options(dir)? };
    }
    refuse_count(args.edges.len())?;
    if args.send.dry_run {
        return plan_only(&args, settings, console);
    }
    refuse_on_terminal(args.output.format)?;
    let writes = session::open_writes(&args.output.write)?;
    let dir = resume.clone().unwrap_or_else(|| session::output_folder(args.output.out.as_ref(), "matrix"));
    let runtime = session::runtime()?;
    let made = runtime.block_on(make(&args, settings, &dir, resume.is_some(), console));
    let Some(matrix) = made.inspect_err(|error| session::empty_writes(&writes, error))? else {
        console.note(&format!("interrupted; go on with: wafcanary matrix --resume {}", dir.display()));
        return Ok(ExitCode::Interrupted);
    };
    keep(&matrix, &dir)?;
    let stored = MatrixOptions { lang: args.output.lang.lang, ..MatrixOptions::default() };
    for (format, path, file) in &writes {
        session::fill(path, file, |out| render_matrix(&matrix, *format, &stored, out))?;
    }
    let options = MatrixOptions { lang: args.output.lang.lang, ..shown_here(console) };
    show(&matrix, args.output.format, &options, console)?;
    console.note(&format!("record: {}", dir.display()));
    Ok(if matrix.settled { ExitCode::Passed } else { ExitCode::Inconclusive })
}

fn refuse_count(count: usize) -> Result<()> {
    let told = match count {
        0 | 1 => format!("a matrix has two edges at least, and {count} is given"),
        2..=MOST_COLUMNS => return Ok(()),
        _ => format!("a matrix has {MOST_COLUMNS} edges at most, and {count} are given"),
    };
    Err(Error::usage(told).key("PROFILE|RUN").help(
        "give profiles, or folders of stored runs; try `wafcanary matrix profiles/lab/standard.toml profiles/lab/upper.toml`",
    ))
}

/// Finds, before anything is sent, that bytes would be written to a terminal.
pub(crate) fn refuse_on_terminal(format: MatrixFormat) -> Result<()> {
    if format.is_text() || !Console::is_terminal() {
        return Ok(());
    }
    let name = format.as_str();
    Err(Error::usage(format!("a terminal cannot show `{name}`"))
        .key("--format")
        .help(format!("redirect it (`> matrix.{name}`), or write it with `--write {name}=matrix.{name}`")))
}

/// The options of what is shown on standard output.
pub(crate) fn shown_here(console: &Console) -> MatrixOptions {
    MatrixOptions { width: Console::width(), colour: console.colour(), ..MatrixOptions::default() }
}

/// Writes the table to standard output.
pub(crate) fn show(matrix: &Matrix, format: MatrixFormat, options: &MatrixOptions, console: &Console) -> Result<()> {
    if format == MatrixFormat::Terminal {
        console.render(|out| render_matrix(matrix, format, options, out))
    } else {
        Console::render_bytes(|out| render_matrix(matrix, format, options, out))
    }
}

/// Writes the table's document into its folder.
fn keep(matrix: &Matrix, dir: &Path) -> Result<()> {
    session::keep_document(&dir.join(MATRIX), "matrix", |out| {
        render_matrix(matrix, MatrixFormat::Json, &MatrixOptions::default(), out)
    })
}

fn plan_only(args: &MatrixArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let sent = args.edges.iter().filter(|path| !session::is_stored_run(path));
    let profiles = sent.map(|path| edge::load(path, &args.send)).collect::<Result<Vec<_>>>()?;
    let loaded: Vec<&Profile> = profiles.iter().collect();
    let selected = session::select(&args.select, settings, &loaded, console)?;
    let planned: Vec<_> = profiles.iter().map(|profile| (profile, args.rounds)).collect();
    let preflight = if args.no_preflight { 0 } else { MOST_UPLOADS };
    dry_run::print(&selected, &planned, preflight, console)
}

/// Sends what is to be sent, and joins. `None`: it was interrupted.
async fn make(
    args: &MatrixArgs,
    settings: &Settings,
    dir: &Path,
    resume: bool,
    console: &Console,
) -> Result<Option<Matrix>> {
    let mut places = Vec::new();
    for (at, given) in args.edges.iter().enumerate() {
        let stored = session::is_stored_run(given);
        let edge = if stored { None } else { Some(Edge::open(given, &args.send, console).await?) };
        let dir = if stored { given.clone() } else { dir.join(format!("edge-{}", at + 1)) };
        places.push(Place { given: given.clone(), dir, edge });
    }
    let live: Vec<(&Place, &Edge)> = places.iter().filter_map(|place| Some((place, place.edge.as_ref()?))).collect();
    if live.is_empty() {
        let runs = read(&places)?;
        keep_options(args, dir, resume)?;
        return Ok(Some(join(runs, args)));
    }
    refuse_same_edge(&places, args)?;
    let profiles: Vec<&Profile> = live.iter().map(|(_, edge)| &*edge.profile).collect();
    let selected = session::select(&args.select, settings, &profiles, console)?;
    let stored = places.iter().filter(|place| place.edge.is_none()).map(|place| place.given.as_path());
    compare::refuse_other_corpus(stored, &selected)?;
    keep_options(args, dir, resume)?;
    let mut pacers = Vec::new();
    if !resume && !args.no_preflight {
        let names: Vec<_> = live.iter().map(|(_, edge)| format!("edge `{}`", edge.profile.name)).collect();
        // What an edge refuses is for the table to show; only one that cannot be asked ends it.
        let sides = live.iter().zip(&names).map(|((place, edge), name)| preflight::Side {
            which: SideName::Candidate,
            name,
            path: &place.given,
            profile: &edge.profile,
            rounds: args.rounds,
        });
        let sides: Vec<_> = sides.collect();
        let ready = preflight::before(&sides, &selected, true, console).await;
        pacers = ready.inspect_err(|_| session::forget_options(dir))?;
    }
    let laps = live.iter().zip(pacers.into_iter().chain(std::iter::repeat(None))).map(|((place, edge), pacer)| Lap {
        side: SideName::Baseline,
        profile: edge.profile.clone(),
        dir: place.dir.clone(),
        rounds: args.rounds,
        operator: args.send.operator.clone(),
        pacer,
        selected: &selected,
        waf_logs: Vec::new(),
    });
    if session::send_until(Ends::Alone, laps.collect(), args.confirm, resume, console).await? {
        return Ok(None);
    }
    Ok(Some(join(read(&places)?, args)))
}

/// Makes the folder, when nothing speaks against the matrix any more.
fn keep_options(args: &MatrixArgs, dir: &Path, resume: bool) -> Result<()> {
    if resume { Ok(()) } else { session::keep_options(dir, args) }
}

/// Joins the columns.
fn join(runs: Vec<Run>, args: &MatrixArgs) -> Matrix {
    if args.allow_same_edge { Matrix::assemble_same_edge(runs) } else { Matrix::assemble(runs) }
}

/// Finds, before anything is sent, that one edge stands in two columns. Where nothing would be sent, the table says it.
fn refuse_same_edge(places: &[Place], args: &MatrixArgs) -> Result<()> {
    if args.allow_same_edge {
        return Ok(());
    }
    let digest = |place: &Place| match &place.edge {
        Some(edge) => Ok(edge.profile.digest()),
        None => Run::read_manifest(&place.given).map(|manifest| manifest.profile_digest),
    };
    let digests = places.iter().map(digest).collect::<Result<Vec<_>>>()?;
    for (at, (place, digest)) in places.iter().zip(&digests).enumerate() {
        if let Some(first) = digests[..at].iter().position(|other| other == digest) {
            let message =
                format!("`{}` and `{}` are the same edge", places[first].given.display(), place.given.display());
            return Err(Error::inconclusive(message).file(&place.given).help(
                "give each edge once; to see its noise, or what became of it since a stored run, add `--allow-same-edge`",
            ));
        }
    }
    Ok(())
}

/// Reads the columns' records side by side.
fn read(places: &[Place]) -> Result<Vec<Run>> {
    std::thread::scope(|scope| {
        let readers: Vec<_> = places.iter().map(|place| scope.spawn(|| Run::read(&place.dir))).collect();
        let join = |reader: std::thread::ScopedJoinHandle<'_, Result<Run>>| {
            reader.join().unwrap_or_else(|_| Err(Error::inconclusive("cannot read a stored run")))
        };
        readers.into_iter().map(join).collect()
    })
}
