//! The preflight of `compare` and `matrix`, and `profile check`: what it found, as people read it, and whether to go on.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::console::Console;
use super::edge::Edge;
use super::session::Selected;
use crate::corpus::Case;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::profile::Profile;
use crate::replay::pace::Pacer;
use crate::report::text::visible;
use crate::run::SideName;
use crate::run::preflight::{Check, Facts, Finding, Level, MOST_UPLOADS, Preflight, controls, differ, examine};

/// Body bytes of one upload of a preflight at most: a small file and what a form puts round it.
const MOST_BYTES: u64 = 4096;

/// A side of a comparison that is about to be sent to.
pub(crate) struct Side<'a> {
    pub(crate) which: SideName,
    /// `baseline`, `candidate`, or which of many edges.
    pub(crate) name: &'a str,
    /// The profile as it was given.
    pub(crate) path: &'a Path,
    pub(crate) profile: &'a Arc<Profile>,
    /// Times that each case is asked.
    pub(crate) rounds: u32,
}

/// Asks each side by a few uploads whether sending the corpus can prove anything. Gives each side's pace as it is then;
/// `None`: it was not asked.
///
/// # Errors
/// Inconclusive: a side cannot be asked, bans us, or is a baseline that does not even deliver a benign file.
pub(crate) async fn before(
    sides: &[Side<'_>],
    selected: &Selected,
    allow_same_edge: bool,
    console: &Console,
) -> Result<Vec<Option<Pacer>>> {
    let mut asked = Vec::new();
    for side in sides {
        if has_room(side, selected) {
            asked.push(side);
        } else {
            console.note(&format!(
                "preflight: the {} is not asked: `pace.max_requests` or `pace.max_bytes` leaves no room for {MOST_UPLOADS} \
                 more uploads",
                side.name
            ));
        }
    }
    let profiles: Vec<_> = asked.iter().map(|side| (side.name, side.profile)).collect();
    // As with the corpus: controls are sent only where both owners agreed.
    let authorized = sides.iter().all(|side| side.profile.guard.authorized);
    let probed = probe_each(&profiles, authorized, console).await?;
    let mut found: Vec<(Option<&Side<'_>>, Finding)> = Vec::new();
    for (side, (facts, _)) in asked.iter().zip(&probed) {
        found.extend(examine(facts, side.profile).into_iter().map(|finding| (Some(*side), finding)));
    }
    merge_waf_off(&mut found, sides.len());
    if let ([baseline, candidate], [(ours, _), (theirs, _)], false) = (&asked[..], &probed[..], allow_same_edge) {
        found.extend(differ((ours, baseline.profile), (theirs, candidate.profile)).map(|finding| (None, finding)));
    }
    let mut ends = None;
    for (side, finding) in found.into_iter().filter(|(_, finding)| finding.level > Level::Skipped) {
        match side {
            Some(side) if ends.is_none() && ends_comparison(side.which, &finding) => ends = Some((side, finding)),
            side => console.warn(&warning(side.map(|side| side.name), &finding)),
        }
    }
    if let Some((side, finding)) = ends {
        return Err(error(side, &finding));
    }
    let mut pacers = probed.into_iter().map(|(_, preflight)| preflight.into_pacer());
    let was_asked = |side: &Side<'_>| asked.iter().any(|other| std::ptr::eq(*other, side));
    Ok(sides.iter().map(|side| if was_asked(side) { pacers.next() } else { None }).collect())
}

/// Whether the profile's ceilings leave room for a preflight beside the corpus. Cases that are asked again, and canary
/// controls after refusals, may double what is planned: a preflight must not be what a run then misses.
fn has_room(side: &Side<'_>, selected: &Selected) -> bool {
    let pace = &side.profile.pace;
    let uploads = selected.cases.len() as u64 * u64::from(side.rounds);
    let canaries = uploads.checked_div(pace.canary_every).map_or(0, |canaries| canaries + 1);
    let requests = (uploads + canaries) * 2 + MOST_UPLOADS;
    let files: u64 = selected.cases.iter().map(|case| case.content.len()).sum();
    let bytes = files.saturating_mul(u64::from(side.rounds) * 2).saturating_add(requests * MOST_BYTES);
    pace.max_requests.is_none_or(|max| max >= requests) && pace.max_bytes.is_none_or(|max| max >= bytes)
}

/// Probes all edges side by side. `names` and profiles in the order of the answer.
async fn probe_each(
    edges: &[(&str, &Arc<Profile>)],
    authorized: bool,
    console: &Console,
) -> Result<Vec<(Facts, Preflight)>> {
    let controls: Vec<Case> = if authorized { controls()? } else { Vec::new() };
    let mut preflights = Vec::new();
    for (_, profile) in edges {
        preflights.push(Preflight::new(Arc::clone(profile))?);
    }
    let probes = preflights.iter().zip(edges).map(|(preflight, (name, _))| {
        let wait = move |pause: Duration| console.note(&format!("preflight: the {name} asks to wait {pause:?}"));
        preflight.probe(&controls, wait)
    });
    let facts = futures_util::future::join_all(probes).await;
    Ok(facts.into_iter().zip(preflights).collect())
}

/// Says more strongly what is true of all sides: nothing blocks any control anywhere.
fn merge_waf_off(found: &mut Vec<(Option<&Side<'_>>, Finding)>, sides: usize) {
    let is_off = |(_, finding): &(Option<&Side<'_>>, Finding)| {
        finding.check == Check::Controls && finding.level == Level::Warning
    };
    if sides < 2 || found.iter().filter(|found| is_off(found)).count() < sides {
        return;
    }
    let Some(at) = found.iter().position(is_off) else { return };
    let mut finding = found[at].1.clone();
    let none = if sides == 2 { "neither side" } else { "no edge" };
    finding.message = format!("{none} has a WAF that blocks: on each, {}", finding.message);
    finding.help =
        Some("is the WAF on, in blocking mode, for this host and path? Else no lost protection can show".to_owned());
    found.retain(|found| !is_off(found));
    found.push((None, finding));
}

/// Whether it makes no sense to send the corpus. A candidate that refuses even the benign file is a finding that the
/// comparison is there to show; on a baseline that does, nothing could be lost.
fn ends_comparison(side: SideName, finding: &Finding) -> bool {
    match (finding.level, side) {
        (Level::Fine | Level::Skipped | Level::Warning, _) => false,
        (Level::Inconclusive, _) | (Level::Failure, SideName::Baseline) => true,
        (Level::Failure, SideName::Candidate) => finding.check == Check::Pace,
    }
}

fn warning(side: Option<&str>, finding: &Finding) -> String {
    let side = side.map_or_else(String::new, |side| format!(" of the {side}"));
    let mut text = format!("preflight{side}: {} ({})", visible(&finding.message), finding.code());
    if let Some(help) = &finding.help {
        let _ = write!(text, "\n  hint: {help}");
    }
    text
}

fn error(side: &Side<'_>, finding: &Finding) -> Error {
    let message = format!("preflight of the {}: {} ({})", side.name, visible(&finding.message), finding.code());
    let anyway = match finding.level {
        Level::Failure => "; to go on nevertheless, add `--no-preflight`",
        Level::Inconclusive | Level::Warning | Level::Skipped | Level::Fine => "",
    };
    let help = finding.help.as_deref().unwrap_or_default();
    Error::inconclusive(message).file(side.path).help(format!("{help}{anyway}"))
}

/// `profile check`: probes the edges and prints a line for each thing that was looked at.
pub(crate) async fn check(edges: &[Edge], console: &Console) -> Result<ExitCode> {
    let profiles: Vec<_> = edges.iter().map(|edge| (edge.profile.name.as_str(), &edge.profile)).collect();
    let authorized = edges.iter().all(|edge| edge.profile.guard.authorized);
    let probed = probe_each(&profiles, authorized, console).await?;
    let mut all = Vec::new();
    let mut text = String::new();
    for ((name, profile), (facts, _)) in profiles.iter().zip(&probed) {
        let _ = writeln!(text, "\n`{name}`, {}", uploads(facts.probes().count()));
        let findings = examine(facts, profile);
        lines(&findings, &mut text);
        all.extend(findings);
    }
    if let ([(_, ours), (_, theirs)], [(baseline, _), (candidate, _)]) = (&profiles[..], &probed[..])
        && let Some(finding) = differ((baseline, ours), (candidate, theirs))
    {
        let _ = writeln!(text, "\nbaseline and candidate");
        lines(std::slice::from_ref(&finding), &mut text);
        all.push(finding);
    }
    let count = |level: Level| all.iter().filter(|finding| finding.level == level).count();
    let (fine, warnings) = (count(Level::Fine), count(Level::Warning));
    let (failed, unknown) = (count(Level::Failure), count(Level::Inconclusive));
    let plural = if warnings == 1 { "" } else { "s" };
    let _ = writeln!(text, "\n{fine} ok · {warnings} warning{plural} · {failed} failed · {unknown} unknown");
    console.out(&text)?;
    Ok(match (failed, unknown) {
        (0, 0) => ExitCode::Passed,
        (0, _) => ExitCode::Inconclusive,
        // What is proven does not become unproven by what could not be asked.
        (_, _) => ExitCode::Failed,
    })
}

fn uploads(count: usize) -> String {
    if count == 1 { "1 upload".to_owned() } else { format!("{count} uploads") }
}

fn lines(findings: &[Finding], text: &mut String) {
    for finding in findings {
        let _ = writeln!(text, "  {:<8} {:<15} {}", finding.level.as_str(), finding.code(), visible(&finding.message));
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "    hint: {help}");
        }
    }
}
