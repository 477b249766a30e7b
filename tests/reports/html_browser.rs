//! The page in Chromium: nothing is asked of the network, nothing is complained of, and what people click on works.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wafcanary::compare::{Class, Comparison, Decision, Finding};
use wafcanary::report::{Format, Lang, Options};

use super::fixture;

/// Cases of the large page.
const MANY: usize = 100_000;

fn browser() -> PathBuf {
    let known = ["/usr/bin/chromium", "/usr/bin/google-chrome"].map(PathBuf::from);
    known.into_iter().find(|path| path.exists()).expect("`tests/all.sh` installs Chromium")
}

/// Every class, and names that mean harm: 40 cases.
fn few() -> Comparison {
    let mut cases = fixture::everything().cases;
    cases.extend(fixture::hostile().cases);
    while cases.len() < 40 {
        let at = cases.len();
        cases.push(fixture::case(&format!("pdf/plain-{at}"), Class::Unchanged, Finding::None, "在学証明書.pdf"));
    }
    Comparison { cases, ..fixture::everything() }
}

/// A hundred thousand cases of a thousand files, every tenth of them newly blocked.
fn many() -> Comparison {
    let extensions = ["pdf", "docx", "xlsx", "pptx", "csv", "eml", "jpg", "zip", "dwg", "mp4", "pem", "xyz"];
    let forms = ["nfd", "sjis", "sjis-5c", "apostrophe", "colon", "no-extension", "bytes-255", "double-extension"];
    let cases = (0..MANY).map(|at| {
        let (file, form) = (at / 100, at % 100);
        let extension = extensions[file % extensions.len()];
        let id = match form {
            0 => format!("{extension}/file-{file}"),
            _ => format!("{extension}/file-{file}~name:{}~client:client-{}", forms[form % forms.len()], form / 8),
        };
        let (class, finding) =
            if file % 10 == 3 { (Class::NewlyBlocked, Finding::Open) } else { (Class::Unchanged, Finding::None) };
        let mut case = fixture::case(&id, class, finding, &format!("申請書 O'{file}-{form}.{extension}"));
        case.procedures = vec![format!("手続{}", file % 40).into()].into();
        case
    });
    let reason = fixture::reason(
        Decision::Fail,
        "newly_blocked",
        "10000 legitimate cases no longer get through, at most 0 allowed",
    );
    fixture::comparison(Decision::Fail, vec![reason], cases.collect())
}

fn write(comparison: &Comparison, lang: Lang, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("{name}-{}.html", lang.tag()));
    let text = super::rendered_with(comparison, Format::Html, &Options { lang, ..Options::default() });
    std::fs::write(&path, text).unwrap();
    path
}

/// What was seen of the pages.
fn seen(files: &[PathBuf]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/corpus-node/node_modules");
    assert!(modules.join("playwright-core").exists(), "`tests/all.sh` installs the packages of the browser test");
    let ran = Command::new("timeout")
        .arg("300")
        .arg("node")
        .arg(root.join("tests/browser/check.mjs"))
        .arg(modules)
        .arg(browser())
        .arg(std::env::var_os("WAFCANARY_PICTURES").unwrap_or_else(|| "-".into()))
        .args(files)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn is_empty(list: &Value) -> bool {
    list.as_array().is_some_and(Vec::is_empty)
}

/// What holds for a page of any size.
fn assert_sound(told: &Value, comparison: &Comparison) {
    let file = &told["file"];
    for (state, what) in [
        ("seen", "requests"),
        ("seen", "errors"),
        ("light", "violations"),
        ("dark", "violations"),
        ("phone", "violations"),
    ] {
        assert!(is_empty(&told[state][what]), "{file}: {state} {what}: {}", told[state][what]);
    }
    assert!(is_empty(&told["plain"]["seen"]["requests"]) && is_empty(&told["plain"]["seen"]["errors"]), "{file}");
    assert_eq!((&told["light"]["wide"], &told["phone"]["wide"]), (&Value::Bool(false), &Value::Bool(false)), "{file}");
    // Without a script: all findings, the tables, and no form that does nothing.
    let plain = told["plain"]["text"].as_str().unwrap();
    for case in comparison.cases.iter().filter(|case| case.finding == Finding::Open) {
        assert!(plain.contains(case.id.as_str()), "{file}: {}", case.id);
    }
    assert!(told["plain"]["cells"].as_u64() > Some(0) && told["plain"]["form"] == false, "{file}");
    let total = comparison.cases.len();
    assert_eq!(told["all"]["rows"], total.min(100), "{file}");
    let blocked = comparison.cases.iter().filter(|case| case.class == Class::NewlyBlocked).count();
    assert_eq!(told["byClass"]["rows"], blocked.min(100), "{file}");
    let digits = |status: &Value| -> Vec<usize> {
        let text = status.as_str().unwrap().replace(',', "");
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
        numbers.collect()
    };
    let mut counted = digits(&told["byClass"]["status"]);
    counted.sort_unstable();
    assert_eq!(counted, [blocked, total], "{file}");
    assert_eq!(told["none"]["rows"], 0, "{file}");
    let ids = |side: &str| -> Vec<&str> {
        told[side]["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
    };
    assert!(ids("up").is_sorted() && ids("down").iter().rev().is_sorted(), "{file}: {:?}", ids("up"));
    assert_eq!((&told["up"]["sort"], &told["down"]["sort"]), (&"ascending".into(), &"descending".into()), "{file}");
    assert!(told["cell"]["rows"].as_u64() > Some(0), "{file}: {}", told["cell"]);
}

#[test]
fn a_browser_opens_small_and_large_pages_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (few(), many());
    assert_eq!((few.cases.len(), many.cases.len()), (40, MANY));
    let mut files = Vec::new();
    for lang in [Lang::En, Lang::Ja] {
        files.push(write(&few, lang, folder.path(), "few"));
        files.push(write(&many, lang, folder.path(), "many"));
    }
    for file in &files {
        let bytes = std::fs::metadata(file).unwrap().len();
        println!("{}: {bytes} bytes", file.file_name().unwrap().display());
        assert!(bytes < 30_000_000, "{}", file.display());
    }
    let told = seen(&files);
    for (told, (lang, comparison)) in told.iter().zip([("en", &few), ("en", &many), ("ja", &few), ("ja", &many)]) {
        println!("{}: milliseconds {}", told["file"], told["millis"]);
        assert_eq!(told["lang"], lang);
        assert_sound(told, comparison);
    }
}
