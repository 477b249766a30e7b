//! Cloudflare: rules that skip single managed rules for the upload's path, to stand before the rule that executes their set.
//!
//! Source: developers.cloudflare.com/waf/managed-rules/waf-exceptions/define-api.

use serde_json::{Value, json};

use super::aws_waf::pretty;
use super::language::{Snippet, one_line};
use super::{Exclusion, Place};

/// The rule of the OWASP set that adds up the score, "949110: Inbound Anomaly Score Exceeded".
const SCORE: &str = "6179ae15870a4bb7b2d480d4843b323c";

/// Whether a rule of Cloudflare adds up the score.
pub(super) fn evaluates(rule: &str) -> bool {
    rule.ends_with(SCORE)
}

pub(super) fn snippet(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let mut skips: Vec<Value> = Vec::new();
    for exclusion in exclusions {
        match exclusion.rule.split_once('/') {
            Some((set, rule)) if is_id(set) && is_id(rule) && !evaluates(rule) => {
                snippet.opens.push(exclusion.whole().opens());
                skips.push(json!({
                    "action": "skip",
                    "description": one_line(&exclusion.why()),
                    "expression": expression(&exclusion.place),
                    "action_parameters": { "rules": { set: [rule] } },
                }));
            }
            None if is_id(&exclusion.rule) => snippet.left_out.push(format!(
                "the log does not tell the ruleset of rule `{0}`: the dashboard does; give it as `--rule RULESET/{0}`",
                exclusion.rule
            )),
            Some(_) | None => snippet.left_out.push(format!(
                "rule `{}` is no id of Cloudflare: Security Events have it for the answer's Ray ID; give it as \
                 `--rule RULESET/RULE`, 32 hex digits each",
                one_line(&exclusion.rule)
            )),
        }
    }
    if !skips.is_empty() {
        snippet.text = pretty(&Value::Array(skips));
        snippet.notes.push(
            "each goes into the phase `http_request_firewall_managed` with `\"position\": {\"before\": \"ID\"}` of the rule that \
             executes the set: after it, a skip does nothing"
                .to_owned(),
        );
    }
    snippet
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn expression(place: &Place) -> String {
    let path = match place.path.exact() {
        Some(path) => format!("http.request.uri.path eq {}", quoted(path)),
        None => format!("starts_with(http.request.uri.path, {})", quoted(place.path.prefix())),
    };
    format!("http.host eq {} and http.request.method eq {} and {path}", quoted(&place.host), quoted(&place.method))
}

/// A text of the rule language, and of CEL.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
