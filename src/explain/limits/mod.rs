//! Where an edge's limits lie: the largest body, text, name and number that is delivered, and how much is inspected.
//!
//! Each limit is bracketed, closed in on over the limits that people configure, bisected to the byte, and asked for again.

mod bracket;
mod plan;
mod probe;
mod window;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Questions, Stop};
use crate::corpus::{Case, Transport};
use crate::error::{self, Error};
use crate::verdict::{Count, Outcome, Verdict};
pub use bracket::Bracket;
pub use plan::Plan;
use probe::Probe;

/// Requests that one limit may take; the search takes some 40.
const BUDGET: u32 = 200;

/// Bytes that a filename is longer by, to see whether a limit counts the body or the file.
const LONGER: u64 = 16;

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Bytes of the file.
    Size,
    /// Bytes of a text field beside the file: limits of all that is no file.
    Text,
    /// Bytes of the filename.
    Filename,
    /// Number of files in one form.
    Files,
    /// Number of text fields in one form.
    Fields,
    /// Number of headers of the file's part in a form.
    PartHeaders,
    /// Bytes that are inspected.
    Window,
}

impl Quantity {
    /// Every quantity, in the order in which they are measured.
    pub const ALL: [Self; 7] =
        [Self::Size, Self::Text, Self::Filename, Self::Files, Self::Fields, Self::PartHeaders, Self::Window];

    /// Its name in flags and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Text => "text",
            Self::Filename => "filename",
            Self::Files => "files",
            Self::Fields => "fields",
            Self::PartHeaders => "part-headers",
            Self::Window => "window",
        }
    }

    /// The quantity of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.as_str() == name)
    }
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Of these quantities.
    pub quantities: Vec<Quantity>,
    /// With these transports.
    pub transports: Vec<Transport>,
    /// The largest body that is sent, in bytes.
    pub max_size: u64,
}

/// So much of a quantity, and the request that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Amount {
    /// In the quantity's own measure: bytes, or a number.
    pub value: u64,
    /// Bytes of the request's body; of a window, its end counted from the body's start.
    pub body: u64,
    /// Of a text: bytes of all part heads and texts, without files and boundaries, as ModSecurity counts them for
    /// `SecRequestBodyNoFilesLimit`.
    pub no_files: Option<u64>,
}

/// How what is over a limit is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// What became of it.
    pub outcome: Outcome,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// The edge's signature in the answer, or `unrecognised`.
    pub signature: Option<String>,
}

impl Refusal {
    fn of(verdict: &Verdict) -> Self {
        let signature = verdict.signature.as_ref().map(ToString::to_string);
        Self { outcome: verdict.outcome, status: verdict.status, signature }
    }
}

/// What a limit of the size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The whole body of the request.
    Body,
    /// The file alone.
    File,
}

/// What was found out about one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// All that was tried is delivered.
    AtLeast {
        /// The most that was tried.
        delivered: Amount,
    },
    /// One more is refused.
    Limit {
        /// The most that is delivered.
        delivered: Amount,
        /// The least that is refused.
        refused: Amount,
        /// How it is refused.
        refusal: Refusal,
        /// What is counted; `None`: that makes no difference, or was not asked.
        counted: Option<Counted>,
    },
    /// Even the least is refused.
    Nothing {
        /// The least.
        refused: Amount,
        /// How it is refused.
        refusal: Refusal,
    },
    /// Not measured: even a small file is refused.
    NotMeasured {
        /// The small file.
        refused: Amount,
        /// How it is refused.
        refusal: Refusal,
    },
    /// Asked again, the edge answered otherwise: there is no limit to tell.
    Unsteady {
        /// What was asked, and how it was answered.
        why: String,
    },
    /// The search did not come to its end.
    Open {
        /// The most that was delivered until then.
        delivered: Option<u64>,
        /// The least that was refused until then.
        refused: Option<u64>,
        /// Why it ended.
        why: String,
    },
    /// No run of bytes that was tried is refused, so that a window can't be seen.
    Unseen {
        /// The runs.
        tried: Vec<String>,
    },
    /// A run of bytes is refused at each place that was tried. Between two of them there may be one where it is delivered.
    Everywhere {
        /// The run.
        run: String,
        /// The file that it stood in.
        filename: String,
        /// The ends of it that were tried, as offsets in the file: at the file's start, between, and at its end.
        tried: Vec<u64>,
        /// The furthest of them.
        up_to: Amount,
    },
    /// A run of bytes is refused if it ends within so many bytes, and not if it ends one byte later.
    Window {
        /// The run.
        run: String,
        /// The file that it stood in.
        filename: String,
        /// The last end that is seen: offset in the file, and in the body.
        inspected: Amount,
        /// Ends further on at which it is refused all the same, as offsets in the file, of the few that were tried.
        again: Vec<u64>,
    },
    /// A run of bytes at the start of a file is refused in small files alone.
    SmallFilesOnly {
        /// The run.
        run: String,
        /// The file that it stood in.
        filename: String,
        /// The largest file in which it is refused.
        inspected: Amount,
        /// The smallest file in which it is delivered.
        passes: Amount,
    },
}

