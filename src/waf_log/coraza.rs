//! Audit logs of Coraza in its own JSON (`SecAuditLogFormat JSON`), one transaction a line.
//!
//! Part K has the rules' fields and sources, one element for each value that matched; part H has the sentence of the
//! error log. With H alone the sentence is all there is. Source: corazawaf/coraza, `internal/auditlog/auditlog.go`,
//! `internal/corazarules/rule_match.go`, and `Transaction.AuditLog`.

use serde::Deserialize;
use serde_json::error::Category;

use super::hit::{Action, RuleHit};
use super::json_text::{Headers, Scalar, Text, scalar, text};
use super::redact::{self, MatchedData};
use super::rule_text::{action_of, found_within, in_crs, rule_text, severity};
use super::transaction::{Builder, Engine, id_and_action};
use super::{EngineMode, Transaction};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    transaction: Part<'a>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
    response: Option<Response>,
    #[serde(borrow)]
    producer: Option<Producer<'a>>,
    is_interrupted: Option<bool>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    #[serde(borrow)]
    headers: Option<Headers<'a>>,
}

#[derive(Deserialize)]
struct Response {
    status: Option<u16>,
}

#[derive(Deserialize)]
struct Producer<'a> {
    #[serde(borrow)]
    rule_engine: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    error_message: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    id: Option<Scalar<'a>>,
    #[serde(borrow)]
    msg: Option<Text<'a>>,
    #[serde(borrow, rename = "data")]
    matched: Option<Text<'a>>,
    #[serde(borrow)]
    severity: Option<Scalar<'a>>,
    #[serde(borrow)]
    ver: Option<Text<'a>>,
    #[serde(borrow)]
    tags: Option<Vec<Text<'a>>>,
    /// The rule as it is written.
    #[serde(borrow)]
    raw: Option<Text<'a>>,
}

/// Reads one record.
pub(super) fn transaction(record: &[u8]) -> Result<Option<Transaction>, &'static str> {
    let line: Line<'_> = serde_json::from_slice(record).map_err(|error| match error.classify() {
        Category::Data => "JSON, but not a transaction of Coraza",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    })?;
    let part = line.transaction;
    let mut builder = Builder::default();
    builder.transaction.unique_id = Some(redact::request_id(&part.id.0));
    builder.transaction.at = text(part.timestamp.as_ref()).map(redact::name);
    builder.transaction.status = part.response.and_then(|response| response.status).filter(|status| *status != 0);
    let mode = part.producer.as_ref().and_then(|producer| text(producer.rule_engine.as_ref()));
    builder.transaction.engine_mode = mode.and_then(EngineMode::parse);
    if let Some(request) = part.request {
        let headers = request.headers.unwrap_or_default();
        if let Some(attempt) = headers.attempt {
            builder.header("x-wafcanary-attempt", &attempt);
        }
        if let Some(case) = headers.case {
            builder.header("x-wafcanary-case", &case);
        }
        if let Some(uri) = request.uri {
            builder.request_line(&uri.0);
        }
    }
    let mut hits = Vec::new();
    for message in line.messages.iter().flatten() {
        take(message, &mut hits);
    }
    let detects = builder.transaction.engine_mode == Some(EngineMode::DetectionOnly);
    let refused = hits.iter_mut().rev().find(|fired| match part.is_interrupted {
        Some(interrupted) => interrupted && (fired.denied || fired.hit.disruptive()),
        // By the sentences alone, which may say so of a rule that is written to pass.
        None => !detects && fired.denied && fired.hit.action != Action::NonDisruptive,
    });
    if let Some(fired) = refused {
        fired.hit.action = Action::Refused;
    }
    for fired in hits {
        builder.push(fired.hit);
    }
    // A limit of the body interrupts without a rule; `finish` derives the rest from what refused.
    builder.transaction.intercepted = part.is_interrupted == Some(true);
    Ok(Some(builder.finish(Engine::TellsRefusals)))
}

/// A rule that fired.
struct Fired {
    hit: RuleHit,
    /// The sentence says that it denied: versions differ in whether a rule that passes says so too, so that only the
    /// last one of a transaction that was interrupted did.
    denied: bool,
}

/// Takes what a message says. The elements of one rule follow each other.
fn take(message: &Message<'_>, hits: &mut Vec<Fired>) {
    let sentences = text(message.error_message.as_ref()).unwrap_or_default();
    let mut of_sentences = sentences.lines().filter(|line| !line.trim().is_empty()).map(of_sentence);
    match &message.data {
        Some(data) => {
            let sentence = of_sentences.next();
            let (denied, phase) = sentence.map_or((false, None), |fired| (fired.denied, fired.hit.phase));
            add(Fired { hit: of_data(data, phase), denied }, hits);
        }
        None => of_sentences.for_each(|fired| add(fired, hits)),
    }
}

/// Adds a hit, or what it says more of the rule before.
fn add(fired: Fired, hits: &mut Vec<Fired>) {
    let again = |known: &&mut Fired| known.hit.id.is_some() && known.hit.id == fired.hit.id;
    let Some(known) = hits.last_mut().filter(again) else { return hits.push(fired) };
    // The links of a chain have no message but for one.
    if known.hit.message.is_empty() {
        known.hit.message = fired.hit.message;
    }
    known.hit.variable = known.hit.variable.take().or(fired.hit.variable);
    known.hit.data = known.hit.data.take().or(fired.hit.data);
}

/// Reads `[client "192.0.2.1"] Coraza: Warning. … [file "…"] [line "…"] [id "…"] …`.
fn of_sentence(line: &str) -> Fired {
    let sentence = line.split_once("Coraza: ").map_or(line, |(_, sentence)| sentence);
    let mut hit = rule_text(sentence, false).hit;
    let denied = hit.action == Action::Refused;
    hit.severity = hit.severity.as_deref().and_then(grade);
    hit.action = action_of(hit.id.as_deref(), hit.crs, hit.phase, None);
    let data = hit.data.as_ref().map(MatchedData::as_str);
    hit.variable = data.and_then(found_within).map(redact::name);
    Fired { hit, denied }
}

fn of_data(data: &Data<'_>, phase: Option<u8>) -> RuleHit {
    let id = scalar(data.id.as_ref()).filter(|id| *id != "0");
    let crs = data.tags.iter().flatten().any(|tag| tag.0.starts_with("OWASP_CRS"))
        || text(data.ver.as_ref()).is_some_and(|ver| ver.starts_with("OWASP_CRS"))
        || id.is_some_and(in_crs);
    let matched = text(data.matched.as_ref());
    let written = text(data.raw.as_ref()).and_then(id_and_action).map(|(_, action)| action);
    RuleHit {
        id: id.map(redact::name),
        message: redact::message(text(data.msg.as_ref()).unwrap_or_default()),
        phase,
        variable: matched.and_then(found_within).map(redact::name),
        data: matched.and_then(MatchedData::new),
        severity: scalar(data.severity.as_ref()).and_then(grade),
        crs,
        action: written.unwrap_or_else(|| action_of(id, crs, phase, None)),
    }
}

/// Severity by number or by name; −1 and `emergency`, which is 0, stand for none.
fn grade(text: &str) -> Option<String> {
    let name = text.to_ascii_uppercase();
    if name.starts_with('-') || name == "EMERGENCY" { None } else { severity(&name) }
}
