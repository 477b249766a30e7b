//! What the program says of an engine, and whether both witnesses say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::lab::Engines;
use crate::record::{Attempt, Case, Record};
use crate::witnesses::{Mark, Reason, Witnesses, guard};

/// One edge of a run or comparison, with what the witnesses say of it.
pub(crate) struct Heard {
    pub(crate) record: Record,
    pub(crate) witnesses: Witnesses,
}

/// A comparison with what the witnesses say of both edges.
pub(crate) struct Compared {
    pub(crate) code: Option<i32>,
    /// The folder of its record.
    pub(crate) out: PathBuf,
    /// As `--format json` writes it.
    pub(crate) json: serde_json::Value,
    pub(crate) baseline: Heard,
    pub(crate) candidate: Heard,
}

/// Runs with these arguments against an engine, and hears the witnesses.
pub(crate) fn run(engines: &Engines, profile: &str, arguments: &[&str]) -> Heard {
    let mark = Mark::new(engines, profile, &engines.origin_log());
    let out = engines.out();
    let path = engines.profile(profile);
    let always = ["run", "--profile", &path, "--out", out.to_str().unwrap(), "--format", "json"];
    let ran = engines.wafcanary(&[&always, arguments].concat());
    assert!(matches!(ran.code, Some(0 | 1)), "{profile}: {:?} {}", ran.code, ran.err);
    hear(&mark, &out)
}

/// Hears the witnesses of a run that is over.
pub(crate) fn hear(mark: &Mark, folder: &Path) -> Heard {
    let record = Record::read(folder);
    let witnesses = mark.witnesses(|heard| {
        record.attempts().all(|(_, attempt)| told(heard, attempt).is_ok())
            && heard.unaccounted(&ids(&record), record.canaries).is_none()
    });
    Heard { record, witnesses }
}

/// Compares two profiles, each of its own engines.
pub(crate) fn compare(
    (before, baseline): (&Engines, &str),
    (after, candidate): (&Engines, &str),
    origin_log: &Path,
    arguments: &[&str],
) -> Compared {
    let marks = [Mark::new(before, baseline, origin_log), Mark::new(after, candidate, origin_log)];
    let out = before.out();
    let (from, to) = (before.profile(baseline), after.profile(candidate));
    let always =
        ["compare", "--baseline", &from, "--candidate", &to, "--out", out.to_str().unwrap(), "--format", "json"];
    let sides = [("baseline", before, baseline), ("candidate", after, candidate)];
    let logs = sides.iter().flat_map(|(side, engines, profile)| {
        let logs = ["audit.json", "error.log"].map(|name| engines.log(guard(profile), name));
        let there = logs.into_iter().filter(|log| log.exists() && guard(profile).starts_with(['n', 'a']));
        there.flat_map(move |log| ["--waf-log".to_owned(), format!("{side}={}", log.display())])
    });
    let logs: Vec<String> = logs.collect();
    let logs: Vec<&str> = logs.iter().map(String::as_str).collect();
    let ran = before.wafcanary(&[&always, &logs[..], arguments].concat());
    assert!(matches!(ran.code, Some(0 | 1)), "{baseline} -> {candidate}: {:?} {}", ran.code, ran.err);
    let [baseline, candidate] = [("baseline", &marks[0]), ("candidate", &marks[1])].map(|(side, mark)| {
        let record = Record::read(&out.join(side));
        let witnesses = mark.witnesses(|heard| record.attempts().all(|(_, attempt)| told(heard, attempt).is_ok()));
        Heard { record, witnesses }
    });
    Compared { code: ran.code, out, json: serde_json::from_str(&ran.out).unwrap(), baseline, candidate }
}

pub(crate) fn ids(record: &Record) -> BTreeSet<&str> {
    record.attempts().map(|(_, attempt)| attempt.id.as_str()).collect()
}

/// Whether both witnesses say of an attempt what the record says; `Ok`: and the reason for a refusal.
pub(crate) fn told(heard: &Witnesses, attempt: &Attempt) -> Result<Option<Reason>, String> {
    let status = heard.status(&attempt.id)?;
    let seen = attempt.status.unwrap_or(444);
    if status != seen {
        return Err(format!("the client saw {:?}, the access log has {status}", attempt.status));
    }
    let arrived = heard.arrived(&attempt.id, &attempt.sha256, attempt.size)?;
    let reason = heard.reason(&attempt.id);
    match (attempt.outcome.as_deref(), status, arrived, &reason) {
        (Some("delivered"), 200, true, None) => Ok(None),
        (Some("blocked"), _, false, Some(Reason::Rules(_) | Reason::BodyLimit | Reason::Server(502 | 504)))
        | (Some("too_large"), 413, false, Some(Reason::BodyLimit | Reason::Server(413)))
        | (Some("throttled"), 429, false, Some(Reason::Server(429)))
        // Tried again at once: the first attempt of a round.
        | (Some("dropped") | None, 444, false, Some(Reason::Server(444))) => Ok(reason),
        told => Err(format!("(outcome, status, arrived, reason) are {told:?}")),
    }
}

