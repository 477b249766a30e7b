//! One upload: from a wire request to the facts of an attempt.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HOST, HeaderName, HeaderValue};

use super::body::{Flow, UploadBody};
use super::connect::{Connector, Unreached};
use super::decode::decode;
use super::link::{Heard, Link, Over, words};
use super::observation::{Answer, BodyHead, Ending, Observation, Phase, Sent, Timings, Unreachable};
use super::shelf::Shelf;
use super::tally::lock;
use crate::corpus::{Hex, Sha256Digest};
use crate::error::Result;
use crate::profile::{HttpVersion, Redactor, Target, Timeouts};
use crate::wire::{Framing, WireRequest};

/// So many bytes of an answer's body are kept.
const BODY_HEAD: usize = 64 * 1024;

/// A reused connection that dies within this time, with no byte of an answer, was closed by the server meanwhile:
/// the request is sent again on a fresh one, as browsers do.
const STALE_WITHIN: Duration = Duration::from_secs(1);

/// A TLS 1.3 record holds 16 KiB and costs 22 bytes more (RFC 8446 section 5.2).
const RECORD: u64 = 16 * 1024;
const RECORD_COST: u64 = 22;

/// Sends uploads to one target, over connections that it keeps.
pub struct Transport {
    connector: Connector,
    target: Target,
    timeouts: Timeouts,
    redactor: Arc<Redactor>,
    shelf: Shelf,
    idle: Mutex<Vec<Link>>,
    idle_limit: usize,
}

/// Facts of one try on one connection.
struct Try {
    started: Instant,
    connected: Duration,
    link: Link,
    flow: Arc<Flow>,
    heard: Heard,
    over: Over,
    reused: bool,
}

impl Transport {
    /// Reads the certificates of `target`; no traffic. At most `idle_limit` idle connections are kept.
    ///
    /// # Errors
    /// A certificate, key, server name or proxy URL that cannot be used.
    pub fn new(target: Target, timeouts: Timeouts, idle_limit: usize, redactor: Arc<Redactor>) -> Result<Self> {
        let connector = Connector::new(target.clone(), &timeouts)?;
        Ok(Self { connector, target, timeouts, redactor, shelf: Shelf::default(), idle: Mutex::default(), idle_limit })
    }

    /// Sends `request`, which carries the file of that digest and size, and reads the answer. Whatever happens is a
    /// fact of the observation.
    pub async fn upload(&self, request: &WireRequest, sha256: Sha256Digest, size: u64) -> Observation {
        let started = Instant::now();
        let blank = Observation {
            sent: Sent {
                sha256,
                size,
                filename_hex: request.filename.as_deref().map(|name| Hex(name).to_string()),
                filename_readings: request.filename_readings.clone(),
                content_type: request.content_type.clone(),
                body_bytes: request.body.len(),
                body_bytes_before_answer: 0,
            },
            answer: None,
            ending: Ending::Complete,
            timings: Timings::default(),
            peer: None,
            protocol: None,
            reused: false,
            receipt: None,
            read_back: None,
            steps: Vec::new(),
        };
        let mut observation = self.tries(request, started, blank).await;
        observation.timings.total_us = micros(started.elapsed());
        observation
    }

    async fn tries(&self, request: &WireRequest, started: Instant, blank: Observation) -> Observation {
        while let Some(link) = self.take_idle() {
            let tried = match self.attempt(link, request, started, Duration::ZERO).await {
                Ok(tried) => tried,
                Err(ending) => return Observation { ending, ..blank },
            };
            if !tried.was_stale() {
                return self.observe(tried, request, blank);
            }
        }
        let link = match self.connector.connect().await {
            Ok(connected) => Link::new(connected, self.target.http).await,
            Err(unreached) => Err(unreached),
        };
        let link = match link {
            Ok(link) => link,
            Err(Unreached { layer, detail, peer }) => {
                let detail = self.redactor.redact(&detail);
                return Observation { ending: Ending::Unreachable { layer, detail }, peer, ..blank };
            }
        };
        match self.attempt(link, request, started, started.elapsed()).await {
            Ok(tried) => self.observe(tried, request, blank),
            Err(ending) => Observation { ending, ..blank },
        }
    }

    fn take_idle(&self) -> Option<Link> {
        loop {
            let mut link = lock(&self.idle).pop()?;
            if link.is_open() {
                return Some(link);
            }
        }
    }

