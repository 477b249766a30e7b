//! Many edges side by side: the compatibility table of plans or vendors.

mod notes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::corpus::{CaseId, Filename, Intent, Kind, NameClass, NameForm, PageCharset};
use crate::error::{Error, Result};
use crate::run::{CaseRecord, Run, RunEnding, RunManifest};
use crate::verdict::{Count, List, Outcome, Text};

/// The version of the matrix's JSON. Additive changes keep it.
pub const SCHEMA_VERSION: u32 = 1;

/// The table, as it is written to `matrix.json`. Other programs read it: see `schema/matrix.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Every edge was asked for every case, and gave an answer that means something: exit code 0. Else 3.
    pub settled: bool,
    /// What is left open, gravest first. A settled matrix has none.
    pub reasons: Vec<Note>,
    /// What a reader must know: weak proofs, certificates not checked, controls that were not sent.
    pub warnings: Vec<Note>,
    /// The edges, in the order in which they were given.
    pub columns: Vec<Column>,
    /// Every case, by id.
    pub cases: Vec<MatrixCase>,
}

/// One edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Its name in the table: that of the profile, told apart where several have the same.
    pub name: Text,
    /// What was asked of it.
    pub run: RunManifest,
    /// How its run ended; `null`: it was killed, or is still being written.
    pub ending: Option<RunEnding>,
    /// Cases by outcome, without the unsteady ones; every outcome is there, also with 0.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Legitimate cases: good is delivered.
    pub legit: Tally,
    /// Controls: good is kept out by the edge.
    pub controls: Tally,
    /// The share, 0 to 1, of the legitimate files that arrives, estimated with the corpus's weights; `null`: nothing is
    /// known. It is of what is known: `legit.unknown` says how much is not.
    pub share: Option<f64>,
}

/// Cases counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// All.
    pub of: u64,
    /// As it ought to be.
    pub good: u64,
    /// Not as it ought to be.
    pub bad: u64,
    /// Not asked, or no answer that means anything.
    pub unknown: u64,
    /// Of the bad: past the edge, and not as it was sent.
    #[serde(default)]
    pub partly: u64,
    /// Of the bad: the edge does now this, now that.
    #[serde(default)]
    pub unsteady: u64,
}

/// One case on all edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixCase {
    /// The case.
    #[schemars(with = "String")]
    pub id: CaseId,
    /// What the edges ought to do with it.
    pub intent: Intent,
    /// What kind of file it is, as its extension says.
    pub kind: Kind,
    /// Filename as the user sees it.
    pub filename: Text,
    /// What is special about the filename, as far as name and id tell.
    pub name_classes: List<NameClass>,
    /// The client that the case's id names; `null`: the attachment's own.
    pub client: Option<Text>,
    /// Procedures (手続) that receive such an attachment.
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub procedures: List<Text>,
    /// Share of real submissions that the attachment stands for.
    pub weight: f64,
    /// `manifest.toml:12`, where the attachment is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text>,
    /// Whether the edges do the same with it.
    pub agreement: Agreement,
    /// What became of it, in the order of the columns; `null`: not asked.
    pub cells: Vec<Option<Cell>>,
}

/// One case on one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// What became of it; of an unsteady one, what most rounds say, which proves nothing.
    pub outcome: Outcome,
    /// Delivered in some rounds and not in others, or kept out in some and not in others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsteady: bool,
    /// The edge's signature that matched.
    pub signature: Option<Text>,
    /// Status of the answer that decided.
    pub status: Option<u16>,
    /// What was seen.
    pub evidence: Text,
    /// Outcomes of the rounds, where they disagree.
    #[serde(default, skip_serializing_if = "<[Outcome]>::is_empty")]
    pub rounds: List<Outcome>,
    /// A rule fired without blocking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub would_block: bool,
}

/// Whether the edges do the same with a case: by [`Mark`], not by status or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// At least two differ.
    Differs,
    /// Those that are known agree, and some are not known.
    Unknown,
    /// All are unsteady.
    Unsteady,
    /// All agree.
    Same,
}

/// What a cell shows at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// It arrived as it was sent.
    Delivered,
    /// Past the edge, and not as it was sent: altered, refused by the application, or lost later.
    Partly,
    /// Now this, now that.
    Unsteady,
    /// Kept out by the edge.
    Refused,
    /// Not known.
    Unknown,
}

