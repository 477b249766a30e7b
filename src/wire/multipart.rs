//! The body of a form: parts between boundaries, RFC 7578.

use bytes::Bytes;

use super::body::{Body, Segment};
use super::boundary;
use super::dialect::{CharsetField, Dialect, EmptyFilename, Newlines, PartLine, Refusal, Trailer};
use super::filename::{self, NameRule, Parameter, TextCharset};
use super::request::{Framing, Submission};
use super::types::{self, TypeRule};
use crate::corpus::{Beside, Case, Content, DeclaredType, FormOverrides, PageCharset};
use crate::error::{Error, Result};

/// What chance and clock would add to a request, fixed from outside: to write captured bytes again.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `modification-date` and `read-date`, for the client that writes them.
    pub dates: Option<(String, String)>,
    /// How the caller handed the body over: as a whole, or as a stream of unknown length.
    pub framing: Option<Framing>,
}

/// A form's body, and what was written of its file.
#[derive(Debug)]
pub(crate) struct Form {
    /// The boundary between the parts.
    pub(crate) boundary: String,
    /// The body.
    pub(crate) body: Body,
    /// The filename parameter of the case's own file, if it has one.
    pub(crate) filename: Option<Parameter>,
    /// The type of the case's own file.
    pub(crate) content_type: Option<String>,
}

/// One file of a form.
struct FilePart<'a> {
    field: &'a str,
    filename: &'a str,
    content_type: Option<String>,
    content: &'a Content,
    overrides: &'a FormOverrides,
}

/// A part before the boundaries are put around it.
struct Part {
    head: Vec<u8>,
    value: Segment,
}

/// The name that the client would write for `text`, or why it refuses to.
pub(crate) fn filename_parameter(dialect: &Dialect, text: &str, page: PageCharset) -> Result<Option<Parameter>> {
    refuse(dialect, "filename", text)?;
    let prepared = filename::prepare(dialect.preparation, text);
    if prepared.is_empty() && dialect.empty_filename == EmptyFilename::Dropped {
        return Ok(None);
    }
    let encoded = filename::encode_text(dialect.name_charset, page, &prepared);
    Ok(Some(filename::escape(dialect.filename, &encoded)))
}

/// The type of the case's own file: the client's choice, or what the case says.
pub(crate) fn declared_type(dialect: &Dialect, case: &Case) -> Option<String> {
    match &case.declared_type {
        DeclaredType::Explicit(name) => Some(name.clone()),
        DeclaredType::AsClient => client_type(dialect, &case.filename.text, &case.content),
    }
}

fn client_type(dialect: &Dialect, text: &str, content: &Content) -> Option<String> {
    types::declared(dialect.types, &filename::prepare(dialect.preparation, text), content)
}

/// The type of one more file. A client without a table of types leaves them to its caller, who then gives one to all.
fn beside_type(dialect: &Dialect, case: &Case, filename: &str, content: &Content) -> Option<String> {
    match (&case.declared_type, dialect.types) {
        (DeclaredType::Explicit(name), TypeRule::OctetStream) => Some(name.clone()),
        (DeclaredType::Explicit(_) | DeclaredType::AsClient, _) => client_type(dialect, filename, content),
    }
}

