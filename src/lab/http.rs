//! HTTP/1.1 as the lab needs it: heads and framing on raw bytes, because faults need raw control (RFC 9112).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

/// The longest head that is read, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The most headers that a head may have.
const MAX_HEADERS: usize = 128;
/// The longest line of chunked framing, in bytes.
const MAX_CHUNK_LINE: usize = 8 * 1024;
/// Bytes asked of the socket at a time.
const READ: usize = 64 * 1024;

/// A connection, plain or over TLS.
pub(super) enum Socket {
    /// Plain.
    Plain(TcpStream),
    /// Over TLS, on the server's side.
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Socket {
    /// The TCP connection below.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

/// How the end of a body is told, RFC 9112 section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// `Content-Length`, or none at all for a request.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Until the connection closes: answers only.
    UntilClose,
}

/// The head of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestHead {
    /// The head as it came, empty line included.
    pub(super) raw: Bytes,
    /// Method.
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Headers in order, names as they came.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// How its body ends.
    pub(super) framing: Framing,
    /// The connection may carry another request.
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub(super) expects_continue: bool,
}

impl RequestHead {
    /// The first value of a header, as UTF-8 where it is.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether it may carry an upload.
    pub(super) fn is_upload(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")
    }

    /// The path without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or(&self.target)
    }
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub(super) struct AnswerHead {
    /// The head as it came, empty line included.
    pub(super) raw: Bytes,
    /// Status.
    pub(super) status: u16,
    /// How its body ends.
    pub(super) framing: Framing,
    /// The connection may carry another request.
    pub(super) keep_alive: bool,
}

fn header<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
}

