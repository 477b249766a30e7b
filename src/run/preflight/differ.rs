//! Whether baseline and candidate are two edges.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::{Check, Facts, Finding, Level, Probe};
use crate::profile::Profile;
use crate::verdict::Outcome;

/// Headers that say nothing of the edge, or something else in each answer.
const VOLATILE: &[&str] = &[
    "age",
    "connection",
    "content-length",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "retry-after",
    "server-timing",
    "set-cookie",
    "transfer-encoding",
    "traceparent",
    "x-amz-cf-id",
    "x-amzn-trace-id",
    "x-request-id",
    "x-correlation-id",
    "x-runtime",
    "x-timer",
    "cf-ray",
];

/// What became of a probe: outcome, status, signature.
type Answered<'a> = (Outcome, Option<u16>, Option<&'a str>);

/// A header's value in all answers to the canary control, or `None` where it changes.
type Headers<'a> = BTreeMap<&'a str, Option<Vec<&'a str>>>;

/// Says whether two sides look like one edge: they share an address, send the same headers and answer every probe in
/// the same way. `None`: one of them has not answered, so that nothing can be compared. Pure.
///
/// It is a warning and never more: a staging distribution of a CDN answers from the addresses of the real one.
#[must_use]
pub fn differ(baseline: (&Facts, &Profile), candidate: (&Facts, &Profile)) -> Option<Finding> {
    let ((ours, our_profile), (theirs, their_profile)) = (baseline, candidate);
    let (our_headers, their_headers) = (headers(ours)?, headers(theirs)?);
    let (our_peers, their_peers) = (peers(ours), peers(theirs));
    let mut differences = Vec::new();
    let shared: Vec<String> = our_peers.intersection(&their_peers).map(ToString::to_string).collect();
    if shared.is_empty() {
        let list =
            |peers: &BTreeSet<SocketAddr>| peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        differences.push(format!("address ({}, and {})", list(&our_peers), list(&their_peers)));
    }
    differences.extend(other_header(&our_headers, &their_headers).map(|name| format!("header `{name}`")));
    let (our_answers, their_answers) = (answers(ours), answers(theirs));
    let both = our_answers.iter().filter_map(|(case, answer)| Some((case, answer, their_answers.get(case)?)));
    let mut same = 0;
    for (case, ours, theirs) in both {
        if ours == theirs {
            same += 1;
        } else {
            differences.push(format!("answer to `{case}` ({}, and {})", told(ours), told(theirs)));
        }
    }
    if !differences.is_empty() {
        return Some(Finding::fine(Check::Sides, format!("they differ in: {}", differences.join(", "))));
    }
    let names: Vec<&str> = our_headers.keys().copied().collect();
    let keys = other_keys(our_profile, their_profile);
    let keys = if keys.is_empty() {
        "and their profiles differ in nothing that an edge sees".to_owned()
    } else {
        format!("though their profiles differ in `{}`", keys.join("`, `"))
    };
    let message = format!(
        "the two sides look like one edge: the same address ({}), the same headers ({}), the same answers to {same} \
         probes, {keys}",
        shared.join(", "),
        names.join(", ")
    );
    let help = "point the candidate at the edge as it will be, by `target.url`, `target.resolve`, `target.connect_to` or the \
                header that chooses a staging configuration; to measure one edge's noise, add `--allow-same-edge`";
    let message = our_profile.redactor.redact(&their_profile.redactor.redact(&message));
    Some(Finding::new(Level::Warning, Check::Sides, message, help))
}

fn peers(facts: &Facts) -> BTreeSet<SocketAddr> {
    facts.probes().filter_map(|probe| probe.observation.peer).collect()
}

/// The headers of the answers to the canary control as long as it is treated alike; `None`: it was never answered.
fn headers(facts: &Facts) -> Option<Headers<'_>> {
    let first = facts.first.last()?;
    let alike =
        |probe: &&Probe| probe.verdict.status == first.verdict.status && probe.verdict.outcome == first.verdict.outcome;
    let mut answers = std::iter::once(first)
        .chain(facts.together.iter().filter(alike))
        .filter_map(|probe| Some(&probe.observation.answer.as_ref()?.headers));
    let mut headers: Headers<'_> = BTreeMap::new();
    for (name, value) in answers.next()? {
        if !VOLATILE.contains(&name.as_str()) {
            headers.entry(name).or_insert_with(|| Some(Vec::new())).get_or_insert_default().push(value);
        }
    }
    for answer in answers {
        for (name, known) in &mut headers {
            let values: Vec<&str> =
                answer.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
            if known.as_ref() != Some(&values) {
                *known = None;
            }
        }
    }
    Some(headers)
}

/// The first header that only one side has, or that has another value there each time.
fn other_header<'a>(ours: &Headers<'a>, theirs: &Headers<'a>) -> Option<&'a str> {
    let names: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
    names.into_iter().find(|name| match (ours.get(name), theirs.get(name)) {
        (Some(Some(ours)), Some(Some(theirs))) => ours != theirs,
        (Some(_), Some(_)) => false,
        (None, _) | (_, None) => true,
    })
}

fn told((outcome, status, signature): &Answered<'_>) -> String {
    let status = status.map_or_else(String::new, |status| format!(" {status}"));
    let signature = signature.map_or_else(String::new, |signature| format!(" `{signature}`"));
    format!("{}{status}{signature}", outcome.as_str())
}

/// What became of each probe.
fn answers(facts: &Facts) -> BTreeMap<&str, Answered<'_>> {
    facts
        .first
        .last()
        .into_iter()
        .chain(&facts.controls)
        .map(|probe| {
            let verdict = &probe.verdict;
            (probe.case.as_str(), (verdict.outcome, verdict.status, verdict.signature.as_deref()))
        })
        .collect()
}

/// Keys of the profiles that lead to another edge and are not the same.
fn other_keys(ours: &Profile, theirs: &Profile) -> Vec<&'static str> {
    let (one, other) = (&ours.target, &theirs.target);
    let headers = |profile: &Profile| {
        let pairs = profile.upload.headers.iter().map(|(name, value)| (name.to_lowercase(), value.expose().clone()));
        pairs.collect::<Vec<_>>()
    };
    let proxy = |target: &crate::profile::Target| target.proxy.as_ref().map(|proxy| proxy.expose().clone());
    [
        ("target.url", one.url() != other.url()),
        ("target.resolve", one.resolve != other.resolve),
        ("target.connect_to", one.connect_to != other.connect_to),
        ("target.host", one.host_header != other.host_header),
        ("target.sni", one.tls.server_name != other.tls.server_name),
        ("target.http", one.http != other.http),
        ("target.proxy", proxy(one) != proxy(other)),
        ("upload.headers", headers(ours) != headers(theirs)),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}
