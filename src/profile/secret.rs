//! Values that must not reach a record.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// A value that shows itself as `***`. Text of profiles that was filled in from the environment or a file.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be sent and never written.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Shorter secrets are not taken out: they would tear holes into unrelated text.
pub const SHORTEST: usize = 4;

/// Passing secrets (tokens and cookies of one upload) that are remembered at a time; the oldest go first.
const PASSING: usize = 512;

const STARS: &[u8] = b"***";

/// Takes secret values out of text and bytes: raw, percent-encoded, in base64, escaped for JSON and for HTML.
#[derive(Default)]
pub struct Redactor {
    lasting: RwLock<Known>,
    passing: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    order: VecDeque<String>,
    set: HashSet<String>,
    automaton: Option<Arc<AhoCorasick>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(***)")
    }
}

impl Redactor {
    /// Learns a secret for good: values of the profile, and what a sign-in of the whole run gave.
    pub fn learn(&self, secret: &str) {
        learn(&self.lasting, secret, usize::MAX);
    }

    /// Learns a secret that only the next uploads meet: tokens and cookies captured for one upload.
    pub fn learn_passing(&self, secret: &str) {
        let lasting = self.lasting.read().unwrap_or_else(PoisonError::into_inner).set.contains(secret);
        if !lasting {
            learn(&self.passing, secret, PASSING);
        }
    }

    /// `text` without any secret.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        match self.cut(text.as_bytes()) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => text.to_owned(),
        }
    }

    /// `bytes` without any secret.
    #[must_use]
    pub fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.cut(bytes).unwrap_or_else(|| bytes.to_vec())
    }

    /// `None`: there is nothing to take out.
    fn cut(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for known in [&self.lasting, &self.passing] {
            if let Some(automaton) = automaton(known) {
                // Overlapping, so that two secrets that share bytes both go.
                ranges.extend(automaton.find_overlapping_iter(bytes).map(|found| found.range()));
            }
        }
        if ranges.is_empty() {
            return None;
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut clean = Vec::with_capacity(bytes.len());
        let mut done = 0;
        let mut last_end = None;
        for range in ranges {
            if last_end.is_none_or(|end| range.start >= end) {
                clean.extend_from_slice(&bytes[done..range.start]);
                clean.extend_from_slice(STARS);
            }
            done = done.max(range.end);
            last_end = Some(done);
        }
        clean.extend_from_slice(&bytes[done..]);
        Some(clean)
    }
}

fn learn(known: &RwLock<Known>, secret: &str, most: usize) {
    if secret.len() < SHORTEST || secret.bytes().all(|byte| byte == b'*') {
        return;
    }
    if known.read().unwrap_or_else(PoisonError::into_inner).set.contains(secret) {
        return;
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if known.set.insert(secret.to_owned()) {
        known.order.push_back(secret.to_owned());
        if known.order.len() > most
            && let Some(oldest) = known.order.pop_front()
        {
            known.set.remove(&oldest);
        }
        known.automaton = None;
    }
}

/// Built when it is first needed after something was learnt.
fn automaton(known: &RwLock<Known>) -> Option<Arc<AhoCorasick>> {
    {
        let known = known.read().unwrap_or_else(PoisonError::into_inner);
        if known.set.is_empty() || known.automaton.is_some() {
            return known.automaton.clone();
        }
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if known.automaton.is_none() {
        let needles: BTreeSet<Vec<u8>> = known.set.iter().flat_map(|secret| forms(secret)).collect();
        known.automaton = AhoCorasick::new(needles).ok().map(Arc::new);
    }
    known.automaton.clone()
}

/// RFC 3986 `unreserved`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
/// WHATWG `application/x-www-form-urlencoded`, whose space is a `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b' ');
/// WHATWG query percent-encode set, for values that were put into a URL as they are.
const QUERY: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
/// WHATWG path percent-encode set.
const PATH: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// Every form in which a secret may stand in a text.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    for set in [NON_ALPHANUMERIC, UNRESERVED, COMPONENT, FORM, QUERY, PATH] {
        let encoded = percent_encode(secret.as_bytes(), set).to_string();
        let plus = encoded.replace(' ', "+");
        forms.push(lower_hex(&plus).into_bytes());
        forms.push(plus.into_bytes());
    }
    forms.extend(json_forms(secret));
    for (quote, apostrophe) in
        [("&quot;", "&#39;"), ("&#34;", "&#39;"), ("&quot;", "&#x27;"), ("&quot;", "&apos;"), ("\"", "'")]
    {
        let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        forms.push(escaped.replace('"', quote).replace('\'', apostrophe).into_bytes());
        forms.push(escaped.replace('"', quote).into_bytes());
    }
    forms.extend(base64_forms(secret.as_bytes()));
    forms
}

