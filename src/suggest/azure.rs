//! Azure: exclusions of one field for one rule, where the rule reads fields; else the rule's action becomes Log.
//!
//! Source: learn.microsoft.com, "Web Application Firewall exclusion lists" of Application Gateway and Front Door.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::aws_waf::pretty;
use super::language::Snippet;
use super::{Exclusion, Key, Target};

/// Groups of rules by what their ids begin with: Application Gateway (OWASP 3.2), Front Door (Default Rule Set 2.1).
const GROUPS: [(&str, &str, &str); 13] = [
    ("2000", "General", "General"),
    ("911", "REQUEST-911-METHOD-ENFORCEMENT", "METHOD-ENFORCEMENT"),
    ("920", "REQUEST-920-PROTOCOL-ENFORCEMENT", "PROTOCOL-ENFORCEMENT"),
    ("921", "REQUEST-921-PROTOCOL-ATTACK", "PROTOCOL-ATTACK"),
    ("930", "REQUEST-930-APPLICATION-ATTACK-LFI", "LFI"),
    ("931", "REQUEST-931-APPLICATION-ATTACK-RFI", "RFI"),
    ("932", "REQUEST-932-APPLICATION-ATTACK-RCE", "RCE"),
    ("933", "REQUEST-933-APPLICATION-ATTACK-PHP", "PHP"),
    ("934", "REQUEST-934-APPLICATION-ATTACK-NODEJS", "NODEJS"),
    ("941", "REQUEST-941-APPLICATION-ATTACK-XSS", "XSS"),
    ("942", "REQUEST-942-APPLICATION-ATTACK-SQLI", "SQLI"),
    ("943", "REQUEST-943-APPLICATION-ATTACK-SESSION-FIXATION", "FIX"),
    ("944", "REQUEST-944-APPLICATION-ATTACK-JAVA", "JAVA"),
];

/// Which of the two products.
#[derive(Clone, Copy)]
enum Product {
    AppGateway,
    FrontDoor,
}

/// What is excluded of a request: the variable's name, how its names are compared, and with which.
struct Field {
    variable: &'static str,
    operator: &'static str,
    selector: String,
}

impl Field {
    /// `None`: the product has no exclusions for this part.
    fn new(target: Option<&Target>, product: Product) -> Option<Self> {
        let target = target?;
        let variable = match (target.variable.as_str(), product) {
            ("ARGS" | "ARGS_POST", Product::AppGateway) => "RequestArgValues",
            ("ARGS_NAMES", Product::AppGateway) => "RequestArgKeys",
            ("REQUEST_HEADERS", Product::AppGateway) => "RequestHeaderValues",
            ("ARGS" | "ARGS_POST", Product::FrontDoor) => "RequestBodyPostArgNames",
            ("REQUEST_HEADERS", Product::FrontDoor) => "RequestHeaderNames",
            _ => return None,
        };
        Some(match &target.key {
            Key::Name(name) => Self { variable, operator: "Equals", selector: String::from_utf8(name.clone()).ok()? },
            Key::None | Key::Unreadable => Self { variable, operator: "EqualsAny", selector: "*".to_owned() },
        })
    }

    fn json(&self) -> Value {
        json!({
            "matchVariable": self.variable, "selectorMatchOperator": self.operator, "selector": self.selector,
        })
    }
}

fn group(rule: &str, product: Product) -> Option<&'static str> {
    let known = rule.len() == 6 && rule.bytes().all(|byte| byte.is_ascii_digit());
    let (_, gateway, door) = GROUPS.iter().filter(|_| known).find(|(start, ..)| rule.starts_with(start))?;
    Some(match product {
        Product::AppGateway => gateway,
        Product::FrontDoor => door,
    })
}

