//! `wafcanary suggest`: the narrowest exclusions for the regressions, tried on a staging WAF where there is one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::compare::CompareArgs;
use super::console::Console;
use super::dry_run;
use super::edge::{self, Edge};
use super::options::{SendOptions, WafLogOptions};
use super::regressions::{EXPLANATIONS, candidate_profile, chosen};
use super::session::{self, COMPARISON, Lap, Selected};
use super::settings::Settings;
use crate::compare::{Class, ComparedCase, Comparison, SideCase};
use crate::corpus::{Beside, Case, CaseId, Intent, selection_digest};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::explain::{Explanations, Factor, Finding};
use crate::profile::Profile;
use crate::replay::Replayer;
use crate::report::{SuggestionDocument, suggestion_lines, trial_lines};
use crate::run::{Run, SideName, WafEvidence};
use crate::suggest::{
    Engine, Fired, Language, Place, Refusal, Round, Suggestion, Target, Upload, evaluates, is_id, was_kept_out,
};
use crate::verdict::Count;

/// Rounds of trying at most: each hides the next rule.
const MOST_ROUNDS: u32 = 5;

/// Times that each case is sent in a round: an edge that disagrees with itself has cured nothing.
const TIMES: u32 = 2;

/// Name of the document of exclusions in the comparison's folder.
pub(crate) const SUGGESTION: &str = "suggestion.json";

/// Folder of what was tried, below the comparison's.
const FOLDER: &str = "suggested";

/// The variable in which a command finds the exclusions' file.
const SNIPPET: &str = "WAFCANARY_SNIPPET";

/// From the rules that the WAF's log names for the regressions, the narrowest exclusions, as text: one rule, one part of the
/// upload, one path. Standard output is that text and nothing else. Exits 0 when every regression has one, 3 when some have
/// none. With `--try`: 0 when all are cured and no control got in, 1 when not, 3 when it can't be told.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary suggest wafcanary-out/20261123T010203Z-compare > exclusions.conf
  wafcanary suggest runs/next 'docx/*' --for azure-app-gateway
  wafcanary suggest runs/next --for aws-waf --rule SizeRestrictions_BODY
  wafcanary suggest runs/next --try './into-staging.sh \"$WAFCANARY_SNIPPET\"' --waf-log /var/log/nginx/modsec_audit.json")]
pub(crate) struct SuggestArgs {
    /// Folder of a comparison
    #[arg(value_name = "COMPARISON")]
    comparison: PathBuf,
    /// Only regressions whose id matches one of these globs
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Language of the exclusions: modsecurity (version 2 or 3, as the log tells), modsecurity2, modsecurity3, aws-waf,
    /// cloudflare, azure-app-gateway, azure-front-door or cloud-armor [default: what the log or the answers tell, else
    /// modsecurity]
    #[arg(long = "for", env = "WAFCANARY_FOR", value_name = "LANGUAGE", value_parser = parse_language)]
    language: Option<Named>,
    /// A rule that refuses the cases, as the vendor's console names it, and what it looks at: in place of what the WAF's log
    /// says. Repeatable
    #[arg(long = "rule", env = "WAFCANARY_RULE", value_name = "RULE[=VARIABLE[:FIELD]]", value_delimiter = ',')]
    rules: Vec<String>,
    /// First id of the new rules of ModSecurity; ids up to 99,999 are for local use
    #[arg(long, env = "WAFCANARY_FIRST_ID", value_name = "N", default_value_t = 90_001, value_parser = clap::value_parser!(u32).range(1..=99_000))]
    first_id: u32,
    /// Shell command that puts the file `$WAFCANARY_SNIPPET` into the staging WAF and reloads it. Then regressions and controls
    /// are sent again; what the next rule refuses is excluded too, 5 rounds at most
    #[arg(long = "try", env = "WAFCANARY_TRY", value_name = "COMMAND")]
    command: Option<String>,
    /// The candidate; by default the profile that was compared
    #[arg(long, env = "WAFCANARY_PROFILE", value_name = "PROFILE")]
    profile: Option<PathBuf>,
    /// One JSON document instead of text
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
    #[command(flatten)]
    waf: WafLogOptions,
    #[command(flatten)]
    send: SendOptions,
}

