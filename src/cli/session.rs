//! What `run`, `compare`, `matrix` and `demo` share: select, record, send, stop.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::console::Console;
use super::options::{SelectOptions, SetName};
use super::settings::Settings;
use crate::corpus::{Case, CaseId, Corpus, Selection, Set, Sha256Digest, selection_digest};
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::profile::Profile;
use crate::replay::Replayer;
use crate::replay::pace::Pacer;
use crate::report::Progress;
use crate::run::{
    Attempts, Batch, Endings, Ends, Event, Journal, Lane, LogSource, Plan, RunEnding, RunManifest, SCHEMA_VERSION,
    SideName, conduct,
};
use crate::verdict::{Count, Outcome};

/// Name of the comparison's document.
pub(crate) const COMPARISON: &str = "comparison.json";

/// Name of the file that `--resume` reads the options from.
const OPTIONS: &str = "options.json";

/// The selected cases of a corpus.
pub(crate) struct Selected {
    pub(crate) corpus: String,
    /// As [`RunManifest::corpus_folder`].
    pub(crate) folder: Option<String>,
    pub(crate) digest: Sha256Digest,
    pub(crate) cases: Arc<[Case]>,
}

/// One edge to be sent to, and where its record goes.
pub(crate) struct Lap<'a> {
    pub(crate) side: SideName,
    pub(crate) profile: Arc<Profile>,
    pub(crate) dir: PathBuf,
    pub(crate) rounds: u32,
    /// Who runs it.
    pub(crate) operator: Option<String>,
    /// The pace as a preflight left it.
    pub(crate) pacer: Option<Pacer>,
    pub(crate) selected: &'a Selected,
    /// The WAF's logs, to be read when everything is sent.
    pub(crate) waf_logs: Vec<LogSource>,
}

/// Opens the corpus and makes the cases. Controls are made only where `authorized`.
pub(crate) fn select(
    options: &SelectOptions,
    settings: &Settings,
    profiles: &[&Profile],
    console: &Console,
) -> Result<Selected> {
    let path = options.corpus.as_ref().or(settings.corpus.as_ref());
    let corpus = match path {
        Some(path) => Corpus::open(path)?,
        None => Corpus::builtin()?,
    };
    for warning in &corpus.warnings {
        console.warn(warning);
    }
    let authorized = profiles.iter().all(|profile| profile.guard.authorized);
    let set = options.set.or(settings.set).unwrap_or(SetName::Standard);
    let selection = Selection {
        set: match set {
            SetName::Smoke => Set::Smoke,
            SetName::Standard => Set::Standard,
            SetName::Full => Set::Full,
        },
        cases: options.cases.clone(),
        exclude: options.exclude.clone(),
        tags: options.tags.clone(),
        procedures: options.procedures.clone(),
        clients: options.clients.clone(),
        transport: profiles.first().map(|profile| profile.upload.transport),
        controls: authorized,
    };
    let cases = corpus.select(&selection)?;
    let cases: Vec<Case> = cases.iter().flat_map(|case| case.under_boundaries(options.fuzz_boundary)).collect();
    let digest = selection_digest(&cases);
    let folder = path.and_then(|path| in_repository(path));
    Ok(Selected { corpus: corpus.name, folder, digest, cases: cases.into() })
}

/// The folder as a pipeline names it: from the root of the repository that the working folder is in.
fn in_repository(folder: &Path) -> Option<String> {
    let working = std::env::current_dir().and_then(std::fs::canonicalize).ok()?;
    let root = working.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&working);
    let folder = std::fs::canonicalize(folder).ok()?;
    let parts = folder.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str());
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}

