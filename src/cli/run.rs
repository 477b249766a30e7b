//! `wafcanary run`: one edge, one record.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::beside;
use super::console::Console;
use super::dry_run;
use super::edge::{self, Edge};
use super::github;
use super::options::{OutputOptions, SelectOptions, SendOptions, WafLogOptions};
use super::session::{self, Lap};
use super::settings::Settings;
use crate::compare::{Decision, decide_run};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::report::{self, Format, Options};
use crate::run::{Run, SideName};

/// The outcome of each case goes to the record and to the report; the exit code says whether every legitimate file was
/// delivered and every control kept out.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[command(after_help = "\
Examples:
  wafcanary run --profile profiles/lab/standard.toml
  wafcanary run --profile staging.toml --corpus attachments/ --set smoke --dry-run
  wafcanary run --profile staging.toml --out runs/2026-11-23 --write junit=report.xml
  wafcanary run --profile staging.toml --waf-log /var/log/nginx/modsec_audit.json
  wafcanary run --resume runs/2026-11-23")]
pub(crate) struct RunArgs {
    /// Where uploads go and what proves their delivery
    #[arg(long, env = "WAFCANARY_PROFILE", value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Ask the edge for each case N times; what disagrees with itself is flaky
    #[arg(long, env = "WAFCANARY_ROUNDS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    send: SendOptions,
    #[command(flatten)]
    #[serde(default)]
    waf: WafLogOptions,
    #[command(flatten)]
    #[serde(skip)]
    output: OutputOptions,
}

impl RunArgs {
    /// Where the record goes.
    pub(crate) fn output_mut(&mut self) -> &mut OutputOptions {
        &mut self.output
    }
}

pub(crate) fn run(mut args: RunArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let resume = args.output.resume.clone();
    if let Some(dir) = &resume {
        let output = args.output;
        args = RunArgs { output, ..session::kept_options(dir)? };
    }
    let Some(profile) = args.profile.clone().or_else(|| settings.profile.clone()) else {
        return Err(Error::usage("no profile is given").key("--profile").help(
            "write a profile (`wafcanary profile list` shows presets), or try `--profile profiles/lab/standard.toml`",
        ));
    };
    args.waf.refuse_sides()?;
    if args.send.dry_run {
        let profile = edge::load(&profile, &args.send)?;
        let selected = session::select(&args.select, settings, &[&profile], console)?;
        return dry_run::print(&selected, &[(&profile, args.rounds)], 0, console);
    }
    // A resumed run reads them whole: its first part was sent before now.
    let waf_logs = args.waf.sources(SideName::Baseline, resume.is_none())?;
    let writes = session::open_writes(&args.output.write)?;
    let dir = resume.clone().unwrap_or_else(|| session::output_folder(args.output.out.as_ref(), "run"));
    let runtime = session::runtime()?;
    let interrupted = runtime.block_on(async {
        let edge = Edge::open(&profile, &args.send, console).await?;
        let selected = session::select(&args.select, settings, &[&edge.profile], console)?;
        if resume.is_none() {
            session::keep_options(&dir, &args)?;
        }
        let lap = Lap {
            side: SideName::Baseline,
            profile: edge.profile.clone(),
            dir: dir.clone(),
            rounds: args.rounds,
            operator: args.send.operator.clone(),
            pacer: None,
            selected: &selected,
            waf_logs,
        };
        session::send(vec![lap], args.rounds, resume.is_some(), console).await
    })?;
    console.note(&format!("record: {}", dir.display()));
    if interrupted {
        console.note(&format!("interrupted; go on with: wafcanary run --resume {}", dir.display()));
        return Ok(ExitCode::Interrupted);
    }
    let run = Run::read(&dir)?;
    let formats: Vec<Format> = writes.iter().map(|(format, ..)| *format).chain([args.output.format]).collect();
    let beside = beside::of_run(&run, &dir, &formats)?;
    let stored = Options { lang: args.output.lang.lang, beside, ..Options::default() };
    let decision = decide_run(&run).0;
    github::hand_on(&report::github_decision(decision), console);
    let summary = |budget, out: &mut dyn std::io::Write| {
        report::render_run(&run, Format::Markdown, &Options { budget, ..Options::default() }, out)
    };
    github::summarise(summary, console);
    for (format, path, file) in &writes {
        session::fill(path, file, |out| report::render_run(&run, *format, &stored, out))?;
    }
    let options = Options { width: Console::width(), colour: console.colour(), ..stored };
    console.report(args.output.format, |out| report::render_run(&run, args.output.format, &options, out))?;
    Ok(exit_code(decision))
}

pub(crate) fn exit_code(decision: Decision) -> ExitCode {
    match decision {
        Decision::Pass => ExitCode::Passed,
        Decision::Fail => ExitCode::Failed,
        Decision::Inconclusive => ExitCode::Inconclusive,
    }
}
