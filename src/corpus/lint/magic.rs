//! The first bytes of a file against what its extension and its declared type promise.

use file_format::FileFormat;

use crate::corpus::metadata::is_text;

/// Extensions with the formats that they promise, each as the extension that detection gives it.
///
/// A format stands here when its files begin with bytes of their own. An Office file with a password is an OLE file;
/// a package whose members could not be read is a ZIP.
const PROMISES: &[(&[&str], &[&str])] = &[
    (&["pdf"], &["pdf"]),
    (&["jpg", "jpeg", "jpe", "jfif"], &["jpg"]),
    (&["png"], &["png", "apng"]),
    (&["gif"], &["gif"]),
    (&["webp"], &["webp"]),
    (&["bmp", "dib"], &["bmp"]),
    (&["tif", "tiff"], &["tiff"]),
    (&["heic", "heif", "hif"], &["heic", "heics", "heif"]),
    (&["avif"], &["avif", "avifs"]),
    (&["psd"], &["psd"]),
    (&["docx", "docm", "dotx", "dotm"], &["docx", "cfb", "zip"]),
    (&["xlsx", "xlsm", "xltx", "xltm", "xlsb"], &["xlsx", "cfb", "zip"]),
    (&["pptx", "pptm", "ppsx", "potx"], &["pptx", "cfb", "zip"]),
    (&["vsdx"], &["vsdx", "zip"]),
    (&["doc", "dot"], &["doc", "cfb"]),
    (&["xls", "xlt"], &["xls", "cfb"]),
    (&["ppt", "pps"], &["ppt", "cfb"]),
    (&["msg"], &["msg", "cfb"]),
    (&["odt"], &["odt", "zip"]),
    (&["ods"], &["ods", "zip"]),
    (&["odp"], &["odp", "zip"]),
    (&["odg"], &["odg", "zip"]),
    (&["epub"], &["epub", "zip"]),
    (&["kmz"], &["kmz", "zip"]),
    (&["rtf"], &["rtf"]),
    (&["7z"], &["7z"]),
    (&["rar"], &["rar"]),
    (&["lzh", "lha"], &["lzh"]),
    (&["cab"], &["cab"]),
    (&["gz", "tgz"], &["gz"]),
    (&["bz2"], &["bz2"]),
    (&["xz"], &["xz"]),
    (&["tar"], &["tar"]),
    (&["dwg"], &["dwg"]),
    (&["dwf"], &["dwf"]),
    (&["dxf"], &["dxf"]),
    (&["mp3"], &["mp3", "id3"]),
    (&["m4a"], &["m4a", "mp4"]),
    (&["wav"], &["wav"]),
    (&["wma"], &["wma", "asf"]),
    (&["mp4"], &["mp4", "m4v"]),
    (&["m4v"], &["m4v", "mp4"]),
    (&["mov", "qt"], &["mov"]),
    (&["3gp"], &["3gp", "3g2"]),
    (&["avi"], &["avi"]),
    (&["wmv"], &["wmv", "asf"]),
    (&["mpg", "mpeg"], &["mpg"]),
    (&["exe"], &["exe"]),
];

const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Extensions of text, whose files hold no control characters.
const TEXTS: &[&str] =
    &["txt", "csv", "tsv", "json", "xml", "html", "htm", "eml", "ics", "vcf", "svg", "md", "log", "dxf", "sfc", "p21"];

/// What a name or a type promises and the bytes are not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// What makes the promise: `.jpg`, or a media type.
    pub(super) promise: String,
    /// What the bytes are, as people call it.
    pub(super) found: String,
}

/// Compares bytes with the extension of `filename`.
pub(super) fn against_name(filename: &str, bytes: &[u8], format: FileFormat) -> Option<Mismatch> {
    let (_, extension) = filename.rsplit_once('.')?;
    let extension = extension.to_lowercase();
    (kept(&extension, bytes, format) == Some(false))
        .then(|| Mismatch { promise: format!(".{extension}"), found: name(bytes, format) })
}

