//! One side of a comparison: what it sends, how fast, and how often it tries again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};

use super::observation::{Ending, Observation, Sent, Timings};
use super::pace::{Pacer, Permit, http_date, retry_after};
use super::steps::{Captures, Ids, Steps};
use super::tally::lock;
use super::transport::Transport;
use crate::corpus::{Case, CaseId};
use crate::error::{Error, Result};
use crate::profile::{Profile, ReceiptSource, Secret};
use crate::wire::{self, Header, Submission, WireRequest};

/// Replayers made by this process: part of the attempt ids, so that two sides of one run never share one.
static MADE: AtomicU64 = AtomicU64::new(0);

/// One side: a profile, the connections to its target, and its pace. Used by several tasks at once.
pub struct Replayer {
    profile: Arc<Profile>,
    run_id: String,
    transport: Transport,
    steps: Steps,
    pacer: Mutex<Pacer>,
    id_seed: [u8; 32],
    attempts: AtomicU64,
}

/// Everything that was done to ask the edge once about one case.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// All attempts in order; all but the last failed in transport. Empty when a ceiling was reached.
    pub attempts: Vec<Try>,
    /// The ceiling that cut the round short, in words: what was asked until then says nothing.
    pub ceiling: Option<String>,
    /// The last answer's `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// One attempt of a round.
#[derive(Debug, Clone)]
pub struct Try {
    /// The attempt's id, by which receipt and read-back are asked for.
    pub id: String,
    /// When it began.
    pub at: jiff::Timestamp,
    /// Its facts.
    pub observation: Observation,
}

/// Request headers that are to be other than the client's own.
#[derive(Debug, Clone, Default)]
pub struct Rewrite {
    /// Headers in place of the client's, or after them where it has none of that name.
    pub set: Vec<Header>,
    /// Names, in any case, of headers that are left out.
    pub drop: Vec<String>,
}

impl Rewrite {
    /// Does it to `request`.
    pub fn apply(&self, request: &mut WireRequest) {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        request.headers.retain(|header| !self.drop.iter().any(|name| same(name, &header.name)));
        for set in &self.set {
            match request.headers.iter_mut().find(|header| same(&header.name, &set.name)) {
                Some(header) => header.clone_from(set),
                None => request.headers.push(set.clone()),
            }
        }
    }
}

impl Replayer {
    /// Reads certificates and prepares the side; no traffic.
    ///
    /// # Errors
    /// What is wrong with the profile's network side.
    pub fn new(profile: Arc<Profile>, run_id: &str) -> Result<Self> {
        let transport = Transport::new(
            profile.target.clone(),
            profile.timeouts.clone(),
            profile.pace.concurrency,
            profile.redactor.clone(),
        )?;
        let steps = Steps::new(&profile)?;
        // The clock keeps a resumed run from using an id again: its receipt could be that of an earlier attempt.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut hasher = Sha256::new();
        hasher.update(run_id);
        hasher.update(now.as_nanos().to_le_bytes());
        hasher.update(std::process::id().to_le_bytes());
        hasher.update(MADE.fetch_add(1, Relaxed).to_le_bytes());
        let pacer = Mutex::new(Pacer::new(&profile.pace, Instant::now()));
        Ok(Self {
            profile,
            run_id: run_id.to_owned(),
            transport,
            steps,
            pacer,
            id_seed: hasher.finalize().into(),
            attempts: AtomicU64::new(0),
        })
    }

    /// Asks the edge once about `case`, at the profile's pace. An attempt that fails in transport is made again.
    pub async fn round(&self, case: &Case) -> Round {
        self.round_rewritten(case, &Rewrite::default()).await
    }

    /// As [`Replayer::round`], with other request headers.
    pub async fn round_rewritten(&self, case: &Case, rewrite: &Rewrite) -> Round {
        let mut round = Round::default();
        for _ in 0..=self.profile.pace.retries {
            let tried = match self.attempt(case, rewrite).await {
                Ok(tried) => tried,
                Err(ceiling) => {
                    round.ceiling = Some(ceiling);
                    break;
                }
            };
            round.retry_after = wanted_pause(&tried.observation);
            let again = tried.observation.ending.failed_in_transport();
            round.attempts.push(tried);
            if !again {
                break;
            }
        }
        round
    }

