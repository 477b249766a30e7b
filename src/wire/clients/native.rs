//! Go 1.19, Ruby 3.1, Perl's LWP 6.68, and Rust: reqwest 0.12 and 0.13 (equal bytes), ureq 3.5.

use super::{DISPOSITION, DISPOSITION_TYPE};
use crate::wire::boundary::BoundaryShape;
use crate::wire::dialect::{
    CharsetField, Dialect, EmptyFilename, ExpectRule, MultipartType, Newlines, Refusal, Trailer, WholeType,
};
use crate::wire::filename::{NameRule, Preparation, StarSet, TextCharset};
use crate::wire::headers::{Line, Value, line};
use crate::wire::request::Framing;
use crate::wire::types::TypeRule;

pub(super) const ALL: &[Dialect] = &[
    GO,
    RUBY,
    RUBY_HTTPCLIENT,
    PERL,
    REQWEST,
    Dialect { client: "reqwest-attr", field: NameRule::StarIfIn(StarSet::NotAttrChar), ..REQWEST },
    Dialect { client: "reqwest-noop", field: NameRule::Raw, ..REQWEST },
    Dialect { client: "reqwest-file", types: TypeRule::MimeGuess, ..REQWEST },
    Dialect {
        client: "reqwest-stream",
        framing: Framing::Chunked,
        whole_framing: Framing::Chunked,
        multipart: REQWEST_STREAM_HEADERS,
        whole: REQWEST_WHOLE_HEADERS,
        ..REQWEST
    },
    UREQ,
];

const GO: Dialect = Dialect {
    client: "go",
    refusal: Refusal::Nothing,
    preparation: Preparation::AsIs,
    filename: NameRule::Backslash,
    empty_filename: EmptyFilename::Sent,
    field: NameRule::Backslash,
    name_charset: TextCharset::Utf8,
    field_charset: TextCharset::Utf8,
    text_charset: TextCharset::Utf8,
    newlines: Newlines::AsIs,
    charset_field: CharsetField::AsIs,
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    text_type: "",
    types: TypeRule::OctetStream,
    whole_type: WholeType::Absent,
    boundary: BoundaryShape::Hex(60),
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: GO_HEADERS,
    whole: GO_HEADERS,
    json: GO_HEADERS,
    expect: ExpectRule::Never,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const RUBY: Dialect = Dialect {
    client: "ruby",
    boundary: BoundaryShape::Base64Url("", 54),
    multipart: RUBY_HEADERS,
    whole: RUBY_HEADERS,
    json: RUBY_HEADERS,
    ..GO
};

const RUBY_HTTPCLIENT: Dialect = Dialect {
    client: "ruby-httpclient",
    filename: NameRule::Raw,
    field: NameRule::Raw,
    types: TypeRule::RubyHttpClient,
    trailer: Trailer::Dates,
    boundary: BoundaryShape::Hex(40),
    epilogue: "\r\n\r\n",
    multipart: RUBY_HTTPCLIENT_HEADERS,
    whole: RUBY_HTTPCLIENT_HEADERS,
    json: RUBY_HTTPCLIENT_HEADERS,
    ..GO
};

const PERL: Dialect = Dialect {
    client: "perl",
    types: TypeRule::Perl,
    boundary: BoundaryShape::Perl,
    multipart: PERL_HEADERS,
    whole: PERL_HEADERS,
    json: PERL_HEADERS,
    ..GO
};

const REQWEST: Dialect = Dialect {
    client: "reqwest",
    filename: NameRule::BackslashCrLf,
    field: NameRule::StarIfIn(StarSet::PathSegment),
    types: TypeRule::None,
    boundary: BoundaryShape::HexGroups,
    multipart: REQWEST_HEADERS,
    whole: REQWEST_WHOLE_HEADERS,
    json: REQWEST_WHOLE_HEADERS,
    ..GO
};

const UREQ: Dialect = Dialect {
    client: "ureq",
    filename: NameRule::Raw,
    field: NameRule::Raw,
    types: TypeRule::None,
    boundary: BoundaryShape::PrefixedHex("----formdata-ureq-", 32),
    multipart: UREQ_HEADERS,
    whole: UREQ_HEADERS,
    json: UREQ_HEADERS,
    ..GO
};

const GO_HEADERS: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", Value::Agent("Go-http-client/1.1")),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
    line("Accept-Encoding", Value::Fixed("gzip")),
];

const RUBY_HEADERS: &[Line] = &[
    line("Accept-Encoding", Value::Fixed("gzip;q=1.0,deflate;q=0.6,identity;q=0.3")),
    line("Accept", Value::Fixed("*/*")),
    line("User-Agent", Value::Agent("Ruby")),
    line("Host", Value::Host),
    line("Cookie", Value::Cookie),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
];

/// The date is that of the capture: a case gives the same bytes every day.
const RUBY_HTTPCLIENT_HEADERS: &[Line] = &[
    line("Content-Type", Value::ContentType),
    line("User-Agent", Value::Agent("HTTPClient/1.0 (2.8.3, ruby 3.1.7 (2025-03-26))")),
    line("Accept", Value::Fixed("*/*")),
    line("Date", Value::Fixed("Mon, 23 Nov 2026 21:11:28 GMT")),
    line("Content-Length", Value::Length),
    line("Host", Value::Host),
    line("Cookie", Value::Cookie),
];

const PERL_HEADERS: &[Line] = &[
    line("TE", Value::Fixed("deflate,gzip;q=0.3")),
    line("Connection", Value::Fixed("TE, close")),
    line("Host", Value::Host),
    line("User-Agent", Value::Agent("libwww-perl/6.68")),
    line("Content-Length", Value::Length),
    line("Content-Type", Value::ContentType),
    line("Cookie", Value::Cookie),
];

const REQWEST_HEADERS: &[Line] = &[
    line("content-type", Value::ContentType),
    line("content-length", Value::Length),
    line("accept", Value::Fixed("*/*")),
    line("cookie", Value::Cookie),
    line("host", Value::Host),
];

const REQWEST_STREAM_HEADERS: &[Line] = &[
    line("content-type", Value::ContentType),
    line("accept", Value::Fixed("*/*")),
    line("cookie", Value::Cookie),
    line("host", Value::Host),
    line("transfer-encoding", Value::Length),
];

const REQWEST_WHOLE_HEADERS: &[Line] = &[
    line("content-type", Value::ContentType),
    line("accept", Value::Fixed("*/*")),
    line("cookie", Value::Cookie),
    line("host", Value::Host),
    line("content-length", Value::Length),
];

const UREQ_HEADERS: &[Line] = &[
    line("content-length", Value::Length),
    line("user-agent", Value::Agent("ureq/3.5.2")),
    line("accept", Value::Fixed("*/*")),
    line("host", Value::Host),
    line("content-type", Value::ContentType),
    line("cookie", Value::Cookie),
];
