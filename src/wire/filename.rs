//! How names are written between the quotes of `Content-Disposition`, and what an origin may read there.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::corpus::PageCharset;

/// How a client escapes a name, after it was encoded into bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// As it is: even `"` stays.
    Raw,
    /// CR, LF and `"` become `%0D`, `%0A`, `%22`; nothing else changes. WHATWG HTML, "multipart form data".
    PercentQuotes,
    /// `"` becomes `%22`, `\` is doubled, controls but ESC become `%XX`: the HTML5 draft that Python libraries follow.
    PercentControls,
    /// `\` before `"` and `\`.
    Backslash,
    /// `\` before `"`, `\` and CR.
    BackslashCr,
    /// `\` before `"`, `\`, CR and LF.
    BackslashCrLf,
    /// `\` before `"` and `\`; CR and LF become spaces.
    BackslashSpaces,
    /// Everything but `[A-Za-z0-9_.~-]` becomes `%XX`.
    PercentAll,
    /// Bytes above 7F, space and `%` become `%XX`: RFC 7578 section 2 as Apache reads it.
    PercentNonAscii,
    /// RFC 2231 `name*=utf-8''…` when it is not plain ASCII or holds `"`, `\`, CR, LF.
    Rfc2231,
    /// A quoted string with `\` before all but visible ASCII; `name*=utf-8''…` when that cannot hold it.
    QuotedString,
    /// `name*=utf-8''…` as soon as one character is in the set.
    StarIfIn(StarSet),
}

impl NameRule {
    /// Whether a reader has to undo any `%XX`, and not only those of quotes and line ends.
    fn percent_encodes_freely(self) -> bool {
        match self {
            Self::PercentControls | Self::PercentAll | Self::PercentNonAscii | Self::Rfc2231 | Self::StarIfIn(_) => {
                true
            }
            Self::Raw
            | Self::PercentQuotes
            | Self::Backslash
            | Self::BackslashCr
            | Self::BackslashCrLf
            | Self::BackslashSpaces
            | Self::QuotedString => false,
        }
    }
}

/// What makes a `name*=` out of a field name in reqwest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StarSet {
    /// WHATWG URL's path percent-encode set, `/` and `%`.
    PathSegment,
    /// All that is no `attr-char` of RFC 8187.
    NotAttrChar,
}

/// A parameter of `Content-Disposition`, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// `name="…"`.
    Quoted(Vec<u8>),
    /// `name*=…`, RFC 8187.
    Star(Vec<u8>),
}

impl Parameter {
    /// The value without quotes.
    pub(crate) fn value(&self) -> &[u8] {
        match self {
            Self::Quoted(value) | Self::Star(value) => value,
        }
    }
}

/// Escapes `encoded` by `rule`.
pub(crate) fn escape(rule: NameRule, encoded: &[u8]) -> Parameter {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
    let quoted = |write: fn(u8) -> Escaped| {
        let mut out = Vec::with_capacity(encoded.len());
        for &byte in encoded {
            match write(byte) {
                Escaped::AsIs => out.push(byte),
                Escaped::Backslash => out.extend([b'\\', byte]),
                Escaped::Percent => percent(&mut out, byte),
                Escaped::Space => out.push(b' '),
            }
        }
        Parameter::Quoted(out)
    };
    match rule {
        NameRule::Raw => quoted(|_| Escaped::AsIs),
        NameRule::PercentQuotes => quoted(|byte| match byte {
            b'\r' | b'\n' | b'"' => Escaped::Percent,
            _ => Escaped::AsIs,
        }),
        NameRule::PercentControls => quoted(|byte| match byte {
            b'\\' => Escaped::Backslash,
            0x1b => Escaped::AsIs,
            b'"' | 0..=0x1f => Escaped::Percent,
            _ => Escaped::AsIs,
        }),
        NameRule::Backslash => quoted(|byte| backslash_if(b"\"\\", byte)),
        NameRule::BackslashCr => quoted(|byte| backslash_if(b"\"\\\r", byte)),
        NameRule::BackslashCrLf => quoted(|byte| backslash_if(b"\"\\\r\n", byte)),
        NameRule::BackslashSpaces => quoted(|byte| match byte {
            b'\r' | b'\n' => Escaped::Space,
            _ => backslash_if(b"\"\\", byte),
        }),
        NameRule::PercentAll => Parameter::Quoted(percent_unless(encoded, unreserved)),
        NameRule::PercentNonAscii => {
            Parameter::Quoted(percent_unless(encoded, |byte| byte < 0x80 && byte != b' ' && byte != b'%'))
        }
        NameRule::Rfc2231 => {
            let plain = encoded.iter().all(|byte| byte.is_ascii() && !b"\"\\\r\n".contains(byte));
            if plain { Parameter::Quoted(encoded.to_vec()) } else { star(percent_unless(encoded, unreserved)) }
        }
        NameRule::QuotedString => {
            if encoded.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e)) {
                quoted(|byte| match byte {
                    b'!' | b'#'..=b'[' | b']'..=b'~' => Escaped::AsIs,
                    _ => Escaped::Backslash,
                })
            } else {
                star(percent_unless(encoded, unreserved))
            }
        }
        NameRule::StarIfIn(set) => {
            let escaped = percent_unless(encoded, |byte| set.keeps(byte));
            if escaped == encoded { Parameter::Quoted(escaped) } else { star(escaped) }
        }
    }
}

