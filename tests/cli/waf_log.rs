//! `--waf-log`: what a WAF wrote is joined to the cases by the attempt's id, and what can't be joined is said.

use super::{Place, lab};

/// What ModSecurity 3 in detection mode wrote of three uploads: `O'Brien.pdf`, a file with "put", a quoted boundary.
const DETECTED: &str = include_str!("../waf_logs/samples/modsecurity3-json-det.log");
const ATTEMPTS: [&str; 3] = ["obrien00000000000000000000", "put00000000000000000000000", "quoted00000000000000000000"];

/// A stored run through the lab's standard plan.
pub(super) fn stored(place: &Place, name: &str) {
    let run = ["run", "--profile", &lab("standard"), "--set", "smoke", "--out", name];
    place.run(&run).says(0, &[]);
}

/// The legitimate cases of a run with their attempts' ids, by case.
pub(super) fn attempts(place: &Place, run: &str) -> Vec<(String, String)> {
    let journal = place.read(&format!("{run}/journal.jsonl"));
    let events = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let attempts = events.filter(|event| event["event"] == "attempt" && event["verdict"]["outcome"] == "delivered");
    let mut attempts: Vec<_> = attempts.map(|event| (text(&event["case"]), text(&event["id"]))).collect();
    attempts.sort();
    attempts
}

/// The sample, as the WAF would have written it of these attempts.
pub(super) fn log_of(attempts: &[(String, String)]) -> String {
    ATTEMPTS.iter().zip(attempts).fold(DETECTED.to_owned(), |log, (known, (_, id))| log.replace(known, id))
}

/// Two stored runs, and the log of the candidate's edge.
fn two_runs(place: &Place) -> Vec<(String, String)> {
    stored(place, "before");
    stored(place, "after");
    let attempts = attempts(place, "after");
    place.write("audit.json", &log_of(&attempts));
    attempts
}

const COMPARE: [&str; 6] = ["compare", "--baseline", "before", "--candidate", "after", "--allow-same-edge"];

#[test]
fn a_detection_only_candidate_fails_for_what_it_would_block() {
    let place = Place::new();
    let attempts = two_runs(&place);
    place.run(&[&COMPARE[..], &["--out", "without"]].concat()).says(0, &["no findings"]);
    let record = place.read("after/journal.jsonl");
    let compare = [&COMPARE[..], &["--waf-log", "candidate=audit.json", "--out", "with"]].concat();
    place
        .run(&compare)
        .says(1, &["3 legitimate files would be blocked", "rule 920120", "rule 921110", "by the filename"]);
    assert_eq!(place.read("after/journal.jsonl"), record, "a stored run stays as it is");
    let document: serde_json::Value = serde_json::from_str(&place.read("with/comparison.json")).unwrap();
    let found = document["cases"].as_array().unwrap().iter().filter(|case| case["class"] == "would_block");
    let found: Vec<_> = found.map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(found, attempts[..3].iter().map(|(case, _)| case).collect::<Vec<_>>());
    // Rendered again, the record tells the same.
    place.run(&["report", "with", "--format", "csv"]).says(0, &["920120 949110", "921110 949110"]);
}

#[test]
fn what_a_vendor_only_counted_fails_a_candidate_in_every_report() {
    let place = Place::new();
    stored(&place, "before");
    stored(&place, "after");
    let attempts = attempts(&place, "after");
    let counted = include_str!("../waf_logs/samples/aws-waf.log");
    let log = ["count", "excluded"]
        .iter()
        .zip(&attempts)
        .fold(counted.to_owned(), |log, (known, (_, id))| log.replace(&format!("{known:0<26}"), id));
    place.write("waf.json", &format!("{log}{{\"half\n"));
    place.run(&[&COMPARE[..], &["--waf-log", "candidate=waf.json:aws-waf", "--out", "out"]].concat()).says(
        1,
        &[
            "2 legitimate files would be blocked",
            "rule CrossSiteScripting_BODY",
            "rule SizeRestrictions_BODY",
            "the first, line 11: broken JSON",
        ],
    );
    for format in ["terminal", "json", "jsonl", "junit", "markdown", "csv"] {
        let report = ["report", "out", "--format", format];
        place.run(&report).says(0, &["CrossSiteScripting_BODY"]);
    }
}

#[test]
fn a_limit_of_the_gate_lets_would_be_blocked_cases_through() {
    let place = Place::new();
    two_runs(&place);
    let compare = [&COMPARE[..], &["--waf-log", "candidate=audit.json"]].concat();
    place.write("wafcanary.toml", "[gate]\nwould_block = 3\n");
    place.run(&[&compare[..], &["--out", "three"]].concat()).says(0, &["within the limits of the gate"]);
    place.write("wafcanary.toml", "[gate]\nwould_block = 2\n");
    place
        .run(&[&compare[..], &["--out", "two"]].concat())
        .says(1, &["3 legitimate cases would be blocked", "at most 2"]);
}

#[test]
fn the_log_of_another_run_is_said_to_be_one() {
    let place = Place::new();
    two_runs(&place);
    place.write("other.json", DETECTED);
    place
        .run(&[&COMPARE[..], &["--waf-log", "candidate=other.json", "--out", "out"]].concat())
        .says(0, &["candidate: none of the 3 requests in `other.json` is of this run (3 of another run"]);
    place.write("empty.json", "");
    place
        .run(&[&COMPARE[..], &["--waf-log", "candidate=empty.json", "--out", "out2"]].concat())
        .says(0, &["candidate: `empty.json` got nothing"]);
}

#[test]
fn a_log_that_is_still_being_written_gives_what_is_whole_and_says_so() {
    let place = Place::new();
    let attempts = two_runs(&place);
    let whole = log_of(&attempts);
    place.write("torn.json", &whole[..whole.len() - 40]);
    place
        .run(&[&COMPARE[..], &["--waf-log", "candidate=torn.json", "--out", "out"]].concat())
        .says(1, &["2 legitimate files would be blocked", "ends in the midst of a record"]);
}

#[test]
fn a_wrong_log_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let run = ["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out", "--waf-log"];
    let refused = |argument: &str, words: &[&str]| {
        place.run(&[&run[..], &[argument]].concat()).says(2, words);
        assert!(!place.path("out").exists(), "{argument}");
    };
    refused("missing.json", &["there is no such log", "missing.json", "SecAuditLog"]);
    refused("audit.json:modsec", &["`modsec` is no format of a log", "modsecurity3-json"]);
    refused("candidate=audit.json", &["a run has one edge"]);
    refused("", &["name a file"]);
}

#[test]
fn a_log_that_turns_out_unreadable_loses_no_record() {
    let place = Place::new();
    place.write("notes.txt", "these are no log lines\nof any engine\n");
    stored(&place, "before");
    stored(&place, "after");
    place
        .run(&[&COMPARE[..], &["--waf-log", "candidate=notes.txt", "--out", "out"]].concat())
        .says(2, &["notes.txt", "format"]);
    place.run(&[&COMPARE[..], &["--out", "again"]].concat()).says(0, &[]);
}
