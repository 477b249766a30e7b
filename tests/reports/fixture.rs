//! Records to render, among them every class, every kind of finding, and filenames that mean harm.

use std::collections::BTreeMap;

use wafcanary::compare::{Class, ComparedCase, Comparison, Decision, Finding, Reason, SideCase, SideSummary};
use wafcanary::corpus::{CaseId, Intent, Sha256Digest};
use wafcanary::profile::{Environment, Proof};
use wafcanary::run::{CaseRecord, Run, RunEnding, RunManifest, SideName, WafEvidence};
use wafcanary::verdict::{List, Outcome, Verdict};
use wafcanary::waf_log::{Action, MatchedData, RuleHit};

/// Filenames that try to break out of a report.
pub(crate) const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>.pdf",
    "a|b|c.pdf",
    "tick`tock``.pdf",
    "=cmd|' /C calc'!A0",
    "@octocat please look #1 https://evil.example/x www.evil.example",
    "\u{202e}fdp.exe",
    "bell\u{7}\u{1b}[2Jwipe\u{0}.pdf",
    "]]>&amp;<![CDATA[.xml",
    "line\r\nend\n| new | row |\n",
    "</details><!-- wafcanary --> ![x](https://evil.example/x.png)",
    "-->\u{fffe}.pdf",
    "\tTab.csv",
    "`",
    " ",
];

pub(crate) fn manifest(side: SideName, profile: &str) -> RunManifest {
    RunManifest {
        schema_version: 1,
        tool: "wafcanary 0.1.0".into(),
        run: format!("run-{profile}"),
        side,
        started: "2026-11-23T12:00:00Z".into(),
        profile: profile.into(),
        profile_digest: Sha256Digest::of(profile.as_bytes()),
        url: format!("https://{profile}.example/upload"),
        environment: Environment::Staging,
        proof: Proof::Receipt,
        insecure: false,
        authorized: true,
        rate: Some(5.0),
        concurrency: 4,
        corpus: "city".into(),
        corpus_folder: None,
        corpus_digest: Sha256Digest::of(b"city"),
        cases: 16,
        rounds: 1,
        operator: None,
    }
}

pub(crate) fn side(outcome: Outcome, status: u16, evidence: &str) -> SideCase {
    SideCase {
        outcome,
        signature: (outcome == Outcome::Blocked).then(|| "unrecognised".into()),
        status: Some(status).filter(|status| *status > 0),
        attempts: 1,
        evidence: evidence.into(),
        rounds: List::default(),
        would_block: false,
        millis: 42,
        waf: None,
    }
}

pub(crate) fn delivered() -> SideCase {
    side(Outcome::Delivered, 200, "the receipt has the same SHA-256")
}

pub(crate) fn blocked() -> SideCase {
    side(Outcome::Blocked, 404, "404 with a page of 1,204 bytes titled `Not Found`, and the origin has no receipt")
}

/// What a real audit log says of a filename that an engine in detection mode would refuse.
pub(crate) fn would_block() -> SideCase {
    let hit = |id: &str, message: &str, variable: Option<&str>, data: &str| RuleHit {
        id: Some(id.into()),
        message: message.into(),
        phase: Some(2),
        variable: variable.map(Into::into),
        data: MatchedData::new(data),
        severity: Some("CRITICAL".into()),
        crs: true,
        action: Action::NonDisruptive,
    };
    let rules = vec![
        hit("949110", "Inbound Anomaly Score Exceeded (Total Score: 5)", Some("TX:ANOMALY_SCORE"), ""),
        hit("920120", "Attempted multipart/form-data bypass", Some("FILES:file"), "a;b=<c>|`.pdf"),
    ];
    let evidence = WafEvidence { rules, anomaly_score: Some(5), refused: false, would_block: true };
    SideCase { would_block: true, waf: Some(Box::new(evidence)), ..delivered() }
}

pub(crate) fn case(id: &str, class: Class, finding: Finding, filename: &str) -> ComparedCase {
    let (baseline, candidate) = match class {
        Class::NewlyBlocked | Class::ProtectionGained => (Some(delivered()), Some(blocked())),
        Class::ProtectionLost | Class::NewlyDelivered => (Some(blocked()), Some(delivered())),
        Class::NewlyAltered => (
            Some(delivered()),
            Some(side(Outcome::Altered, 200, "the receipt has 1,000 bytes of 4,096: cut at the end")),
        ),
        Class::Flaky => {
            let mut flaky = blocked();
            flaky.rounds = vec![Outcome::Delivered, Outcome::Blocked, Outcome::Blocked].into();
            flaky.attempts = 4;
            (Some(delivered()), Some(flaky))
        }
        Class::Inconclusive => (
            Some(delivered()),
            Some(side(Outcome::Throttled, 429, "429 with `Retry-After: 3600`, longer than allowed")),
        ),
        Class::OnlyInBaseline => (Some(delivered()), None),
        Class::OnlyInCandidate => (None, Some(delivered())),
        Class::ReasonChanged => {
            (Some(blocked()), Some(side(Outcome::Dropped, 0, "reset after 65,536 body bytes, twice")))
        }
        Class::WouldBlock => (Some(delivered()), Some(would_block())),
        Class::Unchanged => (Some(delivered()), Some(delivered())),
    };
    let control = matches!(class, Class::ProtectionLost | Class::ProtectionGained);
    ComparedCase {
        id: CaseId::parse(id).unwrap(),
        intent: if control { Intent::Control } else { Intent::Legit },
        class,
        baseline,
        candidate,
        filename: filename.into(),
        procedures: List::default(),
        weight: 1.0,
        place: Some("manifest.toml:12".into()),
        finding,
    }
}

