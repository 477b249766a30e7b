//! SARIF that the official schema and Microsoft's own validator accept, and that names each finding once and for all.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wafcanary::compare::{Class, Comparison, Decision, Finding};
use wafcanary::report::Format;

use super::{comparisons, fixture, rendered, rendered_run};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn of(comparison: &Comparison) -> Value {
    parsed(&rendered(comparison, Format::Sarif))
}

fn results(document: &Value) -> &Vec<Value> {
    document["runs"][0]["results"].as_array().unwrap()
}

/// The result of a case.
fn result<'a>(document: &'a Value, case: &str) -> &'a Value {
    let found = results(document).iter().find(|result| result["properties"]["case"] == case);
    found.unwrap_or_else(|| panic!("no result of {case}"))
}

fn in_repository(mut comparison: Comparison, folder: &str) -> Comparison {
    comparison.candidate.run.corpus_folder = Some(folder.into());
    comparison
}

fn many(count: usize) -> Comparison {
    let case = |at| fixture::case(&format!("pdf/case-{at:06}"), Class::NewlyBlocked, Finding::Open, "a.pdf");
    fixture::comparison(Decision::Fail, Vec::new(), (0..count).map(case).collect())
}

fn documents() -> Vec<(String, String)> {
    let mut all = vec![("run".to_owned(), rendered_run(&fixture::run(), Format::Sarif))];
    for (name, comparison) in comparisons() {
        all.push((name.to_owned(), rendered(&comparison, Format::Sarif)));
        let inside = in_repository(comparison, "添付 #1/corpus");
        all.push((format!("{name} in the repository"), rendered(&inside, Format::Sarif)));
    }
    all
}

#[test]
fn the_official_schema_accepts_every_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/sarif-2.1.0.json");
    let mut schema = parsed(&std::fs::read_to_string(path).unwrap());
    // NOTE: this pattern of the published schema has a stray bracket and is no regular expression; we have no `language`.
    for owner in ["run", "toolComponent"] {
        let language = schema["definitions"][owner]["properties"]["language"].as_object_mut().unwrap();
        assert!(language.remove("pattern").is_some());
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for (name, text) in documents() {
        let errors: Vec<_> = validator.iter_errors(&parsed(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    let mut wrong = of(&fixture::everything());
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong));
    let mut wrong = of(&fixture::everything());
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b|c".into();
    assert!(!validator.is_valid(&wrong));
}

/// Runs Microsoft's validator, with the rules of GitHub's code scanning, and returns what it found: rule ids.
fn validated(folder: &Path, text: &str) -> BTreeSet<String> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/corpus-node/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool");
    assert!(tool.is_file(), "tests/all.sh installs {}", tool.display());
    let (document, found) = (folder.join("document.sarif"), folder.join("found.sarif"));
    std::fs::write(&document, text).unwrap();
    let output = Command::new(tool)
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .args([
            "validate",
            "--rule-kind",
            "Sarif;Ghas",
            "--level",
            "Error;Warning",
            "--log",
            "ForceOverwrite",
            "--output",
        ])
        .arg(&found)
        .arg(&document)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let found = parsed(std::fs::read_to_string(found).unwrap().trim_start_matches('\u{feff}'));
    let ids = results(&found).iter().map(|result| result["ruleId"].as_str().unwrap().to_owned());
    ids.collect()
}

#[test]
fn microsofts_validator_finds_nothing_that_matters() {
    let folder = tempfile::tempdir().unwrap();
    // `informationUri` (2005): the program has no home page to name.
    let accepted = BTreeSet::from(["SARIF2005".to_owned()]);
    for (name, text) in documents() {
        let found = validated(folder.path(), &text);
        assert!(found.is_subset(&accepted), "{name}: {found:?}");
    }
    let mut wrong = of(&fixture::everything());
    wrong["runs"][0]["results"][0]["ruleIndex"] = 99.into();
    assert!(!validated(folder.path(), &wrong.to_string()).is_subset(&accepted));
}

