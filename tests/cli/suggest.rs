//! `suggest`: what it writes for regressions, what it refuses to write, and what trying shows.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::waf_log::{attempts, log_of, stored};
use super::{Place, lab, marker_profile};

/// A comparison of stored runs in `cmp`, with the log of a WAF in detection mode.
fn detected(place: &Place) -> Vec<String> {
    stored(place, "before");
    stored(place, "after");
    let attempts = attempts(place, "after");
    place.write("audit.json", &log_of(&attempts));
    let compare = ["compare", "--baseline", "before", "--candidate", "after", "--allow-same-edge", "--out", "cmp"];
    assert_eq!(place.run(&[&compare[..], &["--waf-log", "candidate=audit.json"]].concat()).code, Some(1));
    attempts.into_iter().take(3).map(|(case, _)| case).collect()
}

/// A comparison of the lab's plans in `cmp`: no log tells of their rules.
fn compared(place: &Place) {
    let (standard, upper) = (lab("standard"), lab("upper"));
    let compare = ["compare", "--baseline", &standard, "--candidate", &upper, "--out", "cmp"];
    let cases = ["--case", "dxf/road-plan,pdf/encrypted,csv/*,control/*"];
    assert_eq!(place.run(&[&compare[..], &cases].concat()).code, Some(1));
}

#[test]
fn the_rules_of_the_log_become_exclusions_for_one_part_on_one_path() {
    let place = Place::new();
    let cases = detected(&place);
    let suggest = ["suggest", "cmp", "--profile", &lab("standard")];
    let ran = place.run(&suggest);
    ran.says(0, &["ctl:ruleRemoveTargetById=920120;FILES:", "ctl:ruleRemoveTargetById=921110;REQUEST_BODY"]);
    ran.says(0, &["\"id:90001,phase:", "SecRule REQUEST_METHOD \"@streq POST\"", "# opens: in POST"]);
    assert!(!ran.out.contains("949110"), "{}", ran.out);
    assert_eq!(ran.err, "", "the text says all");
    let json = place.run(&[&suggest[..], &["--json", "--first-id", "70000"]].concat());
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, &told["schema_version"], &told["language"]), (Some(0), &1.into(), &"modsecurity".into()));
    let mut named: Vec<&str> = told["exclusions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["cases"].as_array().unwrap())
        .map(|case| case.as_str().unwrap())
        .collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, cases);
    assert!(told["snippet"]["text"].as_str().unwrap().contains("id:70000,"), "{told}");
    assert_eq!(told["snippet"]["opens"].as_array().unwrap().len(), told["exclusions"].as_array().unwrap().len());
    let azure = place.run(&[&suggest[..], &["--for", "azure-app-gateway"]].concat());
    azure.says(0, &["opens: in POST", "note: exclusions have no path"]);
    let policy: serde_json::Value = serde_json::from_str(&azure.out).unwrap();
    assert!(policy["managedRules"]["managedRuleSets"][0]["ruleSetType"].is_string());
    let cloudflare = place.run(&[&suggest[..], &["--for", "cloudflare"]].concat());
    cloudflare.says(3, &["not written: rule `920120` is no id of Cloudflare", "--rule RULESET/RULE"]);
    assert_eq!(cloudflare.out, "");
}

#[test]
fn stored_explanations_are_held_against_the_rules() {
    let place = Place::new();
    let cases = detected(&place);
    let blames = |case: &str, factor: &str| {
        format!(
            r#"{{"case":"{case}","outcome":"blocked","finding":"causes","proven":true,"causes":[{{"parts":[{{"factor":"{factor}","detail":{{"kind":"unclear"}}}}]}}],"reference":"pdf/a","ruled_out":[],"requests":9}}"#
        )
    };
    let all = |factor: &str| {
        format!(
            r#"{{"schema_version":1,"explanations":[{}]}}"#,
            cases.iter().map(|case| blames(case, factor)).collect::<Vec<_>>().join(",")
        )
    };
    let suggest = ["suggest", "cmp", "--profile", &lab("standard")];
    place.write("cmp/explanations.json", &all("transport"));
    place.run(&suggest).says(0, &["look again: `explain` blames the transport in"]);
    place.write("cmp/explanations.json", &all("stem"));
    place.run(&suggest).says(0, &["`explain` blames the same part in"]);
    place.write("cmp/explanations.json", &all("stem").replace("\"schema_version\":1", "\"schema_version\":2"));
    place.run(&suggest).says(2, &["the explanations have schema version 2"]);
    place.write("cmp/explanations.json", "{}");
    place.run(&suggest).says(2, &["these are no explanations", "wafcanary explain"]);
}

#[test]
fn where_no_rule_is_known_it_says_so_and_takes_one_that_is_named() {
    let place = Place::new();
    compared(&place);
    let silent = place.run(&["suggest", "cmp"]);
    silent.says(3, &["2 cases have no exclusion", "log says nothing", "--rule"]);
    assert_eq!(silent.out, "");
    let rule = ["suggest", "cmp", "dxf/*", "--rule"];
    let named = place.run(&[&rule[..], &["941310=ARGS:memo"]].concat());
    named.says(0, &["ctl:ruleRemoveTargetById=941310;ARGS:memo", "refuses case dxf/road-plan"]);
    let counted = place.run(&[&rule[..], &["SizeRestrictions_BODY", "--for", "aws-waf"]].concat());
    counted.says(0, &["awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"]);
    place.run(&[&rule[..], &["SizeRestrictions_BODY"]].concat()).says(3, &["is no id of ModSecurity"]);
}

