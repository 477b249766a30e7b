//! Valid files of an exact size, made from a small one by adding what its format lets readers skip.

mod chunks;
mod tail;
mod text;
mod zip;

use std::io;

use bytes::Bytes;

use super::{Content, Piece};

/// Why a file cannot be padded to a size, as a sentence without its subject.
#[derive(Debug, thiserror::Error)]
pub enum PadError {
    /// The size is below that of the file.
    #[error("is larger than that: it has {len} bytes")]
    TooLarge {
        /// Bytes of the file.
        len: u64,
    },
    /// What the format adds has a smallest size or a step.
    #[error("cannot be padded by {gap} bytes: {why}")]
    Gap {
        /// Bytes to add.
        gap: u64,
        /// What the format allows.
        why: &'static str,
    },
    /// The format is not one that can be padded.
    #[error("cannot be padded: {0}")]
    Format(String),
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// The formats that can be padded.
pub const FORMATS: &str = "PDF, PS, RTF, PNG, JPEG, GIF, WebP, TIFF, BMP, ICO, HEIC, AVIF, JP2, ZIP, OOXML, ODF, GZ, MP4, \
     MOV, AVI, WebM, WAV, FLAC, MP3, CSV, TXT, HTML, XML, SVG, KML, GPX, JSON, STEP, DXF, EML, MHT, ICS, VCF, PEM";

/// `content` as a valid file of exactly `size` bytes. `filename` says which kind of text a text file is.
///
/// The padding is streamed: memory does not grow with `size`.
pub fn pad(content: &Content, filename: &str, size: u64) -> Result<Content, PadError> {
    let padded = Content::from_pieces(plan(content, filename, size)?)?;
    if padded.len() == size {
        return Ok(padded);
    }
    Err(PadError::Format(format!("{} bytes came out instead of {size}", padded.len())))
}

/// Whether [`pad`] can do it, without reading the whole file.
pub fn check(content: &Content, filename: &str, size: u64) -> Result<(), PadError> {
    plan(content, filename, size).map(drop)
}

fn plan(content: &Content, filename: &str, size: u64) -> Result<Vec<Piece>, PadError> {
    let gap = size.checked_sub(content.len()).ok_or(PadError::TooLarge { len: content.len() })?;
    if gap == 0 {
        return Ok(content.pieces().to_vec());
    }
    let head = content.read_range(0..HEAD)?;
    match Format::of(&head, filename)? {
        Format::Pdf => tail::pdf(content, gap),
        Format::PostScript => Ok(with_tail(content, text::lines(b'%', gap))),
        Format::Rtf => text::rtf(content, gap),
        Format::Png => chunks::png(content, gap),
        Format::Jpeg => chunks::jpeg(content, gap),
        Format::Gif => chunks::gif(content, gap),
        Format::Riff => chunks::riff(content, gap),
        Format::BaseMedia => chunks::base_media(content, gap),
        Format::Jpeg2000 => chunks::jpeg_2000(content, gap),
        Format::Offsets => Ok(tail::unreferenced(content, gap)),
        Format::Bmp => tail::bmp(content, gap),
        Format::Zip => zip::pad(content, gap),
        Format::Gzip => tail::gzip(content, gap),
        Format::Matroska => tail::matroska(content, gap),
        Format::Flac => tail::flac(content, gap),
        Format::Id3 => tail::id3(content, gap),
        Format::Rows => text::rows(content, gap),
        Format::Markup => Ok(with_tail(content, text::lines(b' ', gap))),
        Format::Mail => Ok(with_tail(content, text::white_space(gap))),
        Format::Calendar => text::calendar(content, gap),
        Format::Card => text::card(content, gap),
        Format::Dxf => text::dxf(content, gap),
    }
}

/// Bytes that tell the format; in text, none of them is NUL.
const HEAD: u64 = 24;

enum Format {
    Pdf,
    PostScript,
    Rtf,
    Png,
    Jpeg,
    Gif,
    /// WAV, AVI and WebP.
    Riff,
    /// MP4, MOV, HEIC, AVIF and the like.
    BaseMedia,
    Jpeg2000,
    /// TIFF, what cameras make of it, and ICO: parts are where offsets say.
    Offsets,
    Bmp,
    Zip,
    Gzip,
    /// `WebM` too.
    Matroska,
    Flac,
    /// MP3 and others behind an `ID3v2` tag.
    Id3,
    /// Text in which a line more is no harm.
    Rows,
    /// Text that may end in white space.
    Markup,
    /// Mail and saved pages: the same, with the line ends of the network.
    Mail,
    Calendar,
    Card,
    Dxf,
}

impl Format {
    fn of(head: &[u8], filename: &str) -> Result<Self, PadError> {
        if let Some(format) = Self::of_magic(head) {
            return Ok(format);
        }
        let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        let extension = filename.rsplit_once('.').map(|(_, ext)| ext.to_ascii_lowercase()).unwrap_or_default();
        match extension.as_str() {
            _ if utf16 || head.contains(&0) => Err(Self::unknown()),
            "txt" | "csv" | "tsv" | "log" | "md" => Ok(Self::Rows),
            "html" | "htm" | "xhtml" | "xml" | "svg" | "json" | "geojson" | "gml" | "kml" | "gpx" | "css" | "js"
            | "fodt" | "fods" | "fodp" | "fodg" | "xtx" | "webloc" | "url" => Ok(Self::Markup),
            "eml" | "mbox" | "mht" | "mhtml" => Ok(Self::Mail),
            "ics" => Ok(Self::Calendar),
            "vcf" => Ok(Self::Card),
            "dxf" if !head.starts_with(b"AutoCAD Binary DXF") => Ok(Self::Dxf),
            _ => Err(Self::unknown()),
        }
    }