/// What disagrees in a run, a line each.
pub(crate) fn disagreements(heard: &Heard) -> Vec<String> {
    let Heard { record, witnesses, .. } = heard;
    let mut lines: Vec<String> = record
        .attempts()
        .filter_map(|(case, attempt)| {
            let why = told(witnesses, attempt).err()?;
            Some(format!("{} ({}): {why}; the record: {}", case.id, attempt.id, attempt.evidence))
        })
        .collect();
    lines.extend(record.cases.iter().filter_map(settled_otherwise));
    lines.extend(witnesses.unaccounted(&ids(record), record.canaries));
    if record.ending != "complete" {
        lines.push(format!("the run ended as {}", record.ending));
    }
    lines
}

/// The outcome of a case is that of all its rounds, and a round's that of its last attempt; `Some`: it is not.
fn settled_otherwise(case: &Case) -> Option<String> {
    // A throttled upload is asked again, in the same round.
    let told = |outcomes: Vec<&str>| -> Vec<String> {
        outcomes.into_iter().filter(|outcome| *outcome != "throttled").map(str::to_owned).collect()
    };
    let attempts = told(case.attempts.iter().filter_map(|attempt| attempt.outcome.as_deref()).collect());
    let rounds = told(case.rounds.iter().map(String::as_str).collect());
    let last = attempts.last().map_or("throttled", String::as_str);
    let settled = attempts == rounds && attempts.iter().all(|outcome| outcome == last) && case.outcome == last;
    (!settled).then(|| format!("{}: {} of rounds {rounds:?} and attempts {attempts:?}", case.id, case.outcome))
}

impl Compared {
    /// What disagrees on either side, a line each.
    pub(crate) fn disagreements(&self) -> Vec<String> {
        let wrong = |side: &str, heard: &Heard| -> Vec<String> {
            let attempts = heard.record.attempts();
            let wrong = attempts.filter_map(|(case, attempt)| Some((case, told(&heard.witnesses, attempt).err()?)));
            wrong.map(|(case, why)| format!("{side}: {}: {why}", case.id)).collect()
        };
        [wrong("baseline", &self.baseline), wrong("candidate", &self.candidate)].concat()
    }

    /// The class of each case, as the comparison has it.
    pub(crate) fn classes(&self) -> BTreeMap<String, String> {
        let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap().to_owned();
        let cases = self.json["cases"].as_array().unwrap();
        cases.iter().map(|case| (text(case, "id"), text(case, "class"))).collect()
    }

    /// The class of each case, by the witnesses alone.
    pub(crate) fn by_witnesses(&self) -> BTreeMap<String, String> {
        let baseline: BTreeMap<&str, &Case> =
            self.baseline.record.cases.iter().map(|it| (it.id.as_str(), it)).collect();
        let cases = self.candidate.record.cases.iter();
        cases.map(|after| (after.id.clone(), self.class(baseline[after.id.as_str()], after).to_owned())).collect()
    }

    fn class(&self, before: &Case, after: &Case) -> &'static str {
        let (Some((got_in, status)), Some((gets_in, other))) =
            (self.baseline.witnesses.saw(before), self.candidate.witnesses.saw(after))
        else {
            return "flaky";
        };
        let would = |heard: &Heard, case: &Case| heard.witnesses.would_deny(&case.attempts.last().unwrap().id);
        let would_block = would(&self.candidate, after) && !would(&self.baseline, before);
        match (after.control, got_in, gets_in) {
            (false, true, true) if would_block => "would_block",
            (false, true, false) => "newly_blocked",
            (false, false, true) => "newly_delivered",
            (true, true, false) => "protection_gained",
            (true, false, true) => "protection_lost",
            (_, false, false) if status != other => "reason_changed",
            (_, true, true) | (_, false, false) => "unchanged",
        }
    }

    /// Cases of which the comparison tells other rules than the engines' logs do, a line each.
    pub(crate) fn told_otherwise(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, side) in [("baseline", &self.baseline), ("candidate", &self.candidate)] {
            let cases: BTreeMap<&str, &Case> = side.record.cases.iter().map(|case| (case.id.as_str(), case)).collect();
            for case in self.json["cases"].as_array().unwrap() {
                let id = case["id"].as_str().unwrap();
                let (told, heard) = (Witnesses::told(&case[name]), side.witnesses.rules_of(cases[id]));
                if told != heard {
                    lines.push(format!("{name}: {id}: the comparison tells {told:?}, the log has {heard:?}"));
                }
            }
        }
        lines
    }

    /// Cases of a class by the witnesses, with the rules that the candidate's log names.
    pub(crate) fn rules(&self, class: &str) -> BTreeMap<String, BTreeSet<String>> {
        let classes = self.by_witnesses();
        let cases = self.candidate.record.cases.iter().filter(|case| classes[&case.id] == class);
        cases.map(|case| (case.id.clone(), self.candidate.witnesses.rules(&case.attempts.last().unwrap().id))).collect()
    }
}
