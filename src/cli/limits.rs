//! `wafcanary limits`: where the limits of one edge lie, or of two beside each other.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::console::Console;
use super::edge::{self, Edge};
use super::options::SendOptions;
use super::session;
use super::settings::Settings;
use crate::corpus::Transport;
use crate::corpus::manifest::parse_size;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::explain::Questions;
use crate::explain::limits::{EdgeLimits, LimitsDocument, Plan, Quantity, Survey, Wanted};
use crate::profile::Profile;
use crate::replay::Replayer;
use crate::report;
use crate::report::text::grouped;

/// Version of the JSON document.
const SCHEMA_VERSION: u32 = 1;

/// The smallest `--max-size`: room for a small file and what a form puts round it.
const LEAST_SIZE: u64 = 16 << 10;

/// The largest `--max-size`: such bodies are sent some forty times for each format, which takes days already.
const MOST_SIZE: u64 = 16 << 30;

/// Limits of the size count the whole body of the request: the file's size and the body's are both told. What is found is
/// asked for again, and where the answers differ no limit is told. A limit of the application behind the edge is found as
/// well; how it is refused tells the two apart. Exits 0 when all is measured, 3 when some is not.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary limits --profile profiles/lab/upper.toml
  wafcanary limits --profile now.toml next.toml --max-size 100MB
  wafcanary limits --profile next.toml --only size,window --transport put
  wafcanary limits --profile next.toml --dry-run")]
pub(crate) struct LimitsArgs {
    /// The edge; a second one is measured beside it
    #[arg(long = "profile", env = "WAFCANARY_PROFILE", value_name = "FILE", num_args = 1..=2, value_delimiter = ',')]
    profiles: Vec<PathBuf>,
    /// Only these limits: size, text (of a field), filename, files, fields, part-headers, window (how much is inspected) [default: all]
    #[arg(long, env = "WAFCANARY_ONLY", value_name = "LIMIT", value_delimiter = ',', value_parser = parse_quantity)]
    only: Vec<Quantity>,
    /// How the file travels: multipart, put or base64-json; repeatable [default: as the profile says]
    #[arg(long = "transport", env = "WAFCANARY_TRANSPORT", value_name = "TRANSPORT", value_delimiter = ',', value_parser = parse_transport)]
    transports: Vec<Transport>,
    /// The largest request body that is sent
    #[arg(long, env = "WAFCANARY_MAX_SIZE", value_name = "SIZE", default_value = "16MiB", value_parser = parse_max_size)]
    max_size: u64,
    /// One JSON document instead of text
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
    /// Requests a second at most, instead of the profile's `pace.rate`; 0: unpaced
    #[arg(long, env = "WAFCANARY_RATE", value_name = "N")]
    rate: Option<f64>,
    /// Send to a profile whose environment is `production`
    #[arg(long, env = "WAFCANARY_ALLOW_PRODUCTION", value_parser = clap::builder::BoolishValueParser::new())]
    allow_production: bool,
    /// Print how many requests and bytes would be sent, and send nothing
    #[arg(long, env = "WAFCANARY_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    dry_run: bool,
}

fn parse_quantity(name: &str) -> std::result::Result<Quantity, String> {
    Quantity::parse(name).ok_or_else(|| format!("known limits: {}", Quantity::ALL.map(Quantity::as_str).join(", ")))
}

fn parse_transport(name: &str) -> std::result::Result<Transport, String> {
    const ALL: [Transport; 3] = [Transport::Multipart, Transport::Put, Transport::Base64Json];
    let found = ALL.into_iter().find(|transport| transport.as_str() == name);
    found.ok_or_else(|| format!("known transports: {}", ALL.map(Transport::as_str).join(", ")))
}

fn parse_max_size(text: &str) -> std::result::Result<u64, String> {
    match parse_size(text) {
        None => Err("write bytes, or a number with B, KB, MB, GB, KiB, MiB or GiB, such as `100MB`".to_owned()),
        Some(size) if size < LEAST_SIZE => Err(format!("give {LEAST_SIZE} bytes or more")),
        Some(size) if size > MOST_SIZE => Err("give 16GiB or less: bodies of that size are sent many times".to_owned()),
        Some(size) => Ok(size),
    }
}

