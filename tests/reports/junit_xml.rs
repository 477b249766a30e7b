//! `JUnit` XML that two independent parsers read, with the structure that CI systems expect.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use roxmltree::{Document, Node};
use wafcanary::report::Format;

use super::{comparisons, fixture, rendered, rendered_run};

fn all() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = comparisons().iter().map(|(name, made)| (*name, rendered(made, Format::Junit))).collect();
    all.push(("run", rendered_run(&fixture::run(), Format::Junit)));
    all
}

fn children<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

#[test]
fn the_structure_is_that_of_junit() {
    let results = ["failure", "error", "skipped", "flakyFailure", "flakyError", "rerunFailure", "rerunError"];
    for (name, text) in all() {
        let document = Document::parse(&text).unwrap();
        let root = document.root_element();
        assert!(root.has_tag_name("testsuites"), "{name}");
        let mut ids = BTreeSet::new();
        for suite in children(root, "testsuite") {
            let cases: Vec<_> = children(suite, "testcase").collect();
            let number = |key| suite.attribute(key).unwrap().parse::<usize>().unwrap();
            let with = |tag| cases.iter().filter(|case| children(**case, tag).next().is_some()).count();
            assert_eq!(number("tests"), cases.len(), "{name}");
            assert_eq!(number("failures"), with("failure"), "{name}");
            assert_eq!(number("errors"), with("error"), "{name}");
            for case in cases {
                let id = (case.attribute("classname").unwrap(), case.attribute("name").unwrap());
                assert!(ids.insert(id), "{name}: {id:?} is there twice");
                for child in case.children().filter(Node::is_element) {
                    let tag = child.tag_name().name();
                    assert!(results.contains(&tag) || ["properties", "system-out"].contains(&tag), "{name}: {tag}");
                }
            }
        }
    }
}

#[test]
fn python_reads_it_with_the_same_numbers() {
    let script = "import sys,xml.etree.ElementTree as e; r=e.fromstring(sys.stdin.buffer.read()); \
                  print(len(r.findall('.//testcase')),len(r.findall('.//failure')),len(r.findall('.//error')))";
    for (name, text) in all() {
        let mut python = Command::new("python3")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need python3");
        python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        let document = Document::parse(&text).unwrap();
        let count = |tag| document.descendants().filter(|node| node.has_tag_name(tag)).count();
        let expected = format!("{} {} {}\n", count("testcase"), count("failure"), count("error"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}");
    }
}

fn result_of(text: &str, id: &str) -> Vec<(String, String, String)> {
    let document = Document::parse(text).unwrap();
    let case = document.descendants().find(|node| node.attribute("name") == Some(id)).unwrap();
    let result = |node: Node<'_, '_>| {
        let attribute = |name| node.attribute(name).unwrap_or_default().to_owned();
        (node.tag_name().name().to_owned(), attribute("type"), attribute("message"))
    };
    let elements = case.children().filter(|node| node.is_element() && !node.has_tag_name("properties"));
    elements.map(result).collect()
}

#[test]
fn each_kind_of_finding_has_its_element() {
    let text = rendered(&fixture::everything(), Format::Junit);
    let first = |id| {
        let (tag, class, message) = result_of(&text, id).remove(0);
        (tag, class, message)
    };
    let blocked = first("pdf/drainage-plan");
    assert_eq!(blocked.0, "failure");
    assert_eq!(blocked.1, "newly_blocked");
    assert_eq!(first("archive/plans").0, "error");
    let waived = first("office/form");
    assert_eq!(waived.0, "skipped");
    assert!(waived.2.contains("waived until 2026-12-31 by platform-team"), "{}", waived.2);
    assert_eq!(first("image/receipt").0, "failure");
    let tags: Vec<_> = result_of(&text, "office/plan").into_iter().map(|(tag, ..)| tag).collect();
    assert_eq!(tags, ["failure", "rerunFailure", "rerunFailure"]);
    assert!(result_of(&text, "pdf/enrolment").is_empty());
}

#[test]
fn a_pass_has_nothing_red_and_flaky_cases_say_so() {
    let text = rendered(&fixture::passing(), Format::Junit);
    let tags: Vec<_> = result_of(&text, "pdf/c").into_iter().map(|(tag, ..)| tag).collect();
    assert_eq!(tags, ["flakyFailure", "flakyFailure"]);
    let document = Document::parse(&text).unwrap();
    let red = |node: &Node<'_, '_>| node.has_tag_name("failure") || node.has_tag_name("error");
    assert_eq!(document.descendants().filter(red).count(), 0, "{text}");
}

#[test]
fn a_comparison_that_says_nothing_is_never_green() {
    for comparison in [fixture::empty(), fixture::inconclusive()] {
        assert_eq!(result_of(&rendered(&comparison, Format::Junit), "decision")[0].0, "error");
    }
}

#[test]
fn what_xml_forbids_is_written_visibly() {
    let text = rendered(&fixture::hostile(), Format::Junit);
    assert!(text.contains("bell\\u{7}\\u{1b}[2Jwipe\\u{0}.pdf"), "{text}");
    assert!(text.contains("\\u{fffe}.pdf"), "{text}");
}
