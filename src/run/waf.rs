//! What the WAF's log says of a run's cases: its transactions, joined to attempts.
//!
//! The join needs no clock and no order: each attempt's id is new, and stands in the request header that an audit log
//! keeps, or in an id that the edge made and sent with its answer. So a log that holds other traffic, other runs, or the
//! part of this run before a `--resume`, is joined as well.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Run;
use super::journal::JOURNAL;
use super::read::Lines;
use crate::corpus::CaseId;
use crate::error::Result;
use crate::profile::Redactor;
use crate::verdict::Outcome;
use crate::waf_log::{self, Format, MatchedData, Position, Rotated, RuleHit, Transaction, would_block};

/// Rules kept of one case.
const MOST_RULES: usize = 64;

/// A log that did not grow for so long is taken as written to its end: engines log after they have answered.
const QUIET: Duration = Duration::from_millis(300);

/// A log that goes on growing is waited for so long: other traffic may be in it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A log of the WAF, to be read for one side of a run.
#[derive(Debug, Clone)]
pub struct LogSource {
    /// The log, the index of a concurrent audit log, or its storage directory.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// What stood in it before the run is not read.
    pub from: Position,
}

/// What the WAF's log says of one case, over all its attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WafEvidence {
    /// The rules that fired, each once, in the order of the log.
    pub rules: Vec<RuleHit>,
    /// Highest inbound anomaly score of the Core Rule Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly_score: Option<u32>,
    /// The engine says that it refused the request.
    pub refused: bool,
    /// The engine let it through, and would have refused it in blocking mode.
    pub would_block: bool,
}

/// What was read of one log of the WAF.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WafLog {
    /// The file, as it was given.
    pub file: String,
    /// Its format; `None`: nothing was in it.
    pub format: Option<String>,
    /// Requests that the log tells of.
    pub transactions: u64,
    /// Those of them that are attempts of this run.
    pub joined: u64,
    /// Those that are attempts of another run.
    pub other_runs: u64,
    /// Those that carry no id by which they could be joined.
    pub unidentified: u64,
    /// Records that could not be read.
    pub skipped: u64,
    /// Where the first of them is, and why; `None`: all could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_skipped: Option<String>,
    /// The log ends in the midst of a record.
    pub torn_tail: bool,
    /// What a rotation has taken away, in words; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// What the logs say of a run.
#[derive(Debug, Default)]
pub struct Joined {
    /// By case; those of which nothing is said are left out.
    pub cases: BTreeMap<CaseId, WafEvidence>,
    /// What was read.
    pub logs: Vec<WafLog>,
}

/// The attempts of a run, by the ids that a log can name them with.
#[derive(Debug, Default)]
pub struct Attempts {
    cases: Vec<CaseId>,
    by_id: HashMap<Box<str>, usize>,
}

impl LogSource {
    /// Waits until the log is written to its end, for a while at most.
    pub fn settle(&self) {
        let began = Instant::now();
        let mut size = self.size();
        while began.elapsed() < PATIENCE {
            std::thread::sleep(QUIET);
            let now = self.size();
            if now == size {
                return;
            }
            size = now;
        }
    }

    /// Bytes of the file; entries of a directory's own list are as good a sign of growth.
    fn size(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().map(|metadata| metadata.len())
    }
}

