//! The report for people fits its width, hides nothing, and ends with the decision.

use unicode_width::UnicodeWidthStr as _;
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
    assert_eq!(
        text.lines().next(),
        Some("Compared `standard` (baseline) with `upper` (candidate): 14 cases, corpus `city`")
    );
    let last = |comparison: &wafcanary::compare::Comparison| {
        rendered(comparison, Format::Terminal).lines().last().unwrap().to_owned()
    };
    let wide = Options { width: 200, ..Options::default() };
    assert_eq!(
        rendered_with(&fixture::everything(), Format::Terminal, &wide).lines().last(),
        Some(
            "FAIL  3 uploads of 2 legitimate files newly blocked (of 14 cases) · 1 protection lost · \
             1 legitimate file newly altered · 1 flaky · 1 inconclusive · 1 only in baseline · 1 waived · exit 1"
        )
    );
    assert_eq!(last(&fixture::passing()), "PASS  no findings in 3 cases · 1 waived · exit 0");
    assert!(last(&fixture::empty()).ends_with("· exit 3"));
    assert_eq!(
        last(&fixture::everything()),
        "FAIL  3 uploads of 2 legitimate files newly blocked (of 14 cases) · 1 protection lost · 4 more findings · \
         1 waived · exit 1"
    );
}

#[test]
fn regressions_stand_last_and_the_gravest_survive_a_cut() {
    let options = Options { limit: 2, ..Options::default() };
    let text = rendered_with(&fixture::everything(), Format::Terminal, &options);
    let at = |needle: &str| text.rfind(needle).unwrap_or_else(|| panic!("{needle} is not in {text}"));
    assert!(
        at("newly blocked  pdf/drainage-plan") > at("newly blocked  image/receipt") || !text.contains("flaky  office")
    );
    assert!(text.contains("… and 6 more (see comparison.json)"), "{text}");
    assert!(!text.contains("  flaky  office/plan"), "{text}");
}

#[test]
fn a_procedure_shows_the_share_of_its_weight() {
    let text = rendered(&fixture::everything(), Format::Terminal);
    // Drainage plan (weight 1, both cases newly blocked) beside the enrolment certificate (weight 3, unchanged).
    let at = text.find("  排水設備計画確認申請書\n").unwrap();
    assert!(text[at..].contains("2 of 3 cases newly blocked, 25% of its weight"), "{text}");
}

#[test]
fn a_run_ends_with_what_got_through() {
    let text = rendered_run(&fixture::run(), Format::Terminal);
    let last = "2 of 4 legitimate cases delivered · 1 of 2 controls blocked · 1 inconclusive · 1 flaky · 2 not settled";
    assert_eq!(text.lines().last(), Some(last));
    assert!(text.contains("warning: the run was interrupted before its end"), "{text}");
}
