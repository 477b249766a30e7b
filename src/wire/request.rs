//! A request as it stands on the wire, before it is sent.

use super::Body;

/// What a profile says about the request, apart from the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// `http` or `https`.
    pub scheme: String,
    /// Host, with the port when it is not the scheme's own.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// `None`: POST, and PUT for the `put` transport.
    pub method: Option<String>,
    /// Name of the file field.
    pub field: String,
    /// Text fields that the form has before the file, in order.
    pub fields: Vec<(String, String)>,
    /// The page that holds the form, for `Referer` and `Origin`; `None`: the target itself.
    pub page_url: Option<String>,
    /// `Cookie` value.
    pub cookie: Option<String>,
    /// More request headers, in order, after the client's own. A name that the client sends replaces its value in place.
    pub headers: Vec<(String, String)>,
    /// Appended to the client's `User-Agent`, so that a log names the tool; `None` leaves it as captured.
    pub user_agent_suffix: Option<String>,
}

/// One request header, name in the client's spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name as the client writes it.
    pub name: String,
    /// Value, raw.
    pub value: Vec<u8>,
}

/// How the end of the body is told, RFC 9112 section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A request, byte for byte.
#[derive(Debug, Clone)]
pub struct WireRequest {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// All headers in the client's order, `Host` and `Content-Length` (or `Transfer-Encoding`) included.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Body,
    /// How the end of the body is told.
    pub framing: Framing,
    /// The client asks with `Expect: 100-continue` and waits before it sends the body.
    pub expect_continue: bool,
    /// The value of the part's `filename` as it stands between the quotes; `None`: no filename is sent.
    pub filename: Option<Vec<u8>>,
    /// The filenames that an origin may show after decoding: any of them is intact.
    pub filename_readings: Vec<String>,
    /// The part's (or body's) `Content-Type`; `None`: the client sends none.
    pub content_type: Option<String>,
}

impl WireRequest {
    /// The head as HTTP/1.1 bytes: request line, headers, empty line.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for header in &self.headers {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(&header.value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}
