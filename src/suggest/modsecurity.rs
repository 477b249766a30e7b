//! Rules of ModSecurity: what versions 2.9.7 and 3.0.9 take, as tried on them (docs/suggest.md).

use std::fmt::Write as _;

use super::language::{Engine, Snippet, one_line};
use super::target::escaped;
use super::{Exclusion, Key, Place, Target};

/// The rules, each a chain of path and method with a `ctl` at its end.
pub(super) fn snippet(exclusions: &[Exclusion], engine: Engine, first_id: u32) -> Snippet {
    let mut snippet = Snippet::default();
    let (numbered, named): (Vec<&Exclusion>, Vec<&Exclusion>) = exclusions.iter().partition(|it| is_number(&it.rule));
    snippet.left_out.extend(named.iter().map(|exclusion| {
        format!("rule `{}` is no id of ModSecurity: give the number, such as `--rule 941310=ARGS:memo`", exclusion.rule)
    }));
    if numbered.is_empty() {
        return snippet;
    }
    snippet.commented = true;
    snippet.text.push_str("# To be read after modsecurity.conf and before the Core Rule Set.\n");
    for (id, exclusion) in (first_id..).step_by(2).zip(numbered) {
        let (ctl, written, notes) = ctl(exclusion, engine);
        let opens = written.opens();
        let text = &mut snippet.text;
        text.push('\n');
        comment(text, &exclusion.why());
        comment(text, &format!("opens: {opens}"));
        for note in notes {
            comment(text, &note);
        }
        let path = path_operator(&exclusion.place);
        let decoding = if exclusion.place.path.is_plain() { "t:none" } else { "t:none,t:urlDecode" };
        let method = method_operator(&exclusion.place.method);
        let begin = |id: u32, phase: u8| {
            format!(
                "SecRule REQUEST_FILENAME \"{path}\" \\\n    \"id:{id},phase:{phase},pass,nolog,{decoding},chain\"\n    \
                 SecRule REQUEST_METHOD \"{method}\" \\\n        "
            )
        };
        match &written.target {
            // NOTE: any of several files may have the other bytes, so they are looked for, and not the good ones.
            Some(Target { variable, key: Key::Name(name) }) if written.is_for_names() && is_writable(name, engine) => {
                let part = format!("{variable}:{}", escaped(name));
                let _ = writeln!(
                    text,
                    "{}\"t:none,chain\"\n        SecRule {part} \"@rx {}\" \\\n            \"t:none,setvar:'tx.wafcanary_{}=1'\"",
                    begin(id, 2),
                    other_bytes(&written.signs),
                    id + 1,
                );
                let _ = writeln!(
                    text,
                    "{}\"t:none,chain\"\n        SecRule &TX:wafcanary_{} \"@eq 0\" \\\n            \"t:none,{ctl}\"",
                    begin(id + 1, 2),
                    id + 1,
                );
            }
            Some(_) | None => {
                let _ = writeln!(text, "{}\"t:none,{ctl}\"", begin(id, 1));
            }
        }
        snippet.opens.push(opens);
    }
    snippet
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

/// A regular expression for a byte that is neither harmless nor one of `signs`.
fn other_bytes(signs: &std::collections::BTreeSet<u8>) -> String {
    let signs: Vec<u8> = signs.iter().copied().collect();
    format!(r"[^0-9A-Za-z\x80-\xff\x20\x28\x29\x2d\x2e\x5f{}]", hex_escapes(&signs))
}

/// Bytes as a regular expression of ASCII characters has them.
fn hex_escapes(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "\\x{byte:02x}");
        out
    })
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
