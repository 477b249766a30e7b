//! `wafcanary explain`: why the candidate refuses what the baseline delivered.

use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::{CompareArgs, is_regression};
use super::console::Console;
use super::edge::{self, Edge};
use super::options::SendOptions;
use super::regressions::{EXPLANATIONS, candidate_profile, chosen};
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

/// Requests that a case takes in the median, and at the 95th percentile; see docs/explain.md.
const USUAL: &str = "25 to 70";

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
    let wanted = chosen(&comparison, &args.cases, is_regression, "explain")?;
    let kept: CompareArgs = session::kept_options(dir)?;
    let profile = candidate_profile(args.profile.as_ref(), &kept, "an edge can be asked")?;
    if args.send.dry_run {
        let profile = edge::load(&profile, &args.send)?;
        let most = u64::from(args.budget) * wanted.len() as u64;
        console.out(&format!(
            "nothing is sent: this is what would be\nprofile   {} ({})\ncases     {}\nrequests  at most {most}, usually {USUAL} for a case\n",
            profile.name,
            profile.target.url(),
            wanted.len()
        ))?;
        return Ok(ExitCode::Passed);
    }
    let runtime = session::runtime()?;
    let (explanations, ended) = runtime.block_on(async {
        let edge = Edge::open(&profile, &args.send, console).await?;
        let selected = session::select(&kept.select, settings, &[&edge.profile], console)?;
        let find_case = |id: &CaseId| selected.cases.iter().find(|case| case.id == *id);
        // Before anything is sent: what was sent for the others would be lost.
        let mut cases = Vec::new();
        for compared in &wanted {
            let case = find_case(&compared.id).ok_or_else(|| {
                Error::usage(format!("the corpus no longer has `{}`", compared.id))
                    .file(dir)
                    .help("use the corpus, and the options, that were compared")
            })?;
            cases.extend(compared.candidate.as_ref().map(|side| (case, side.outcome)));
        }
        if selected.digest != comparison.candidate.run.corpus_digest {
            console.warn("the selected cases are not all those that were compared: the corpus or the permission for controls has changed");
        }
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
        for (number, (case, outcome)) in (1..).zip(&cases) {
            console.note(&format!("{number} of {}: {}", cases.len(), case.id));
            let near = references(case, &delivered);
            let mut explanation = tokio::select! {
                explanation = find(case, *outcome, &near, args.budget, &mut questions) => explanation,
                _ = stop.wait_for(|stop| *stop) => return Ok((explanations, Some(ExitCode::Interrupted))),
            };
            explanation.rules = rules(&comparison, &case.id);
            match reproduce(&explanation, &questions, &edge.profile, dir) {
                Ok(script) => explanation.script = script,
                Err(error) => console.error(&error),
            }
            let stopped = explanation.stopped;
            explanations.push(explanation);
            if stopped {
                let left = cases.len() - explanations.len();
                console.warn(&format!("the edge can't be asked any more: {left} cases were not looked at"));
                return Ok((explanations, Some(ExitCode::Inconclusive)));
            }
        }
        Ok((explanations, None))
    })?;
    let document = Explanations { schema_version: SCHEMA_VERSION, explanations };
    keep(&document, dir)?;
    if args.json {
        Console::json(&document)?;
    } else {
        console.render(|out| report::render_explanations(&document, out))?;
    }
    let sure = document.explanations.iter().all(Explanation::is_sure);
    Ok(ended.unwrap_or(if sure { ExitCode::Passed } else { ExitCode::Inconclusive }))
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

/// Writes the explanations; those of other cases that are there already stay.
fn keep(document: &Explanations, dir: &Path) -> Result<()> {
    let path = dir.join(EXPLANATIONS);
    let cannot = |error: &dyn std::fmt::Display| {
        Error::inconclusive(format!("cannot write the explanations: {error}")).file(&path)
    };
    let mut kept = serde_json::to_value(document).map_err(|error| cannot(&error))?;
    let earlier = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if let (Some(earlier), Some(list)) = (earlier, kept["explanations"].as_array_mut()) {
        let known = |case: &serde_json::Value| document.explanations.iter().any(|it| *case == *it.case.as_str());
        let others = earlier["explanations"].as_array().into_iter().flatten().filter(|it| !known(&it["case"]));
        list.extend(others.cloned());
    }
    let text = serde_json::to_string_pretty(&kept).map_err(|error| cannot(&error))?;
    session::replace(&path, &(text + "\n")).map_err(|error| cannot(&error))
}
