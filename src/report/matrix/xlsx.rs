//! A workbook: a summary, the tables by kind and by procedure, every case, a legend.
//!
//! Every cell that holds text is written as a string, so that nothing is ever a formula or a link.

use std::io::{self, Write};

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::super::Lang;
use super::super::text::{columns as width_of, grouped, shorten, visible};
use super::words::{self, Tone, symbol};
use super::{MatrixOptions, terms};
use crate::compare::Matrix;
use crate::compare::matrix::{Mark, MatrixCase};
use crate::corpus::Intent;

/// Rows of a sheet, by Excel's specification.
const MOST_ROWS: u32 = 1_048_576;

/// UTF-16 units of a cell, by Excel's specification.
const MOST_UNITS: usize = 32_767;

/// Widths of columns, in characters of the standard font; a full-width character takes two. What is longer is wrapped
/// in the summary, and in the lists cut to the eye.
const WIDEST: usize = 60;
const WIDEST_OF_SUMMARY: usize = 26;
const WIDEST_OF_CASES: usize = 24;
const NARROWEST: usize = 9;

/// Height of a line in points.
const LINE: u32 = 15;
/// Height of a row in points, by Excel's specification.
const MOST_HEIGHT: u32 = 409;

/// A4.
const PAPER: u8 = 9;

/// Writes the workbook.
pub(super) fn matrix(matrix: &Matrix, options: &MatrixOptions, out: &mut dyn Write) -> io::Result<()> {
    let bytes = workbook(matrix, options.lang, MOST_ROWS).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

/// The workbook; a sheet has at most `most_rows` rows.
fn workbook(matrix: &Matrix, lang: Lang, most_rows: u32) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&properties(matrix, lang)?);
    let styles = Styles::new();
    let sheets = sheets_of_cases(matrix.cases.len(), most_rows);
    summary(book.add_worksheet(), matrix, lang, &styles, sheets)?;
    kinds(book.add_worksheet(), matrix, lang, &styles)?;
    procedures(book.add_worksheet(), matrix, lang, &styles)?;
    let rows = usize::try_from(most_rows - 1).unwrap_or(usize::MAX);
    for number in 0..sheets {
        let part = matrix.cases.iter().skip(number * rows).take(rows);
        // Its rows go to a temporary file at once: a hundred thousand of them would take some 300 MB.
        cases(book.add_worksheet_with_low_memory()?, matrix, part, lang, &styles, number)?;
    }
    legend(book.add_worksheet(), lang, &styles)?;
    book.save_to_buffer()
}

/// How many sheets the cases take, one at least; each has a row of headings.
fn sheets_of_cases(cases: usize, most_rows: u32) -> usize {
    let rows = usize::try_from(most_rows - 1).unwrap_or(usize::MAX);
    cases.div_ceil(rows).max(1)
}

/// The title, and the day of the first run as that of the workbook: the same record gives the same bytes.
fn properties(matrix: &Matrix, lang: Lang) -> Result<DocProperties, XlsxError> {
    let started = matrix.columns.iter().map(|column| column.run.started.as_str()).min().unwrap_or_default();
    let seconds = started.parse::<jiff::Timestamp>().unwrap_or(jiff::Timestamp::UNIX_EPOCH).as_second();
    let properties = DocProperties::new()
        .set_title(words::title(lang))
        .set_comment(concat!("wafcanary ", env!("CARGO_PKG_VERSION")))
        .set_creation_datetime(&ExcelDateTime::from_timestamp(seconds)?);
    Ok(properties)
}

struct Styles {
    title: Format,
    head: Format,
    text: Format,
    wrapped: Format,
    number: Format,
    good: Format,
    doubt: Format,
    bad: Format,
    unknown: Format,
}

impl Styles {
    fn new() -> Self {
        let edge = Color::RGB(0x00A6_A6A6);
        let cell = Format::new().set_border(FormatBorder::Thin).set_border_color(edge).set_align(FormatAlign::Top);
        // Each tone's background and its text are far apart in lightness, in print too.
        let tone = |paper, ink| cell.clone().set_background_color(Color::RGB(paper)).set_font_color(Color::RGB(ink));
        Self {
            title: Format::new().set_bold().set_font_size(16),
            head: tone(0x00D9_E1F2, 0x0000_0000).set_bold().set_text_wrap(),
            wrapped: cell.clone().set_text_wrap(),
            number: cell.clone().set_num_format("General"),
            text: cell.clone(),
            good: tone(0x00E2_F5E8, 0x000B_4A21),
            doubt: tone(0x00FF_F2D6, 0x005F_3900),
            bad: tone(0x00FD_E8E8, 0x007A_0D14).set_bold(),
            unknown: tone(0x00EE_EEEE, 0x0033_3333).set_italic(),
        }
    }