/// One limit of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limit {
    /// What it is of.
    pub quantity: Quantity,
    /// How the file travelled.
    pub transport: Transport,
    /// Extension of the file, of a size.
    pub format: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Requests that it took.
    pub requests: u32,
}

impl Limit {
    /// Whether the search came to an end that says something of the edge.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self.finding {
            Finding::AtLeast { .. }
            | Finding::Limit { .. }
            | Finding::Unseen { .. }
            | Finding::Everywhere { .. }
            | Finding::Window { .. }
            | Finding::SmallFilesOnly { .. } => true,
            Finding::Nothing { .. } | Finding::NotMeasured { .. } | Finding::Unsteady { .. } | Finding::Open { .. } => {
                false
            }
        }
    }
}

/// The limits of one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EdgeLimits {
    /// Name of the profile.
    pub profile: String,
    /// What was found, in the order in which it was measured.
    pub limits: Vec<Limit>,
    /// Why not all was measured.
    pub stopped: Option<String>,
    /// Requests that were sent.
    pub requests: u32,
    /// Body bytes that were sent.
    pub bytes: u64,
}

impl EdgeLimits {
    /// Whether all was measured, and each search came to an end.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.stopped.is_none() && self.limits.iter().all(Limit::is_known)
    }
}

/// `limits --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitsDocument {
    /// Version of this format: 1.
    pub schema_version: u32,
    /// The edges, in the order of the profiles.
    pub edges: Vec<EdgeLimits>,
}

/// The limit that is being looked for.
#[derive(Debug)]
struct Current {
    quantity: Quantity,
    transport: Transport,
    format: Option<String>,
    bracket: Bracket,
}

/// Measures the limits of one edge. What it has found stays, wherever it is stopped.
pub struct Survey {
    questions: Questions,
    wanted: Wanted,
    samples: Vec<Case>,
    limits: Vec<Limit>,
    current: Option<Current>,
    stopped: Option<String>,
    /// Requests for the limits that are done.
    requests: u32,
}

/// What an edge does with an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Delivered,
    Refused,
}

impl Answer {
    fn other(self) -> Self {
        match self {
            Self::Delivered => Self::Refused,
            Self::Refused => Self::Delivered,
        }
    }

    fn of(verdict: &Verdict) -> Self {
        // A limit of the origin is as good as one of the edge; the refusal's outcome tells them apart.
        if verdict.outcome.count() == Count::Pass { Self::Delivered } else { Self::Refused }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
        }
    }
}

async fn refused(case: &Case, questions: &mut Questions) -> Result<bool, Stop> {
    Ok(Answer::of(&questions.verdict(case).await?) == Answer::Refused)
}

/// Asks once more for the last number that passed and its neighbours, twice for the one that trips. `passing`: the answer to
/// numbers that pass. Gives why the answers are not steady, if they are not.
async fn unsteady(
    bracket: &Bracket,
    lowest: u64,
    passing: Answer,
    case: impl Fn(u64) -> Result<Case, Stop>,
    questions: &mut Questions,
) -> Result<Option<String>, Stop> {
    let (Some(last), Some(first)) = (bracket.passes, bracket.trips) else { return Ok(None) };
    let before = (last > lowest).then(|| (last - 1, passing));
    // What trips twice in a row, or an edge that refuses each fourth upload would do. What passes after it: an edge that has
    // banned us refuses both.
    let tripping = (first, passing.other());
    for (number, expected) in [tripping, tripping, (last, passing)].into_iter().chain(before) {
        let answer = Answer::of(&questions.ask(&case(number)?).await?);
        if answer != expected {
            return Ok(Some(format!("asked again, {number} is {} where it was {}", answer.words(), expected.words())));
        }
    }
    Ok(None)
}

impl Survey {
    /// Prepares to measure what is `wanted` of the edge that `questions` ask; nothing is sent yet.
    ///
    /// # Errors
    /// When the program has no corpus.
    pub fn new(questions: Questions, wanted: Wanted) -> error::Result<Self> {
        let samples = probe::samples()?;
        Ok(Self { questions, wanted, samples, limits: Vec::new(), current: None, stopped: None, requests: 0 })
    }

    /// What would be sent.
    ///
    /// # Errors
    /// When the profile's client can't write such requests.
    pub fn plan(&self) -> error::Result<Plan> {
        Plan::of(&self.wanted, &self.samples, &self.questions).map_err(|stop| Error::usage(words(&stop)))
    }