/// Something that a reader must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// What it is about.
    pub code: NoteCode,
    /// The column, from 0; `null`: all of them.
    pub column: Option<usize>,
    /// Cases that it concerns.
    pub cases: u64,
    /// In one sentence.
    pub message: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// Open: there is no case at all.
    EmptyCorpus,
    /// Open: the runs were sent from different states or selections of a corpus.
    DifferentCorpora,
    /// Open, unless it is allowed: the same edge stands in several columns.
    SameEdge,
    /// Open: no edge delivers any legitimate file.
    NothingDelivered,
    /// Open: nothing is known of this edge.
    NothingAsked,
    /// Open: its run did not come to its end.
    RunIncomplete,
    /// Open: it was not asked for cases that others were asked for.
    NotCovered,
    /// Open: it gave no answer that means anything.
    Inconclusive,
    /// Its passes rest on the status alone.
    WeakProof,
    /// Its certificates were not checked.
    Insecure,
    /// It was sent no controls: its protection was not tested.
    ControlsNotSent,
    /// No control got an answer that means anything: its protection was not tested.
    ControlsUnknown,
    /// Every control got past it.
    ControlsPast,
    /// It gave different answers for the same case.
    Unsteady,
    /// The columns rest on different kinds of proof.
    DifferentProofs,
}

impl Mark {
    /// What a cell shows.
    #[must_use]
    pub fn of(cell: Option<&Cell>) -> Self {
        match cell {
            Some(Cell { unsteady: true, .. }) => Self::Unsteady,
            Some(cell) => Self::of_outcome(cell.outcome),
            None => Self::Unknown,
        }
    }

    /// What one outcome shows.
    #[must_use]
    pub fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Self::Delivered,
            Outcome::Altered | Outcome::Rejected | Outcome::Lost => Self::Partly,
            Outcome::Blocked | Outcome::TooLarge | Outcome::Challenged | Outcome::Dropped => Self::Refused,
            Outcome::Throttled | Outcome::Unreachable => Self::Unknown,
        }
    }

    /// Whether it is as it ought to be; `None`: not known.
    #[must_use]
    pub fn is_good(self, intent: Intent) -> Option<bool> {
        match (intent, self) {
            (_, Self::Unknown) => None,
            (Intent::Legit, mark) => Some(mark == Self::Delivered),
            (Intent::Control, mark) => Some(mark == Self::Refused),
        }
    }
}

impl MatrixCase {
    /// Whether the edge of that column does with it as it ought to, and always; `None`: not known.
    #[must_use]
    pub fn is_good(&self, column: usize) -> Option<bool> {
        self.mark(column).is_good(self.intent)
    }

    /// What the cell of that column shows.
    #[must_use]
    pub fn mark(&self, column: usize) -> Mark {
        Mark::of(self.cells.get(column).and_then(Option::as_ref))
    }

    /// How much of it arrives through the edge of that column, 0 to 1: an unsteady one in a part of the rounds; `None`:
    /// not known.
    fn arrives(&self, column: usize) -> Option<f64> {
        let cell = self.cells.get(column)?.as_ref()?;
        match Mark::of(Some(cell)) {
            Mark::Delivered => Some(1.0),
            Mark::Unsteady => {
                let (delivered, of) = cell.rounds_that_show(|mark| mark == Mark::Delivered);
                Some(f64::from(delivered) / f64::from(of.max(1)))
            }
            Mark::Partly | Mark::Refused => Some(0.0),
            Mark::Unknown => None,
        }
    }

    fn new(record: &CaseRecord, columns: usize) -> Self {
        let page = record.case.axis("name").and_then(NameForm::parse).and_then(NameForm::page);
        let page = page.map(PageCharset).unwrap_or_default();
        let named = Filename { text: record.filename.to_string(), page };
        Self {
            id: record.case.clone(),
            intent: record.intent,
            kind: Kind::of(&record.filename),
            filename: record.filename.clone(),
            name_classes: NameClass::of(&named).into(),
            client: record.case.axis("client").map(Into::into),
            procedures: record.procedures.clone(),
            weight: record.weight,
            place: record.place.clone(),
            agreement: Agreement::Unknown,
            cells: vec![None; columns],
        }
    }
}

impl Cell {
    fn new(record: CaseRecord) -> Self {
        let verdict = record.verdict;
        // A round that could not be asked is no disagreement.
        let other = |round: &Outcome| *round != verdict.outcome && round.count() != Count::Inconclusive;
        let disagree = verdict.outcome.count() != Count::Inconclusive && record.rounds.iter().any(other);
        let marks: BTreeSet<Mark> = record.rounds.iter().map(|round| Mark::of_outcome(*round)).collect();
        let known = marks.len() - usize::from(marks.contains(&Mark::Unknown));
        Self {
            outcome: verdict.outcome,
            unsteady: disagree && known > 1,
            signature: verdict.signature,
            status: verdict.status,
            evidence: verdict.evidence,
            rounds: if disagree { record.rounds } else { List::default() },
            would_block: verdict.would_block,
        }
    }

    /// Of the rounds that disagree, those that show such a mark, and all that are known.
    #[must_use]
    pub fn rounds_that_show(&self, such: impl Fn(Mark) -> bool) -> (u32, u32) {
        let marks = self.rounds.iter().map(|round| Mark::of_outcome(*round)).filter(|mark| *mark != Mark::Unknown);
        marks.fold((0, 0), |(shown, known), mark| (shown + u32::from(such(mark)), known + 1))
    }
}