    fn keep(&self, link: Link) {
        let mut idle = lock(&self.idle);
        if idle.len() < self.idle_limit {
            idle.push(link);
        }
    }

    async fn attempt(
        &self,
        mut link: Link,
        request: &WireRequest,
        started: Instant,
        connected: Duration,
    ) -> std::result::Result<Try, Ending> {
        let flow = Arc::new(Flow::default());
        let body = UploadBody::new(request, self.target.http, flow.clone(), &self.shelf)
            .map_err(|error| Ending::FileError { detail: error.to_string() })?;
        let mut message = match self.target.http {
            HttpVersion::Http1 => http1_message(request, body),
            HttpVersion::Http2 => self
                .http2_message(request, body)
                .map_err(|detail| Ending::Unreachable { layer: Unreachable::Protocol, detail })?,
        };
        if request.expect_continue {
            let (flow, tally) = (flow.clone(), link.tally.clone());
            hyper::ext::on_informational(&mut message, move |answer| {
                tally.was_informational();
                if answer.status() == http::StatusCode::CONTINUE {
                    flow.go();
                }
            });
        } else {
            let tally = link.tally.clone();
            hyper::ext::on_informational(&mut message, move |_| tally.was_informational());
        }
        let reused = link.used;
        let exact = match self.target.http {
            HttpVersion::Http1 => Some(Bytes::from(request.head())),
            HttpVersion::Http2 => None,
        };
        link.tally.begin(exact);
        let (heard, over) = link.exchange(message, &flow, started, &self.timeouts).await;
        if !flow.has_ended() {
            flow.abandon();
        }
        Ok(Try { started, connected, link, flow, heard, over, reused })
    }

    /// The request as HTTP/2 carries it, RFC 9113 section 8.2.2 and 8.3.1.
    fn http2_message(
        &self,
        request: &WireRequest,
        body: UploadBody,
    ) -> std::result::Result<http::Request<UploadBody>, String> {
        const HTTP1_ONLY: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
        let unfit = |what: &str| format!("HTTP/2 cannot carry the request's {what}");
        let mut authority = None;
        let mut message = http::Request::new(body);
        *message.method_mut() = request.method.parse().map_err(|_| unfit("method"))?;
        *message.version_mut() = http::Version::HTTP_2;
        for header in &request.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| unfit("header names"))?;
            let value = HeaderValue::from_bytes(&header.value).map_err(|_| unfit("header values"))?;
            if name == HOST {
                authority = Some(value);
            } else if !HTTP1_ONLY.contains(&name.as_str()) {
                message.headers_mut().append(name, value);
            }
        }
        let authority = authority.ok_or_else(|| unfit("missing `Host`"))?;
        *message.uri_mut() = http::Uri::builder()
            .scheme(self.target.scheme.as_str())
            .authority(authority.as_bytes())
            .path_and_query(request.target.as_str())
            .build()
            .map_err(|_| unfit("target"))?;
        Ok(message)
    }

    fn observe(&self, tried: Try, request: &WireRequest, blank: Observation) -> Observation {
        let ending = tried.ending();
        let Try { started, connected, mut link, flow, heard, reused, .. } = tried;
        let tally = &link.tally;
        let since = |at: Instant| micros(at.saturating_duration_since(started));
        let ended = flow.has_ended();
        let before_answer = if ended && tally.is_drained() && tally.answer_came_last() {
            request.body.len()
        } else {
            self.body_bytes_gone(&link, request, flow.given())
        };
        let mut observation = Observation {
            timings: Timings {
                connected_us: micros(connected),
                sent_us: tally.last_write().filter(|_| ended).map(since),
                first_byte_us: tally.first_byte().map(since),
                total_us: 0,
            },
            peer: Some(link.peer),
            protocol: Some(link.protocol.to_string()),
            reused,
            ending,
            ..blank
        };
        observation.sent.body_bytes_before_answer = before_answer;
        observation.answer = heard.head.is_some().then(|| self.answer(heard));
        if ended && observation.ending == Ending::Complete && link.is_open() {
            self.keep(link);
        }
        observation
    }

    /// Body bytes handed to the network when the answer began, or when the connection broke: below TLS the bytes of
    /// whole records are counted, so that the figure is never too large by more than the framing of the body.
    fn body_bytes_gone(&self, link: &Link, request: &WireRequest, given: u64) -> u64 {
        let gone = link.tally.gone_before_answer();
        let lower = if self.connector.is_tls() {
            gone.lower / (RECORD + RECORD_COST) * RECORD
                + (gone.lower % (RECORD + RECORD_COST)).saturating_sub(RECORD_COST)
        } else {
            gone.lower
        };
        let head = match self.target.http {
            HttpVersion::Http1 => request.head().len() as u64,
            HttpVersion::Http2 => 0,
        };
        lower.min(gone.upper).saturating_sub(head).min(given)
    }

    fn answer(&self, heard: Heard) -> Answer {
        let Heard { head, body, body_bytes } = heard;
        let (status, headers, reason) = head.map_or_else(
            || (0, http::HeaderMap::new(), None),
            |head| (head.status.as_u16(), head.headers, head.extensions.get::<hyper::ext::ReasonPhrase>().cloned()),
        );
        let codings: Vec<&str> =
            headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
        let body = decode(body.into(), &codings.join(","), BODY_HEAD);
        let body = if body.is_empty() { body } else { self.redactor.redact_bytes(&body).into() };
        Answer {
            status,
            reason: reason.map(|reason| self.redactor.redact(&readable(reason.as_bytes()))),
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), self.redactor.redact(&readable(value.as_bytes()))))
                .collect(),
            body: BodyHead(body),
            body_bytes,
        }
    }
}