impl Lap<'_> {
    /// What it is called in the progress: its folder says which of several it is.
    fn name(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn manifest(&self, run: &str, started: &str) -> RunManifest {
        let profile = &self.profile;
        RunManifest {
            schema_version: SCHEMA_VERSION,
            tool: concat!("wafcanary ", env!("CARGO_PKG_VERSION")).to_owned(),
            run: run.to_owned(),
            side: self.side,
            started: started.to_owned(),
            profile: profile.name.clone(),
            profile_digest: profile.digest(),
            url: profile.redactor.redact(&profile.target.url()),
            environment: profile.guard.environment,
            proof: profile.oracle.proof,
            insecure: profile.target.tls.insecure,
            authorized: profile.guard.authorized,
            rate: profile.pace.rate,
            concurrency: profile.pace.concurrency,
            corpus: self.selected.corpus.clone(),
            corpus_folder: self.selected.folder.clone(),
            corpus_digest: self.selected.digest,
            cases: self.selected.cases.len() as u64,
            rounds: self.rounds,
            operator: self.operator.clone(),
        }
    }

    /// The journal, new or gone on with, and the outcomes that it has already settled.
    fn open_journal(&self, manifest: &RunManifest, resume: bool) -> Result<(Journal, HashMap<CaseId, Outcome>)> {
        // Killed before its first line was whole, a run has sent nothing: it starts anew.
        if !resume || !Journal::has_begun(&self.dir) {
            let mut journal = Journal::create(&self.dir)?;
            journal.start(manifest)?;
            return Ok((journal, HashMap::new()));
        }
        let (mut journal, stored) = Journal::resume(&self.dir)?;
        let was = &stored.run.manifest;
        for (what, same) in [
            ("corpus", was.corpus_digest == manifest.corpus_digest),
            ("profile", was.profile_digest == manifest.profile_digest),
        ] {
            if !same {
                return Err(Error::usage(format!("the {what} is not the one that this run was started with"))
                    .file(&self.dir)
                    .help(format!("put the {what} back as it was, or start a new run without `--resume`")));
            }
        }
        journal.start(&RunManifest { run: manifest.run.clone(), started: manifest.started.clone(), ..was.clone() })?;
        // What could not be told before is asked again; the later record counts.
        let known = stored.run.cases.into_iter().filter(|record| record.verdict.outcome.count() != Count::Inconclusive);
        let settled = known.map(|record| (record.case, record.verdict.outcome)).collect();
        Ok((journal, settled))
    }
}

/// Sends the laps' cases, interleaved, and records them; a lap that cannot go on ends them all. `Ok(true)`: it was
/// interrupted.
pub(crate) async fn send(laps: Vec<Lap<'_>>, confirm: u32, resume: bool, console: &Console) -> Result<bool> {
    send_until(Ends::Together, laps, confirm, resume, console).await
}

/// As [`send`]; `ends` says what a lap that cannot go on does to the others.
pub(crate) async fn send_until(
    ends: Ends,
    laps: Vec<Lap<'_>>,
    confirm: u32,
    resume: bool,
    console: &Console,
) -> Result<bool> {
    let started = jiff::Timestamp::now().to_string();
    let cases = laps.first().map(|lap| lap.selected.cases.clone()).unwrap_or_default();
    let mut journals = Vec::new();
    let mut lanes = Vec::new();
    let mut left = 0;
    for lap in &laps {
        let run = run_id(&started, &lap.dir);
        let manifest = lap.manifest(&run, &started);
        let (journal, settled) = lap.open_journal(&manifest, resume)?;
        left += cases.iter().filter(|case| !settled.contains_key(&case.id)).count();
        let mut replayer = Replayer::new(lap.profile.clone(), &run)?;
        if let Some(pacer) = &lap.pacer {
            replayer = replayer.at_pace(pacer.clone());
        }
        journals.push((lap.name(), lap.side, journal));
        lanes.push(Lane::new(lap.side, replayer, lap.profile.clone(), lap.rounds, settled));
    }
    let progress = console.progress_bar().map_or_else(Progress::silent, |bar| Progress::new(left as u64, bar));
    let recorder = Arc::new(Mutex::new(Recorder { journals, progress }));
    let sink = {
        let recorder = recorder.clone();
        Arc::new(move |batch| recorder.lock().unwrap_or_else(PoisonError::into_inner).record(batch))
    };
    let endings = conduct(Plan { cases, confirm, ends }, lanes, stop_on_signal(), sink).await?;
    let interrupted = endings.contains(&RunEnding::Interrupted);
    let mut recorder = recorder.lock().unwrap_or_else(PoisonError::into_inner);
    let logged =
        if interrupted { Ok(()) } else { laps.iter().enumerate().try_for_each(|lap| recorder.read_waf_logs(lap)) };
    // Whatever is wrong with a log, what was sent has its end on record.
    recorder.finish(&endings)?;
    logged?;
    Ok(interrupted)
}

