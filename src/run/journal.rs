//! The journal of one run: append-only JSON lines, written case by case.
//!
//! All lines of a case go out in one write that ends with its `case` line, so that a kill at any moment leaves whole
//! cases and perhaps a torn tail. [`Journal::resume`] cuts that tail off.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::read::{self, Tail};
use super::{Event, RunManifest};
use crate::corpus::Sha256Digest;
use crate::error::{Error, Result};
use crate::verdict::Count;

/// Name of the journal in a run's folder.
pub const JOURNAL: &str = "journal.jsonl";

/// Name of the folder that holds the answers of uploads that did not pass, by digest.
pub const ANSWERS: &str = "answers";

/// Distinct answers kept at most: a bound for edges whose refusals are all different.
const MOST_ANSWERS: usize = 10_000;

/// Writes one run's record.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: File,
    /// Held for as long as this process writes: a second writer would double cases.
    _lock: File,
    answers: HashSet<Sha256Digest>,
}

impl Journal {
    /// Starts a record in `dir`, which must not hold one. Done before anything is sent, so that a folder that
    /// can't be written to costs no request.
    pub fn create(dir: &Path) -> Result<Self> {
        let path = dir.join(JOURNAL);
        fs::create_dir_all(dir.join(ANSWERS)).map_err(|error| cannot_write(dir, &error))?;
        let opened = OpenOptions::new().append(true).create_new(true).open(&path);
        let opened = match opened {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !Self::has_begun(dir) => {
                OpenOptions::new().append(true).open(&path)
            }
            opened => opened,
        };
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::usage("there is already a run in this folder")
                .file(&path)
                .help("records are never overwritten: give another `--out`, or go on with `--resume`"),
            _ => cannot_write(&path, &error),
        })?;
        let lock = lock(dir)?;
        // What a kill left of a first line; nothing was sent before it was whole.
        if !Self::has_begun(dir) {
            file.set_len(0).map_err(|error| cannot_write(&path, &error))?;
        }
        Ok(Self { dir: dir.to_path_buf(), file, _lock: lock, answers: HashSet::new() })
    }

    /// Whether `dir` holds a record whose first line is whole.
    #[must_use]
    pub fn has_begun(dir: &Path) -> bool {
        let mut first = Vec::new();
        let read = File::open(dir.join(JOURNAL))
            .and_then(|file| io::BufRead::read_until(&mut io::BufReader::new(file), b'\n', &mut first));
        read.is_ok() && first.last() == Some(&b'\n')
    }

    /// Opens the record in `dir` to go on with it, and cuts off what a kill left half-written.
    pub fn resume(dir: &Path) -> Result<(Self, read::Stored)> {
        let path = dir.join(JOURNAL);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| {
            Error::usage(format!("no run to resume: {error}"))
                .file(&path)
                .help("give the folder that the run was written to")
        })?;
        let lock = lock(dir)?;
        let stored = read::read(dir, Tail::MayBeTorn)?;
        file.set_len(stored.whole_bytes).map_err(|error| cannot_write(&path, &error))?;
        file.seek(SeekFrom::End(0)).map_err(|error| cannot_write(&path, &error))?;
        Ok((Self { dir: dir.to_path_buf(), file, _lock: lock, answers: HashSet::new() }, stored))
    }

    /// The folder of the record.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the first line.
    pub fn start(&mut self, manifest: &RunManifest) -> Result<()> {
        self.append(&[Event::RunStarted(manifest.clone())])
    }

    /// Appends `events` in one write.
    pub fn append(&mut self, events: &[Event]) -> Result<()> {
        let mut lines = Vec::with_capacity(2048);
        for event in events {
            self.keep_answer(event).map_err(|error| cannot_go_on(&self.dir.join(ANSWERS), &error))?;
            serde_json::to_writer(&mut lines, event)
                .map_err(|error| Error::inconclusive(format!("cannot write an event as JSON: {error}")))?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).map_err(|error| cannot_go_on(&self.dir.join(JOURNAL), &error))
    }

    /// Puts everything on the disk. Called at the end: a kill of the process does not need it, a power cut does.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync_all().map_err(|error| cannot_go_on(&self.dir.join(JOURNAL), &error))
    }

    /// Keeps the answer of an upload that did not pass: it is what the user saw.
    fn keep_answer(&mut self, event: &Event) -> io::Result<()> {
        let Event::Attempt(attempt) = event else { return Ok(()) };
        let Some(answer) = &attempt.observation.answer else { return Ok(()) };
        let passed = attempt.verdict.as_ref().is_some_and(|verdict| verdict.outcome.count() == Count::Pass);
        if passed || answer.body.0.is_empty() || self.answers.len() >= MOST_ANSWERS {
            return Ok(());
        }
        let digest = Sha256Digest::of(&answer.body.0);
        if self.answers.insert(digest) {
            fs::write(self.dir.join(ANSWERS).join(digest.to_string()), &answer.body.0)?;
        }
        Ok(())
    }
}

/// An error after the record was opened: requests may have been sent, so it is no error of usage.
fn cannot_go_on(path: &Path, error: &io::Error) -> Error {
    Error::inconclusive(format!("cannot write the record: {error}"))
        .file(path)
        .help("make room on the disk, then go on with `--resume`; nothing that was written is lost")
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    let message = format!("cannot write the record: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::inconclusive(message)
            .file(path)
            .help("make room on the disk, then go on with `--resume`; nothing that was written is lost"),
        _ => Error::usage(message).file(path).help("give a folder that can be written to with `--out`"),
    }
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("journal.lock");
    let file = File::create(&path).map_err(|error| cannot_write(&path, &error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::usage("another process is writing this run")
            .file(&path)
            .help("wait for it to end, or give another `--out`")),
        // A file system without locks: going on is better than refusing.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}
