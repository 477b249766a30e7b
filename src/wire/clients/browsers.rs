//! Chromium 156, Firefox 153 ESR and `WebKitGTK` 2.50: forms, fetch, `XMLHttpRequest`, beacons.
//!
//! A form cannot send a PUT or JSON; a page does that from script, so their headers are those of fetch.
//! Where `Cookie` stands was not captured: it is placed as the engines' sources have it.

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
    CHROMIUM,
    scripted(CHROMIUM, "chromium-fetch", CHROMIUM_FETCH),
    scripted(CHROMIUM, "chromium-xhr", CHROMIUM_FETCH),
    scripted(CHROMIUM, "chromium-beacon", CHROMIUM_BEACON),
    FIREFOX,
    scripted(FIREFOX, "firefox-fetch", FIREFOX_FETCH),
    scripted(FIREFOX, "firefox-xhr", FIREFOX_XHR),
    scripted(FIREFOX, "firefox-beacon", FIREFOX_BEACON),
    WEBKIT,
    scripted(WEBKIT, "webkit-fetch", WEBKIT_FETCH),
    scripted(WEBKIT, "webkit-xhr", WEBKIT_XHR),
];

const CHROMIUM: Dialect = Dialect {
    client: "chromium",
    refusal: Refusal::Nothing,
    preparation: Preparation::AsIs,
    filename: NameRule::PercentQuotes,
    empty_filename: EmptyFilename::Sent,
    field: NameRule::PercentQuotes,
    name_charset: TextCharset::Page,
    field_charset: TextCharset::Page,
    text_charset: TextCharset::Page,
    newlines: Newlines::Crlf,
    charset_field: CharsetField::Filled,
    file_part: DISPOSITION_TYPE,
    text_part: DISPOSITION,
    text_type: "",
    types: TypeRule::Chromium,
    whole_type: WholeType::AsPart,
    boundary: BoundaryShape::WebKit,
    multipart_type: MultipartType::Plain,
    trailer: Trailer::Nothing,
    epilogue: "\r\n",
    multipart: CHROMIUM_FORM,
    whole: CHROMIUM_FETCH,
    json: CHROMIUM_FETCH,
    expect: ExpectRule::Never,
    framing: Framing::ContentLength,
    whole_framing: Framing::ContentLength,
};

const FIREFOX: Dialect = Dialect {
    client: "firefox",
    types: TypeRule::Firefox,
    boundary: BoundaryShape::Gecko,
    multipart: FIREFOX_FORM,
    whole: FIREFOX_FETCH,
    json: FIREFOX_FETCH,
    ..CHROMIUM
};

const WEBKIT: Dialect = Dialect {
    client: "webkit",
    preparation: Preparation::Nfc,
    types: TypeRule::WebKit,
    multipart: WEBKIT_FORM,
    whole: WEBKIT_FETCH,
    json: WEBKIT_FETCH,
    ..CHROMIUM
};

/// The same engine from script: always UTF-8, whatever the page is.
const fn scripted(engine: Dialect, client: &'static str, headers: &'static [Line]) -> Dialect {
    Dialect {
        client,
        name_charset: TextCharset::Utf8,
        field_charset: TextCharset::Utf8,
        text_charset: TextCharset::Utf8,
        charset_field: CharsetField::AsIs,
        multipart: headers,
        whole: headers,
        json: headers,
        ..engine
    }
}

