//! The border that no customer's file gets over: what matched is cut and escaped before it is kept.

use serde::{Deserialize, Serialize};

/// Characters that are kept of what matched, the ellipsis not counted.
pub const MATCHED_CHARS: usize = 64;

/// Characters that are kept of a rule's message, the ellipsis not counted.
pub const MESSAGE_CHARS: usize = 300;

/// Characters that are kept of the id of a request: Azure Front Door's have 88.
const REQUEST_ID_CHARS: usize = 128;

/// The start of what a rule matched: one line, control characters escaped, [`MATCHED_CHARS`] characters of the log
/// at most and never more, because audit logs hold whole attachments of customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct MatchedData(String);

impl MatchedData {
    /// Cuts and escapes; `None` for an empty text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(shortened(text, MATCHED_CHARS)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message of a rule or a server, on one line, [`MESSAGE_CHARS`] characters at most.
pub(super) fn message(text: &str) -> String {
    shortened(text.trim(), MESSAGE_CHARS)
}

/// A short name such as a variable, an id or a time: what cannot be one is cut like what matched.
pub(super) fn name(text: &str) -> String {
    shortened(text, MATCHED_CHARS)
}

/// An id that the edge gave a request, and may have sent with its answer: it must stay whole to be joined.
pub(super) fn request_id(text: &str) -> String {
    shortened(text, REQUEST_ID_CHARS)
}

/// The first characters of `text` with control characters escaped, and an ellipsis where something is left off.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut short = String::with_capacity(text.len().min(most + 3));
    let mut kept = 0;
    for c in text.chars() {
        // An escape counts by its length, so that the bound holds for what is stored.
        let length = if needs_escape(c) { c.escape_default().count() } else { 1 };
        if kept + length > most {
            short.push('…');
            break;
        }
        kept += length;
        if needs_escape(c) { short.extend(c.escape_default()) } else { short.push(c) }
    }
    short
}

/// Control characters, and those that change the direction or the lines of a terminal or a page.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_the_bound_is_kept_and_on_one_line(text in any::<String>()) {
            let kept = shortened(&text, MATCHED_CHARS);
            prop_assert!(kept.chars().count() <= MATCHED_CHARS + 1);
            prop_assert!(!kept.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_short_text_is_kept_as_it_is() {
        assert_eq!(shortened("O'Brien 見積書.pdf", MATCHED_CHARS), "O'Brien 見積書.pdf");
        assert_eq!(shortened("a\r\nb", MATCHED_CHARS), "a\\r\\nb");
    }
}
