//! The page in Chromium: nothing is asked of the network, nothing is complained of, and nobody is shut out.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wafcanary::report::{Lang, MatrixFormat};

use super::fixture::{everything, hostile, rendered};

fn browser() -> PathBuf {
    let known = ["/usr/bin/chromium", "/usr/bin/google-chrome"].map(PathBuf::from);
    known.into_iter().find(|path| path.exists()).expect("`tests/all.sh` installs Chromium")
}

#[test]
fn a_browser_shows_the_tables_and_finds_nothing_to_complain_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut rows = Vec::new();
    for (name, matrix) in [("everything", everything()), ("hostile", hostile())] {
        for lang in [Lang::En, Lang::Ja] {
            let path = folder.path().join(format!("matrix-{name}-{}.html", lang.tag()));
            std::fs::write(&path, rendered(&matrix, MatrixFormat::Html, lang)).unwrap();
            files.push(path);
            // The edges; the kinds with the controls; the procedures; the cases; the legend.
            let kinds = matrix.by_kind().len() + 1;
            rows.push(matrix.columns.len() + kinds + matrix.by_procedure().len() + matrix.cases.len() + 4);
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/corpus-node/node_modules");
    assert!(modules.join("playwright-core").exists(), "`tests/all.sh` installs the packages of the browser test");
    let ran = Command::new("timeout")
        .args(["300", "node"])
        .arg(root.join("tests/browser/table.mjs"))
        .arg(modules)
        .arg(browser())
        .arg(std::env::var_os("WAFCANARY_PICTURES").unwrap_or_else(|| "-".into()))
        .args(&files)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Vec<Value> = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(told.len(), files.len());
    for (told, rows) in told.iter().zip(rows) {
        for what in ["requests", "errors", "violations", "wide"] {
            assert_eq!(told[what], Value::Array(Vec::new()), "{}: {what}", told["file"]);
        }
        assert_eq!(told["rows"], rows, "{}", told["file"]);
    }
}
