//! Looking at an upload: what a plan's file check sees of it, and which rule it breaks.

use memchr::memmem;

use super::multipart::{Event, PartHead};
use super::table::{Rules, Together};

/// One file as far as the window shows it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its headers.
    pub(super) head: PartHead,
    /// Its first bytes.
    pub(super) start: Vec<u8>,
    /// How many bytes it has, as far as they were counted.
    size: u64,
    /// They were counted to its end.
    ended: bool,
}

impl Seen {
    /// The filename's bytes; empty: none.
    pub(super) fn filename(&self) -> &[u8] {
        self.head.filename.as_deref().or(self.head.filename_ext.as_deref()).unwrap_or_default()
    }

    /// The declared type without its parameters, lower case; empty: none.
    fn content_type(&self) -> String {
        let written = self.head.content_type.as_deref().unwrap_or_default();
        let kind = written.split(|&byte| byte == b';').next().unwrap_or_default();
        String::from_utf8_lossy(kind.trim_ascii()).to_ascii_lowercase()
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
            Event::Begin(head) => self.parts.push(Seen { head, ..Seen::default() }),
            Event::Data(bytes) => {
                if let Some(part) = self.parts.last_mut() {
                    part.start.extend_from_slice(bytes);
                    part.size += bytes.len() as u64;
                }
            }
            Event::End => self.end(),
            Event::Amend(head) => {
                if let Some(part) = self.parts.last_mut() {
                    part.head = head;
                }
            }
        }
    }

    /// Takes what the reader found beyond the window: how much it is, and nothing of what it says.
    pub(super) fn count(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin(_) => self.parts.push(Seen::default()),
            Event::Data(bytes) => {
                if let Some(part) = self.parts.last_mut() {
                    part.size += bytes.len() as u64;
                }
            }
            Event::End => self.end(),
            Event::Amend(_) => {}
        }
    }

    fn end(&mut self) {
        if let Some(part) = self.parts.last_mut() {
            part.ended = true;
        }
    }

    /// The size of the largest part, as far as it was counted, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.size).max().unwrap_or(0)
    }

    /// The filename of the first file; empty: none was seen.
    pub(super) fn filename(&self) -> &[u8] {
        self.parts.iter().map(Seen::filename).find(|name| !name.is_empty()).unwrap_or_default()
    }

    /// Whether a file's headers were seen.
    pub(super) fn has_file(&self) -> bool {
        self.parts.iter().any(Seen::is_file)
    }

    /// The first rule that the request with this head, or a file in it, breaks.
    pub(super) fn broken_rule<'a>(&self, request: &[u8], rules: &'a Rules) -> Option<&'a str> {
        let mut heads = std::iter::once(request).chain(self.parts.iter().map(|part| &part.head.raw[..]));
        if heads.any(|head| rules.lines.iter().any(|text| memmem::find(head, text.as_bytes()).is_some())) {
            return Some("line");
        }
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
    if rules.name_bytes.is_some_and(|bytes| name.len() as u64 >= bytes) {
        return Some("name bytes");
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
    if rules.types.contains(&part.content_type()) {
        return Some("type");
    }
    if rules.size.is_some_and(|size| part.size >= size) {
        return Some("size");
    }
    if rules.under.is_some_and(|size| part.ended && part.size < size) {
        return Some("under");
    }
    if rules.non_ascii.iter().any(|extension| extension == last) && !start.is_ascii() {
        return Some("non-ascii");
    }
    if let Some(together) = rules.together.iter().find(|together| has_all(part, last, together)) {
        return Some(&together.name);
    }
    if rules.magic_mismatch && mismatched(last, start) {
        return Some("magic");
    }
    if rules.macros && start.starts_with(b"PK") && memmem::find(start, b"vbaProject.bin").is_some() {
        return Some("macro");
    }
    (rules.encrypted && is_encrypted(start)).then_some("encrypted")
}