/// Writes what the lanes settle, and shows how far they are.
struct Recorder {
    /// In the order of the lanes: what the lap is called, its side, its journal.
    journals: Vec<(String, SideName, Journal)>,
    progress: Progress,
}

impl Recorder {
    fn record(&mut self, (lane, events): Batch) -> Result<()> {
        let Some((name, _, journal)) = self.journals.get_mut(lane) else { return Ok(()) };
        for event in &events {
            self.progress.tick(event, name);
        }
        if events.is_empty() { Ok(()) } else { journal.append(&events) }
    }

    /// Joins what the WAF wrote to the cases, and records it.
    fn read_waf_logs(&mut self, (lane, lap): (usize, &Lap<'_>)) -> Result<()> {
        if lap.waf_logs.is_empty() {
            return Ok(());
        }
        lap.waf_logs.iter().for_each(LogSource::settle);
        let joined = Attempts::read(&lap.dir)?.join(&lap.waf_logs)?.redacted(&lap.profile.redactor);
        let side = lap.side;
        let cases = joined.cases.into_iter().map(|(case, evidence)| Event::Waf { side, case, evidence });
        let events: Vec<_> = cases.chain(joined.logs.into_iter().map(|log| Event::WafLog { side, log })).collect();
        self.record((lane, events))
    }

    fn finish(&mut self, endings: &Endings) -> Result<()> {
        self.progress.finish();
        let at = jiff::Timestamp::now().to_string();
        for ((_, side, journal), ending) in self.journals.iter_mut().zip(endings) {
            journal.append(&[Event::RunFinished { side: *side, at: at.clone(), ending: ending.clone() }])?;
            journal.sync()?;
        }
        Ok(())
    }
}

/// A run's id: unique by its start and folder, readable in a log.
fn run_id(started: &str, dir: &Path) -> String {
    let seed = format!("{started} {} {}", std::process::id(), dir.display());
    Sha256Digest::of(seed.as_bytes()).to_string()[..12].to_owned()
}

/// Turns true at Ctrl-C or SIGTERM.
pub(crate) fn stop_on_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    // NOTE: listened for from here on, not from the task's first turn: a signal in between would end the process.
    let signal = stop_signal();
    tokio::spawn(async move {
        signal.await;
        let _ = sender.send(true);
        // The channel stays open for as long as anybody listens.
        sender.closed().await;
    });
    receiver
}

#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        let signals = signal(kind);
        async move {
            match signals {
                Ok(mut signals) => drop(signals.recv().await),
                Err(_) => std::future::pending().await,
            }
        }
    };
    let (interrupted, terminated) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    async move {
        tokio::select! { () = interrupted => {}, () = terminated => {} }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// The folder for a new record.
pub(crate) fn output_folder(out: Option<&PathBuf>, command: &str) -> PathBuf {
    out.cloned().unwrap_or_else(|| {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        Path::new("wafcanary-out").join(format!("{now}-{command}"))
    })
}

/// Opens the files of `--write` before anything is sent, so that a bad path costs no request.
pub(crate) fn open_writes<F: Copy>(writes: &[(F, PathBuf)]) -> Result<Vec<(F, PathBuf, std::fs::File)>> {
    let open = |(format, path): &(F, PathBuf)| {
        let file =
            std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|error| {
                Error::usage(format!("cannot write the report: {error}"))
                    .file(path)
                    .key("--write")
                    .help("check the path")
            })?;
        Ok((*format, path.clone(), file))
    };
    writes.iter().map(open).collect()
}

/// Empties the files of `--write` after an error that leaves everything open: what an earlier comparison said there must
/// not be taken for what this one says.
pub(crate) fn empty_writes<F>(writes: &[(F, PathBuf, std::fs::File)], error: &Error) {
    if error.exit_code() == ExitCode::Inconclusive {
        for (_, _, file) in writes {
            // Only a file has a length to cut, and the exit code says the same.
            let _ = file.set_len(0);
        }
    }
}

