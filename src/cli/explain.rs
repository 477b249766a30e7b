//! `wafcanary explain`: why the candidate refuses what the baseline delivered.

use std::path::{Path, PathBuf};

use clap::Args;
use globset::Glob;

use super::compare::{CompareArgs, is_regression};
use super::console::Console;
use super::edge::Edge;
use super::options::SendOptions;
use super::session::{self, COMPARISON};
use super::settings::Settings;
use crate::compare::{ComparedCase, Comparison};
use crate::corpus::{Case, CaseId};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::explain::{Explanation, Explanations, Questions, SCHEMA_VERSION, explain as find, references};
use crate::profile::Profile;
use crate::replay::Replayer;
use crate::report;
use crate::verdict::{Count, Outcome};

/// Folder of the smallest refused requests, below the comparison's.
const FOLDER: &str = "explained";

/// Name of the explanations' document.
const EXPLANATIONS: &str = "explanations.json";

/// Sends variants of each regression to the candidate until the smallest thing that makes it refuse is known: characters of
/// the filename, the extension, bytes of the content, a size, a header. Exits 0 when all are explained, 3 when some are not.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary explain wafcanary-out/20261123T010203Z-compare
  wafcanary explain runs/next 'xlsm/*' --profile next.toml --budget 80
  wafcanary explain runs/next --json")]
pub(crate) struct ExplainArgs {
    /// Folder of a comparison
    #[arg(value_name = "COMPARISON")]
    comparison: PathBuf,
    /// Only regressions whose id matches one of these globs
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// The candidate to ask; by default the profile that was compared
    #[arg(long, env = "WAFCANARY_PROFILE", value_name = "PROFILE")]
    profile: Option<PathBuf>,
    /// Most requests for one case
    #[arg(long, env = "WAFCANARY_BUDGET", value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    budget: u32,
    /// One JSON document instead of text
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
    #[command(flatten)]
    send: SendOptions,
}

pub(crate) fn explain(args: &ExplainArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let dir = &args.comparison;
    let comparison = Comparison::read(&dir.join(COMPARISON))?;
    let wanted = wanted(&comparison, &args.cases)?;
    let kept: CompareArgs = session::kept_options(dir)?;
    let profile = profile(args, &kept)?;
    let runtime = session::runtime()?;
    let (explanations, interrupted) = runtime.block_on(async {
        let edge = Edge::open(&profile, &args.send, console).await?;
        let selected = session::select(&kept.select, settings, &[&edge.profile], console)?;
        let find_case = |id: &CaseId| selected.cases.iter().find(|case| case.id == *id);
        let delivered: Vec<Case> = comparison
            .cases
            .iter()
            .filter(|case| is_delivered(case))
            .filter_map(|case| find_case(&case.id).cloned())
            .collect();
        let replayer = Replayer::new(edge.profile.clone(), "explain")?;
        let mut questions = Questions::new(replayer, edge.profile.clone());
        let mut stop = session::stop_on_signal();
        let mut explanations: Vec<Explanation> = Vec::new();
        for (number, id) in (1..).zip(&wanted) {
            let Some(case) = find_case(id) else {
                return Err(Error::usage(format!("the corpus no longer has `{id}`"))
                    .file(dir)
                    .help("use the corpus, and the options, that were compared"));
            };
            console.note(&format!("{number} of {}: {id}", wanted.len()));
            let near = references(case, &delivered);
            let mut explanation = tokio::select! {
                explanation = find(case, &near, args.budget, &mut questions) => explanation,
                _ = stop.wait_for(|stop| *stop) => return Ok((explanations, true)),
            };
            explanation.rules = rules(&comparison, id);
            explanation.script = reproduce(&explanation, &questions, &edge.profile, dir)?;
            explanations.push(explanation);
        }
        Ok((explanations, false))
    })?;
    let document = Explanations { schema_version: SCHEMA_VERSION, explanations };
    keep(&document, dir)?;
    if args.json {
        console.render(|out| {
            serde_json::to_writer_pretty(&mut *out, &document).map_err(Into::into).and_then(|()| writeln!(out))
        })?;
    } else {
        console.render(|out| report::render_explanations(&document, out))?;
    }
    Ok(match () {
        () if interrupted => ExitCode::Interrupted,
        () if document.explanations.iter().all(Explanation::is_sure) => ExitCode::Passed,
        () => ExitCode::Inconclusive,
    })
}

/// The regressions to explain.
fn wanted(comparison: &Comparison, globs: &[String]) -> Result<Vec<CaseId>> {
    let matchers = globs
        .iter()
        .map(|text| Glob::new(text).map(|glob| (text, glob.compile_matcher())))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| Error::usage(format!("this is no glob for case ids: {error}")).key("CASE"))?;
    let chosen = |id: &CaseId| {
        matchers.is_empty() || matchers.iter().any(|(text, glob)| *text == id.as_str() || glob.is_match(id.as_str()))
    };
    let regressions = comparison.cases.iter().filter(|case| is_regression(case));
    let ids: Vec<CaseId> = regressions.map(|case| case.id.clone()).filter(chosen).collect();
    if ids.is_empty() {
        let message =
            if globs.is_empty() { "the comparison has no regression to explain" } else { "no regression matches" };
        return Err(Error::usage(message).help("`wafcanary report COMPARISON` lists the regressions"));
    }
    Ok(ids)
}

/// What the candidate's WAF log says of a case, those rules first that say why.
fn rules(comparison: &Comparison, id: &CaseId) -> Vec<String> {
    let side = comparison.cases.iter().find(|case| case.id == *id).and_then(|case| case.candidate.as_ref());
    report::rule_lines(side.and_then(|side| side.waf.as_deref()))
}

/// A legitimate case that the candidate delivered.
fn is_delivered(case: &ComparedCase) -> bool {
    let passed = |outcome: Outcome| outcome.count() == Count::Pass;
    case.intent == crate::corpus::Intent::Legit && case.candidate.as_ref().is_some_and(|side| passed(side.outcome))
}

fn profile(args: &ExplainArgs, kept: &CompareArgs) -> Result<PathBuf> {
    let compared = kept.candidate.clone().filter(|path| !session::is_stored_run(path));
    args.profile.clone().or(compared).ok_or_else(|| {
        Error::usage("the candidate was a stored run, and only an edge can be asked")
            .key("--profile")
            .help("give the candidate's profile")
    })
}

/// Writes the smallest refused request, so that anyone can send it.
fn reproduce(
    explanation: &Explanation,
    questions: &Questions,
    profile: &Profile,
    dir: &Path,
) -> Result<Option<String>> {
    let Some(smallest) = explanation.smallest() else { return Ok(None) };
    // What the client can't write, it can't send either.
    let Ok(request) = questions.request(smallest) else { return Ok(None) };
    let folder = dir.join(FOLDER);
    let written = report::repro::write(&folder, &smallest.id, &request, &profile.target, &profile.redactor);
    let repro = written.map_err(|error| {
        Error::inconclusive(format!("cannot write the request of `{}`: {error}", smallest.id)).file(&folder)
    })?;
    Ok(Some(folder.join(repro.script).display().to_string()))
}

fn keep(explanations: &Explanations, dir: &Path) -> Result<()> {
    let path = dir.join(EXPLANATIONS);
    let cannot = |error: &dyn std::fmt::Display| {
        Error::inconclusive(format!("cannot write the explanations: {error}")).file(&path)
    };
    let text = serde_json::to_string_pretty(explanations).map_err(|error| cannot(&error))?;
    std::fs::write(&path, text + "\n").map_err(|error| cannot(&error))
}
