//! curl 7.88, libcurl 8.23 through pycurl, and PHP 8.2 over libcurl 7.88.

use super::{DISPOSITION, DISPOSITION_TYPE};
use crate::wire::boundary::BoundaryShape;
use crate::wire::dialect::{
    CharsetField, Dialect, EmptyFilename, ExpectRule, MultipartType, Newlines, Refusal, Trailer, WholeType,
};
use crate::wire::filename::{NameRule, Preparation, TextCharset};
use crate::wire::headers::{Line, Value, line};
use crate::wire::request::Framing;
use crate::wire::types::TypeRule;

pub(super) const ALL: &[Dialect] = &[
    CURL,
    Dialect { client: "curl-filename", preparation: Preparation::CutAtNul, ..CURL },
    Dialect {
        client: "curl-form-escape",
        preparation: Preparation::CutAtNul,
        filename: NameRule::Backslash,
        field: NameRule::Backslash,
        ..CURL
    },
    Dialect { client: "curl-stdin", whole_framing: Framing::Chunked, ..CURL },
    LIBCURL8,
    PHP,
    Dialect { client: "php-string", ..PHP },
];

const CURL: Dialect = Dialect {
    client: "curl",
    refusal: Refusal::Nothing,
    preparation: Preparation::BaseNameCutAtNul,
    filename: NameRule::PercentQuotes,
    empty_filename: EmptyFilename::Sent,
    field: NameRule::PercentQuotes,
    name_charset: TextCharset::Utf8,
    field_charset: TextCharset::Utf8,
    text_charset: TextCharset::Utf8,
    newlines: Newlines::AsIs,
    charset_field: CharsetField::AsIs,
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    text_type: "",
    types: TypeRule::Curl,
    whole_type: WholeType::Absent,
    boundary: BoundaryShape::Curl7,
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: HEADERS,
    whole: HEADERS_CUSTOM_TYPE,
    json: HEADERS_CUSTOM_TYPE,
    expect: ExpectRule::LargeFormOrPut,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const LIBCURL8: Dialect = Dialect {
    client: "pycurl",
    preparation: Preparation::CutAtNul,
    boundary: BoundaryShape::Curl8,
    multipart: PYCURL_HEADERS,
    whole: PYCURL_HEADERS_CUSTOM_TYPE,
    json: PYCURL_HEADERS_CUSTOM_TYPE,
    expect: ExpectRule::LargeForm,
    ..CURL
};

const PHP: Dialect = Dialect {
    client: "php",
    preparation: Preparation::CutAtNul,
    types: TypeRule::OctetStream,
    multipart: PHP_HEADERS,
    whole: PHP_HEADERS_CUSTOM_TYPE,
    json: PHP_HEADERS_CUSTOM_TYPE,
    ..CURL
};

const AGENT: Value = Value::Agent("curl/7.88.1");
const PYCURL_AGENT: Value = Value::Agent(
    "PycURL/7.49.0 libcurl/8.23.0 OpenSSL/3.6.5 zlib/1.2.13 brotli/1.2.1 libpsl/0.21.5 libssh2/1.11.1_DEV \
     nghttp2/1.70.0 ngtcp2/1.25.0 nghttp3/1.18.0 mit-krb5/1.22.2",
);

const HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Expect", Value::Expect),
];

/// A type given with `-H` stands before the length.
const HEADERS_CUSTOM_TYPE: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Expect", Value::Expect),
];

const PYCURL_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", PYCURL_AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Expect", Value::Expect),
];

const PYCURL_HEADERS_CUSTOM_TYPE: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", PYCURL_AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Expect", Value::Expect),
];

const PHP_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Expect", Value::Expect),
];

const PHP_HEADERS_CUSTOM_TYPE: &[Line] = &[
    line("Host", Value::Host),
    line("Accept", Value::Fixed("*/*")),
    line("Cookie", Value::Cookie),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Expect", Value::Expect),
];
