//! A checkout trips no virus scanner: the controls are in it only armoured.
//!
//! `ClamAV` is asked with signatures of the controls themselves, made here, and with the official ones where they are
//! installed. What is decoded goes to the scanner through a pipe, and its temporary files lie in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, thread};

use memchr::memmem;
use tempfile::TempDir;
use wafcanary::corpus::{Corpus, Entry, Hex, Intent, Sha256Digest};

/// What a scanner finds in a decoded control wherever it lies. In two pieces, for this file is scanned too.
const PATTERNS: &[(&str, &str)] = &[
    ("Eicar", concat!("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*")),
    ("Php", concat!("<", "?php phpinfo();")),
    ("Phar", concat!("<", "?php __HALT_COMPILER();")),
    ("Jsp", concat!("<", "%= java.lang.Runtime")),
    ("Aspx", concat!("<", "%@ Page Language=")),
    ("Ssi", concat!("<", "!--#echo var=")),
    ("Htaccess", concat!("AddType application", "/x-httpd-php .jpg")),
    ("UserIni", concat!("auto_prepend_file", "=photo.jpg")),
    ("WebConfig", concat!("modules=\"IsapiModule\" script", "Processor=")),
    ("Html", concat!("</title><script>", "alert(1)</script>")),
    ("Svg", concat!("height=\"60\"><script>", "alert(1)</script>")),
    ("SvgHandler", concat!("height=\"60\" onload", "=\"alert(1)\"")),
    ("Entity", concat!("<!ENTITY x", " SYSTEM \"file:")),
    ("ZipSlip", concat!("../../etc", "/cron.d/")),
    ("Launch", concat!("/OpenAction << /S", " /Launch /F")),
    ("Program", concat!("!This program", " cannot be run in DOS mode")),
    ("Mvg", concat!("push graphic-context\n", "viewbox")),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each control's id and its bytes.
fn controls() -> Vec<(String, Vec<u8>)> {
    let corpus = Corpus::builtin().unwrap();
    let is_control = |entry: &&Entry| entry.attachment.intent == Intent::Control;
    let decoded = |entry: &Entry| entry.content.read_range(0..entry.content.len()).unwrap();
    let controls: Vec<_> = corpus
        .attachments
        .iter()
        .filter(is_control)
        .map(|entry| (entry.attachment.id.clone(), decoded(entry)))
        .collect();
    assert!(controls.len() >= 25, "{} controls", controls.len());
    controls
}

/// The files that a commit of the whole work tree would hold.
fn tracked() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let output = git.output().expect("these tests need git");
    assert!(output.status.success(), "these tests need a checkout: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).collect();
    // A file that is deleted and not yet committed is still listed.
    let files: Vec<PathBuf> = files.into_iter().filter(|file| root().join(file).is_file()).collect();
    assert!(files.len() > 200, "{} files", files.len());
    files
}

/// `ClamAV` with a folder of signatures, and one for its temporary files.
struct Scanner {
    database: TempDir,
    memory: TempDir,
}

impl Scanner {
    /// Knows each pattern, and each control as a whole.
    fn new(controls: &[(String, Vec<u8>)]) -> Self {
        let database = tempfile::tempdir().unwrap();
        let mut patterns = String::new();
        for (name, text) in PATTERNS {
            writeln!(patterns, "Wafcanary.{name}:0:*:{}", Hex(text.as_bytes())).unwrap();
        }
        fs::write(database.path().join("patterns.ndb"), patterns).unwrap();
        let mut whole = String::new();
        for (id, bytes) in controls {
            let name = id.replace('/', ".");
            writeln!(whole, "{}:{}:Wafcanary.{name}:73", Sha256Digest::of(bytes), bytes.len()).unwrap();
        }
        fs::write(database.path().join("whole.hsb"), whole).unwrap();
        // NOTE: clamscan writes what it reads from a pipe, and what it unpacks, into files.
        let memory = tempfile::tempdir_in("/dev/shm").expect("these tests need /dev/shm, which lies in memory");
        Self { database, memory }
    }

    /// Knows the official signatures too, where they are installed.
    fn and_official(self) -> Self {
        for file in fs::read_dir("/var/lib/clamav").into_iter().flatten() {
            let file = file.unwrap();
            if [".cvd", ".cld", ".cud"].iter().any(|end| file.file_name().to_string_lossy().ends_with(end)) {
                std::os::unix::fs::symlink(file.path(), self.database.path().join(file.file_name())).unwrap();
            }
        }
        self
    }

    fn scan(&self, target: &Path, input: &[u8]) -> Output {
        let mut clamscan = Command::new("clamscan");
        clamscan.arg("--database").arg(self.database.path()).arg("--tempdir").arg(self.memory.path());
        // Without these, clamscan passes over large files and says they are clean.
        clamscan.args(["--recursive", "--max-filesize=2000M", "--max-scansize=2000M", "--max-files=0", "--infected"]);
        clamscan.arg(target).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = clamscan.spawn().expect("these tests need clamscan: `apt-get install clamav`");
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // Where a file is scanned, nobody reads the pipe.
        let writer = thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        output
    }

    /// Finds nothing in the file or folder, and has looked at `files` files.
    fn finds_nothing(&self, target: &Path, files: usize) {
        let output = self.scan(target, b"");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains(&format!("\nScanned files: {files}\nInfected files: 0\n")), "{files} files: {told}");
    }
}

#[test]
fn the_scanner_knows_every_control() {
    let controls = controls();
    let scanner = Scanner::new(&controls);
    for (id, bytes) in &controls {
        let output = scanner.scan(Path::new("-"), bytes);
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{id}: {told}{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.starts_with("stdin: Wafcanary."), "{id}: {told}");
    }
}

#[test]
fn no_scanner_hits_a_clean_checkout() {
    let scanner = Scanner::new(&controls()).and_official();
    let checkout = tempfile::tempdir().unwrap();
    let files = tracked();
    let mut empty = 0;
    for file in &files {
        let target = checkout.path().join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        empty += usize::from(fs::copy(root().join(file), target).unwrap() == 0);
    }
    scanner.finds_nothing(checkout.path(), files.len() - empty);
}

#[test]
fn no_scanner_hits_the_program_that_the_corpus_is_part_of() {
    let scanner = Scanner::new(&controls()).and_official();
    scanner.finds_nothing(Path::new(env!("CARGO_BIN_EXE_wafcanary")), 1);
}

#[test]
fn no_file_holds_a_control_in_plain() {
    let controls = controls();
    let whole = controls.iter().filter(|(_, bytes)| bytes.len() >= 16);
    let needles: Vec<(&str, &[u8])> = whole
        .map(|(id, bytes)| (id.as_str(), bytes.as_slice()))
        .chain(PATTERNS.iter().map(|(name, text)| (*name, text.as_bytes())))
        .collect();
    // A pattern that is in no control would look for nothing.
    for (name, text) in PATTERNS {
        let held = |(_, bytes): &(String, Vec<u8>)| memmem::find(bytes, text.as_bytes()).is_some();
        assert!(controls.iter().any(held), "no control holds `{name}`");
    }
    let mut found = Vec::new();
    for file in tracked() {
        let bytes = fs::read(root().join(&file)).unwrap();
        let held = needles.iter().filter(|(_, needle)| memmem::find(&bytes, needle).is_some());
        found.extend(held.map(|(name, _)| format!("{}: {name}", file.display())));
    }
    assert_eq!(found, Vec::<String>::new());
}
