//! `matrix`: live edges and stored runs in one table, the same bytes later, and nothing unknown that looks settled.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Place, lab, marker_profile, ran};

/// A port at which nothing listens.
fn nothing() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn document(place: &Place) -> Value {
    serde_json::from_str(&place.read("out/matrix.json")).unwrap()
}

fn codes(document: &Value) -> Vec<(&str, Option<u64>)> {
    let notes = document["reasons"].as_array().unwrap().iter();
    notes.map(|note| (note["code"].as_str().unwrap(), note["column"].as_u64())).collect()
}

#[test]
fn two_edges_and_a_stored_run_stand_side_by_side_and_report_gives_the_same_bytes() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("lie-mojibake-name"), "--set", "smoke", "--out", "stored"]).says(1, &[]);
    let formats = ["terminal", "json", "html", "markdown", "csv", "xlsx"];
    for lang in ["en", "ja"] {
        let out = format!("out-{lang}");
        let writes: Vec<_> = formats.iter().map(|format| format!("--write={format}={out}.{format}")).collect();
        let (standard, upper) = (lab("standard"), lab("upper"));
        let mut matrix = vec!["matrix", &standard, &upper, "stored", "--set", "smoke", "--out", &out, "--lang", lang];
        matrix.extend(writes.iter().map(String::as_str));
        let live = place.run(&matrix);
        live.says(0, &["[1] `lab, standard plan`", "[3]", "COMPLETE", "exit 0"]);
        assert_eq!(place.run(&["report", &out]).says(0, &[]).out, live.out);
        for format in formats {
            let written = std::fs::read(place.path(&format!("{out}.{format}"))).unwrap();
            let again = place.command(&["report", &out, "--format", format, "--lang", lang]).output().unwrap();
            assert_eq!(again.status.code(), Some(0));
            assert!(again.stdout == written, "{format} {lang}");
            assert_eq!(written, std::fs::read(place.path(&format!("{out}.{format}"))).unwrap());
        }
        let from_file = place.run(&["report", &format!("{out}.json"), "--format", "csv"]);
        assert_eq!(from_file.says(0, &[]).out, place.read(&format!("{out}.csv")));
    }
    let document: Value = serde_json::from_str(&place.read("out-en/matrix.json")).unwrap();
    let columns = document["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 3);
    let delivered: Vec<_> = columns.iter().map(|column| column["legit"]["good"].as_u64().unwrap()).collect();
    assert!(delivered[0] > delivered[1] && delivered[1] > 0, "{delivered:?}");
    assert!(columns[2]["outcomes"]["altered"].as_u64().unwrap() > 0);
    assert!(place.read("out-ja.html").contains("添付ファイル互換性一覧"));
    // Each column is a run like any other.
    place.run(&["report", "out-en/edge-2"]).says(0, &["lab, upper plan"]);
    place
        .run(&["compare", "--baseline", "out-en/edge-1", "--candidate", "out-en/edge-2", "--out", "c"])
        .says(1, &["newly blocked"]);
}

#[test]
fn the_language_is_that_of_the_locale_where_it_is_asked_for() {
    let place = Place::new();
    place.run(&["matrix", &lab("standard"), &lab("upper"), "--set", "smoke", "--out", "out"]).says(0, &[]);
    let report = |lang: &str, locale: &str| {
        let mut command = place.command(&["report", "out", "--format", "markdown", "--lang", lang]);
        ran(command.env("LC_ALL", locale)).says(0, &[]).out.contains("互換性")
    };
    assert!(
        report("auto", "ja_JP.UTF-8")
            && report("ja", "C")
            && !report("auto", "C.UTF-8")
            && !report("en", "ja_JP.UTF-8")
    );
    place.run(&["report", "out", "--lang", "fr"]).says(2, &["known languages: en, ja, auto"]);
}

#[test]
fn an_edge_that_cannot_be_asked_leaves_its_column_empty_and_is_never_a_success() {
    let place = Place::new();
    place.write("dead.toml", &marker_profile(&nothing()).replace("[guard]", "[guard]\nauthorized = true"));
    let matrix = ["matrix", &lab("standard"), "dead.toml", &lab("upper"), "--set", "smoke", "--out", "out"];
    // The preflight says it before anything is sent.
    place.run(&matrix).says(3, &["preflight of the edge `dead`", "unreachable"]);
    assert!(!place.path("out").exists());
    for (canary, words) in [("canary_every = 0", "14 unreachable"), ("canary_every = 5", "can't be asked")] {
        let profile = place.read("dead.toml").replace("canary_every = 0", canary);
        place.write("dead.toml", &profile);
        let live = place.run(&[&matrix[..], &["--no-preflight", "--write", "xlsx=m.xlsx"]].concat());
        live.says(3, &["nothing is known of `dead`", words, "INCONCLUSIVE", "exit 3", "－ 2 not known"]);
        let document = document(&place);
        assert_eq!(document["settled"], false);
        assert!(codes(&document).contains(&("nothing_asked", Some(1))), "{:?}", codes(&document));
        for column in [0, 2] {
            assert_eq!(document["columns"][column]["ending"]["kind"], "complete");
            assert_eq!(document["columns"][column]["legit"]["unknown"], 0);
        }
        let is_unknown = |cell: &Value| cell.is_null() || cell["outcome"] == "unreachable";
        assert!(document["cases"].as_array().unwrap().iter().all(|case| is_unknown(&case["cells"][1])));
        assert!(std::fs::metadata(place.path("m.xlsx")).unwrap().len() > 5_000);
        std::fs::remove_dir_all(place.path("out")).unwrap();
    }
}

