//! What `corpus/build/README.md` promises of the built-in corpus: each file opens in programs that did not write it, can
//! be made again, and stays valid when it is padded.
//!
//! The programs are those of `corpus/build/packages.txt`; `tests/all.sh` installs them. Nothing is skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use wafcanary::corpus::Content;
use wafcanary::corpus::pad::{self, PadError};

fn build() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/build")
}

/// The Python of the virtual environment that `tests/all.sh` makes.
fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus-venv/bin/python");
    assert!(python.is_file(), "`{}` is missing: `tests/all.sh` makes it", python.display());
    python
}

/// What a program that must succeed wrote.
fn run(command: &mut Command) -> String {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{out}{err}a program that is missing comes with `tests/all.sh`",
        output.status
    );
    out.into_owned()
}

fn check(arguments: &[&str]) -> String {
    run(Command::new(python()).arg(build().join("check.py")).args(arguments))
}

#[test]
fn each_file_opens_in_programs_that_did_not_write_it() {
    println!("{}", check(&[]));
}

#[test]
fn each_file_can_be_made_again() {
    let out = tempfile::tempdir().unwrap();
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus-node/node_modules");
    run(Command::new(build().join("build.sh")).arg(out.path()).env("PYTHON", python()).env("NODE_PATH", node));
    println!("{}", check(&["--rebuilt", out.path().to_str().unwrap()]));
}

/// Bytes; at each, the files of the corpus are padded.
const SIZES: [u64; 3] = [100_000, 1_000_000, 10_000_000];

/// The extension of what `pad::FORMATS` calls a format.
fn extension(format: &str) -> String {
    match format {
        "JPEG" => "jpg",
        "OOXML" => "docx",
        "ODF" => "odt",
        "TIFF" => "tif",
        other => other,
    }
    .to_lowercase()
}

/// The files of the corpus, below `corpus/files`, each once.
fn files() -> BTreeSet<String> {
    let manifest: toml::Table = toml::from_str(include_str!("../corpus/manifest.toml")).unwrap();
    let entries = manifest["attachment"].as_array().unwrap().iter();
    entries.filter_map(|entry| Some(entry["file"].as_str()?.strip_prefix("files/")?.to_owned())).collect()
}

/// All files at the smallest size; at the others, where they take long to open, the first of each format.
#[test]
fn each_padded_file_has_its_size_to_the_byte_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let mut padded = BTreeMap::from(SIZES.map(|size| (size, BTreeSet::new())));
    for name in files() {
        let content = Content::from_file(build().join("../files").join(&name)).unwrap();
        let extension = name.rsplit_once('.').unwrap().1.to_owned();
        for (size, formats) in &mut padded {
            if *size > SIZES[0] && formats.contains(&extension) {
                continue;
            }
            let made = match pad::pad(&content, &name, *size) {
                Ok(made) => made,
                Err(PadError::TooLarge { .. } | PadError::Format(_)) => continue,
                Err(error) => panic!("{name} to {size}: {error}"),
            };
            let path = folder.path().join(size.to_string()).join(&name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::io::copy(&mut made.reader(), &mut std::fs::File::create(&path).unwrap()).unwrap();
            assert_eq!(path.metadata().unwrap().len(), *size, "{name}");
            formats.insert(extension.clone());
        }
    }
    println!("{}", check(&["--padded", folder.path().to_str().unwrap()]));
    for (size, formats) in padded {
        let not_padded = pad::FORMATS.split(", ").map(extension).filter(|extension| !formats.contains(extension));
        assert_eq!(not_padded.collect::<Vec<_>>(), <Vec<String>>::new(), "to {size}");
    }
}
