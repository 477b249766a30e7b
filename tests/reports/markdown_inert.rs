//! Markdown that stays within its budget and in which no filename does anything.

use pulldown_cmark::{Event, Options as Extensions, Parser, Tag};
use wafcanary::compare::{Class, Decision, Finding};
use wafcanary::report::{Format, Options};

use super::{comparisons, fixture, rendered, rendered_run, rendered_with};

/// The tags that the report writes itself.
const OURS: [&str; 4] = ["<!-- wafcanary -->", "<details>", "</details>", "<br>"];

fn all() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = comparisons().iter().map(|(name, made)| (*name, rendered(made, Format::Markdown))).collect();
    all.push(("run", rendered_run(&fixture::run(), Format::Markdown)));
    all
}

#[test]
fn no_filename_becomes_html_a_link_or_an_image() {
    for (name, text) in all() {
        for event in Parser::new_ext(&text, Extensions::ENABLE_TABLES | Extensions::ENABLE_GFM) {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => {
                    let html = html.trim();
                    let summary =
                        html.starts_with("<summary>") && html.ends_with(")</summary>") && !html.contains("script");
                    assert!(OURS.contains(&html) || summary || html.is_empty(), "{name}: {html:?}");
                }
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("{name}: a link or an image"),
                _ => {}
            }
        }
    }
}

#[test]
fn tables_have_the_cells_that_their_heads_have() {
    for (name, text) in all() {
        let (mut columns, mut cells) = (0, 0);
        for event in Parser::new_ext(&text, Extensions::ENABLE_TABLES | Extensions::ENABLE_GFM) {
            match event {
                Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
                Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
                Event::Start(Tag::TableCell) => cells += 1,
                Event::End(pulldown_cmark::TagEnd::TableRow) => assert_eq!(cells, columns, "{name}"),
                _ => {}
            }
        }
        // The parser cuts surplus cells off by itself, so the raw rows are counted, too.
        for table in text.split("\n\n").filter(|block| block.starts_with('|')) {
            let bars = |row: &str| row.replace("\\|", "").matches('|').count();
            let head = bars(table.lines().next().unwrap());
            for row in table.lines().filter(|row| row.starts_with('|')) {
                assert_eq!(bars(row), head, "{name}: {row}");
            }
        }
    }
}

#[test]
fn mentions_and_bare_links_stand_in_code_or_are_broken() {
    for (name, text) in all() {
        let mut code = false;
        for event in Parser::new_ext(&text, Extensions::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => code = true,
                Event::Text(text) if !code => {
                    let text = text.replace("@\u{200b}", "").replace("#\u{200b}", "");
                    assert!(!text.contains('@') && !text.contains('#'), "{name}: {text}");
                }
                _ => {}
            }
        }
        let mut prose = text.clone().into_bytes();
        for (event, range) in Parser::new_ext(&text, Extensions::ENABLE_TABLES).into_offset_iter() {
            if matches!(event, Event::Code(_)) {
                prose[range].fill(b' ');
            }
        }
        let prose = String::from_utf8(prose).unwrap();
        assert!(!prose.contains("://") && !prose.contains("www."), "{name}: {prose}");
    }
}

#[test]
fn the_filename_can_be_read() {
    let text = rendered(&fixture::hostile(), Format::Markdown);
    let code: Vec<String> = Parser::new_ext(&text, Extensions::ENABLE_TABLES)
        .filter_map(|event| if let Event::Code(code) = event { Some(code.to_string()) } else { None })
        .collect();
    for name in
        ["<script>alert(1)</script>.pdf", "a|b|c.pdf", "tick`tock``.pdf", "=cmd|' /C calc'!A0", "\\u{202e}fdp.exe", "`"]
    {
        assert!(code.iter().any(|code| code == name), "{name} is not among {code:?}");
    }
}

#[test]
fn the_budget_holds_and_what_is_left_out_is_counted() {
    let many = |count: usize| {
        let case = |at| {
            let mut case = fixture::case(
                &format!("pdf/case-{at:06}"),
                Class::NewlyBlocked,
                Finding::Open,
                fixture::HOSTILE[at % 14],
            );
            case.procedures = vec![format!("手続 {at}").into()].into();
            case
        };
        let mut made = fixture::comparison(Decision::Fail, Vec::new(), (0..count).map(case).collect());
        made.warnings = vec!["w".repeat(1000); count];
        made
    };
    for (count, budget) in [(2_000, 60_000), (2_000, 20_000), (50, 5_000), (2_000, 1_000), (300, 65_536)] {
        let options = Options { budget, ..Options::default() };
        let text = rendered_with(&many(count), Format::Markdown, &options);
        assert!(text.chars().count() <= budget, "{} of {budget}", text.chars().count());
        assert!(text.starts_with("<!-- wafcanary -->\n"), "{text}");
        assert!(text.contains("exit 1"), "{text}");
        let shown = text.lines().filter(|line| line.starts_with("| newly blocked | `pdf/")).count();
        assert!(shown < count);
        let told = text.contains(&format!("… and {} more (see `comparison.json`)", count - shown));
        assert!(told || text.contains("cut to its budget"), "{budget}: {shown} shown: {text}");
        let lines = |tag| text.lines().filter(|line| *line == tag).count();
        assert_eq!(lines("<details>"), lines("</details>"));
    }
}
