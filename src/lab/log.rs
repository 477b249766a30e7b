//! What reached the origin, one JSON line for each upload: a witness that does not depend on who asks for receipts.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::http::RequestHead;
use super::receipt::PartReceipt;

/// A log of uploads.
#[derive(Debug)]
pub(super) struct UploadLog {
    file: Mutex<File>,
    failure: watch::Sender<Option<String>>,
}

/// One line. It holds no header besides these two, no field and no query: they may be secret.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: String,
    attempt: Option<&'a str>,
    case: Option<&'a str>,
    method: &'a str,
    target: &'a str,
    /// `None`: the connection broke before there was an answer.
    status: Option<u16>,
    files: &'a [PartReceipt],
    /// Why it is no upload; the files are as far as they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl UploadLog {
    /// A log in this file, which is open for appending.
    pub(super) fn new(file: File) -> Self {
        Self { file: Mutex::new(file), failure: watch::Sender::new(None) }
    }

    /// Writes one line with one write, before the upload is answered.
    pub(super) fn note(&self, head: &RequestHead, status: Option<u16>, files: &[PartReceipt], error: Option<&str>) {
        let queried = head.target.contains('?').then(|| format!("{}?***", head.path()));
        let line = Line {
            at: jiff::Timestamp::now().to_string(),
            attempt: head.header("x-wafcanary-attempt"),
            case: head.header("x-wafcanary-case"),
            method: &head.method,
            target: queried.as_deref().unwrap_or(head.path()),
            status,
            files,
            error,
        };
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(&line) {
            self.failure.send_replace(Some(error.to_string()));
        }
    }

    /// Waits until a line cannot be written: a log with holes is no witness.
    pub(super) async fn failure(&self) -> String {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }
}
