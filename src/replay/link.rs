//! One connection under hyper, and one request over it.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::task::JoinHandle;

use super::body::{Flow, UploadBody};
use super::connect::{Connected, Duplex, Unreached};
use super::exact_head::ExactHead;
use super::observation::Unreachable;
use super::tally::Tally;
use crate::profile::{HttpVersion, Timeouts};

/// An answer's body is read up to so many bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// So many raw bytes of an answer's body are kept, enough to decode the first 64 KiB of it.
const KEPT: usize = 128 * 1024;

type Io = TokioIo<ExactHead<Box<dyn Duplex>>>;

/// A connection that can carry one request at a time.
pub(super) struct Link {
    wire: Wire,
    pub(super) tally: Arc<Tally>,
    pub(super) peer: std::net::SocketAddr,
    pub(super) protocol: Arc<str>,
    pub(super) used: bool,
}

enum Wire {
    Http1 { sender: http1::SendRequest<UploadBody>, connection: Pin<Box<http1::Connection<Io, UploadBody>>> },
    Http2 { sender: http2::SendRequest<UploadBody>, connection: Abort },
}

/// A task that ends with its owner.
struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What came of an answer until the exchange ended.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) head: Option<http::response::Parts>,
    pub(super) body: Vec<u8>,
    pub(super) body_bytes: u64,
}

/// How an exchange ended.
pub(super) enum Over {
    /// The answer is whole.
    Complete,
    /// The answer is longer than anyone reads.
    Endless,
    /// One of the timeouts, in words.
    TimedOut(String),
    /// hyper gave up.
    Failed(hyper::Error),
}

impl Link {
    /// Speaks HTTP over a fresh connection.
    pub(super) async fn new(connected: Connected, http: HttpVersion) -> Result<Self, Unreached> {
        let Connected { io, tally, peer, tls } = connected;
        let io = TokioIo::new(ExactHead::new(io, tally.clone(), http == HttpVersion::Http1));
        let failed =
            |error: hyper::Error| Unreached { layer: Unreachable::Protocol, detail: words(&error), peer: Some(peer) };
        let (name, wire) = match http {
            HttpVersion::Http1 => {
                let mut builder = http1::Builder::new();
                // Browsers read such answers, and an edge's refusal must not be lost for them.
                builder
                    .allow_spaces_after_header_name_in_responses(true)
                    .allow_obsolete_multiline_headers_in_responses(true)
                    .ignore_invalid_headers_in_responses(true)
                    .max_headers(256);
                let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
                ("HTTP/1.1", Wire::Http1 { sender, connection: Box::pin(connection) })
            }
            HttpVersion::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).max_send_buf_size(64 * 1024);
                let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
                // How it ended is told to the request that it carries.
                let task = tokio::spawn(async move { drop(connection.await) });
                ("HTTP/2", Wire::Http2 { sender, connection: Abort(task) })
            }
        };
        let protocol = match tls {
            Some(version) => format!("{name} {version}").into(),
            None => name.into(),
        };
        Ok(Self { wire, tally, peer, protocol, used: false })
    }

    /// Whether another request can go over it: everything of the last one is out, and the peer has not closed.
    pub(super) fn is_open(&mut self) -> bool {
        match &mut self.wire {
            Wire::Http1 { sender, connection } => {
                // hyper learns of a close, and gets ready for the next request, only when it is polled.
                let mut cx = Context::from_waker(Waker::noop());
                connection.as_mut().poll(&mut cx).is_pending() && sender.is_ready() && self.tally.is_drained()
            }
            Wire::Http2 { sender, connection } => sender.is_ready() && !connection.0.is_finished(),
        }
    }

    /// Sends `request` and reads its answer, whichever comes first.
    pub(super) async fn exchange(
        &mut self,
        request: http::Request<UploadBody>,
        flow: &Flow,
        started: Instant,
        timeouts: &Timeouts,
    ) -> (Heard, Over) {
        self.used = true;
        let mut heard = Heard::default();
        let over = match &mut self.wire {
            Wire::Http1 { sender, connection } => {
                let talk = listen(sender.send_request(request), flow, &self.tally, &mut heard);
                let mut gone = false;
                let drive = |cx: &mut Context<'_>| {
                    // What ended it reaches the request by hyper's own channel.
                    gone = gone || connection.as_mut().poll(cx).is_ready();
                };
                drive_to_end(talk, drive, &self.tally, flow, started, timeouts).await
            }
            Wire::Http2 { sender, .. } => {
                let talk = listen(sender.send_request(request), flow, &self.tally, &mut heard);
                drive_to_end(talk, |_| (), &self.tally, flow, started, timeouts).await
            }
        };
        (heard, over)
    }
}

