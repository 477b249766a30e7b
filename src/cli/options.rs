//! Flags that several commands share.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::corpus::Client;
use crate::error::{Error, Result};
use crate::report::{Format, Lang};
use crate::run::{LogSource, SideName};
use crate::waf_log::{self, Position};

/// Which attachments, and which cases are made from them.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "What is sent")]
pub(crate) struct SelectOptions {
    /// Folder of attachments, with a manifest.toml or without; the built-in corpus when left out
    #[arg(long, env = "WAFCANARY_CORPUS", value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    /// How many cases are made: `smoke` (at most 20), `standard` (each file once, each axis value at least once per
    /// file kind) or `full` (all combinations) [default: standard]
    #[arg(long, env = "WAFCANARY_SET", value_name = "SET")]
    pub(crate) set: Option<SetName>,
    /// Only cases whose id matches the glob; repeatable
    #[arg(long = "case", env = "WAFCANARY_CASE", value_name = "GLOB", value_delimiter = ',')]
    pub(crate) cases: Vec<String>,
    /// No cases whose id matches the glob; repeatable
    #[arg(long, env = "WAFCANARY_EXCLUDE", value_name = "GLOB", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
    /// Only attachments with this tag; repeatable
    #[arg(long = "tag", env = "WAFCANARY_TAG", value_name = "TAG", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// Only attachments of this procedure (手続); repeatable
    #[arg(long = "procedure", env = "WAFCANARY_PROCEDURE", value_name = "NAME", value_delimiter = ',')]
    pub(crate) procedures: Vec<String>,
    /// Write the requests as these clients do, instead of those that the manifest names; repeatable
    #[arg(long = "client", env = "WAFCANARY_CLIENT", value_name = "CLIENT", value_delimiter = ',', value_parser = parse_client)]
    pub(crate) clients: Vec<Client>,
    /// Send each case N times more, each time with another boundary of the client's shape
    #[arg(long, env = "WAFCANARY_FUZZ_BOUNDARY", value_name = "N", default_value_t = 0)]
    pub(crate) fuzz_boundary: u32,
}

/// The sets of cases, as flags and settings name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetName {
    /// At most 20 cases.
    Smoke,
    /// Each file once, each axis value at least once per file kind.
    Standard,
    /// All combinations.
    Full,
}

/// What the WAF itself wrote.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "What the WAF says")]
pub(crate) struct WafLogOptions {
    /// Log of the WAF: a file, or the folder of a concurrent audit log. Its rules go into record and reports, and a case
    /// that a rule in detection mode would refuse is told. SIDE, in comparisons, is `baseline` or `candidate`: without it
    /// the log is read for both. FORMAT is found out where it is left out. Repeatable
    #[arg(long, env = "WAFCANARY_WAF_LOG", value_name = "[SIDE=]FILE[:FORMAT]", value_delimiter = ',', value_parser = parse_waf_log)]
    #[serde(default)]
    pub(crate) waf_log: Vec<WafLogOption>,
}

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WafLogOption {
    /// `None`: both.
    pub(crate) side: Option<SideName>,
    pub(crate) path: PathBuf,
    pub(crate) format: waf_log::Format,
}

impl WafLogOptions {
    /// The logs of one side, from where they end now, or whole: for what was sent before.
    pub(crate) fn sources(&self, side: SideName, from_now: bool) -> Result<Vec<LogSource>> {
        let of_side = self.waf_log.iter().filter(|log| log.side.is_none_or(|of| of == side));
        of_side
            .map(|log| {
                if !log.path.exists() {
                    return Err(Error::usage("there is no such log").file(&log.path).key("--waf-log").help(
                        "give the file that `SecAuditLog` or `error_log` names, readable from here; see docs/waf-logs.md",
                    ));
                }
                let from = if from_now { Position::now(&log.path)? } else { Position::start() };
                Ok(LogSource { path: log.path.clone(), format: log.format, from })
            })
            .collect()
    }

    /// A single run has no sides.
    pub(crate) fn refuse_sides(&self) -> Result<()> {
        match self.waf_log.iter().find(|log| log.side.is_some()) {
            Some(log) => Err(Error::usage("a run has one edge, so its log has no side")
                .key("--waf-log")
                .help(format!("write `--waf-log {}`", log.path.display()))),
            None => Ok(()),
        }
    }
}

