//! Audit logs in JSON, one transaction a line: ModSecurity 2 and 3 name things differently, and share this reader.

use std::io::Read;

use serde::Deserialize;
use serde_json::error::Category;

use super::hit::{Action, RuleHit};
use super::json_records::{self, Layout};
use super::json_text::{Headers, Text};
use super::read::Sink;
use super::redact::{self, MatchedData};
use super::rule_text::{action_of, in_crs, rule_text, severity, words_of_match};
use super::transaction::{Builder, Engine};
use super::{EngineMode, Transaction};

/// A line. ModSecurity 3 has all in `transaction`; ModSecurity 2 has the parts beside it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    transaction: Part<'a>,
    #[serde(borrow, default)]
    request: Request<'a>,
    #[serde(default)]
    response: Response,
    #[serde(borrow)]
    audit_data: Option<AuditData<'a>>,
    #[serde(borrow, default)]
    matched_rules: Vec<MatchedRules<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, alias = "transaction_id")]
    unique_id: Option<Text<'a>>,
    #[serde(borrow, alias = "time")]
    time_stamp: Option<Text<'a>>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
    response: Option<Response>,
    #[serde(borrow)]
    producer: Option<Producer<'a>>,
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    /// Since 3.0.13.
    is_interrupted: Option<bool>,
}

#[derive(Deserialize, Default)]
struct Request<'a> {
    #[serde(borrow, alias = "request_line")]
    uri: Option<Text<'a>>,
    #[serde(borrow, default)]
    headers: Headers<'a>,
}

#[derive(Deserialize, Default)]
struct Response {
    #[serde(alias = "http_code")]
    status: Option<u16>,
}

#[derive(Deserialize)]
struct Producer<'a> {
    #[serde(borrow)]
    secrules_engine: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    details: Details<'a>,
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow, rename = "match")]
    matched: Option<Text<'a>>,
    #[serde(borrow, rename = "ruleId")]
    rule_id: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    severity: Option<Text<'a>>,
    #[serde(borrow)]
    ver: Option<Text<'a>>,
    #[serde(borrow, default)]
    tags: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct AuditData<'a> {
    #[serde(borrow, default)]
    messages: Vec<Text<'a>>,
    action: Option<ActionTaken>,
    #[serde(borrow)]
    engine_mode: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ActionTaken {
    #[serde(default)]
    intercepted: bool,
}

/// Part K: the rules that matched, as they are written.
#[derive(Deserialize)]
struct MatchedRules<'a> {
    #[serde(borrow, default)]
    rules: Vec<MatchedRule<'a>>,
}

#[derive(Deserialize)]
struct MatchedRule<'a> {
    #[serde(borrow)]
    unparsed: Option<Text<'a>>,
}

/// Reads an audit log in JSON, or the index of a concurrent one.
pub(super) fn read(source: impl Read, sink: &mut Sink<'_>) -> std::io::Result<()> {
    json_records::read(source, Layout::Lines, sink, transaction, |transaction, sink| sink.give(transaction))
}

/// Reads one record with shortened strings. `Err`: why it is none, in words that hold nothing of it.
fn transaction(record: &[u8]) -> Result<Transaction, &'static str> {
    let line: Line<'_> = serde_json::from_slice(record).map_err(|error| match error.classify() {
        Category::Data => "JSON, but not a transaction of ModSecurity",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    })?;
    let mut part = line.transaction;
    let request = part.request.take().unwrap_or(line.request);
    let mut builder = Builder::default();
    let transaction = &mut builder.transaction;
    transaction.unique_id = part.unique_id.map(|id| redact::name(&id.0));
    transaction.at = part.time_stamp.map(|at| redact::name(&at.0));
    transaction.status = part.response.and_then(|response| response.status).or(line.response.status);
    let mode = part.producer.and_then(|producer| producer.secrules_engine);
    transaction.engine_mode = mode.as_ref().and_then(|mode| EngineMode::parse(&mode.0));
    if let Some(attempt) = request.headers.attempt {
        builder.header("x-wafcanary-attempt", &attempt);
    }
    if let Some(case) = request.headers.case {
        builder.header("x-wafcanary-case", &case);
    }
    if let Some(uri) = request.uri {
        builder.request_line(&uri.0);
    }
    for message in part.messages {
        builder.push(hit_of_3(&message));
    }
    builder.transaction.intercepted = part.is_interrupted.unwrap_or(false);
    let engine = if let Some(audit) = line.audit_data {
        let mode = audit.engine_mode;
        builder.transaction.engine_mode = mode.as_ref().and_then(|mode| EngineMode::parse(&mode.0));
        for message in &audit.messages {
            builder.push(rule_text(&message.0, false).hit);
        }
        builder.transaction.intercepted = audit.action.is_some_and(|action| action.intercepted);
        Engine::TellsRefusals
    } else if part.is_interrupted.is_some() {
        Engine::TellsRefusals
    } else {
        Engine::HidesRefusals
    };
    for rule in line.matched_rules.iter().flat_map(|matched| &matched.rules) {
        if let Some(text) = &rule.unparsed {
            builder.rule_source(&text.0);
        }
    }
    Ok(builder.finish(engine))
}

fn hit_of_3(message: &Message<'_>) -> RuleHit {
    let details = &message.details;
    let id = details.rule_id.as_ref().map(|id| id.0.as_ref()).filter(|id| !id.is_empty() && *id != "0");
    let (variable, value) = details.matched.as_ref().map_or((None, None), |matched| words_of_match(&matched.0));
    let data = details.data.as_ref().map(|data| data.0.as_ref()).filter(|data| !data.is_empty());
    let crs = details.tags.iter().any(|tag| tag.0.starts_with("OWASP_CRS"))
        || details.ver.as_ref().is_some_and(|ver| ver.0.starts_with("OWASP_CRS"))
        || id.is_some_and(in_crs);
    RuleHit {
        id: id.map(redact::name),
        message: redact::message(&message.message.0),
        phase: None,
        variable: variable.map(redact::name),
        data: data.or(value).and_then(MatchedData::new),
        severity: details.severity.as_ref().and_then(|text| severity(&text.0)),
        crs,
        action: if id.is_none() { Action::Unknown } else { action_of(id, crs, None, variable) },
    }
}
