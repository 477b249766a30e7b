//! Runs made by hand, for the tests of comparing.

use wafcanary::corpus::{CaseId, Intent, Sha256Digest};
use wafcanary::profile::{Environment, Proof};
use wafcanary::run::{CaseRecord, Run, RunEnding, RunManifest, SideName};
use wafcanary::verdict::{Outcome, Verdict};

pub(crate) fn record(id: &str, intent: Intent, outcome: Outcome) -> CaseRecord {
    CaseRecord {
        side: SideName::Baseline,
        case: CaseId::parse(id).expect("id"),
        intent,
        verdict: Verdict { outcome, signature: None, status: Some(200), evidence: "seen".into(), would_block: false },
        rounds: vec![outcome].into(),
        attempts: 1,
        procedures: vec!["道路相談".into()].into(),
        weight: 1.0,
        twin: None,
        filename: "申請書.pdf".into(),
        place: None,
        millis: 1,
        waf: None,
    }
}

pub(crate) fn run(profile: &str, cases: Vec<CaseRecord>) -> Run {
    let manifest = RunManifest {
        schema_version: 1,
        tool: "wafcanary 0.1.0".to_owned(),
        run: "r".to_owned(),
        side: SideName::Baseline,
        started: "2026-11-23T00:00:00Z".to_owned(),
        profile: profile.to_owned(),
        profile_digest: Sha256Digest::of(profile.as_bytes()),
        url: "http://127.0.0.1/".to_owned(),
        environment: Environment::Lab,
        proof: Proof::Receipt,
        insecure: false,
        authorized: true,
        rate: None,
        concurrency: 1,
        corpus: "c".to_owned(),
        corpus_folder: None,
        corpus_digest: Sha256Digest::of(b"corpus"),
        cases: cases.len() as u64,
        rounds: 1,
        operator: None,
    };
    Run { manifest, ending: Some(RunEnding::Complete), cases, waf_logs: Vec::new() }
}