impl Attempts {
    /// Reads the attempts of the run in `dir`.
    pub fn read(dir: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            case: CaseId,
            #[serde(default)]
            id: String,
            observation: Observed,
        }
        #[derive(Deserialize)]
        struct Observed {
            answer: Option<Answered>,
        }
        #[derive(Deserialize)]
        struct Answered {
            headers: Vec<(String, String)>,
        }
        let path = dir.join(JOURNAL);
        let mut lines = Lines::open(&path)?;
        let mut attempts = Self::default();
        while lines.next(&path)?.is_some() {
            if !lines.line.starts_with(br#"{"event":"attempt""#) {
                continue;
            }
            let Ok(line) = serde_json::from_slice::<Line>(&lines.line) else { continue };
            let headers = line.observation.answer.map(|answer| answer.headers).unwrap_or_default();
            attempts.add(line.case, &line.id, &headers);
        }
        Ok(attempts)
    }

    fn add(&mut self, case: CaseId, id: &str, headers: &[(String, String)]) {
        if self.cases.last() != Some(&case) {
            self.cases.push(case);
        }
        let at = self.cases.len() - 1;
        let made = headers.iter().filter_map(|(name, value)| request_id(name, value));
        let made = made.filter(|id| (8..=128).contains(&id.len()));
        for id in made.chain((!id.is_empty()).then_some(id)) {
            self.by_id.insert(id.into(), at);
        }
    }

    /// The case that a transaction of the WAF belongs to.
    fn case_of(&self, transaction: &Transaction) -> Option<usize> {
        let ids = [&transaction.attempt, &transaction.unique_id];
        ids.into_iter().flatten().find_map(|id| self.by_id.get(id.as_str()).copied())
    }

    /// Reads the logs and says what they tell of these attempts.
    ///
    /// # Errors
    /// A log that can't be read, or whose format can't be told. What was sent is on record all the same.
    pub fn join(&self, sources: &[LogSource]) -> Result<Joined> {
        let mut joined = Joined::default();
        for source in sources {
            let mut log = WafLog { file: source.path.display().to_string(), ..WafLog::default() };
            let mut take = |transaction: Transaction| match self.case_of(&transaction) {
                Some(at) => {
                    log.joined += 1;
                    joined.cases.entry(self.cases[at].clone()).or_default().take(transaction);
                }
                None if transaction.attempt.is_some() => log.other_runs += 1,
                None => log.unidentified += 1,
            };
            let summary = waf_log::read(&source.path, source.format, &source.from, &mut take)?;
            log.format = summary.format.map(|format| format.to_string());
            log.transactions = summary.transactions;
            log.skipped = summary.skipped_total;
            log.first_skipped =
                summary.skipped.first().map(|skipped| format!("line {}: {}", skipped.line, skipped.reason));
            log.torn_tail = summary.torn_tail;
            log.lost = match summary.rotated {
                Rotated::No | Rotated::Followed => None,
                Rotated::Lost(what) => Some(what),
            };
            joined.logs.push(log);
        }
        Ok(joined)
    }
}

impl Joined {
    /// Takes a profile's secrets out of what the log shows of requests.
    #[must_use]
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        for hit in self.cases.values_mut().flat_map(|evidence| &mut evidence.rules) {
            hit.message = redactor.redact(&hit.message);
            hit.data = hit.data.take().and_then(|data| MatchedData::new(&redactor.redact(data.as_str())));
        }
        self
    }
}

/// The id that the edge gave the request, as its log has it, where a header of the answer carries one.
fn request_id<'v>(header: &str, value: &'v str) -> Option<&'v str> {
    match header {
        // Cloudflare: `RayID` is the ray without the data centre.
        "cf-ray" => value.split('-').next(),
        // Azure Front Door: `trackingReference`.
        "x-azure-ref" => Some(value),
        // Google Cloud: `trace` without the span; load balancers put it in the request, an application may answer it.
        "x-cloud-trace-context" => value.split(['/', ';']).next(),
        // Amazon's load balancers have the root's id: `Root=1-67891233-abcdef012345678912345678;…`.
        "x-amzn-trace-id" => value.split(';').find_map(|field| field.trim().strip_prefix("Root=")),
        // `X-Unique-Id`; CloudFront's `X-Amz-Cf-Id`, API Gateway's `X-Amz-Apigw-Id`; `X-Request-Id`.
        _ if header.contains("unique") || header.ends_with("-id") => Some(value),
        _ => None,
    }
}

