//! Java: `OkHttp` 3.13, Apache `HttpClient` 5.2 and httpmime 4.5 in each of their modes.

use super::{DISPOSITION, DISPOSITION_TYPE};
use crate::wire::boundary::BoundaryShape;
use crate::wire::dialect::{
    CharsetField, Dialect, EmptyFilename, ExpectRule, MultipartType, Newlines, PartLine, Refusal, Trailer, WholeType,
};
use crate::wire::filename::{NameRule, Preparation, TextCharset};
use crate::wire::headers::{Line, Value, line};
use crate::wire::request::Framing;
use crate::wire::types::TypeRule;

pub(super) const ALL: &[Dialect] = &[
    OKHTTP,
    STRICT,
    utf8(STRICT, "apache-httpclient-utf8", TextCharset::Latin1),
    LEGACY,
    utf8(LEGACY, "apache-httpclient-legacy-utf8", TextCharset::Utf8),
    EXTENDED,
    utf8(EXTENDED, "apache-httpclient-extended-utf8", TextCharset::Utf8),
    HTTPMIME_STRICT,
    utf8(HTTPMIME_STRICT, "apache-httpmime4-utf8", TextCharset::Ascii),
    HTTPMIME_BROWSER,
    utf8(HTTPMIME_BROWSER, "apache-httpmime4-browser-utf8", TextCharset::Utf8),
    HTTPMIME_RFC6532,
    utf8(HTTPMIME_RFC6532, "apache-httpmime4-rfc6532-utf8", TextCharset::Utf8),
];

const OKHTTP: Dialect = Dialect {
    client: "okhttp",
    refusal: Refusal::Nothing,
    preparation: Preparation::AsIs,
    filename: NameRule::PercentQuotes,
    empty_filename: EmptyFilename::Sent,
    field: NameRule::PercentQuotes,
    name_charset: TextCharset::Utf8,
    field_charset: TextCharset::Utf8,
    text_charset: TextCharset::Utf8,
    newlines: Newlines::AsIs,
    charset_field: CharsetField::AsIs,
    file_part: &[PartLine::Disposition, PartLine::Type, PartLine::Length],
    text_part: &[PartLine::Disposition, PartLine::Length],
    text_type: "",
    types: TypeRule::OctetStream,
    whole_type: WholeType::AsPart,
    boundary: BoundaryShape::Uuid,
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: OKHTTP_HEADERS,
    whole: OKHTTP_HEADERS,
    json: OKHTTP_HEADERS,
    expect: ExpectRule::Never,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const STRICT: Dialect = Dialect {
    client: "apache-httpclient",
    filename: NameRule::BackslashSpaces,
    field: NameRule::BackslashSpaces,
    name_charset: TextCharset::Latin1,
    field_charset: TextCharset::Latin1,
    text_charset: TextCharset::Latin1,
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION_TYPE,
    text_type: "text/plain; charset=ISO-8859-1",
    boundary: BoundaryShape::Apache,
    multipart_type: MultipartType::Latin1Before,
    multipart: HTTPCLIENT5_HEADERS,
    whole: HTTPCLIENT5_HEADERS,
    json: HTTPCLIENT5_HEADERS,
    ..OKHTTP
};

const LEGACY: Dialect = Dialect { client: "apache-httpclient-legacy", text_part: DISPOSITION, ..STRICT };

const EXTENDED: Dialect = Dialect {
    client: "apache-httpclient-extended",
    filename: NameRule::PercentNonAscii,
    field: NameRule::Raw,
    name_charset: TextCharset::Utf8,
    ..STRICT
};

const HTTPMIME_STRICT: Dialect = Dialect {
    client: "apache-httpmime4",
    filename: NameRule::BackslashCr,
    field: NameRule::BackslashCr,
    name_charset: TextCharset::Ascii,
    field_charset: TextCharset::Ascii,
    file_part: &[PartLine::Disposition, PartLine::Type, PartLine::TransferEncoding],
    text_part: &[PartLine::Disposition, PartLine::Type, PartLine::TransferEncoding],
    multipart_type: MultipartType::Plain,
    multipart: HTTPCLIENT4_HEADERS,
    whole: HTTPCLIENT4_HEADERS,
    json: HTTPCLIENT4_HEADERS,
    ..STRICT
};

const HTTPMIME_BROWSER: Dialect = Dialect {
    client: "apache-httpmime4-browser",
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    ..HTTPMIME_STRICT
};

const HTTPMIME_RFC6532: Dialect = Dialect {
    client: "apache-httpmime4-rfc6532",
    name_charset: TextCharset::Utf8,
    field_charset: TextCharset::Utf8,
    ..HTTPMIME_STRICT
};

/// The same mode after `setCharset(UTF_8)`; its header fields may be in another charset all the same.
/// NOTE: text parts of these modes were not captured; they are written as `ContentType.create("text/plain", UTF_8)`.
const fn utf8(mode: Dialect, client: &'static str, names: TextCharset) -> Dialect {
    Dialect {
        client,
        name_charset: names,
        field_charset: names,
        text_charset: TextCharset::Utf8,
        text_type: "text/plain; charset=UTF-8",
        multipart_type: MultipartType::Utf8After,
        ..mode
    }
}

const OKHTTP_HEADERS: &[Line] = &[
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Host", Value::Host),
    line("Connection", Value::Fixed("Keep-Alive")),
    line("Accept-Encoding", Value::Fixed("gzip")),
    line("Cookie", Value::Cookie),
    line("User-Agent", Value::Agent("okhttp/3.13.1")),
];

const HTTPCLIENT5_HEADERS: &[Line] = &[
    line("Accept-Encoding", Value::Fixed("gzip, x-gzip, deflate")),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Host", Value::Host),
    line("Connection", Value::Fixed("keep-alive")),
    line("User-Agent", Value::Agent("Apache-HttpClient/5.2.1 (Java/17.0.15)")),
    line("Cookie", Value::Cookie),
];

const HTTPCLIENT4_HEADERS: &[Line] = &[
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Host", Value::Host),
    line("Connection", Value::Fixed("Keep-Alive")),
    line("User-Agent", Value::Agent("Apache-HttpClient/4.5.14 (Java/17.0.15)")),
    line("Accept-Encoding", Value::Fixed("gzip,deflate")),
    line("Cookie", Value::Cookie),
];
