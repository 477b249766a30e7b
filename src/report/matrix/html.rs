//! One page for people who never saw a WAF: the tables, what differs, what is not known, a legend. It has no script.

use std::io::{self, Write};

use maud::{Markup, html};

use super::super::Lang;
use super::super::html::page::{self, Page, code, name};
use super::super::text::grouped;
use super::words::{self, Told, Tone};
use super::{MatrixOptions, terms};
use crate::compare::Matrix;
use crate::compare::matrix::{Agreement, Mark, MatrixCase};
use crate::corpus::Intent;

/// Rows of a table at most, their cells of edges, and the bytes of the cases' rows: a browser must still scroll them, and
/// the page stays below 30 MB whatever the names are. The whole is in the other formats.
const ROWS: usize = 20_000;
const CELLS: usize = 60_000;
const BYTES: usize = 24 << 20;

/// Writes the page.
pub(super) fn matrix(matrix: &Matrix, options: &MatrixOptions, out: &mut dyn Write) -> io::Result<()> {
    let lang = options.lang;
    Page { lang, title: words::title(lang), script: None }.write(out, |out| {
        put(out, &html! { (contents(lang)) })?;
        out.write_all(b"<main id=\"main\">")?;
        put(out, &verdict(matrix, lang))?;
        put(out, &edges(matrix, lang))?;
        put(out, &kinds(matrix, lang))?;
        put(out, &procedures(matrix, lang))?;
        differing(matrix, lang, out)?;
        put(out, &legend(lang))?;
        out.write_all(b"</main>")?;
        put(out, &footer(matrix, lang))
    })
}

fn put(out: &mut dyn Write, markup: &Markup) -> io::Result<()> {
    out.write_all(markup.0.as_bytes())
}

fn contents(lang: Lang) -> Markup {
    let links = [
        ("#edges", lang.pick("Edges", "エッジ")),
        ("#kinds", lang.pick("By kind of file", "ファイル種別ごと")),
        ("#procedures", lang.pick("By procedure", "手続ごと")),
        ("#cases", lang.pick("Cases", "ケース")),
        ("#legend", lang.pick("Legend", "凡例")),
    ];
    html! {
        nav aria-label=(lang.pick("Contents", "目次")) { ul { @for (link, label) in links { li { a href=(link) { (label) } } } } }
    }
}

fn verdict(matrix: &Matrix, lang: Lang) -> Markup {
    let sure = matrix.settled && !words::is_unsteady(matrix);
    let class = if sure { "verdict note" } else { "verdict doubt" };
    html! {
        header class=(class) {
            h1 { (words::title(lang)) }
            p { strong { (words::settled(lang, matrix)) } " " (shown(&words::sentence(lang, matrix))) }
        }
        p { (shown(&words::headline(lang, matrix))) }
        p { (words::introduction(lang)) }
        @for (title, notes) in [
            (lang.pick("What is left open", "確認していない範囲"), &matrix.reasons),
            (lang.pick("What to know", "留意事項"), &matrix.warnings),
        ] {
            @if !notes.is_empty() {
                h2 { (title) }
                ul { @for note in notes { li { (told(&words::note(lang, matrix, note))) } } }
            }
        }
    }
}

/// Our words, and a quotation that says in which language it is.
fn told(told: &Told) -> Markup {
    html! { (shown(&told.words)) @if let Some(quote) = &told.quote { ": " q lang="en" { (shown(quote)) } } }
}

fn shown(text: &str) -> String {
    page::shown(text)
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Doubt => "doubt",
        Tone::Bad => "bad",
        Tone::Unknown => "note",
    }
}

/// A table that scrolls by itself where it is wider than the page, with the keyboard too.
fn wide(label: &str, table: &Markup) -> Markup {
    html! { div.wide tabindex="0" role="region" aria-label=(label) { (table) } }
}

