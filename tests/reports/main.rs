//! What people and machines are told, in every format.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod csv_cells;
mod fixture;
mod github_commands;
mod html_browser;
mod html_page;
mod json_schema;
mod junit_xml;
mod markdown_inert;
mod sarif;
mod terminal_page;

use wafcanary::compare::{Comparison, decide_run};
use wafcanary::corpus::Intent;
use wafcanary::report::{self, Format, Options};
use wafcanary::run::{Run, RunEnding};
use wafcanary::verdict::Outcome;

fn rendered_with(comparison: &Comparison, format: Format, options: &Options) -> String {
    let mut out = Vec::new();
    report::render_comparison(comparison, format, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn rendered(comparison: &Comparison, format: Format) -> String {
    rendered_with(comparison, format, &Options::default())
}

fn rendered_run(run: &Run, format: Format) -> String {
    let mut out = Vec::new();
    report::render_run(run, format, &Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn comparisons() -> [(&'static str, Comparison); 5] {
    [
        ("everything", fixture::everything()),
        ("hostile", fixture::hostile()),
        ("empty", fixture::empty()),
        ("inconclusive", fixture::inconclusive()),
        ("passing", fixture::passing()),
    ]
}

/// The formats that can be reviewed as text; the page for a browser is looked at in one.
const READ: [Format; 8] = [
    Format::Terminal,
    Format::Json,
    Format::Jsonl,
    Format::Junit,
    Format::Markdown,
    Format::Csv,
    Format::Sarif,
    Format::Github,
];

#[test]
fn each_format_reads_as_reviewed() {
    for (name, comparison) in comparisons() {
        for format in READ {
            let text = rendered(&comparison, format);
            insta::assert_snapshot!(format!("{name}.{}", format.as_str()), text);
        }
    }
    for format in READ {
        insta::assert_snapshot!(format!("run.{}", format.as_str()), rendered_run(&fixture::run(), format));
    }
}

#[test]
fn a_stored_comparison_rendered_again_gives_the_same_bytes() {
    for (name, comparison) in comparisons() {
        let stored = rendered(&comparison, Format::Json);
        let read: Comparison = serde_json::from_str(&stored).unwrap();
        for format in Format::ALL {
            assert_eq!(rendered(&comparison, format), rendered(&read, format), "{name} as {}", format.as_str());
        }
    }
}

#[test]
fn every_format_is_found_by_its_name() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
    assert_eq!(Format::parse("pdf"), None);
}

#[test]
fn github_output_holds_only_keys_numbers_and_the_decision() {
    let output = report::github_output(&fixture::hostile());
    assert!(output.starts_with("decision=fail\nexit_code=1\ncases=14\nnewly_blocked=14\n"), "{output}");
    for line in output.lines() {
        let (key, value) = line.split_once('=').unwrap();
        assert!(key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
        assert!(value.parse::<u64>().is_ok() || ["pass", "fail", "inconclusive"].contains(&value), "{line}");
    }
}

#[test]
fn a_control_past_the_edge_is_listed_exactly_when_it_fails_the_gate() {
    for outcome in Outcome::ALL {
        let mut run = fixture::run();
        run.ending = Some(RunEnding::Complete);
        run.cases.retain(|case| case.intent == Intent::Control);
        for case in &mut run.cases {
            case.verdict.outcome = outcome;
            case.rounds = vec![outcome].into();
        }
        let gated = decide_run(&run).1.iter().any(|reason| reason.code == "control_delivered");
        let listed = rendered_run(&run, Format::Terminal).contains("control delivered");
        assert_eq!(listed, gated, "{outcome:?}");
    }
}
