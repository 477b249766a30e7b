//! The workbook, as openpyxl and `LibreOffice` read it: values and no formulas, within the limits of Excel.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wafcanary::compare::Matrix;
use wafcanary::report::text::visible;
use wafcanary::report::{Lang, MatrixFormat};
use wafcanary::verdict::Outcome;

use super::fixture::{HOSTILE, everything, hostile, named, rendered};
use super::support_compare::run;

/// What openpyxl finds, as JSON.
const READ: &str = "\
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
def sheet(s):
    return {'title': s.title, 'rows': [[c.value for c in r] for r in s.iter_rows()],
            'types': sorted({c.data_type for r in s.iter_rows() for c in r if c.value is not None}),
            'links': sum(1 for r in s.iter_rows() for c in r if c.hyperlink),
            'freeze': s.freeze_panes, 'filter': s.auto_filter.ref, 'repeat': s.print_title_rows,
            'paper': s.page_setup.paperSize, 'orientation': s.page_setup.orientation,
            'width': s.page_setup.fitToWidth, 'height': s.page_setup.fitToHeight,
            'fit': s.sheet_properties.pageSetUpPr.fitToPage,
            'fills': sorted({c.fill.fgColor.rgb for r in s.iter_rows() for c in r if c.fill.fill_type}),
            'widths': {k: d.width for k, d in s.column_dimensions.items()}}
p = book.properties
print(json.dumps({'sheets': [sheet(s) for s in book], 'creator': p.creator, 'by': p.lastModifiedBy,
                  'created': str(p.created), 'title': p.title, 'names': list(book.defined_names)}))
";

fn saved(folder: &tempfile::TempDir, matrix: &Matrix, lang: Lang) -> PathBuf {
    let path = folder.path().join("matrix.xlsx");
    std::fs::write(&path, rendered(matrix, MatrixFormat::Xlsx, lang)).unwrap();
    path
}

/// The Python of the virtual environment that `tests/all.sh` makes.
fn openpyxl(path: &Path) -> Value {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus-venv/bin/python");
    assert!(python.is_file(), "`{}` is missing: `tests/all.sh` makes it", python.display());
    let output = Command::new(python).args(["-W", "error", "-c", READ]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Converts with `LibreOffice`, and gives what it wrote beside the workbook.
fn office(path: &Path, to: &str) {
    let folder = path.parent().unwrap();
    let profile = format!("-env:UserInstallation=file://{}/profile", folder.display());
    // NOTE: `soffice` is a script; `timeout` ends its child, too.
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", "120", "soffice", "--headless", "--norestore", "--nologo", &profile]);
    command.args(["--convert-to", to, "--outdir"]).arg(folder).arg(path);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}: LibreOffice comes with `tests/all.sh`");
}

fn sheets(book: &Value) -> Vec<&str> {
    book["sheets"].as_array().unwrap().iter().map(|sheet| sheet["title"].as_str().unwrap()).collect()
}

fn cells(sheet: &Value) -> Vec<Vec<String>> {
    let cell = |cell: &Value| match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let rows = sheet["rows"].as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().iter().map(cell).collect()).collect()
}

#[test]
fn openpyxl_finds_the_sheets_the_filter_the_frozen_head_and_the_print_setup() {
    let folder = tempfile::tempdir().unwrap();
    for (lang, names, title) in [
        (Lang::En, ["Summary", "By kind", "By procedure", "Cases", "Legend"], "Attachments: compatibility table"),
        (Lang::Ja, ["概要", "種類別", "手続別", "全件", "凡例"], "添付ファイル互換性一覧"),
    ] {
        let matrix = everything();
        let book = openpyxl(&saved(&folder, &matrix, lang));
        assert_eq!(sheets(&book), names);
        assert_eq!((&book["title"], &book["creator"], &book["by"]), (&title.into(), &Value::Null, &Value::Null));
        assert_eq!(book["created"], "2026-11-23 00:00:00");
        for sheet in book["sheets"].as_array().unwrap() {
            let page = ["paper", "orientation", "fit", "height"].map(|key| sheet[key].clone());
            assert_eq!(serde_json::json!(page), serde_json::json!([9, "landscape", true, 0]), "{sheet}");
            let widths = sheet["widths"].as_object().unwrap().values();
            assert!(widths.clone().all(|width| (8.0..62.0).contains(&width.as_f64().unwrap())), "{widths:?}");
        }
        let cases = &book["sheets"][3];
        let rows = matrix.cases.len() + 1;
        assert_eq!((&cases["freeze"], &cases["repeat"]), (&"C2".into(), &"$1:$1".into()));
        assert_eq!(cases["filter"], format!("A1:O{rows}"));
        assert_eq!(cells(cases).len(), rows);
        assert_eq!(book["sheets"][1]["freeze"], "B2");
        // Good, doubtful, bad, unknown, and the head.
        assert!(cases["fills"].as_array().unwrap().len() >= 5, "{}", cases["fills"]);
    }
}

