//! Tables to render, with names that mean harm.

use wafcanary::compare::Matrix;
use wafcanary::corpus::Intent;
use wafcanary::report::{Lang, MatrixFormat, MatrixOptions, render_matrix};
use wafcanary::run::{CaseRecord, Run, RunEnding};
use wafcanary::verdict::Outcome;

use super::support_compare::{record, run};

/// Names that try to break out of a report: of files, procedures, edges and signatures.
pub(crate) const HOSTILE: [&str; 18] = [
    "<script>alert(1)</script>.pdf",
    "a|b|c.pdf",
    "tick`tock``.pdf",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1.csv",
    "-2+3.csv",
    "＝1＋1.csv",
    "=HYPERLINK(\"https://evil.example/\";\"x\")",
    "https://evil.example/x www.evil.example",
    "\u{202e}fdp.exe",
    "bell\u{7}\u{1b}[2Jwipe\u{0}.pdf",
    "\" onmouseover=\"alert(1)",
    "]]>&amp;<![CDATA[.xml",
    "line\r\nend\n| new | row |\n",
    "_x0041__x0000_.pdf",
    "\tTab.csv",
    "`",
];

pub(crate) fn named(id: &str, outcome: Outcome, filename: &str) -> CaseRecord {
    let mut record = record(id, Intent::Legit, outcome);
    record.filename = filename.into();
    record
}

/// Every outcome, a case that is not asked everywhere, controls, and an edge that was stopped.
pub(crate) fn everything() -> Matrix {
    use Outcome::{Altered, Blocked, Challenged, Delivered, Dropped, Lost, Rejected, Throttled, TooLarge};
    let names = ["pdf/plan", "xlsx/list", "image/photo~name:sjis~client:firefox", "zip/drawings", "mail/order"];
    let files = ["図面.pdf", "一覧表.xlsx", "表.jpg", "図面.zip", "注文.eml"];
    let edge = |profile: &str, outcomes: [Outcome; 5], control: Outcome| {
        let mut cases: Vec<_> =
            names.iter().zip(outcomes).zip(files).map(|((id, outcome), file)| named(id, outcome, file)).collect();
        cases[1].procedures = vec!["排水設備計画確認申請書".into()].into();
        cases[1].verdict.signature = Some("unrecognised".into());
        cases[1].verdict.status = Some(404);
        cases.push(record("control/shell", Intent::Control, control));
        run(profile, cases)
    };
    let first = edge("standard", [Delivered, Delivered, Delivered, Delivered, Rejected], Blocked);
    let second = edge("upper", [Delivered, Blocked, Altered, TooLarge, Dropped], Delivered);
    let mut third = edge("vendor", [Delivered, Challenged, Lost, Throttled, Delivered], Blocked);
    third.cases.pop();
    third.ending = Some(RunEnding::Banned { detail: "the canary control did not get through".into() });
    Matrix::assemble(vec![first, second, third])
}

/// Each hostile name as a filename, a procedure, a signature and the name of an edge.
pub(crate) fn hostile() -> Matrix {
    let edge = |profile: &str, outcome: Outcome| -> Run {
        let case = |(at, name): (usize, &&str)| {
            let mut record = named(&format!("pdf/{at:02}|`<b>=1"), outcome, name);
            record.procedures = vec![(*name).into()].into();
            record.verdict.signature = Some((*name).into());
            record
        };
        run(profile, HOSTILE.iter().enumerate().map(case).collect())
    };
    let columns = HOSTILE.iter().enumerate();
    let outcome = |at: usize| if at.is_multiple_of(2) { Outcome::Delivered } else { Outcome::Blocked };
    Matrix::assemble(columns.map(|(at, name)| edge(name, outcome(at))).collect())
}

pub(crate) fn rendered(matrix: &Matrix, format: MatrixFormat, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let options = MatrixOptions { lang, budget: 1_000_000, ..MatrixOptions::default() };
    render_matrix(matrix, format, &options, &mut out).unwrap();
    out
}

pub(crate) fn text(matrix: &Matrix, format: MatrixFormat, lang: Lang) -> String {
    String::from_utf8(rendered(matrix, format, lang)).unwrap()
}
