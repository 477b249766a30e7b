//! Reading a stored run.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::event::SCHEMA_VERSION;
use super::journal::JOURNAL;
use super::{CaseRecord, Event, Joined, Pool, Run, RunManifest};
use crate::corpus::CaseId;
use crate::error::{Error, Result};

/// Whether the last lines of a journal may be half-written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// A line that can't be read is an error, unless it is the last one.
    Whole,
    /// The run may have been killed: what follows its last settled case is cut off.
    MayBeTorn,
}

/// A stored run, and how much of its journal is whole.
#[derive(Debug)]
pub struct Stored {
    /// The run.
    pub run: Run,
    /// Bytes up to the end of the last line that needs no other line.
    pub whole_bytes: u64,
}

impl Run {
    /// Reads the run in `dir`. Each case stands in it once: a record written after a resume replaces an earlier one.
    pub fn read(dir: &Path) -> Result<Self> {
        Ok(read(dir, Tail::Whole)?.run)
    }

    /// Reads only what was asked of the run in `dir`.
    pub fn read_manifest(dir: &Path) -> Result<RunManifest> {
        let path = dir.join(JOURNAL);
        let mut lines = Lines::open(&path)?;
        lines.next(&path)?;
        match serde_json::from_slice(&lines.line) {
            Ok(Event::RunStarted(manifest)) => {
                check_version(manifest.schema_version, &path)?;
                Ok(manifest)
            }
            _ => Err(no_start(&path, &lines.line)),
        }
    }
}

/// The parts of a line that tell whether this program can read it.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

/// Reads the journal in `dir`; attempts are passed over.
pub(super) fn read(dir: &Path, tail: Tail) -> Result<Stored> {
    let path = dir.join(JOURNAL);
    let mut lines = Lines::open(&path)?;
    let mut manifest = None;
    let mut ending = None;
    let mut cases: Vec<CaseRecord> = Vec::new();
    let mut pool = Pool::default();
    let mut resumed = false;
    let mut joined = Joined::default();
    let mut whole_bytes = 0;
    while let Some(complete) = lines.next(&path)? {
        // Attempts are most of a journal's bytes, and only needed with their case.
        if lines.line.starts_with(br#"{"event":"attempt""#) {
            continue;
        }
        // Straight to the record: through the tagged enum, a line is parsed twice.
        if lines.line.starts_with(br#"{"event":"case""#)
            && let Ok(mut record) = serde_json::from_slice::<CaseRecord>(&lines.line)
        {
            pool.share(&mut record);
            cases.push(record);
            whole_bytes = lines.offset;
            continue;
        }
        match serde_json::from_slice::<Event>(&lines.line) {
            Ok(Event::RunStarted(started)) => {
                check_version(started.schema_version, &path)?;
                resumed |= manifest.is_some();
                manifest.get_or_insert(started);
            }
            Ok(Event::Case(record)) => cases.push(record),
            Ok(Event::RunFinished { ending: how, .. }) => ending = Some(how),
            Ok(Event::Waf { case, evidence, .. }) => {
                joined.cases.insert(case, evidence);
            }
            Ok(Event::WafLog { log, .. }) => joined.logs.push(log),
            Ok(Event::Attempt(_) | Event::Canary { .. } | Event::Paused { .. }) => {}
            Err(_) if !complete => break,
            Err(error) => {
                if manifest.is_none() {
                    return Err(no_start(&path, &lines.line));
                }
                if tail == Tail::MayBeTorn {
                    break;
                }
                return Err(Error::usage(format!("line {} of the journal can't be read: {error}", lines.number))
                    .file(&path)
                    .help("the record is damaged; `--resume` goes on from its last whole case"));
            }
        }
        whole_bytes = lines.offset;
    }
    let manifest = manifest.ok_or_else(|| no_start(&path, &[]))?;
    if resumed {
        cases = last_of_each(cases);
    }
    let mut run = Run { manifest, ending, cases, waf_logs: Vec::new() };
    run.attach(joined);
    Ok(Stored { run, whole_bytes })
}

fn last_of_each(cases: Vec<CaseRecord>) -> Vec<CaseRecord> {
    let mut place: HashMap<CaseId, usize> = HashMap::with_capacity(cases.len());
    let mut last: Vec<CaseRecord> = Vec::with_capacity(cases.len());
    for record in cases {
        if let Some(at) = place.get(&record.case) {
            last[*at] = record;
        } else {
            place.insert(record.case.clone(), last.len());
            last.push(record);
        }
    }
    last
}

fn check_version(version: u32, path: &Path) -> Result<()> {
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    Err(Error::usage(format!("the run has schema version {version}, and this program reads version {SCHEMA_VERSION}"))
        .file(path)
        .help(
            "send it again with this version, or read it with the version that wrote it (key `tool` of its first line)",
        ))
}

/// The lines of a journal.
pub(super) struct Lines {
    reader: BufReader<File>,
    pub(super) line: Vec<u8>,
    number: u64,
    offset: u64,
}

/// Why the first line of a journal is not what it should be.
fn no_start(path: &Path, line: &[u8]) -> Error {
    let version = serde_json::from_slice::<Version>(line).ok();
    if let Some(Err(error)) = version.map(|version| check_version(version.schema_version, path)) {
        return error;
    }
    Error::usage("the journal does not begin with `run_started`")
        .file(path)
        .help("the run was killed before it began, or this is no journal: start it again in another folder")
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| {
            Error::usage(format!("no run can be read here: {error}")).file(path).help("give the folder of a stored run")
        })?;
        Ok(Self { reader: BufReader::with_capacity(1 << 20, file), line: Vec::new(), number: 0, offset: 0 })
    }

    /// Reads the next line; `Some(false)` for a last one without its line end.
    pub(super) fn next(&mut self, path: &Path) -> Result<Option<bool>> {
        self.line.clear();
        let read = self
            .reader
            .read_until(b'\n', &mut self.line)
            .map_err(|error| Error::usage(format!("cannot read the journal: {error}")).file(path))?;
        self.number += 1;
        let complete = self.line.last() == Some(&b'\n');
        if complete {
            self.line.pop();
            self.offset += read as u64;
        }
        Ok((read > 0).then_some(complete))
    }
}
