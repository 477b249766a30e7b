//! Logs of Cloudflare as Logpush writes them, one event or request a line: the dataset `firewall_events`, one line for each
//! rule that matched, and `http_requests`, whose field names Instant Logs has as well.
//!
//! Source: developers.cloudflare.com/logs, "Firewall events" and "HTTP requests".

use serde::Deserialize;
use serde_json::error::Category;

use super::Transaction;
use super::hit::{Action, RuleHit};
use super::json_text::{Headers, Scalar, Text, scalar, text};
use super::redact;
use super::transaction::{Builder, Engine};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    #[serde(borrow, rename = "RayID")]
    ray_id: Text<'a>,
    #[serde(borrow)]
    datetime: Option<Scalar<'a>>,
    #[serde(borrow)]
    edge_start_timestamp: Option<Scalar<'a>>,
    edge_response_status: Option<u16>,
    #[serde(borrow)]
    client_request_query: Option<Text<'a>>,
    #[serde(borrow, rename = "ClientRequestURI")]
    client_request_uri: Option<Text<'a>>,
    // Of `firewall_events`.
    #[serde(borrow)]
    action: Option<Text<'a>>,
    #[serde(borrow, rename = "RuleID")]
    rule_id: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    source: Option<Text<'a>>,
    // Of `http_requests`.
    #[serde(borrow)]
    request_headers: Option<Headers<'a>>,
    #[serde(borrow)]
    security_action: Option<Text<'a>>,
    #[serde(borrow)]
    security_actions: Option<Vec<Text<'a>>>,
    #[serde(borrow, rename = "SecurityRuleID")]
    security_rule_id: Option<Text<'a>>,
    #[serde(borrow, rename = "SecurityRuleIDs")]
    security_rule_ids: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    security_rule_description: Option<Text<'a>>,
    #[serde(borrow)]
    security_sources: Option<Vec<Text<'a>>>,
}

/// Reads one record: of `firewall_events`, a piece of a transaction.
pub(super) fn transaction(record: &[u8]) -> Result<Option<Transaction>, &'static str> {
    let record: Record<'_> = serde_json::from_slice(record).map_err(|error| match error.classify() {
        Category::Data => "JSON, but not an event of Cloudflare",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    })?;
    let mut builder = Builder::default();
    builder.transaction.unique_id = Some(redact::request_id(&record.ray_id.0));
    let at = record.datetime.as_ref().or(record.edge_start_timestamp.as_ref());
    builder.transaction.at = scalar(at).map(redact::name);
    builder.transaction.status = record.edge_response_status.filter(|status| *status != 0);
    let headers = record.request_headers.unwrap_or_default();
    if let Some(attempt) = headers.attempt {
        builder.header("x-wafcanary-attempt", &attempt);
    }
    if let Some(case) = headers.case {
        builder.header("x-wafcanary-case", &case);
    }
    if let Some(uri) = text(record.client_request_query.as_ref()).or(text(record.client_request_uri.as_ref())) {
        builder.request_line(uri);
    }
    if let Some(action) = text(record.action.as_ref()) {
        let words = text(record.description.as_ref()).or(text(record.source.as_ref())).unwrap_or_default();
        builder.push(hit(text(record.rule_id.as_ref()), words, action));
    }
    let of_request = text(record.security_rule_id.as_ref());
    let actions = record.security_actions.as_deref().unwrap_or_default();
    for (at, action) in actions.iter().enumerate() {
        let id = record.security_rule_ids.as_deref().and_then(|ids| text(ids.get(at)));
        let source = record.security_sources.as_deref().and_then(|sources| text(sources.get(at)));
        let described = text(record.security_rule_description.as_ref()).filter(|_| id.is_some() && id == of_request);
        builder.push(hit(id, described.or(source).unwrap_or_default(), &action.0));
    }
    if actions.is_empty()
        && let Some(action) = text(record.security_action.as_ref())
    {
        builder.push(hit(of_request, text(record.security_rule_description.as_ref()).unwrap_or_default(), action));
    }
    Ok(Some(builder.finish(Engine::TellsRefusals)))
}

fn hit(id: Option<&str>, words: &str, action: &str) -> RuleHit {
    RuleHit {
        id: id.map(redact::name),
        message: redact::message(words),
        phase: None,
        variable: None,
        data: None,
        severity: None,
        crs: false,
        action: action_of(action),
    }
}

/// What an action does to an upload: a challenge keeps it back, one that was solved or passed over does not.
fn action_of(action: &str) -> Action {
    match action.to_ascii_lowercase().as_str() {
        "block"
        | "challenge"
        | "jschallenge"
        | "managedchallenge"
        | "challengefailed"
        | "jschallengefailed"
        | "connectionclose"
        | "precursorinterstitialpageissued" => Action::Refused,
        "log" | "simulate" => Action::Disruptive,
        _ => Action::NonDisruptive,
    }
}
