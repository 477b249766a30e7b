//! The promise: the gate passes only what is known to be no worse.

mod support_compare;

use std::path::Path;

use jiff::civil::date;
use proptest::prelude::*;
use support_compare::{record, run};
use wafcanary::compare::{Class, Comparison, Decision, Limit, Policy, Waivers};
use wafcanary::corpus::{Intent, Sha256Digest};
use wafcanary::run::{Run, RunEnding};
use wafcanary::verdict::Outcome;

fn assemble(baseline: Run, candidate: Run, policy: &Policy) -> Comparison {
    Comparison::assemble(baseline, candidate, policy, &Waivers::default(), date(2026, 11, 23))
}

fn side(profile: &str, outcomes: &[Outcome]) -> Run {
    let cases = outcomes.iter().enumerate();
    run(profile, cases.map(|(at, outcome)| record(&format!("c{at:03}"), Intent::Legit, *outcome)).collect())
}

fn decided(baseline: Run, candidate: Run) -> (Decision, Vec<String>) {
    let made = assemble(baseline, candidate, &Policy::default());
    (made.decision, made.reasons.into_iter().map(|reason| reason.code).collect())
}

const GOOD: Outcome = Outcome::Delivered;

#[test]
fn equal_runs_of_two_edges_pass() {
    assert_eq!(decided(side("b", &[GOOD]), side("c", &[GOOD])), (Decision::Pass, vec![]));
}

#[test]
fn one_newly_blocked_file_fails() {
    let (decision, codes) = decided(side("b", &[GOOD, GOOD]), side("c", &[GOOD, Outcome::Blocked]));
    assert_eq!((decision, codes), (Decision::Fail, vec!["newly_blocked".to_owned()]));
}

#[test]
fn a_proven_regression_fails_also_when_other_things_are_not_known() {
    let mut candidate = side("c", &[Outcome::Blocked, Outcome::Unreachable]);
    candidate.ending = Some(RunEnding::Interrupted);
    assert_eq!(decided(side("b", &[GOOD, GOOD]), candidate).0, Decision::Fail);
}

#[test]
fn what_proves_nothing_is_inconclusive() {
    let with = |change: fn(&mut Run)| {
        let mut candidate = side("c", &[GOOD]);
        change(&mut candidate);
        candidate
    };
    let table = [
        ("empty_corpus", side("b", &[]), side("c", &[])),
        ("same_edge", side("b", &[GOOD]), side("b", &[GOOD])),
        ("dead_baseline", side("b", &[Outcome::Blocked]), side("c", &[Outcome::Blocked])),
        ("different_corpora", side("b", &[GOOD]), with(|run| run.manifest.corpus_digest = Sha256Digest::of(b"x"))),
        ("run_incomplete", side("b", &[GOOD]), with(|run| run.ending = None)),
        ("run_incomplete", side("b", &[GOOD]), with(|run| run.ending = Some(RunEnding::Interrupted))),
        ("max_inconclusive", side("b", &[GOOD, GOOD]), side("c", &[GOOD, Outcome::Throttled])),
        ("min_coverage", side("b", &[GOOD, GOOD]), side("c", &[GOOD])),
    ];
    for (code, baseline, candidate) in table {
        let (decision, codes) = decided(baseline, candidate);
        assert_eq!(decision, Decision::Inconclusive, "{code}");
        assert!(codes.iter().any(|found| found == code), "{code}: {codes:?}");
    }
}

#[test]
fn findings_of_an_edge_against_itself_prove_nothing() {
    assert_eq!(decided(side("b", &[GOOD]), side("b", &[Outcome::Blocked])).0, Decision::Inconclusive);
}

#[test]
fn a_policy_is_read_with_its_limits_and_its_errors_have_lines() {
    let parse = |text: &str| Policy::parse(text, Path::new("wafcanary.toml"));
    let policy =
        parse("[gate]\nnewly_blocked = 2\nmax_flaky = \"5%\"\nreason_changed = \"unlimited\"\n").expect("sound");
    assert_eq!((policy.newly_blocked, policy.max_flaky), (Limit::Count(2), Limit::Share(0.05)));
    assert_eq!(parse("").expect("no table"), Policy::default());
    for (text, line) in [
        ("[gate]\nnewly_bloked = 0\n", 2),
        ("[gate]\nnewly_blocked = -1\n", 2),
        ("[gate]\nmax_flaky = \"some\"\n", 2),
        ("[gate]\nmin_cases = 1\nmin_coverage = 1.5\n", 3),
        ("[gate]\nmin_cases = 0\n", 2),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.line(), Some(line), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_gate_passes_with_an_open_regression(
        pairs in prop::collection::vec(
            (prop::sample::select(Outcome::ALL.to_vec()), prop::sample::select(Outcome::ALL.to_vec())), 0..8),
    ) {
        let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let made = assemble(side("b", &left), side("c", &right), &Policy::default());
        prop_assert_eq!(made.counts.values().sum::<u64>(), made.cases.len() as u64);
        prop_assert_eq!(made.counts.len(), Class::ALL.len());
        let bad = [Class::NewlyBlocked, Class::NewlyAltered, Class::ProtectionLost, Class::Inconclusive];
        if bad.iter().any(|class| made.counts[class] > 0) || !left.contains(&GOOD) {
            prop_assert_ne!(made.decision, Decision::Pass);
        }
        prop_assert_eq!(made.decision == Decision::Pass, made.reasons.is_empty());
    }
}
