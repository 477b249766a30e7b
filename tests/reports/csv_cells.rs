//! CSV that other programs read back whole, and that no spreadsheet runs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use wafcanary::corpus::CaseId;
use wafcanary::report::text::visible;
use wafcanary::report::{Format, Options};

use super::{comparisons, fixture, rendered, rendered_with};

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect()
}

#[test]
fn one_row_per_case_with_its_filename() {
    for (name, comparison) in comparisons() {
        let rows = rows(&rendered(&comparison, Format::Csv));
        assert_eq!(rows.len(), comparison.cases.len() + 1, "{name}");
        let column = rows[0].iter().position(|column| column == "filename").unwrap();
        for (row, case) in rows[1..].iter().zip(&comparison.cases) {
            assert_eq!(row[column].strip_prefix('\'').unwrap_or(&row[column]), visible(&case.filename));
        }
    }
}

#[test]
fn no_cell_begins_a_formula() {
    for row in rows(&rendered(&fixture::hostile(), Format::Csv)).iter().flatten() {
        assert!(!row.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{row:?}");
    }
}

#[test]
fn nothing_hidden_is_left_in_a_cell_and_a_row_is_a_line() {
    let mut comparison = fixture::hostile();
    let name = "a\u{1b}[2J\u{9b}\u{7f}b\u{202e}fdp\u{200b}\u{feff}\r\n\t=cmd.pdf";
    let case = &mut comparison.cases[0];
    // An id has no control characters; what is hidden it may have.
    (case.filename, case.id) = (name.into(), CaseId::parse("pdf/a\u{202e}b\u{200b}\u{feff}").unwrap());
    let text = rendered(&comparison, Format::Csv);
    let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || "\u{200b}\u{feff}".contains(c);
    for cell in rows(&text).iter().flatten() {
        assert!(!cell.contains(hidden), "{cell:?}");
    }
    assert_eq!(text.lines().count(), comparison.cases.len() + 1);
    let first = &rows(&text)[1];
    assert_eq!(first[6], r"a\u{1b}[2J\u{9b}\u{7f}b\u{202e}fdp\u{200b}\u{feff}\r\n\t=cmd.pdf");
    assert_eq!(first[0], r"pdf/a\u{202e}b\u{200b}\u{feff}");
}

#[test]
fn python_reads_the_same_cells() {
    let text = rendered(&fixture::hostile(), Format::Csv);
    let script = "import csv,io,json,sys; \
                  t=io.TextIOWrapper(sys.stdin.buffer,encoding='utf-8',newline=''); \
                  json.dump(list(csv.reader(t)),sys.stdout)";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need python3");
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let read: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read, rows(&text));
}

#[test]
fn a_byte_order_mark_is_there_when_asked_for() {
    let options = Options { bom: true, ..Options::default() };
    let text = rendered_with(&fixture::empty(), Format::Csv, &options);
    assert!(text.starts_with("\u{feff}id,family,"));
    assert!(rendered(&fixture::empty(), Format::Csv).starts_with("id,family,"));
}