impl Agreement {
    fn of(cells: &[Option<Cell>]) -> Self {
        let marks: BTreeSet<Mark> = cells.iter().map(|cell| Mark::of(cell.as_ref())).collect();
        let unknown = marks.contains(&Mark::Unknown);
        match marks.len() - usize::from(unknown) {
            0 | 1 if unknown => Self::Unknown,
            0 | 1 if marks.contains(&Mark::Unsteady) => Self::Unsteady,
            0 | 1 => Self::Same,
            _ => Self::Differs,
        }
    }
}

impl Tally {
    fn count(&mut self, case: &MatrixCase, column: usize) {
        self.of += 1;
        let mark = case.mark(column);
        match mark.is_good(case.intent) {
            Some(true) => self.good += 1,
            Some(false) => self.bad += 1,
            None => self.unknown += 1,
        }
        self.partly += u64::from(mark == Mark::Partly);
        self.unsteady += u64::from(mark == Mark::Unsteady);
    }
}

impl Matrix {
    /// Joins the runs of several edges by case id. Pure; the records are moved, not copied. Where a run holds a case
    /// twice, the last record counts. An edge that stands in several columns is left open.
    #[must_use]
    pub fn assemble(runs: Vec<Run>) -> Self {
        let (mut matrix, same_edge) = Self::join(runs);
        matrix.reasons.extend(same_edge);
        matrix.reasons.sort_by_key(|note| note.code);
        matrix.settled = matrix.reasons.is_empty();
        matrix
    }

    /// As [`Self::assemble`], where an edge may stand in several columns: to see its noise, or what became of it since.
    #[must_use]
    pub fn assemble_same_edge(runs: Vec<Run>) -> Self {
        let (mut matrix, same_edge) = Self::join(runs);
        matrix.warnings.extend(same_edge);
        matrix
    }

    /// The table, and the notes on edges that stand in several columns.
    fn join(runs: Vec<Run>) -> (Self, Vec<Note>) {
        let names = names(&runs);
        let width = runs.len();
        let mut cases: BTreeMap<CaseId, MatrixCase> = BTreeMap::new();
        let mut columns = Vec::with_capacity(width);
        for (at, (run, name)) in runs.into_iter().zip(names).enumerate() {
            for record in run.cases {
                let case = cases.entry(record.case.clone()).or_insert_with(|| MatrixCase::new(&record, width));
                if let Some(cell) = case.cells.get_mut(at) {
                    *cell = Some(Cell::new(record));
                }
            }
            columns.push(Column {
                name,
                run: run.manifest,
                ending: run.ending,
                outcomes: Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect(),
                legit: Tally::default(),
                controls: Tally::default(),
                share: None,
            });
        }
        let mut cases: Vec<MatrixCase> = cases.into_values().collect();
        for case in &mut cases {
            case.agreement = Agreement::of(&case.cells);
        }
        count(&mut columns, &cases);
        let (reasons, warnings) = notes::notes(&columns, &cases);
        let same_edge = notes::same_edge(&columns);
        let settled = reasons.is_empty();
        (Self { schema_version: SCHEMA_VERSION, settled, reasons, warnings, columns, cases }, same_edge)
    }

    /// Whether the file holds a matrix, as its first keys say.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        use std::io::Read as _;
        let mut start = [0; 256];
        let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or_default();
        String::from_utf8_lossy(&start[..read]).contains("\"settled\"")
    }

    /// Reads a stored matrix.
    ///
    /// # Errors
    /// A file that can't be read, is no matrix, or is one of another schema version.
    pub fn read(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let error = |what: String| Error::usage(what).file(path).help("give a matrix.json that `matrix` wrote");
        let text = std::fs::read(path).map_err(|cause| error(format!("cannot read the matrix: {cause}")))?;
        match serde_json::from_slice::<Version>(&text) {
            Ok(Version { schema_version }) if schema_version != SCHEMA_VERSION => Err(error(format!(
                "the matrix has schema version {schema_version}, and this program reads version {SCHEMA_VERSION}"
            ))),
            _ => serde_json::from_slice(&text).map_err(|cause| error(format!("this is no matrix: {cause}"))),
        }
    }

    /// The legitimate cases by kind of file, in the order of [`Kind::ALL`]: each kind with a tally for each column.
    #[must_use]
    pub fn by_kind(&self) -> Vec<(Kind, Vec<Tally>)> {
        let mut kinds: BTreeMap<Kind, Vec<Tally>> = BTreeMap::new();
        for case in self.cases.iter().filter(|case| case.intent == Intent::Legit) {
            let tallies = kinds.entry(case.kind).or_insert_with(|| vec![Tally::default(); self.columns.len()]);
            for (at, tally) in tallies.iter_mut().enumerate() {
                tally.count(case, at);
            }
        }
        kinds.into_iter().collect()
    }

    /// The procedures (手続), those first that lose the most on any edge.
    #[must_use]
    pub fn by_procedure(&self) -> Vec<Procedure<'_>> {
        let mut shares: BTreeMap<&str, Shares<'_>> = BTreeMap::new();
        for case in self.cases.iter().filter(|case| case.intent == Intent::Legit) {
            for name in case.procedures.iter().map(|name| &**name).collect::<BTreeSet<_>>() {
                shares.entry(name).or_insert_with(|| Shares::new(self.columns.len())).add(case);
            }
        }
        let close =
            |(name, shares): (_, Shares<'_>)| Procedure { name, shares: shares.close(), tallies: shares.tallies };
        let mut procedures: Vec<_> = shares.into_iter().map(close).collect();
        let least = |procedure: &Procedure<'_>| {
            procedure.shares.iter().filter_map(|share| *share).fold(f64::INFINITY, f64::min)
        };
        procedures.sort_by(|a, b| least(a).total_cmp(&least(b)).then_with(|| a.name.cmp(b.name)));
        procedures
    }
}