#[test]
fn an_edge_that_bans_us_does_not_cost_the_others_their_cases() {
    let place = Place::new();
    let matrix = ["matrix", &lab("lie-ban"), &lab("standard"), "--set", "smoke", "--out", "out", "--no-preflight"];
    place.run(&matrix).says(3, &["banned", "exit 3"]);
    let document = document(&place);
    assert_eq!(document["columns"][0]["ending"]["kind"], "banned");
    assert_eq!(document["columns"][1]["ending"]["kind"], "complete");
    assert_eq!(document["columns"][1]["legit"]["unknown"], 0);
}

#[test]
fn stored_runs_alone_are_joined_and_gaps_are_told() {
    let place = Place::new();
    for (profile, case, out) in [("standard", "pdf/*", "a"), ("upper", "pdf/*", "b"), ("upper", "zip/*", "c")] {
        place.run(&["run", "--profile", &lab(profile), "--case", case, "--out", out]);
    }
    place.run(&["matrix", "a", "b", "--out", "out"]).says(0, &["COMPLETE"]);
    place
        .run(&["matrix", "a", "b", "c", "--out", "other"])
        .says(3, &["different states or selections of a corpus", "was not asked for", "exit 3"]);
    // Before anything is sent.
    place.run(&["matrix", "c", &lab("standard"), "--set", "smoke", "--out", "n"]).says(3, &["not the same", "c"]);
    assert!(!place.path("n").exists());
    let started = place.read("a/journal.jsonl").lines().next().unwrap().to_owned() + "\n";
    place.write("killed/journal.jsonl", &started);
    place.run(&["matrix", "a", "killed", "--out", "k"]).says(3, &["nothing is known of", "did not come to its end"]);
    place.write("killed-too/journal.jsonl", place.read("b/journal.jsonl").lines().next().unwrap());
    place.run(&["matrix", "killed", "killed-too", "--out", "e"]).says(3, &["no case is settled on any edge"]);
}

#[test]
fn one_edge_in_two_columns_is_no_table_of_two_edges_unless_it_is_meant() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "a"]).says(0, &[]);
    let same = ["are the same edge", "--allow-same-edge"];
    place.run(&["matrix", "a", "a", "--out", "s"]).says(3, &[&same[..], &["INCONCLUSIVE", "exit 3"]].concat());
    place.run(&["report", "s"]).says(0, &[&same[..], &["INCONCLUSIVE", "exit 3"]].concat());
    place.run(&["matrix", "a", "a", "--allow-same-edge", "--out", "t"]).says(0, &["are the same edge", "COMPLETE"]);
    place.run(&["report", "t"]).says(0, &["are the same edge", "COMPLETE"]);
    // Before anything is sent.
    let live = ["matrix", "a", &lab("standard"), "--set", "smoke", "--out", "l"];
    place.run(&live).says(3, &same);
    assert!(!place.path("l").exists());
    place.run(&[&live[..], &["--allow-same-edge"]].concat()).says(0, &["COMPLETE"]);
    let twice = ["matrix", &lab("standard"), &lab("standard"), "--set", "smoke", "--allow-same-edge", "--out", "w"];
    place.run(&twice).says(0, &["`lab, standard plan (", "no difference is known"]);
}

