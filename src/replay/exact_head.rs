//! Byte-exact HTTP/1.1 request heads over hyper, which can only write lower-case or Title-Case names.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tally::Tally;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// hyper queues a head and a few frames at a time; what does not fit goes out with the next write.
const SLICES: usize = 16;

/// A byte stream above TLS that swallows the head that hyper writes and writes the client's own head in its place,
/// once for each request. Everything else passes: the body, and hyper's chunked framing.
#[derive(Debug)]
pub(super) struct ExactHead<S> {
    io: S,
    tally: Arc<Tally>,
    state: State,
    /// Each read byte belongs to an answer; false for HTTP/2, where settings come first.
    reads_are_answers: bool,
}

#[derive(Debug)]
enum State {
    Pass,
    Swallow {
        /// How many bytes of [`END_OF_HEAD`] the last bytes match.
        matched: usize,
        head: Bytes,
    },
    Write(Bytes),
}

impl<S> ExactHead<S> {
    pub(super) fn new(io: S, tally: Arc<Tally>, reads_are_answers: bool) -> Self {
        Self { io, tally, state: State::Pass, reads_are_answers }
    }

    /// Swallows the head that hyper writes, or as much of it as `slices` hold, and says how many bytes that was.
    fn swallow(&mut self, slices: &[IoSlice<'_>]) -> usize {
        if let Some(head) = self.tally.take_head() {
            self.state = State::Swallow { matched: 0, head };
        }
        let State::Swallow { matched, head } = &mut self.state else { return 0 };
        let mut swallowed = 0;
        for byte in slices.iter().flat_map(|slice| slice.iter()) {
            swallowed += 1;
            *matched = match *byte {
                byte if byte == END_OF_HEAD[*matched] => *matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if *matched == END_OF_HEAD.len() {
                self.state = State::Write(std::mem::take(head));
                break;
            }
        }
        swallowed
    }
}

impl<S: AsyncWrite + Unpin> ExactHead<S> {
    fn write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.tally.set_drained(false);
        let swallowed = self.swallow(slices);
        if let State::Swallow { .. } = self.state {
            return Poll::Ready(Ok(swallowed));
        }
        loop {
            let State::Write(head) = &mut self.state else {
                let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
                self.tally.wrote_above(written);
                return Poll::Ready(Ok(written));
            };
            let mut out = [IoSlice::new(&[]); SLICES];
            out[0] = IoSlice::new(head);
            let mut used = 1;
            let mut skip = swallowed;
            for slice in slices {
                let skipped = skip.min(slice.len());
                skip -= skipped;
                if skipped < slice.len() && used < SLICES {
                    out[used] = IoSlice::new(&slice[skipped..]);
                    used += 1;
                }
            }
            let written = match Pin::new(&mut self.io).poll_write_vectored(cx, &out[..used]) {
                Poll::Ready(result) => result?,
                // What was swallowed must be told; the rest waits for the flush that follows.
                Poll::Pending if swallowed > 0 => return Poll::Ready(Ok(swallowed)),
                Poll::Pending => return Poll::Pending,
            };
            self.tally.wrote_above(written);
            let of_body = written.saturating_sub(head.len());
            head.advance(written - of_body);
            if head.is_empty() {
                self.state = State::Pass;
            }
            if swallowed + of_body > 0 {
                return Poll::Ready(Ok(swallowed + of_body));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ExactHead<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if self.reads_are_answers && buffer.filled().len() > before {
            self.tally.answer_begins();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ExactHead<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while let State::Write(head) = &mut this.state {
            let written = ready!(Pin::new(&mut this.io).poll_write(cx, head))?;
            this.tally.wrote_above(written);
            head.advance(written);
            if head.is_empty() {
                this.state = State::Pass;
            }
        }
        ready!(Pin::new(&mut this.io).poll_flush(cx))?;
        this.tally.set_drained(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Writes `pieces` through a pipe of `room` bytes and gives what came out at the other end.
    async fn through(room: usize, pieces: &[&[u8]]) -> Vec<u8> {
        let (near, mut far) = tokio::io::duplex(room);
        let tally = Arc::new(Tally::new());
        let mut exact = ExactHead::new(near, tally.clone(), true);
        let writing = async {
            for request in 0..2 {
                tally.begin(Some(Bytes::from(format!("PUT /{request} HTTP/1.1\r\nX-oDD: \u{e9}\r\n\r\n"))));
                for piece in pieces {
                    exact.write_all(piece).await.unwrap();
                }
                exact.flush().await.unwrap();
            }
            drop(exact);
        };
        let mut out = Vec::new();
        let ((), read) = tokio::join!(writing, far.read_to_end(&mut out));
        read.unwrap();
        out
    }

    #[tokio::test]
    async fn the_head_is_replaced_however_it_is_cut() {
        let whole: &[u8] = b"POST / HTTP/1.1\r\na: b\r\r\n\r\n\r\n\r\nbody\r\n\r\n";
        let body: &[u8] = b"\r\n\r\nbody\r\n\r\n";
        let mut expected = Vec::new();
        for request in 0..2 {
            expected.extend_from_slice(format!("PUT /{request} HTTP/1.1\r\nX-oDD: \u{e9}\r\n\r\n").as_bytes());
            expected.extend_from_slice(body);
        }
        for room in [1, 7, 64, 4096] {
            assert_eq!(through(room, &[whole]).await, expected, "whole, pipe of {room}");
            for cut in 1..whole.len() {
                let (left, right) = whole.split_at(cut);
                assert_eq!(through(room, &[left, right]).await, expected, "cut at {cut}, pipe of {room}");
            }
        }
    }
}
