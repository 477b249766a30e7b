//! No name does anything in any format, and machines read the tables whole.

use pulldown_cmark::{Event, Options as Extensions, Parser, Tag, TagEnd};
use scraper::{Html, Selector};
use serde_json::Value;
use wafcanary::compare::Matrix;
use wafcanary::report::text::visible;
use wafcanary::report::{Lang, MatrixFormat, MatrixOptions, matrix_schema, render_matrix};

use super::fixture::{HOSTILE, everything, hostile, text};

const LANGS: [Lang; 2] = [Lang::En, Lang::Ja];

#[test]
fn json_is_valid_by_its_schema_and_reads_back_as_the_same_matrix() {
    let schema = matrix_schema();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for matrix in [everything(), hostile(), Matrix::assemble(Vec::new())] {
        let json = text(&matrix, MatrixFormat::Json, Lang::En);
        let document: Value = serde_json::from_str(&json).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(serde_json::from_str::<Matrix>(&json).unwrap(), matrix);
        assert_eq!(json.lines().filter(|line| line.starts_with("    {\"id\":")).count(), matrix.cases.len());
    }
    let mut wrong = serde_json::to_value(everything()).unwrap();
    wrong["cases"][0]["cells"][0]["outcome"] = "maybe".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn csv_has_a_row_for_each_case_and_no_cell_begins_a_formula() {
    let matrix = hostile();
    let csv = text(&matrix, MatrixFormat::Csv, Lang::En);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), matrix.cases.len() + 1);
    assert_eq!(rows[0].len(), 10 + 5 * matrix.columns.len());
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']), "{cell:?}");
    }
    for (row, case) in rows[1..].iter().zip(&matrix.cases) {
        assert_eq!(row[3].strip_prefix('\'').unwrap_or(&row[3]), visible(&case.filename));
    }
    let rows = csv.replace("\r\n", "");
    assert!(!rows.contains(|c: char| c.is_control() || c == '\u{202e}'), "{rows:?}");
}

