//! What a file says beside its content: who wrote it, with what, where. Read for `corpus check`, removed by `corpus add --scrub`.

mod exif;
mod image;
mod isobmff;
mod mp3;
mod package;
mod pdf;
mod tiff;
mod xmp;

use std::fmt;

use file_format::FileFormat;

/// One thing that a file says beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is, as people call it: `EXIF GPS`, `PDF Author`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it names a person, a place or a device.
    pub personal: bool,
}

/// Everything that a file says beside its content.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// What was found, in the order of the file.
    pub fields: Vec<Field>,
    /// The program that wrote the file, where it says so.
    pub program: Option<String>,
    /// The file without the fields. [`Kept::Unscrubbable`] says why there is none.
    pub kept: Kept,
}

/// What is left of a file without its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The file is as it was: it holds none.
    Unchanged,
    /// These bytes.
    Bytes(Vec<u8>),
    /// The metadata cannot be removed.
    Unscrubbable(Refusal),
}

/// Why the metadata of a file cannot be removed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, as a sentence whose subject is the file.
    pub why: String,
    /// What to do about it.
    pub help: &'static str,
}

/// Help for a file whose format is not known here.
const OTHER_PROGRAM: &str =
    "remove its metadata with the program that wrote it or with exiftool, and add it without `--scrub`";

impl Field {
    /// The value on one line, at most so long that a list of fields stays readable.
    #[must_use]
    pub fn short(&self) -> String {
        const LIMIT: usize = 60;
        let line: String = self.value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match line.char_indices().nth(LIMIT) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.name, self.short())
    }
}

impl Metadata {
    /// Reads what `bytes`, a whole file, say beside their content.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let format = FileFormat::from_bytes(bytes);
        let extension = format.extension();
        match extension {
            "jpg" => image::jpeg(bytes),
            "png" | "apng" => image::png(bytes),
            "gif" | "gg" => image::gif(bytes),
            "webp" => image::webp(bytes),
            "tiff" => tiff::read(bytes),
            "heic" | "heics" | "heif" | "avif" | "avifs" | "mp4" | "mov" | "m4v" | "m4a" | "3gp" | "3g2" => {
                isobmff::read(bytes)
            }
            "mp3" | "id3" => mp3::read(bytes),
            "pdf" => pdf::read(bytes),
            "docx" | "xlsx" | "pptx" => package::ooxml(bytes),
            "odt" | "ods" | "odp" | "odg" => package::odf(bytes),
            "cfb" | "doc" | "xls" | "ppt" => Self::unscrubbable(
                "is an OLE file, of old Office or with a password, whose metadata cannot be removed here",
                "save it as DOCX, XLSX or PPTX, or let Office's document inspector remove it and add it without `--scrub`",
            ),
            "bmp" => Self::none(),
            _ if is_mail(bytes) => Self::unscrubbable("is a mail, whose head names people", OTHER_PROGRAM),
            // Plain text holds nothing but its content.
            _ if is_plain_text(format, bytes) => Self::none(),
            _ => Self::unscrubbable(format!("is of a format ({format}) that cannot be scrubbed"), OTHER_PROGRAM),
        }
    }

    fn none() -> Self {
        Self { fields: Vec::new(), program: None, kept: Kept::Unchanged }
    }

    fn unscrubbable(why: impl Into<String>, help: &'static str) -> Self {
        let kept = Kept::Unscrubbable(Refusal { why: why.into(), help });
        Self { fields: Vec::new(), program: None, kept }
    }

    /// A file that ends, or contradicts itself, before it was read whole.
    fn damaged(format: &str) -> Self {
        Self::unscrubbable(
            format!("is no whole {format} file"),
            "check that the file opens; then save it anew and add that",
        )
    }

    /// The fields, and the bytes that are left where there are any.
    fn of(found: Found, bytes: &[u8], kept: Vec<u8>) -> Self {
        let kept = if kept == bytes { Kept::Unchanged } else { Kept::Bytes(kept) };
        Self { fields: found.fields, program: found.program, kept }
    }
}

/// Whether the file begins with the head of a mail (RFC 5322).
fn is_mail(bytes: &[u8]) -> bool {
    const FIRST: &[&[u8]] =
        &[b"From:", b"To:", b"Received:", b"Return-Path:", b"Date:", b"Subject:", b"MIME-Version:", b"Delivered-To:"];
    FIRST.iter().any(|name| bytes.starts_with(name))
        && memchr::memmem::find(bytes, b"\nFrom:").or(bytes.starts_with(b"From:").then_some(0)).is_some()
}

/// Text without a structure that could hold metadata.
fn is_plain_text(format: FileFormat, bytes: &[u8]) -> bool {
    matches!(format.extension(), "bin" | "txt" | "empty" | "") && is_text(bytes)
}

/// Whether the bytes look like text in an ASCII-based charset: among the first is no control character but those of
/// text, the escape of ISO-2022-JP and the end-of-file mark of DOS.
pub(in crate::corpus) fn is_text(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 8 * 1024;
    !bytes[..bytes.len().min(LOOKED_AT)].iter().any(|byte| matches!(byte, 0..=8 | 14..=25 | 28..=31))
}

/// What programs write where they know no author.
const NOBODY: &[&str] = &["", "anonymous", "author", "unknown", "unspecified", "user", "openpyxl", "python-docx"];

/// Fields as they are found.
#[derive(Debug, Default)]
struct Found {
    fields: Vec<Field>,
    program: Option<String>,
}

impl Found {
    fn add(&mut self, name: impl Into<String>, value: impl Into<String>, personal: bool) {
        let value = value.into().trim().to_owned();
        let personal = personal && !NOBODY.contains(&value.to_lowercase().as_str());
        self.fields.push(Field { name: name.into(), value, personal });
    }

    /// Names of fields that are removed and of which none is told with its value.
    fn others(&mut self, name: &str, names: &[String]) {
        if !names.is_empty() {
            self.add(name, names.join(", "), false);
        }
    }

    /// The first program that is named counts.
    fn program(&mut self, name: &str) {
        let name = name.trim();
        if !name.is_empty() {
            self.program.get_or_insert_with(|| name.to_owned());
        }
    }
}

/// `len` bytes from `at`; `None` past the end.
fn part(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

fn be32(bytes: &[u8], at: usize) -> Option<usize> {
    let four = part(bytes, at, 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok()
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(part(bytes, at, 2)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests;
