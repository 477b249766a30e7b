//! What was found, held against what was planted.

use wafcanary::corpus::Hex;
use wafcanary::explain::{Detail, Factor, Finding, Part, Place};

/// What an explanation must name.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// Characters of the filename, and the ASCII byte in them that does it alone.
    Characters { text: String, byte: Option<char> },
    /// A property as a whole.
    Whole(Factor, String),
    /// The number of bytes from which on files are refused.
    Size(u64),
    /// Runs of bytes at their offsets.
    Bytes { runs: Vec<(u64, Vec<u8>)>, place: Option<Place> },
    /// A line of the request as this client writes it.
    Line { client: String, line: String },
    /// This of a property.
    Told(Factor, Detail),
    /// A byte beyond ASCII or others like it, wherever they stand.
    BeyondAscii,
    /// That a file with this extension does not begin with so many bytes as such files do.
    NotAsNamed { extension: String, magic: u64 },
    /// Each of these by itself.
    Each(Vec<Want>),
}

/// How good an explanation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    /// What was planted, and nothing else.
    Exact,
    /// It says that it does not know.
    NotFound,
    /// The client that writes the line, and not which of its lines it is; one of several that are refused each by itself.
    Coarse,
    /// Something else, stated as all there is.
    WrongAndSure,
}

/// Holds a finding against what was planted.
pub(crate) fn grade(expected: &[Want], finding: &Finding) -> Grade {
    let Finding::Causes { causes, proven: true, .. } = finding else { return Grade::NotFound };
    let parts: Vec<&Part> = causes.iter().flat_map(|cause| &cause.parts).collect();
    // The bytes on the wire say what the page is: to name it too is no mistake.
    let by_byte = expected.iter().any(|want| matches!(want, Want::Characters { byte: Some(_), .. }));
    let parts: Vec<&Part> = parts.into_iter().filter(|part| !(by_byte && part.factor == Factor::Page)).collect();
    let told = |want: &Want| parts.iter().any(|part| is_told(want, part));
    if causes.len() == 1 && parts.len() == expected.len() && expected.iter().all(told) {
        return Grade::Exact;
    }
    match (expected, &parts[..]) {
        ([Want::NotAsNamed { extension, .. }], [one, other]) if told(&expected[0]) => {
            let named = |part: &Part| {
                part.factor == Factor::Extension && part.detail == Detail::Whole { value: extension.clone() }
            };
            if named(one) || named(other) { Grade::Exact } else { Grade::WrongAndSure }
        }
        ([Want::Each(wants)], parts) if parts.iter().all(|part| wants.iter().any(|want| is_told(want, part))) => {
            if parts.len() == wants.len() {
                Grade::Exact
            } else {
                Grade::Coarse
            }
        }
        ([Want::Line { client, .. }], [Part { factor: Factor::Client, detail: Detail::Whole { value } }])
            if client == value =>
        {
            Grade::Coarse
        }
        _ => Grade::WrongAndSure,
    }
}

fn is_told(want: &Want, part: &Part) -> bool {
    match (want, part.factor, &part.detail) {
        (Want::Characters { text, byte }, Factor::Stem, Detail::Characters { text: told, byte: alone, .. }) => {
            text == told && byte == alone
        }
        (Want::Whole(factor, value), told, Detail::Whole { value: other }) => *factor == told && value == other,
        (Want::Size(size), Factor::Size, Detail::Size { from }) => size == from,
        (
            Want::Bytes { runs, place },
            Factor::Content,
            Detail::Bytes { runs: told, place: where_else, others: false, .. },
        ) => {
            let same = runs.iter().zip(told).all(|((offset, bytes), run)| {
                *offset == run.offset && bytes.len() as u64 == run.len && Hex(bytes).to_string() == run.hex
            });
            runs.len() == told.len() && same && place == where_else
        }
        (Want::Line { client, line }, Factor::Client, Detail::Lines { client: told, lines }) => {
            client == told && lines == std::slice::from_ref(line)
        }
        (Want::Told(factor, value), told, detail) => *factor == told && value == detail,
        (
            Want::BeyondAscii,
            Factor::Content,
            Detail::Bytes { runs, place: None | Some(Place::Anywhere), others: true, .. },
        ) => {
            matches!(&runs[..], [run] if run.len == 1 && run.hex.as_str() >= "80")
        }
        (Want::NotAsNamed { magic, .. }, Factor::Content, Detail::NotAsNamed { offset, hex }) => {
            offset < magic && !hex.is_empty()
        }
        _ => false,
    }
}