/// The tables of a Markdown text: the cells of each row, the head first.
fn tables(markdown: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut cell: Option<String> = None;
    for event in Parser::new_ext(markdown, Extensions::ENABLE_TABLES | Extensions::ENABLE_GFM) {
        match event {
            Event::Start(Tag::Table(_)) => tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => tables.last_mut().unwrap().push(Vec::new()),
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => {
                tables.last_mut().unwrap().last_mut().unwrap().push(cell.take().unwrap());
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(cell) = &mut cell {
                    cell.push_str(&text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.trim();
                assert!(["<!-- wafcanary matrix -->", "<br>", ""].contains(&html), "{html:?}");
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("a link or an image"),
            _ => {}
        }
    }
    tables
}

#[test]
fn markdown_has_the_rows_and_columns_that_there_are_and_no_name_is_active() {
    for (matrix, lang) in
        [(everything(), Lang::En), (everything(), Lang::Ja), (hostile(), Lang::En), (hostile(), Lang::Ja)]
    {
        let markdown = text(&matrix, MatrixFormat::Markdown, lang);
        let tables = tables(&markdown);
        let differing =
            matrix.cases.iter().filter(|case| (0..matrix.columns.len()).any(|at| case.is_good(at) == Some(false)));
        let edges = matrix.columns.len();
        let sizes: Vec<_> = tables.iter().map(|table| (table.len() - 1, table[0].len())).collect();
        let expected = [
            (edges, 6),
            (matrix.by_kind().len() + 1, edges + 1),
            (matrix.by_procedure().len(), edges + 1),
            (differing.count(), edges + 2),
        ];
        // The one case that is the same everywhere is delivered everywhere.
        assert_eq!(sizes, expected, "{markdown}");
        for table in &tables {
            assert!(table.iter().all(|row| row.len() == table[0].len()));
        }
        for block in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
            let bars = |row: &str| row.replace("\\|", "").matches('|').count();
            let head = bars(block.lines().next().unwrap());
            assert!(block.lines().all(|row| bars(row) == head), "{block}");
        }
    }
    let tables = tables(&text(&hostile(), MatrixFormat::Markdown, Lang::En));
    for name in HOSTILE {
        assert!(tables[3].iter().any(|row| row[1] == visible(name)), "{name:?} can't be read");
        assert!(tables[0].iter().any(|row| row[0] == visible(name)), "{name:?} can't be read");
    }
}

#[test]
fn markdown_stays_within_its_budget_and_counts_what_it_leaves_out() {
    for budget in [1_000, 3_000, 8_000] {
        for lang in LANGS {
            let mut out = Vec::new();
            let options = MatrixOptions { budget, lang, ..MatrixOptions::default() };
            render_matrix(&hostile(), MatrixFormat::Markdown, &options, &mut out).unwrap();
            let markdown = String::from_utf8(out).unwrap();
            assert!(markdown.chars().count() <= budget);
            assert!(markdown.contains("`matrix.json`"), "{markdown}");
        }
    }
}

fn select(html: &Html, selector: &str) -> usize {
    html.select(&Selector::parse(selector).unwrap()).count()
}

#[test]
fn a_browsers_parser_finds_no_script_no_link_out_and_every_name_as_text() {
    for lang in LANGS {
        let matrix = hostile();
        let page = text(&matrix, MatrixFormat::Html, lang);
        let html = Html::parse_document(&page);
        assert_eq!(select(&html, "script, img, iframe, object, embed, link, form, svg, [onmouseover]"), 0);
        assert_eq!(select(&html, "a:not([href^='#'])"), 0);
        assert_eq!(select(&html, "[src], [style]"), 0);
        let root = html.root_element();
        assert_eq!(root.attr("lang"), Some(lang.tag()));
        let text: String = root.text().collect();
        for name in HOSTILE {
            assert!(text.contains(&visible(name)), "{name:?} can't be read");
        }
        assert!(!text.contains('\u{202e}') && !text.contains('\u{0}') && !text.contains('\u{1b}'));
        let policy = Selector::parse("meta[http-equiv=Content-Security-Policy]").unwrap();
        let policy = html.select(&policy).next().unwrap().attr("content").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'none'"), "{policy}");
    }
}

#[test]
fn a_page_names_its_tables_for_those_who_hear_it() {
    for lang in LANGS {
        let matrix = everything();
        let html = Html::parse_document(&text(&matrix, MatrixFormat::Html, lang));
        let tables = select(&html, "table");
        assert!(tables >= 5, "{tables}");
        assert_eq!(select(&html, "table > caption"), tables);
        assert_eq!(select(&html, "th:not([scope])"), 0);
        assert_eq!(select(&html, "thead th"), select(&html, "th[scope=col]"));
        assert_eq!((select(&html, "h1"), select(&html, "main#main"), select(&html, "title")), (1, 1, 1));
        assert_eq!(select(&html, "[role=region]:not([aria-label])"), 0);
        // Every case stands in one of the lists.
        assert_eq!(select(&html, "details table tbody tr"), matrix.cases.len());
        for link in html.select(&Selector::parse("a[href^='#']").unwrap()) {
            let target = link.attr("href").unwrap();
            assert_eq!(select(&html, target), 1, "{target}");
        }
    }
}

#[test]
fn a_japanese_page_holds_no_english_sentence_but_what_is_quoted() {
    let matrix = everything();
    for format in [MatrixFormat::Html, MatrixFormat::Markdown] {
        let text = text(&matrix, format, Lang::Ja);
        let shown = match format {
            MatrixFormat::Html => Html::parse_document(&text)
                .select(&Selector::parse("body").unwrap())
                .next()
                .unwrap()
                .text()
                .collect::<Vec<_>>()
                .join("\n"),
            _ => text,
        };
        // What an edge said, and the names of edges, signatures and files.
        for line in shown.lines().filter(|line| !line.contains("the canary control did not get through")) {
            let words = line.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
            let english: Vec<_> =
                words.clone().filter(|word| ["the", "of", "is", "and", "not", "are", "was"].contains(word)).collect();
            assert!(english.is_empty(), "{line}");
        }
    }
}

#[test]
fn the_terminal_shows_no_control_character_and_ends_in_its_verdict() {
    for (matrix, last) in [(hostile(), "exit 0"), (everything(), "exit 3"), (Matrix::assemble(Vec::new()), "exit 3")] {
        for width in [40, 80, 200] {
            let mut out = Vec::new();
            let options = MatrixOptions { width, ..MatrixOptions::default() };
            render_matrix(&matrix, MatrixFormat::Terminal, &options, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(!text.contains('\u{202e}'));
            assert!(text.lines().last().unwrap().ends_with(last), "{text}");
        }
    }
}