/// As serde, as PHP (`\/`) and as ASCII-only writers escape, and with `<`, `>`, `&` escaped for scripts.
fn json_forms(secret: &str) -> Vec<Vec<u8>> {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted[1..quoted.len() - 1].to_owned();
    let ascii = |upper: bool, html: bool| -> String {
        let mut out = String::new();
        for c in plain.chars() {
            if c.is_ascii() && !(html && "<>&'".contains(c)) {
                out.push(c);
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
            }
        }
        out
    };
    let mut all = vec![plain.clone(), ascii(false, false), ascii(true, false), ascii(false, true), ascii(true, true)];
    all.extend(all.clone().iter().map(|form| form.replace('/', "\\/")));
    all.into_iter().map(String::into_bytes).collect()
}

/// The characters of base64 that depend on the secret alone, for its three positions in a group of 3 bytes.
fn base64_forms(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let mut forms = Vec::new();
    for (before, skip) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        let whole = bytes.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.push(text.as_bytes()[skip..whole].to_vec());
        }
    }
    forms
}

fn lower_hex(encoded: &str) -> String {
    let mut out = String::with_capacity(encoded.len());
    let mut digits = 0;
    for c in encoded.chars() {
        out.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2 } else { i32::max(digits - 1, 0) };
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_secret_survives_in_any_form(
            secret in "[ -)+-~é表💾]{4,24}", before in "[a-z]{0,4}", after in "[a-z]{0,4}"
        ) {
            let redactor = Redactor::default();
            redactor.learn(&secret);
            let whole = format!("{before}{secret}{after}");
            let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let html = html.replace('"', "&quot;").replace('\'', "&#39;");
            let percent = percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string();
            let json = serde_json::Value::from(secret.as_str()).to_string();
            for form in [&secret, &percent, &lower_hex(&percent), &json, &html] {
                let bare = form.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(form);
                let clean = redactor.redact(&format!("{before} {form} {after}"));
                prop_assert!(!clean.contains(bare), "{clean}");
            }
            prop_assert!(!redactor.redact(&whole).contains(&secret));
            for engine in [&STANDARD, &URL_SAFE] {
                let clean = redactor.redact(&engine.encode(&whole));
                prop_assert!(clean.contains("***"), "{clean}");
                let padded = clean.trim_end_matches('=').len();
                prop_assert!(padded <= (before.len() + after.len()) * 4 / 3 + 3 + 4, "{clean}");
            }
        }

        #[test]
        fn text_without_secrets_stays_as_it_is(text in "[^q]{0,200}") {
            let redactor = Redactor::default();
            prop_assert_eq!(redactor.redact(&text), text.clone());
            redactor.learn("q-secret-q");
            prop_assert_eq!(redactor.redact(&text), text);
        }
    }

    #[test]
    fn secrets_that_share_bytes_both_go() {
        let redactor = Redactor::default();
        redactor.learn("abcdef");
        redactor.learn("defghi");
        assert_eq!(redactor.redact("1abcdefghi2"), "1***2");
    }

    #[test]
    fn passing_secrets_are_bounded_and_lasting_ones_stay() {
        let redactor = Redactor::default();
        redactor.learn("lasting-value");
        for index in 0..=PASSING {
            redactor.learn_passing(&format!("token-{index:06}"));
        }
        assert_eq!(redactor.redact("lasting-value token-000000 token-000512"), "*** token-000000 ***");
    }

    #[test]
    fn a_short_value_is_left_alone() {
        let redactor = Redactor::default();
        redactor.learn("abc");
        assert_eq!(redactor.redact("abc"), "abc");
    }
}