/// A comparison of these cases, its counts taken from them.
pub(crate) fn comparison(decision: Decision, reasons: Vec<Reason>, mut cases: Vec<ComparedCase>) -> Comparison {
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    let summary = |name, profile, pick: fn(&ComparedCase) -> Option<&SideCase>| {
        let mut outcomes: BTreeMap<Outcome, u64> = Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
        cases.iter().filter_map(pick).for_each(|side| *outcomes.entry(side.outcome).or_default() += 1);
        SideSummary { run: manifest(name, profile), ending: Some(RunEnding::Complete), outcomes, waf_logs: Vec::new() }
    };
    let mut counts: BTreeMap<Class, u64> = Class::ALL.into_iter().map(|class| (class, 0)).collect();
    for case in &cases {
        *counts.entry(case.class).or_default() += 1;
    }
    Comparison {
        schema_version: 1,
        decision,
        reasons,
        counts,
        baseline: summary(SideName::Baseline, "standard", |case| case.baseline.as_ref()),
        candidate: summary(SideName::Candidate, "upper", |case| case.candidate.as_ref()),
        warnings: Vec::new(),
        cases,
    }
}

pub(crate) fn reason(decision: Decision, code: &str, message: &str) -> Reason {
    Reason { decision, code: code.into(), message: message.into() }
}

/// One case of every class and every kind of finding: the gate fails.
pub(crate) fn everything() -> Comparison {
    let open = || Finding::Open;
    let waived = Finding::Waived {
        owner: "platform-team".into(),
        reason: "the old form is switched off in December".into(),
        expires: "2026-12-31".into(),
    };
    let expired = Finding::Expired { owner: "platform-team".into(), expires: "2026-10-31".into() };
    let name = "排水設備計画確認申請書（最終版・押印済み）添付図面一式.pdf";
    let mut cases = vec![
        case("pdf/drainage-plan", Class::NewlyBlocked, open(), name),
        case("pdf/drainage-plan~name:sjis-5c~client:firefox", Class::NewlyBlocked, open(), "表計算.pdf"),
        case("pdf/detected", Class::WouldBlock, open(), "a;b=<c>.pdf"),
        case("pdf/enrolment", Class::Unchanged, Finding::None, "在学証明書.pdf"),
        case("image/receipt", Class::NewlyBlocked, expired, "領収書.heic"),
        case("office/form", Class::NewlyBlocked, waived, "申請書.xlsm"),
        case("control/eicar", Class::ProtectionLost, open(), "eicar.com"),
        case("control/webshell", Class::ProtectionGained, Finding::None, "shell.php"),
        case("image/photo", Class::NewlyAltered, open(), "写真.jpg"),
        case("office/plan", Class::Flaky, open(), "計画書.docx"),
        case("archive/plans", Class::Inconclusive, open(), "図面.zip"),
        case("pdf/old", Class::OnlyInBaseline, open(), "old.pdf"),
        case("pdf/new", Class::OnlyInCandidate, Finding::None, "new.pdf"),
        case("archive/large", Class::ReasonChanged, Finding::None, "large.zip"),
        case("text/list", Class::NewlyDelivered, Finding::None, "list.csv"),
    ];
    for case in &mut cases {
        case.procedures = match case.id.attachment() {
            "pdf/drainage-plan" | "pdf/enrolment" => {
                vec!["建築確認申請に関する道路相談".into(), "排水設備計画確認申請書".into()].into()
            }
            "image/receipt" => vec!["出産応援ギフト申請".into()].into(),
            "office/form" => vec!["ごみ収集申込書".into()].into(),
            _ => List::default(),
        };
        if case.id.attachment() == "pdf/enrolment" {
            case.weight = 3.0;
        }
    }
    let reasons = vec![
        reason(Decision::Fail, "newly_blocked", "3 cases are newly blocked, the gate allows 0"),
        reason(Decision::Fail, "protection_lost", "1 control is no longer blocked, the gate allows 0"),
        reason(Decision::Fail, "max_flaky", "1 case is flaky, the gate allows 0"),
    ];
    let mut all = comparison(Decision::Fail, reasons, cases);
    all.warnings = vec![
        "the waiver `docx/*` of platform-team matches no finding".into(),
        "the candidate's passes are weak: its profile says `proof = \"status\"`".into(),
        "certificates of the candidate were not checked".into(),
    ];
    all.candidate.run.proof = Proof::Status;
    all.candidate.run.insecure = true;
    all.candidate.run.authorized = false;
    all
}

