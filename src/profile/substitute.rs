//! `${env:NAME}` and `${file:PATH}`, and which values must not be shown.

use std::path::Path;

use super::Redactor;
use super::node::{Node, Text, Value};
use crate::error::Result;

/// Reads an environment variable.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Fills in every string of the tree, and teaches the redactor what must not be shown.
pub(super) fn substitute(node: &mut Node, path: &str, env: Env<'_>, redactor: &Redactor) -> Result<()> {
    let origin = node.origin.clone();
    match &mut node.value {
        Value::Text(text) => {
            let fail = |message: String, help: String| Err(origin.fail(path, message).help(help));
            let mut out = String::new();
            let mut rest = text.written.clone();
            while let Some((start, end)) = placeholder(&rest) {
                let inner = &rest[start + 2..end];
                let Some((kind, name)) = inner.split_once(':') else { break };
                let value = match value_of(kind, name, origin.source.folder.as_deref(), env) {
                    Ok(value) => value,
                    Err((message, help)) => return fail(message, help),
                };
                if value.contains("${") {
                    let help = "such a value would be taken for a capture; give it without `${`".to_owned();
                    return fail(format!("the value of `{name}` holds `${{`"), help);
                }
                let before = format!("{out}{}", &rest[..start]);
                if !is_address(path, &before, &value) {
                    text.hidden = true;
                    learn(redactor, &value);
                }
                out = before + &value;
                rest = rest[end + 1..].to_owned();
            }
            text.filled = out + &rest;
            if path == "target.proxy" {
                hide_credentials(text, redactor);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                substitute(item, &format!("{path}[{index}]"), env, redactor)?;
            }
        }
        Value::Table(entries) => {
            for (key, entry) in entries.iter_mut() {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                substitute(entry, &path, env, redactor)?;
                if path.contains(".json.")
                    && is_sensitive(&key.to_ascii_lowercase())
                    && let Value::Text(text) = &mut entry.value
                    && !text.filled.contains("${")
                {
                    text.hidden = true;
                    learn(redactor, &text.filled);
                }
            }
            let name = entries.get("name").and_then(Node::text).map(|text| text.filled.to_ascii_lowercase());
            if name.is_some_and(|name| is_sensitive(&name))
                && let Some(Node { value: Value::Text(text), .. }) = entries.get_mut("value")
                && !text.filled.contains("${")
            {
                text.hidden = true;
                learn(redactor, &text.filled);
            }
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {}
    }
    Ok(())
}

/// The value of `${env:NAME}` or `${file:PATH}`, or what is wrong and what to do.
fn value_of(
    kind: &str,
    name: &str,
    folder: Option<&Path>,
    env: Env<'_>,
) -> std::result::Result<String, (String, String)> {
    if kind == "env" {
        return env(name).ok_or_else(|| {
            let help = format!("run `export {name}=…` before wafcanary");
            (format!("environment variable `{name}` is not set"), help)
        });
    }
    let folder = folder.ok_or_else(|| ("a preset reads no files".to_owned(), "use `${env:NAME}`".to_owned()))?;
    match std::fs::read_to_string(folder.join(name)) {
        Ok(value) => Ok(value.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            let help = "the path is relative to the file that it is written in".to_owned();
            Err((format!("`{name}` cannot be read: {error}"), help))
        }
    }
}

/// Whether a header or field of this lower-case name carries a secret by its nature.
pub(crate) fn is_sensitive(name: &str) -> bool {
    matches!(name, "authorization" | "proxy-authorization" | "cookie" | "x-api-key" | "password" | "passwd" | "token")
}

/// The first `${env:…}` or `${file:…}`: where it begins, and where its closing brace stands.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    let start = ["${env:", "${file:"].iter().filter_map(|mark| text.find(mark)).min()?;
    Some((start, start + text[start..].find('}')?))
}

/// Values that say where requests go, and hold nothing else: reports show them.
fn is_address(path: &str, before: &str, value: &str) -> bool {
    let key = path.split('[').next().unwrap_or(path);
    let address = matches!(key, "target.host" | "target.sni" | "target.resolve" | "target.connect_to" | "name")
        || key.starts_with("guard.")
        || key.starts_with("tls.");
    let authority =
        before.is_empty() || before.ends_with("://") || !before.splitn(2, "://").last().unwrap_or("").contains('/');
    address || (key == "target.url" && authority && !value.contains(['?', '@']) && !before.contains('?'))
}

fn learn(redactor: &Redactor, value: &str) {
    redactor.learn(value);
    // The scheme (`Bearer`, `Basic`) may be written elsewhere without its token, and the other way round.
    if let Some((_, token)) = value.split_once(' ') {
        redactor.learn(token.trim());
    }
    for line in value.lines().filter(|line| *line != value) {
        redactor.learn(line.trim());
    }
}

fn hide_credentials(text: &mut Text, redactor: &Redactor) {
    if let Ok(url) = url::Url::parse(&text.filled)
        && let Some(password) = url.password()
    {
        text.hidden = true;
        redactor.learn(password);
        redactor.learn(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }
}