/// A language under the name that it was given by.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    name: String,
    language: Language,
}

fn parse_language(name: &str) -> std::result::Result<Named, String> {
    let language = Language::parse(name).ok_or_else(|| {
        let names = Language::ALL.map(|(name, _)| name).join(", ");
        format!("known languages: {names}")
    })?;
    Ok(Named { name: name.to_owned(), language })
}

/// What everything is made from.
struct Subject<'a> {
    comparison: &'a Comparison,
    wanted: Vec<&'a ComparedCase>,
    cases: HashMap<CaseId, Case>,
    profile: &'a Profile,
    replayer: Replayer,
    given: Vec<Fired>,
    blamed: HashMap<CaseId, Vec<Factor>>,
}

pub(crate) fn suggest(args: &SuggestArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let dir = &args.comparison;
    let comparison = Comparison::read(&dir.join(COMPARISON))?;
    let wanted = chosen(&comparison, &args.cases, is_wanted, "exclude")?;
    let kept: CompareArgs = session::kept_options(dir)?;
    let path = candidate_profile(args.profile.as_ref(), &kept, "a profile tells the path of the uploads")?;
    let named = language(args, &comparison);
    let given = given(&args.rules)?;
    let runtime = session::runtime()?;
    runtime.block_on(async {
        let edge = if args.command.is_some() && !args.send.dry_run {
            Some(Edge::open(&path, &args.send, console).await?)
        } else {
            None
        };
        let profile = match &edge {
            Some(edge) => edge.profile.clone(),
            // Nothing is sent, so production needs no leave.
            None => Arc::new(edge::load(&path, &SendOptions { dry_run: true, ..args.send.clone() })?),
        };
        let selected = session::select(&kept.select, settings, &[&profile], console)?;
        let subject = Subject {
            comparison: &comparison,
            cases: selected.cases.iter().map(|case| (case.id.clone(), case.clone())).collect(),
            profile: &profile,
            replayer: Replayer::new(profile.clone(), "suggest")?,
            given,
            blamed: blamed(dir)?,
            wanted,
        };
        let mut suggestion = Suggestion::default();
        subject.add(&mut suggestion, &subject.compared())?;
        let Some(command) = &args.command else {
            let document = SuggestionDocument::new(&named.name, suggestion, named.language, args.first_id, Vec::new());
            let whole = document.is_whole();
            keep(&document, dir)?;
            show(&document, args.json, console)?;
            return Ok(if whole { ExitCode::Passed } else { ExitCode::Inconclusive });
        };
        let logs = if args.waf.waf_log.is_empty() { &kept.waf } else { &args.waf };
        let before = subject.sent();
        if args.send.dry_run {
            return dry_run::print(&of(&selected, &before), &[(&profile, TIMES)], 0, console);
        }
        let trial = Trial { args, named: &named, command, logs, profile: &profile, selected: &selected, console };
        let (rounds, ending) = trial.rounds(&subject, &before, &mut suggestion).await?;
        let document = SuggestionDocument::new(&named.name, suggestion, named.language, args.first_id, rounds);
        keep(&document, dir)?;
        show(&document, args.json, console)?;
        Ok(ending)
    })
}

/// Keeps the document beside the comparison, for its report.
fn keep(document: &SuggestionDocument, dir: &Path) -> Result<()> {
    let path = dir.join(SUGGESTION);
    let cannot = |error: &dyn std::fmt::Display| {
        Error::inconclusive(format!("cannot write the exclusions: {error}")).file(&path)
    };
    let text = serde_json::to_string_pretty(document).map_err(|error| cannot(&error))?;
    session::replace(&path, &(text + "\n")).map_err(|error| cannot(&error))
}

fn show(document: &SuggestionDocument, json: bool, console: &Console) -> Result<()> {
    for line in suggestion_lines(document) {
        console.note(&line);
    }
    if json {
        return Console::json(document);
    }
    console.out(&document.snippet.text)
}

/// The refused legitimate cases, and those that would be refused.
fn is_wanted(case: &ComparedCase) -> bool {
    case.intent == Intent::Legit && is_refused(case.class)
}

