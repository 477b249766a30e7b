//! What is not known, not steady or not whole never looks as if it were, in any format; and large tables stay readable.

use scraper::{Html, Selector};
use unicode_width::UnicodeWidthStr as _;
use wafcanary::compare::Matrix;
use wafcanary::corpus::Intent;
use wafcanary::report::{Lang, MatrixFormat, MatrixOptions, render_matrix};
use wafcanary::run::CaseRecord;
use wafcanary::verdict::Outcome::{self, Altered, Blocked, Delivered, Throttled};

use super::fixture::{named, text};
use super::support_compare::{record, run};

/// The formats that tell of totals.
const TOTALS: [MatrixFormat; 3] = [MatrixFormat::Terminal, MatrixFormat::Markdown, MatrixFormat::Html];

fn cases(outcomes: &[Outcome], control: Outcome) -> Vec<CaseRecord> {
    let legit = outcomes.iter().enumerate().map(|(at, outcome)| named(&format!("pdf/{at:05}"), *outcome, "図面.pdf"));
    legit.chain([record("control/shell", Intent::Control, control)]).collect()
}

/// The cells of the rows whose heading holds `of`, each with its class.
fn cells(page: &str, table: &str, of: &str) -> Vec<(String, String)> {
    let html = Html::parse_document(page);
    let (rows, td) = (Selector::parse(table).unwrap(), Selector::parse("td").unwrap());
    let rows = html.select(&rows).filter(|row| row.text().collect::<String>().contains(of));
    let cells = rows.flat_map(|row| row.select(&td).collect::<Vec<_>>());
    cells.map(|td| (td.text().collect(), td.attr("class").unwrap_or_default().to_owned())).collect()
}

#[test]
fn an_edge_of_which_some_is_not_known_is_nowhere_whole_or_green() {
    let known = run("known", cases(&[Delivered; 12], Blocked));
    let mut outcomes = [Throttled; 12];
    outcomes[..3].fill(Delivered);
    let matrix = Matrix::assemble(vec![run("banned", cases(&outcomes, Throttled)), known]);
    for (lang, told) in [
        (
            Lang::En,
            ["－ 3 of 12 known (all delivered)", "－ 100% of what is known (9 of 12 not known)", "－ 1 not known"],
        ),
        (Lang::Ja, ["－ 12件中3件まで確認（すべて到達）", "－ 判明分の100%（12件中9件は不明）", "－ 不明1件"]),
    ] {
        for format in TOTALS {
            if format == MatrixFormat::Terminal && lang == Lang::Ja {
                continue;
            }
            let text = text(&matrix, format, lang);
            for told in told {
                assert!(text.contains(told), "{told} is not in {text}");
            }
            // That of the edge of which everything is known: its total, and that of the one procedure.
            assert_eq!(text.matches("○ 100%").count(), 2, "{format:?}: {text}");
        }
        let page = text(&matrix, MatrixFormat::Html, lang);
        let of_edge = cells(&page, "h2#edges ~ .wide tbody tr", "banned");
        assert_eq!(of_edge.iter().map(|(_, class)| class.as_str()).collect::<Vec<_>>(), ["note", "note", "note"]);
        for kind in cells(&page, "table.grid tbody tr", "") {
            assert_eq!(kind.1 == "good", !kind.0.starts_with('－'), "{kind:?}");
        }
        assert!(cells(&page, "table.grid tbody tr", "").iter().any(|(_, class)| class == "note"));
    }
}