fn edges(matrix: &Matrix, lang: Lang) -> Markup {
    let title = lang.pick("Edges", "エッジ");
    let heads = lang.pick(
        ["Delivered", words::share_name(lang), "Controls blocked"],
        ["到達", words::share_name(lang), "検査用ファイルの遮断"],
    );
    let table = html! {
        table {
            caption { (words::about_shares(lang)) }
            thead { tr {
                th scope="col" { (title) }
                @for head in heads { th scope="col" { (head) } }
            } }
            tbody { @for column in &matrix.columns {
                @let (legit, controls) = (words::tally_tone(column.legit, Intent::Legit).0, words::tally_tone(column.controls, Intent::Control).0);
                tr {
                    th scope="row" { (name(&column.name)) }
                    td class=(class(legit)) { (words::tally(lang, column.legit, Intent::Legit)) }
                    td class=(class(words::share_tone(column.share, column.legit).0)) { (words::share(lang, column.share, column.legit)) }
                    td class=(class(controls)) { (words::tally(lang, column.controls, Intent::Control)) }
                }
            } }
        }
    };
    html! {
        section {
            h2 #edges { (title) }
            (wide(title, &table))
            @for column in &matrix.columns {
                details {
                    summary { (name(&column.name)) }
                    dl.facts { @for (label, fact) in words::facts(lang, column) { dt { (label) } dd { (told(&fact)) } } }
                }
            }
        }
    }
}

/// The heading cells of the edges.
fn names(matrix: &Matrix) -> Markup {
    html! { @for column in &matrix.columns { th scope="col" { (name(&column.name)) } } }
}

