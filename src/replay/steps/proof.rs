//! Proof of delivery from behind the edge: receipts, and the file read back.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::extract::Page;
use super::{BODY_LIMIT, Call, Captures, Ids, Steps};
use crate::corpus::Sha256Digest;
use crate::profile::{Each, ReadBack, ReceiptSource, ReceiptSpec, Secret};
use crate::replay::{Answer, ReadBackFact, Receipt, ReceiptFact};

/// The first pause before asking again for what may lag; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl Steps {
    /// The receipt of an upload. One that is not there yet is asked for again, for as long as `timeouts.receipt`.
    pub async fn receipt(
        &self,
        spec: &ReceiptSpec,
        answer: Option<&Answer>,
        ids: &Ids,
        captures: &mut Captures,
    ) -> ReceiptFact {
        let fact = match &spec.source {
            ReceiptSource::Answer => match answer {
                Some(answer) => read_receipt(spec, &Page { headers: &answer.headers, body: &answer.body.0 }),
                None => ReceiptFact::Unavailable {
                    status: None,
                    detail: "the upload has no answer that could hold one".to_owned(),
                },
            },
            ReceiptSource::Url { url, headers } => {
                // A page that already says that nothing arrived is no reason to wait for a receipt: one question is enough.
                let hopeful = answer.is_some_and(|answer| self.profile.oracle.status.contains(answer.status));
                let mut pauses = Pauses::new(if hopeful { self.profile.receipt_wait } else { Duration::ZERO });
                loop {
                    let fact = self.ask_receipt(spec, url, headers, ids, captures).await;
                    let again = matches!(fact, ReceiptFact::Absent { .. }) && pauses.wait().await;
                    if !again {
                        break fact;
                    }
                }
            }
        };
        self.redacted(fact)
    }

    async fn ask_receipt(
        &self,
        spec: &ReceiptSpec,
        url: &Secret<String>,
        headers: &[(String, Secret<String>)],
        ids: &Ids,
        captures: &mut Captures,
    ) -> ReceiptFact {
        let unavailable = |detail: String| ReceiptFact::Unavailable { status: None, detail };
        let call = match self.get(url, headers, ids, captures) {
            Ok(call) => call,
            Err(detail) => return unavailable(detail),
        };
        let exchange = async {
            let reply = self.send(call, captures, Each::Upload).await?;
            let (status, headers) = (reply.status, reply.headers.clone());
            let body = self.read(reply.response, BODY_LIMIT).await?;
            Ok::<_, String>((status, headers, body))
        };
        let (status, headers, body) = match tokio::time::timeout(self.profile.timeouts.total, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(detail)) => return unavailable(detail),
            Err(_) => return unavailable(format!("no end after {:?}", self.profile.timeouts.total)),
        };
        let page = Page { headers: &headers, body: &body };
        match status {
            200..=299 if serde_json::from_slice::<Value>(&body).is_ok() => read_receipt(spec, &page),
            204 | 404 | 410 => ReceiptFact::Absent { detail: format!("the receipt's URL answers {status}") },
            _ => ReceiptFact::Unavailable {
                status: Some(status),
                detail: format!("the receipt's URL answers {status}; the body begins with {}", page.beginning()),
            },
        }
    }

    /// Fetches an upload back and takes its digest. `size` is what was uploaded: at most one byte more is read.
    pub async fn read_back(&self, spec: &ReadBack, size: u64, ids: &Ids, captures: &mut Captures) -> ReadBackFact {
        let mut pauses = Pauses::new(self.profile.receipt_wait);
        let fact = loop {
            let total = self.profile.timeouts.total;
            let fact = match tokio::time::timeout(total, self.fetch(spec, size, ids, captures)).await {
                Ok(Ok(fact)) => fact,
                Ok(Err((status, detail))) => ReadBackFact::Unavailable { status, detail },
                Err(_) => ReadBackFact::Unavailable { status: None, detail: format!("no end after {total:?}") },
            };
            let again = matches!(fact, ReadBackFact::Absent { .. }) && pauses.wait().await;
            if !again {
                break fact;
            }
        };
        match fact {
            ReadBackFact::Unavailable { status, detail } => {
                ReadBackFact::Unavailable { status, detail: self.profile.redactor.redact(&detail) }
            }
            ReadBackFact::Found { .. } | ReadBackFact::Absent { .. } => fact,
        }
    }

    async fn fetch(
        &self,
        spec: &ReadBack,
        size: u64,
        ids: &Ids,
        captures: &mut Captures,
    ) -> Result<ReadBackFact, (Option<u16>, String)> {
        let unasked = |detail| (None, detail);
        let call = self.get(&spec.url, &spec.headers, ids, captures).map_err(unasked)?;
        let reply = self.send(call, captures, Each::Upload).await.map_err(unasked)?;
        match reply.status {
            // Any other 2xx says that this is not the whole file.
            200 => {}
            204 | 404 | 410 => return Ok(ReadBackFact::Absent { status: reply.status }),
            status => return Err((Some(status), format!("the file's URL answers {status}"))),
        }
        let unread = |detail| (Some(reply.status), detail);
        let page = Page { headers: &reply.headers, body: &[] };
        if let Some(coding) = page.header("content-encoding").filter(|coding| *coding != "identity") {
            return Err(unread(format!("the file comes back in the coding `{coding}`, which nobody asked for")));
        }
        let (mut hasher, mut read) = (Sha256::new(), 0);
        let limit = size.saturating_add(1);
        let mut stream = reply.response.bytes_stream();
        while read < limit {
            let idle = self.profile.timeouts.idle;
            let next = tokio::time::timeout(idle, stream.next()).await.map_err(|_| unread(super::idle(idle)))?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|error| unread(super::explain(&error)))?;
            let take = usize::try_from(limit - read).unwrap_or(usize::MAX).min(chunk.len());
            hasher.update(&chunk[..take]);
            read += take as u64;
        }
        Ok(ReadBackFact::Found { sha256: Sha256Digest(hasher.finalize().into()), size: read })
    }

    fn get(
        &self,
        url: &Secret<String>,
        headers: &[(String, Secret<String>)],
        ids: &Ids,
        captures: &Captures,
    ) -> Result<Call, String> {
        let (url, headers) = self.address(url.expose(), headers, ids, captures)?;
        Ok(Call { method: super::Method::GET, url, headers, body: None, follow: false })
    }

    fn redacted(&self, fact: ReceiptFact) -> ReceiptFact {
        let redact = |text: String| self.profile.redactor.redact(&text);
        match fact {
            ReceiptFact::Found(receipt) => ReceiptFact::Found(receipt),
            ReceiptFact::Absent { detail } => ReceiptFact::Absent { detail: redact(detail) },
            ReceiptFact::Unavailable { status, detail } => ReceiptFact::Unavailable { status, detail: redact(detail) },
        }
    }
}

