//! Diagnostic logs of Azure's WAF, one rule a record: `ApplicationGatewayFirewallLog` and
//! `FrontDoorWebApplicationFirewallLog`, as a storage account or an event hub has them.
//!
//! Source: MicrosoftDocs/azure-docs, `web-application-firewall/ag/web-application-firewall-logs.md`,
//! `ag/web-application-firewall-troubleshoot.md` and `afds/waf-front-door-monitor.md`.

use serde::Deserialize;
use serde_json::error::Category;

use super::hit::{Action, RuleHit};
use super::json_text::{Scalar, Text, scalar, text};
use super::redact::{self, MatchedData};
use super::rule_text::{action_of, found_within, in_crs};
use super::transaction::{Builder, Engine};
use super::{EngineMode, Transaction};

/// What kind of record it is: access logs and others come in the same export.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    category: Text<'a>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    time: Option<Text<'a>>,
    /// What Application Gateway v2 has instead.
    #[serde(borrow, rename = "timeStamp")]
    time_stamp: Option<Text<'a>>,
    #[serde(borrow)]
    properties: Properties<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    #[serde(borrow)]
    request_uri: Option<Text<'a>>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    details: Option<Details<'a>>,
    // Of Application Gateway.
    #[serde(borrow)]
    transaction_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    rule_set_type: Option<Text<'a>>,
    #[serde(borrow)]
    rule_id: Option<Scalar<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    // Of Front Door.
    #[serde(borrow)]
    tracking_reference: Option<Text<'a>>,
    #[serde(borrow)]
    rule_name: Option<Text<'a>>,
    #[serde(borrow)]
    policy_mode: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Details<'a> {
    // Of Application Gateway.
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    file: Option<Text<'a>>,
    // Of Front Door.
    #[serde(borrow)]
    msg: Option<Text<'a>>,
    #[serde(borrow)]
    matches: Option<Vec<Match<'a>>>,
    // Of both.
    #[serde(borrow)]
    data: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match<'a> {
    #[serde(borrow)]
    match_variable_name: Option<Text<'a>>,
    #[serde(borrow)]
    match_variable_value: Option<Text<'a>>,
}

/// Reads one record, which is a piece of a transaction. `None`: of another log.
pub(super) fn transaction(record: &[u8]) -> Result<Option<Transaction>, &'static str> {
    let reason = |error: serde_json::Error| match error.classify() {
        Category::Data => "JSON, but not a record of Azure's WAF",
        Category::Syntax | Category::Eof | Category::Io => "broken JSON",
    };
    let kind: Kind<'_> = serde_json::from_slice(record).map_err(reason)?;
    if !kind.category.0.to_ascii_lowercase().ends_with("firewalllog") {
        return Ok(None);
    }
    let record: Record<'_> = serde_json::from_slice(record).map_err(reason)?;
    let properties = record.properties;
    let mut builder = Builder::default();
    let id = text(properties.tracking_reference.as_ref()).or(scalar(properties.transaction_id.as_ref()));
    builder.transaction.unique_id = id.map(redact::request_id);
    builder.transaction.at = text(record.time.as_ref().or(record.time_stamp.as_ref())).map(redact::name);
    if let Some(uri) = text(properties.request_uri.as_ref()) {
        builder.request_line(uri);
    }
    let mode = text(properties.policy_mode.as_ref());
    let detecting = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("detection"));
    builder.transaction.engine_mode = detecting.then_some(EngineMode::DetectionOnly);
    builder.push(match text(properties.rule_name.as_ref()) {
        Some(name) => of_front_door(name, &properties, detecting),
        None => of_gateway(&properties),
    });
    Ok(Some(builder.finish(Engine::TellsRefusals)))
}

