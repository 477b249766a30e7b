//! Hints at personal data: who wrote a file, where and with which device, and mail addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use file_format::FileFormat;
use regex::Regex;

use crate::corpus::metadata::{Kept, Metadata, is_text};

/// Something that may be about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What it is, with its value.
    pub text: String,
    /// Where it stands: only metadata can be scrubbed.
    pub place: Place,
}

/// Where personal data stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Beside the content.
    Metadata,
    /// In the text itself.
    Text,
}

/// Hints as a sentence goes on with them.
#[must_use]
pub fn listed(hints: &[Hint]) -> String {
    hints.iter().map(|hint| hint.text.as_str()).collect::<Vec<_>>().join(", ")
}

/// What to do about hints, where `scrub` is the advice for metadata.
#[must_use]
pub fn help(hints: &[Hint], scrub: &str) -> String {
    const TEXT: &str = "text cannot be scrubbed: put an address of `example.jp` in its place in a copy";
    let has = |place| hints.iter().any(|hint| hint.place == place);
    let all = [has(Place::Metadata).then_some(scrub), has(Place::Text).then_some(TEXT)];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What a look at a file for people gave.
#[derive(Debug)]
pub(in crate::corpus) struct Looked {
    pub(in crate::corpus) hints: Vec<Hint>,
    /// Whether it may have metadata that cannot be read here.
    pub(in crate::corpus) unread: bool,
}

/// Everything in `bytes` that may be about a person.
pub(in crate::corpus) fn look(bytes: &[u8]) -> Looked {
    let metadata = Metadata::read("", bytes);
    let plain = is_text(bytes) && FileFormat::from_bytes(bytes) == FileFormat::ArbitraryBinaryData;
    let unread = matches!(metadata.kept, Kept::Unscrubbable(_)) && metadata.fields.is_empty() && !plain;
    let mut hints = Vec::new();
    for field in &metadata.fields {
        if field.personal {
            hints.push(Hint { text: field.to_string(), place: Place::Metadata });
        } else if let Some(address) = address(&field.value) {
            let text = format!("{} with the address `{address}`", field.name);
            hints.push(Hint { text, place: Place::Metadata });
        }
    }
    // A NUL further on: text is only its head, as in many a PDF.
    if is_text(bytes)
        && memchr::memchr(0, bytes).is_none()
        && let Some(address) = address(&text(bytes))
    {
        hints.push(Hint { text: format!("the mail address `{address}`"), place: Place::Text });
    }
    hints.dedup();
    Looked { hints, unread }
}

/// The text of bytes in UTF-8, or else in `Shift_JIS`, whose second bytes may be letters.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::SHIFT_JIS.decode_without_bom_handling(bytes).0,
    }
}

/// The first mail address that is not reserved for examples.
fn address(text: &str) -> Option<String> {
    static ADDRESS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[A-Za-z0-9._%+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})").ok());
    let mut all = ADDRESS.as_ref()?.captures_iter(text);
    let found = all.find(|found| !is_reserved(&found[1].to_ascii_lowercase()))?;
    Some(found[0].to_owned())
}

/// Domains for examples (RFC 2606, RFC 6761, and JPRS's `example.jp`), and `@2x.png`, which is no address.
fn is_reserved(domain: &str) -> bool {
    let top = domain.rsplit('.').next().unwrap_or(domain);
    ["example", "test", "invalid", "localhost", "png", "jpg", "jpeg", "gif", "webp", "svg"].contains(&top)
        || domain.split('.').any(|label| label == "example")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(bytes: &[u8]) -> Vec<String> {
        look(bytes).hints.into_iter().map(|hint| hint.text).collect()
    }

    #[test]
    fn an_address_is_a_hint_and_a_reserved_one_is_not() {
        assert_eq!(hints(b"mail taro@city.kawasaki.jp please"), ["the mail address `taro@city.kawasaki.jp`"]);
        for reserved in
            ["a@example.jp", "a@mail.example.com", "a@x.test", "a@b.invalid", "icon@2x.png", "a@host", "@b.jp"]
        {
            assert_eq!(hints(reserved.as_bytes()), Vec::<String>::new(), "{reserved}");
        }
    }

    #[test]
    fn an_address_in_a_text_in_shift_jis_is_found() {
        let (text, _, _) = encoding_rs::SHIFT_JIS.encode("担当：taro@city.kawasaki.jp（内線）");
        assert_eq!(hints(&text), ["the mail address `taro@city.kawasaki.jp`"]);
    }
}
