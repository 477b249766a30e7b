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

/// Runs a program of the tests' own Python packages over a document, and returns what it prints.
fn python_package(script: &str, path: &std::path::Path) -> String {
    let python = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus-venv/bin/python");
    let output =
        Command::new(python).args(["-c", script]).arg(path).output().expect("tests/all.sh makes this environment");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_schema_of_jenkins_accepts_every_document() {
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/junit-10.xsd");
    let mut schema_text = std::fs::read_to_string(schema).unwrap();
    // What CI systems read beside it: properties, file and line of a case (GitLab, Jenkins' junit step), and the root's `skipped`.
    let case = r#"<xs:element name="testcase">
        <xs:complexType>
            <xs:sequence>"#;
    let name = r#"<xs:attribute name="classname" type="xs:string"/>"#;
    let tests = r#"<xs:attribute name="tests" type="xs:string" />"#;
    for (at, added) in [
        (case, r#"<xs:element ref="properties" minOccurs="0"/>"#),
        (name, r#"<xs:attribute name="file" type="xs:string"/><xs:attribute name="line" type="xs:positiveInteger"/>"#),
        (tests, r#"<xs:attribute name="skipped" type="xs:string"/>"#),
    ] {
        assert_eq!(schema_text.matches(at).count(), 1, "{at}");
        schema_text = schema_text.replace(at, &format!("{at}{added}"));
    }
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("junit.xsd");
    std::fs::write(&schema, schema_text).unwrap();
    let validate = |text: &str| {
        let path = folder.path().join("junit.xml");
        std::fs::write(&path, text).unwrap();
        let xmllint = Command::new("xmllint").args(["--noout", "--schema"]).arg(&schema).arg(&path).output();
        let output = xmllint.expect("these tests need xmllint (libxml2-utils)");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (name, text) in all() {
        let (valid, said) = validate(&text);
        assert!(valid, "{name}: {said}");
    }
    let wrong = rendered(&fixture::everything(), Format::Junit)
        .replace("<failure ", "<mishap ")
        .replace("</failure>", "</mishap>");
    assert!(!validate(&wrong).0);
}

#[test]
fn two_parsers_of_junit_read_the_same_results() {
    // Each prints how many cases there are, how many are red and how many are skipped; then each case with its properties.
    let print = "print(len(cases),red,skipped)\nfor line in sorted(map(ascii,cases)): print(line)";
    let junitparser = "import sys\nfrom junitparser import JUnitXml, Failure, Error, Skipped, Properties\n\
        all=[c for s in JUnitXml.fromfile(sys.argv[1]) for c in s]\n\
        has=lambda kinds: sum(any(isinstance(r,kinds) for r in c.result) for c in all)\n\
        red,skipped=has((Failure,Error)),has(Skipped)\n\
        cases=[(c.classname,c.name,[(p.name,p.value) for p in c.child(Properties) or []]) for c in all]\n";
    let junit2html = "import sys\nfrom junit2htmlreport.parser import Junit\n\
        all=[c for s in Junit(sys.argv[1]) for k in s.classes.values() for c in k.cases]\n\
        red,skipped=sum(c.failure is not None for c in all),sum(c.skipped is not None for c in all)\n\
        cases=[(c.testclass.name,c.name,[(p.name,p.value) for p in c.properties]) for c in all]\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junit.xml");
    for (name, text) in all() {
        std::fs::write(&path, &text).unwrap();
        let document = Document::parse(&text).unwrap();
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let with = |tag| cases.iter().filter(|case| children(**case, tag).next().is_some()).count();
        let counts = format!("{} {} {}", cases.len(), with("failure") + with("error"), with("skipped"));
        let read = |script: &str| python_package(&format!("{script}{print}"), &path);
        let [first, second] = [junitparser, junit2html].map(read);
        assert_eq!(first.lines().next(), Some(&*counts), "{name}");
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn a_manifest_in_the_repository_is_named_by_its_path() {
    let mut comparison = fixture::everything();
    comparison.candidate.run.corpus_folder = Some("forms/corpus".into());
    let text = rendered(&comparison, Format::Junit);
    let document = Document::parse(&text).unwrap();
    let case = document.descendants().find(|node| node.attribute("name") == Some("pdf/enrolment")).unwrap();
    assert_eq!((case.attribute("file"), case.attribute("line")), (Some("forms/corpus/manifest.toml"), Some("12")));
}

#[test]
fn hostile_filenames_reach_a_reader_as_text() {
    let comparison = fixture::hostile();
    let text = rendered(&comparison, Format::Junit);
    let document = Document::parse(&text).unwrap();
    let known = ["testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "system-out"];
    for node in document.descendants().filter(Node::is_element) {
        assert!(known.contains(&node.tag_name().name()), "{node:?}");
    }
    let names: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("property") && node.attribute("name") == Some("filename"))
        .map(|node| node.attribute("value").unwrap().to_owned())
        .collect();
    assert_eq!(names, fixture::HOSTILE.map(wafcanary::report::text::visible));
}
