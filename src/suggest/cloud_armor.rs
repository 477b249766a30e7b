//! Google Cloud Armor: the path gets a rule of its own without the signatures, and the rule that refuses leaves the path to it.
//!
//! Source: docs.cloud.google.com/armor/docs/rule-tuning (`opt_out_rule_ids`).

use std::fmt::Write as _;

use super::cloudflare::quoted;
use super::language::{Snippet, one_line};
use super::{Exclusion, Place};

/// Rule sets by what the ids of the Core Rule Set begin with. Those of 920 are not among them.
const SETS: [(&str, &str); 10] = [
    ("911", "methodenforcement"),
    ("921", "protocolattack"),
    ("930", "lfi"),
    ("931", "rfi"),
    ("932", "rce"),
    ("933", "php"),
    ("934", "nodejs"),
    ("941", "xss"),
    ("942", "sqli"),
    ("943", "sessionfixation"),
];

pub(super) fn snippet(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let mut groups: Vec<(&Place, &str, Vec<&Exclusion>)> = Vec::new();
    for exclusion in exclusions {
        let id = exclusion.rule.as_str();
        let known = id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_digit());
        let Some((_, set)) = SETS.iter().filter(|_| known).find(|(start, _)| id.starts_with(start)) else {
            snippet.left_out.push(format!(
                "rule `{}` is in no preconfigured rule set that is known here: give the id of the Core Rule Set that stands in the \
                 log's `preconfiguredExprIds` (`owasp-crs-v030301-id941310-xss` is 941310) with `--rule`",
                one_line(id)
            ));
            continue;
        };
        snippet.opens.push(exclusion.whole().opens());
        match groups.iter_mut().find(|(place, known, _)| *place == &exclusion.place && known == set) {
            Some((_, _, members)) if members.iter().any(|member| member.rule == exclusion.rule) => {}
            Some((_, _, members)) => members.push(exclusion),
            None => groups.push((&exclusion.place, set, vec![exclusion])),
        }
    }
    for (place, set, members) in groups {
        write(&mut snippet.text, place, set, &members);
    }
    snippet.commented = true;
    if !snippet.text.is_empty() {
        snippet.notes.push(
            "put in PRIORITY (a smaller number than that of the rule that refuses), POLICY, and the sensitivity of that rule; \
             try it with `--preview` first"
                .to_owned(),
        );
    }
    snippet
}

fn write(out: &mut String, place: &Place, set: &str, members: &[&Exclusion]) {
    if !out.is_empty() {
        out.push('\n');
    }
    for exclusion in members {
        let opens = exclusion.whole().opens();
        let _ = writeln!(out, "# {}.\n# opens: {}.", one_line(&exclusion.why()), one_line(&opens));
    }
    let path = match place.path.exact() {
        Some(path) => format!("request.path == {}", quoted(path)),
        None => format!("request.path.startsWith({})", quoted(place.path.prefix())),
    };
    let here = format!("{path} && request.method == {}", quoted(&place.method));
    let ids = members.iter().map(|exclusion| quoted(&format!("owasp-crs-v030301-id{}-{set}", exclusion.rule)));
    let ids = ids.collect::<Vec<_>>().join(", ");
    let waf = format!(
        "evaluatePreconfiguredWaf({}, {{\"sensitivity\": 1, \"opt_out_rule_ids\": [{ids}]}})",
        quoted(&format!("{set}-v33-stable"))
    );
    let _ = writeln!(
        out,
        "gcloud compute security-policies rules create PRIORITY --security-policy=POLICY --action=deny-403 \\\n    \
         --expression={}",
        shell(&format!("{here} && {waf}"))
    );
    let _ = writeln!(
        out,
        "# The expression of the rule that refuses now gets this before it, and its own in parentheses after it:\n#   {}",
        one_line(&format!("!({here}) &&"))
    );
}

/// One word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
