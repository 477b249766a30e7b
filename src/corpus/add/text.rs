//! The text of a manifest that begins or goes on.

use std::fmt::Write as _;

use super::{Added, Addition};
use crate::corpus::name::is_hidden;

/// The start of a new manifest. With axes that multiply only where no run was made without them.
pub(super) fn template(name: &str, new: bool) -> String {
    let axes = "[axes]\nclient = [\"chromium\", \"firefox\", \"webkit\"]\nname = [\"as-is\", \"nfd\"]\n";
    let axes =
        if new { axes.to_owned() } else { axes.lines().fold(String::new(), |text, line| text + "# " + line + "\n") };
    format!(
        "# What is sent. `wafcanary corpus add` adds to the end and changes nothing else; `wafcanary corpus check` checks it.\n\
         # `wafcanary generate schema DIR` writes `manifest.json`, which lists every key.\n\
         schema_version = 1\n\
         name = {}\n\
         # Of attachments that name none: an SPDX expression, or a reference of your own.\n\
         # licence = \"LicenseRef-internal\"\n\n\
         # What multiplies each attachment into cases; `wafcanary corpus list` shows them.\n\
         {axes}",
        quoted(name)
    )
}

/// The manifest's text with more attachments at its end.
pub(super) fn continued(text: &str, added: &[Added], addition: &Addition) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = text.to_owned();
    if !added.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    for each in added {
        out.push_str(newline);
        out.push_str(&block(each, addition).replace('\n', newline));
    }
    out
}

fn block(added: &Added, addition: &Addition) -> String {
    let mut text = "[[attachment]]\n".to_owned();
    let mut key = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    key("id", &quoted(&added.id));
    key("file", &quoted(&added.file));
    key("sha256", &quoted(&added.sha256.to_string()));
    key("filename", &quoted(&added.filename));
    if !addition.procedures.is_empty() {
        key("procedures", &list(&addition.procedures));
    }
    if !addition.tags.is_empty() {
        key("tags", &list(&addition.tags));
    }
    if let Some(weight) = addition.weight {
        key("weight", &toml::Value::Float(weight).to_string());
    }
    key("source", &quoted(&added.source));
    if let Some(licence) = &addition.licence {
        key("licence", &quoted(licence));
    }
    text
}

/// A basic string on one line: what needs it is escaped, and nothing is normalised.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Who reads the manifest sees what is sent.
            c if is_hidden(c) => {
                let _ = match u32::from(c) {
                    code @ ..=0xffff => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An array, with a line for each item where they are many.
fn list(items: &[String]) -> String {
    const LINE: usize = 80;
    let quoted: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let line = quoted.join(", ");
    if line.chars().count() <= LINE { format!("[{line}]") } else { format!("[\n    {},\n]", quoted.join(",\n    ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_character_that_nobody_sees_is_escaped() {
        assert_eq!(
            quoted("a\u{202e}fdp\u{200b}\u{feff}\u{e0001}\u{7f}届.exe"),
            "\"a\\u202Efdp\\u200B\\uFEFF\\U000E0001\\u007F届.exe\""
        );
    }

    proptest! {
        #[test]
        fn a_quoted_string_is_read_as_it_was(text in any::<String>()) {
            let table: toml::Table = toml::from_str(&format!("x = {}", quoted(&text))).unwrap();
            prop_assert_eq!(table["x"].as_str(), Some(text.as_str()));
        }
    }
}