/// The form of `case`: text fields, the file, and what travels beside it.
pub(crate) fn form(
    dialect: &Dialect,
    case: &Case,
    submission: &Submission,
    redraw: u64,
    given: &Given,
) -> Result<Form> {
    let page = case.filename.page;
    let content_type = declared_type(dialect, case);
    let filename = filename_parameter(dialect, &case.filename.text, page)?;
    let overrides = &case.form_overrides;
    let nothing_more = FormOverrides::default();
    let own_field = overrides.field.as_ref().unwrap_or(&submission.field);
    let mut parts = Vec::with_capacity(submission.fields.len() + case.beside.len() + 1);
    for (name, value) in &submission.fields {
        parts.push(text_part(dialect, page, name, value)?);
    }
    let own = FilePart {
        field: own_field,
        filename: &case.filename.text,
        content_type: content_type.clone(),
        content: &case.content,
        overrides,
    };
    parts.push(file_part(dialect, page, &own, given)?);
    let nothing = Content::from_bytes(Bytes::new());
    for beside in &case.beside {
        parts.push(match beside {
            Beside::Text { name, value } => text_part(dialect, page, name, value)?,
            Beside::File { name, filename, content } => {
                let field = name.as_deref().unwrap_or(own_field);
                let content_type = beside_type(dialect, case, filename, content);
                let part = FilePart { field, filename, content_type, content, overrides: &nothing_more };
                file_part(dialect, page, &part, given)?
            }
            Beside::EmptyFile { name } => {
                let content_type = client_type(dialect, "", &nothing);
                let part =
                    FilePart { field: name, filename: "", content_type, content: &nothing, overrides: &nothing_more };
                file_part(dialect, page, &part, given)?
            }
        });
    }
    let boundary = match &overrides.boundary {
        Some(boundary) => boundary.clone(),
        None => free_boundary(dialect, case, redraw, &parts),
    };
    let body = assemble(&boundary, parts, dialect.epilogue);
    Ok(Form { boundary, body, filename, content_type })
}

/// A boundary that occurs in nothing that the client itself writes. Files are not searched, as no client here does.
fn free_boundary(dialect: &Dialect, case: &Case, redraw: u64, parts: &[Part]) -> String {
    let occurs = |boundary: &str| {
        let finder = memchr::memmem::Finder::new(boundary.as_bytes());
        let in_value = |value: &Segment| matches!(value, Segment::Bytes(text) if finder.find(text).is_some());
        parts.iter().any(|part| finder.find(&part.head).is_some() || in_value(&part.value))
    };
    // NOTE: only a fixed boundary ever meets its own text; a few more draws are more than enough.
    let mut boundary = boundary::draw(dialect.boundary, case.id.as_str(), redraw);
    for more in 1..=8 {
        if !occurs(&boundary) {
            break;
        }
        boundary = boundary::draw(dialect.boundary, case.id.as_str(), redraw ^ (more << 56));
    }
    boundary
}

fn assemble(boundary: &str, parts: Vec<Part>, epilogue: &str) -> Body {
    let mut segments = Vec::with_capacity(parts.len() * 2 + 1);
    let mut pending = Vec::new();
    for part in parts {
        pending.extend_from_slice(b"--");
        pending.extend_from_slice(boundary.as_bytes());
        pending.extend_from_slice(b"\r\n");
        pending.extend_from_slice(&part.head);
        match part.value {
            Segment::Bytes(text) => pending.extend_from_slice(&text),
            file @ (Segment::Content(_) | Segment::Base64(_)) => {
                segments.push(Segment::Bytes(std::mem::take(&mut pending).into()));
                segments.push(file);
            }
        }
        pending.extend_from_slice(b"\r\n");
    }
    pending.extend_from_slice(format!("--{boundary}--{epilogue}").as_bytes());
    segments.push(Segment::Bytes(pending.into()));
    Body::new(segments)
}

fn text_part(dialect: &Dialect, page: PageCharset, name: &str, value: &str) -> Result<Part> {
    let filled =
        dialect.charset_field == CharsetField::Filled && value.is_empty() && name.eq_ignore_ascii_case("_charset_");
    let value = if filled { page.0.output_encoding().name() } else { value };
    let value = match dialect.newlines {
        Newlines::AsIs => value.to_owned(),
        Newlines::Crlf | Newlines::CrlfInValues => crlf(value),
    };
    let value = filename::encode_text(dialect.text_charset, page, &value);
    let disposition = disposition(dialect, page, name, None, "")?;
    let text_type = Some(dialect.text_type).filter(|name| !name.is_empty());
    let head = head(dialect.text_part, &disposition, text_type, "8bit", value.len() as u64, &[]);
    Ok(Part { head, value: Segment::Bytes(value.into()) })
}

