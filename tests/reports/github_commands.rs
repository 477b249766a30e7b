//! Annotations as GitHub's runner reads them: its parser is written down here from its source (`ActionCommand.TryParseV2`).

use std::collections::BTreeMap;

use wafcanary::compare::{Class, Comparison, Decision, Finding};
use wafcanary::report::{self, Format, Options};

use super::{comparisons, fixture, rendered, rendered_run};

#[derive(Debug)]
struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    message: String,
}

fn unescaped(text: &str, property: bool) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n");
    let text = if property { text.replace("%3A", ":").replace("%2C", ",") } else { text };
    text.replace("%25", "%")
}

/// A line as the runner takes it.
fn parsed(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
    let properties = properties.map(|(key, value)| (key.trim().to_owned(), unescaped(value, true))).collect();
    Some(Command { name: name.to_owned(), properties, message: unescaped(message, false) })
}

fn commands(text: &str) -> Vec<Command> {
    text.lines().map(|line| parsed(line).unwrap_or_else(|| panic!("no command: {line}"))).collect()
}

fn of(comparison: &Comparison) -> Vec<Command> {
    commands(&rendered(comparison, Format::Github))
}

#[test]
fn each_line_is_one_annotation_whatever_the_filenames_hold() {
    let mut texts: Vec<_> = comparisons().iter().map(|(_, made)| rendered(made, Format::Github)).collect();
    let mut hostile = fixture::hostile();
    hostile.candidate.run.corpus_folder = Some("a,b:c%0A\n::error::x".into());
    hostile.cases[0].filename = "x\n::stop-commands::y\r##[add-mask]z%0A::error::".into();
    texts.push(rendered(&hostile, Format::Github));
    texts.push(rendered_run(&fixture::run(), Format::Github));
    for text in texts {
        for line in text.split(['\n', '\r', '\u{85}', '\u{2028}']).filter(|line| !line.is_empty()) {
            let command = parsed(line).unwrap();
            assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{line}");
            let known = ["file", "line", "title"];
            assert!(command.properties.keys().all(|key| known.contains(&key.as_str())), "{line}");
            assert!(!command.message.is_empty() && !command.message.contains(char::is_control), "{line}");
        }
    }
}

#[test]
fn the_decision_comes_first_and_each_attachment_points_at_its_line() {
    let mut comparison = fixture::everything();
    comparison.candidate.run.corpus_folder = Some("forms/添付".into());
    let commands = of(&comparison);
    assert_eq!(commands[0].name, "error");
    assert!(commands[0].message.starts_with("FAIL  ") && commands[0].message.ends_with("· exit 1"), "{commands:?}");
    let plan =
        commands.iter().find(|command| command.properties["title"] == "newly blocked: pdf/drainage-plan").unwrap();
    assert_eq!(
        (plan.properties["file"].as_str(), plan.properties["line"].as_str()),
        ("forms/添付/manifest.toml", "12")
    );
    assert!(
        plan.message.contains("So with 2 of 2 cases of this file: whatever the name and client."),
        "{}",
        plan.message
    );
    let waived = commands.last().unwrap();
    assert_eq!(
        (waived.name.as_str(), waived.message.as_str()),
        ("notice", "1 finding is waived: see the file of waivers")
    );
    assert!(of(&fixture::everything()).iter().all(|command| !command.properties.contains_key("file")));
}

#[test]
fn no_more_are_written_than_github_shows_and_the_rest_is_counted() {
    let case = |at| {
        let class = [Class::NewlyBlocked, Class::ProtectionLost, Class::Flaky][at % 3];
        fixture::case(&format!("pdf/case-{at:03}"), class, Finding::Open, "a.pdf")
    };
    for count in [9, 27, 30, 33, 300] {
        let commands = of(&fixture::comparison(Decision::Fail, Vec::new(), (0..count).map(case).collect()));
        for (level, all) in [("error", 1 + count / 3 * 2), ("warning", count / 3)] {
            let told: Vec<_> = commands.iter().filter(|command| command.name == level).collect();
            assert_eq!(told.len(), all.min(10), "{count} {level}");
            let more = told.last().unwrap();
            if all > 10 {
                let left = all - 9;
                assert_eq!(more.message, format!("{left} uploads of {left} files more: see the report, which has all"));
            } else {
                assert_ne!(more.properties["title"], "and more");
            }
        }
    }
}

#[test]
fn nothing_is_an_error_where_the_gate_passes() {
    let commands = of(&fixture::passing());
    assert!(commands.iter().all(|command| command.name == "notice"), "{commands:?}");
    for comparison in [fixture::empty(), fixture::inconclusive()] {
        assert_eq!(of(&comparison)[0].name, "error");
    }
}

#[test]
fn a_summary_fits_into_what_is_left_of_a_mebibyte_and_has_its_verdict() {
    let case = |at: usize| {
        let name = fixture::HOSTILE[at % fixture::HOSTILE.len()];
        let mut case = fixture::case(&format!("pdf/図面-{at:06}"), Class::NewlyBlocked, Finding::Open, name);
        case.procedures = vec![format!("手続 {at}").into()].into();
        case
    };
    let comparison = fixture::comparison(Decision::Fail, Vec::new(), (0..9_000).map(case).collect());
    let summary = |used: u64| {
        let page = report::github_summary(used, |budget| {
            let mut page = Vec::new();
            let options = Options { budget, ..Options::default() };
            report::render_comparison(&comparison, Format::Markdown, &options, &mut page)?;
            Ok(page)
        });
        page.unwrap().map(|page| String::from_utf8(page).unwrap())
    };
    let mut shown = Vec::new();
    for used in [0, 500_000, 1_000_000, 1_040_000, 1_047_000] {
        let page = summary(used).unwrap();
        assert!(page.len() as u64 + used <= 1 << 20, "{} and {used}", page.len());
        assert!(page.contains("exit 1**"), "{used}: {page}");
        assert!(page.contains("more (see `comparison.json`)") || page.contains("cut to its budget"), "{used}");
        shown.push(page.matches("| newly blocked |").count());
    }
    assert!(shown.is_sorted_by(|a, b| a >= b) && shown[0] > 2_000, "{shown:?}");
    assert_eq!(summary(1 << 20), None);
    assert_eq!(summary(u64::MAX), None);
}