    /// Lets no request start for `how_long`: the edge answered 429, or asked for it by `Retry-After`.
    pub fn pause(&self, how_long: Duration) {
        let until = Instant::now().checked_add(how_long);
        // An instant that the clock cannot hold is as good as never.
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(u64::from(u32::MAX)));
        lock(&self.pacer).pause(until);
    }

    /// Requests sent: uploads, retries and canary controls, without the profile's steps.
    #[must_use]
    pub fn requests_sent(&self) -> u64 {
        lock(&self.pacer).requests()
    }

    /// The pace as it stands: for a replayer that goes on where this one ends.
    #[must_use]
    pub fn pacer(&self) -> Pacer {
        lock(&self.pacer).clone()
    }

    /// Goes on at a pace: what was sent at it counts for the ceilings.
    #[must_use]
    pub fn at_pace(self, pacer: Pacer) -> Self {
        Self { pacer: Mutex::new(pacer), ..self }
    }

    /// Which ceiling is reached, in words; `None`: sending may go on.
    #[must_use]
    pub fn over_ceiling(&self) -> Option<String> {
        lock(&self.pacer).over(0)
    }

    /// What would be sent for `case`: for a dry run, a curl command, a raw request file. Captures of steps stay as
    /// `${name}`.
    ///
    /// # Errors
    /// When the client of the case cannot send it.
    pub fn request(&self, case: &Case, attempt_id: &str) -> Result<WireRequest> {
        let ids = Ids::new(&self.run_id, &case.id, attempt_id);
        let left_as_it_is = |text: &str| Ok(text.to_owned());
        let submission = self.submission(case, &ids, None, left_as_it_is)?;
        wire::encode(case, &submission, case.redraw())
    }

    /// What the profile says about the upload; `fill` puts captures into its fields and headers.
    fn submission(
        &self,
        case: &Case,
        ids: &Ids,
        cookie: Option<String>,
        fill: impl Fn(&str) -> Result<String>,
    ) -> Result<Submission> {
        let Profile { target, upload, guard, .. } = &*self.profile;
        let filled = |pairs: &[(String, Secret<String>)]| -> Result<Vec<(String, String)>> {
            pairs.iter().map(|(name, value)| Ok((name.clone(), fill(value.expose())?))).collect()
        };
        let mut headers = filled(&upload.headers)?;
        headers.push(("X-Wafcanary-Case".to_owned(), ids.case.clone()));
        headers.push(("X-Wafcanary-Attempt".to_owned(), ids.attempt.clone()));
        Ok(Submission {
            scheme: target.scheme.as_str().to_owned(),
            authority: authority(target),
            target: self.path(case, ids),
            method: upload.method.clone(),
            field: upload.field.clone(),
            fields: filled(&upload.fields)?,
            page_url: upload.page_url.clone(),
            cookie,
            headers,
            user_agent_suffix: guard
                .identify_user_agent
                .then(|| concat!(" wafcanary/", env!("CARGO_PKG_VERSION")).to_owned()),
        })
    }

    /// Path and query of the upload.
    fn path(&self, case: &Case, ids: &Ids) -> String {
        let target = &self.profile.target;
        let path = match &self.profile.upload.path {
            None => target.path.clone(),
            Some(below) => {
                let base = target.path.split('?').next().unwrap_or_default().trim_end_matches('/');
                format!("{base}/{}", below.trim_start_matches('/'))
            }
        };
        if !path.contains('{') {
            return path;
        }
        path.replace("{filename}", &percent_encoded(&case.filename.text))
            .replace("{case}", &ids.case)
            .replace("{attempt}", &ids.attempt)
            .replace("{run}", &percent_encoded(&ids.run))
    }

    /// One attempt. `Err`: a ceiling is reached, in words.
    async fn attempt(&self, case: &Case, rewrite: &Rewrite) -> std::result::Result<Try, String> {
        let id = self.next_id(&case.id);
        let ids = Ids::new(&self.run_id, &case.id, &id);
        if let Some(ceiling) = self.over_ceiling() {
            return Err(ceiling);
        }
        let mut captures = Captures::default();
        let mut steps = Vec::new();
        let failed = |step: String, detail: String, steps| {
            let observation = Observation { steps, ..unsent(case, Ending::StepFailed { step, detail }) };
            Ok(Try { id: id.clone(), at: jiff::Timestamp::now(), observation })
        };
        if !self.profile.before.is_empty() {
            let before = self.steps.before(&ids, &mut captures).await;
            steps = before.facts;
            if let Some(failure) = before.failure {
                return failed(failure.step, failure.detail, steps);
            }
        }
        let request = match self.filled_request(case, &ids, &captures) {
            Ok(mut request) => {
                rewrite.apply(&mut request);
                request
            }
            Err(error) => {
                let detail = self.profile.redactor.redact(&error.to_string());
                return failed("upload".to_owned(), detail, steps);
            }
        };
        self.wait(request.body.len()).await?;
        let at = jiff::Timestamp::now();
        let mut observation = self.transport.upload(&request, case.content.sha256(), case.content.len()).await;
        observation.steps = steps;
        self.prove(&mut observation, &request, &ids, &mut captures).await;
        Ok(Try { id, at, observation })
    }

    fn filled_request(&self, case: &Case, ids: &Ids, captures: &Captures) -> Result<WireRequest> {
        let cookie =
            if self.profile.before.is_empty() { None } else { self.steps.cookie(captures, &self.path(case, ids)) };
        let fill = |text: &str| captures.fill(text, ids).map_err(|error| Error::inconclusive(error.to_string()));
        wire::encode(case, &self.submission(case, ids, cookie, fill)?, case.redraw())
    }

    /// The steps after an upload, its receipt, and the file read back.
    async fn prove(&self, observation: &mut Observation, request: &WireRequest, ids: &Ids, captures: &mut Captures) {
        let Profile { after, upload, oracle, .. } = &*self.profile;
        if !request_may_have_arrived(&observation.ending) {
            return;
        }
        let from_answer = matches!(&oracle.receipt, Some(spec) if matches!(spec.source, ReceiptSource::Answer));
        let answer = observation.answer.as_ref();
        if !after.is_empty() || !upload.captures.is_empty() || oracle.read_back.is_some() {
            let set = answer.map_or(&[][..], |answer| &answer.headers);
            let set = set.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_bytes());
            self.steps.keep_cookies(captures, &request.target, set);
            let done = self.steps.after(answer, ids, captures).await;
            observation.steps.extend(done.facts);
        }
        if let Some(spec) = &oracle.receipt
            && (!from_answer || answer.is_some())
        {
            observation.receipt = Some(self.steps.receipt(spec, answer, ids, captures).await);
        }
        if let Some(spec) = &oracle.read_back {
            let size = observation.sent.size;
            observation.read_back = Some(self.steps.read_back(spec, size, ids, captures).await);
        }
    }

    /// Waits for a permit. `Err`: a ceiling is reached, in words.
    async fn wait(&self, bytes: u64) -> std::result::Result<(), String> {
        loop {
            let permit = lock(&self.pacer).take(bytes, Instant::now());
            match permit {
                Permit::Go => return Ok(()),
                Permit::Over(ceiling) => return Err(ceiling),
                Permit::Wait(how_long) => tokio::time::sleep(how_long).await,
            }
        }
    }

    /// 26 characters of `[0-9a-v]`: 130 bits, never used before.
    fn next_id(&self, case: &CaseId) -> String {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let mut hasher = Sha256::new();
        hasher.update(self.id_seed);
        hasher.update(self.attempts.fetch_add(1, Relaxed).to_le_bytes());
        hasher.update(case.as_str());
        let digest: [u8; 32] = hasher.finalize().into();
        digest[..26].iter().map(|byte| char::from(DIGITS[usize::from(byte & 31)])).collect()
    }
}