    /// Measures one limit after the other. `told` hears what is looked for next.
    pub async fn run(&mut self, mut told: impl FnMut(&str)) {
        for transport in self.wanted.transports.clone() {
            if let Err(stop) = self.transport(transport, &mut told).await {
                self.stopped = Some(words(&stop));
                return;
            }
        }
    }

    /// What was found. `cut_short`: why it was stopped from outside, if it was.
    #[must_use]
    pub fn into_limits(mut self, cut_short: Option<&str>) -> EdgeLimits {
        if let Some(why) = cut_short {
            self.settle(Err(Stop::Edge(why.to_owned())));
            self.stopped = Some(why.to_owned());
        }
        EdgeLimits {
            profile: self.questions.profile().name.clone(),
            limits: self.limits,
            stopped: self.stopped,
            requests: self.requests,
            bytes: self.questions.bytes(),
        }
    }

    fn begin(&mut self, quantity: Quantity, transport: Transport, format: Option<&str>) {
        let format = format.map(str::to_owned);
        self.questions.begin(BUDGET);
        self.current = Some(Current { quantity, transport, format, bracket: Bracket::default() });
    }

    /// Keeps what was found of the current limit.
    fn settle(&mut self, found: Result<Finding, Stop>) {
        let Some(Current { quantity, transport, format, bracket }) = self.current.take() else { return };
        let requests = self.questions.asked();
        self.requests += requests;
        let finding = found.unwrap_or_else(|stop| match quantity {
            // Of a window, what passes is what is refused.
            Quantity::Window => Finding::Open { delivered: bracket.trips, refused: bracket.passes, why: words(&stop) },
            Quantity::Size
            | Quantity::Text
            | Quantity::Filename
            | Quantity::Files
            | Quantity::Fields
            | Quantity::PartHeaders => {
                Finding::Open { delivered: bracket.passes, refused: bracket.trips, why: words(&stop) }
            }
        });
        self.limits.push(Limit { quantity, transport, format, finding, requests });
    }

    /// Keeps what was found, and goes on unless the edge can't be asked any more.
    fn keep(&mut self, found: Result<Finding, Stop>) -> Result<(), Stop> {
        let over = match &found {
            Err(stop @ Stop::Edge(_)) => Err(stop.clone()),
            Ok(_) | Err(Stop::Budget | Stop::Variant(_)) => Ok(()),
        };
        self.settle(found);
        over
    }

    async fn transport(&mut self, transport: Transport, told: &mut impl FnMut(&str)) -> Result<(), Stop> {
        let plain = probe::plain(transport);
        // Where it can't be asked at all, that is said of the first limit that is wanted.
        let wanted = |quantity: &Quantity| self.wanted.quantities.contains(quantity);
        let first = Quantity::ALL.into_iter().find(wanted).unwrap_or(Quantity::Size);
        self.begin(first, transport, (first == Quantity::Size).then_some("pdf"));
        told(&format!("a small file ({})", transport.as_str()));
        let verdict = match self.questions.verdict(&plain).await {
            Ok(verdict) => verdict,
            Err(stop) => return self.keep(Err(stop)),
        };
        self.requests += self.questions.asked();
        self.current = None;
        if Answer::of(&verdict) == Answer::Refused {
            let body = probe::body_len(&plain, &self.questions)?;
            let refused = Amount { value: plain.content.len(), body, no_files: None };
            self.nothing(transport, &Finding::NotMeasured { refused, refusal: Refusal::of(&verdict) });
            return Ok(());
        }
        let (mut largest_body, mut largest_file) = (self.wanted.max_size, self.wanted.max_size);
        let mut guesses = Vec::new();
        for probe in Probe::all(transport, &self.samples, &self.wanted, &self.questions)? {
            let Some(mut probe) = probe.within(largest_body, &self.questions)? else { continue };
            let format = probe.format.as_ref().map_or_else(String::new, |format| format!(", {format}"));
            told(&format!("{} ({}{format})", probe.quantity.as_str(), transport.as_str()));
            self.begin(probe.quantity, transport, probe.format.as_deref());
            if probe.quantity == Quantity::Size {
                probe.search.guesses.clone_from(&guesses);
            }
            let found = self.measure(&probe).await;
            if probe.quantity == Quantity::Size {
                guesses.extend(self.current.as_ref().and_then(|current| current.bracket.passes));
                if let Ok(Finding::Limit { delivered, counted, .. }) = &found {
                    match counted {
                        Some(Counted::File) => largest_file = largest_file.min(delivered.value),
                        Some(Counted::Body) | None => largest_body = largest_body.min(delivered.body),
                    }
                }
            }
            self.keep(found)?;
        }
        if self.wanted.quantities.contains(&Quantity::Window) {
            told(&format!("{} ({})", Quantity::Window.as_str(), transport.as_str()));
            self.begin(Quantity::Window, transport, None);
            let most = (largest_body, largest_file);
            let found = match &mut self.current {
                Some(current) => window::look(transport, most, &mut current.bracket, &mut self.questions).await,
                None => Err(Stop::Budget),
            };
            self.keep(found)?;
        }
        Ok(())
    }