impl WafEvidence {
    /// Adds what one transaction says.
    fn take(&mut self, transaction: Transaction) {
        self.would_block |= would_block(&transaction);
        self.refused |= transaction.intercepted;
        self.anomaly_score = self.anomaly_score.max(transaction.anomaly_score);
        for hit in transaction.hits {
            // The audit log and the error log tell the same rule, and so does each attempt.
            let known = self.rules.iter().position(|known| known.id == hit.id && known.message == hit.message);
            if let Some(known) = known.map(|at| &mut self.rules[at]) {
                known.data = known.data.take().or(hit.data);
                known.variable = known.variable.take().or(hit.variable);
            } else if self.rules.len() < MOST_RULES {
                self.rules.push(hit);
            }
        }
    }
}

impl Run {
    /// Takes in what the WAF's logs say of the run's cases.
    pub fn attach(&mut self, joined: Joined) {
        let mut evidence = joined.cases;
        for record in &mut self.cases {
            if let Some(evidence) = evidence.remove(&record.case) {
                record.verdict.would_block |= evidence.would_block && record.verdict.outcome == Outcome::Delivered;
                record.waf = Some(Box::new(evidence));
            }
        }
        for log in joined.logs {
            self.waf_logs.retain(|known| known.file != log.file);
            self.waf_logs.push(log);
        }
    }

    /// What a reader must know of the WAF's logs; nothing where all is well, or none was given.
    #[must_use]
    pub fn waf_log_warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.waf_logs.iter().flat_map(WafLog::warnings).collect();
        if !self.waf_logs.is_empty() {
            let refused = |outcome| matches!(outcome, Outcome::Blocked | Outcome::TooLarge | Outcome::Dropped);
            let silent = self.cases.iter().filter(|case| refused(case.verdict.outcome) && case.waf.is_none()).count();
            if silent > 0 {
                warnings.push(format!(
                    "the WAF's log says nothing of {silent} refused {}: something else may refuse them, or the log does \
                     not name them",
                    if silent == 1 { "case" } else { "cases" }
                ));
            }
        }
        warnings
    }
}

