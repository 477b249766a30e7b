//! The `Content-Type` that each client declares for a file, by its name.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::LazyLock;

use crate::corpus::Content;

/// What is declared when the client knows no better.
pub(crate) const OCTET_STREAM: &str = "application/octet-stream";

/// Where a client takes the type of a file from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeRule {
    /// It sends no `Content-Type` for the part.
    None,
    /// Always `application/octet-stream`.
    OctetStream,
    /// The captured table of Chromium with shared-mime-info.
    Chromium,
    /// The captured table of Firefox with Debian's mime.types.
    Firefox,
    /// The captured table of `WebKitGTK` with shared-mime-info.
    WebKit,
    /// The ten extensions of libcurl.
    Curl,
    /// Python's `mimetypes`.
    Python,
    /// Python's `mimetypes`; no type at all for an empty name.
    PythonNamed,
    /// npm's mime-types.
    MimeDb,
    /// The `mime_guess` crate.
    MimeGuess,
    /// `LWP::MediaTypes`, which looks into a file whose extension it does not know.
    Perl,
    /// The seven extensions of ruby-httpclient.
    RubyHttpClient,
}

/// The type that `rule` gives to a file; `None`: the part carries no `Content-Type`.
pub(crate) fn declared(rule: TypeRule, filename: &str, content: &Content) -> Option<String> {
    let known = match rule {
        TypeRule::None => return None,
        TypeRule::PythonNamed if filename.is_empty() => return None,
        TypeRule::OctetStream => None,
        TypeRule::Chromium => by_table(Column::Chromium, last_suffix(filename)),
        TypeRule::Firefox => by_table(Column::Firefox, last_suffix(filename)),
        TypeRule::WebKit => by_table(Column::WebKit, last_suffix(filename)),
        TypeRule::Curl => by_ending(CURL, filename),
        TypeRule::Python | TypeRule::PythonNamed => by_table(Column::Python, python_suffix(filename)),
        TypeRule::MimeDb => by_table(Column::MimeDb, mime_db_suffix(filename)),
        TypeRule::MimeGuess => {
            let suffix = std::path::Path::new(filename).extension().and_then(std::ffi::OsStr::to_str);
            // NOTE: reqwest parses the type before it writes it, which makes it lower case.
            guessed(suffix).map(|name| name.to_ascii_lowercase())
        }

        TypeRule::Perl => by_table(Column::Perl, perl_suffix(filename)).or_else(|| perl_look(content)),
        TypeRule::RubyHttpClient => by_ending(RUBY_HTTPCLIENT, filename),
    };
    Some(known.unwrap_or_else(|| OCTET_STREAM.to_owned()))
}

const CURL: &[(&str, &str)] = &[
    (".gif", "image/gif"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".svg", "image/svg+xml"),
    (".txt", "text/plain"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".pdf", "application/pdf"),
    (".xml", "application/xml"),
];

const RUBY_HTTPCLIENT: &[(&str, &str)] = &[
    (".txt", "text/plain"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".doc", "application/msword"),
    (".png", "image/png"),
    (".gif", "image/gif"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
];

fn by_ending(table: &[(&str, &str)], filename: &str) -> Option<String> {
    let lower = filename.to_ascii_lowercase();
    table.iter().find(|(ending, _)| lower.ends_with(ending)).map(|(_, name)| (*name).to_owned())
}

#[derive(Debug, Clone, Copy)]
enum Column {
    Chromium = 1,
    Firefox = 2,
    WebKit = 3,
    Python = 4,
    MimeDb = 5,
    Perl = 6,
}

/// Captured types by extension: `-` stands for `application/octet-stream`, `?` for a look into the file.
static TABLE: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let rows = include_str!("types.tsv").lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter_map(|row| Some((*row.first()?, row))).collect()
});

fn by_table(column: Column, suffix: Option<&str>) -> Option<String> {
    let suffix = suffix?.to_ascii_lowercase();
    match TABLE.get(suffix.as_str()).and_then(|row| row.get(column as usize)) {
        Some(&"-") => Some(OCTET_STREAM.to_owned()),
        Some(&"?") => None,
        Some(known) => Some((*known).to_owned()),
        None => guessed(Some(&suffix)),
    }
}

