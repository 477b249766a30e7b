//! Rules of ModSecurity: what versions 2.9.7 and 3.0.9 take, as tried on them (docs/suggest.md).

use std::fmt::Write as _;

use super::language::{Engine, Snippet, one_line};
use super::signs::hex_escapes;
use super::target::escaped;
use super::{BodyLimit, Exclusion, Key, Place, Suggestion, Target};

/// What the message of a rule of our own begins with: it refuses what an excluded rule is kept for.
const KEPT: &str = "kept of rule ";

/// Which rule a rule of our own is kept for, and what that looks at.
pub(super) fn kept(message: &str) -> Option<(&str, &str)> {
    let (rule, rest) = message.strip_prefix(KEPT)?.split_once(": ")?;
    Some((rule, rest.split(',').next().unwrap_or(rest)))
}

/// The parts of rule 200003's flag: how its message names them, and the variable of each. Source: modsecurity.conf-recommended.
const STRICT: [(&str, &str); 11] = [
    ("BQ", "MULTIPART_BOUNDARY_QUOTED"),
    ("BW", "MULTIPART_BOUNDARY_WHITESPACE"),
    ("DB", "MULTIPART_DATA_BEFORE"),
    ("DA", "MULTIPART_DATA_AFTER"),
    ("HF", "MULTIPART_HEADER_FOLDING"),
    ("LF", "MULTIPART_LF_LINE"),
    ("SM", "MULTIPART_MISSING_SEMICOLON"),
    ("IQ", "MULTIPART_INVALID_QUOTING"),
    ("IP", "MULTIPART_INVALID_PART"),
    ("IH", "MULTIPART_INVALID_HEADER_FOLDING"),
    ("FL", "MULTIPART_FILE_LIMIT_EXCEEDED"),
];

/// The variables that are 1 in the message of rule 200003, or of our own that keeps it.
pub(super) fn flags(message: &str) -> Vec<&'static str> {
    let set = STRICT.iter().filter(|(short, _)| message.contains(&format!("{short} 1")));
    set.map(|(_, variable)| *variable).collect()
}

/// Writes rules under ids that follow each other.
struct Writer {
    text: String,
    next: u32,
}

impl Writer {
    /// A rule with its actions, and those that are chained to it, each a line with its actions.
    fn chain(&mut self, actions: &str, chained: &[(String, String)]) {
        for (depth, (condition, more)) in chained.iter().enumerate() {
            let first = if depth == 0 { format!("id:{},{actions},", self.next) } else { String::new() };
            let chain = if depth + 1 < chained.len() { ",chain" } else { "" };
            let indent = "    ".repeat(depth.min(2));
            let _ = writeln!(self.text, "{indent}SecRule {condition} \\\n{indent}    \"{first}{more}{chain}\"");
        }
        self.next += 1;
    }
}

/// Conditions and their actions for one method and path.
fn at(place: &Place) -> [(String, String); 2] {
    let decoding = if place.path.is_plain() { "t:none" } else { "t:none,t:urlDecode" };
    [
        (format!("REQUEST_FILENAME \"{}\"", path_operator(place)), decoding.to_owned()),
        (format!("REQUEST_METHOD \"{}\"", method_operator(&place.method)), "t:none".to_owned()),
    ]
}

fn when(condition: String) -> (String, String) {
    (condition, "t:none".to_owned())
}

/// The rules, each a chain of path and method with a `ctl` at its end.
pub(super) fn snippet(suggestion: &Suggestion, engine: Engine, first_id: u32) -> Snippet {
    let mut snippet = Snippet::default();
    let (numbered, named): (Vec<&Exclusion>, Vec<&Exclusion>) =
        suggestion.exclusions.iter().partition(|it| is_number(&it.rule));
    snippet.left_out.extend(named.iter().map(|exclusion| {
        format!("rule `{}` is no id of ModSecurity: give the number, such as `--rule 941310=ARGS:memo`", exclusion.rule)
    }));
    if numbered.is_empty() && suggestion.limits.is_empty() {
        return snippet;
    }
    snippet.commented = true;
    let text = "# To be read after modsecurity.conf and before the Core Rule Set.\n".to_owned();
    let mut writer = Writer { text, next: first_id };
    for exclusion in numbered {
        let (ctl, written, notes) = ctl(exclusion, engine);
        let opens = written.opens() + &kept_for(&written, engine);
        writer.text.push('\n');
        comment(&mut writer.text, &exclusion.why());
        comment(&mut writer.text, &format!("opens: {opens}"));
        for note in notes {
            comment(&mut writer.text, &note);
        }
        rules(&mut writer, &written, &ctl, engine);
        snippet.opens.push(opens);
    }
    // ModSecurity 3 has one limit, and the last line counts.
    let highest = suggestion.limits.iter().max_by_key(|limit| limit.bytes);
    let limits: Vec<&BodyLimit> = match engine {
        Engine::Two => suggestion.limits.iter().collect(),
        Engine::Three => highest.into_iter().collect(),
    };
    for limit in limits {
        writer.text.push('\n');
        let opens = raise(&mut writer, limit, engine);
        snippet.opens.push(opens);
    }
    snippet.text = writer.text;
    snippet
}