#[test]
fn the_score_and_what_is_no_rule_are_refused_before_anything_is_done() {
    let place = Place::new();
    compared(&place);
    let rule = |rule: &str, words: &[&str]| {
        place.run(&["suggest", "cmp", "--try", "touch tried", "--rule", rule]).says(2, words);
    };
    rule("949110", &["adds up the score of all others", "give the rules that added the points"]);
    rule("4814384a9e5d4991b9815dcfc25d2f1f/6179ae15870a4bb7b2d480d4843b323c", &["adds up the score"]);
    rule("920120\"", &["is no rule"]);
    rule("920120=FILES;x", &["names no part of a request", "`ARGS:memo`"]);
    place.run(&["suggest", "cmp", "--for", "f5"]).says(2, &["known languages: modsecurity,", "cloud-armor"]);
    place.run(&["suggest", "cmp", "--first-id", "900000"]).says(2, &["is not in 1..=99000"]);
    place.run(&["suggest", "cmp", "[x"]).says(2, &["no glob"]);
    place.run(&["suggest", "cmp", "csv/*"]).says(2, &["no regression matches"]);
    place.run(&["suggest", "nowhere"]).says(2, &["comparison.json", "No such file"]);
    assert!(!place.path("tried").exists());
    let stored = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate", "--out", "stored"];
    assert_eq!(place.run(&stored).code, Some(1));
    place.run(&["suggest", "stored"]).says(2, &["the candidate was a stored run", "--profile"]);
}

/// Tries to exclude a rule on an edge of the lab, which has no such rules: what it does then is known.
fn tried(place: &Place, profile: &str, command: &str) -> super::Ran {
    place.run(&["suggest", "cmp", "--profile", profile, "--rule", "941310=ARGS:memo", "--try", command])
}

#[test]
fn trying_says_what_is_cured_and_keeps_what_was_put_in_place() {
    let place = Place::new();
    compared(&place);
    let cured = tried(&place, &lab("standard"), r#"cp "$WAFCANARY_SNIPPET" got.conf; echo reloaded"#);
    cured.says(0, &["reloaded", "round 1, with 1 exclusion: cured 2 of 2, 0 of"]);
    assert_eq!(place.read("got.conf"), cured.out, "what was tried is what is written");
    assert!(!cured.out.contains("reloaded"));
    let refused = tried(&place, &lab("upper"), "true");
    refused.says(1, &["round 1, with 1 exclusion: cured 0 of 2", "round 3, with 1 exclusion: cured 0 of 2"]);
    refused.says(1, &["still refused: dxf/road-plan, pdf/encrypted", "are the exclusions in the WAF"]);
    assert!(!refused.err.contains("round 4"), "nothing is wider: {}", refused.err);
    let rounds = place.shell("ls cmp/suggested/*/round-3.conf cmp/suggested/*/round-3/journal.jsonl");
    assert_eq!((rounds.code, rounds.out.lines().count()), (Some(0), 2), "{}", rounds.err);
}

#[test]
fn a_control_that_gets_in_fails_whatever_is_cured() {
    let place = Place::new();
    compared(&place);
    place.write("base.toml", &std::fs::read_to_string(lab("base")).unwrap());
    let open = "schema_version = 1\nname = \"open\"\nextends = \"base.toml\"\n[lab]\nbehaviour = \"filter\"\nwindow = \"8KiB\"\n";
    place.write("open.toml", open);
    let ran = tried(&place, "open.toml", "true");
    ran.says(1, &["cured 2 of 2", "LET IN, and the staging WAF still has these exclusions: control/"]);
    assert!(!ran.err.contains("on the baseline as well"), "the standard plan keeps them out: {}", ran.err);
    let base = place.read("base.toml").replace("authorized = true", "authorized = false");
    place.write("base.toml", &base);
    tried(&place, "open.toml", "true")
        .says(0, &["no control that the candidate keeps out is sent", "cured 2 of 2, 0 of 0"]);
}

#[test]
fn what_cannot_be_put_in_place_or_asked_is_inconclusive() {
    let place = Place::new();
    compared(&place);
    let failed = tried(&place, &lab("upper"), "echo why >&2; exit 7");
    failed.says(3, &["why", "the exclusions are not in place", "exit status: 7", "round-1.conf"]);
    assert_eq!(failed.out, "");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    drop(listener);
    tried(&place, "p.toml", "true").says(3, &["round 1, with 1 exclusion: cured 0 of 2", "nothing can be said of"]);
    let production = std::fs::read_to_string(lab("base")).unwrap().replace("\"lab\"", "\"production\"");
    place.write("base.toml", &production);
    place.write("standard.toml", &std::fs::read_to_string(lab("standard")).unwrap());
    tried(&place, "standard.toml", "touch tried").says(2, &["sends to production", "--allow-production"]);
    assert!(!place.path("tried").exists());
}

#[test]
fn a_dry_run_runs_no_command_and_sends_nothing() {
    let place = Place::new();
    compared(&place);
    let arguments = ["suggest", "cmp", "--rule", "941310", "--try", "touch tried", "--dry-run"];
    place
        .run(&arguments)
        .says(0, &["nothing is sent", "profile lab, upper plan", "controls sent: `guard.authorized` is true"]);
    assert!(!place.path("tried").exists() && !place.path("cmp/suggested").exists());
}

#[test]
fn an_interrupted_command_is_ended() {
    let place = Place::new();
    compared(&place);
    let arguments = ["suggest", "cmp", "--rule", "941310", "--try", "touch begun; exec sleep 60"];
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !place.path("begun").exists() {
        assert!(began.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(40));
}
