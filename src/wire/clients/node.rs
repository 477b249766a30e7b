//! JavaScript outside browsers: Node 20 and undici 7, node-fetch 3, axios, form-data 4, superagent.

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
    NODE,
    Dialect { client: "node-fetch-stream", whole_framing: Framing::Chunked, ..NODE },
    UNDICI,
    NODE_FETCH,
    AXIOS,
    AXIOS_FORMDATA,
    FORM_DATA,
    SUPERAGENT,
];

const NODE: Dialect = Dialect {
    client: "node-fetch",
    refusal: Refusal::Nothing,
    preparation: Preparation::AsIs,
    filename: NameRule::PercentQuotes,
    empty_filename: EmptyFilename::Dropped,
    field: NameRule::PercentQuotes,
    name_charset: TextCharset::Utf8,
    field_charset: TextCharset::Utf8,
    text_charset: TextCharset::Utf8,
    newlines: Newlines::Crlf,
    charset_field: CharsetField::AsIs,
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    text_type: "",
    types: TypeRule::OctetStream,
    whole_type: WholeType::Absent,
    boundary: BoundaryShape::Digits("----formdata-undici-0", 11),
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: NODE_HEADERS,
    whole: NODE_HEADERS,
    json: NODE_HEADERS,
    expect: ExpectRule::Never,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const UNDICI: Dialect =
    Dialect { client: "undici", multipart: UNDICI_HEADERS, whole: UNDICI_HEADERS, json: UNDICI_HEADERS, ..NODE };

const NODE_FETCH: Dialect = Dialect {
    client: "node-fetch-3",
    empty_filename: EmptyFilename::Sent,
    boundary: BoundaryShape::Digits("----", 28),
    epilogue: "",
    multipart: NODE_FETCH_HEADERS,
    whole: NODE_FETCH_HEADERS,
    json: NODE_FETCH_HEADERS,
    ..NODE
};

const AXIOS: Dialect = Dialect {
    client: "axios",
    newlines: Newlines::AsIs,
    preparation: Preparation::BaseName,
    types: TypeRule::MimeDb,
    boundary: BoundaryShape::PrefixedHex("--------------------------", 24),
    multipart: AXIOS_HEADERS,
    whole: AXIOS_HEADERS,
    json: AXIOS_HEADERS,
    ..NODE
};

const AXIOS_FORMDATA: Dialect = Dialect {
    client: "axios-formdata",
    newlines: Newlines::CrlfInValues,
    boundary: BoundaryShape::Base64Url("axios-1.21.1-boundary-", 25),
    multipart: AXIOS_HEADERS,
    whole: AXIOS_HEADERS,
    json: AXIOS_HEADERS,
    ..NODE
};

const FORM_DATA: Dialect = Dialect {
    client: "form-data",
    multipart: FORM_DATA_HEADERS,
    whole: FORM_DATA_HEADERS,
    json: FORM_DATA_HEADERS,
    ..AXIOS
};

const SUPERAGENT: Dialect = Dialect {
    client: "superagent",
    multipart: SUPERAGENT_HEADERS,
    whole: SUPERAGENT_HEADERS,
    json: SUPERAGENT_HEADERS,
    ..AXIOS
};

const NODE_HEADERS: &[Line] = &[
    line("host", Value::Host),
    line("connection", Value::Fixed("keep-alive")),
    line("content-type", Value::ContentType),
    line("accept", Value::Fixed("*/*")),
    line("accept-language", Value::Fixed("*")),
    line("sec-fetch-mode", Value::Fixed("cors")),
    line("user-agent", Value::Agent("node")),
    line("accept-encoding", Value::EncodingsByScheme("br, gzip, deflate", "gzip, deflate")),
    line("cookie", Value::Cookie),
    line("content-length", Value::Length),
];

const UNDICI_HEADERS: &[Line] = &[
    line("host", Value::Host),
    line("connection", Value::Fixed("keep-alive")),
    line("content-type", Value::ContentType),
    line("accept", Value::Fixed("*/*")),
    line("accept-language", Value::Fixed("*")),
    line("sec-fetch-mode", Value::Fixed("cors")),
    line("user-agent", Value::Agent("undici")),
    line("accept-encoding", Value::EncodingsByScheme("br, gzip, deflate", "gzip, deflate")),
    line("cookie", Value::Cookie),
    line("content-length", Value::Length),
];

const NODE_FETCH_HEADERS: &[Line] = &[
    line("accept", Value::Fixed("*/*")),
    line("accept-encoding", Value::Fixed("gzip, deflate, br")),
    line("content-length", Value::Length),
    line("content-type", Value::ContentType),
    line("user-agent", Value::Agent("node-fetch")),
    line("cookie", Value::Cookie),
    line("Host", Value::Host),
    line("Connection", Value::Fixed("keep-alive")),
];

const AXIOS_HEADERS: &[Line] = &[
    line("Accept", Value::Fixed("application/json, text/plain, */*")),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
    line("User-Agent", Value::Agent("axios/1.21.1")),
    line("Content-Length", Value::Length),
    line("Accept-Encoding", Value::Fixed("gzip, compress, deflate, br")),
    line("Host", Value::Host),
    line("Connection", Value::Fixed("keep-alive")),
];

const FORM_DATA_HEADERS: &[Line] = &[
    line("content-type", Value::ContentType),
    line("cookie", Value::Cookie),
    line("Host", Value::Host),
    line("Content-Length", Value::Length),
    line("Connection", Value::Fixed("keep-alive")),
];

const SUPERAGENT_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("Accept-Encoding", Value::Fixed("gzip, deflate")),
    line("Cookie", Value::Cookie),
    line("content-type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Connection", Value::Fixed("close")),
];