/// Writes an exclusion.
fn rules(writer: &mut Writer, exclusion: &Exclusion, ctl: &str, engine: Engine) {
    let at = at(&exclusion.place);
    let with = |more: Vec<(String, String)>| [at.to_vec(), more].concat();
    let excluding = |phase: u8| format!("phase:{phase},pass,nolog");
    match &exclusion.target {
        // NOTE: any of several files may have the other bytes, so they are looked for, and not the good ones.
        Some(Target { variable, key: Key::Name(name) }) if exclusion.is_for_names() && is_writable(name, engine) => {
            let flag = format!("wafcanary_{}", writer.next);
            let part = format!("{variable}:{} \"@rx {}\"", escaped(name), exclusion.signs.others());
            writer.chain(&excluding(2), &with(vec![(part, format!("t:none,setvar:'tx.{flag}=1'"))]));
            writer.chain(&excluding(2), &with(vec![(format!("&TX:{flag} \"@eq 0\""), format!("t:none,{ctl}"))]));
        }
        // NOTE: the rule comes before ours in its phase, so it is left out whole and kept by one of our own.
        Some(Target { variable, .. }) if exclusion.is_of_reading() => {
            let [path, (method, none)] = at;
            writer.chain(&excluding(1), &[path.clone(), (method.clone(), format!("{none},{ctl}"))]);
            // What the message of the rule tells, for the next round.
            let told = STRICT.map(|(short, variable)| format!(", {short} %{{{}}}", variable.to_lowercase()));
            let told = if variable == "MULTIPART_STRICT_ERROR" { told.concat() } else { String::new() };
            let keep = format!("phase:2,deny,status:400,log,msg:'{KEPT}{}: {variable}{told}'", exclusion.rule)
                + ",logdata:'%{reqbody_error_msg}',severity:'CRITICAL'";
            for other in other_readings(exclusion, engine) {
                let fails = when(format!("{variable} \"!@eq 0\""));
                writer.chain(&keep, &[fails, path.clone(), (method.clone(), none.clone()), when(other)]);
            }
        }
        Some(_) | None => {
            let [path, (method, none)] = at;
            writer.chain(&excluding(1), &[path, (method, format!("{none},{ctl}"))]);
        }
    }
}

/// Conditions under which a body is not read wrongly in the way that is excluded: another error, or, where the engine shows
/// the body, part headers with other signs.
fn other_readings(exclusion: &Exclusion, engine: Engine) -> Vec<String> {
    // NOTE: of letters, digits and blanks, and of signs of which the full stop alone means something.
    let errors = exclusion
        .errors
        .iter()
        .map(|error| if error.is_empty() { r"\z".to_owned() } else { error.replace('.', r"\.") });
    let errors: Vec<String> = errors.collect();
    let mut others = vec![format!("REQBODY_ERROR_MSG \"!@rx ^(?:{})\"", errors.join("|"))];
    if engine == Engine::Three {
        others.push(format!(
            // NOTE: a folded line is part of the header.
            r#"REQUEST_BODY "@rx (?i)\x0aContent-Disposition:(?:[^\x0d\x0a]|\x0d?\x0a[\x20\x09])*?(?![\x0d\x0a])(?:{})""#,
            exclusion.signs.others()
        ));
    }
    if exclusion.is_of("MULTIPART_STRICT_ERROR") {
        let other = STRICT.iter().map(|(_, variable)| *variable).filter(|variable| !exclusion.flags.contains(variable));
        let other: Vec<&str> = other.collect();
        if !other.is_empty() {
            others.push(format!("{} \"!@eq 0\"", other.join("|")));
        }
    }
    others
}

