//! What `corpus/build/README.md` promises of the built-in corpus: each file opens in programs that did not write it, can
//! be made again, and stays valid when it is padded.
//!
//! The programs are those of `corpus/build/packages.txt`; `tests/all.sh` installs them. Nothing is skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};
use std::process::Command;

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
    run(Command::new(build().join("build.sh")).arg(out.path()).env("PYTHON", python()));
    println!("{}", check(&["--rebuilt", out.path().to_str().unwrap()]));
}
