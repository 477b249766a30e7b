//! Logs of AWS WAF, one request a line, from S3, `CloudWatch` Logs or Data Firehose.
//!
//! Source: AWS WAF developer guide, "Log fields for protection pack (web ACL) traffic" and "Log examples".

use serde::Deserialize;
use serde_json::error::Category;

use super::Transaction;
use super::hit::{Action, RuleHit};
use super::json_text::{Scalar, Text, scalar, text};
use super::redact::{self, MatchedData};
use super::transaction::{Builder, Engine};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    timestamp: Option<Scalar<'a>>,
    /// Only there to tell a record from other JSON.
    #[serde(borrow, rename = "webaclId")]
    _webacl_id: Text<'a>,
    #[serde(borrow)]
    terminating_rule_id: Option<Text<'a>>,
    #[serde(borrow)]
    terminating_rule_type: Option<Text<'a>>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    terminating_rule_match_details: Option<Vec<Detail<'a>>>,
    #[serde(borrow)]
    rule_group_list: Option<Vec<RuleGroup<'a>>>,
    #[serde(borrow)]
    non_terminating_matching_rules: Option<Vec<Rule<'a>>>,
    #[serde(borrow)]
    response_code_sent: Option<Scalar<'a>>,
    #[serde(borrow)]
    http_request: Option<HttpRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleGroup<'a> {
    #[serde(borrow, rename = "ruleGroupId")]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    terminating_rule: Option<Rule<'a>>,
    #[serde(borrow)]
    non_terminating_matching_rules: Option<Vec<Rule<'a>>>,
    #[serde(borrow)]
    excluded_rules: Option<Vec<ExcludedRule<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    #[serde(borrow, rename = "ruleId")]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    action: Option<Text<'a>>,
    /// The action that the rule would have if the web ACL did not make it count.
    #[serde(borrow)]
    overridden_action: Option<Text<'a>>,
    #[serde(borrow, rename = "ruleMatchDetails")]
    details: Option<Vec<Detail<'a>>>,
}

/// A rule of a group that counts instead of doing what it does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExcludedRule<'a> {
    #[serde(borrow, rename = "ruleId")]
    id: Option<Text<'a>>,
}

/// What matched; there for SQL injection and cross-site scripting only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow)]
    condition_type: Option<Text<'a>>,
    #[serde(borrow)]
    location: Option<Text<'a>>,
    #[serde(borrow)]
    matched_field_name: Option<Text<'a>>,
    #[serde(borrow)]
    matched_data: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequest<'a> {
    #[serde(borrow)]
    headers: Option<Vec<Header<'a>>>,
    #[serde(borrow)]
    args: Option<Text<'a>>,
    #[serde(borrow)]
    request_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

