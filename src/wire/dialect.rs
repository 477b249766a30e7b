//! A dialect: all that sets one client's requests apart, as data.

use super::boundary::BoundaryShape;
use super::clients;
use super::filename::{NameRule, Preparation, TextCharset};
use super::headers::Line;
use super::request::Framing;
use super::types::TypeRule;
use crate::corpus::Client;

/// How one client writes an upload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// Its name in [`Client::ALL`].
    pub(crate) client: &'static str,
    /// Which names it will not send.
    pub(crate) refusal: Refusal,
    /// What it does to a filename first.
    pub(crate) preparation: Preparation,
    /// How it escapes a filename.
    pub(crate) filename: NameRule,
    /// What it writes when the filename is empty.
    pub(crate) empty_filename: EmptyFilename,
    /// How it escapes a field name.
    pub(crate) field: NameRule,
    /// Charset of filenames.
    pub(crate) name_charset: TextCharset,
    /// Charset of field names.
    pub(crate) field_charset: TextCharset,
    /// Charset of text values.
    pub(crate) text_charset: TextCharset,
    /// What it does to line ends in text values and field names.
    pub(crate) newlines: Newlines,
    /// Whether an empty field `_charset_` is filled with the encoding's name. WHATWG HTML, form submission.
    pub(crate) charset_field: CharsetField,
    /// Headers of a file's part, in order.
    pub(crate) file_part: &'static [PartLine],
    /// Headers of a text part, in order.
    pub(crate) text_part: &'static [PartLine],
    /// `Content-Type` of a text part, where it has one.
    pub(crate) text_type: &'static str,
    /// Where the type of a file comes from.
    pub(crate) types: TypeRule,
    /// The type of a file that is the whole body, when the case leaves it to the client.
    pub(crate) whole_type: WholeType,
    /// The boundary's shape.
    pub(crate) boundary: BoundaryShape,
    /// What stands beside the boundary in the request's `Content-Type`.
    pub(crate) multipart_type: MultipartType,
    /// Parameters after the filename.
    pub(crate) trailer: Trailer,
    /// Bytes after the last `--`.
    pub(crate) epilogue: &'static str,
    /// Request headers of a multipart body.
    pub(crate) multipart: &'static [Line],
    /// Request headers of a body that is the file alone.
    pub(crate) whole: &'static [Line],
    /// Request headers of a JSON body.
    pub(crate) json: &'static [Line],
    /// When it sends `Expect: 100-continue`.
    pub(crate) expect: ExpectRule,
    /// How it tells the end of a form.
    pub(crate) framing: Framing,
    /// How it tells the end of a file that is the whole body.
    pub(crate) whole_framing: Framing,
}

/// Which names a client will not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It sends any.
    Nothing,
    /// It raises an error for control characters other than TAB.
    Controls,
}

/// What a client writes when the filename is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyFilename {
    /// `filename=""`.
    Sent,
    /// No `filename` at all.
    Dropped,
}

/// What a client does to line ends in text values and field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newlines {
    /// It keeps them.
    AsIs,
    /// CR, LF and CRLF become CRLF in values and field names.
    Crlf,
    /// CR, LF and CRLF become CRLF in values only.
    CrlfInValues,
}

/// Whether an empty field `_charset_` is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CharsetField {
    /// It is a field like any other.
    AsIs,
    /// Its value is the name of the encoding.
    Filled,
}

/// One header of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartLine {
    /// `Content-Disposition`.
    Disposition,
    /// `Content-Type`, where there is a type.
    Type,
    /// `Content-Transfer-Encoding`.
    TransferEncoding,
    /// `Content-Length`.
    Length,
}

/// The type of a file that is the whole body, when the case leaves it to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeType {
    /// None is sent.
    Absent,
    /// As for a part.
    AsPart,
}

/// What stands beside the boundary in the request's `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MultipartType {
    /// `multipart/form-data; boundary=B`.
    Plain,
    /// `multipart/form-data; boundary=B; charset=UTF-8`.
    Utf8After,
    /// `multipart/form-data; charset=ISO-8859-1; boundary=B`.
    Latin1Before,
}

/// Parameters of `Content-Disposition` after the filename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trailer {
    /// None.
    Nothing,
    /// `modification-date` and `read-date`.
    Dates,
}

/// When a client sends `Expect: 100-continue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpectRule {
    /// Never.
    Never,
    /// With a form of more than 1 MiB: libcurl 8.
    LargeForm,
    /// With a form of more than 1 MiB and with every PUT: libcurl 7.
    LargeFormOrPut,
}

impl Dialect {
    /// The dialect of `client`. Each client has one: a test holds the two lists together.
    pub(crate) fn of(client: Client) -> Option<&'static Self> {
        Self::all().find(|dialect| dialect.client == client.as_str())
    }

    /// Every dialect.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        clients::FAMILIES.iter().flat_map(|family| family.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_one_dialect_and_each_dialect_one_client() {
        let mut clients: Vec<&str> = Client::ALL.iter().map(|(name, _)| *name).collect();
        let mut dialects: Vec<&str> = Dialect::all().map(|dialect| dialect.client).collect();
        clients.sort_unstable();
        dialects.sort_unstable();
        assert_eq!(clients, dialects);
        assert!(clients.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_main_client_is_known() {
        assert!(Client::MAIN.iter().all(|client| Dialect::of(*client).is_some()));
    }
}