fn authority(target: &crate::profile::Target) -> String {
    target.host_header.clone().unwrap_or_else(|| target.authority())
}

/// The pause that an answer asks for, counted from its own `Date`.
fn wanted_pause(observation: &Observation) -> Option<Duration> {
    let answer = observation.answer.as_ref()?;
    // Most answers ask for no pause, and their `Date` need not be read.
    let wanted = answer.header("retry-after")?;
    let now = answer.header("date").and_then(http_date).unwrap_or_else(jiff::Timestamp::now);
    retry_after(wanted, now)
}

/// Whether anything of the upload can be behind the edge.
fn request_may_have_arrived(ending: &Ending) -> bool {
    match ending {
        Ending::Complete
        | Ending::Truncated { .. }
        | Ending::Broken { .. }
        | Ending::TimedOut { .. }
        | Ending::Malformed { .. } => true,
        Ending::Unreachable { .. } | Ending::StepFailed { .. } | Ending::FileError { .. } => false,
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn percent_encoded(text: &str) -> String {
    const UNRESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
}

/// The facts of an attempt that sent nothing.
fn unsent(case: &Case, ending: Ending) -> Observation {
    Observation {
        sent: Sent {
            sha256: case.content.sha256(),
            size: case.content.len(),
            filename_hex: None,
            filename_readings: Vec::new(),
            content_type: None,
            body_bytes: 0,
            body_bytes_before_answer: 0,
        },
        answer: None,
        ending,
        timings: Timings::default(),
        peer: None,
        protocol: None,
        reused: false,
        receipt: None,
        read_back: None,
        steps: Vec::new(),
    }
}