impl WafLog {
    fn warnings(&self) -> Vec<String> {
        let file = &self.file;
        let mut warnings = Vec::new();
        if self.transactions == 0 {
            warnings.push(format!("`{file}` got nothing while the run was sent: is it this edge's log?"));
        } else if self.joined == 0 {
            warnings.push(format!(
                "none of the {} requests in `{file}` is of this run ({} of another run, {} without an id): is it this \
                 edge's log, and does it keep `X-Wafcanary-Attempt`?",
                self.transactions, self.other_runs, self.unidentified
            ));
        }
        if let Some(lost) = &self.lost {
            warnings.push(format!("`{file}`: {lost}"));
        }
        if self.skipped > 0 {
            let first = self.first_skipped.as_ref().map(|first| format!("; the first, {first}")).unwrap_or_default();
            warnings.push(format!("{} records of `{file}` could not be read{first}", self.skipped));
        }
        if self.torn_tail {
            warnings.push(format!("`{file}` ends in the midst of a record: it may still be being written"));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waf_log::Action;

    fn hit(id: &str, data: &str) -> RuleHit {
        RuleHit {
            id: Some(id.to_owned()),
            message: "Attempted multipart/form-data bypass".to_owned(),
            phase: Some(2),
            variable: Some("FILES:file".to_owned()),
            data: MatchedData::new(data),
            severity: None,
            crs: true,
            action: Action::NonDisruptive,
        }
    }

    fn case(id: &str) -> CaseId {
        CaseId::parse(id).unwrap()
    }

    #[test]
    fn a_transaction_is_joined_by_the_attempt_or_by_an_id_that_the_answer_carried() {
        let mut attempts = Attempts::default();
        attempts.add(case("pdf/a"), "first", &[("x-unique-id".to_owned(), "aSYfQn8AAQEAA".to_owned())]);
        attempts.add(case("pdf/b"), "second", &[("server".to_owned(), "Apache/2.4.71".to_owned())]);
        let found = |attempt: Option<&str>, unique_id: Option<&str>| {
            let (attempt, unique_id) = (attempt.map(str::to_owned), unique_id.map(str::to_owned));
            let at = attempts.case_of(&Transaction { unique_id, attempt, ..Transaction::default() });
            at.map(|at| attempts.cases[at].as_str())
        };
        assert_eq!(found(Some("second"), None), Some("pdf/b"));
        assert_eq!(found(None, Some("first")), Some("pdf/a"), "the edge took the attempt as its own id");
        assert_eq!(found(None, Some("aSYfQn8AAQEAA")), Some("pdf/a"));
        assert_eq!(found(None, Some("Apache/2.4.71")), None);
        assert_eq!(found(Some("third"), Some("aSYfQn8AAQEAA")), Some("pdf/a"));
        assert_eq!(found(None, None), None);
    }

    #[test]
    fn the_id_that_an_answer_carries_is_read_as_the_vendor_logs_it() {
        let ids = [
            ("cf-ray", "9a7b3c1d2e4f5061-NRT", "9a7b3c1d2e4f5061"),
            ("x-amz-cf-id", "kY3t6_Zm0Q7n1s4uVxBdEfGhJkLmNoPqRsTuVwXyZ0123456789AB==", ""),
            ("x-azure-ref", "0Aq4lZwAAAAB6dGVzdHJlZmVyZW5jZTAxVFlPMjAxMDQwODA3MDM1ADEyMzQ1Njc4LTEyMzQ", ""),
            (
                "x-amzn-trace-id",
                "Self=1-5-6;Root=1-67891233-abcdef012345678912345678",
                "1-67891233-abcdef012345678912345678",
            ),
            ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1", "105445aa7843bc8bf206b12000100000"),
        ];
        let mut attempts = Attempts::default();
        for (at, (header, value, _)) in ids.iter().enumerate() {
            attempts.add(case(&format!("pdf/{at}")), "", &[((*header).to_owned(), (*value).to_owned())]);
        }
        for (at, (header, value, id)) in ids.iter().enumerate() {
            let unique_id = Some(if id.is_empty() { *value } else { *id }.to_owned());
            let transaction = Transaction { unique_id, ..Transaction::default() };
            assert_eq!(attempts.case_of(&transaction), Some(at), "{header}");
        }
        assert_eq!(request_id("x-amzn-trace-id", "Self=1-5-6"), None);
        assert_eq!(request_id("server", "cloudflare"), None);
    }

    #[test]
    fn a_rule_is_told_once_however_many_logs_and_attempts_tell_it() {
        let mut evidence = WafEvidence::default();
        let said = |data: &str, score| Transaction {
            hits: vec![hit("920120", data), hit("949110", "")],
            anomaly_score: score,
            ..Transaction::default()
        };
        evidence.take(said("", None));
        evidence.take(said("a;b.pdf", Some(5)));
        evidence.take(said("c;d.pdf", Some(3)));
        let told: Vec<_> = evidence.rules.iter().map(|hit| (hit.id.as_deref().unwrap(), hit.data.as_ref())).collect();
        assert_eq!(told, [("920120", MatchedData::new("a;b.pdf").as_ref()), ("949110", None)]);
        assert_eq!(evidence.anomaly_score, Some(5));
    }

    #[test]
    fn secrets_of_the_profile_are_taken_out_of_what_matched() {
        let redactor = Redactor::default();
        redactor.learn("s3cret-token");
        let evidence = WafEvidence { rules: vec![hit("920120", "x=s3cret-token")], ..WafEvidence::default() };
        let joined = Joined { cases: [(case("pdf/a"), evidence)].into(), logs: Vec::new() }.redacted(&redactor);
        let told = joined.cases[&case("pdf/a")].rules[0].data.as_ref().unwrap().as_str().to_owned();
        assert!(!told.contains("s3cret") && told.contains("***"), "{told}");
    }
}