const CHROMIUM_AGENT: Value = Value::Agent(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
);
const CHROMIUM_BRANDS: Value = Value::Trusted("\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"");
const CHROMIUM_ENCODINGS: Value = Value::EncodingsByTrust("gzip, deflate, br, zstd", "gzip, deflate");

const CHROMIUM_FORM: &[Line] = &[
    line("Host", Value::Host),
    line("Connection", Value::Fixed("keep-alive")),
    line("Content-Length", Value::Length),
    line("Cache-Control", Value::Fixed("max-age=0")),
    line("sec-ch-ua", CHROMIUM_BRANDS),
    line("sec-ch-ua-mobile", Value::Trusted("?0")),
    line("sec-ch-ua-platform", Value::Trusted("\"Linux\"")),
    line("Upgrade-Insecure-Requests", Value::Fixed("1")),
    line("Content-Type", Value::ContentType),
    line("User-Agent", CHROMIUM_AGENT),
    line("Origin", Value::Origin),
    line(
        "Accept",
        Value::Fixed(
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;\
             q=0.8,application/signed-exchange;v=b3;q=0.7",
        ),
    ),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Sec-Fetch-Mode", Value::Trusted("navigate")),
    line("Sec-Fetch-User", Value::Trusted("?1")),
    line("Sec-Fetch-Dest", Value::Trusted("document")),
    line("Referer", Value::Referer),
    line("Accept-Encoding", CHROMIUM_ENCODINGS),
    line("Accept-Language", Value::Fixed("ja,en-US;q=0.9,en;q=0.8")),
    line("Cookie", Value::Cookie),
];

const CHROMIUM_FETCH: &[Line] = &chromium_script("cors");
const CHROMIUM_BEACON: &[Line] = &chromium_script("no-cors");

const fn chromium_script(mode: &'static str) -> [Line; 17] {
    [
        line("Host", Value::Host),
        line("Connection", Value::Fixed("keep-alive")),
        line("Content-Length", Value::Length),
        line("sec-ch-ua-platform", Value::Trusted("\"Linux\"")),
        line("User-Agent", CHROMIUM_AGENT),
        line("sec-ch-ua", CHROMIUM_BRANDS),
        line("Content-Type", Value::ContentType),
        line("sec-ch-ua-mobile", Value::Trusted("?0")),
        line("Accept", Value::Fixed("*/*")),
        line("Origin", Value::Origin),
        line("Sec-Fetch-Site", Value::TrustedSite),
        line("Sec-Fetch-Mode", Value::Trusted(mode)),
        line("Sec-Fetch-Dest", Value::Trusted("empty")),
        line("Referer", Value::Referer),
        line("Accept-Encoding", CHROMIUM_ENCODINGS),
        line("Accept-Language", Value::Fixed("ja,en-US;q=0.9,en;q=0.8")),
        line("Cookie", Value::Cookie),
    ]
}

const FIREFOX_AGENT: Value = Value::Agent("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0");
const FIREFOX_LANGUAGES: Value = Value::Fixed("ja,en-US;q=0.9,en;q=0.8");
const FIREFOX_ENCODINGS: Value = Value::EncodingsByTrust("gzip, deflate, br, zstd", "gzip, deflate");

const FIREFOX_FORM: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", FIREFOX_AGENT),
    line("Accept", Value::Fixed("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")),
    line("Accept-Language", FIREFOX_LANGUAGES),
    line("Accept-Encoding", FIREFOX_ENCODINGS),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Origin", Value::Origin),
    line("Connection", Value::Fixed("keep-alive")),
    line("Referer", Value::Referer),
    line("Cookie", Value::Cookie),
    line("Upgrade-Insecure-Requests", Value::Fixed("1")),
    line("Sec-Fetch-Dest", Value::Trusted("document")),
    line("Sec-Fetch-Mode", Value::Trusted("navigate")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Sec-Fetch-User", Value::Trusted("?1")),
    line("Priority", Value::Fixed("u=0, i")),
];

const FIREFOX_FETCH: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", FIREFOX_AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Accept-Language", FIREFOX_LANGUAGES),
    line("Accept-Encoding", FIREFOX_ENCODINGS),
    line("Referer", Value::Referer),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Origin", Value::Origin),
    line("Connection", Value::Fixed("keep-alive")),
    line("Cookie", Value::Cookie),
    line("Sec-Fetch-Dest", Value::Trusted("empty")),
    line("Sec-Fetch-Mode", Value::Trusted("cors")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Priority", Value::Fixed("u=4")),
];

