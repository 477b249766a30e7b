//! A profile with its values as they came out, for people, for comparing, and its schema.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::Profile;
use super::node::{Node, Value};
use super::raw::RawProfile;
use crate::corpus::Sha256Digest;

/// Every value of a profile with the place where it was written.
#[derive(Clone, Default)]
pub struct Resolved {
    root: Option<Arc<Node>>,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // NOTE: the tree holds secrets in the clear.
        f.write_str("Resolved(***)")
    }
}

impl Resolved {
    pub(super) fn new(root: Node) -> Self {
        Self { root: Some(Arc::new(root)) }
    }
}

impl Profile {
    /// Digest of the resolved profile without `name` and without the values of its secrets: two profiles with the same
    /// digest go to the same edge in the same way.
    ///
    /// Of a secret, the text in the file counts (`${env:TOKEN}`), never its value.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        let mut text = String::new();
        if let Some(root) = &self.resolved.root {
            canonical(root, "", &mut text);
        }
        Sha256Digest::of(text.as_bytes())
    }

    /// The resolved profile as TOML: secrets as `***`, and after each value where it comes from.
    #[must_use]
    pub fn show(&self) -> String {
        let mut out = String::new();
        if let Some(root) = &self.resolved.root {
            table(root, "", &mut out);
        }
        self.redactor.redact(&out)
    }
}

/// The JSON Schema of profiles.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(RawProfile)
}

fn canonical(node: &Node, path: &str, out: &mut String) {
    if matches!(path, r#"."name""# | r#"."schema_version""#) {
        return;
    }
    match &node.value {
        Value::Table(entries) => {
            for (key, entry) in entries {
                canonical(entry, &format!("{path}.{}", quote(key)), out);
            }
        }
        Value::Array(items) => {
            let _ = writeln!(out, "{path}#={}", items.len());
            for (index, item) in items.iter().enumerate() {
                canonical(item, &format!("{path}[{index}]"), out);
            }
        }
        Value::Text(text) if text.hidden && text.written.contains("${") => {
            let _ = writeln!(out, "{path}=secret {}", quote(&text.written));
        }
        Value::Text(text) if text.hidden => {
            let _ = writeln!(out, "{path}=secret");
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
            let _ = writeln!(out, "{path}={}", scalar(node));
        }
    }
}

fn table(node: &Node, path: &str, out: &mut String) {
    let Some(entries) = node.entries() else { return };
    let (tables, values): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, entry)| is_section(entry));
    if !path.is_empty() && !values.is_empty() {
        let _ = writeln!(out, "\n[{path}]");
    }
    for (name, entry) in values {
        let _ = writeln!(out, "{} = {}  # {}", key(name), inline(entry), entry.origin.describe());
    }
    for (name, entry) in tables {
        let path = if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) };
        let Value::Array(items) = &entry.value else {
            table(entry, &path, out);
            continue;
        };
        for item in items {
            let _ = writeln!(out, "\n[[{path}]]");
            for (name, value) in item.entries().into_iter().flatten() {
                let _ = writeln!(out, "{} = {}  # {}", key(name), inline(value), value.origin.describe());
            }
        }
    }
}

/// Tables and arrays of tables, which stand under a heading of their own.
fn is_section(node: &Node) -> bool {
    match &node.value {
        Value::Table(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(|item| item.entries().is_some()),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => false,
    }
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, entry)| format!("{} = {}", key(name), inline(entry))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Text(text) if text.hidden => "\"***\"".to_owned(),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => scalar(node),
    }
}

fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => quote(&text.filled),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Array(_) | Value::Table(_) => inline(node),
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { quote(name) }
}

fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}