impl Try {
    /// The server had closed the connection before this request reached it.
    fn was_stale(&self) -> bool {
        self.reused
            && self.heard.head.is_none()
            && self.link.tally.first_byte().is_none()
            && self.flow.file_error().is_none()
            && matches!(self.over, Over::Failed(_))
            && self.started.elapsed() < STALE_WITHIN
    }

    fn ending(&self) -> Ending {
        if let Some(detail) = self.flow.file_error() {
            return Ending::FileError { detail };
        }
        let answered = self.heard.head.is_some();
        let phase = if self.flow.has_ended() && self.link.tally.is_drained() { Phase::Waiting } else { Phase::Sending };
        match &self.over {
            Over::Complete => Ending::Complete,
            Over::Endless => Ending::Truncated { detail: "the answer does not end: 1 MiB was read".to_owned() },
            Over::TimedOut(what) if answered => Ending::Truncated { detail: what.clone() },
            Over::TimedOut(_) => Ending::TimedOut { phase },
            Over::Failed(error) => self.failure(error, answered, phase),
        }
    }

    fn failure(&self, error: &hyper::Error, answered: bool, phase: Phase) -> Ending {
        if let Some(alert) = certificate_alert(error) {
            return Ending::Unreachable { layer: Unreachable::Tls, detail: alert };
        }
        let closed = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        let detail = match self.link.tally.failure() {
            Some(failure) => failure,
            None if closed => "the server closed the connection".to_owned(),
            None => words(error),
        };
        if answered {
            Ending::Truncated { detail }
        } else if error.is_parse() {
            Ending::Malformed { detail }
        } else if closed && self.link.tally.first_byte().is_some() {
            Ending::Malformed { detail: "the connection was closed within the answer's head".to_owned() }
        } else {
            Ending::Broken { phase, detail }
        }
    }
}

/// With TLS 1.3 a server refuses the client's certificate only after the client's side of the handshake is over.
fn certificate_alert(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    use rustls::AlertDescription as Alert;
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(rustls::Error::AlertReceived(alert)) = inner.and_then(|inner| inner.downcast_ref()) {
            let of_the_handshake = matches!(
                alert,
                Alert::CertificateRequired
                    | Alert::BadCertificate
                    | Alert::UnsupportedCertificate
                    | Alert::CertificateRevoked
                    | Alert::CertificateExpired
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA
                    | Alert::AccessDenied
                    | Alert::HandshakeFailure
            );
            return of_the_handshake.then(|| format!("the server refused the client's certificate: {alert:?}"));
        }
        next = error.source();
    }
    None
}

/// What hyper needs to know of an HTTP/1.1 request: its head is replaced on the way.
fn http1_message(request: &WireRequest, body: UploadBody) -> http::Request<UploadBody> {
    let mut message = http::Request::new(body);
    *message.method_mut() = request.method.parse().unwrap_or(http::Method::POST);
    if request.framing == Framing::Chunked {
        message.headers_mut().insert(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    message
}

/// UTF-8 where it is, else each byte as its Latin-1 character.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