fn parse_waf_log(text: &str) -> std::result::Result<WafLogOption, String> {
    let (side, rest) = match text.split_once('=') {
        Some(("baseline", rest)) => (Some(SideName::Baseline), rest),
        Some(("candidate", rest)) => (Some(SideName::Candidate), rest),
        Some(_) | None => (None, text),
    };
    let named = rest.rsplit_once(':').map(|(path, name)| (path, name, name.parse::<waf_log::Format>()));
    let (path, format) = match named {
        Some((path, _, Ok(format))) => (path, format),
        Some((path, name, Err(_))) if !path.is_empty() && !name.contains(['/', '\\', '.']) => {
            let known = waf_log::Format::ALL.map(waf_log::Format::as_str).join(", ");
            return Err(format!("`{name}` is no format of a log; known formats: {known}"));
        }
        Some(_) | None => (rest, waf_log::Format::Auto),
    };
    if path.is_empty() {
        return Err("name a file".to_owned());
    }
    Ok(WafLogOption { side, path: path.into(), format })
}

/// How it is sent.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "How it is sent")]
pub(crate) struct SendOptions {
    /// Requests a second at most, instead of the profile's `pace.rate`; 0: unpaced
    #[arg(long, env = "WAFCANARY_RATE", value_name = "N")]
    pub(crate) rate: Option<f64>,
    /// Requests under way at once, instead of the profile's `pace.concurrency`
    #[arg(long, env = "WAFCANARY_CONCURRENCY", value_name = "N")]
    pub(crate) concurrency: Option<usize>,
    /// Who runs it, for the record and the HTML report: a name or a role
    #[arg(long, env = "WAFCANARY_OPERATOR", value_name = "WHO")]
    #[serde(default)]
    pub(crate) operator: Option<String>,
    /// Send to a profile whose environment is `production`
    #[arg(long, env = "WAFCANARY_ALLOW_PRODUCTION", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) allow_production: bool,
    /// Print what would be sent (cases, requests, bytes, hosts, time), and send nothing
    #[arg(long, env = "WAFCANARY_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    #[serde(skip)]
    pub(crate) dry_run: bool,
}

/// Where the record goes, and what is shown.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "What comes out")]
pub(crate) struct OutputOptions {
    /// Folder for the record; must not hold one yet [default: wafcanary-out/TIME-COMMAND]
    #[arg(long, env = "WAFCANARY_OUT", value_name = "DIR")]
    #[serde(skip)]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run or comparison in this folder, with the options that it was started with
    #[arg(long, env = "WAFCANARY_RESUME", value_name = "DIR", conflicts_with = "dry_run")]
    #[serde(skip)]
    pub(crate) resume: Option<PathBuf>,
    /// Format of standard output: terminal, json, jsonl, junit, markdown, csv, sarif, github or html
    #[arg(long, env = "WAFCANARY_FORMAT", value_name = "FORMAT", default_value = "terminal", value_parser = parse_format)]
    #[serde(skip)]
    pub(crate) format: Format,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) lang: LangOption,
    /// Also write this format to a file; repeatable: `--write junit=report.xml --write markdown=comment.md`
    #[arg(long, env = "WAFCANARY_WRITE", value_name = "FORMAT=FILE", value_delimiter = ',', value_parser = parse_write)]
    #[serde(skip)]
    pub(crate) write: Vec<(Format, PathBuf)>,
}

/// The language of reports that are handed on.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct LangOption {
    /// Language of the HTML report, and of Markdown and XLSX of a matrix: en, ja, or auto, which is that of the locale
    #[arg(long, env = "WAFCANARY_LANG", value_name = "LANG", default_value = "auto", value_parser = parse_lang)]
    pub(crate) lang: Lang,
}

impl OutputOptions {
    /// `--out` and `--resume`.
    pub(crate) fn folders(&mut self) -> (&mut Option<PathBuf>, &mut Option<PathBuf>) {
        (&mut self.out, &mut self.resume)
    }
}

fn parse_lang(name: &str) -> std::result::Result<Lang, String> {
    Lang::parse(name, |name| std::env::var(name).ok()).ok_or_else(|| "known languages: en, ja, auto".to_owned())
}

fn parse_client(name: &str) -> std::result::Result<Client, String> {
    Client::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Client::ALL.iter().map(|(name, _)| *name).collect();
        format!("known clients: {}", names.join(", "))
    })
}

pub(crate) fn parse_format(name: &str) -> std::result::Result<Format, String> {
    Format::parse(name).ok_or_else(|| format!("known formats: {}", Format::ALL.map(Format::as_str).join(", ")))
}

fn parse_write(text: &str) -> std::result::Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write it as FORMAT=FILE, for example junit=report.xml")?;
    Ok((parse_format(format)?, PathBuf::from(file)))
}