pub(crate) fn limits(args: &LimitsArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let profiles = match &args.profiles[..] {
        [] => settings.profile.clone().into_iter().collect(),
        given => given.to_vec(),
    };
    if profiles.is_empty() || profiles.len() > 2 {
        let message = if profiles.is_empty() { "no profile is given" } else { "more than two profiles are given" };
        return Err(Error::usage(message)
            .key("--profile")
            .help("give the profile of an edge, or of two that are measured beside each other"));
    }
    let send = SendOptions {
        rate: args.rate,
        concurrency: None,
        allow_production: args.allow_production,
        dry_run: args.dry_run,
        operator: None,
    };
    if args.dry_run {
        let mut text = "nothing is sent: this is what would be\n".to_owned();
        for path in &profiles {
            let profile = Arc::new(edge::load(path, &send)?);
            let planned = survey(&profile, args)?.plan()?;
            let _ = writeln!(text, "{}", told(&profile, &planned));
        }
        console.out(&text)?;
        return Ok(ExitCode::Passed);
    }
    let (edges, interrupted) = session::runtime()?.block_on(measure(&profiles, args, &send, console))?;
    let known = edges.iter().all(EdgeLimits::is_known);
    let document = LimitsDocument { schema_version: SCHEMA_VERSION, edges };
    if args.json {
        Console::json(&document)?;
    } else {
        console.render(|out| report::render_limits(&document, out))?;
    }
    Ok(match () {
        () if interrupted => ExitCode::Interrupted,
        () if known => ExitCode::Passed,
        () => ExitCode::Inconclusive,
    })
}

/// Measures one edge after the other; the second value: a signal ended it.
async fn measure(
    profiles: &[PathBuf],
    args: &LimitsArgs,
    send: &SendOptions,
    console: &Console,
) -> Result<(Vec<EdgeLimits>, bool)> {
    let mut opened = Vec::new();
    for path in profiles {
        let edge = Edge::open(path, send, console).await?;
        let survey = survey(&edge.profile, args)?;
        console.note(&told(&edge.profile, &survey.plan()?));
        opened.push((edge, survey));
    }
    let mut stop = session::stop_on_signal();
    let mut interrupted = false;
    let mut edges = Vec::new();
    for (edge, mut survey) in opened {
        let say = |what: &str| {
            if console.progress_bar().is_some() {
                console.note(&format!("{}: {what}", edge.profile.name));
            }
        };
        if !interrupted {
            tokio::select! {
                () = survey.run(say) => {}
                _ = stop.wait_for(|stop| *stop) => interrupted = true,
            }
        }
        edges.push(survey.into_limits(interrupted.then_some("interrupted")));
    }
    Ok((edges, interrupted))
}

fn survey(profile: &Arc<Profile>, args: &LimitsArgs) -> Result<Survey> {
    let or = |given: &[_], own| if given.is_empty() { own } else { given.to_vec() };
    let mut quantities = if args.only.is_empty() { Quantity::ALL.to_vec() } else { args.only.clone() };
    // Its bytes look like attacks: who has not agreed to controls is not sent them.
    if !profile.guard.authorized {
        if args.only.contains(&Quantity::Window) {
            return Err(Error::usage(format!("profile `{}` agrees to no controls", profile.name))
                .key("guard.authorized")
                .help("the inspection window is found with bytes that look like attacks; set `authorized = true`, or leave out `window`"));
        }
        quantities.retain(|quantity| *quantity != Quantity::Window);
    }
    let wanted = Wanted {
        quantities,
        transports: or(&args.transports, vec![profile.upload.transport]),
        max_size: args.max_size,
    };
    let questions = Questions::new(Replayer::new(profile.clone(), "limits")?, profile.clone());
    Survey::new(questions, wanted)
}

/// What an edge is about to be sent.
fn told(profile: &Profile, plan: &Plan) -> String {
    let mut text = format!(
        "limits of `{}` ({}): {} requests and {} bytes where nothing is refused, {} requests and {} bytes at most",
        profile.name,
        profile.target.url(),
        plan.least_requests,
        grouped(plan.least_bytes),
        plan.most_requests,
        grouped(plan.most_bytes)
    );
    if !profile.guard.authorized {
        text.push_str("; the inspection window is not looked for: `guard.authorized` is not true");
    }
    let over = |ceiling: Option<u64>, most: u64| ceiling.filter(|ceiling| *ceiling < most);
    let pace = &profile.pace;
    if over(pace.max_requests, plan.most_requests.into()).is_some() || over(pace.max_bytes, plan.most_bytes).is_some() {
        text.push_str("; `pace.max_requests` or `pace.max_bytes` may end it before");
    }
    text
}
