//! Only what was appended after a position is read, over a rotation too.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use wafcanary::waf_log::{Format, Position, Rotated, Transaction, read};

use super::{read_from, sample};

/// A line of a JSON audit log.
fn line(attempt: &str) -> String {
    format!(
        "{{\"transaction\":{{\"unique_id\":\"u\",\"time_stamp\":\"t\",\"request\":{{\"uri\":\"/\",\"headers\":\
         {{\"X-Wafcanary-Attempt\":\"{attempt}\"}}}},\"response\":{{\"http_code\":200}},\"messages\":[]}}}}\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

fn attempts(transactions: &[Transaction]) -> Vec<&str> {
    transactions.iter().filter_map(|transaction| transaction.attempt.as_deref()).collect()
}

#[test]
fn what_was_there_before_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    append(&log, &line("before"));
    let position = Position::now(&log).expect("a position");
    append(&log, &line("after"));
    let (transactions, summary) = read_from(&log, &position);
    assert_eq!(attempts(&transactions), ["after"]);
    assert_eq!((summary.rotated, summary.bytes), (Rotated::No, line("after").len() as u64));
}

#[test]
fn a_log_that_was_not_there_is_read_from_its_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    let position = Position::now(&log).expect("a position");
    append(&log, &line("first"));
    assert_eq!(attempts(&read_from(&log, &position).0), ["first"]);
}

#[test]
fn the_rest_of_a_rotated_log_comes_before_the_new_one() {
    for name in ["audit.log.1", "audit.log-20261125"] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("audit.log");
        append(&log, &line("before"));
        let position = Position::now(&log).expect("a position");
        append(&log, &line("rest"));
        fs::rename(&log, folder.path().join(name)).expect("rotated");
        append(&log, &line("new"));
        let (transactions, summary) = read_from(&log, &position);
        assert_eq!(attempts(&transactions), ["rest", "new"], "{name}");
        assert_eq!(summary.rotated, Rotated::Followed, "{name}");
    }
}

#[test]
fn a_log_rotated_twice_is_followed_through_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    let (first, second) = (folder.path().join("audit.log.1"), folder.path().join("audit.log.2"));
    append(&log, &line("before"));
    let position = Position::now(&log).expect("a position");
    append(&log, &line("a"));
    fs::rename(&log, &second).expect("rotated");
    append(&log, &line("b"));
    fs::rename(&log, &first).expect("rotated");
    append(&log, &line("c"));
    let modified = |path: &Path, seconds: u64| {
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        fs::File::options().append(true).open(path).and_then(|file| file.set_modified(at)).expect("a time");
    };
    modified(&second, 1000);
    modified(&first, 2000);
    let (transactions, summary) = read_from(&log, &position);
    assert_eq!(attempts(&transactions), ["a", "b", "c"]);
    assert_eq!(summary.rotated, Rotated::Followed);
}

#[test]
fn what_a_rotation_took_away_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    append(&log, &line("before"));
    let position = Position::now(&log).expect("a position");
    // The old file stays open elsewhere, so that the new one cannot get its inode.
    let held = fs::File::open(&log).expect("held");
    fs::remove_file(&log).expect("gone");
    append(&folder.path().join("audit.log.1.gz"), "\u{1f}");
    append(&log, &line("new"));
    let (transactions, summary) = read_from(&log, &position);
    assert_eq!(attempts(&transactions), ["new"]);
    assert!(matches!(&summary.rotated, Rotated::Lost(why) if why.contains("compressed")), "{:?}", summary.rotated);
    drop(held);
}

#[test]
fn a_log_cut_in_place_is_read_from_its_start_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    append(&log, &line("a much longer line than the one that comes after it"));
    let position = Position::now(&log).expect("a position");
    fs::write(&log, line("new")).expect("cut");
    let (transactions, summary) = read_from(&log, &position);
    assert_eq!(attempts(&transactions), ["new"]);
    assert!(matches!(summary.rotated, Rotated::Lost(_)));
}

#[test]
fn a_position_within_a_line_passes_that_line_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    let half = line("half");
    append(&log, &half[..40]);
    let position = Position::now(&log).expect("a position");
    append(&log, &half[40..]);
    append(&log, &line("next"));
    let (transactions, summary) = read_from(&log, &position);
    assert_eq!(attempts(&transactions), ["next"]);
    assert_eq!(summary.skipped_total, 1);
}

#[test]
fn a_storage_directory_gives_the_files_that_came_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = folder.path().join("20261125/20261125-2100");
    fs::create_dir_all(&day).expect("a folder");
    append(&day.join("20261125-210000-a"), &line("before"));
    let position = Position::now(folder.path()).expect("a position");
    append(&day.join("20261125-210000-b"), &line("after"));
    let (transactions, _) = read_from(folder.path(), &position);
    assert_eq!(attempts(&transactions), ["after"]);
}

#[test]
fn an_index_whose_files_are_gone_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.log");
    fs::copy(sample("modsecurity2-concurrent-json"), &log).expect("copied");
    let (transactions, summary) = read_from(&log, &Position::start());
    assert!(transactions.is_empty());
    assert_eq!(summary.skipped_total, 2);
}

#[test]
fn what_a_vendor_appends_is_read_and_a_document_is_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let [lines, document] = ["waf.log", "waf.json"].map(|name| folder.path().join(name));
    let text = fs::read_to_string(sample("cloud-armor.log")).expect("a sample");
    let (before, after) = text.split_at(text.find('\n').expect("a line") + 1);
    append(&lines, before);
    append(&document, "[]\n");
    let positions = [&lines, &document].map(|path| Position::now(path).expect("a position"));
    append(&lines, after);
    // Fetched anew into the same file.
    fs::write(&document, fs::read(sample("cloud-armor.json")).expect("a sample")).expect("written");
    let (whole, _) = read_from(&sample("cloud-armor.log"), &Position::start());
    assert_eq!(read_from(&lines, &positions[0]).0, whole[1..]);
    assert_eq!(read_from(&document, &positions[1]).0, whole);
}

#[test]
fn compressed_unknown_and_missing_logs_are_usage_errors_with_help() {
    let folder = tempfile::tempdir().expect("a folder");
    let [gz, other, missing] = ["audit.log.gz", "other.txt", "missing"].map(|name| folder.path().join(name));
    fs::write(&gz, [0x1f, 0x8b, 8, 0]).expect("written");
    fs::write(&other, "\n\nhello\n").expect("written");
    let says = [
        (&gz, "gunzip"),
        (&other, "FILE:modsecurity2-native"),
        (&other, "cloud-armor"),
        (&other, "line 3 is of none"),
        (&missing, "SecAuditLog"),
    ];
    for (path, says) in says {
        let error = read(path, Format::Auto, &Position::start(), &mut |_| {}).expect_err("no log");
        assert!(error.render(false).contains(says), "{}", error.render(false));
    }
}