fn kinds(matrix: &Matrix, lang: Lang) -> Markup {
    let title = lang.pick("Delivered, by kind of file", "ファイル種別ごとの到達");
    let table = html! {
        table.grid {
            caption { (lang.pick("Legitimate files that arrive, and controls that are blocked, of all that were sent", "送信した正当なファイルのうち届いた件数と、検査用ファイルのうち遮断された件数")) }
            thead { tr { th scope="col" { (lang.pick("Kind of file", "ファイル種別")) } (names(matrix)) } }
            tbody {
                @for (kind, tallies) in matrix.by_kind() {
                    tr {
                        th scope="row" { (terms::kind(lang, kind)) }
                        @for tally in tallies {
                            td class=(class(words::tally_tone(tally, Intent::Legit).0)) { (words::tally(lang, tally, Intent::Legit)) }
                        }
                    }
                }
                tr {
                    th scope="row" { (lang.pick("controls blocked", "検査用ファイルの遮断")) }
                    @for column in &matrix.columns {
                        td class=(class(words::tally_tone(column.controls, Intent::Control).0)) { (words::tally(lang, column.controls, Intent::Control)) }
                    }
                }
            }
        }
    };
    html! { section { h2 #kinds { (title) } (wide(title, &table)) } }
}

fn procedures(matrix: &Matrix, lang: Lang) -> Markup {
    let title = words::procedures_title(lang);
    let procedures = matrix.by_procedure();
    let room = most_rows(matrix);
    let table = html! {
        table {
            caption { (words::about_shares(lang)) }
            thead { tr {
                th scope="col" { (lang.pick("Procedure", "手続")) }
                th.n scope="col" { (lang.pick("Test uploads", "試験送信")) }
                (names(matrix))
            } }
            tbody { @for procedure in procedures.iter().take(room) { tr {
                th scope="row" { (name(procedure.name)) }
                td.n { (grouped(procedure.tallies.first().map_or(0, |tally| tally.of))) }
                @for (share, tally) in procedure.shares.iter().zip(&procedure.tallies) {
                    td class=(class(words::share_tone(*share, *tally).0)) { (words::share(lang, *share, *tally)) }
                }
            } } }
        }
    };
    html! {
        section {
            h2 #procedures { (title) }
            @if procedures.is_empty() {
                p { (lang.pick("No attachment of the corpus names a procedure.", "手続名のあるファイルはありません。")) }
            } @else { (wide(title, &table)) (left_out(procedures.len().min(room), procedures.len(), lang)) }
        }
    }
}

/// Rows of a table that has a cell for each edge.
fn most_rows(matrix: &Matrix) -> usize {
    ROWS.min(CELLS / matrix.columns.len().max(1))
}

/// How many rows stand here, where it is not all of them.
fn left_out(shown: usize, all: usize, lang: Lang) -> Markup {
    let (some, count) = (grouped(shown as u64), grouped(all as u64));
    html! { @if shown < all { p { (lang.pick(
        format!("{some} of {count} stand here, for the page's size: all of them are in matrix.json, and in the CSV and XLSX of this table."),
        format!("ページの大きさの都合により、{count}件中{some}件を掲載しています。全件はmatrix.json、CSVまたはXLSXの一覧にあります。"),
    )) } } }
}

/// What the rows of cases may still take.
struct Room {
    rows: usize,
    bytes: usize,
}

fn differing(matrix: &Matrix, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let of = |agreement: Agreement| matrix.cases.iter().filter(move |case| case.agreement == agreement);
    put(out, &html! { h2 #cases { (lang.pick("Cases", "ケース")) } })?;
    let lists = [
        (Agreement::Differs, lang.pick("The edges differ", "エッジにより結果の異なるケース"), true),
        (Agreement::Unsteady, lang.pick("Steady on no edge", "どのエッジでも結果が一定しないケース"), true),
        (Agreement::Unknown, lang.pick("Not known on every edge", "すべてのエッジの結果が揃わないケース"), true),
        (Agreement::Same, lang.pick("The same on every edge", "どのエッジでも結果が同じケース"), false),
    ];
    let mut room = Room { rows: most_rows(matrix), bytes: BYTES };
    for (agreement, title, open) in lists {
        let count = of(agreement).count();
        if count == 0 {
            continue;
        }
        let title = lang
            .pick(format!("{title} ({})", grouped(count as u64)), format!("{title}（{}件）", grouped(count as u64)));
        write!(out, "<details{}>", if open { " open" } else { "" })?;
        put(out, &html! { summary { (title) } })?;
        let shown = cases(matrix, of(agreement), &title, lang, &mut room, out)?;
        put(out, &left_out(shown, count, lang))?;
        out.write_all(b"</details>")?;
    }
    Ok(())
}

/// A table of as many cases as there is room for; none, where there is no room for any.
fn cases<'m>(
    matrix: &Matrix,
    cases: impl Iterator<Item = &'m MatrixCase>,
    title: &str,
    lang: Lang,
    room: &mut Room,
    out: &mut dyn Write,
) -> io::Result<usize> {
    let heads = lang.pick(
        ["Case", "File", "Kind, class of the filename", "Procedures (手続)"],
        ["ケース", "ファイル名", "ファイル種別・ファイル名の種類", "手続"],
    );
    let mut shown = 0;
    for case in cases {
        let row = row(case, lang);
        if room.rows == 0 || row.0.len() > room.bytes {
            // No later one either, so that what stands here is a beginning.
            room.rows = 0;
            break;
        }
        if shown == 0 {
            write!(out, "<div class=\"wide long\" tabindex=\"0\" role=\"region\" aria-label=\"")?;
            put(out, &html! { (title) })?;
            out.write_all(b"\"><table>")?;
            let head = html! {
                caption { (title) }
                thead { tr { @for head in heads { th scope="col" { (head) } } (names(matrix)) } }
            };
            put(out, &head)?;
            out.write_all(b"<tbody>")?;
        }
        put(out, &row)?;
        shown += 1;
        room.rows -= 1;
        room.bytes -= row.0.len();
    }
    if shown > 0 {
        out.write_all(b"</tbody></table></div>")?;
    }
    Ok(shown)
}

fn row(case: &MatrixCase, lang: Lang) -> Markup {
    let control = case.intent == Intent::Control;
    html! {
        tr {
            th scope="row" { (code(case.id.as_str())) @if control { br; (words::intent(lang, case.intent)) } }
            td { (name(&case.filename)) }
            td { (terms::kind(lang, case.kind)) br; span.soft { (words::name_classes(lang, case)) } }
            td { @for (at, procedure) in case.procedures.iter().enumerate() { @if at > 0 { br; } (name(procedure)) } }
            @for cell in &case.cells {
                @let detail = words::detail(lang, cell.as_ref());
                td class=(class(words::tone(case.intent, Mark::of(cell.as_ref())))) {
                    (words::cell(lang, case.intent, cell.as_ref()))
                    @if !detail.is_empty() { br; (shown(&detail)) }
                }
            }
        }
    }
}

fn legend(lang: Lang) -> Markup {
    html! {
        section {
            h2 #legend { (lang.pick("Legend", "凡例")) }
            table {
                caption { (words::about_controls(lang)) }
                thead { tr { @for head in lang.pick(["Symbol", "Results", "Meaning"], ["記号", "結果", "意味"]) { th scope="col" { (head) } } } }
                tbody { @for (symbol, word, meaning) in words::legend(lang) {
                    tr { th scope="row" { (symbol) } td { (word) } td { (meaning) } }
                } }
            }
        }
    }
}

fn footer(matrix: &Matrix, lang: Lang) -> Markup {
    let tool = matrix.columns.first().map_or("wafcanary", |column| column.run.tool.as_str());
    html! { footer { p { (lang.pick(format!("Made by {}", shown(tool)), format!("{}が作成", shown(tool)))) } } }
}