fn has_token(headers: &[(String, Vec<u8>)], name: &str, token: &str) -> bool {
    let values = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    values.flat_map(|(_, value)| value.split(|&byte| byte == b',')).any(|value| {
        let value = value.trim_ascii();
        value.eq_ignore_ascii_case(token.as_bytes())
    })
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn request_framing(headers: &[(String, Vec<u8>)]) -> io::Result<Framing> {
    if has_token(headers, "transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    content_length(headers).map(|length| Framing::Length(length.unwrap_or(0)))
}

fn content_length(headers: &[(String, Vec<u8>)]) -> io::Result<Option<u64>> {
    let Some(value) = header(headers, "content-length") else { return Ok(None) };
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| malformed("`Content-Length` is not a number"))
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
}

/// One end of a connection, with what was read and not yet used.
pub(super) struct Peer {
    /// The connection.
    pub(super) socket: Socket,
    buffer: BytesMut,
}

impl Peer {
    /// A fresh connection.
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, buffer: BytesMut::with_capacity(READ) }
    }

    /// Reads more; `false` at the end of the stream.
    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ);
        Ok(self.socket.read_buf(&mut self.buffer).await? > 0)
    }

    /// Whether bytes of the next message are here already.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Reads a request's head; `None` when the peer closed between requests.
    pub(super) async fn request_head(&mut self) -> io::Result<Option<RequestHead>> {
        loop {
            if !self.buffer.is_empty() {
                let mut space = [httparse::EMPTY_HEADER; MAX_HEADERS];
                let mut request = httparse::Request::new(&mut space);
                let parsed = request.parse(&self.buffer).map_err(|error| malformed(&error.to_string()))?;
                if let httparse::Status::Complete(length) = parsed {
                    let headers = owned(request.headers);
                    let http11 = request.version == Some(1);
                    let method = request.method.unwrap_or_default().to_owned();
                    let target = request.path.unwrap_or_default().to_owned();
                    let raw = self.buffer.split_to(length).freeze();
                    return Ok(Some(RequestHead {
                        raw,
                        method,
                        target,
                        framing: request_framing(&headers)?,
                        keep_alive: stays_open(&headers, http11),
                        expects_continue: http11 && has_token(&headers, "expect", "100-continue"),
                        headers,
                    }));
                }
            }
            self.grow_head().await?;
            if self.buffer.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Reads an answer's head.
    pub(super) async fn answer_head(&mut self, to_head: bool) -> io::Result<AnswerHead> {
        loop {
            if !self.buffer.is_empty() {
                let mut space = [httparse::EMPTY_HEADER; MAX_HEADERS];
                let mut response = httparse::Response::new(&mut space);
                let parsed = response.parse(&self.buffer).map_err(|error| malformed(&error.to_string()))?;
                if let httparse::Status::Complete(length) = parsed {
                    let headers = owned(response.headers);
                    let http11 = response.version == Some(1);
                    let status = response.code.unwrap_or_default();
                    let raw = self.buffer.split_to(length).freeze();
                    let framing = if to_head || status < 200 || matches!(status, 204 | 304) {
                        Framing::Length(0)
                    } else if has_token(&headers, "transfer-encoding", "chunked") {
                        Framing::Chunked
                    } else {
                        content_length(&headers)?.map_or(Framing::UntilClose, Framing::Length)
                    };
                    let keep_alive = stays_open(&headers, http11) && framing != Framing::UntilClose;
                    return Ok(AnswerHead { raw, status, framing, keep_alive });
                }
            }
            self.grow_head().await?;
            if self.buffer.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads more of a head; leaves the buffer empty when the stream ended before its first byte.
    async fn grow_head(&mut self) -> io::Result<()> {
        if self.buffer.len() > MAX_HEAD {
            return Err(malformed("the head is too long"));
        }
        let open = self.fill().await?;
        if open || self.buffer.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Writes all of `bytes` and flushes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    /// Asks for the body where the client waits for that.
    pub(super) async fn invite(&mut self, head: &RequestHead) -> io::Result<()> {
        if head.expects_continue && !self.has_more() {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        Ok(())
    }
}

fn stays_open(headers: &[(String, Vec<u8>)], http11: bool) -> bool {
    if http11 { !has_token(headers, "connection", "close") } else { has_token(headers, "connection", "keep-alive") }
}

/// A run of bytes of a message's body.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    /// The bytes as they came.
    pub(super) raw: Bytes,
    /// They are content; otherwise they are the framing's own (chunk sizes, trailers).
    pub(super) is_data: bool,
}

enum Place {
    Data { left: u64, chunked: bool },
    ChunkSize,
    ChunkEnd,
    Trailer,
    Stream,
    Done,
}

/// Where the reading of one message's body stands.
pub(super) struct BodyState(Place);

impl BodyState {
    /// Before the first byte of a body.
    pub(super) fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::Length(0) => Place::Done,
            Framing::Length(left) => Place::Data { left, chunked: false },
            Framing::Chunked => Place::ChunkSize,
            Framing::UntilClose => Place::Stream,
        })
    }

    /// Whether the body was read to its end.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.0, Place::Done)
    }

    /// The next run of bytes; `None` at the end of the body.
    pub(super) async fn next(&mut self, peer: &mut Peer) -> io::Result<Option<Slice>> {
        loop {
            if self.is_done() {
                return Ok(None);
            }
            if let Some(slice) = self.take(&mut peer.buffer)? {
                return Ok(Some(slice));
            }
            if !peer.fill().await? {
                if matches!(self.0, Place::Stream) {
                    self.0 = Place::Done;
                    return Ok(None);
                }
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn take(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Slice>> {
        if buffer.is_empty() {
            return Ok(None);
        }
        match self.0 {
            Place::Data { left, chunked } => {
                let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
                let rest = left - count as u64;
                self.0 = match (rest, chunked) {
                    (0, true) => Place::ChunkEnd,
                    (0, false) => Place::Done,
                    (left, chunked) => Place::Data { left, chunked },
                };
                Ok(Some(Slice { raw: buffer.split_to(count).freeze(), is_data: true }))
            }
            Place::Stream => Ok(Some(Slice { raw: buffer.split().freeze(), is_data: true })),
            Place::ChunkSize | Place::ChunkEnd | Place::Trailer => {
                let Some(end) = memchr::memchr(b'\n', buffer) else {
                    let sound = buffer.len() <= MAX_CHUNK_LINE;
                    return if sound { Ok(None) } else { Err(malformed("a line of chunked framing is too long")) };
                };
                let raw = buffer.split_to(end + 1).freeze();
                self.0 = self.after_line(raw.trim_ascii())?;
                Ok(Some(Slice { raw, is_data: false }))
            }
            Place::Done => Ok(None),
        }
    }

    fn after_line(&self, line: &[u8]) -> io::Result<Place> {
        match self.0 {
            Place::ChunkSize => {
                let digits = line.split(|&byte| byte == b';').next().unwrap_or(line).trim_ascii();
                let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
                let size = text.and_then(|text| u64::from_str_radix(text, 16).ok());
                match size.ok_or_else(|| malformed("a chunk's size is not a hexadecimal number"))? {
                    0 => Ok(Place::Trailer),
                    left => Ok(Place::Data { left, chunked: true }),
                }
            }
            Place::ChunkEnd if line.is_empty() => Ok(Place::ChunkSize),
            Place::ChunkEnd => Err(malformed("a chunk is longer than its size")),
            Place::Trailer if line.is_empty() => Ok(Place::Done),
            Place::Trailer => Ok(Place::Trailer),
            Place::Data { .. } | Place::Stream | Place::Done => Err(malformed("a line where none can be")),
        }
    }

    /// Reads the rest of the body and drops it.
    pub(super) async fn drain(&mut self, peer: &mut Peer) -> io::Result<()> {
        while let Some(mut slice) = self.next(peer).await? {
            slice.raw.advance(slice.raw.len());
        }
        Ok(())
    }
}

/// `bytes` as one chunk of chunked framing; nothing for no bytes, which would end the body.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// The end of chunked framing.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
