//! What the engines' own logs and the origin's say of an attempt, read without any code of the product.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::Regex;
use serde::Deserialize;

use crate::lab::Engines;
use crate::record::{Attempt, Case};

/// How long a log may lag behind the answer.
const LAG: Duration = Duration::from_secs(20);

/// The rule that denies a request for the sum.
const INBOUND: &str = "949110";

/// Rules that only add up what others found.
const SUMS: [&str; 4] = [INBOUND, "959100", "980130", "980140"];

/// Rules of the recommended configuration that deny by themselves.
const DENYING: [&str; 5] = ["200002", "200003", "200004", "200005", "200007"];

/// A line of an access log: status, attempt, and the engine's own id where it has one.
static ACCESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"" (\d{3}) (?:\d+|-) "([0-9A-Za-z._-]*)"(?: "([^"]*)")?$"#).unwrap());

static RULE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\[id "(\d+)"\]"#).unwrap());

static UNIQUE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\[unique_id "([^"]+)"\]"#).unwrap());

/// Where the logs of an engine and of the origin ended before a run.
pub(crate) struct Mark {
    access: Tail,
    error: Tail,
    audit: Tail,
    origin: Tail,
}

/// Whether an engine's log says why an upload was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// These rules denied it.
    Rules(BTreeSet<String>),
    /// The limit of ModSecurity on bodies.
    BodyLimit,
    /// The server's own status.
    Server(u16),
}

/// What the witnesses have on the attempts of a run.
#[derive(Debug, Default)]
pub(crate) struct Witnesses {
    /// Statuses in the access log, by attempt.
    access: HashMap<String, Vec<u16>>,
    /// What arrived at the origin, by attempt.
    origin: HashMap<String, Vec<Arrival>>,
    /// Rules that matched, blocking or not, by attempt.
    rules: HashMap<String, BTreeSet<String>>,
    /// Attempts whose anomaly score is at the limit.
    summed: BTreeSet<String>,
    /// Attempts that ModSecurity says it denied.
    denied: BTreeSet<String>,
    /// Attempts with an entry in the audit log that names no rule.
    without_rule: BTreeSet<String>,
    /// Attempts that ModSecurity 2 found too large.
    over_limit: BTreeSet<String>,
    /// Refusals for size of ModSecurity 3, whose lines hold no id.
    nameless_over_limit: usize,
}

/// A line of the origin's log.
#[derive(Debug, Deserialize)]
pub(crate) struct Arrival {
    attempt: Option<String>,
    case: Option<String>,
    status: Option<u16>,
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    sha256: String,
    size: u64,
}

/// An entry of an audit log: of ModSecurity 3, or with `request` and `audit_data` of ModSecurity 2.
#[derive(Deserialize)]
struct Audit {
    transaction: Transaction,
    audit_data: Option<AuditData>,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(alias = "transaction_id")]
    unique_id: String,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct AuditData {
    #[serde(default)]
    messages: Vec<String>,
}

#[derive(Deserialize)]
struct Message {
    details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    rule_id: String,
}

/// A log that grows, from where it ended once.
struct Tail {
    path: PathBuf,
    from: u64,
}

