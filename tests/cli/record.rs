//! The record: never overwritten, whole after every end, and resumed from any of them.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Read as _};
use std::process::{Command, Stdio};

use super::{Place, lab, ran};

/// The settled cases; panics on a line that is not whole, and on a case that stands there twice.
fn settled(place: &Place, run: &str) -> BTreeSet<String> {
    let mut cases = BTreeSet::new();
    for line in place.read(&format!("{run}/journal.jsonl")).lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["event"] == "case" {
            assert!(cases.insert(event["case"].as_str().unwrap().to_owned()), "{line}");
        }
    }
    cases
}

#[test]
fn a_run_in_the_folder_is_never_overwritten() {
    let place = Place::new();
    let run = ["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out"];
    place.run(&run).says(0, &[]);
    let before = (place.read("out/options.json"), place.read("out/journal.jsonl"));
    place.run(&[&run[..], &["--rounds", "2"]].concat()).says(2, &["already a run in this folder", "--resume"]);
    let compare = ["compare", "--baseline", "out", "--candidate", &lab("upper"), "--set", "smoke", "--out", "out"];
    place.run(&compare).says(2, &["already a run in this folder"]);
    assert_eq!(before, (place.read("out/options.json"), place.read("out/journal.jsonl")));
}

#[test]
fn resuming_what_is_no_run_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run(&["run", "--resume", "empty"]).says(2, &["nothing to resume here", "empty"]);
    place.run(&["compare", "--resume", "nowhere"]).says(2, &["nothing to resume here", "nowhere"]);
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out"]).says(0, &[]);
    place.run(&["compare", "--resume", "out"]).says(2, &["out"]);
}

#[test]
fn resuming_with_another_profile_or_corpus_is_refused() {
    let place = Place::new();
    place.write("base.toml", &std::fs::read_to_string(lab("base")).unwrap());
    let profile = std::fs::read_to_string(lab("standard")).unwrap();
    place.write("p.toml", &profile);
    place.write("files/a.txt", "a file of text");
    place.run(&["run", "--profile", "p.toml", "--corpus", "files", "--out", "out"]).says(0, &[]);
    let before = place.read("out/journal.jsonl");
    place.write("p.toml", &profile.replace("128KiB", "64KiB"));
    place.run(&["run", "--resume", "out"]).says(2, &["the profile is not the one"]);
    place.write("p.toml", &profile);
    place.write("files/a.txt", "another text");
    place.run(&["run", "--resume", "out"]).says(2, &["the corpus is not the one"]);
    assert_eq!(place.read("out/journal.jsonl"), before);
}

#[test]
fn a_run_killed_between_its_options_and_its_first_line_is_resumed() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out"]).says(0, &[]);
    let whole = settled(&place, "out");
    for first in [None, Some(""), Some("{\"event\":\"run_st")] {
        std::fs::remove_file(place.path("out/journal.jsonl")).unwrap();
        if let Some(text) = first {
            place.write("out/journal.jsonl", text);
        }
        place.run(&["run", "--resume", "out"]).says(0, &[]);
        assert_eq!(settled(&place, "out"), whole, "{first:?}");
    }
}

#[test]
fn a_comparison_killed_between_its_two_journals_is_resumed() {
    let place = Place::new();
    let compare = ["compare", "--baseline", &lab("standard"), "--candidate", &lab("upper"), "--set", "smoke"];
    place.run(&[&compare[..], &["--out", "out"]].concat()).says(1, &[]);
    let whole = (settled(&place, "out/baseline"), settled(&place, "out/candidate"));
    let manifest = place.read("out/baseline/journal.jsonl").lines().next().unwrap().to_owned() + "\n";
    std::fs::remove_dir_all(place.path("out/candidate")).unwrap();
    place.write("out/baseline/journal.jsonl", &manifest);
    place.run(&["compare", "--resume", "out"]).says(1, &[]);
    assert_eq!((settled(&place, "out/baseline"), settled(&place, "out/candidate")), whole);
}

#[test]
fn a_full_disk_is_inconclusive_and_the_rest_is_sent_after_it() {
    let place = Place::new();
    // A limit on the size of files stands for the full disk: the write of the journal fails half-way.
    place
        .shell(
            "trap '' XFSZ; ulimit -f 8; exec \"$WAFCANARY\" run --profile \"$LAB/standard.toml\" --set smoke --out out",
        )
        .says(3, &["cannot write the record", "journal.jsonl", "--resume"]);
    place.run(&["run", "--resume", "out"]).says(0, &[]);
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "whole"]).says(0, &[]);
    assert_eq!(settled(&place, "out"), settled(&place, "whole"));
}

#[test]
fn a_report_that_finds_the_disk_full_is_inconclusive_and_the_record_stays() {
    let place = Place::new();
    place
        .run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out", "--write", "json=/dev/full"])
        .says(3, &["cannot write the report", "No space left", "/dev/full"]);
    assert!(!settled(&place, "out").is_empty());
    place
        .shell("exec \"$WAFCANARY\" report out --format json >/dev/full")
        .says(3, &["cannot write to standard output"]);
}