/// Newly blocked files with hostile names and evidence.
pub(crate) fn hostile() -> Comparison {
    let hostile = |(at, name): (usize, &&str)| {
        let mut case = case(&format!("pdf/hostile-{at:02}<b>|`x`@me"), Class::NewlyBlocked, Finding::Open, name);
        case.procedures = vec![(*name).into()].into();
        if let Some(candidate) = &mut case.candidate {
            candidate.evidence = format!("the page says: {name}").into();
            candidate.signature = Some((*name).into());
        }
        case
    };
    let cases: Vec<_> = HOSTILE.iter().enumerate().map(hostile).collect();
    let message = format!("{} cases are newly blocked: {}", cases.len(), HOSTILE.join(" "));
    let mut hostile = comparison(Decision::Fail, vec![reason(Decision::Fail, "newly_blocked", &message)], cases);
    hostile.warnings = HOSTILE.map(String::from).to_vec();
    hostile.candidate.run.profile = HOSTILE[0].into();
    hostile.candidate.run.url = HOSTILE[9].into();
    hostile
}

pub(crate) fn empty() -> Comparison {
    let message = "no case was compared: an empty corpus says nothing about the edge";
    comparison(Decision::Inconclusive, vec![reason(Decision::Inconclusive, "empty_corpus", message)], Vec::new())
}

pub(crate) fn inconclusive() -> Comparison {
    let cases = vec![
        case("pdf/a", Class::Inconclusive, Finding::Open, "a.pdf"),
        case("pdf/b", Class::Inconclusive, Finding::Open, "b.pdf"),
        case("pdf/c", Class::NewlyBlocked, Finding::Open, "c.pdf"),
    ];
    let message = "the candidate was asked for 1 of 3 cases, the gate wants 100 %";
    let mut doubtful =
        comparison(Decision::Inconclusive, vec![reason(Decision::Inconclusive, "min_coverage", message)], cases);
    doubtful.candidate.ending = Some(RunEnding::Banned { detail: "the canary control stopped getting through".into() });
    doubtful
}

pub(crate) fn passing() -> Comparison {
    let waived =
        Finding::Waived { owner: "a".into(), reason: "form is being retired".into(), expires: "2026-12-31".into() };
    let cases = vec![
        case("pdf/a", Class::Unchanged, Finding::None, "a.pdf"),
        case("pdf/b", Class::NewlyBlocked, waived, "b.pdf"),
        case("pdf/c", Class::Flaky, Finding::None, "c.pdf"),
    ];
    comparison(Decision::Pass, Vec::new(), cases)
}

/// A run with every kind of case that is worth a look.
pub(crate) fn run() -> Run {
    let record = |id: &str, intent, outcome, filename: &str| CaseRecord {
        side: SideName::Baseline,
        case: CaseId::parse(id).unwrap(),
        intent,
        verdict: Verdict {
            outcome,
            signature: (outcome == Outcome::Blocked).then(|| "unrecognised".into()),
            status: Some(404),
            evidence: format!("what was seen of {filename}").into(),
            would_block: false,
        },
        rounds: vec![outcome].into(),
        attempts: 1,
        procedures: vec!["ごみ収集申込書".into()].into(),
        weight: 1.0,
        twin: None,
        filename: filename.into(),
        place: Some("manifest.toml:12".into()),
        millis: 1_234,
        waf: None,
    };
    let mut cases = vec![
        record("pdf/b", Intent::Legit, Outcome::Blocked, "排水設備計画確認申請書.pdf"),
        record("pdf/a", Intent::Legit, Outcome::Delivered, "a.pdf"),
        record("control/eicar", Intent::Control, Outcome::Blocked, "eicar.com"),
        record("control/shell", Intent::Control, Outcome::Delivered, "shell.php"),
        record("pdf/c", Intent::Legit, Outcome::Throttled, HOSTILE[0]),
        record("pdf/d", Intent::Legit, Outcome::Delivered, HOSTILE[6]),
    ];
    cases[5].rounds = vec![Outcome::Delivered, Outcome::Blocked, Outcome::Delivered].into();
    cases[5].attempts = 3;
    let mut manifest = manifest(SideName::Baseline, "standard");
    manifest.cases = 8;
    manifest.authorized = true;
    Run { manifest, ending: Some(RunEnding::Interrupted), cases, waf_logs: Vec::new() }
}