/// A procedure (手続) on all edges.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure<'a> {
    /// Its name.
    pub name: &'a str,
    /// For each column, the share of its files that arrives; `None`: nothing is known.
    pub shares: Vec<Option<f64>>,
    /// For each column, its legitimate cases.
    pub tallies: Vec<Tally>,
}

/// Weighted shares of delivered files, while they are counted.
struct Shares<'a> {
    tallies: Vec<Tally>,
    attachments: BTreeMap<&'a str, Parts>,
}

/// An attachment while its cases are counted.
struct Parts {
    weight: f64,
    /// For each column, how many of its cases arrive, and how many are known.
    counts: Vec<(f64, u64)>,
}

impl<'a> Shares<'a> {
    fn new(columns: usize) -> Self {
        Self { tallies: vec![Tally::default(); columns], attachments: BTreeMap::new() }
    }

    fn add(&mut self, case: &'a MatrixCase) {
        let columns = self.tallies.len();
        let new = || Parts { weight: case.weight, counts: vec![(0.0, 0); columns] };
        let parts = self.attachments.entry(case.id.attachment()).or_insert_with(new);
        for (at, (tally, (delivered, known))) in self.tallies.iter_mut().zip(&mut parts.counts).enumerate() {
            tally.count(case, at);
            if let Some(arrives) = case.arrives(at) {
                *delivered += arrives;
                *known += 1;
            }
        }
    }

    /// An attachment of which some cases are delivered counts with that part of its weight, as in a comparison.
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    fn close(&self) -> Vec<Option<f64>> {
        let share = |at: usize| {
            let (mut arrives, mut all) = (0.0, 0.0);
            for Parts { weight, counts } in self.attachments.values() {
                if let Some((delivered, known)) = counts.get(at).filter(|(_, known)| *known > 0) {
                    arrives += weight * (*delivered / *known as f64);
                    all += weight;
                }
            }
            // Six digits, so that what is read back from JSON is the same number.
            (all > 0.0).then(|| (arrives / all * 1e6).round() / 1e6)
        };
        (0..self.tallies.len()).map(share).collect()
    }
}

/// The columns' names: the profiles', with the start of the run, or else a number, where that is not enough.
fn names(runs: &[Run]) -> Vec<Text> {
    let mut names: Vec<String> = runs.iter().map(|run| run.manifest.profile.clone()).collect();
    let twice = |names: &[String], name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let told = names.clone();
    for (name, run) in names.iter_mut().zip(runs).filter(|(name, _)| twice(&told, name)) {
        *name = format!("{name} ({})", run.manifest.started);
    }
    let told = names.clone();
    for (at, name) in names.iter_mut().enumerate().filter(|(_, name)| twice(&told, name)) {
        *name = format!("{name} #{}", at + 1);
    }
    names.into_iter().map(Into::into).collect()
}

fn count(columns: &mut [Column], cases: &[MatrixCase]) {
    let mut shares = Shares::new(columns.len());
    for case in cases {
        for (at, column) in columns.iter_mut().enumerate() {
            if let Some(Some(cell)) = case.cells.get(at).filter(|_| case.mark(at) != Mark::Unsteady) {
                *column.outcomes.entry(cell.outcome).or_default() += 1;
            }
            let tally = match case.intent {
                Intent::Legit => &mut column.legit,
                Intent::Control => &mut column.controls,
            };
            tally.count(case, at);
        }
        if case.intent == Intent::Legit {
            shares.add(case);
        }
    }
    for (column, share) in columns.iter_mut().zip(shares.close()) {
        column.share = share;
    }
}
