//! Looking at an upload: what a plan's file check sees of it, and which rule it breaks.

use memchr::memmem;

use super::multipart::{Event, PartHead};
use super::table::Rules;

/// One file as far as the window shows it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its headers.
    pub(super) head: PartHead,
    /// Its first bytes.
    pub(super) start: Vec<u8>,
}

impl Seen {
    /// The filename's bytes; empty: none.
    pub(super) fn filename(&self) -> &[u8] {
        self.head.filename.as_deref().or(self.head.filename_ext.as_deref()).unwrap_or_default()
    }

    fn is_file(&self) -> bool {
        !self.filename().is_empty() || self.head.content_type.is_some()
    }
}

/// The files of an upload as far as the window shows them.
#[derive(Debug, Default)]
pub(super) struct Window {
    parts: Vec<Seen>,
}

impl Window {
    /// Takes what the reader found.
    pub(super) fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Begin(head) => self.parts.push(Seen { head, start: Vec::new() }),
            Event::Data(bytes) => {
                if let Some(part) = self.parts.last_mut() {
                    part.start.extend_from_slice(bytes);
                }
            }
            Event::End => {}
            Event::Amend(head) => {
                if let Some(part) = self.parts.last_mut() {
                    part.head = head;
                }
            }
        }
    }

    /// The filename of the first file; empty: none was seen.
    pub(super) fn filename(&self) -> &[u8] {
        self.parts.iter().map(Seen::filename).find(|name| !name.is_empty()).unwrap_or_default()
    }

    /// Whether a file's headers were seen.
    pub(super) fn has_file(&self) -> bool {
        self.parts.iter().any(Seen::is_file)
    }

    /// The first rule that a file breaks.
    pub(super) fn broken_rule<'a>(&self, rules: &'a Rules) -> Option<&'a str> {
        self.parts.iter().find_map(|part| broken(part, rules))
    }
}

fn broken<'a>(part: &Seen, rules: &'a Rules) -> Option<&'a str> {
    let name = part.filename();
    let extensions = extensions(name);
    let last = extensions.last().map(String::as_str).unwrap_or_default();
    let start = part.start.as_slice();
    if rules.name_parts.iter().any(|run| memmem::find(name, run.as_bytes()).is_some()) {
        return Some("name");
    }
    if rules.extensions.iter().any(|refused| refused == last)
        || extensions.iter().any(|extension| rules.any_extensions.contains(extension))
    {
        return Some("extension");
    }
    let hit = rules.patterns.iter().find(|pattern| {
        let applies = pattern.extensions.is_empty() || pattern.extensions.iter().any(|extension| extension == last);
        let found = |hay: &[u8]| memmem::find(hay, &pattern.bytes).is_some();
        applies && if pattern.ignore_case { found(&start.to_ascii_lowercase()) } else { found(start) }
    });
    if let Some(pattern) = hit {
        return Some(&pattern.name);
    }
    if !part.is_file() {
        return None;
    }
    if rules.magic_mismatch && mismatched(last, start) {
        return Some("magic");
    }
    if rules.macros && start.starts_with(b"PK") && memmem::find(start, b"vbaProject.bin").is_some() {
        return Some("macro");
    }
    (rules.encrypted && is_encrypted(start)).then_some("encrypted")
}

/// The extensions of a filename in lower case, `x.tar.gz` has two.
fn extensions(name: &[u8]) -> Vec<String> {
    let base = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
    let parts = base.split(|&byte| byte == b'.').skip(1);
    parts.map(|part| String::from_utf8_lossy(part).trim().to_ascii_lowercase()).collect()
}

const ZIP: &[&[u8]] = &[b"PK\x03\x04", b"PK\x05\x06"];
const OLE: &[&[u8]] = &[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];