/// The exclusions that can be written, each with its group; what can't is said.
fn sorted<'a>(
    exclusions: &'a [Exclusion],
    product: Product,
    snippet: &mut Snippet,
) -> Vec<(&'static str, &'a str, Option<Field>)> {
    let mut found = Vec::new();
    for exclusion in exclusions {
        match group(&exclusion.rule, product) {
            Some(group) => {
                let field = Field::new(exclusion.target.as_ref(), product);
                if field.is_none() {
                    snippet.notes.push(format!(
                        "rule {} reads a part that no exclusion can name, so its action becomes Log, whatever it looks at",
                        exclusion.rule
                    ));
                }
                let written = if field.is_some() { exclusion.clone() } else { exclusion.whole() };
                snippet.opens.push(written.opens());
                found.push((group, exclusion.rule.as_str(), field));
            }
            None => snippet.left_out.push(format!(
                "rule `{}` is in no group of the managed rules that is known here: give the id that the log has in \
                 `ruleId` or `ruleName`, such as `--rule 941310=ARGS:memo`",
                exclusion.rule
            )),
        }
    }
    let places = exclusions.iter().map(|exclusion| format!("{} {}", exclusion.place.method, exclusion.place.path));
    let mut places: Vec<String> = places.collect();
    places.sort();
    places.dedup();
    if !found.is_empty() {
        let scope = match product {
            Product::AppGateway => "the policy of the path rule",
            Product::FrontDoor => "a policy of its own for the route",
        };
        snippet.notes.push(format!(
            "exclusions have no path: put them into {scope} of {}, or they hold for all that the policy guards",
            places.join(", ")
        ));
    }
    found
}

fn logged(rules: &[(&'static str, &str, Option<Field>)], state: (&str, &str)) -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (group, rule, _) in rules.iter().filter(|(_, _, field)| field.is_none()) {
        groups.entry(group).or_default().push(json!({ "ruleId": rule, state.0: state.1, "action": "Log" }));
    }
    groups.into_iter().map(|(group, rules)| json!({ "ruleGroupName": group, "rules": rules })).collect()
}

pub(super) fn app_gateway(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let rules = sorted(exclusions, Product::AppGateway, &mut snippet);
    if rules.is_empty() {
        return snippet;
    }
    let set = |groups: Value, key: &str| json!({ "ruleSetType": "OWASP", "ruleSetVersion": "3.2", key: groups });
    let excluded = rules.iter().filter_map(|(group, rule, field)| {
        let mut entry = field.as_ref()?.json();
        let groups = json!([{ "ruleGroupName": group, "rules": [{ "ruleId": rule }] }]);
        entry["exclusionManagedRuleSets"] = json!([set(groups, "ruleGroups")]);
        Some(entry)
    });
    let excluded: Vec<Value> = excluded.collect();
    let sets = set(logged(&rules, ("state", "Enabled")).into(), "ruleGroupOverrides");
    snippet.text = pretty(&json!({ "managedRules": { "exclusions": excluded, "managedRuleSets": [sets] } }));
    snippet
}

pub(super) fn front_door(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let rules = sorted(exclusions, Product::FrontDoor, &mut snippet);
    if rules.is_empty() {
        return snippet;
    }
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Field>>> = BTreeMap::new();
    for (group, rule, field) in &rules {
        groups.entry(group).or_default().entry(rule).or_default().extend(field);
    }
    let overrides = groups.into_iter().map(|(group, rules)| {
        let rules = rules.into_iter().map(|(rule, fields)| match &fields[..] {
            [] => json!({ "ruleId": rule, "enabledState": "Enabled", "action": "Log" }),
            fields => json!({
                "ruleId": rule, "enabledState": "Enabled",
                "exclusions": fields.iter().map(|field| field.json()).collect::<Vec<_>>(),
            }),
        });
        json!({ "ruleGroupName": group, "rules": rules.collect::<Vec<_>>() })
    });
    snippet.text = pretty(&json!({ "managedRules": { "managedRuleSets": [{
        "ruleSetType": "Microsoft_DefaultRuleSet", "ruleSetVersion": "2.1", "ruleSetAction": "Block",
        "ruleGroupOverrides": overrides.collect::<Vec<_>>(),
    }] } }));
    snippet.notes.push(
        "where the log's match variable is `InitialBodyContents` or `DecodedInitialBodyContents`, exclusions do not apply: \
         the rule's action for this route is all that helps"
            .to_owned(),
    );
    snippet
}
