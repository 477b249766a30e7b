//! IO that goes on reading after a failed write.
//!
//! An edge that refuses a large body answers and closes while the client is still sending. The write then fails, the
//! answer waits in the receive buffer, and a client that gives up at the failed write reports a reset instead of a 413.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tally::Tally;

/// A byte stream below TLS that hides a failed write: the failure is remembered, further writes stay pending, and the
/// read side tells how the connection ended.
///
/// NOTE: a pending write after a failure is never woken by itself. The peer's end of file or reset wakes the reader.
#[derive(Debug)]
pub(super) struct Patient<S> {
    io: S,
    tally: Arc<Tally>,
}

impl<S> Patient<S> {
    pub(super) fn new(io: S, tally: Arc<Tally>) -> Self {
        Self { io, tally }
    }

    fn written(&self, result: io::Result<usize>) -> Poll<io::Result<usize>> {
        match result {
            Ok(bytes) => {
                self.tally.wrote_below(bytes);
                Poll::Ready(Ok(bytes))
            }
            Err(error) => {
                self.tally.fail(&error);
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.tally.read_below();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.tally.has_failed() {
            return Poll::Pending;
        }
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.tally.has_failed() {
            return Poll::Pending;
        }
        let result = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.tally.has_failed()
            && let Err(error) = ready!(Pin::new(&mut self.io).poll_flush(cx))
        {
            self.tally.fail(&error);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.tally.has_failed() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
