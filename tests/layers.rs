//! Data moves to the right only: which module may use which. The table is that of the design.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module and what it may use, besides itself, `error` and `exit`.
const TABLE: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("error", &[]),
    ("corpus", &[]),
    ("wire", &["corpus"]),
    ("profile", &["corpus"]),
    ("replay", &["corpus", "wire", "profile"]),
    ("verdict", &["replay", "profile"]),
    ("waf_log", &[]),
    ("run", &["corpus", "wire", "profile", "replay", "verdict", "waf_log"]),
    ("compare", &["run", "verdict", "corpus", "profile"]),
    ("explain", &["corpus", "wire", "profile", "replay", "verdict", "run", "compare"]),
    ("suggest", &["corpus", "profile", "waf_log", "run", "compare", "explain"]),
    ("report", &["run", "compare", "verdict", "waf_log", "corpus", "profile", "wire", "explain", "suggest"]),
    ("lab", &["corpus", "wire"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The top-level modules that a source names: `crate::name` and `use crate::{a, b::c}`.
fn used(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        let (mut depth, mut start) = (0, true);
        let mut name = String::new();
        for c in rest.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => start = true,
                c if start && (c.is_ascii_alphanumeric() || c == '_') => name.push(c),
                _ => {}
            }
            if !(name.is_empty() || c.is_ascii_alphanumeric() || c == '_') {
                names.insert(std::mem::take(&mut name));
                start = c == ',' && depth == 1;
            }
            if depth <= 0 && (c == '}' || !start) {
                break;
            }
        }
    }
    names
}

#[test]
fn data_moves_to_the_right_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20);
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("below src");
        let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        if ["main", "lib", "cli"].contains(&module.as_str()) {
            continue;
        }
        let Some((_, may_use)) = TABLE.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("`{module}` is not in the table"));
            continue;
        };
        for name in used(&std::fs::read_to_string(&file).expect("a source")) {
            let free = name == module || ["error", "exit"].contains(&name.as_str());
            if !free && !may_use.contains(&name.as_str()) && TABLE.iter().any(|(known, _)| *known == name) {
                wrong.push(format!("{}: `{module}` may not use `{name}`", relative.display()));
            }
            if name == "cli" {
                wrong.push(format!("{}: nothing may use `cli`", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn uses_are_read_from_paths_and_braces() {
    let text =
        "use crate::{corpus::{Case, Client}, wire};\nlet x = crate::verdict::judge;\n// crate::cli\nuse crate::run;";
    let expected = ["corpus", "run", "verdict", "wire"].map(str::to_owned);
    assert_eq!(used(text), expected.into());
}