/// Whether the file with this last extension has every property that the rule names.
fn has_all(part: &Seen, extension: &str, together: &Together) -> bool {
    let holds = |hay: &[u8], run: &[u8]| memmem::find(hay, run).is_some();
    together.extension.as_deref().is_none_or(|refused| refused == extension)
        && together.content_type.as_deref().is_none_or(|refused| refused == part.content_type())
        && together.name_part.as_deref().is_none_or(|run| holds(part.filename(), run.as_bytes()))
        && together.size.is_none_or(|size| part.size >= size)
        && together.bytes.iter().all(|run| holds(&part.start, run))
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
        typed(filename, "application/octet-stream", start)
    }

    fn typed(filename: &[u8], content_type: &str, start: &[u8]) -> Window {
        let head = PartHead {
            filename: Some(filename.to_vec()),
            content_type: Some(content_type.as_bytes().to_vec()),
            ..PartHead::default()
        };
        let mut window = Window::default();
        window.note(Event::Begin(head));
        window.note(Event::Data(start));
        window
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
            ..Rules::default()
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
            assert_eq!(seen(name, start).broken_rule(b"", &rules), expected, "{}", String::from_utf8_lossy(name));
        }
        let encrypted = Rules { encrypted: true, ..Rules::default() };
        assert_eq!(seen(b"a.zip", &zip(1)).broken_rule(b"", &encrypted), Some("encrypted"));
        assert_eq!(seen(b"a.zip", &zip(0)).broken_rule(b"", &encrypted), None);
    }

    #[test]
    fn a_declared_type_is_compared_without_its_parameters_and_case() {
        let rules = Rules { types: vec!["text/csv".into()], ..Rules::default() };
        for (content_type, expected) in
            [("text/csv", Some("type")), ("Text/CSV; charset=x", Some("type")), ("text/csv2", None), ("", None)]
        {
            assert_eq!(typed(b"a.csv", content_type, b"x").broken_rule(b"", &rules), expected, "{content_type}");
        }
    }

    #[test]
    fn a_size_is_counted_beyond_the_window() {
        let rules = Rules { size: Some(10), ..Rules::default() };
        let mut window = seen(b"a.bin", b"12345");
        window.count(&Event::Data(b"6789"));
        assert_eq!((window.size(), window.broken_rule(b"", &rules)), (9, None));
        window.count(&Event::Data(b"0"));
        assert_eq!(window.broken_rule(b"", &rules), Some("size"));
        let hidden = Rules { name_parts: vec!["b.bin".into()], ..rules };
        let mut window = seen(b"a.bin", b"");
        window.count(&Event::Begin(PartHead { filename: Some(b"b.bin".to_vec()), ..PartHead::default() }));
        window.count(&Event::Data(b"1234567890"));
        assert_eq!(window.broken_rule(b"", &hidden), None, "a file that begins beyond the window is not seen");
    }

    #[test]
    fn a_file_is_too_small_once_its_end_was_seen() {
        let rules = Rules { under: Some(10), ..Rules::default() };
        let mut window = seen(b"a.bin", b"12345");
        assert_eq!(window.broken_rule(b"", &rules), None, "more may come");
        window.count(&Event::Data(b"6789"));
        window.count(&Event::End);
        assert_eq!(window.broken_rule(b"", &rules), Some("under"));
        let mut window = seen(b"a.bin", b"1234567890");
        window.note(Event::End);
        assert_eq!(window.broken_rule(b"", &rules), None);
        window.note(Event::Begin(PartHead { name: Some(b"remarks".to_vec()), ..PartHead::default() }));
        window.note(Event::End);
        assert_eq!(window.broken_rule(b"", &rules), None, "a text field is no file");
    }

    #[test]
    fn the_bytes_of_a_name_are_counted_and_not_its_characters() {
        let rules = Rules { name_bytes: Some(13), ..Rules::default() };
        assert_eq!(seen("申請書.pdf".as_bytes(), b"x").broken_rule(b"", &rules), Some("name bytes"));
        assert_eq!(seen(b"petition.pdf", b"x").broken_rule(b"", &rules), None);
    }

    #[test]
    fn bytes_beyond_ascii_are_refused_under_their_extensions() {
        let rules = Rules { non_ascii: vec!["txt".into()], ..Rules::default() };
        assert_eq!(seen(b"a.TXT", b"caf\xe9").broken_rule(b"", &rules), Some("non-ascii"));
        assert_eq!(seen(b"a.txt", b"cafe\x7f").broken_rule(b"", &rules), None);
        assert_eq!(seen(b"a.csv", b"caf\xe9").broken_rule(b"", &rules), None);
    }

    #[test]
    fn a_line_is_looked_for_in_the_heads_of_the_request_and_its_parts() {
        let rules = Rules { lines: vec!["Priority: u".into()], ..Rules::default() };
        let mut window = seen(b"Priority: u", b"Priority: u");
        assert_eq!(window.broken_rule(b"POST / HTTP/1.1\r\npriority: u=0\r\n\r\n", &rules), None);
        assert_eq!(window.broken_rule(b"POST / HTTP/1.1\r\nPriority: u=0\r\n\r\n", &rules), Some("line"));
        window.note(Event::Begin(PartHead::parse(b"Content-Type: text/plain\r\nPriority: u=1")));
        assert_eq!(window.broken_rule(b"", &rules), Some("line"));
    }

    #[test]
    fn what_is_refused_together_passes_alone() {
        let all = Together {
            name: "all".into(),
            extension: Some("pdf".into()),
            content_type: Some("text/plain".into()),
            name_part: Some("plan".into()),
            size: Some(6),
            bytes: vec![b"ab".to_vec(), b"cd".to_vec()],
        };
        let rules = Rules { together: vec![all], ..Rules::default() };
        assert_eq!(typed(b"plan.PDF", "text/plain", b"cd..ab").broken_rule(b"", &rules), Some("all"));
        for (name, content_type, start) in [
            ("plan.txt", "text/plain", "cd..ab"),
            ("plan.pdf", "text/html", "cd..ab"),
            ("map.pdf", "text/plain", "cd..ab"),
            ("plan.pdf", "text/plain", "cd.ab"),
            ("plan.pdf", "text/plain", "......ab"),
            ("plan.pdf", "text/plain", "cd......"),
        ] {
            let window = typed(name.as_bytes(), content_type, start.as_bytes());
            assert_eq!(window.broken_rule(b"", &rules), None, "{name} {content_type} {start}");
        }
    }
}