#[test]
fn an_edge_that_throttles_is_not_whole_in_any_format_and_one_that_changes_its_mind_is_not_delivering() {
    let place = Place::new();
    let arguments =
        ["--set", "smoke", "--no-preflight", "--lang", "ja", "--write", "html=m.html,markdown=m.md,csv=m.csv"];
    let run = |edge: &str, more: &[&str]| {
        let mut matrix = vec!["matrix", edge];
        let standard = lab("standard");
        matrix.push(&standard);
        place.run(&[&matrix[..], &arguments[..], more].concat())
    };
    run(&lab("lie-throttle"), &["--out", "t"]).says(3, &["－", "not known", "INCONCLUSIVE"]);
    let document: Value = serde_json::from_str(&place.read("t/matrix.json")).unwrap();
    assert!(document["columns"][0]["legit"]["unknown"].as_u64().unwrap() > 0, "{}", document["columns"][0]);
    for file in ["m.html", "m.md"] {
        let text = place.read(file);
        let shown = text.split("<main").last().unwrap();
        let whole = shown.matches("○ 100%").count();
        assert!(whole > 0 && shown.contains("－ 判明分の100%"), "{shown}");
        assert_eq!(whole + shown.matches("判明分の100%").count(), shown.matches("100%").count(), "{shown}");
    }
    let text = place.read("m.md");
    let edge = text.lines().find(|line| line.starts_with("| `lab, throttle`")).unwrap();
    assert!(edge.contains("まで確認") && !edge.contains('○'), "{edge}");
    run(&lab("lie-flaky"), &["--rounds", "4", "--out", "f"]).says(0, &["COMPLETE", "1 edge is unsteady, on"]);
    let document: Value = serde_json::from_str(&place.read("f/matrix.json")).unwrap();
    assert!(document["columns"][0]["legit"]["unsteady"].as_u64().unwrap() > 0, "{}", document["columns"][0]);
    for (file, words) in
        [("m.html", "結果の一定しないエッジが1件"), ("m.md", "△ 結果不安定・"), ("m.csv", ",unsteady,")]
    {
        assert!(place.read(file).contains(words), "{file}");
    }
}

#[test]
fn wrong_edges_and_formats_are_refused_before_anything_is_sent() {
    let place = Place::new();
    let (standard, upper) = (lab("standard"), lab("upper"));
    place.run(&["matrix"]).says(2, &["two edges at least, and 0", "wafcanary matrix"]);
    place.run(&["matrix", &standard]).says(2, &["two edges at least, and 1"]);
    let many: Vec<&str> = std::iter::once("matrix").chain(std::iter::repeat_n(standard.as_str(), 51)).collect();
    place.run(&many).says(2, &["50 edges at most"]);
    place.run(&["matrix", &standard, &upper, &standard, "--out", "out"]).says(3, &["are the same edge"]);
    place.run(&["matrix", &standard, "nowhere.toml"]).says(2, &["nowhere.toml"]);
    place.run(&["matrix", &standard, &upper, "--format", "junit"]).says(2, &["known formats", "xlsx"]);
    place.run(&["matrix", &standard, &upper, "--write", "m.xlsx"]).says(2, &["FORMAT=FILE"]);
    place.run(&["matrix", &standard, &upper, "--write", "xlsx=no/such/m.xlsx"]).says(2, &["cannot write the report"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run(&["matrix", &standard, &upper, "--corpus", "empty"]).says(2, &["the corpus is empty"]);
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/").replace("\"lab\"", "\"production\""));
    place.run(&["matrix", &standard, "p.toml"]).says(2, &["sends to production", "--allow-production"]);
    assert!(!place.path("out").exists() && !place.path("wafcanary-out").exists());
    place.run(&["run", "--profile", &standard, "--set", "smoke", "--out", "run"]).says(0, &[]);
    place.run(&["report", "run", "--format", "xlsx"]).says(2, &["no `xlsx` of a run", "terminal, json"]);
    place.run(&["matrix", "run", &upper, "--set", "smoke", "--out", "out"]).says(0, &[]);
    place.run(&["report", "out", "--format", "junit"]).says(2, &["no `junit` of a matrix", "markdown, csv, xlsx"]);
    place.run(&["matrix", "run", &upper, "--set", "smoke", "--out", "out"]).says(2, &["already a run in this folder"]);
}

#[test]
fn a_dry_run_counts_for_each_edge_and_sends_nothing() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    place
        .run(&["matrix", "p.toml", &lab("upper"), "--set", "smoke", "--dry-run"])
        .says(0, &["nothing is sent", "profile p", "profile lab, upper plan", "of the preflight"]);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(!place.path("wafcanary-out").exists());
}

#[test]
fn ctrl_c_leaves_whole_journals_and_resume_completes_the_table() {
    let place = Place::new();
    let (standard, upper, third) = (lab("standard"), lab("upper"), lab("lie-truncate"));
    let matrix =
        ["--no-progress", "matrix", &standard, &upper, &third, "--set", "smoke", "--out", "out", "--rate", "5"];
    let arguments = [&matrix[..], &["--no-preflight"]].concat();
    let mut child = place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let settled = |edge: u32| {
        let journal = place.path(&format!("out/edge-{edge}/journal.jsonl"));
        std::fs::read_to_string(journal).unwrap_or_default().matches("{\"event\":\"case\"").count()
    };
    while settled(1) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("matrix --resume out"), "{said}");
    assert!(!place.path("out/matrix.json").exists());
    let before = settled(1);
    let resumed = place.run(&["matrix", "--resume", "out"]);
    resumed.says(0, &["COMPLETE"]);
    assert!(before < settled(1));
    assert_eq!(settled(1), settled(2));
    assert_eq!(document(&place)["columns"].as_array().unwrap().len(), 3);
    place.run(&["compare", "--resume", "out"]).says(2, &["cannot read the options", "`matrix`"]);
}
