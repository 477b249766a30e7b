//! The pages that origin and edges answer with.

use bytes::Bytes;
use serde_json::json;

/// An answer of known length.
#[derive(Debug, Clone)]
pub(super) struct Page {
    status: u16,
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    close: bool,
}

impl Page {
    fn new(status: u16, reason: &'static str, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status, reason, headers, body: body.into(), close: false }
    }

    fn html(status: u16, reason: &'static str, title: &str, text: &str) -> Self {
        let body = format!(
            "<!DOCTYPE html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n{text}\n</body></html>\n"
        );
        Self::new(status, reason, "text/html; charset=utf-8", body)
    }

    /// A JSON document.
    pub(super) fn json(status: u16, reason: &'static str, document: impl Into<Bytes>) -> Self {
        Self::new(status, reason, "application/json", document)
    }

    /// Its status.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// A stored file.
    pub(super) fn file(bytes: Bytes) -> Self {
        Self::new(200, "OK", "application/octet-stream", bytes)
    }

    /// The same page with one more header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same page as the last one of its connection.
    pub(super) fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// The page in gzip, by one stored block (RFC 1951 section 3.2.4).
    fn gzipped(mut self) -> Self {
        self.body = gzip(&self.body).into();
        self.header("Content-Encoding", "gzip")
    }

    /// The answer's bytes; without the body for `HEAD`.
    pub(super) fn encode(&self, method: &str) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        out.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        if self.close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");
        if method != "HEAD" {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = body.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(body).to_le_bytes());
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

/// CRC-32 of RFC 1952 section 8.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// The origin's success page.
pub(super) fn accepted(number: u64) -> Page {
    let text = format!(
        "<h1>申請を受け付けました</h1>\n<p>受付番号: A-{number:06}</p>\n<p lang=\"en\">Your application has been received.</p>"
    );
    Page::html(200, "OK", "受付完了", &text)
}

/// The origin's own refusal.
pub(super) fn origin_refusal() -> Page {
    let text =
        "<h1>添付ファイルを受け付けられません</h1>\n<p>ORIGIN-REJECTED: この手続では受け付けていない形式です。</p>";
    Page::html(422, "Unprocessable Content", "添付ファイルエラー", text)
}

/// The origin's home page.
pub(super) fn home() -> Page {
    Page::html(200, "OK", "簡易申請サービス", "<h1>簡易申請サービス</h1>\n<p><a href=\"/apply\">申請する</a></p>")
}

/// The origin's form.
pub(super) fn form() -> Page {
    let text = "<form action=\"/apply/upload\" method=\"post\" enctype=\"multipart/form-data\">\n\
        <input type=\"hidden\" name=\"csrf_token\" value=\"lab-csrf-5f2c81d0\">\n\
        <input type=\"file\" name=\"file\">\n<button>送信</button>\n</form>";
    Page::html(200, "OK", "申請", text).header("Set-Cookie", "lab_session=1; Path=/; HttpOnly")
}

/// The origin's answer to a path that it does not know.
pub(super) fn not_found() -> Page {
    plain(404, "Not Found", "not found\n")
}

/// The origin has no receipt of this attempt.
pub(super) fn no_receipt(attempt: &str) -> Page {
    Page::json(404, "Not Found", json!({ "error": "no such receipt", "attempt": attempt }).to_string())
}

/// The origin has the upload and not its bytes: that says nothing of what arrived.
pub(super) fn not_kept(why: &str) -> Page {
    plain(507, "Insufficient Storage", &format!("{why}\n"))
}

/// Receipts and files are given for a token, and this request has not got it.
pub(super) fn unauthorized() -> Page {
    let error = "receipts and files need `Authorization: Bearer TOKEN` with the origin's token";
    Page::json(401, "Unauthorized", json!({ "error": error }).to_string()).header("WWW-Authenticate", "Bearer")
}

/// A short text.
pub(super) fn plain(status: u16, reason: &'static str, text: &str) -> Page {
    Page::new(status, reason, "text/plain; charset=utf-8", text.to_owned())
}

/// A request that is not understood.
pub(super) fn bad_request(why: &str) -> Page {
    plain(400, "Bad Request", &format!("bad request: {why}\n"))
}

/// The edge cannot reach the origin.
pub(super) fn bad_gateway() -> Page {
    plain(502, "Bad Gateway", "bad gateway\n")
}

/// What a refused upload gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refusal {
    /// The incident's plain `404 Not Found`.
    #[serde(rename = "incident-404")]
    Incident404,
    /// A page that shows nothing.
    EmptyPage,
    /// A plain 403.
    #[serde(rename = "403")]
    Forbidden,
    /// A block page with status 200.
    #[serde(rename = "block-page-200")]
    BlockPage200,
    /// The same in gzip.
    #[serde(rename = "gzip-block-page-200")]
    GzipBlockPage200,
    /// A redirect to the home page.
    RedirectHome,
    /// A JavaScript challenge.
    Challenge,
    /// `413 Content Too Large`.
    #[serde(rename = "413")]
    TooLarge,
}

impl Refusal {
    /// The page; `seed` makes its support number.
    pub(super) fn page(self, seed: u64) -> Page {
        match self {
            Self::Incident404 => Page::html(404, "Not Found", "404 Not Found", "<h1>404 Not Found</h1>"),
            Self::EmptyPage => Page::new(200, "OK", "text/html", Bytes::new()),
            Self::Forbidden => Page::html(403, "Forbidden", "403 Forbidden", "<h1>403 Forbidden</h1>"),
            Self::BlockPage200 => block_page(seed),
            Self::GzipBlockPage200 => block_page(seed).gzipped(),
            Self::RedirectHome => Page::html(302, "Found", "302", "").header("Location", "/"),
            Self::Challenge => Page::html(
                403,
                "Forbidden",
                "Just a moment...",
                "<script>window._cf_chl_opt={};</script>\n<script src=\"/cdn-cgi/challenge-platform/lab.js\"></script>",
            )
            .header("cf-mitigated", "challenge"),
            Self::TooLarge => Page::html(413, "Content Too Large", "413", "<h1>413 Request Entity Too Large</h1>"),
        }
    }
}

fn block_page(seed: u64) -> Page {
    let text = format!(
        "The requested URL was rejected. Please consult with your administrator.<br>\nYour support ID is: {seed:020}"
    );
    Page::html(200, "OK", "Request Rejected", &text)
}

/// The edge asks for a pause.
pub(super) fn too_many(retry_after: u64) -> Page {
    plain(429, "Too Many Requests", "too many requests\n").header("Retry-After", retry_after.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_has_the_check_value_of_its_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
