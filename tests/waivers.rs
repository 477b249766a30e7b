//! The promise: a finding is accepted only by a waiver with owner, reason and a day that has not passed.

mod support_compare;

use std::path::Path;

use jiff::civil::{Date, date};
use support_compare::{record, run};
use wafcanary::compare::{Comparison, Decision, Finding, Policy, Waivers};
use wafcanary::corpus::Intent;
use wafcanary::verdict::Outcome;

const TODAY: Date = date(2026, 11, 23);

fn waiver(case: &str, class: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\ncase = \"{case}\"\nclass = \"{class}\"\nowner = \"web team\"\nreason = \"agreed\"\nexpires = {expires}\n"
    )
}

fn parse(text: &str) -> wafcanary::error::Result<Waivers> {
    Waivers::parse(text, Path::new("waivers.toml"))
}

fn regression(text: &str, policy: &Policy) -> Comparison {
    let good = record("txt/a", Intent::Legit, Outcome::Delivered);
    let baseline = vec![good.clone(), record("pdf/a", Intent::Legit, Outcome::Delivered)];
    let candidate = vec![good, record("pdf/a", Intent::Legit, Outcome::Blocked)];
    Comparison::assemble(run("b", baseline), run("c", candidate), policy, &parse(text).expect("sound"), TODAY)
}

#[test]
fn a_live_waiver_accepts_and_an_expired_one_does_not() {
    for (expires, decision) in
        [("2027-03-31", Decision::Pass), ("2026-11-23", Decision::Pass), ("2026-11-22", Decision::Fail)]
    {
        let made = regression(&waiver("pdf/*", "newly_blocked", expires), &Policy::default());
        assert_eq!(made.decision, decision, "{expires}");
        let waived = matches!(made.cases[0].finding, Finding::Waived { .. });
        let expired = matches!(made.cases[0].finding, Finding::Expired { .. });
        assert_eq!((waived, expired), (decision == Decision::Pass, decision == Decision::Fail));
        assert_eq!(made.warnings.iter().any(|line| line.contains("expire")), expires != "2027-03-31", "{expires}");
    }
}

#[test]
fn a_waiver_of_another_class_or_case_is_unused_and_told() {
    for text in [waiver("pdf/*", "flaky", "2027-03-31"), waiver("jpg/*", "newly_blocked", "2027-03-31")] {
        let made = regression(&text, &Policy::default());
        assert_eq!(made.decision, Decision::Fail);
        assert!(made.warnings.iter().any(|line| line.contains("matches no finding")), "{:?}", made.warnings);
    }
}

#[test]
fn unused_waivers_fail_where_the_policy_says_so() {
    let text = waiver("pdf/*", "newly_blocked", "2027-03-31") + &waiver("jpg/*", "flaky", "2027-03-31");
    assert_eq!(regression(&text, &Policy::default()).decision, Decision::Pass);
    let strict = Policy { deny_unused_waivers: true, ..Policy::default() };
    assert_eq!(regression(&text, &strict).decision, Decision::Fail);
}

#[test]
fn a_control_is_accepted_by_its_exact_id_only() {
    let lost = |text: &str| {
        let good = record("txt/a", Intent::Legit, Outcome::Delivered);
        let baseline = vec![good.clone(), record("ctl/eicar", Intent::Control, Outcome::Blocked)];
        let candidate = vec![good, record("ctl/eicar", Intent::Control, Outcome::Delivered)];
        let waivers = parse(text).expect("sound");
        Comparison::assemble(run("b", baseline), run("c", candidate), &Policy::default(), &waivers, TODAY).decision
    };
    assert_eq!(lost(&waiver("ctl/eicar", "protection_lost", "2027-03-31")), Decision::Pass);
    assert_eq!(lost(""), Decision::Fail);
    let error = parse(&waiver("ctl/*", "protection_lost", "2027-03-31")).expect_err("a glob over controls");
    assert_eq!(error.line(), Some(3));
}

#[test]
fn bad_waivers_are_refused_with_their_line() {
    let good = waiver("a", "flaky", "2027-03-31");
    for (text, line) in [
        (good.replace("expires = 2027-03-31\n", ""), 1),
        (good.replace("2027-03-31", "\"soon\""), 6),
        (good.replace("2027-03-31", "2027-03-31T10:00:00Z"), 6),
        (good.replace("web team", " "), 4),
        (good.replace("owner", "owners"), 4),
        (good.replace("\"a\"", "\"a/*[\""), 2),
        (good.replace("flaky", "unchanged"), 3),
        (good.replace("flaky", "inconclusive"), 3),
        (good.replace("flaky", "gone"), 3),
    ] {
        let error = parse(&text).expect_err(&text);
        assert_eq!(error.line(), Some(line), "{text}{error}");
    }
}