fn is_refused(class: Class) -> bool {
    match class {
        Class::NewlyBlocked | Class::NewlyAltered | Class::WouldBlock => true,
        Class::ProtectionLost
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

/// The language that was asked for, or that the candidate's log or answers tell.
fn language(args: &SuggestArgs, comparison: &Comparison) -> Named {
    let formats = || comparison.candidate.waf_logs.iter().filter_map(|log| log.format.as_deref());
    let second = formats().any(|format| format.starts_with("modsecurity2") || format == "apache-error");
    let engine = if second { Engine::Two } else { Engine::Three };
    let modsecurity = || Named { name: "modsecurity".to_owned(), language: Language::ModSecurity(engine) };
    match &args.language {
        Some(named) if named.name == "modsecurity" => return modsecurity(),
        Some(named) => return named.clone(),
        None => {}
    }
    let sides = comparison.cases.iter().filter(|case| is_refused(case.class));
    let mut signatures = sides.filter_map(|case| case.candidate.as_ref()?.signature.as_deref());
    let answered = signatures.find_map(Language::of_signature);
    let told = match formats().next() {
        Some("aws-waf") => Some(Language::AwsWaf),
        Some("cloudflare") => Some(Language::Cloudflare),
        Some("cloud-armor") => Some(Language::CloudArmor),
        // Both products of Azure write it.
        Some("azure-waf") if answered == Some(Language::AzureFrontDoor) => answered,
        Some("azure-waf") => Some(Language::AzureAppGateway),
        Some(_) => None,
        None => answered,
    };
    let name = Language::ALL.iter().find(|(_, language)| Some(*language) == told);
    name.map_or_else(modsecurity, |(name, language)| Named { name: (*name).to_owned(), language: *language })
}

/// The rules of `--rule`.
fn given(rules: &[String]) -> Result<Vec<Fired>> {
    let mut given = Vec::new();
    for text in rules {
        let (rule, variable) = text.split_once('=').map_or((text.as_str(), None), |(rule, it)| (rule, Some(it)));
        let wrong = |message: String, help: &str| Err(Error::usage(message).key("--rule").help(help));
        if !is_id(rule) {
            return wrong(format!("`{rule}` is no rule"), "give an id or a name of letters, digits and `_-./`");
        }
        if evaluates(rule) {
            return wrong(
                format!("rule `{rule}` adds up the score of all others"),
                "excluding it would switch off the others: give the rules that added the points",
            );
        }
        let target = variable.map(|variable| {
            let name = variable.split_once(':').map(|(_, name)| name.as_bytes().to_vec());
            Target::parse(variable, &Vec::from_iter(name))
        });
        if matches!(target, Some(None)) {
            return wrong(
                format!("`{text}` names no part of a request"),
                "write it as the log does: `ARGS:memo`, `FILES:file`",
            );
        }
        let target = target.flatten();
        given.push(Fired::named(rule, target));
    }
    Ok(given)
}

/// What stored explanations, if there are any, are sure to blame.
fn blamed(dir: &Path) -> Result<HashMap<CaseId, Vec<Factor>>> {
    let stored = Explanations::read(&dir.join(EXPLANATIONS))?;
    let all = stored.into_iter().flat_map(|document| document.explanations);
    Ok(all
        .filter_map(|it| match it.finding {
            Finding::Causes { causes, proven: true, .. } => {
                Some((it.case, causes.iter().flat_map(|cause| &cause.parts).map(|part| part.factor).collect()))
            }
            _ => None,
        })
        .collect())
}

impl Subject<'_> {
    /// What the comparison knows of each wanted case.
    fn compared(&self) -> Vec<(CaseId, Option<&WafEvidence>)> {
        self.wanted
            .iter()
            .map(|case| (case.id.clone(), case.candidate.as_ref().and_then(|side| side.waf.as_deref())))
            .collect()
    }

    /// Takes in what is refused. `false`: nothing changed.
    fn add(&self, suggestion: &mut Suggestion, evidence: &[(CaseId, Option<&WafEvidence>)]) -> Result<bool> {
        let changed = suggestion.add(&self.refusals(evidence)?);
        // A limit may be found in any round.
        if changed && !suggestion.limits.is_empty() {
            suggestion.keep_taking(self.longest_taken()?);
        }
        Ok(changed)
    }

    /// Bytes of the longest body that the candidate delivers.
    fn longest_taken(&self) -> Result<u64> {
        let passed = |side: &SideCase| side.outcome.count() == Count::Pass;
        let taken = self.comparison.cases.iter().filter(|case| case.candidate.as_ref().is_some_and(passed));
        let cases = taken.filter_map(|case| self.cases.get(&case.id));
        cases
            .map(|case| Ok(self.replayer.request(case, "suggest")?.body.len()))
            .try_fold(0, |most, body: Result<u64>| Ok(most.max(body?)))
    }

    fn refusals(&self, evidence: &[(CaseId, Option<&WafEvidence>)]) -> Result<Vec<Refusal>> {
        evidence.iter().map(|(id, evidence)| self.refusal(id, *evidence)).collect()
    }

    fn refusal(&self, id: &CaseId, evidence: Option<&WafEvidence>) -> Result<Refusal> {
        let case = self.cases.get(id).ok_or_else(|| {
            Error::usage(format!("the corpus no longer has `{id}`"))
                .help("use the corpus, and the options, that were compared")
        })?;
        let request = self.replayer.request(case, "suggest")?;
        let place = Place::new(self.profile, &request.method);
        let mut refusal = Refusal::new(id.clone(), place, evidence, &self.fields(case));
        if !self.given.is_empty() {
            refusal.rules.clone_from(&self.given);
        }
        refusal.upload = Upload {
            field: case.filename.page.0.encode(&self.profile.upload.field).0.into_owned(),
            dispositions: request.body.dispositions(),
            body: request.body.len(),
            filename: request.filename.unwrap_or_default(),
        };
        refusal.factors = self.blamed.get(id).cloned();
        Ok(refusal)
    }

    /// The cases that are sent with the exclusions in place: the regressions, and the controls that the candidate kept out.
    fn sent(&self) -> Vec<&ComparedCase> {
        let kept_out = self.comparison.cases.iter().filter(|case| was_kept_out(case));
        let controls = kept_out.filter(|case| self.cases.contains_key(&case.id));
        self.wanted.iter().copied().chain(controls).collect()
    }

    /// Names of the form's fields, as the page's charset writes them.
    fn fields(&self, case: &Case) -> Vec<Vec<u8>> {
        let upload = &self.profile.upload;
        let beside = case.beside.iter().filter_map(|beside| match beside {
            Beside::Text { name, .. } | Beside::EmptyFile { name } => Some(name.as_str()),
            Beside::File { name, .. } => name.as_deref(),
        });
        let names = upload.fields.iter().map(|(name, _)| name.as_str()).chain([upload.field.as_str()]).chain(beside);
        names.map(|name| case.filename.page.0.encode(name).0.into_owned()).collect()
    }
}

/// The selection of these cases alone.
fn of(selected: &Selected, wanted: &[&ComparedCase]) -> Selected {
    let cases = selected.cases.iter().filter(|case| wanted.iter().any(|wanted| wanted.id == case.id));
    let cases: Vec<Case> = cases.cloned().collect();
    let (corpus, folder) = (selected.corpus.clone(), selected.folder.clone());
    Selected { corpus, folder, digest: selection_digest(&cases), cases: cases.into() }
}

/// Exclusions that are tried.
struct Trial<'a> {
    args: &'a SuggestArgs,
    named: &'a Named,
    command: &'a str,
    logs: &'a WafLogOptions,
    profile: &'a Arc<Profile>,
    selected: &'a Selected,
    console: &'a Console,
}