#[test]
fn a_run_of_another_schema_version_is_refused() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out"]).says(0, &[]);
    let journal = place.read("out/journal.jsonl").replace("\"schema_version\":1", "\"schema_version\":99");
    place.write("out/journal.jsonl", &journal);
    for command in [&["report", "out"][..], &["compare", "--baseline", "out", "--candidate", "out", "--out", "c"]] {
        place.run(command).says(2, &["schema version 99", "reads version 1"]);
    }
    assert_eq!(place.read("out/journal.jsonl"), journal);
}

#[test]
fn ctrl_c_leaves_a_whole_journal_and_resume_completes_it() {
    let place = Place::new();
    let run = ["--no-progress", "run", "--profile", &lab("standard"), "--set", "smoke", "--out", "out", "--rate", "5"];
    let mut child = place.command(&run).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !place.path("out/journal.jsonl").exists() || settled_so_far(&place) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("run --resume out"), "{said}");
    let before = settled(&place, "out");
    place.run(&["run", "--resume", "out"]).says(0, &[]);
    let after = settled(&place, "out");
    assert!(before.len() < after.len() && before.is_subset(&after), "{} of {}", before.len(), after.len());
}

fn settled_so_far(place: &Place) -> usize {
    place.read("out/journal.jsonl").matches("{\"event\":\"case\"").count()
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["corpus", "list", "--set", "full", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"id\""), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn compare_hands_its_decision_to_github_and_names_scripts_that_can_be_pasted() {
    let place = Place::new();
    place.write("output.txt", "earlier=1\n");
    let compare =
        ["compare", "--baseline", &lab("standard"), "--candidate", &lab("upper"), "--set", "smoke", "--out", "out"];
    let live = ran(place.command(&compare).env("GITHUB_OUTPUT", place.path("output.txt")));
    live.says(1, &[]);
    let output = place.read("output.txt");
    assert!(output.starts_with("earlier=1\ndecision=fail\nexit_code=1\n"), "{output}");
    let start = live.out.find("bash out/requests/").unwrap_or_else(|| panic!("{}", live.out));
    let script = live.out[start + 5..].split_whitespace().next().unwrap();
    assert!(place.path(script).is_file(), "{script}");
    assert_eq!(place.run(&["report", "out"]).says(0, &[]).out, live.out);
}

#[test]
fn compare_and_run_append_their_report_to_the_summary_of_a_step_and_never_over_its_limit() {
    let place = Place::new();
    place.write("summary.md", "written before");
    let with = |arguments: &[&str]| ran(place.command(arguments).env("GITHUB_STEP_SUMMARY", place.path("summary.md")));
    let run = ["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "run"];
    let written = place.path("output.txt");
    ran(place.command(&run).env("GITHUB_STEP_SUMMARY", place.path("summary.md")).env("GITHUB_OUTPUT", &written))
        .says(0, &[]);
    assert_eq!(place.read("output.txt"), "decision=pass\nexit_code=0\n");
    let first = place.read("summary.md");
    let report = place.run(&["report", "run", "--format", "markdown"]).out;
    assert_eq!(first, format!("written before\n\n{report}"));
    let compare = ["compare", "--baseline", &lab("standard"), "--candidate", &lab("upper"), "--set", "smoke"];
    with(&[&compare[..], &["--out", "a"]].concat()).says(1, &[]);
    let second = place.read("summary.md");
    assert!(second.starts_with(&first) && second.ends_with("exit 1**\n"), "{second}");
    // Room for a little, then for nothing.
    for (free, room) in [(3_000, true), (10, false)] {
        place.write("summary.md", &"x".repeat((1 << 20) - free));
        let ran = with(&[&compare[..], &["--out", &format!("b{free}")]].concat());
        ran.says(1, if room { &[] } else { &["cannot write to `$GITHUB_STEP_SUMMARY`", "it is full"] });
        let text = place.read("summary.md");
        assert!(text.len() <= 1 << 20, "{}", text.len());
        assert_eq!(text.ends_with("exit 1**\n"), room);
    }
}

#[test]
fn a_comparison_that_its_preflight_ends_says_so_in_the_summary() {
    let place = Place::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.write("down.toml", &super::marker_profile(&format!("http://{closed}/<b>*x*")));
    let compare =
        ["compare", "--baseline", &lab("standard"), "--candidate", "down.toml", "--set", "smoke", "--out", "out"];
    ran(place.command(&compare).env("GITHUB_STEP_SUMMARY", place.path("summary.md"))).says(3, &[]);
    let summary = place.read("summary.md");
    assert!(summary.starts_with("## INCONCLUSIVE: nothing was compared\n\n"), "{summary}");
    assert!(!summary.contains("<b>") && summary.len() > 60, "{summary}");
}