/// Fills a file of `--write`.
pub(crate) fn fill(
    path: &Path,
    file: &std::fs::File,
    render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<()> {
    let write = || {
        // A pipe or a device has no length to cut.
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        let mut writer = std::io::BufWriter::new(file);
        render(&mut writer)?;
        writer.flush()
    };
    write().map_err(|error| Error::inconclusive(format!("cannot write the report: {error}")).file(path))
}

/// Writes the document of a `what` into its folder.
pub(crate) fn keep_document(
    path: &Path,
    what: &str,
    render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<()> {
    let written = std::fs::File::create(path).and_then(|file| {
        let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
        render(&mut out)?;
        out.flush()
    });
    written.map_err(|error| Error::inconclusive(format!("cannot write the {what}: {error}")).file(path))
}

/// Writes a file by rename, so that a kill never leaves half of it.
pub(crate) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, path)
}

/// Keeps the options of a run for `--resume`. Those of another run are never overwritten.
pub(crate) fn keep_options(dir: &Path, options: &impl Serialize) -> Result<()> {
    let path = dir.join(OPTIONS);
    let cannot = |error: &dyn std::fmt::Display| {
        Error::usage(format!("cannot write the record: {error}"))
            .file(&path)
            .help("give a folder that can be written to with `--out`")
    };
    if path.exists() || Journal::has_begun(dir) {
        return Err(Error::usage("there is already a run in this folder")
            .file(dir)
            .help("records are never overwritten: give another `--out`, or go on with `--resume`"));
    }
    std::fs::create_dir_all(dir).map_err(|error| cannot(&error))?;
    let text = serde_json::to_string_pretty(options).map_err(|error| cannot(&error))?;
    // By rename, so that a kill never leaves half of it.
    let unfinished = dir.join("options.json.new");
    std::fs::write(&unfinished, text + "\n").map_err(|error| cannot(&error))?;
    std::fs::rename(&unfinished, &path).map_err(|error| cannot(&error))
}

/// Takes back the options of a run that sent no case, so that it can be started again in the same folder.
pub(crate) fn forget_options(dir: &Path) {
    // What cannot be taken back is only in the way of the next run, which will say so.
    let _ = std::fs::remove_file(dir.join(OPTIONS)).and_then(|()| std::fs::remove_dir(dir));
}

/// Reads the options that a run was started with.
pub(crate) fn kept_options<T: DeserializeOwned>(dir: &Path) -> Result<T> {
    let path = dir.join(OPTIONS);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::usage(format!("nothing to resume here: {error}"))
            .file(&path)
            .help("give the folder that `run`, `compare` or `matrix` named when it started")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Error::usage(format!("cannot read the options of the run: {error}"))
            .file(&path)
            .help("resume it with the command (`run`, `compare` or `matrix`) and the version that started it")
    })
}

/// The async runtime of a command that uses the network.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    // Half the cores: the edge under test is often on the same machine, and few busy workers wake each other less often
    // than many idle ones.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.div_ceil(2))
        .enable_all()
        .build()
        .map_err(|error| Error::inconclusive(format!("cannot start the async runtime: {error}")))
}

/// Whether the path names a stored run.
pub(crate) fn is_stored_run(path: &Path) -> bool {
    path.join("journal.jsonl").is_file()
}

#[cfg(test)]
mod tests {
    use super::super::options::SendOptions;
    use super::*;

    #[test]
    fn options_survive_the_way_through_the_record() {
        let dir = tempfile::tempdir().unwrap();
        let options = SendOptions {
            rate: Some(2.5),
            concurrency: Some(3),
            allow_production: false,
            dry_run: true,
            operator: None,
        };
        keep_options(dir.path(), &options).unwrap();
        let kept: SendOptions = kept_options(dir.path()).unwrap();
        assert_eq!((kept.rate, kept.concurrency, kept.dry_run), (Some(2.5), Some(3), false));
    }
}