enum Escaped {
    AsIs,
    Backslash,
    Percent,
    Space,
}

fn backslash_if(set: &[u8], byte: u8) -> Escaped {
    if set.contains(&byte) { Escaped::Backslash } else { Escaped::AsIs }
}

impl StarSet {
    fn keeps(self, byte: u8) -> bool {
        match self {
            Self::PathSegment => matches!(byte, 0x21..=0x7e) && !b"\"#<>`?{}/%".contains(&byte),
            Self::NotAttrChar => byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte),
        }
    }
}

fn star(mut escaped: Vec<u8>) -> Parameter {
    escaped.splice(..0, *b"utf-8''");
    Parameter::Star(escaped)
}

fn percent(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

fn percent_unless(bytes: &[u8], keep: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if keep(byte) { out.push(byte) } else { percent(&mut out, byte) }
    }
    out
}

/// What a client does to the name before it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preparation {
    /// Nothing.
    AsIs,
    /// Unicode normalisation form C.
    Nfc,
    /// Only what follows the last `/` is sent.
    BaseName,
    /// Only what stands before the first NUL is sent: the name is a C string.
    CutAtNul,
    /// Base name, then cut at NUL.
    BaseNameCutAtNul,
}

/// `text` as the client has it when it begins to write.
pub(crate) fn prepare(preparation: Preparation, text: &str) -> Cow<'_, str> {
    match preparation {
        Preparation::AsIs => Cow::Borrowed(text),
        Preparation::Nfc => Cow::Owned(text.nfc().collect()),
        Preparation::BaseName => Cow::Borrowed(base_name(text)),
        Preparation::CutAtNul => Cow::Borrowed(cut_at_nul(text)),
        Preparation::BaseNameCutAtNul => Cow::Borrowed(base_name(cut_at_nul(text))),
    }
}

fn base_name(text: &str) -> &str {
    let trimmed = text.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn cut_at_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or(text)
}

/// The characters that a client's text may have on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextCharset {
    /// UTF-8, whatever the page is.
    Utf8,
    /// The page's; what it lacks becomes `&#NNNN;`. WHATWG HTML, "multipart form data".
    Page,
    /// ISO-8859-1; what it lacks becomes `?`.
    Latin1,
    /// US-ASCII; what it lacks becomes `?`.
    Ascii,
}

/// `text` as bytes.
pub(crate) fn encode_text(charset: TextCharset, page: PageCharset, text: &str) -> Vec<u8> {
    let single_byte = |last: u32| {
        let replaced = |c| u8::try_from(u32::from(c)).ok().filter(|&byte| u32::from(byte) <= last).unwrap_or(b'?');
        text.chars().map(replaced).collect()
    };
    match charset {
        TextCharset::Utf8 => text.as_bytes().to_vec(),
        TextCharset::Page => page.0.encode(text).0.into_owned(),
        TextCharset::Latin1 => single_byte(0xff),
        TextCharset::Ascii => single_byte(0x7f),
    }
}