/// Reads one record.
pub(super) fn transaction(record: &[u8]) -> Result<Option<Transaction>, &'static str> {
    let record: Record<'_> = serde_json::from_slice(record).map_err(|error| match error.classify() {
        Category::Data => "JSON, but not a record of AWS WAF",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    })?;
    let mut builder = Builder::default();
    builder.transaction.at = scalar(record.timestamp.as_ref()).map(redact::name);
    builder.transaction.status = scalar(record.response_code_sent.as_ref()).and_then(|status| status.parse().ok());
    if let Some(request) = &record.http_request {
        builder.transaction.unique_id = text(request.request_id.as_ref()).map(redact::request_id);
        // A field that the web ACL redacts stands there as `REDACTED`.
        for header in request.headers.iter().flatten().filter(|header| header.value.0 != "REDACTED") {
            builder.header(&header.name.0, &header.value.0);
        }
        if let Some(args) = text(request.args.as_ref()) {
            builder.request_line(&format!("?{args}"));
        }
    }
    let refused = refuses(&record.action.0);
    let groups = record.rule_group_list.as_deref().unwrap_or_default();
    let by_group = text(record.terminating_rule_type.as_ref()).is_some_and(|kind| kind.ends_with("GROUP"));
    // A group whose action is overridden to count goes on after its terminating rule: the last one ended it.
    let last = groups.iter().rposition(|group| group.terminating_rule.is_some()).filter(|_| refused && by_group);
    for (at, group) in groups.iter().enumerate() {
        let name = text(group.id.as_ref()).map_or("", group_name);
        for rule in group.non_terminating_matching_rules.iter().flatten() {
            builder.push(counted(rule, name));
        }
        for rule in group.excluded_rules.iter().flatten() {
            builder.push(hit(text(rule.id.as_ref()), name, None, Action::Disruptive));
        }
        if let Some(rule) = &group.terminating_rule {
            let action = match (text(rule.action.as_ref()).is_some_and(refuses), last == Some(at)) {
                (true, true) => Action::Refused,
                (true, false) => Action::Disruptive,
                (false, _) => Action::NonDisruptive,
            };
            let of_request = record.terminating_rule_match_details.as_deref().filter(|_| last == Some(at));
            let detail = rule.details.iter().flatten().chain(of_request.unwrap_or_default()).next();
            builder.push(hit(text(rule.id.as_ref()), name, detail, action));
        }
    }
    for rule in record.non_terminating_matching_rules.iter().flatten() {
        builder.push(counted(rule, ""));
    }
    if refused && last.is_none() {
        let kind = text(record.terminating_rule_type.as_ref()).unwrap_or_default();
        let detail = record.terminating_rule_match_details.as_deref().unwrap_or_default().first();
        builder.push(hit(text(record.terminating_rule_id.as_ref()), kind, detail, Action::Refused));
    }
    builder.transaction.intercepted = refused;
    Ok(Some(builder.finish(Engine::TellsRefusals)))
}

/// Whether an action keeps the request from the application.
fn refuses(action: &str) -> bool {
    ["BLOCK", "CAPTCHA", "CHALLENGE"].iter().any(|known| action.eq_ignore_ascii_case(known))
}

/// A rule that matched and let the request go on.
fn counted(rule: &Rule<'_>, group: &str) -> RuleHit {
    let counts = text(rule.action.as_ref()).is_some_and(|action| action.eq_ignore_ascii_case("COUNT"));
    // A rule that counts by its own action may be there for its label only: nothing tells. One that was overridden tells
    // what it does otherwise. A CAPTCHA or challenge that did not end the request was solved before.
    let disruptive = counts && text(rule.overridden_action.as_ref()).is_none_or(refuses);
    let action = if disruptive { Action::Disruptive } else { Action::NonDisruptive };
    hit(text(rule.id.as_ref()), group, rule.details.iter().flatten().next(), action)
}

fn hit(id: Option<&str>, of: &str, detail: Option<&Detail<'_>>, action: Action) -> RuleHit {
    /// Pieces that are joined of what matched.
    const PIECES: usize = 16;
    let condition = detail.and_then(|detail| text(detail.condition_type.as_ref()));
    let message =
        [Some(of).filter(|of| !of.is_empty()), condition].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let place = detail.and_then(|detail| text(detail.location.as_ref()).zip(Some(detail)));
    let variable = place.map(|(location, detail)| match text(detail.matched_field_name.as_ref()) {
        Some(name) => redact::name(&format!("{location}:{name}")),
        None => redact::name(location),
    });
    let pieces = detail.and_then(|detail| detail.matched_data.as_deref()).unwrap_or_default();
    let data = pieces.iter().take(PIECES).map(|piece| piece.0.as_ref()).collect::<Vec<_>>().join(" ");
    RuleHit {
        id: id.map(redact::name),
        message: redact::message(&message),
        phase: None,
        variable,
        data: MatchedData::new(&data),
        severity: None,
        crs: false,
        action,
    }
}

/// The name of a rule group: `AWS#AWSManagedRulesCommonRuleSet`, or the one but last part of an ARN.
fn group_name(id: &str) -> &str {
    match id.rsplit_once('#') {
        Some((_, name)) => name,
        None => id.rsplit('/').nth(1).unwrap_or(id),
    }
}