impl Tail {
    fn mark(path: PathBuf) -> Self {
        let from = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, from }
    }

    /// The whole lines that were added since. A log that the engine does not keep has none.
    fn text(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = std::fs::File::open(&self.path) {
            file.seek(SeekFrom::Start(self.from)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
        }
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
        // An audit log quotes what matched, in whatever encoding it is.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The engine that a profile asks.
fn edge(profile: &str) -> &str {
    profile.strip_suffix("-h2").unwrap_or(profile)
}

/// The engine whose rules a profile's uploads go through.
pub(crate) fn guard(profile: &str) -> &str {
    match edge(profile) {
        "varnish-crs" => "ngx-crs-pl1",
        own => own,
    }
}

impl Mark {
    /// Before a run with `profile`.
    pub(crate) fn new(engines: &Engines, profile: &str, origin_log: &Path) -> Self {
        Self {
            access: Tail::mark(engines.log(edge(profile), "access.log")),
            error: Tail::mark(engines.log(guard(profile), "error.log")),
            audit: Tail::mark(engines.log(guard(profile), "audit.json")),
            origin: Tail::mark(origin_log.to_owned()),
        }
    }

    /// After it: what the witnesses say, once they have heard enough for `settled`.
    pub(crate) fn witnesses(&self, settled: impl Fn(&Witnesses) -> bool) -> Witnesses {
        let deadline = Instant::now() + LAG;
        loop {
            let witnesses = self.read();
            if settled(&witnesses) || Instant::now() > deadline {
                return witnesses;
            }
            // Reading again is not cheap, and the engine needs the processor to write.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read(&self) -> Witnesses {
        let mut witnesses = Witnesses::default();
        // Ids of Apache's ModSecurity are Apache's own; the access log says whose they are.
        let mut attempts: HashMap<String, String> = HashMap::new();
        for line in self.access.text().lines() {
            let Some(found) = ACCESS.captures(line) else { continue };
            let attempt = found[2].to_owned();
            if let Some(own) = found.get(3) {
                attempts.insert(own.as_str().to_owned(), attempt.clone());
            }
            witnesses.access.entry(attempt).or_default().push(found[1].parse().unwrap());
        }
        let attempt = |own: &str| attempts.get(own).map_or(own, String::as_str).to_owned();
        for line in self.origin.text().lines() {
            let arrival: Arrival = serde_json::from_str(line).unwrap();
            witnesses.origin.entry(arrival.attempt.clone().unwrap_or_default()).or_default().push(arrival);
        }
        for line in self.error.text().lines() {
            witnesses.hear_error(line, &attempt);
        }
        for line in self.audit.text().lines() {
            let audit: Audit = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:.2000}"));
            witnesses.hear_audit(&audit, &attempt);
        }
        witnesses
    }
}

impl Witnesses {
    fn hear_error(&mut self, line: &str, attempt: &dyn Fn(&str) -> String) {
        if line.contains("Request body limit is marked to reject the request") {
            self.nameless_over_limit += 1;
        }
        // The last one is the engine's: those before may stand in what was uploaded.
        let Some(own) = UNIQUE.captures_iter(line).last() else { return };
        let attempt = attempt(&own[1]);
        if line.contains("ModSecurity: Request body (Content-Length) is larger than the configured limit") {
            self.over_limit.insert(attempt.clone());
        }
        if line.contains("ModSecurity: Access denied with ") {
            self.denied.insert(attempt.clone());
        }
        self.hear_rules(attempt, RULE.captures_iter(line).map(|found| found[1].to_owned()));
    }

    fn hear_audit(&mut self, audit: &Audit, attempt: &dyn Fn(&str) -> String) {
        let transaction = &audit.transaction;
        let attempt = attempt(&transaction.unique_id);
        let third = transaction.messages.iter().map(|message| message.details.rule_id.clone());
        let second = audit.audit_data.iter().flat_map(|data| &data.messages);
        let second = second.flat_map(|text| RULE.captures_iter(text).map(|found| found[1].to_owned()));
        let rules: Vec<String> = third.chain(second).collect();
        if rules.is_empty() {
            self.without_rule.insert(attempt);
        } else {
            self.hear_rules(attempt, rules.into_iter());
        }
    }

    fn hear_rules(&mut self, attempt: String, rules: impl Iterator<Item = String>) {
        let (sums, rules): (Vec<String>, Vec<String>) = rules.partition(|rule| SUMS.contains(&rule.as_str()));
        if sums.iter().any(|rule| rule == INBOUND) {
            self.summed.insert(attempt.clone());
        }
        if !rules.is_empty() {
            self.rules.entry(attempt).or_default().extend(rules);
        }
    }

    /// The status that the access log has for an attempt.
    pub(crate) fn status(&self, attempt: &str) -> Result<u16, String> {
        match self.access.get(attempt).map(Vec::as_slice) {
            Some([one]) => Ok(*one),
            other => Err(format!("the access log has {other:?}")),
        }
    }

    /// The rules that matched, blocking or not.
    pub(crate) fn rules(&self, attempt: &str) -> BTreeSet<String> {
        self.rules.get(attempt).cloned().unwrap_or_default()
    }

    /// Whether the origin has the file in these very bytes; `Err`: it has something else, or more.
    pub(crate) fn arrived(&self, attempt: &str, sha256: &str, size: u64) -> Result<bool, String> {
        match self.origin.get(attempt).map(Vec::as_slice) {
            None => Ok(false),
            Some([Arrival { status: Some(200), files, .. }])
                // A form may hold other files beside the one that the case is about.
                if files.iter().any(|file| file.sha256 == sha256 && file.size == size) =>
            {
                Ok(true)
            }
            Some(other) => Err(format!("the origin has {other:?}")),
        }
    }

    /// Whether a case arrives, and its status, when all its attempts agree.
    pub(crate) fn saw(&self, case: &Case) -> Option<(bool, u16)> {
        let saw = |attempt: &Attempt| {
            let arrived = self.arrived(&attempt.id, &attempt.sha256, attempt.size).unwrap();
            (arrived, self.status(&attempt.id).unwrap())
        };
        let all: BTreeSet<(bool, u16)> = case.attempts.iter().map(saw).collect();
        (all.len() == 1).then(|| all.into_iter().next()).flatten()
    }

    /// Whether an engine that let an attempt through would deny it, were it not told to detect only.
    pub(crate) fn would_deny(&self, attempt: &str) -> bool {
        self.summed.contains(attempt) || self.rules(attempt).iter().any(|rule| DENYING.contains(&rule.as_str()))
    }

    /// The rules that matched for any attempt of a case.
    pub(crate) fn rules_of(&self, case: &Case) -> BTreeSet<String> {
        case.attempts.iter().flat_map(|attempt| self.rules(&attempt.id)).collect()
    }

    /// The rules that the program tells of a case on one side of its comparison.
    pub(crate) fn told(side: &serde_json::Value) -> BTreeSet<String> {
        let rules = side["waf"]["rules"].as_array().into_iter().flatten();
        let ids = rules.filter_map(|rule| rule["id"].as_str()).filter(|rule| !SUMS.contains(rule));
        ids.map(str::to_owned).collect()
    }

    /// Why the engine's log says that it refused an attempt.
    pub(crate) fn reason(&self, attempt: &str) -> Option<Reason> {
        let rules = self.rules(attempt);
        if self.denied.contains(attempt) && !rules.is_empty() {
            return Some(Reason::Rules(rules));
        }
        let status = self.status(attempt).ok()?;
        // In detection mode ModSecurity 2 says that a body is too large, and lets it through.
        if status != 200 && self.over_limit.contains(attempt) || self.nameless(attempt) {
            return Some(Reason::BodyLimit);
        }
        matches!(status, 413 | 429 | 444 | 502 | 504).then_some(Reason::Server(status))
    }

    /// Whether ModSecurity 3 refused it and has named no rule: for its size, as a line without an id says.
    fn nameless(&self, attempt: &str) -> bool {
        self.nameless_over_limit == self.without_rule.len() && self.without_rule.contains(attempt)
    }

    /// Uploads that a witness saw and `known` does not hold, but for canary controls, of which `canaries` were sent.
    pub(crate) fn unaccounted(&self, known: &BTreeSet<&str>, canaries: usize) -> Option<String> {
        let unknown = |id: &&String| !known.contains(id.as_str());
        let strays: Vec<&Arrival> = self.origin.keys().filter(unknown).flat_map(|id| &self.origin[id]).collect();
        let is_canary = |arrival: &&Arrival| arrival.case.as_deref() == Some("canary%2Fcontrol");
        let (own, others): (Vec<&Arrival>, Vec<&Arrival>) = strays.into_iter().partition(is_canary);
        let asked = self.access.keys().filter(unknown).count();
        (!others.is_empty() || own.len() > canaries || asked != canaries).then(|| {
            format!(
                "{canaries} canary controls, {asked} in the access log, {} at the origin, and {others:?}",
                own.len()
            )
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(rules) => f.write_str(&rules.iter().map(String::as_str).collect::<Vec<_>>().join("+")),
            Self::BodyLimit => f.write_str("body limit"),
            Self::Server(status) => write!(f, "{status}"),
        }
    }
}
