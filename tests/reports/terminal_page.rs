//! The report for people fits its width, hides nothing, and ends with the decision.

use unicode_width::UnicodeWidthStr as _;
use wafcanary::compare::{Class, Decision, Finding};
use wafcanary::corpus::CaseId;
use wafcanary::report::{Format, Options};

use super::{comparisons, fixture, rendered, rendered_run, rendered_with};

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 41, 57, 80, 100, 200] {
        for (name, comparison) in comparisons() {
            let options = Options { width, ..Options::default() };
            let text = rendered_with(&comparison, Format::Terminal, &options);
            // The summary stays in one piece, so that `tail -n 1` gives all of it.
            let lines: Vec<_> = text.lines().collect();
            for line in &lines[..lines.len() - 1] {
                assert!(line.width() <= width, "{name} at {width} columns: {} in {line:?}", line.width());
            }
        }
    }
}

#[test]
fn a_command_stays_in_one_piece() {
    let path = "requests/排水 it's a very long name which does not fit into forty columns.sh";
    let repros = [(CaseId::parse("pdf/drainage-plan").unwrap(), path.to_owned())].into();
    let options = Options { width: 40, repros, ..Options::default() };
    let text = rendered_with(&fixture::everything(), Format::Terminal, &options);
    let line = text.lines().find(|line| line.contains("reproduce")).unwrap();
    assert!(line.contains("bash $'requests/\\xe6\\x8e\\x92") && line.ends_with(".sh'"), "{line}");
}

#[test]
fn nothing_that_a_terminal_obeys_or_reorders_gets_through() {
    for (name, comparison) in comparisons() {
        let text = rendered(&comparison, Format::Terminal);
        let forbidden =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert_eq!(text.chars().find(|c| forbidden(*c)), None, "{name}");
    }
    let text = rendered(&fixture::hostile(), Format::Terminal);
    assert!(text.contains("\\u{202e}fdp.exe"), "{text}");
    assert!(text.contains("bell\\u{7}\\u{1b}[2Jwipe\\u{0}.pdf"), "{text}");
}

#[test]
fn colour_changes_no_word() {
    for (_, comparison) in comparisons() {
        let options = Options { colour: true, ..Options::default() };
        let coloured = rendered_with(&comparison, Format::Terminal, &options);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), rendered(&comparison, Format::Terminal));
    }
}

#[test]
fn the_first_line_says_what_was_compared_and_the_last_what_was_decided() {
    let text = rendered(&fixture::everything(), Format::Terminal);
    assert_eq!(text.lines().next(), Some("Compared `standard` with `upper`: 15 cases, corpus `city`"));
    let last = |comparison: &wafcanary::compare::Comparison| {
        rendered(comparison, Format::Terminal).lines().last().unwrap().to_owned()
    };
    let wide = Options { width: 240, ..Options::default() };
    assert_eq!(
        rendered_with(&fixture::everything(), Format::Terminal, &wide).lines().last(),
        Some(
            "FAIL  3 uploads of 2 legitimate files newly blocked (of 15 cases) · 1 protection lost · \
             1 legitimate file newly altered · 1 legitimate file would be blocked · 1 flaky · 1 inconclusive · 1 only in baseline · 1 waived · exit 1"
        )
    );
    assert_eq!(last(&fixture::passing()), "PASS  no findings in 3 cases · 1 flaky not counted · 1 waived · exit 0");
    assert!(last(&fixture::empty()).ends_with("· exit 3"));
    assert_eq!(
        last(&fixture::everything()),
        "FAIL  3 uploads of 2 legitimate files newly blocked (of 15 cases) · 1 protection lost · 5 more findings · \
         1 waived · exit 1"
    );
}

#[test]
fn regressions_stand_last_and_the_gravest_survive_a_cut() {
    let options = Options { limit: 2, ..Options::default() };
    let text = rendered_with(&fixture::everything(), Format::Terminal, &options);
    let at = |needle: &str| text.rfind(needle).unwrap_or_else(|| panic!("{needle} is not in {text}"));
    assert!(at("newly blocked  pdf/drainage-plan") > at("newly blocked  image/receipt"), "{text}");
    assert!(text.contains("… and 6 more (see comparison.json)"), "{text}");
    assert!(!text.contains("  flaky  office/plan"), "{text}");
}

#[test]
fn a_procedure_shows_the_share_of_its_weight() {
    let text = rendered(&fixture::everything(), Format::Terminal);
    // Drainage plan (weight 1, both cases newly blocked) beside the enrolment certificate (weight 3, unchanged).
    assert!(text.contains("   25%  2 of 3 test uploads  排水設備計画確認申請書\n"), "{text}");
}