#[test]
fn every_finding_is_a_result_with_a_rule_that_says_what_to_do() {
    let comparison = fixture::everything();
    let document = of(&comparison);
    let counted = comparison.cases.iter().filter(|case| case.finding != Finding::None);
    let ids: BTreeSet<_> = counted.map(|case| case.id.as_str()).collect();
    let told: BTreeSet<_> =
        results(&document).iter().map(|result| result["properties"]["case"].as_str().unwrap()).collect();
    assert_eq!(told, ids);
    let rules = document["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results(&document) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        for (object, key) in
            [("shortDescription", "text"), ("fullDescription", "text"), ("help", "text"), ("help", "markdown")]
        {
            assert!(rule[object][key].as_str().unwrap().len() > 20, "{rule}");
        }
        assert!(["error", "warning"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let blocked = result(&document, "pdf/drainage-plan");
    assert_eq!(blocked["level"], "error");
    let words = blocked["message"]["text"].as_str().unwrap();
    assert!(
        words
            .starts_with("`排水設備計画確認申請書（最終版・押印済み）添付図面一式.pdf` got through and no longer does"),
        "{words}"
    );
    assert!(words.contains("Hits: 建築確認申請に関する道路相談 · 排水設備計画確認申請書."), "{words}");
    assert_eq!(result(&document, "pdf/detected")["properties"]["wafRules"][1], "920120");
}

#[test]
fn a_waiver_suppresses_until_its_last_day_and_no_longer() {
    let document = of(&fixture::everything());
    let waived = result(&document, "office/form");
    let suppression = &waived["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&"external".into(), &"accepted".into()));
    let why = "platform-team, until 2026-12-31: the old form is switched off in December";
    assert_eq!(suppression["justification"], why);
    assert_eq!(waived["level"], "note");
    let expired = result(&document, "image/receipt");
    assert_eq!(expired["suppressions"], Value::Array(Vec::new()));
    assert_eq!(expired["level"], "error");
    assert!(expired["message"]["text"].as_str().unwrap().contains("expired after 2026-10-31"));
}

#[test]
fn fingerprints_tell_cases_apart_and_outlive_lines_and_answers() {
    let mut comparison = fixture::everything();
    let of_case = |document: &Value, id: &str| result(document, id)["partialFingerprints"].clone();
    let first = of(&comparison);
    for case in &mut comparison.cases {
        case.place = Some("manifest.toml:99".into());
        case.filename = "renamed.pdf".into();
        if let Some(candidate) = &mut case.candidate {
            candidate.evidence = "another page".into();
            candidate.millis += 1;
        }
    }
    comparison.candidate.run.run = "another".into();
    let second = of(&comparison);
    let mut seen = BTreeSet::new();
    for result in results(&first) {
        let id = result["properties"]["case"].as_str().unwrap();
        assert_eq!(of_case(&first, id), of_case(&second, id), "{id}");
        for key in ["primaryLocationLineHash", "wafcanaryCase/v1"] {
            assert!(seen.insert(result["partialFingerprints"][key].as_str().unwrap().to_owned()), "{id}");
        }
    }
}

#[test]
fn the_place_is_a_path_of_the_repository_or_says_that_it_is_none() {
    let location =
        |comparison: &Comparison| of(comparison)["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone();
    let inside = location(&in_repository(fixture::everything(), "添付 #1/corpus"));
    assert_eq!(inside["artifactLocation"]["uri"], "%E6%B7%BB%E4%BB%98%20%231/corpus/manifest.toml");
    assert_eq!(inside["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(inside["region"]["startLine"], 12);
    let root = location(&in_repository(fixture::everything(), ""));
    assert_eq!(root["artifactLocation"]["uri"], "manifest.toml");
    let outside = location(&fixture::everything());
    assert_eq!(outside["artifactLocation"]["uri"], "wafcanary-corpus/manifest.toml");
    assert_eq!(outside["artifactLocation"].get("uriBaseId"), None);
}

#[test]
fn what_is_left_out_is_said_and_the_gravest_stay() {
    let mut comparison = many(25_010);
    comparison.cases[25_009].class = Class::ProtectionLost;
    comparison.cases[0].class = Class::Flaky;
    let document = of(&comparison);
    assert_eq!(results(&document).len(), 25_000);
    assert!(results(&document).iter().any(|result| result["ruleId"] == "newly_blocked"));
    assert!(!results(&document).iter().any(|result| result["ruleId"] == "flaky"));
    let told = |document: &Value, code: &str| {
        let all = document["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().clone();
        let found = all.iter().find(|told| told["descriptor"]["id"] == code);
        found.map(|told| told["message"]["text"].as_str().unwrap().to_owned())
    };
    let left = told(&document, "results_left_out").unwrap();
    assert!(left.starts_with("10 results are left out"), "{left}");
    assert!(told(&document, "results_not_shown").unwrap().contains("5,000 of these 25,000"));
    assert_eq!(told(&of(&many(5_000)), "results_not_shown"), None);
    assert!(told(&of(&many(5_001)), "results_not_shown").is_some());
}

#[test]
fn an_inconclusive_comparison_is_no_successful_analysis() {
    for (comparison, code, successful) in
        [(fixture::everything(), 1, true), (fixture::inconclusive(), 3, false), (fixture::passing(), 0, true)]
    {
        let invocation = of(&comparison)["runs"][0]["invocations"][0].clone();
        assert_eq!((&invocation["exitCode"], &invocation["executionSuccessful"]), (&code.into(), &successful.into()));
    }
    // It fails, and the candidate banned it half-way: what it did not ask for has no result, and is not mended.
    let mut banned = fixture::everything();
    banned.reasons.push(fixture::reason(
        Decision::Inconclusive,
        "run_incomplete",
        "the candidate's edge banned the run",
    ));
    let invocation = of(&banned)["runs"][0]["invocations"][0].clone();
    assert_eq!((&invocation["exitCode"], &invocation["executionSuccessful"]), (&1.into(), &false.into()));
    let empty = of(&fixture::empty());
    let notification = &empty["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!((&notification["descriptor"]["id"], &notification["level"]), (&"empty_corpus".into(), &"error".into()));
}

/// Every string of a document.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(all) => all.iter().for_each(|value| strings(value, found)),
        Value::Object(all) => all.values().for_each(|value| strings(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_filename_hides_links_or_mentions() {
    let mut comparison = in_repository(fixture::hostile(), "corpus");
    comparison.cases[0].filename = "[click](https://evil.example) {0} \u{202e}.pdf".into();
    let document = of(&comparison);
    let mut all = Vec::new();
    for part in ["results", "invocations", "automationDetails"] {
        strings(&document["runs"][0][part], &mut all);
    }
    let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{fffe}';
    for text in all {
        assert!(!text.contains(hidden), "{text:?}");
    }
    let mut messages = Vec::new();
    for result in results(&document) {
        messages.push(result["message"]["text"].as_str().unwrap());
    }
    for told in document["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap() {
        messages.push(told["message"]["text"].as_str().unwrap());
    }
    for message in &messages {
        assert!(!message.contains("](") && !message.contains("://") && !message.contains("@octocat"), "{message}");
    }
    assert!(messages[0].starts_with("`[click] (https:\u{200b}//evil.example) {{0}} <U+202E>.pdf`"), "{}", messages[0]);
}
