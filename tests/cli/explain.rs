//! `explain`: what it says of regressions, what it keeps, and what it refuses to begin.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Place, lab};

/// A comparison of the lab's plans in `cmp`.
fn compared(place: &Place, arguments: &[&str]) {
    let (standard, upper) = (lab("standard"), lab("upper"));
    let compare = ["compare", "--baseline", &standard, "--candidate", &upper, "--out", "cmp"];
    assert_eq!(place.run(&[&compare, arguments].concat()).code, Some(1));
}

#[test]
fn a_regression_comes_with_its_cause_and_the_smallest_request() {
    let place = Place::new();
    compared(&place, &["--case", "dxf/road-plan,pdf/encrypted,csv/*"]);
    let ran = place.run(&["explain", "cmp"]);
    ran.says(0, &["1 case: refused because of the extension `.dxf`", "`/Encrypt`", "2 of 2 cases explained with"]);
    assert!(ran.err.contains("1 of 2: "), "{}", ran.err);
    let kept: serde_json::Value = serde_json::from_str(&place.read("cmp/explanations.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../schema/explanations.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &kept), "{kept}");
    let kept = &kept["explanations"];
    let parts = &kept[0]["causes"][0]["parts"];
    assert_eq!((&kept[0]["case"], &parts[0]["factor"]), (&"dxf/road-plan".into(), &"extension".into()));
    assert_eq!((&kept[0]["proven"], &parts[0]["detail"]["value"]), (&true.into(), &".dxf".into()));
    let script = kept[1]["script"].as_str().unwrap();
    assert!(place.read(script).contains("curl --disable"), "{script}");
    assert!(std::fs::metadata(place.path(&script.replace(".sh", ".body"))).unwrap().len() > 100);
    let json = place.run(&["explain", "cmp", "pdf/*", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, told["explanations"].as_array().unwrap().len()), (Some(0), 1));
}

#[test]
fn what_cannot_be_explained_is_said_and_nothing_is_sent() {
    let place = Place::new();
    place.run(&["explain", "nowhere"]).says(2, &["comparison.json", "No such file"]);
    compared(&place, &["--case", "dxf/road-plan,csv/*"]);
    place.run(&["explain", "cmp", "csv/*"]).says(2, &["no regression matches", "wafcanary report"]);
    place.run(&["explain", "cmp", "[x"]).says(2, &["no glob"]);
    place.run(&["explain", "cmp", "--budget", "9"]).says(2, &["9 is not in 10"]);
    let dry = place.run(&["explain", "cmp", "--dry-run", "--budget", "50"]);
    dry.says(0, &["nothing is sent", "cases 1", "at most 50"]);
    assert!(!place.path("cmp/explanations.json").exists());
    let stored = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate", "--out", "stored"];
    assert_eq!(place.run(&stored).code, Some(1));
    place.run(&["explain", "stored"]).says(2, &["the candidate was a stored run", "--profile"]);
    place.run(&["explain", "stored", "--profile", &lab("upper")]).says(0, &["the extension `.dxf`"]);
}

#[test]
fn a_spent_budget_and_an_edge_that_changed_its_mind_are_no_explanation() {
    let place = Place::new();
    compared(&place, &["--case", "pdf/encrypted,pdf/linearized"]);
    place.run(&["explain", "cmp", "--budget", "10"]).says(3, &["not explained: the budget of 10 requests is spent"]);
    let other = lab("standard");
    place
        .run(&["explain", "cmp", "--profile", &other])
        .says(3, &["it gets through now, 3 of 3 times", "0 of 1 case explained"]);
}

#[test]
fn an_interrupted_explanation_keeps_what_was_found() {
    let place = Place::new();
    compared(&place, &["--case", "dxf/road-plan,pdf/encrypted,csv/*"]);
    let mut command = place.command(&["explain", "cmp", "--rate", "8"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    // The first takes a second at this rate, the second some five.
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(20));
    let kept: serde_json::Value = serde_json::from_str(&place.read("cmp/explanations.json")).unwrap();
    assert_eq!(kept["explanations"].as_array().unwrap().len(), 1, "{kept}");
}
