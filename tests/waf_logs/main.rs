//! What engines and vendors write is read for what it says. `samples/README.md` says how the samples were made.

mod bounds;
mod content;
mod engines;
mod rotation;
mod torn;
mod vendors;

use std::path::{Path, PathBuf};

use wafcanary::waf_log::{Format, Position, Summary, Transaction, read};

/// What became of a request, as the log says and as the client saw.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Fate {
    /// Nothing that refuses fired.
    Passed,
    /// It was refused, or challenged.
    Refused,
    /// Only counted, logged, detected or previewed: with the rule on it is refused.
    WouldBlock,
}

/// What joins a transaction, its rules, and its fate.
type Expected = (&'static str, &'static [&'static str], Fate);

/// A sample's path; that of the index for a concurrent log.
fn sample(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/waf_logs/samples").join(name);
    if path.is_dir() { path.join("audit.log") } else { path }
}

/// Reads all of a log.
fn read_from(path: &Path, from: &Position) -> (Vec<Transaction>, Summary) {
    let mut transactions = Vec::new();
    let summary = read(path, Format::Auto, from, &mut |transaction| transactions.push(transaction)).expect("a log");
    assert_eq!(summary.transactions, transactions.len() as u64);
    (transactions, summary)
}

fn read_all(path: &Path) -> (Vec<Transaction>, Summary) {
    read_from(path, &Position::start())
}

/// Reads `bytes` as a log of a format.
fn read_bytes(bytes: &[u8], format: Format) -> (Vec<Transaction>, Summary) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    std::io::Write::write_all(&mut file, bytes).expect("written");
    let mut transactions = Vec::new();
    let summary = read(file.path(), format, &Position::start(), &mut |transaction| transactions.push(transaction));
    (transactions, summary.expect("a log"))
}