#[test]
fn what_is_known_to_fail_beside_what_is_not_known_is_told() {
    let edge = |name, outcomes: &[Outcome], control| run(name, cases(outcomes, control));
    let matrix = Matrix::assemble(vec![
        edge("none", &[Blocked, Throttled], Delivered),
        edge("some", &[Blocked, Delivered, Throttled], Blocked),
    ]);
    let english = text(&matrix, MatrixFormat::Markdown, Lang::En);
    let japanese = text(&matrix, MatrixFormat::Markdown, Lang::Ja);
    for (text, words) in [
        (&english, ["－ 1 of 3 known (none delivered)", "△ 2 of 3 known (1 delivered)", "○ 0 of 1 (must be blocked)"]),
        (&japanese, ["－ 3件中1件まで確認（到達なし）", "△ 3件中2件まで確認（うち到達1件）", "○ 1件中0件（要遮断）"]),
    ] {
        for words in words {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    }
}

/// One file that arrives in two rounds of three, and a control that is kept out in two of three.
fn unsteady() -> Matrix {
    let mut flaky = cases(&[Delivered, Delivered], Blocked);
    flaky[0].rounds = vec![Delivered, Blocked, Delivered].into();
    flaky[2].rounds = vec![Blocked, Delivered, Blocked].into();
    Matrix::assemble(vec![run("flaky", flaky), run("steady", cases(&[Delivered, Delivered], Blocked))])
}

#[test]
fn an_unsteady_edge_is_told_in_cells_totals_shares_and_the_verdict() {
    let matrix = unsteady();
    let english = [
        "△ unsteady: 2 of 3 delivered",
        "△ unsteady: 1 of 3 past the edge (must be blocked)",
        "△ 1 of 2, 1 unsteady",
        "△ 0 of 1, 1 unsteady (must be blocked)",
        "△ 83%",
        "1 edge is unsteady, on 2 cases",
        "COMPLETE",
    ];
    let japanese = [
        "△ 結果不安定・3回中2回到達",
        "△ 結果不安定・3回中1回通過（要遮断）",
        "△ 2件中1件・不安定1件",
        "△ 1件中0件・不安定1件（要遮断）",
        "△ 83%",
        "結果の一定しないエッジが1件あります（ケース2件）。",
        "全件の結果を取得",
    ];
    for format in TOTALS {
        for (lang, told) in [(Lang::En, english), (Lang::Ja, japanese)] {
            if format == MatrixFormat::Terminal && lang == Lang::Ja {
                continue;
            }
            let text = text(&matrix, format, lang);
            for told in told {
                assert!(text.contains(told), "{told} is not in {text}");
            }
        }
    }
    let page = text(&matrix, MatrixFormat::Html, Lang::Ja);
    assert!(page.contains("<header class=\"verdict doubt\">"));
    assert!(!page.contains("確認済み"));
    let csv = text(&matrix, MatrixFormat::Csv, Lang::En);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(
        reader.headers().unwrap().iter().skip(10).take(5).collect::<Vec<_>>(),
        ["flaky outcome", "flaky status", "flaky signature", "flaky rounds_agree", "flaky rounds"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let row = |id: &str| rows.iter().find(|row| &row[0] == id).unwrap();
    let told = |id: &str| [10, 13, 14, 15, 18, 19].map(|at| row(id)[at].to_owned());
    assert_eq!(told("pdf/00000"), ["unsteady", "false", "delivered/blocked/delivered", "delivered", "true", ""]);
    assert_eq!(told("control/shell"), ["unsteady", "false", "blocked/delivered/blocked", "blocked", "true", ""]);
    assert_eq!(told("pdf/00001"), ["delivered", "true", "", "delivered", "true", ""]);
}

#[test]
fn a_control_that_gets_in_altered_is_no_delivered_one() {
    let matrix = Matrix::assemble(vec![
        run("truncates", cases(&[Delivered], Altered)),
        run("open", cases(&[Delivered], Delivered)),
    ]);
    for format in TOTALS {
        let text = text(&matrix, format, Lang::En);
        for told in ["△ altered (must be blocked)", "△ 0 of 1, 1 altered etc. (must be blocked)"] {
            assert!(text.contains(told), "{told} is not in {text}");
        }
    }
    let text = text(&matrix, MatrixFormat::Markdown, Lang::Ja);
    for told in ["△ 通過・改変（要遮断）", "△ 1件中0件・通過（改変など）1件（要遮断）", "○ 1件中0件（要遮断）"]
    {
        assert!(text.contains(told), "{told} is not in {text}");
    }
}

#[test]
fn controls_that_were_sent_are_never_called_not_sent() {
    let matrix = Matrix::assemble(vec![
        run("throttles", cases(&[Delivered], Throttled)),
        run("sends", cases(&[Delivered], Blocked)),
    ]);
    let (english, japanese) =
        (text(&matrix, MatrixFormat::Terminal, Lang::En), text(&matrix, MatrixFormat::Markdown, Lang::Ja));
    assert!(english.contains("no control gave an answer") && !english.contains("no control was asked"), "{english}");
    assert!(japanese.contains("検査用ファイルの結果が得られていません") && !japanese.contains("送信していません"));
}

#[test]
fn a_japanese_page_says_which_of_its_words_are_english() {
    let matrix = super::fixture::everything();
    let page = text(&matrix, MatrixFormat::Html, Lang::Ja);
    let html = Html::parse_document(&page);
    let quote = Selector::parse("q[lang=en]").unwrap();
    let quotes: Vec<String> = html.select(&quote).map(|quote| quote.text().collect()).collect();
    // In the note, and in the facts of the edge.
    assert_eq!(quotes, ["the canary control did not get through"; 2]);
    for format in [MatrixFormat::Html, MatrixFormat::Markdown] {
        let (english, japanese) = (text(&matrix, format, Lang::En), text(&matrix, format, Lang::Ja));
        assert!(english.contains("unrecognised") && !japanese.contains("unrecognised"));
        assert!(english.to_lowercase().contains("share of files") && japanese.contains("届くファイルの割合（推定）"));
        assert!(!english.contains("submissions") && !japanese.contains("届く申請の割合"));
    }
}

/// `edges` edges and `rows` cases on which they differ, with long names.
fn large(edges: usize, rows: usize, same: usize) -> Matrix {
    let name = "住民異動届出書の添付書類（運転免許証の写し）".repeat(4);
    let case = |edge: usize, at: usize| {
        let outcome = if at < rows && edge.is_multiple_of(2) { Blocked } else { Delivered };
        let mut record = named(&format!("pdf/{at:06}~name:sjis~client:firefox"), outcome, &name);
        record.verdict.signature = Some("a signature of an edge, as long as they are".into());
        record
    };
    let edge = |edge: usize| run(&format!("edge {edge}"), (0..rows + same).map(|at| case(edge, at)).collect());
    Matrix::assemble((0..edges).map(edge).collect())
}

#[test]
fn a_page_of_many_edges_stays_below_30_megabytes_says_what_it_leaves_out_and_holds_no_empty_table() {
    for (edges, rows, same, shown) in [(50, 1_500, 500, 1_200), (2, 21_000, 10, 20_000), (3, 40, 2, 42)] {
        let matrix = large(edges, rows, same);
        let page = text(&matrix, MatrixFormat::Html, Lang::Ja);
        assert!(page.len() < 30_000_000, "{} edges: {} bytes", edges, page.len());
        let html = Html::parse_document(&page);
        let count = |selector: &str| html.select(&Selector::parse(selector).unwrap()).count();
        assert_eq!(count("details table tbody tr"), shown, "{edges} edges");
        assert_eq!(count("table"), count("table:has(tbody tr)"), "an empty table");
        let told = page.matches("件を掲載しています。全件は").count();
        assert_eq!(told, if shown == rows + same { 0 } else { 2 }, "{edges} edges");
    }
    assert!(text(&large(50, 1_500, 500), MatrixFormat::Html, Lang::Ja).contains("1,500件中1,200件を掲載しています。"));
}

#[test]
fn names_of_any_length_do_not_burst_the_page() {
    let long = "\u{202e}".repeat(4_000);
    let cases = |outcome| (0..2_000).map(|at| named(&format!("pdf/{at:06}"), outcome, &long)).collect();
    let matrix = Matrix::assemble(vec![run("a", cases(Delivered)), run("b", cases(Blocked))]);
    let page = text(&matrix, MatrixFormat::Html, Lang::En);
    assert!((20_000_000..30_000_000).contains(&page.len()), "{}", page.len());
    assert!(page.contains("of 2,000 stand here"));
}

/// The columns, in characters of a terminal, at which the cells of a line begin.
fn starts(line: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut blanks = 2;
    for c in line.chars() {
        if c != ' ' && blanks >= 2 {
            found.push(at);
        }
        blanks = if c == ' ' { blanks + 1 } else { 0 };
        at += c.to_string().width();
    }
    found
}

#[test]
fn a_terminal_of_any_width_keeps_the_columns_of_any_number_of_edges_aligned() {
    for edges in [2, 4, 5, 12, 50] {
        let matrix = large(edges, 5, 3);
        for width in [40, 80, 100, 200] {
            let mut out = Vec::new();
            let options = MatrixOptions { width, ..MatrixOptions::default() };
            render_matrix(&matrix, MatrixFormat::Terminal, &options, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let mut heads = Vec::new();
            for (at, head) in lines.iter().enumerate().filter(|(_, line)| line.ends_with("  kind")) {
                let (begins, row) = (starts(head), lines[at + 1]);
                assert!(head.width() <= width && row.width() <= width, "{text}");
                assert_eq!(starts(row), begins, "{edges} edges, {width} columns: {text}");
                heads.extend(head.split_whitespace().filter(|word| word.starts_with('[')));
            }
            let expected: Vec<String> = (1..=edges).map(|number| format!("[{number}]")).collect();
            assert_eq!(heads, expected, "{edges} edges, {width} columns: {text}");
            // Signs are explained, once.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let signs = text.contains(" 3/8 ") || text.contains("×    ");
            assert_eq!(words.matches("· ~ unsteady ·").count(), usize::from(signs), "{text}");
        }
    }
}