/// `Microsoft_DefaultRuleSet-2.1-SQLI-942100`, or the name of a custom rule.
fn of_front_door(name: &str, properties: &Properties<'_>, detecting: bool) -> RuleHit {
    let number = name.rsplit('-').next().filter(|id| id.len() >= 6 && id.bytes().all(|digit| digit.is_ascii_digit()));
    let details = properties.details.as_ref();
    let matched = details.and_then(|details| details.matches.as_deref()).and_then(<[_]>::first);
    let value = matched.and_then(|matched| text(matched.match_variable_value.as_ref()));
    let data = value.or(details.and_then(|details| text(details.data.as_ref())));
    RuleHit {
        id: Some(redact::name(number.unwrap_or(name))),
        message: redact::message(details.and_then(|details| text(details.msg.as_ref())).unwrap_or(name)),
        phase: None,
        variable: matched.and_then(|matched| text(matched.match_variable_name.as_ref())).map(redact::name),
        data: data.and_then(MatchedData::new),
        severity: None,
        crs: number.is_some_and(in_crs),
        action: match does(&properties.action.0) {
            Does::Refuse if detecting => Action::Disruptive,
            Does::Refuse => Action::Refused,
            Does::Detect | Does::Log => Action::Disruptive,
            Does::GoOn => Action::NonDisruptive,
        },
    }
}

fn of_gateway(properties: &Properties<'_>) -> RuleHit {
    let details = properties.details.as_ref();
    let file = details.and_then(|details| text(details.file.as_ref())).unwrap_or_default();
    let message = text(properties.message.as_ref()).unwrap_or_default();
    // The mandatory rules have no number of their own.
    let id = match scalar(properties.rule_id.as_ref()).filter(|id| *id != "0") {
        None if file.contains("-949-") => Some("949110"),
        None if file.contains("-980-") => Some("980130"),
        id => id,
    };
    let crs = id.is_some_and(in_crs);
    // The rules of Microsoft's set score as those of the CRS do, whose numbers some of them have.
    let set = text(properties.rule_set_type.as_ref()).unwrap_or_default();
    let scores = crs || set.starts_with("OWASP") || set.ends_with("DefaultRuleSet");
    let data = details.and_then(|details| text(details.data.as_ref()));
    let place = details.and_then(|details| text(details.message.as_ref())).and_then(place);
    let correlation = id.is_some_and(|id| crs && id.starts_with("980"));
    RuleHit {
        id: id.map(redact::name),
        message: redact::message(message.strip_prefix("Mandatory rule. Cannot be disabled. ").unwrap_or(message)),
        phase: None,
        variable: place.or_else(|| data.and_then(found_within)).map(redact::name),
        data: data.and_then(MatchedData::new),
        severity: None,
        crs,
        action: match does(&properties.action.0) {
            Does::Refuse if correlation => Action::NonDisruptive,
            Does::Refuse => Action::Refused,
            // In detection mode a rule that scores says the same as the evaluation of the score.
            Does::Detect if scores => action_of(id, scores, None, None),
            Does::Detect | Does::Log => Action::Disruptive,
            Does::GoOn => Action::NonDisruptive,
        },
    }
}

/// What an action does.
enum Does {
    /// It keeps the request from the application, if the policy is not in detection mode.
    Refuse,
    /// It would, were the policy not in detection mode; or it scores.
    Detect,
    /// The rule is set to log.
    Log,
    /// It scores or lets pass.
    GoOn,
}

fn does(action: &str) -> Does {
    match action.to_ascii_lowercase().as_str() {
        // A client that runs no script never gets past a challenge.
        "block"
        | "blocked"
        | "js challenge"
        | "jschallenge"
        | "jschallengeissued"
        | "jschallengeblock"
        | "captcha"
        | "captchachallengeissued"
        | "captchachallengeblock"
        | "redirect" => Does::Refuse,
        "detected" => Does::Detect,
        "log" | "logged" => Does::Log,
        _ => Does::GoOn,
    }
}

/// The variable at the end of `Warning. Pattern match \"…\" at REQUEST_HEADERS:Host. `.
fn place(sentence: &str) -> Option<&str> {
    let (_, place) = sentence.trim_end_matches([' ', '.']).rsplit_once(" at ")?;
    place.starts_with(|c: char| c.is_ascii_uppercase()).then_some(place)
}
