//! The clients whose way of writing a request is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A real client program, in one of the ways it sends files. `wire` knows how each of them writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(&'static str);

impl Client {
    /// The client of cases that name none.
    pub const DEFAULT: Self = Self("chromium");

    /// The clients that an axis over all main clients uses: one for each family that people really upload with.
    pub const MAIN: &'static [Self] = &[
        Self("chromium"),
        Self("firefox"),
        Self("webkit"),
        Self("curl"),
        Self("requests"),
        Self("httpx"),
        Self("aiohttp"),
        Self("node-fetch"),
        Self("axios"),
        Self("go"),
        Self("okhttp"),
        Self("apache-httpclient"),
        Self("ruby"),
        Self("perl"),
        Self("php"),
    ];

    /// Every known client and what it is.
    pub const ALL: &'static [(&'static str, &'static str)] = &[
        ("chromium", "Chromium 156, form submission"),
        ("chromium-fetch", "Chromium 156, fetch with FormData"),
        ("chromium-xhr", "Chromium 156, XMLHttpRequest with FormData"),
        ("chromium-beacon", "Chromium 156, navigator.sendBeacon with FormData"),
        ("firefox", "Firefox 153 ESR, form submission"),
        ("firefox-fetch", "Firefox 153 ESR, fetch with FormData"),
        ("firefox-xhr", "Firefox 153 ESR, XMLHttpRequest with FormData"),
        ("firefox-beacon", "Firefox 153 ESR, navigator.sendBeacon with FormData"),
        ("webkit", "WebKitGTK 2.50, form submission"),
        ("webkit-fetch", "WebKitGTK 2.50, fetch with FormData"),
        ("webkit-xhr", "WebKitGTK 2.50, XMLHttpRequest with FormData"),
        ("curl", "curl 7.88, -F file=@path, or -T for a PUT"),
        ("curl-filename", "curl 7.88, -F with ;filename="),
        ("curl-form-escape", "curl 7.88, --form-escape"),
        ("curl-stdin", "curl 7.88, a PUT of standard input: chunked"),
        ("pycurl", "pycurl over libcurl 8.23: a current curl"),
        ("php", "PHP 8.2 curl, CURLFile"),
        ("php-string", "PHP 8.2 curl, CURLStringFile"),
        ("requests", "Python requests 2.34 with urllib3 2.8"),
        ("requests-urllib3-1.26", "Python requests 2.34 with urllib3 1.26"),
        ("requests-urllib3-1.24", "Python requests 2.21 with urllib3 1.24: filename*="),
        ("requests-stream", "Python requests 2.34, a PUT from a generator: chunked"),
        ("requests-toolbelt", "Python requests-toolbelt 1.0, MultipartEncoder"),
        ("urllib3", "Python urllib3 2.8"),
        ("urllib3-1.26", "Python urllib3 1.26"),
        ("urllib3-1.24", "Python urllib3 1.24: filename*="),
        ("httpx", "Python httpx 0.28"),
        ("aiohttp", "Python aiohttp 3.14: the whole name percent-encoded"),
        ("aiohttp-noquote", "Python aiohttp 3.14, FormData(quote_fields=False)"),
        ("httpie", "HTTPie 3.2, http -f"),
        ("node-fetch", "Node 20, its own fetch with FormData"),
        ("node-fetch-stream", "Node 20, its own fetch, a PUT of a stream: chunked"),
        ("undici", "undici 7.30, fetch with FormData"),
        ("node-fetch-3", "node-fetch 3.3 with formdata-polyfill"),
        ("axios", "axios 1.21 with form-data 4"),
        ("axios-formdata", "axios 1.21 with Node's own FormData"),
        ("form-data", "form-data 4.0, submit()"),
        ("superagent", "superagent 10.4 with form-data 4"),
        ("okhttp", "OkHttp 3.13, MultipartBody"),
        ("apache-httpclient", "Apache HttpClient 5.2, STRICT"),
        ("apache-httpclient-utf8", "Apache HttpClient 5.2, STRICT with setCharset(UTF_8)"),
        ("apache-httpclient-legacy", "Apache HttpClient 5.2, LEGACY"),
        ("apache-httpclient-legacy-utf8", "Apache HttpClient 5.2, LEGACY with setCharset(UTF_8)"),
        ("apache-httpclient-extended", "Apache HttpClient 5.2, EXTENDED"),
        ("apache-httpclient-extended-utf8", "Apache HttpClient 5.2, EXTENDED with setCharset(UTF_8)"),
        ("apache-httpmime4", "Apache httpmime 4.5, STRICT"),
        ("apache-httpmime4-utf8", "Apache httpmime 4.5, STRICT with setCharset(UTF_8)"),
        ("apache-httpmime4-browser", "Apache httpmime 4.5, BROWSER_COMPATIBLE"),
        ("apache-httpmime4-browser-utf8", "Apache httpmime 4.5, BROWSER_COMPATIBLE with setCharset(UTF_8)"),
        ("apache-httpmime4-rfc6532", "Apache httpmime 4.5, RFC6532"),
        ("apache-httpmime4-rfc6532-utf8", "Apache httpmime 4.5, RFC6532 with setCharset(UTF_8)"),
        ("go", "Go 1.19, mime/multipart"),
        ("ruby", "Ruby 3.1, Net::HTTP set_form"),
        ("ruby-httpclient", "Ruby httpclient 2.8"),
        ("perl", "libwww-perl 6.68"),
        ("reqwest", "Rust reqwest 0.12 or 0.13, Part"),
        ("reqwest-attr", "Rust reqwest, percent_encode_attr_chars()"),
        ("reqwest-noop", "Rust reqwest, percent_encode_noop()"),
        ("reqwest-file", "Rust reqwest, Form::file()"),
        ("reqwest-stream", "Rust reqwest, a streamed Part: chunked"),
        ("ureq", "Rust ureq 3.5, unversioned::multipart"),
    ];

    /// The client of that name, if it is known.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(known, _)| Self(known))
    }

    /// Its name in case ids and profiles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Client {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Client {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown client `{name}`")))
    }
}