/// The first bytes that files with an extension begin with; extensions that are not listed may begin with anything.
const MAGIC: &[(&[&str], &[&[u8]])] = &[
    (&["pdf"], &[b"%PDF-"]),
    (&["png"], &[b"\x89PNG\r\n\x1a\n"]),
    (&["jpg", "jpeg", "jpe", "jfif"], &[b"\xff\xd8\xff"]),
    (&["gif"], &[b"GIF87a", b"GIF89a"]),
    (&["bmp"], &[b"BM"]),
    (&["tif", "tiff"], &[b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]),
    (&["webp", "wav", "avi"], &[b"RIFF"]),
    (&["zip", "docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods", "odp", "epub"], ZIP),
    (&["doc", "xls", "ppt", "msg"], OLE),
    (&["7z"], &[b"7z\xbc\xaf\x27\x1c"]),
    (&["rar"], &[b"Rar!\x1a\x07"]),
    (&["gz", "tgz"], &[b"\x1f\x8b"]),
    (&["rtf"], &[b"{\\rtf"]),
];

/// Whether the first bytes are not those of the extension. An encrypted Office file is an OLE container: no mismatch.
fn mismatched(extension: &str, start: &[u8]) -> bool {
    let Some((_, magics)) = MAGIC.iter().find(|(extensions, _)| extensions.contains(&extension)) else { return false };
    let encrypted_office = extension.ends_with('x') && start.starts_with(OLE[0]);
    !start.is_empty() && !encrypted_office && !magics.iter().any(|magic| start.starts_with(magic))
}

fn is_encrypted(start: &[u8]) -> bool {
    if start.starts_with(ZIP[0]) {
        // General purpose bit 0 of each local header that the window shows, APPNOTE 4.4.4.
        return memmem::find_iter(start, ZIP[0]).any(|at| start.get(at + 6).is_some_and(|flags| flags & 1 == 1));
    }
    if start.starts_with(b"%PDF-") {
        return memmem::find(start, b"/Encrypt").is_some();
    }
    let utf16: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    start.starts_with(OLE[0]) && memmem::find(start, &utf16).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::table::Pattern;

    fn seen(filename: &[u8], start: &[u8]) -> Window {
        let head = PartHead { filename: Some(filename.to_vec()), ..PartHead::default() };
        Window { parts: vec![Seen { head, start: start.to_vec() }] }
    }

    #[test]
    fn each_rule_names_itself() {
        let rules = Rules {
            extensions: vec!["heic".into()],
            any_extensions: vec!["php".into()],
            name_parts: vec!["../".into()],
            magic_mismatch: true,
            macros: true,
            encrypted: true,
            patterns: vec![Pattern {
                name: "script".into(),
                bytes: b"<script".to_vec(),
                extensions: vec!["svg".into()],
                ignore_case: true,
            }],
        };
        let zip = |flags: u8| [b"PK\x03\x04\x14\0".as_slice(), &[flags, 0], b"word/vbaProject.bin"].concat();
        let cases: [(&[u8], &[u8], Option<&str>); 10] = [
            (b"a.HEIC", b"x", Some("extension")),
            (b"a.php.jpg", b"\xff\xd8\xff", Some("extension")),
            (b"../a.txt", b"x", Some("name")),
            (b"a.svg", b"<svg><SCRIPT>", Some("script")),
            (b"a.txt", b"<script>", None),
            (b"a.pdf", b"GIF89a", Some("magic")),
            (b"a.docx", &zip(0), Some("macro")),
            (b"a.pdf", b"%PDF-1.7 /Encrypt", Some("encrypted")),
            (b"a.pdf", b"%PDF-1.7", None),
            (b"empty.pdf", b"", None),
        ];
        for (name, start, expected) in cases {
            assert_eq!(seen(name, start).broken_rule(&rules), expected, "{}", String::from_utf8_lossy(name));
        }
        let encrypted = Rules { encrypted: true, ..Rules::default() };
        assert_eq!(seen(b"a.zip", &zip(1)).broken_rule(&encrypted), Some("encrypted"));
        assert_eq!(seen(b"a.zip", &zip(0)).broken_rule(&encrypted), None);
    }
}