/// The names that an origin may show for `parameter`, written by `rule`: each undoes the escapes another way.
pub(crate) fn readings(text: &str, rule: NameRule, parameter: &Parameter, page: PageCharset) -> Vec<String> {
    let mut readings = vec![text.to_owned()];
    let bare = match parameter {
        Parameter::Quoted(value) => value.as_slice(),
        Parameter::Star(value) => value.strip_prefix(b"utf-8''").unwrap_or(value),
    };
    let mut byte_forms = vec![bare.to_vec()];
    add(&mut byte_forms, undo_percent(bare, |byte| b"\"\r\n".contains(&byte)));
    if rule.percent_encodes_freely() || matches!(parameter, Parameter::Star(_)) {
        add(&mut byte_forms, undo_percent(bare, |_| true));
    }
    add(&mut byte_forms, undo_backslash(bare));
    for bytes in byte_forms {
        let as_utf8 = std::str::from_utf8(&bytes).ok().map(str::to_owned);
        let as_page = page.0.output_encoding().decode_without_bom_handling_and_without_replacement(&bytes);
        for form in as_utf8.into_iter().chain(as_page.map(Cow::into_owned)) {
            let unescaped = undo_references(&form);
            // NOTE: in Shift_JIS a 5C may be half a character, so `\` is undone once more after decoding.
            let unquoted = String::from_utf8(undo_backslash(form.as_bytes())).ok();
            for reading in [Some(form), unescaped, unquoted].into_iter().flatten() {
                add(&mut readings, reading);
            }
        }
    }
    readings
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn undo_percent(bytes: &[u8], undo: impl Fn(u8) -> bool) -> Vec<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(at + 1), digit(at + 2))
            && let Ok(decoded) = u8::try_from(high * 16 + low)
            && undo(decoded)
        {
            out.push(decoded);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

fn undo_backslash(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(&&next)) if b"\"\\\r\n".contains(&next) => {
                out.push(next);
                bytes.next();
            }
            _ => out.push(byte),
        }
    }
    out
}

fn undo_references(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut undone = false;
    while let Some(start) = rest.find("&#") {
        let (before, reference) = rest.split_at(start);
        out.push_str(before);
        let digits = &reference[2..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let decoded = digits[..end].parse().ok().and_then(char::from_u32).filter(|_| digits[end..].starts_with(';'));
        if let Some(c) = decoded {
            out.push(c);
            rest = &digits[end + 1..];
            undone = true;
        } else {
            out.push_str("&#");
            rest = digits;
        }
    }
    out.push_str(rest);
    undone.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_jis_readings_hold_the_name_and_its_entity_form() {
        let page = PageCharset(encoding_rs::SHIFT_JIS);
        let text = "📎ソース能\".pdf";
        let parameter = escape(NameRule::PercentQuotes, &encode_text(TextCharset::Page, page, text));
        let readings = readings(text, NameRule::PercentQuotes, &parameter, page);
        for expected in [text, "&#128206;ソース能%22.pdf", "&#128206;ソース能\".pdf", "📎ソース能%22.pdf"]
        {
            assert!(readings.iter().any(|reading| reading == expected), "{expected} not in {readings:?}");
        }
    }

    #[test]
    fn unmappable_characters_become_one_question_mark_each() {
        assert_eq!(encode_text(TextCharset::Latin1, PageCharset::default(), "𠮷é.pdf"), b"?\xe9.pdf");
        assert_eq!(encode_text(TextCharset::Ascii, PageCharset::default(), "𠮷é.pdf"), b"??.pdf");
    }

    #[test]
    fn a_name_that_is_only_a_base_name_is_not_cut() {
        assert_eq!(prepare(Preparation::BaseName, "../../etc/a.pdf"), "a.pdf");
        assert_eq!(prepare(Preparation::BaseName, r"C:\Users\me\a.pdf"), r"C:\Users\me\a.pdf");
        assert_eq!(prepare(Preparation::CutAtNul, "a.php\0.pdf"), "a.php");
    }
}
