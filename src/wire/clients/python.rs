//! Python: requests and urllib3 in three generations, requests-toolbelt, httpx, aiohttp, `HTTPie`.

use super::{DISPOSITION, DISPOSITION_TYPE, TYPE_DISPOSITION};
use crate::wire::boundary::BoundaryShape;
use crate::wire::dialect::{
    CharsetField, Dialect, EmptyFilename, ExpectRule, MultipartType, Newlines, Refusal, Trailer, WholeType,
};
use crate::wire::filename::{NameRule, Preparation, TextCharset};
use crate::wire::headers::{Line, Value, line};
use crate::wire::request::Framing;
use crate::wire::types::TypeRule;

pub(super) const ALL: &[Dialect] = &[
    REQUESTS,
    REQUESTS_1_26,
    REQUESTS_1_24,
    Dialect { client: "requests-stream", whole_framing: Framing::Chunked, ..REQUESTS },
    TOOLBELT,
    URLLIB3,
    URLLIB3_1_26,
    URLLIB3_1_24,
    HTTPX,
    AIOHTTP,
    AIOHTTP_NOQUOTE,
    HTTPIE,
];

const REQUESTS: Dialect = Dialect {
    client: "requests",
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
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    text_type: "",
    types: TypeRule::None,
    whole_type: WholeType::Absent,
    boundary: BoundaryShape::Hex(32),
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: REQUESTS_HEADERS,
    whole: REQUESTS_HEADERS,
    json: REQUESTS_HEADERS,
    expect: ExpectRule::Never,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const REQUESTS_1_26: Dialect = Dialect {
    client: "requests-urllib3-1.26",
    filename: NameRule::PercentControls,
    field: NameRule::PercentControls,
    ..REQUESTS
};

const REQUESTS_1_24: Dialect = Dialect {
    client: "requests-urllib3-1.24",
    filename: NameRule::Rfc2231,
    field: NameRule::Rfc2231,
    multipart: REQUESTS_2_21_HEADERS,
    whole: REQUESTS_2_21_HEADERS,
    json: REQUESTS_2_21_HEADERS,
    ..REQUESTS
};

const TOOLBELT: Dialect =
    Dialect { client: "requests-toolbelt", boundary: BoundaryShape::UuidHex, multipart: TOOLBELT_HEADERS, ..REQUESTS };

const URLLIB3: Dialect = Dialect {
    client: "urllib3",
    types: TypeRule::Python,
    multipart: URLLIB3_HEADERS,
    whole: URLLIB3_HEADERS,
    json: URLLIB3_HEADERS,
    ..REQUESTS
};

const URLLIB3_1_26: Dialect = Dialect {
    client: "urllib3-1.26",
    filename: NameRule::PercentControls,
    field: NameRule::PercentControls,
    multipart: URLLIB3_1_26_HEADERS,
    whole: URLLIB3_1_26_HEADERS,
    json: URLLIB3_1_26_HEADERS,
    ..URLLIB3
};

const URLLIB3_1_24: Dialect = Dialect {
    client: "urllib3-1.24",
    filename: NameRule::Rfc2231,
    field: NameRule::Rfc2231,
    multipart: URLLIB3_1_24_HEADERS,
    whole: URLLIB3_1_24_HEADERS,
    json: URLLIB3_1_24_HEADERS,
    ..URLLIB3
};

const HTTPX: Dialect = Dialect {
    client: "httpx",
    filename: NameRule::PercentControls,
    field: NameRule::PercentControls,
    types: TypeRule::PythonNamed,
    empty_filename: EmptyFilename::Dropped,
    multipart: HTTPX_HEADERS,
    whole: HTTPX_HEADERS,
    json: HTTPX_HEADERS,
    ..REQUESTS
};

const AIOHTTP: Dialect = Dialect {
    client: "aiohttp",
    refusal: Refusal::Controls,
    filename: NameRule::PercentAll,
    field: NameRule::QuotedString,
    file_part: TYPE_DISPOSITION,
    text_part: TYPE_DISPOSITION,
    text_type: "text/plain; charset=utf-8",
    types: TypeRule::OctetStream,
    boundary: BoundaryShape::UuidHex,
    multipart: AIOHTTP_HEADERS,
    whole: AIOHTTP_HEADERS,
    json: AIOHTTP_HEADERS,
    ..REQUESTS
};

const AIOHTTP_NOQUOTE: Dialect =
    Dialect { client: "aiohttp-noquote", filename: NameRule::Backslash, field: NameRule::Backslash, ..AIOHTTP };

const HTTPIE: Dialect = Dialect {
    client: "httpie",
    types: TypeRule::Python,
    boundary: BoundaryShape::UuidHex,
    multipart: HTTPIE_HEADERS,
    whole: HTTPIE_HEADERS,
    json: HTTPIE_HEADERS,
    ..REQUESTS
};

const REQUESTS_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", Value::Agent("python-requests/2.34.2")),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Accept", Value::Fixed("*/*")),
    line("Connection", Value::Fixed("keep-alive")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
];

const REQUESTS_2_21_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", Value::Agent("python-requests/2.21.0")),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Accept", Value::Fixed("*/*")),
    line("Connection", Value::Fixed("keep-alive")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
];

const TOOLBELT_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", Value::Agent("python-requests/2.34.2")),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Accept", Value::Fixed("*/*")),
    line("Connection", Value::Fixed("keep-alive")),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
];

const URLLIB3_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept-Encoding", Value::Fixed("identity")),
    line("Content-Length", Value::Length),
    line("User-Agent", Value::Agent("python-urllib3/2.8.0")),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
];

const URLLIB3_1_26_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept-Encoding", Value::Fixed("identity")),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("User-Agent", Value::Agent("python-urllib3/1.26.20")),
    line("Cookie", Value::Cookie),
];

const URLLIB3_1_24_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept-Encoding", Value::Fixed("identity")),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
];

const HTTPX_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept", Value::Fixed("*/*")),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Connection", Value::Fixed("keep-alive")),
    line("User-Agent", Value::Agent("python-httpx/0.28.1")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
];

const AIOHTTP_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept", Value::Fixed("*/*")),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("User-Agent", Value::Agent("Python/3.11 aiohttp/3.14.5")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
];

const HTTPIE_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Accept", Value::Fixed("*/*")),
    line("Connection", Value::Fixed("keep-alive")),
    line("Cookie", Value::Cookie),
    line("Content-Length", Value::Length),
    line("User-Agent", Value::Agent("HTTPie/3.2.4")),
    line("Content-Type", Value::ContentType),
];
