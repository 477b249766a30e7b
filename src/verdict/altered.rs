//! Whether what the origin received is what was sent.

use crate::profile::ReceiptSpec;
use crate::replay::{Receipt, Sent};

/// What a receipt proves.
pub(super) enum Arrival {
    /// Bytes, and what else the profile asks for, are as sent.
    Intact,
    /// Something differs: which, expected and got.
    Altered(String),
    /// The receipt lacks what would prove it.
    Unproven(String),
}

/// Types that an origin may show for a part that declares none: RFC 7578 section 4.4 and RFC 2046 section 5.2.4.
const DEFAULT_TYPES: [&str; 2] = ["text/plain", "application/octet-stream"];

/// Compares a receipt with what was sent.
///
/// The filename's bytes decide where the receipt has them; else its decoded text must be one of the readings that an
/// origin may show. Types compare without regard to case, and nothing else is overlooked. Where the client sent no
/// filename at all, the origin may call the file what it likes.
pub(super) fn arrival(receipt: &Receipt, sent: &Sent, spec: Option<&ReceiptSpec>) -> Arrival {
    let differs = |what: &str, expected: &str, got: &str| {
        Arrival::Altered(format!("the {what} differs: `{expected}` was sent, `{got}` arrived"))
    };
    if receipt.sha256 != sent.sha256 {
        let size = match receipt.size {
            Some(size) if size != sent.size => format!("; {} bytes were sent, {size} arrived", sent.size),
            Some(_) => "; the size is the same".to_owned(),
            None => String::new(),
        };
        let detail = format!("the content differs: SHA-256 `{}` was sent, `{}` arrived", sent.sha256, receipt.sha256);
        return Arrival::Altered(detail + &size);
    }
    match receipt.size {
        Some(size) if size != sent.size => return differs("size", &sent.size.to_string(), &size.to_string()),
        None if spec.is_some_and(|spec| spec.size.is_some()) => {
            return Arrival::Unproven("the receipt has no size where the profile says".to_owned());
        }
        Some(_) | None => {}
    }
    let asks_filename = spec.is_some_and(|spec| spec.filename.is_some() || spec.filename_hex.is_some());
    if let Some(detail) = filename_change(receipt, sent, asks_filename) {
        return Arrival::Altered(detail);
    }
    let asks_type = spec.is_some_and(|spec| spec.content_type.is_some());
    match type_change(receipt, sent, asks_type) {
        Some((expected, got)) => differs("type", &expected, &got),
        None => Arrival::Intact,
    }
}

fn filename_change(receipt: &Receipt, sent: &Sent, asked: bool) -> Option<String> {
    let expected = sent.filename_hex.as_deref()?;
    let shown = sent.filename_readings.first().map_or(expected, String::as_str);
    if let Some(got) = receipt.filename_hex.as_deref() {
        let same = got.eq_ignore_ascii_case(expected);
        return (!same).then(|| {
            let name = receipt.filename.as_deref().unwrap_or("?");
            format!("the filename differs: `{shown}` was sent (bytes {expected}), `{name}` arrived (bytes {got})")
        });
    }
    match receipt.filename.as_deref() {
        Some(got) if sent.filename_readings.iter().any(|reading| reading == got) => None,
        Some(got) => Some(format!("the filename differs: `{shown}` was sent, `{got}` arrived")),
        // An empty filename and none are the same to many origins.
        None if asked && !expected.is_empty() => {
            Some(format!("the filename is gone: `{shown}` was sent, none arrived"))
        }
        None => None,
    }
}

fn type_change(receipt: &Receipt, sent: &Sent, asked: bool) -> Option<(String, String)> {
    let present = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    match (present(&sent.content_type), present(&receipt.content_type)) {
        (Some(expected), Some(got)) => (!expected.eq_ignore_ascii_case(&got)).then_some((expected, got)),
        (Some(expected), None) => asked.then(|| (expected, "none".to_owned())),
        (None, Some(got)) => {
            let default = DEFAULT_TYPES.iter().any(|known| known.eq_ignore_ascii_case(&got));
            (!default).then(|| ("none".to_owned(), got))
        }
        (None, None) => None,
    }
}