impl Trial<'_> {
    /// Puts the exclusions in place, sends, and adds what the next rule needs, until all are cured or nothing more is known.
    async fn rounds(
        &self,
        subject: &Subject<'_>,
        before: &[&ComparedCase],
        suggestion: &mut Suggestion,
    ) -> Result<(Vec<Round>, ExitCode)> {
        if before.len() == subject.wanted.len() {
            self.console
                .warn("no control that the candidate keeps out is sent, so a lost protection would not be seen");
        }
        let folder = self.folder();
        let mut rounds: Vec<Round> = Vec::new();
        for number in 1..=MOST_ROUNDS {
            let snippet = suggestion.snippet(self.named.language, self.args.first_id);
            if snippet.text.is_empty() {
                return Ok((rounds, ExitCode::Inconclusive));
            }
            if !self.put_in_place(&folder, number, &snippet.text).await? {
                return Ok((rounds, ExitCode::Interrupted));
            }
            let Some(run) = self.send(&folder, number, before).await? else {
                return Ok((rounds, ExitCode::Interrupted));
            };
            let round = Round::judge(number, suggestion.len(), before, &run);
            for line in trial_lines(&round) {
                self.console.note(&line);
            }
            let (refused, let_in, unclear) =
                (round.refused.clone(), !round.let_in.is_empty(), !round.unclear.is_empty());
            rounds.push(round);
            match () {
                () if let_in => return Ok((rounds, ExitCode::Failed)),
                () if unclear => return Ok((rounds, ExitCode::Inconclusive)),
                () if refused.is_empty() => return Ok((rounds, ExitCode::Passed)),
                () if number == MOST_ROUNDS => {}
                () => {
                    let said: HashMap<&CaseId, Option<&WafEvidence>> =
                        run.cases.iter().map(|record| (&record.case, record.waf.as_deref())).collect();
                    let evidence: Vec<_> =
                        refused.iter().map(|id| (id.clone(), said.get(id).copied().flatten())).collect();
                    if !subject.add(suggestion, &evidence)? {
                        break;
                    }
                }
            }
        }
        Ok((rounds, ExitCode::Failed))
    }

    /// A new folder for what is tried now.
    fn folder(&self) -> PathBuf {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ").to_string();
        self.args.comparison.join(FOLDER).join(now)
    }

    /// Writes the exclusions and lets the command put them in place. `false`: it was interrupted.
    async fn put_in_place(&self, folder: &Path, number: u32, text: &str) -> Result<bool> {
        let extension = match self.named.language {
            Language::ModSecurity(_) => "conf",
            Language::CloudArmor => "sh",
            Language::AwsWaf | Language::Cloudflare | Language::AzureAppGateway | Language::AzureFrontDoor => "json",
        };
        let file = folder.join(format!("round-{number}.{extension}"));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| Error::inconclusive(format!("cannot write the exclusions: {error}")).file(&file))?;
        // The command may change its folder.
        let file = std::path::absolute(&file).unwrap_or(file);
        let failed = |what: String| {
            Error::inconclusive(format!("the exclusions are not in place: {what}")).key("--try").help(format!(
                "`sh -c` ran the command with the file's path in `${SNIPPET}`; run it by hand to see why: {SNIPPET}='{}'",
                file.display()
            ))
        };
        let mut stop = session::stop_on_signal();
        let mut child = Command::new("sh")
            .args(["-c", self.command])
            .env(SNIPPET, &file)
            .stdin(Stdio::null())
            // Standard output is for the exclusions alone.
            .stdout(std::io::stderr())
            .spawn()
            .map_err(|error| failed(format!("`sh` can't be started: {error}")))?;
        loop {
            if let Some(status) = child.try_wait().map_err(|error| failed(error.to_string()))? {
                return if status.success() {
                    Ok(true)
                } else {
                    Err(failed(format!("the command ended with {status}")))
                };
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
                _ = stop.wait_for(|stop| *stop) => {
                    // It may have ended meanwhile.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(false);
                }
            }
        }
    }

    /// Sends regressions and controls. `None`: it was interrupted.
    async fn send(&self, folder: &Path, number: u32, before: &[&ComparedCase]) -> Result<Option<Run>> {
        let selected = of(self.selected, before);
        let dir = folder.join(format!("round-{number}"));
        let lap = Lap {
            side: SideName::Candidate,
            profile: self.profile.clone(),
            dir: dir.clone(),
            rounds: TIMES,
            operator: self.args.send.operator.clone(),
            pacer: None,
            selected: &selected,
            waf_logs: self.logs.sources(SideName::Candidate, true)?,
        };
        if session::send(vec![lap], TIMES, false, self.console).await? {
            return Ok(None);
        }
        Run::read(&dir).map(Some)
    }
}