async fn listen(
    response: impl Future<Output = hyper::Result<http::Response<Incoming>>>,
    flow: &Flow,
    tally: &Tally,
    heard: &mut Heard,
) -> Over {
    let (parts, mut body) = match response.await {
        Ok(response) => response.into_parts(),
        Err(error) => return Over::Failed(error),
    };
    tally.answer_begins();
    // curl's rule: after a refusal no more of the body is sent; any other answer may be followed by more of itself.
    if parts.status.is_client_error() || parts.status.is_server_error() {
        flow.stop();
    } else {
        flow.go();
    }
    heard.head = Some(parts);
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data(),
            Err(error) => return Over::Failed(error),
        };
        let Ok(data) = data else { continue };
        heard.body_bytes += data.len() as u64;
        let room = KEPT.saturating_sub(heard.body.len());
        heard.body.extend_from_slice(&data[..data.len().min(room)]);
        if heard.body_bytes >= MAX_ANSWER {
            return Over::Endless;
        }
    }
    Over::Complete
}

/// Polls the connection and the talk over it in one task, until the talk is over or a timeout has passed.
async fn drive_to_end(
    talk: impl Future<Output = Over>,
    mut drive: impl FnMut(&mut Context<'_>),
    tally: &Tally,
    flow: &Flow,
    started: Instant,
    timeouts: &Timeouts,
) -> Over {
    let mut talk = pin!(talk);
    let first = timeouts.idle.min(timeouts.answer).min(timeouts.total);
    let mut alarm = pin!(tokio::time::sleep_until((Instant::now() + first).into()));
    std::future::poll_fn(|cx| {
        drive(cx);
        if let Poll::Ready(over) = talk.as_mut().poll(cx) {
            return Poll::Ready(over);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            match deadline(tally, flow, started, timeouts) {
                Err(what) => return Poll::Ready(Over::TimedOut(what)),
                Ok(next) => alarm.as_mut().reset(next.into()),
            }
        }
        Poll::Pending
    })
    .await
}

/// The next moment at which a timeout can have passed; an error when one has.
fn deadline(tally: &Tally, flow: &Flow, started: Instant, timeouts: &Timeouts) -> Result<Instant, String> {
    let now = Instant::now();
    let total = started + timeouts.total;
    let idle = tally.last_activity() + timeouts.idle;
    let answer = match (tally.first_byte(), tally.last_write()) {
        (None, Some(sent)) if flow.has_ended() => Some(sent + timeouts.answer),
        (None, _) => Some(now + timeouts.answer),
        (Some(_), _) => None,
    };
    if total <= now {
        return Err(format!("not over within {:?}", timeouts.total));
    }
    if idle <= now {
        return Err(format!("no byte in either direction for {:?}", timeouts.idle));
    }
    match answer {
        Some(answer) if answer <= now => Err(format!("no answer within {:?}", timeouts.answer)),
        Some(answer) => Ok(total.min(idle).min(answer)),
        None => Ok(total.min(idle)),
    }
}

/// The innermost cause of an error, in the system's words.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
