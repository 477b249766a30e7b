//! AWS WAF: the rule's action becomes Count, and a rule after it blocks what bears its label, but for the upload's path.
//!
//! Source: docs.aws.amazon.com/waf, "Action overrides" and "Baseline rule groups" (labels).

use serde_json::{Value, json};

use super::language::Snippet;
use super::{Exclusion, Place};

/// The managed rule groups whose rules refuse uploads: what their rules' names begin with, the group's name, and the part of
/// the label that stands for it.
const GROUPS: [(&str, &str, &str); 12] = [
    ("SizeRestrictions_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("CrossSiteScripting_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("GenericLFI_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("GenericRFI_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("RestrictedExtensions_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("EC2MetaDataSSRF_", "AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("SQLi_", "AWSManagedRulesSQLiRuleSet", "sql-database"),
    ("SQLiExtendedPatterns_", "AWSManagedRulesSQLiRuleSet", "sql-database"),
    ("WindowsShellCommands_", "AWSManagedRulesWindowsRuleSet", "windows-os"),
    ("PowerShellCommands_", "AWSManagedRulesWindowsRuleSet", "windows-os"),
    ("UNIXShellCommandsVariables_", "AWSManagedRulesUnixRuleSet", "posix-os"),
    ("PHPHighRiskMethodsVariables_", "AWSManagedRulesPHPRuleSet", "php-app"),
];

/// A rule with its group, and the places where it is to look away.
struct Override<'a> {
    rule: &'a str,
    group: &'static str,
    label: String,
    places: Vec<&'a Place>,
}

/// The rules of a web ACL: first the groups with their overrides, then what blocks in their stead.
pub(super) fn snippet(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let mut overrides: Vec<Override<'_>> = Vec::new();
    for exclusion in exclusions {
        let rule = exclusion.rule.rsplit('/').next().unwrap_or_default();
        let Some((_, group, namespace)) = GROUPS.iter().find(|(start, ..)| rule.starts_with(start)) else {
            snippet.left_out.push(format!(
                "rule `{rule}` is none of the managed groups that are known here: give the name that the log of AWS WAF has in \
                 `terminatingRule` or `ruleGroupList`, such as `--rule SizeRestrictions_BODY`"
            ));
            continue;
        };
        snippet.opens.push(exclusion.whole().opens());
        match overrides.iter_mut().find(|known| known.rule == rule) {
            Some(known) if known.places.contains(&&exclusion.place) => {}
            Some(known) => known.places.push(&exclusion.place),
            None => overrides.push(Override {
                rule,
                group,
                label: format!("awswaf:managed:aws:{namespace}:{}", labelled(rule)),
                places: vec![&exclusion.place],
            }),
        }
    }
    if overrides.is_empty() {
        return snippet;
    }
    let mut groups: Vec<&str> = overrides.iter().map(|it| it.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let counted = groups.iter().map(|group| managed(group, &overrides));
    let blocked = overrides.iter().map(|it| blocks(it));
    let rules: Vec<Value> = (0..).zip(counted.chain(blocked)).map(|(at, rule)| numbered(rule, at)).collect();
    snippet.text = pretty(&Value::Array(rules));
    snippet.notes.extend([
        "change the rule of each managed group that the web ACL has already, and keep what it says beside; give the \
         priorities that fit: each group before the rule that blocks by its label"
            .to_owned(),
        "a label's last word is written as in the group's documentation (`_Body`, not `_BODY`): look it up in a log record \
         first, or nothing is blocked by it"
            .to_owned(),
        "the command line of AWS wants `SearchString` in base64; CloudFormation and Terraform take it as it stands".to_owned(),
    ]);
    snippet
}

/// `SizeRestrictions_BODY` as its label has it: `SizeRestrictions_Body`.
fn labelled(rule: &str) -> String {
    let Some((name, part)) = rule.rsplit_once('_') else { return rule.to_owned() };
    let part = match part {
        "BODY" => "Body",
        "QUERYARGUMENTS" => "QueryArguments",
        "QUERYSTRING" => "QueryString",
        "COOKIE" => "Cookie",
        "COOKIE_HEADER" => "Cookie_Header",
        "HEADER" => "Header",
        "URIPATH" => "URIPath",
        other => other,
    };
    format!("{name}_{part}")
}

fn managed(group: &str, overrides: &[Override<'_>]) -> Value {
    let rules = overrides.iter().filter(|it| it.group == group);
    let actions: Vec<Value> = rules.map(|it| json!({ "Name": it.rule, "ActionToUse": { "Count": {} } })).collect();
    json!({
        "Name": group,
        "OverrideAction": { "None": {} },
        "Statement": { "ManagedRuleGroupStatement": {
            "VendorName": "AWS", "Name": group, "RuleActionOverrides": actions,
        } },
    })
}

fn blocks(rule: &Override<'_>) -> Value {
    let places: Vec<Value> = rule.places.iter().map(|place| upload(place)).collect();
    let anywhere = match <[Value; 1]>::try_from(places) {
        Ok([only]) => only,
        Err(several) => json!({ "OrStatement": { "Statements": several } }),
    };
    json!({
        "Name": format!("{}-except-uploads", rule.rule.replace('_', "-")),
        "Action": { "Block": {} },
        "Statement": { "AndStatement": { "Statements": [
            { "LabelMatchStatement": { "Scope": "LABEL", "Key": rule.label } },
            { "NotStatement": { "Statement": anywhere } },
        ] } },
    })
}

fn upload(place: &Place) -> Value {
    let matches = |field: Value, how: &str, text: &str| {
        json!({ "ByteMatchStatement": {
            "FieldToMatch": field, "PositionalConstraint": how, "SearchString": text,
            "TextTransformations": [{ "Priority": 0, "Type": "NONE" }],
        } })
    };
    let path = match place.path.exact() {
        Some(path) => matches(json!({ "UriPath": {} }), "EXACTLY", path),
        None => matches(json!({ "UriPath": {} }), "STARTS_WITH", place.path.prefix()),
    };
    json!({ "AndStatement": { "Statements": [path, matches(json!({ "Method": {} }), "EXACTLY", &place.method)] } })
}

/// With what every rule of a web ACL must have.
fn numbered(mut rule: Value, priority: u32) -> Value {
    rule["Priority"] = priority.into();
    rule["VisibilityConfig"] = json!({
        "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": rule["Name"],
    });
    rule
}

/// JSON for people.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