#[test]
fn a_procedure_that_loses_everything_loses_100_percent() {
    let mut comparison = fixture::passing();
    let lost = |number: usize| {
        let mut case = fixture::case(&format!("pdf/a~name:n{number}"), Class::NewlyBlocked, Finding::Open, "a.pdf");
        (case.weight, case.procedures) = (0.47, vec!["手続".into()].into());
        case
    };
    comparison.cases = (0..10).map(lost).collect();
    let text = rendered(&comparison, Format::Terminal);
    assert!(text.contains("  100%  10 of 10 test uploads  手続"), "{text}");
}

#[test]
fn a_run_ends_with_what_got_through() {
    let text = rendered_run(&fixture::run(), Format::Terminal);
    let last = "FAIL  2 of 4 legitimate cases delivered · 1 of 2 controls blocked · 1 inconclusive · 1 flaky · \
                2 not settled · exit 1";
    assert_eq!(text.lines().last(), Some(last));
    assert!(text.contains("fails: 1 legitimate case does not get through"), "{text}");
    assert!(text.contains("inconclusive: the edge's run was interrupted"), "{text}");
}

/// One attachment in 6 forms of its name, of which all but `no-extension` are newly blocked, in two ways.
fn one_attachment(port: u16) -> wafcanary::compare::Comparison {
    let ids = ["", "~client:curl", "~name:nfd", "~name:no-extension", "~name:nfd~client:curl", "~name:emoji"];
    let mut cases: Vec<_> = ids
        .iter()
        .map(|axes| {
            let (class, finding) = match *axes {
                "~name:no-extension" => (Class::Unchanged, Finding::None),
                _ => (Class::NewlyBlocked, Finding::Open),
            };
            fixture::case(&format!("7z/plans{axes}"), class, finding, &format!("届出図書{axes}.7z"))
        })
        .collect();
    for (at, case) in cases.iter_mut().enumerate() {
        for side in [&mut case.baseline, &mut case.candidate].into_iter().flatten() {
            side.attempts = 1 + u32::from(port % 7);
            side.evidence = format!("{}; peer 127.0.0.1:{port}", side.evidence).into();
        }
        if let Some(candidate) = case.candidate.as_mut().filter(|_| at == 2) {
            candidate.status = Some(200);
            candidate.evidence = format!("status 200 with an empty body; peer 127.0.0.1:{port}").into();
        }
    }
    let mut comparison = fixture::comparison(Decision::Fail, Vec::new(), cases);
    comparison.baseline.run.started = format!("2026-11-23T12:00:00.{port}Z");
    comparison
}

#[test]
fn the_cases_of_one_attachment_are_one_entry() {
    let text = rendered(&one_attachment(41_001), Format::Terminal);
    assert_eq!(text.matches("\n  newly blocked  7z/plans  5 of 6 cases\n").count(), 1, "{text}");
    for line in [
        "    file      届出図書.7z\n",
        "    which     all but name:no-extension\n",
        "    baseline  delivered, status 200\n",
        "    candidate blocked, status 404, signature unrecognised (4 of 5 cases)\n",
        "    also      1 of 5 cases: blocked, status 200, signature unrecognised; status 200 with an empty\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let markdown = rendered(&one_attachment(41_001), Format::Markdown);
    assert_eq!(markdown.matches("| newly blocked | `7z/plans` |").count(), 1, "{markdown}");
    assert!(markdown.contains("5 of 6 cases: all but name:no-extension"), "{markdown}");
}

#[test]
fn ports_times_and_numbers_of_attempts_do_not_change_the_text() {
    let text = |port| rendered(&one_attachment(port), Format::Terminal);
    assert_eq!(text(41_001), text(52_007));
    assert!(rendered(&one_attachment(52_007), Format::Json).contains("peer 127.0.0.1:52007"));
}

#[test]
fn the_script_of_the_simplest_case_that_has_one_is_shown() {
    let id = |text: &str| CaseId::parse(text).unwrap();
    let repros = [
        (id("7z/plans~name:nfd~client:curl"), "out/requests/complex.sh".to_owned()),
        (id("7z/plans~client:curl"), "out/requests/simple.sh".to_owned()),
    ];
    let options = Options { repros: repros.into(), ..Options::default() };
    let text = rendered_with(&one_attachment(1), Format::Terminal, &options);
    assert!(text.contains("    reproduce bash out/requests/simple.sh\n"), "{text}");
    assert!(!text.contains("complex.sh"), "{text}");
}
