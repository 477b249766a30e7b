//! What would be sent, without sending it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::console::Console;
use super::session::Selected;
use crate::corpus::Intent;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::profile::Profile;
use crate::replay::Replayer;

/// Prints cases, requests, bytes, hosts and estimated time. `sides`: each edge with the times it is asked for each case;
/// `preflight`: uploads that a preflight sends to each at most.
pub(crate) fn print(
    selected: &Selected,
    sides: &[(&Profile, u32)],
    preflight: u64,
    console: &Console,
) -> Result<ExitCode> {
    let mut text = String::new();
    let controls = selected.cases.iter().filter(|case| case.attachment.intent == Intent::Control).count();
    let _ = writeln!(text, "nothing is sent: this is what would be");
    let _ = writeln!(text, "corpus    {} ({})", selected.corpus, &selected.digest.to_string()[..12]);
    let _ = writeln!(text, "cases     {} ({controls} controls)", selected.cases.len());
    let mut clients: BTreeMap<&str, u64> = BTreeMap::new();
    for case in selected.cases.iter() {
        *clients.entry(case.client.as_str()).or_default() += 1;
    }
    let clients: Vec<String> = clients.iter().map(|(client, cases)| format!("{client} {cases}")).collect();
    let _ = writeln!(text, "clients   {}", clients.join(", "));
    let authorized = sides.iter().all(|(profile, _)| profile.guard.authorized);
    for (profile, rounds) in sides {
        let replayer = Replayer::new(Arc::new((*profile).clone()), "dry-run")?;
        let mut bytes = 0;
        for case in selected.cases.iter() {
            let request = replayer.request(case, "00000000000000000000000000")?;
            bytes += request.body.len() + request.head().len() as u64;
        }
        let uploads = selected.cases.len() as u64 * u64::from(*rounds);
        let canaries = uploads.checked_div(profile.pace.canary_every).map_or(0, |canaries| canaries + 1);
        let steps = (profile.before.len() + profile.after.len()) as u64 * uploads;
        let _ = writeln!(text, "\nprofile   {} ({})", profile.name, profile.target.url());
        let _ = writeln!(text, "hosts     {}", profile.guard.allowed_hosts.join(", "));
        let before = if preflight == 0 { String::new() } else { format!(", up to {preflight} of the preflight") };
        let _ = writeln!(
            text,
            "requests  {uploads} uploads, about {canaries} canary controls, {steps} other steps{before}"
        );
        let _ = writeln!(text, "bytes     {}", bytes * u64::from(*rounds));
        let time = match profile.pace.rate {
            #[expect(clippy::cast_precision_loss, reason = "an estimate in seconds")]
            Some(rate) => format!("at least {:.0} s at {rate} requests a second", (uploads + canaries) as f64 / rate),
            None => format!("as fast as {} at a time allow", profile.pace.concurrency),
        };
        let _ = writeln!(text, "time      {time}");
        let controls = match (profile.guard.authorized, authorized) {
            (true, true) => "sent: `guard.authorized` is true",
            (true, false) => "not sent: `guard.authorized` is not true on the other side",
            (false, _) => "not sent: `guard.authorized` is not true",
        };
        let _ = writeln!(text, "controls  {controls}");
    }
    console.out(&text)?;
    Ok(ExitCode::Passed)
}