    fn of(&self, tone: Tone) -> &Format {
        match tone {
            Tone::Good => &self.good,
            Tone::Doubt => &self.doubt,
            Tone::Bad => &self.bad,
            Tone::Unknown => &self.unknown,
        }
    }
}

/// Text in a cell: what is hidden is shown, and what is too long for Excel is cut, with `…` in its place.
fn shown(text: &str) -> String {
    let text = visible(text);
    if text.encode_utf16().count() <= MOST_UNITS { text } else { shorten(&text, MOST_UNITS / 2) }
}

/// A sheet while its rows are written.
struct Sheet<'a> {
    worksheet: &'a mut Worksheet,
    styles: &'a Styles,
    row: u32,
    /// The widest text of each column so far.
    widths: Vec<usize>,
    /// Cells that wrap: row, column, width of their text. Not every program makes rows as high as they need to be.
    wrapping: Vec<(u32, usize, usize)>,
}

impl<'a> Sheet<'a> {
    fn new(sheet: &'a mut Worksheet, styles: &'a Styles, name: &str) -> Result<Self, XlsxError> {
        sheet.set_name(name)?.set_landscape().set_paper_size(PAPER).set_print_fit_to_pages(1, 0);
        sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3).set_footer("&C&A  &P / &N");
        Ok(Self { worksheet: sheet, styles, row: 0, widths: Vec::new(), wrapping: Vec::new() })
    }

    fn put(&mut self, column: usize, text: &str, format: &Format) -> Result<(), XlsxError> {
        let text = shown(text);
        if self.widths.len() <= column {
            self.widths.resize(column + 1, NARROWEST);
        }
        self.widths[column] = self.widths[column].max(width_of(&text));
        self.worksheet.write_string_with_format(self.row, place(column), text, format)?;
        Ok(())
    }

    /// Text that goes on in further lines where it is wider than its column.
    fn wrap(&mut self, column: usize, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.wrapping.push((self.row, column, width_of(&shown(text))));
        self.put(column, text, format)
    }

    fn number(&mut self, column: usize, number: f64) -> Result<(), XlsxError> {
        self.worksheet.write_number_with_format(self.row, place(column), number, &self.styles.number)?;
        Ok(())
    }

    /// A line of text over the whole width, which does not count for the columns.
    fn line(&mut self, text: &str, format: Option<&Format>) -> Result<(), XlsxError> {
        let plain = Format::new();
        self.worksheet.write_string_with_format(self.row, 0, shown(text), format.unwrap_or(&plain))?;
        self.row += 1;
        Ok(())
    }

    fn head(&mut self, heads: impl IntoIterator<Item = String>) -> Result<(), XlsxError> {
        for (column, head) in heads.into_iter().enumerate() {
            self.wrap(column, &head, &self.styles.head)?;
        }
        self.row += 1;
        Ok(())
    }

    /// Freezes the headings above this row, repeats them on each printed page, and lets the rows be filtered.
    fn below_head(&mut self, head: u32, frozen: u16) -> Result<(), XlsxError> {
        self.worksheet.set_freeze_panes(head + 1, frozen)?.set_repeat_rows(head, head)?;
        let last = self.row.saturating_sub(1).max(head);
        let right = place(self.widths.len().saturating_sub(1));
        self.worksheet.autofilter(head, 0, last, right)?;
        Ok(())
    }

    fn finish(self) -> Result<(), XlsxError> {
        self.finish_within(WIDEST)
    }

    fn finish_within(self, widest: usize) -> Result<(), XlsxError> {
        // The arrow of the filter stands beside the heading.
        let widths: Vec<usize> = self.widths.iter().map(|width| (width + 3).min(widest)).collect();
        for (column, width) in widths.iter().enumerate() {
            self.worksheet.set_column_width(place(column), f64::from(small(*width)))?;
        }
        let mut lines = std::collections::BTreeMap::new();
        for (row, column, text) in self.wrapping {
            let width = widths.get(column).copied().unwrap_or(widest);
            // Words and full-width characters leave the end of a line empty.
            let needed = (text + 1).div_ceil(width.saturating_sub(2).max(1));
            let most: &mut usize = lines.entry(row).or_default();
            *most = needed.max(*most);
        }
        for (row, lines) in lines.into_iter().filter(|(_, lines)| *lines > 1) {
            self.worksheet.set_row_height(row, f64::from(small(lines).saturating_mul(LINE).min(MOST_HEIGHT)))?;
        }
        Ok(())
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A column as the format counts them; what is beyond is refused when it is written.
fn place(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

fn names(matrix: &Matrix) -> impl Iterator<Item = String> {
    matrix.columns.iter().map(|column| column.name.to_string())
}

fn summary(
    sheet: &mut Worksheet,
    matrix: &Matrix,
    lang: Lang,
    styles: &Styles,
    sheets: usize,
) -> Result<(), XlsxError> {
    let mut page = Sheet::new(sheet, styles, lang.pick("Summary", "概要"))?;
    page.line(words::title(lang), Some(&styles.title))?;
    page.line(&format!("{}  {}", words::settled(lang, matrix), words::sentence(lang, matrix)), None)?;
    page.line(&words::headline(lang, matrix), None)?;
    page.line(words::introduction(lang), None)?;
    page.line(words::about_shares(lang), None)?;
    page.row += 1;
    let heads = lang.pick(
        ["Edge", "Delivered", words::share_name(lang), "Controls blocked"],
        ["エッジ", "到達", words::share_name(lang), "検査用ファイルの遮断"],
    );
    page.head(heads.map(str::to_owned))?;
    for column in &matrix.columns {
        page.wrap(0, &column.name, &styles.wrapped)?;
        let (tone, _) = words::tally_tone(column.legit, Intent::Legit);
        page.put(1, &words::tally(lang, column.legit, Intent::Legit), styles.of(tone))?;
        let (tone, _) = words::share_tone(column.share, column.legit);
        page.put(2, &words::share(lang, column.share, column.legit), styles.of(tone))?;
        let (tone, _) = words::tally_tone(column.controls, Intent::Control);
        page.put(3, &words::tally(lang, column.controls, Intent::Control), styles.of(tone))?;
        page.row += 1;
    }
    page.row += 1;
    if let Some(column) = matrix.columns.first() {
        let labels = words::facts(lang, column).map(|(label, _)| label.to_owned());
        page.head(std::iter::once(heads[0].to_owned()).chain(labels))?;
    }
    for column in &matrix.columns {
        page.wrap(0, &column.name, &styles.wrapped)?;
        for (at, (_, fact)) in words::facts(lang, column).into_iter().enumerate() {
            page.wrap(1 + at, &fact.text(), &styles.wrapped)?;
        }
        page.row += 1;
    }
    page.row += 1;
    let mut notes: Vec<String> =
        matrix.reasons.iter().chain(&matrix.warnings).map(|note| words::note(lang, matrix, note).text()).collect();
    if sheets > 1 {
        let (most, sheets) = (grouped(u64::from(MOST_ROWS)), grouped(sheets as u64));
        notes.push(lang.pick(
            format!("A sheet holds at most {most} rows: the cases take {sheets} sheets."),
            format!("1シートの上限は{most}行のため、全件を{sheets}シートに分けています。"),
        ));
    }
    for note in notes {
        page.line(&note, None)?;
    }
    page.finish_within(WIDEST_OF_SUMMARY)
}

fn kinds(sheet: &mut Worksheet, matrix: &Matrix, lang: Lang, styles: &Styles) -> Result<(), XlsxError> {
    let mut page = Sheet::new(sheet, styles, lang.pick("By kind", "種類別"))?;
    page.head([lang.pick("Kind of file", "ファイル種別").to_owned()].into_iter().chain(names(matrix)))?;
    let mut row = |label: &str, tallies: &mut dyn Iterator<Item = crate::compare::matrix::Tally>, intent| {
        page.put(0, label, &styles.text)?;
        for (at, tally) in tallies.enumerate() {
            let (tone, _) = words::tally_tone(tally, intent);
            page.put(at + 1, &words::tally(lang, tally, intent), styles.of(tone))?;
        }
        page.row += 1;
        Ok::<(), XlsxError>(())
    };
    for (kind, tallies) in matrix.by_kind() {
        row(terms::kind(lang, kind), &mut tallies.into_iter(), Intent::Legit)?;
    }
    let all = lang.pick("all legitimate files", "正当なファイルの合計");
    row(all, &mut matrix.columns.iter().map(|column| column.legit), Intent::Legit)?;
    let controls = lang.pick("controls blocked", "検査用ファイルの遮断");
    row(controls, &mut matrix.columns.iter().map(|column| column.controls), Intent::Control)?;
    page.below_head(0, 1)?;
    page.finish()
}

fn procedures(sheet: &mut Worksheet, matrix: &Matrix, lang: Lang, styles: &Styles) -> Result<(), XlsxError> {
    let mut page = Sheet::new(sheet, styles, lang.pick("By procedure", "手続別"))?;
    let heads = [lang.pick("Procedure (手続)", "手続").to_owned(), lang.pick("Test uploads", "試験送信").to_owned()];
    page.head(heads.into_iter().chain(names(matrix)))?;
    for procedure in matrix.by_procedure() {
        page.wrap(0, procedure.name, &styles.wrapped)?;
        page.number(1, counted(procedure.tallies.first().map_or(0, |tally| tally.of)))?;
        for (at, (share, tally)) in procedure.shares.iter().zip(&procedure.tallies).enumerate() {
            let (tone, _) = words::share_tone(*share, *tally);
            page.put(at + 2, &words::share(lang, *share, *tally), styles.of(tone))?;
        }
        page.row += 1;
    }
    page.below_head(0, 1)?;
    page.finish()
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
fn counted(count: u64) -> f64 {
    count as f64
}

fn cases<'m>(
    sheet: &mut Worksheet,
    matrix: &Matrix,
    cases: impl Iterator<Item = &'m MatrixCase>,
    lang: Lang,
    styles: &Styles,
    number: usize,
) -> Result<(), XlsxError> {
    let name = lang.pick("Cases", "全件");
    let name = if number == 0 { name.to_owned() } else { format!("{name} ({})", number + 1) };
    let mut page = Sheet::new(sheet, styles, &name)?;
    let heads = lang.pick(
        ["Case", "File", "Kind", "Filename class", "Client", "Procedures (手続)", "Weight", "Intent", "Edges"],
        [
            "ケース",
            "ファイル名",
            "ファイル種別",
            "ファイル名の種類",
            "クライアント",
            "手続",
            "重み",
            "区分",
            "エッジ間の差異",
        ],
    );
    let detail = lang.pick("status · signature", "ステータス・シグネチャー");
    let edges = names(matrix).flat_map(|name| [name.clone(), format!("{name}: {detail}")]);
    // Rows that are gone can't be made higher later.
    page.worksheet.set_row_height(0, LINE * 2)?;
    for (column, head) in heads.map(str::to_owned).into_iter().chain(edges).enumerate() {
        page.put(column, &head, &styles.head)?;
    }
    page.row += 1;
    for case in cases {
        page.put(0, case.id.as_str(), &styles.text)?;
        page.put(1, &case.filename, &styles.text)?;
        page.put(2, terms::kind(lang, case.kind), &styles.text)?;
        page.put(3, &words::name_classes(lang, case), &styles.text)?;
        page.put(4, words::client(lang, case), &styles.text)?;
        page.put(5, &case.procedures.join(lang.pick("; ", "、")), &styles.text)?;
        page.number(6, case.weight)?;
        page.put(7, words::intent(lang, case.intent), &styles.text)?;
        page.put(8, words::agreement(lang, case.agreement), &styles.text)?;
        for (at, cell) in case.cells.iter().enumerate() {
            let tone = words::tone(case.intent, Mark::of(cell.as_ref()));
            page.put(9 + at * 2, &words::cell(lang, case.intent, cell.as_ref()), styles.of(tone))?;
            page.put(10 + at * 2, &words::detail(lang, cell.as_ref()), &styles.text)?;
        }
        page.row += 1;
    }
    page.below_head(0, 2)?;
    page.finish_within(WIDEST_OF_CASES)
}

fn legend(sheet: &mut Worksheet, lang: Lang, styles: &Styles) -> Result<(), XlsxError> {
    let mut page = Sheet::new(sheet, styles, lang.pick("Legend", "凡例"))?;
    let heads = lang.pick(["Symbol", "Results", "Meaning"], ["記号", "結果", "意味"]);
    page.head(heads.map(str::to_owned))?;
    let marks = [Mark::Delivered, Mark::Refused, Mark::Partly, Mark::Unknown];
    for (mark, (_, word, meaning)) in marks.into_iter().zip(words::legend(lang)) {
        page.put(0, symbol(mark), styles.of(words::tone(Intent::Legit, mark)))?;
        page.wrap(1, word, &styles.wrapped)?;
        page.wrap(2, meaning, &styles.wrapped)?;
        page.row += 1;
    }
    page.row += 1;
    let limits = lang.pick(
        format!(
            "A text of more than {} characters is cut, with … in its place: Excel holds no more in a cell. The whole is in matrix.json.",
            grouped(MOST_UNITS as u64)
        ),
        format!(
            "{}文字を超える内容は、Excelのセルの上限のため「…」で省略しています。全体はmatrix.jsonにあります。",
            grouped(MOST_UNITS as u64)
        ),
    );
    for line in [words::about_controls(lang), words::introduction(lang), words::about_shares(lang), &limits] {
        page.line(line, None)?;
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_beyond_a_sheets_rows_go_to_the_next_one() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(|cases| sheets_of_cases(cases, 3)), [1, 1, 1, 2, 2, 3]);
        assert_eq!(sheets_of_cases(1_048_575, MOST_ROWS), 1);
        assert_eq!(sheets_of_cases(1_048_576, MOST_ROWS), 2);
    }

    #[test]
    fn no_text_is_longer_than_a_cell_holds() {
        for text in ["あ".repeat(MOST_UNITS), "😀".repeat(MOST_UNITS), "a".repeat(MOST_UNITS + 1)] {
            let shown = shown(&text);
            assert!(shown.encode_utf16().count() <= MOST_UNITS);
            assert!(text.chars().count() == shown.chars().count() || shown.ends_with('…'));
        }
    }
}
