//! Request logs of Google Cloud's load balancers, which have what Cloud Armor did in them: entries of Cloud Logging, one a
//! line or in an array.
//!
//! Source: docs.cloud.google.com/armor/docs, "Use request logging" and "Verbose logging"; `LogEntry` of Cloud Logging.

use serde::Deserialize;
use serde_json::error::Category;

use super::Transaction;
use super::hit::{Action, RuleHit};
use super::json_text::{Scalar, Text, scalar, text};
use super::redact::{self, MatchedData};
use super::transaction::{Builder, Engine};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    insert_id: Option<Text<'a>>,
    /// `projects/PROJECT/traces/TRACE`
    #[serde(borrow)]
    trace: Option<Text<'a>>,
    #[serde(borrow)]
    http_request: Option<HttpRequest<'a>>,
    #[serde(borrow)]
    json_payload: Payload<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequest<'a> {
    #[serde(borrow)]
    request_url: Option<Text<'a>>,
    status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    status_details: Option<Text<'a>>,
    #[serde(borrow)]
    enforced_security_policy: Option<Policy<'a>>,
    #[serde(borrow)]
    enforced_edge_security_policy: Option<Policy<'a>>,
    #[serde(borrow)]
    preview_security_policy: Option<Policy<'a>>,
    #[serde(borrow)]
    preview_edge_security_policy: Option<Policy<'a>>,
}

/// A policy, and the rule of it that matched.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    priority: Option<Scalar<'a>>,
    #[serde(borrow)]
    outcome: Option<Text<'a>>,
    #[serde(borrow)]
    preconfigured_expr_ids: Option<Vec<Text<'a>>>,
    // With `--log-level=VERBOSE`.
    #[serde(borrow)]
    matched_field_type: Option<Text<'a>>,
    #[serde(borrow)]
    matched_field_name: Option<Text<'a>>,
    #[serde(borrow)]
    matched_field_value: Option<Text<'a>>,
}

/// Reads one entry.
pub(super) fn transaction(record: &[u8]) -> Result<Option<Transaction>, &'static str> {
    let entry: Entry<'_> = serde_json::from_slice(record).map_err(|error| match error.classify() {
        Category::Data => "JSON, but not an entry of a load balancer's request log",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    })?;
    let mut builder = Builder::default();
    let trace = text(entry.trace.as_ref()).and_then(|trace| trace.rsplit('/').next());
    builder.transaction.unique_id = trace.or(text(entry.insert_id.as_ref())).map(redact::request_id);
    builder.transaction.at = text(entry.timestamp.as_ref()).map(redact::name);
    if let Some(request) = &entry.http_request {
        builder.transaction.status = request.status;
        if let Some(url) = text(request.request_url.as_ref()) {
            builder.request_line(url);
        }
    }
    let payload = &entry.json_payload;
    for policy in [&payload.preview_edge_security_policy, &payload.preview_security_policy].into_iter().flatten() {
        push(policy, Action::Disruptive, &mut builder);
    }
    for policy in [&payload.enforced_edge_security_policy, &payload.enforced_security_policy].into_iter().flatten() {
        push(policy, Action::Refused, &mut builder);
    }
    builder.transaction.intercepted =
        text(payload.status_details.as_ref()).is_some_and(|details| details.ends_with("_by_security_policy"));
    Ok(Some(builder.finish(Engine::TellsRefusals)))
}

/// Takes the rule that a policy tells of. `refusing`: what it is when its outcome refuses.
fn push(policy: &Policy<'_>, refusing: Action, builder: &mut Builder) {
    let refuses = text(policy.outcome.as_ref()).is_some_and(|outcome| matches!(outcome, "DENY" | "REDIRECT"));
    let name = text(policy.name.as_ref()).unwrap_or("security policy");
    let rule =
        scalar(policy.priority.as_ref()).map_or_else(|| name.to_owned(), |priority| format!("{name}/{priority}"));
    let signatures = policy.preconfigured_expr_ids.as_deref().unwrap_or_default();
    // A rule that accepts and has no signatures is the default one, or one that lets somebody in.
    let alone = (signatures.is_empty() && refuses).then_some(rule.as_str());
    let variable =
        text(policy.matched_field_type.as_ref()).map(|kind| match text(policy.matched_field_name.as_ref()) {
            Some(name) => redact::name(&format!("{kind}:{name}")),
            None => redact::name(kind),
        });
    for id in signatures.iter().map(|id| id.0.as_ref()).chain(alone) {
        builder.push(RuleHit {
            id: Some(redact::name(id)),
            message: redact::message(&format!(
                "policy {name}, rule {}",
                scalar(policy.priority.as_ref()).unwrap_or("?")
            )),
            phase: None,
            variable: variable.clone(),
            data: text(policy.matched_field_value.as_ref()).and_then(MatchedData::new),
            severity: None,
            crs: id.starts_with("owasp-crs"),
            action: if refuses { refusing } else { Action::NonDisruptive },
        });
    }
}
