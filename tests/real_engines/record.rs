//! The record of a run, read as plain JSON.

use std::path::Path;

use serde::Deserialize;

/// What a run has on record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) cases: Vec<Case>,
    /// Canary controls that were sent.
    pub(crate) canaries: usize,
    /// `complete`, or how else it ended.
    pub(crate) ending: String,
}

/// A case with its attempts.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) control: bool,
    /// What its rounds settled.
    pub(crate) outcome: String,
    /// The outcome of each.
    pub(crate) rounds: Vec<String>,
    pub(crate) attempts: Vec<Attempt>,
}

/// An attempt with what the client saw of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// `None`: no answer.
    pub(crate) status: Option<u16>,
    /// `None`: it was tried again.
    pub(crate) outcome: Option<String>,
    pub(crate) evidence: String,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    RunStarted {},
    Attempt { case: String, id: String, observation: Observation, verdict: Option<Verdict> },
    Canary {},
    Paused {},
    Waf {},
    WafLog {},
    Case { case: String, intent: String, verdict: Verdict, rounds: Vec<String> },
    RunFinished { ending: Ending },
}

#[derive(Deserialize)]
struct Observation {
    sent: Sent,
    answer: Option<Answer>,
}

#[derive(Deserialize)]
struct Sent {
    sha256: String,
    size: u64,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
}

#[derive(Deserialize)]
struct Verdict {
    outcome: String,
    evidence: String,
}

#[derive(Deserialize)]
struct Ending {
    kind: String,
}

impl Record {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut record = Self::default();
        let mut attempts: Vec<(String, Attempt)> = Vec::new();
        let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
        for line in text.lines() {
            match serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) {
                Line::RunStarted {} | Line::Paused {} | Line::Waf {} | Line::WafLog {} => {}
                Line::Canary {} => record.canaries += 1,
                Line::RunFinished { ending } => record.ending = ending.kind,
                Line::Attempt { case, id, observation, verdict } => {
                    let (outcome, evidence) = verdict.map(|it| (it.outcome, it.evidence)).unzip();
                    let Sent { sha256, size } = observation.sent;
                    let status = observation.answer.map(|answer| answer.status);
                    let evidence = evidence.unwrap_or_default();
                    attempts.push((case, Attempt { id, sha256, size, status, outcome, evidence }));
                }
                Line::Case { case: id, intent, verdict, rounds } => {
                    let (own, others) = attempts.into_iter().partition(|(case, _)| *case == id);
                    attempts = others;
                    let own: Vec<(String, Attempt)> = own;
                    let attempts = own.into_iter().map(|(_, attempt)| attempt).collect();
                    let control = intent == "control";
                    record.cases.push(Case { id, control, outcome: verdict.outcome, rounds, attempts });
                }
            }
        }
        assert!(attempts.is_empty(), "attempts without a case: {attempts:?}");
        record
    }

    pub(crate) fn attempts(&self) -> impl Iterator<Item = (&Case, &Attempt)> {
        self.cases.iter().flat_map(|case| case.attempts.iter().map(move |attempt| (case, attempt)))
    }
}
