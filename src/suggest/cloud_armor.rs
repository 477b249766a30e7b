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

/// A signature and its rule set, from its own id (`owasp-crs-v030301-id941310-xss`) or that of the Core Rule Set.
fn signature(rule: &str) -> Option<(String, String)> {
    if let Some(rest) = rule.strip_prefix("owasp-crs-v") {
        let (version, rest) = rest.split_once("-id")?;
        let (_, set) = rest.split_once('-')?;
        // `030301` is version 3.3, whose sets end with `v33`; those of 4.22 end with `v422`.
        let (major, minor) = (version.get(..2)?.parse::<u32>().ok()?, version.get(2..4)?.parse::<u32>().ok()?);
        return Some((rule.to_owned(), format!("{set}-v{major}{minor}-stable")));
    }
    let known = rule.len() == 6 && rule.bytes().all(|byte| byte.is_ascii_digit());
    let (_, set) = SETS.iter().filter(|_| known).find(|(start, _)| rule.starts_with(start))?;
    Some((format!("owasp-crs-v030301-id{rule}-{set}"), format!("{set}-v33-stable")))
}

/// The signatures of one rule set that one place is to do without.
struct Group<'a> {
    place: &'a Place,
    set: String,
    members: Vec<(&'a Exclusion, String)>,
}

pub(super) fn snippet(exclusions: &[Exclusion]) -> Snippet {
    let mut snippet = Snippet::default();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for exclusion in exclusions {
        let Some((signature, set)) = signature(&exclusion.rule) else {
            snippet.left_out.push(format!(
                "rule `{}` is in no preconfigured rule set that is known here: give what stands in the log's \
                 `preconfiguredExprIds`, such as `--rule owasp-crs-v030301-id941310-xss`",
                one_line(&exclusion.rule)
            ));
            continue;
        };
        snippet.opens.push(exclusion.whole().opens());
        match groups.iter_mut().find(|group| *group.place == exclusion.place && group.set == set) {
            Some(group) if group.members.iter().any(|(_, known)| *known == signature) => {}
            Some(group) => group.members.push((exclusion, signature)),
            None => groups.push(Group { place: &exclusion.place, set, members: vec![(exclusion, signature)] }),
        }
    }
    for group in &groups {
        write(&mut snippet.text, group);
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

fn write(out: &mut String, Group { place, set, members }: &Group<'_>) {
    if !out.is_empty() {
        out.push('\n');
    }
    for (exclusion, _) in members {
        let opens = exclusion.whole().opens();
        let _ = writeln!(out, "# {}.\n# opens: {}.", one_line(&exclusion.why()), one_line(&opens));
    }
    let path = match place.path.exact() {
        Some(path) => format!("request.path == {}", quoted(path)),
        None => format!("request.path.startsWith({})", quoted(place.path.prefix())),
    };
    let here = format!("{path} && request.method == {}", quoted(&place.method));
    let ids = members.iter().map(|(_, signature)| quoted(signature)).collect::<Vec<_>>().join(", ");
    let waf =
        format!("evaluatePreconfiguredWaf({}, {{\"sensitivity\": 1, \"opt_out_rule_ids\": [{ids}]}})", quoted(set));
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