    fn of_magic(head: &[u8]) -> Option<Self> {
        const TIFF: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
        const BMP_HEADERS: [u8; 6] = [12, 40, 52, 56, 108, 124];
        let is = |magic: &[u8]| head.starts_with(magic);
        let at = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
        match head {
            _ if is(b"%PDF-") => Some(Self::Pdf),
            _ if is(b"%!PS") => Some(Self::PostScript),
            _ if is(b"{\\rtf") => Some(Self::Rtf),
            _ if is(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if is(b"\xff\xd8\xff") => Some(Self::Jpeg),
            _ if is(b"GIF8") => Some(Self::Gif),
            _ if is(b"PK\x03\x04") || is(b"PK\x05\x06") => Some(Self::Zip),
            _ if is(b"RIFF") && [b"WAVE", b"AVI ", b"WEBP"].iter().any(|kind| at(8, *kind)) => Some(Self::Riff),
            _ if at(4, b"ftyp") => Some(Self::BaseMedia),
            _ if is(b"\0\0\0\x0cjP  \r\n\x87\n") => Some(Self::Jpeg2000),
            _ if is(b"\0\0\x01\0") || TIFF.iter().any(|magic| is(magic)) => Some(Self::Offsets),
            // Text may begin with `BM` and with `ID3`.
            _ if is(b"BM") && at(15, b"\0\0\0") && BMP_HEADERS.contains(&head[14]) => Some(Self::Bmp),
            _ if is(b"ID3")
                && head.get(3..10).is_some_and(|head| head[0] < 5 && head[3..].iter().all(|b| *b < 0x80)) =>
            {
                Some(Self::Id3)
            }
            _ if is(b"\x1f\x8b\x08") => Some(Self::Gzip),
            _ if is(b"\x1a\x45\xdf\xa3") => Some(Self::Matroska),
            _ if is(b"fLaC") => Some(Self::Flac),
            _ if is(b"ISO-10303-21;") || is(b"-----BEGIN ") => Some(Self::Markup),
            _ => None,
        }
    }

    fn unknown() -> PadError {
        PadError::Format(format!("only {FORMATS} can be"))
    }
}

fn bytes(bytes: impl Into<Bytes>) -> Piece {
    Piece::Bytes(bytes.into())
}

fn fill(pattern: impl Into<Bytes>, len: u64) -> Piece {
    const BLOCK: usize = 16 * 1024;
    let pattern: Bytes = pattern.into();
    // NOTE: readers copy one pattern at a time; a byte at a time takes seconds for megabytes.
    let times = usize::try_from(len).unwrap_or(BLOCK).min(BLOCK) / pattern.len();
    Piece::Fill { pattern: if times > 1 { pattern.repeat(times).into() } else { pattern }, len }
}

fn with_tail(content: &Content, tail: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = content.pieces().to_vec();
    pieces.extend(tail);
    pieces
}

fn with_insert(content: &Content, at: u64, insert: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = content.range(0..at);
    pieces.extend(insert);
    pieces.extend(content.range(at..content.len()));
    pieces
}

#[cfg(test)]
mod tests;
