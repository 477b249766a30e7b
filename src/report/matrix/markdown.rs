//! Markdown tables, bounded in length, and inert whatever the filenames hold.

use std::io::{self, Write};

use super::super::Lang;
use super::super::markdown::{Bounded, cell as code_cell, text};
use super::super::text::{grouped, shorten};
use super::words::{self, cell, share, tally};
use super::{MatrixOptions, terms};
use crate::compare::Matrix;
use crate::corpus::Intent;

/// The first line, by which a bot finds its own comment to update it.
const MARKER: &str = "<!-- wafcanary matrix -->\n";
/// Characters of a name or an id.
const NAME: usize = 200;
/// Characters kept free for the lines that say what was left out.
const RESERVE: usize = 400;

/// Writes the tables.
pub(super) fn matrix(matrix: &Matrix, options: &MatrixOptions, out: &mut dyn Write) -> io::Result<()> {
    let lang = options.lang;
    let mut page = Page { lang, text: Bounded::new(options.budget) };
    page.push(MARKER);
    let (verdict, sentence) = (words::settled(lang, matrix), words::sentence(lang, matrix));
    page.push(&format!("## {}\n\n", words::title(lang)));
    page.push(&format!("**{verdict}** {}\n\n{}\n\n", text(&sentence), text(&words::headline(lang, matrix))));
    for note in matrix.reasons.iter().chain(&matrix.warnings) {
        page.push(&format!("- {}\n", text(&shorten(&words::note(lang, matrix, note).text(), NAME * 2))));
    }
    page.push(&format!("\n{}\n\n", text(words::introduction(lang))));
    edges(&mut page, matrix);
    kinds(&mut page, matrix);
    procedures(&mut page, matrix);
    differences(&mut page, matrix);
    page.push(&format!("\n### {}\n\n", lang.pick("Legend", "凡例")));
    for (symbol, word, meaning) in words::legend(lang) {
        page.push(&format!("- {symbol} {word}: {meaning}\n"));
    }
    page.push(&format!("\n{}\n", words::about_controls(lang)));
    page.text.write(out)
}

fn edges(page: &mut Page, matrix: &Matrix) {
    let lang = page.lang;
    let head = lang.pick(
        ["edge", "delivered", words::share_name(lang), "controls blocked", "URL", "proof"],
        ["エッジ", "到達", words::share_name(lang), "検査用ファイルの遮断", "送信先URL", "到達確認の方法"],
    );
    let rows = matrix.columns.iter().map(|column| {
        vec![
            code_cell(&column.name, NAME),
            tally(lang, column.legit, Intent::Legit),
            text(&share(lang, column.share, column.legit)),
            tally(lang, column.controls, Intent::Control),
            code_cell(&column.run.url, NAME),
            terms::proof(lang, column.run.proof).to_owned(),
        ]
    });
    page.table(lang.pick("Edges", "エッジ"), None, &head.map(str::to_owned), rows);
}

/// The heading of a table's first columns, then the edges' names.
fn head(matrix: &Matrix, first: &[&str]) -> Vec<String> {
    let names = matrix.columns.iter().map(|column| code_cell(&column.name, NAME));
    first.iter().map(|&head| head.to_owned()).chain(names).collect()
}

fn kinds(page: &mut Page, matrix: &Matrix) {
    let lang = page.lang;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (kind, tallies) in matrix.by_kind() {
        let cells = tallies.iter().map(|told| tally(lang, *told, Intent::Legit));
        rows.push(std::iter::once(text(terms::kind(lang, kind))).chain(cells).collect());
    }
    let controls = matrix.columns.iter().map(|column| tally(lang, column.controls, Intent::Control));
    rows.push(
        std::iter::once(lang.pick("controls blocked", "検査用ファイルの遮断").to_owned()).chain(controls).collect(),
    );
    let title = lang.pick("Delivered, by kind of file", "ファイル種別ごとの到達");
    page.table(title, None, &head(matrix, &[lang.pick("kind", "ファイル種別")]), rows.into_iter());
}

fn procedures(page: &mut Page, matrix: &Matrix) {
    let lang = page.lang;
    let procedures = matrix.by_procedure();
    if procedures.is_empty() {
        return;
    }
    let rows = procedures.iter().map(|procedure| {
        let shares = procedure.shares.iter().zip(&procedure.tallies);
        let cells = shares.map(|(told, tally)| text(&share(lang, *told, *tally)));
        std::iter::once(text(&shorten(procedure.name, NAME))).chain(cells).collect::<Vec<_>>()
    });
    page.table(
        words::procedures_title(lang),
        Some(words::about_shares(lang)),
        &head(matrix, &[lang.pick("procedure", "手続")]),
        rows,
    );
}

fn differences(page: &mut Page, matrix: &Matrix) {
    let lang = page.lang;
    let differing: Vec<_> = words::differing(matrix).collect();
    if differing.is_empty() {
        return;
    }
    let rows = differing.iter().map(|case| {
        let cells = case.cells.iter().map(|told| {
            let detail = words::detail(lang, told.as_ref());
            let words = cell(lang, case.intent, told.as_ref());
            if detail.is_empty() { words } else { format!("{words}<br>{}", text(&shorten(&detail, NAME))) }
        });
        let named = [code_cell(case.id.as_str(), NAME), code_cell(&case.filename, NAME)];
        named.into_iter().chain(cells).collect::<Vec<_>>()
    });
    let count = grouped(differing.len() as u64);
    let title = lang.pick(
        format!("Cases on which the edges differ, or are unsteady ({count})"),
        format!("エッジにより結果の異なる、または結果の一定しないケース（{count}件）"),
    );
    let head = head(matrix, &[lang.pick("case", "ケース"), lang.pick("file", "ファイル名")]);
    page.table(&title, None, &head, rows);
}

/// The text as it grows.
struct Page {
    lang: Lang,
    text: Bounded,
}

impl Page {
    fn fits(&mut self, piece: &str, spare: usize) -> bool {
        self.text.fits(piece, spare)
    }

    fn push(&mut self, piece: &str) {
        self.fits(piece, RESERVE);
    }

    /// A table of as many rows as fit, and how many more there are.
    fn table(
        &mut self,
        title: &str,
        about: Option<&str>,
        head: &[String],
        rows: impl ExactSizeIterator<Item = Vec<String>>,
    ) {
        let about = about.map(|about| format!("{}\n\n", text(about))).unwrap_or_default();
        let rule = "---|".repeat(head.len());
        let all = rows.len();
        let mut shown = 0;
        if self.fits(&format!("\n### {title}\n\n{about}| {} |\n|{rule}\n", head.join(" | ")), RESERVE) {
            for row in rows {
                if !self.fits(&format!("| {} |\n", row.join(" | ")), RESERVE) {
                    break;
                }
                shown += 1;
            }
        }
        if shown < all {
            let left = grouped((all - shown) as u64);
            let more = self.lang.pick(
                format!("\n… and {left} more (see `matrix.json`)\n"),
                format!("\nほか{left}件（全件は`matrix.json`にあります。）\n"),
            );
            // NOTE: within the reserve.
            self.fits(&more, RESERVE / 4);
        }
    }
}