    /// Says of all that is wanted of a transport why it is not measured.
    fn nothing(&mut self, transport: Transport, finding: &Finding) {
        // The first one took the request that was refused.
        let mut requests = self.questions.asked();
        for quantity in Quantity::ALL.into_iter().filter(|quantity| self.wanted.quantities.contains(quantity)) {
            let formats = match quantity {
                Quantity::Size => self.samples.iter().map(probe::extension).collect(),
                Quantity::Text
                | Quantity::Filename
                | Quantity::Files
                | Quantity::Fields
                | Quantity::PartHeaders
                | Quantity::Window => vec![None],
            };
            for format in formats {
                self.limits.push(Limit { quantity, transport, format, finding: finding.clone(), requests });
                requests = 0;
            }
        }
    }

    async fn measure(&mut self, probe: &Probe) -> Result<Finding, Stop> {
        let Self { questions, current: Some(Current { bracket, .. }), .. } = self else { return Err(Stop::Budget) };
        let mut trips = async |number: u64| refused(&probe.case(number)?, questions).await;
        bracket.close(&probe.search, &mut trips).await?;
        match (bracket.passes, bracket.trips) {
            (None, Some(least)) => {
                let refusal = Refusal::of(&questions.verdict(&probe.case(least)?).await?);
                not_banned(probe.transport, questions).await?;
                Ok(Finding::Nothing { refused: probe.amount(least, questions)?, refusal })
            }
            (Some(most), None) => Ok(Finding::AtLeast { delivered: probe.amount(most, questions)? }),
            (Some(last), Some(first)) => {
                let refusal = Refusal::of(&questions.verdict(&probe.case(first)?).await?);
                let lowest = *probe.search.range.start();
                if let Some(why) =
                    unsteady(bracket, lowest, Answer::Delivered, |number| probe.case(number), questions).await?
                {
                    not_banned(probe.transport, questions).await?;
                    return Ok(Finding::Unsteady { why });
                }
                let counted = counted(probe, last, questions).await?;
                let (mut delivered, mut refused) = (probe.amount(last, questions)?, probe.amount(first, questions)?);
                if counted == Some(Counted::File) {
                    (delivered, refused) = neighbours(probe, delivered, refused, questions).await?;
                }
                Ok(Finding::Limit { delivered, refused, refusal, counted })
            }
            (None, None) => Err(Stop::Variant("nothing was asked".to_owned())),
        }
    }
}

/// Whether the limit is of the body or of the file: the largest file that is delivered, in a larger body.
async fn counted(probe: &Probe, last: u64, questions: &mut Questions) -> Result<Option<Counted>, Stop> {
    match (probe.quantity, probe.transport) {
        // The body is the file.
        (_, Transport::Put)
        | (
            Quantity::Text
            | Quantity::Filename
            | Quantity::Files
            | Quantity::Fields
            | Quantity::PartHeaders
            | Quantity::Window,
            _,
        ) => Ok(None),
        (Quantity::Size, Transport::Multipart | Transport::Base64Json) => {
            let larger = probe.sized(last + LONGER, LONGER)?;
            Ok(Some(if refused(&larger, questions).await? { Counted::Body } else { Counted::File }))
        }
    }
}

/// The largest file that is delivered and the smallest that is refused: in base64, bodies alone come one byte apart.
async fn neighbours(
    probe: &Probe,
    mut delivered: Amount,
    mut refused_amount: Amount,
    questions: &mut Questions,
) -> Result<(Amount, Amount), Stop> {
    while refused_amount.value > delivered.value + 1 {
        let case = probe.with_file(delivered.value + 1)?;
        let amount = Amount { value: case.content.len(), body: probe::body_len(&case, questions)?, no_files: None };
        if refused(&case, questions).await? {
            refused_amount = amount;
        } else {
            delivered = amount;
        }
    }
    Ok((delivered, refused_amount))
}

/// An edge that refuses what it delivered before says nothing any more.
async fn not_banned(transport: Transport, questions: &mut Questions) -> Result<(), Stop> {
    let verdict = questions.ask(&probe::plain(transport)).await?;
    match Answer::of(&verdict) {
        Answer::Delivered => Ok(()),
        Answer::Refused => {
            let evidence = verdict.evidence;
            Err(Stop::Edge(format!("it refuses now even what it delivered before, as if it had banned us: {evidence}")))
        }
    }
}

fn words(stop: &Stop) -> String {
    match stop {
        Stop::Budget => format!("{BUDGET} requests were not enough"),
        Stop::Edge(why) | Stop::Variant(why) => why.clone(),
    }
}