#[test]
fn every_cell_of_an_edge_has_a_symbol_and_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = everything();
    let book = openpyxl(&saved(&folder, &matrix, Lang::Ja));
    let rows = cells(&book["sheets"][3]);
    let row = |id: &str| rows.iter().find(|row| row[0] == id).unwrap().clone();
    assert_eq!(row("xlsx/list")[9..], ["○ 到達", "404", "× 遮断", "404", "× 追加確認の要求", "404"]);
    assert_eq!(row("xlsx/list")[..4], ["xlsx/list", "一覧表.xlsx", "表計算", "日本語"]);
    let control = row("control/shell");
    assert_eq!([&control[9], &control[11], &control[13]], ["× 遮断（正常）", "○ 到達（要遮断）", "－ 未送信"]);
    let photo = row("image/photo~name:sjis~client:firefox");
    assert_eq!([&photo[9], &photo[11], &photo[13]], ["○ 到達", "△ 改変", "△ 消失"]);
    assert_eq!(photo[4], "firefox");
}

#[test]
fn what_is_not_known_or_not_steady_is_told_in_the_summary_and_in_the_cells() {
    let folder = tempfile::tempdir().unwrap();
    let mut banned = vec![named("pdf/a", Outcome::Delivered, "a.pdf"), named("pdf/b", Outcome::Throttled, "b.pdf")];
    let mut flaky = vec![named("pdf/a", Outcome::Delivered, "a.pdf"), named("pdf/b", Outcome::Delivered, "b.pdf")];
    flaky[0].rounds = vec![Outcome::Delivered, Outcome::Blocked, Outcome::Delivered].into();
    banned[0].verdict.status = None;
    let matrix = Matrix::assemble(vec![run("banned", banned), run("flaky", flaky)]);
    let book = openpyxl(&saved(&folder, &matrix, Lang::Ja));
    let rows = |sheet: usize| cells(&book["sheets"][sheet]);
    let summary = rows(0);
    let edge = |name: &str| summary.iter().find(|row| row[0] == name).unwrap()[1..4].to_vec();
    assert_eq!(edge("banned"), ["－ 2件中1件まで確認（すべて到達）", "－ 判明分の100%（2件中1件は不明）", "－ なし"]);
    assert_eq!(edge("flaky"), ["△ 2件中1件・不安定1件", "△ 83%", "－ なし"]);
    assert!(summary.iter().any(|row| row[2] == "届くファイルの割合（推定）"), "{summary:?}");
    assert_eq!(rows(2)[1][2..4], ["－ 判明分の100%（2件中1件は不明）", "△ 83%"]);
    let all = rows(3);
    assert_eq!([&all[1][9], &all[1][11]], ["○ 到達", "△ 結果不安定・3回中2回到達"]);
    assert_eq!([&all[2][9], &all[2][11]], ["－ 流量制限", "○ 到達"]);
}

#[test]
fn no_name_becomes_a_formula_or_a_link_and_all_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let book = openpyxl(&saved(&folder, &hostile(), Lang::En));
    for sheet in book["sheets"].as_array().unwrap() {
        let types: Vec<_> = sheet["types"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
        assert!(types.iter().all(|kind| ["s", "n", "inlineStr"].contains(kind)), "{types:?}");
        assert_eq!(sheet["links"], 0);
    }
    let rows = cells(&book["sheets"][3]);
    for name in HOSTILE {
        assert!(rows.iter().any(|row| row[1] == visible(name)), "{name:?} can't be read among {rows:?}");
    }
}

#[test]
fn libreoffice_reads_the_same_cells_and_computes_none() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = hostile();
    let path = saved(&folder, &matrix, Lang::Ja);
    // Text, commas, UTF-8, formulas as formulas, sheet 4: see the filter options of LibreOffice's CSV export.
    office(&path, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,4");
    let csv = std::fs::read(folder.path().join("matrix-全件.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&csv[..]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), matrix.cases.len() + 1);
    for (row, case) in rows[1..].iter().zip(&matrix.cases) {
        // An underscore that only looks like an escape is one again: LibreOffice decodes as Excel does.
        assert_eq!(row[1], visible(&case.filename));
        assert_eq!(&row[0], case.id.as_str());
    }
    office(&path, "pdf");
    assert!(std::fs::read(folder.path().join("matrix.pdf")).unwrap().starts_with(b"%PDF-"));
}

#[test]
fn the_same_matrix_gives_the_same_bytes() {
    let first = rendered(&everything(), MatrixFormat::Xlsx, Lang::Ja);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == rendered(&everything(), MatrixFormat::Xlsx, Lang::Ja));
}

#[test]
fn a_text_that_excel_cannot_hold_is_cut_and_the_legend_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let long = "名".repeat(40_000);
    let case = || vec![named("pdf/long", Outcome::Delivered, &long)];
    let book = openpyxl(&saved(&folder, &Matrix::assemble(vec![run("a", case()), run(&long, case())]), Lang::En));
    let rows = cells(&book["sheets"][3]);
    assert!(rows[1][1].ends_with('…') && rows[1][1].encode_utf16().count() <= 32_767);
    assert!(rows[0][11].ends_with('…') || rows[0][11].contains('…'));
    assert!(cells(&book["sheets"][4]).iter().any(|row| row[0].contains("32,767")));
}
