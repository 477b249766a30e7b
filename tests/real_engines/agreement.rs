//! Outcome by outcome: the record against both witnesses.

use std::collections::BTreeMap;

use crate::heard::{Heard, disagreements, run, told};
use crate::lab::lab;
use crate::trips::Trips;
use crate::witnesses::Reason;

/// Every upload is refused or held up, whatever it holds: a few cases show it.
const REFUSE_ALL: [&str; 7] =
    ["ngx-early", "ngx-early-nolinger", "ngx-444", "ngx-502", "ngx-soft200", "ngx-redirect", "ngx-slow504"];

/// What a profile's engine does, whether over TLS or HTTP/2.
fn style(profile: &str) -> &str {
    let plain = profile.trim_end_matches("-h2");
    plain.strip_suffix("-tls").unwrap_or(plain)
}

/// One line for people: outcomes, and for what reasons.
fn summary(profile: &str, heard: &Heard) -> String {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in &heard.record.cases {
        *outcomes.entry(&case.outcome).or_default() += 1;
        let last = case.attempts.last().unwrap();
        match heard.witnesses.reason(&last.id) {
            Some(Reason::Rules(rules)) => rules.into_iter().for_each(|rule| *reasons.entry(rule).or_default() += 1),
            Some(reason) => *reasons.entry(reason.to_string()).or_default() += 1,
            None => {}
        }
    }
    let list = |counts: Vec<String>| counts.join(", ");
    let outcomes = list(outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect());
    let reasons = list(reasons.iter().map(|(reason, count)| format!("{reason}: {count}")).collect());
    format!("{profile:<26} {outcomes:<40} {reasons}")
}

#[test]
fn every_outcome_at_every_engine_is_what_its_log_and_the_origin_say() {
    let engines = lab();
    let mut failures = Vec::new();
    let mut cases = 0;
    let mut trips = Trips::default();
    for profile in engines.profiles() {
        let arguments: &[&str] = match profile.as_str() {
            // As fast as it lets through.
            limits if style(limits) == "ngx-429" => &["--set", "smoke"],
            refuses if REFUSE_ALL.contains(&style(refuses)) => &["--set", "smoke", "--concurrency", "8"],
            _ => &[],
        };
        let heard = run(&engines, &profile, arguments);
        cases += heard.record.cases.len();
        println!("{}", summary(&profile, &heard));
        trips.hear(&profile, &heard);
        failures.extend(disagreements(&heard).into_iter().map(|line| format!("{profile}: {line}")));
    }
    println!("{cases} cases");
    assert!(cases > 460 * 20, "{cases} cases");
    let shown = failures.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} disagreements, of which the first:\n{shown}", failures.len());
    trips.settle();
}

#[test]
fn a_record_that_says_otherwise_is_a_disagreement() {
    let engines = lab();
    let mut heard = run(&engines, "ngx-crs-pl1", &["--set", "smoke"]);
    assert!(disagreements(&heard).is_empty());
    let lies =
        ["delivered", "altered", "blocked", "too_large", "challenged", "dropped", "rejected", "lost", "throttled"];
    for number in 0..heard.record.cases.len() {
        let truth = heard.record.cases[number].outcome.clone();
        for lie in lies.into_iter().chain(["unreachable"]).filter(|lie| *lie != truth) {
            let case = &mut heard.record.cases[number];
            case.attempts[0].outcome = Some(lie.to_owned());
            assert!(told(&heard.witnesses, &case.attempts[0]).is_err(), "{}: {truth} told as {lie}", case.id);
        }
        heard.record.cases[number].attempts[0].outcome = Some(truth);
    }
    let missing = heard.record.cases.pop().unwrap();
    assert!(!disagreements(&heard).is_empty(), "{} is not on record", missing.id);
}
