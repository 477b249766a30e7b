//! What a file says beside its content: who wrote it, with what, where. Read for `corpus check`, removed by `corpus add --scrub`.

mod exif;
mod image;
mod isobmff;
mod mp3;
mod package;
mod pdf;
mod text;
mod tiff;
mod xmp;

use std::fmt;

use file_format::FileFormat;
pub(in crate::corpus) use text::is_text;

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
    /// Reads what `bytes`, a whole file named `filename`, say beside their content.
    #[must_use]
    pub fn read(filename: &str, bytes: &[u8]) -> Self {
        let mut metadata = Self::of_format(filename, bytes);
        // What was removed is told, and be it that it had no value.
        if metadata.fields.is_empty()
            && let Kept::Bytes(kept) = &metadata.kept
        {
            let value = format!("{} bytes without a value", bytes.len().saturating_sub(kept.len()));
            metadata.fields.push(Field { name: "metadata".to_owned(), value, personal: false });
        }
        metadata
    }

    fn of_format(filename: &str, bytes: &[u8]) -> Self {
        let format = FileFormat::from_bytes(bytes);
        if let Some(picture) = picture(format, bytes) {
            return picture;
        }
        match format.extension() {
            "mp4" | "mov" | "m4v" | "m4a" | "3gp" | "3g2" => isobmff::read(bytes),
            "mp3" | "id3" => mp3::read(bytes),
            "pdf" => pdf::read(bytes),
            "docx" | "xlsx" | "pptx" => package::ooxml(bytes),
            "odt" | "ods" | "odp" | "odg" => package::odf(bytes),
            "cfb" | "doc" | "xls" | "ppt" => Self::unscrubbable(
                "is an OLE file, of old Office or with a password, whose metadata cannot be removed here",
                "save it as DOCX, XLSX or PPTX, or let Office's document inspector remove it and add it without `--scrub`",
            ),
            _ if bytes.is_empty() || text::is_plain(filename, bytes) => Self::none(),
            _ if is_text(bytes) && format == FileFormat::ArbitraryBinaryData => Self::unscrubbable(
                "is text whose name or start promises a structure, like that of a mail, which may name people",
                "look at its text; then add it without `--scrub`",
            ),
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

/// What a picture says, on its own or inside a document; `None`: it is none that is known here.
fn picture(format: FileFormat, bytes: &[u8]) -> Option<Metadata> {
    Some(match format.extension() {
        "jpg" => image::jpeg(bytes),
        "png" | "apng" => image::png(bytes),
        "gif" | "gg" => image::gif(bytes),
        "webp" => image::webp(bytes),
        "bmp" => image::bmp(bytes),
        "tiff" => tiff::read(bytes),
        "heic" | "heics" | "heif" | "avif" | "avifs" => isobmff::read(bytes),
        _ => return None,
    })
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