/// What the rule is kept for, after what it opens.
fn kept_for(exclusion: &Exclusion, engine: Engine) -> String {
    if !exclusion.is_of_reading() {
        return String::new();
    }
    let errors: Vec<String> = exclusion
        .errors
        .iter()
        .map(|error| if error.is_empty() { "none".to_owned() } else { format!("`{}`", error.trim_end()) })
        .collect();
    let headers = match engine {
        Engine::Two => String::new(),
        Engine::Three => {
            format!(", and for a `Content-Disposition` that is not made of {}", exclusion.signs.made_of())
        }
    };
    let flags = if exclusion.is_of("MULTIPART_STRICT_ERROR") {
        let known = exclusion.flags.iter().copied().collect::<Vec<_>>().join(", ");
        format!(", for other flags than {}", if known.is_empty() { "none" } else { &known })
    } else {
        String::new()
    };
    format!("; a rule of its own keeps it for other errors than {}{flags}{headers}", errors.join(", "))
}

/// Lets bodies be as long as they must; gives what that opens.
fn raise(writer: &mut Writer, limit: &BodyLimit, engine: Engine) -> String {
    let (place, bytes) = (&limit.place, limit.bytes);
    let (whole, scope) = match engine {
        Engine::Two => (format!("in {} {}", place.method, place.path), None),
        Engine::Three => (
            "wherever this file is read".to_owned(),
            Some(
                "ModSecurity 3 has no limit by path, and the last one counts: read this line in the server or location of the \
                 uploads alone, and only where the limit in force is lower",
            ),
        ),
    };
    let opens =
        format!("{whole}, bodies up to {bytes} bytes are taken, held and looked at: that costs memory and time");
    comment(&mut writer.text, &limit.why());
    comment(&mut writer.text, &format!("opens: {opens}"));
    if let Some(scope) = scope {
        comment(&mut writer.text, scope);
    }
    match engine {
        Engine::Two => {
            let [path, (method, transformation)] = at(place);
            let action = format!("{transformation},ctl:requestBodyLimit={bytes}");
            writer.chain("phase:1,pass,nolog", &[path, (method, action)]);
        }
        Engine::Three => {
            let _ = writeln!(writer.text, "SecRequestBodyLimit {bytes}");
        }
    }
    opens
}

/// A comment. NOTE: it ends with a full stop, because ModSecurity 2 joins a line that ends with `\` to the next.
fn comment(out: &mut String, text: &str) {
    let _ = writeln!(out, "# {}.", one_line(text));
}

fn path_operator(place: &Place) -> String {
    if place.path.is_plain() { format!("@streq {}", place.path) } else { format!("@rx {}", place.path.regex()) }
}

fn method_operator(method: &str) -> String {
    if method.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return format!("@streq {method}");
    }
    format!("@rx ^{}$", hex_escapes(method.as_bytes()))
}

/// The action, the exclusion that it is, and what to say of it where it is wider than it should be.
fn ctl(exclusion: &Exclusion, engine: Engine) -> (String, Exclusion, Vec<String>) {
    let rule = &exclusion.rule;
    let Some(Target { variable, key }) = &exclusion.target else {
        return (format!("ctl:ruleRemoveById={rule}"), exclusion.clone(), Vec::new());
    };
    let whole = format!("ctl:ruleRemoveTargetById={rule};{variable}");
    let wider =
        || Exclusion { target: Some(Target { variable: variable.clone(), key: Key::None }), ..exclusion.clone() };
    match key {
        Key::None => (whole, exclusion.clone(), Vec::new()),
        Key::Unreadable => {
            let note = format!("the log does not tell the field's name, so all of {variable} is excluded on this path");
            (whole, wider(), vec![note])
        }
        Key::Name(name) if is_writable(name, engine) => {
            (format!("{whole}:{}", escaped(name)), exclusion.clone(), Vec::new())
        }
        Key::Name(name) => {
            let hex = hex_escapes(name);
            let shown = String::from_utf8_lossy(name);
            let note =
                format!("the field `{shown}` can't be named here, so all of {variable} is excluded on this path");
            let other = format!(
                "narrower in the field and wider in the path, after the Core Rule Set instead: \
                 SecRuleUpdateTargetById {rule} \"!{variable}:/^{hex}$/\""
            );
            (whole, wider(), vec![note, other])
        }
    }
}

fn is_number(rule: &str) -> bool {
    !rule.is_empty() && rule.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a `ctl` can name the field. In 3.0.9 a name that is not of these characters is refused at the start, or does not
/// match; 2.9.7 takes what is not ASCII as its log escapes it. Neither takes a regular expression.
fn is_writable(name: &[u8], engine: Engine) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:[]-".contains(byte);
    !name.is_empty()
        && name.iter().all(|byte| match engine {
            Engine::Two => plain(byte) || !byte.is_ascii(),
            Engine::Three => plain(byte),
        })
}