const FIREFOX_XHR: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", FIREFOX_AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Accept-Language", FIREFOX_LANGUAGES),
    line("Accept-Encoding", FIREFOX_ENCODINGS),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Origin", Value::Origin),
    line("Connection", Value::Fixed("keep-alive")),
    line("Referer", Value::Referer),
    line("Cookie", Value::Cookie),
    line("Sec-Fetch-Dest", Value::Trusted("empty")),
    line("Sec-Fetch-Mode", Value::Trusted("cors")),
    line("Sec-Fetch-Site", Value::TrustedSite),
];

const FIREFOX_BEACON: &[Line] = &[
    line("Host", Value::Host),
    line("User-Agent", FIREFOX_AGENT),
    line("Accept", Value::Fixed("*/*")),
    line("Accept-Language", FIREFOX_LANGUAGES),
    line("Accept-Encoding", FIREFOX_ENCODINGS),
    line("Content-Type", Value::ContentType),
    line("Content-Length", Value::Length),
    line("Origin", Value::Origin),
    line("Connection", Value::Fixed("keep-alive")),
    line("Referer", Value::Referer),
    line("Cookie", Value::Cookie),
    line("Sec-Fetch-Dest", Value::Trusted("empty")),
    line("Sec-Fetch-Mode", Value::Trusted("no-cors")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Priority", Value::Fixed("u=6")),
];

const WEBKIT_AGENT: Value = Value::Agent(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15",
);
const WEBKIT_ENCODINGS: Value = Value::EncodingsByScheme("gzip, deflate, br", "gzip, deflate");

const WEBKIT_FORM: &[Line] = &[
    line("Referer", Value::Referer),
    line("Origin", Value::Origin),
    line("Content-Type", Value::ContentType),
    line("Accept", Value::Fixed("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")),
    line("Upgrade-Insecure-Requests", Value::Fixed("1")),
    line("User-Agent", WEBKIT_AGENT),
    line("Content-Length", Value::Length),
    line("Accept-Encoding", WEBKIT_ENCODINGS),
    line("Accept-Language", Value::Fixed("ja-JP")),
    line("Connection", Value::Fixed("Keep-Alive")),
    line("Host", Value::Host),
    line("Sec-Fetch-Dest", Value::Trusted("document")),
    line("Sec-Fetch-Mode", Value::Trusted("navigate")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Cookie", Value::Cookie),
];

const WEBKIT_FETCH: &[Line] = &[
    line("Content-Type", Value::ContentType),
    line("Referer", Value::Referer),
    line("Accept", Value::Fixed("*/*")),
    line("Origin", Value::Origin),
    line("User-Agent", WEBKIT_AGENT),
    line("Content-Length", Value::Length),
    line("Accept-Encoding", WEBKIT_ENCODINGS),
    line("Accept-Language", Value::Fixed("ja-JP")),
    line("Connection", Value::Fixed("Keep-Alive")),
    line("Host", Value::Host),
    line("Sec-Fetch-Dest", Value::Trusted("empty")),
    line("Sec-Fetch-Mode", Value::Trusted("cors")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Cookie", Value::Cookie),
];

const WEBKIT_XHR: &[Line] = &[
    line("Content-Type", Value::ContentType),
    line("Accept", Value::Fixed("*/*")),
    line("Referer", Value::Referer),
    line("Origin", Value::Origin),
    line("User-Agent", WEBKIT_AGENT),
    line("Content-Length", Value::Length),
    line("Accept-Encoding", WEBKIT_ENCODINGS),
    line("Accept-Language", Value::Fixed("ja-JP")),
    line("Connection", Value::Fixed("Keep-Alive")),
    line("Host", Value::Host),
    line("Sec-Fetch-Dest", Value::Trusted("empty")),
    line("Sec-Fetch-Mode", Value::Trusted("cors")),
    line("Sec-Fetch-Site", Value::TrustedSite),
    line("Cookie", Value::Cookie),
];
