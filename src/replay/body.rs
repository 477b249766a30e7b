//! The body of an upload as hyper takes it: whole when it is small, else read ahead by one chunk, to its very end.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use super::shelf::Shelf;
use super::tally::lock;
use crate::profile::HttpVersion;
use crate::wire::{Body, BodyReader, Framing, Segment, WireRequest};

/// A body up to this size is taken whole, on the thread that sends it; larger ones are read in chunks of it.
const CHUNK: usize = 256 * 1024;

/// How long a body waits for `100 Continue`: curl's rule.
const WAIT_FOR_CONTINUE: Duration = Duration::from_secs(1);

/// Steers a body from outside while hyper owns it.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// The server may have the body: `100 Continue`, or a final answer that is no refusal.
    go: AtomicBool,
    /// The server has refused: no more of the body goes out.
    stop: AtomicBool,
    /// Nobody waits for the answer any more.
    abandoned: AtomicBool,
    /// The last byte has been given to hyper.
    ended: AtomicBool,
    given: AtomicU64,
    waker: Mutex<Option<Waker>>,
    file_error: Mutex<Option<String>>,
}

impl Flow {
    pub(super) fn go(&self) {
        self.raise(&self.go);
    }

    pub(super) fn stop(&self) {
        self.raise(&self.stop);
    }

    pub(super) fn abandon(&self) {
        self.raise(&self.abandoned);
    }

    fn raise(&self, flag: &AtomicBool) {
        flag.store(true, Relaxed);
        if let Some(waker) = lock(&self.waker).take() {
            waker.wake();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Body bytes given to hyper.
    pub(super) fn given(&self) -> u64 {
        self.given.load(Relaxed)
    }

    /// Why the file could not be read to its end.
    pub(super) fn file_error(&self) -> Option<String> {
        lock(&self.file_error).clone()
    }
}

/// What a read on the blocking pool gives back: the reader, for the next read, and its bytes.
type Filled = io::Result<(BodyReader, Bytes)>;

/// An upload's body. The last bytes are handed on only when the reader has seen its end, so that a file that changed
/// while it was read never arrives as a whole request.
pub(super) struct UploadBody {
    flow: Arc<Flow>,
    len: u64,
    read: u64,
    chunked: bool,
    /// A small body.
    whole: VecDeque<Bytes>,
    /// The last chunk that was read of a large one.
    held: Option<Bytes>,
    reading: Option<JoinHandle<Filled>>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl UploadBody {
    /// The body of `request`, read from its start.
    ///
    /// # Errors
    /// Those of the file, when the body is small enough to be read at once.
    pub(super) fn new(request: &WireRequest, http: HttpVersion, flow: Arc<Flow>, shelf: &Shelf) -> io::Result<Self> {
        let len = request.body.len();
        let mut body = Self {
            flow,
            len,
            read: 0,
            chunked: request.framing == Framing::Chunked,
            whole: VecDeque::new(),
            held: None,
            reading: None,
            waiting: request.expect_continue.then(|| Box::pin(tokio::time::sleep(WAIT_FOR_CONTINUE))),
        };
        if len <= CHUNK as u64 {
            for segment in request.body.segments() {
                let bytes = whole(segment, shelf)?;
                body.read += bytes.len() as u64;
                body.whole.extend((!bytes.is_empty()).then_some(bytes));
            }
            body.check_length()?;
            // Chunks and HTTP/2 frames would show where one piece ends.
            if body.chunked || http == HttpVersion::Http2 {
                let joined = body.whole.iter().flatten().copied().collect::<Vec<u8>>();
                body.whole = (!joined.is_empty()).then(|| joined.into()).into_iter().collect();
            }
            body.flow.ended.store(body.whole.is_empty() && !body.chunked, Relaxed);
        } else {
            let reader = request.body.reader();
            body.reading = Some(tokio::task::spawn_blocking(move || fill(reader, CHUNK)));
        }
        Ok(body)
    }

    fn check_length(&self) -> io::Result<()> {
        if self.read == self.len {
            return Ok(());
        }
        let message = format!("the body has {} bytes instead of {}: a file changed", self.read, self.len);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        while let Some(reading) = &mut self.reading {
            let filled = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            let (reader, bytes) = filled.map_err(io::Error::other)??;
            if bytes.is_empty() {
                self.check_length()?;
                break;
            }
            self.read += bytes.len() as u64;
            self.reading = Some(tokio::task::spawn_blocking(move || fill(reader, CHUNK)));
            if let Some(ready) = self.held.replace(bytes) {
                return Poll::Ready(Ok(Some(ready)));
            }
        }
        Poll::Ready(Ok(self.held.take().or_else(|| self.whole.pop_front())))
    }

    /// Whether the body may go out now.
    fn poll_gate(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flow.abandoned.load(Relaxed) {
            return Poll::Ready(Err(io::Error::other("the upload was given up")));
        }
        if self.flow.stop.load(Relaxed) {
            *lock(&self.flow.waker) = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(waiting) = &mut self.waiting {
            if !self.flow.go.load(Relaxed) && waiting.as_mut().poll(cx).is_pending() {
                *lock(&self.flow.waker) = Some(cx.waker().clone());
                return Poll::Pending;
            }
            self.waiting = None;
        }
        Poll::Ready(Ok(()))
    }
}

/// All bytes of a small segment.
fn whole(segment: &Segment, shelf: &Shelf) -> io::Result<Bytes> {
    match segment {
        Segment::Bytes(bytes) => Ok(bytes.clone()),
        Segment::Content(content) => shelf.bytes(content),
        Segment::Base64(_) => {
            let mut bytes = Vec::new();
            Body::new(vec![segment.clone()]).reader().read_to_end(&mut bytes)?;
            Ok(bytes.into())
        }
    }
}

/// Reads `room` bytes, or less at the end.
fn fill(mut reader: BodyReader, room: usize) -> Filled {
    let mut bytes = vec![0; room];
    let mut filled = 0;
    while filled < room {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok((reader, bytes.into()))
}

impl http_body::Body for UploadBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        ready!(self.poll_gate(cx))?;
        match ready!(self.poll_chunk(cx)) {
            Ok(Some(bytes)) => {
                self.flow.given.fetch_add(bytes.len() as u64, Relaxed);
                let last = self.whole.is_empty() && self.held.is_none() && self.reading.is_none();
                self.flow.ended.store(last && !self.chunked, Relaxed);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Ok(None) => {
                self.flow.ended.store(true, Relaxed);
                Poll::Ready(None)
            }
            Err(error) => {
                *lock(&self.flow.file_error) = Some(error.to_string());
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.flow.has_ended()
    }

    fn size_hint(&self) -> SizeHint {
        if self.chunked { SizeHint::default() } else { SizeHint::with_exact(self.len - self.flow.given()) }
    }
}