fn guessed(suffix: Option<&str>) -> Option<String> {
    mime_guess::from_ext(suffix?).first_raw().map(str::to_owned)
}

/// Browsers: all that follows the last dot.
fn last_suffix(filename: &str) -> Option<&str> {
    filename.rsplit_once('.').map(|(_, suffix)| suffix).filter(|suffix| !suffix.is_empty())
}

/// `mimetypes.guess_type`: a name of leading dots has no suffix, and a compression's suffix is set aside.
fn python_suffix(filename: &str) -> Option<&str> {
    let (stem, suffix) = python_split(filename)?;
    let suffix_is = |known: &[&str]| known.iter().any(|known| suffix.eq_ignore_ascii_case(known));
    if suffix_is(&["tgz", "taz", "tz", "tbz2", "txz"]) {
        return Some("tar");
    }
    if suffix_is(&["gz", "z", "bz2", "xz", "br"]) {
        return Some(python_split(stem).map_or("", |(_, inner)| inner));
    }
    Some(suffix)
}

fn python_split(filename: &str) -> Option<(&str, &str)> {
    let base = filename.rsplit('/').next().unwrap_or(filename);
    let (stem, suffix) = base.rsplit_once('.')?;
    (!stem.trim_start_matches('.').is_empty()).then_some((stem, suffix))
}

/// mime-types' `lookup`: the extension of `x.` + name, so a bare `pdf` counts as one.
fn mime_db_suffix(filename: &str) -> Option<&str> {
    let base = filename.rsplit('/').next().unwrap_or(filename);
    Some(base.rsplit('.').next().unwrap_or(base)).filter(|suffix| !suffix.is_empty())
}

/// `LWP::MediaTypes`: the last part that is not empty, if another stands before it.
fn perl_suffix(filename: &str) -> Option<&str> {
    let base = filename.rsplit('/').next().unwrap_or(filename);
    last_suffix(base.trim_end_matches('.'))
}

/// Perl's `-T`: text when the first block holds no NUL and at most a third of odd characters.
fn perl_look(content: &Content) -> Option<String> {
    let mut block = Vec::new();
    // NOTE: a file that cannot be read fails when it is sent; its type does not matter then.
    content.reader().take(512).read_to_end(&mut block).ok()?;
    let odd = |byte: &u8| *byte >= 0x80 || (*byte < 0x20 && !b"\t\n\r\x08\x0c\x1b".contains(byte));
    let text = std::str::from_utf8(&block).is_ok() || block.iter().filter(|byte| odd(byte)).count() * 3 <= block.len();
    (text && !block.contains(&0)).then(|| "text/plain".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared_for(rule: TypeRule, filename: &str) -> Option<String> {
        declared(rule, filename, &Content::from_bytes(&b"\0\x01"[..]))
    }

    #[test]
    fn the_extension_is_matched_as_each_client_does_it() {
        let table = [
            (TypeRule::Chromium, "SCAN.PDF", "application/pdf"),
            (TypeRule::Chromium, "report.pdf.", OCTET_STREAM),
            (TypeRule::Chromium, "plan.lzh", "application/x-lha"),
            (TypeRule::Firefox, "plan.lzh", "application/x-lzh"),
            (TypeRule::Python, ".pdf", OCTET_STREAM),
            (TypeRule::Python, "a.tar.gz", "application/x-tar"),
            (TypeRule::Python, "a.gz", OCTET_STREAM),
            (TypeRule::MimeDb, "pdf", "application/pdf"),
            (TypeRule::Perl, "report.pdf.", "application/pdf"),
            (TypeRule::Perl, "plan.heic", OCTET_STREAM),
            (TypeRule::Curl, "plan.docx", OCTET_STREAM),
        ];
        for (rule, filename, expected) in table {
            assert_eq!(declared_for(rule, filename).as_deref(), Some(expected), "{rule:?} {filename}");
        }
        assert_eq!(declared_for(TypeRule::None, "a.pdf"), None);
        assert_eq!(declared_for(TypeRule::PythonNamed, ""), None);
    }

    #[test]
    fn every_row_of_the_table_has_a_type_for_each_column() {
        assert!(TABLE.len() > 100);
        assert!(TABLE.values().all(|row| row.len() == 7 && row.iter().all(|cell| !cell.is_empty())));
    }
}
