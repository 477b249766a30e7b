//! Taking values out of an answer.

use scraper::{Html, Selector};

use crate::profile::CaptureFrom;

/// The parts of an answer that captures look at.
pub(super) struct Page<'a> {
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

impl Page<'_> {
    /// A header's first value; names in any case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text, by the charset of `Content-Type`, or UTF-8.
    pub(super) fn text(&self) -> String {
        let label = self.header("content-type").and_then(|value| {
            let (_, rest) = value.split_once("charset=")?;
            Some(rest.split(';').next().unwrap_or(rest).trim_matches(['"', ' ', '\'']).to_owned())
        });
        let encoding = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
        encoding.unwrap_or(encoding_rs::UTF_8).decode(self.body).0.into_owned()
    }

    /// The value at `from`; cookies are looked up by the caller, who has the jar.
    pub(super) fn find(&self, from: &CaptureFrom) -> Option<String> {
        match from {
            CaptureFrom::Regex(regex) => {
                let text = self.text();
                let found = regex.captures(&text)?;
                found.get(1).or_else(|| found.get(0)).map(|group| group.as_str().to_owned())
            }
            CaptureFrom::JsonPointer(pointer) => {
                let document: serde_json::Value = serde_json::from_slice(self.body).ok()?;
                match document.pointer(pointer)? {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Null => None,
                    other => Some(other.to_string()),
                }
            }
            CaptureFrom::Header(name) => self.header(name).map(str::to_owned),
            CaptureFrom::Cookie(_) => None,
            CaptureFrom::Css { selector, attribute } => {
                let selector = Selector::parse(selector).ok()?;
                let document = Html::parse_document(&self.text());
                document.select(&selector).find_map(|element| element.attr(attribute)).map(str::to_owned)
            }
        }
    }

    /// How the body begins, on one line.
    pub(super) fn beginning(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(400)]).into_owned();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { "nothing".to_owned() } else { format!("`{}`", line.chars().take(120).collect::<String>()) }
    }
}

/// Whether a text is a CSS selector.
pub(super) fn is_selector(text: &str) -> bool {
    Selector::parse(text).is_ok()
}