/// Compares bytes with an explicitly declared type. A type that promises nothing, or that Windows is known to declare for
/// such files, is none.
pub(super) fn against_type(declared: &str, bytes: &[u8], format: FileFormat) -> Option<Mismatch> {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Windows with Excel declares it for CSV as well.
    let generic = ["application/octet-stream", "application/vnd.ms-excel"].contains(&essence.as_str())
        && is_text(bytes)
        || essence == "application/octet-stream";
    let mut promises =
        mime_guess::get_mime_extensions_str(&essence)?.iter().filter_map(|known| kept(known, bytes, format));
    let broken = promises.next() == Some(false) && promises.all(|kept| !kept);
    (!generic && broken).then(|| Mismatch { promise: essence, found: name(bytes, format) })
}

/// Whether an extension's promise is kept; `None`: it promises nothing.
fn kept(extension: &str, bytes: &[u8], format: FileFormat) -> Option<bool> {
    if extension == "zip" {
        return Some(bytes.starts_with(b"PK"));
    }
    // A container that is cut short is none to detection.
    let detected = match format {
        FileFormat::ArbitraryBinaryData if bytes.starts_with(OLE) => "cfb",
        FileFormat::ArbitraryBinaryData if bytes.starts_with(b"PK\x03\x04") => "zip",
        _ => format.extension(),
    };
    match PROMISES.iter().find(|(extensions, _)| extensions.contains(&extension)) {
        Some((_, formats)) => Some(formats.contains(&detected)),
        None => TEXTS.contains(&extension).then(|| is_text(bytes) || is_utf16(bytes)),
    }
}

fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// What the bytes are; detection calls text and what it does not know by one name.
fn name(bytes: &[u8], format: FileFormat) -> String {
    match format {
        FileFormat::Empty => "empty".to_owned(),
        FileFormat::ArbitraryBinaryData if is_text(bytes) => "text".to_owned(),
        FileFormat::ArbitraryBinaryData => "of no known format".to_owned(),
        format => format.short_name().unwrap_or_else(|| format.name()).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(filename: &str, bytes: &[u8]) -> Option<String> {
        against_name(filename, bytes, FileFormat::from_bytes(bytes))
            .map(|found| format!("{} {}", found.promise, found.found))
    }

    fn by_type(declared: &str, bytes: &[u8]) -> Option<String> {
        against_type(declared, bytes, FileFormat::from_bytes(bytes))
            .map(|found| format!("{} {}", found.promise, found.found))
    }

    #[test]
    fn an_extension_promises_the_first_bytes() {
        assert_eq!(by_name("a.pdf", b"%PDF-1.7\n"), None);
        assert_eq!(by_name("a.PDF", b"\xff\xd8\xff\xe0").as_deref(), Some(".pdf JPEG"));
        assert_eq!(by_name("a.pdf", b"name,number\n").as_deref(), Some(".pdf text"));
        assert_eq!(by_name("a.jpg", b"").as_deref(), Some(".jpg empty"));
        assert_eq!(by_name("a.csv", b"%PDF-1.7\n\0\0\0").as_deref(), Some(".csv PDF"));
        assert_eq!(by_name("a.txt", b"\xff\xfea\0b\0"), None, "UTF-16");
        assert_eq!(by_name("a.txt", b"BM is how it begins"), None, "text that looks like a bitmap");
    }

    #[test]
    fn what_promises_nothing_is_kept() {
        for name in ["README", "a.xdw", "a.jtd", ".pdf.", ""] {
            assert_eq!(by_name(name, b"anything"), None, "{name}");
        }
    }

    #[test]
    fn an_office_file_with_a_password_keeps_its_promise() {
        assert_eq!(by_name("a.xlsx", OLE), None);
        assert_eq!(by_name("a.xls", b"PK\x03\x04").as_deref(), Some(".xls of no known format"), "cut short");
    }

    #[test]
    fn a_declared_type_promises_as_well_and_what_windows_declares_is_no_lie() {
        assert_eq!(by_type("application/pdf", b"%PDF-1.7\n"), None);
        assert_eq!(by_type("image/jpeg; x=y", b"%PDF-1.7\n").as_deref(), Some("image/jpeg PDF"));
        assert_eq!(by_type("application/octet-stream", b"%PDF-1.7\n"), None);
        assert_eq!(by_type("application/vnd.ms-excel", b"a,b\n"), None);
        assert_eq!(by_type("application/x-unheard-of", b"a,b\n"), None);
    }
}