fn file_part(dialect: &Dialect, page: PageCharset, file: &FilePart<'_>, given: &Given) -> Result<Part> {
    let parameter = filename_parameter(dialect, file.filename, page)?;
    let mut trailer = match dialect.trailer {
        Trailer::Nothing => String::new(),
        Trailer::Dates => {
            let (modified, read) = match &given.dates {
                Some((modified, read)) => (modified.as_str(), read.as_str()),
                // NOTE: the dates of the capture, so that a case gives the same bytes every day.
                None => ("Mon, 23 Nov 2026 21:10:09 +0000", "Mon, 23 Nov 2026 21:10:19 +0000"),
            };
            format!("; modification-date=\"{modified}\"; read-date=\"{read}\"")
        }
    };
    for (name, value) in &file.overrides.parameters {
        trailer.extend(["; ", name, "=", value]);
    }
    let disposition = disposition(dialect, page, file.field, parameter.as_ref(), &trailer)?;
    let content_type = file.content_type.as_deref();
    let more = &file.overrides.part_headers;
    let head = head(dialect.file_part, &disposition, content_type, "binary", file.content.len(), more);
    Ok(Part { head, value: Segment::Content(file.content.clone()) })
}

fn disposition(
    dialect: &Dialect,
    page: PageCharset,
    field: &str,
    filename: Option<&Parameter>,
    trailer: &str,
) -> Result<Vec<u8>> {
    refuse(dialect, "field name", field)?;
    let field = match dialect.newlines {
        Newlines::Crlf => crlf(field),
        Newlines::AsIs | Newlines::CrlfInValues => field.to_owned(),
    };
    let field = filename::escape(dialect.field, &filename::encode_text(dialect.field_charset, page, &field));
    let mut line = b"form-data".to_vec();
    for (name, parameter) in [("name", Some(&field)), ("filename", filename)] {
        match parameter {
            None => {}
            Some(Parameter::Quoted(value)) => {
                line.extend_from_slice(format!("; {name}=\"").as_bytes());
                line.extend_from_slice(value);
                line.push(b'"');
            }
            Some(Parameter::Star(value)) => {
                line.extend_from_slice(format!("; {name}*=").as_bytes());
                line.extend_from_slice(value);
            }
        }
    }
    line.extend_from_slice(trailer.as_bytes());
    Ok(line)
}

fn head(
    lines: &[PartLine],
    disposition: &[u8],
    content_type: Option<&str>,
    transfer_encoding: &str,
    length: u64,
    more: &[(String, String)],
) -> Vec<u8> {
    let mut head = Vec::new();
    let mut write = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    for line in lines {
        match line {
            PartLine::Disposition => write("Content-Disposition", disposition),
            PartLine::Type => {
                if let Some(name) = content_type {
                    write("Content-Type", name.as_bytes());
                }
            }
            PartLine::TransferEncoding => write("Content-Transfer-Encoding", transfer_encoding.as_bytes()),
            PartLine::Length => write("Content-Length", length.to_string().as_bytes()),
        }
    }
    for (name, value) in more {
        write(name, value.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// CR, LF and CRLF as CRLF. WHATWG HTML, "constructing the entry list".
fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

fn refuse(dialect: &Dialect, what: &str, text: &str) -> Result<()> {
    let refused = match dialect.refusal {
        Refusal::Nothing => None,
        Refusal::Controls => text.chars().find(|c| c.is_ascii_control() && *c != '\t'),
    };
    match refused {
        None => Ok(()),
        Some(c) => Err(Error::usage(format!(
            "the client `{}` refuses to send the {what} `{}`: it holds the control character U+{:04X}",
            dialect.client,
            text.escape_debug(),
            u32::from(c)
        ))
        .help("leave this case to the other clients")),
    }
}

/// What an origin may show for the filename of `case`.
pub(crate) fn readings(dialect: &Dialect, case: &Case, parameter: &Parameter) -> Vec<String> {
    let page = match dialect.name_charset {
        TextCharset::Page => case.filename.page,
        TextCharset::Utf8 => PageCharset(encoding_rs::UTF_8),
        // NOTE: windows-1252 is what decoders take for both.
        TextCharset::Latin1 | TextCharset::Ascii => PageCharset(encoding_rs::WINDOWS_1252),
    };
    let rule: NameRule = dialect.filename;
    filename::readings(&case.filename.text, rule, parameter, page)
}