/// Pauses that double, until a time is used up.
struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    fn new(wait: Duration) -> Self {
        Self { until: Instant::now() + wait, next: FIRST_PAUSE }
    }

    /// Waits; `false` when the time is used up.
    async fn wait(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.next.min(left)).await;
        self.next *= 2;
        true
    }
}

fn read_receipt(spec: &ReceiptSpec, page: &Page<'_>) -> ReceiptFact {
    let Ok(document) = serde_json::from_slice::<Value>(page.body) else {
        return ReceiptFact::Absent { detail: format!("no JSON document; the body begins with {}", page.beginning()) };
    };
    let text = |pointer: &Option<String>| {
        pointer.as_ref().and_then(|pointer| document.pointer(pointer)).and_then(Value::as_str).map(str::to_owned)
    };
    let sha256 = match document.pointer(&spec.sha256) {
        None | Some(Value::Null) => {
            return ReceiptFact::Absent { detail: format!("the document has nothing at `{}`", spec.sha256) };
        }
        Some(value) => value.as_str().and_then(Sha256Digest::parse),
    };
    let Some(sha256) = sha256 else {
        let detail = format!("what stands at `{}` is no SHA-256 in hex", spec.sha256);
        return ReceiptFact::Unavailable { status: None, detail };
    };
    let size = spec.size.as_ref().and_then(|pointer| document.pointer(pointer));
    let size = size.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let (filename, filename_hex) = (text(&spec.filename), text(&spec.filename_hex));
    ReceiptFact::Found(Receipt { sha256, size, filename, filename_hex, content_type: text(&spec.content_type) })
}
