//! The application behind the edge: it takes uploads and says what it got.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::http::{BodyState, Framing, Peer, RequestHead, Socket};
use super::log::UploadLog;
use super::page::{self, Page};
use super::receipt::{Arrived, Taken};
use super::server::Server;
use super::store::{Kept, Limits, Store};
use super::upload::UploadReader;
use crate::error::Result;

/// The filename of the canary control, which no lie touches.
pub const CANARY: &str = "wafcanary.pdf";

/// What the origin does with an upload that arrived whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It keeps it.
    #[default]
    Keeps,
    /// It refuses it with a page of its own.
    Refuses,
    /// It gives a receipt and loses the file.
    Loses,
}

/// What receipts and files are given for. It holds a digest, so that nothing can print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// Takes a token that a header can carry: visible ASCII, RFC 6750 section 2.1. `None`: it is empty or holds something else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(Sha256::digest(text).into()))
    }

    /// Whether the `Authorization` header's value carries it, in a time that does not depend on how much of it is right.
    fn is_in(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, text)) = authorization.and_then(|value| value.split_once(' ')) else { return false };
        let theirs: [u8; 32] = Sha256::digest(text.trim_ascii()).into();
        let differs = self.0.iter().zip(theirs).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        scheme.eq_ignore_ascii_case("bearer") && differs == 0
    }
}

/// How an origin behaves, what it remembers, and whom it tells.
#[derive(Debug, Default)]
pub struct OriginSettings {
    /// What it does with uploads.
    pub manner: Manner,
    /// How much it remembers.
    pub limits: Limits,
    /// What receipts and files are given for; `None`: to anybody.
    pub token: Option<Token>,
    /// Gets one JSON line for each upload; opened for appending.
    pub log: Option<std::fs::File>,
}

/// An HTTP origin that gives receipts.
#[derive(Debug)]
pub(super) struct Origin {
    manner: Manner,
    store: Store,
    token: Option<Token>,
    log: Option<UploadLog>,
    accepted: AtomicU64,
}

/// An origin with a port of its own; it stops when it is dropped.
pub struct OriginServer {
    server: Server,
    origin: Arc<Origin>,
}

impl OriginServer {
    /// Serves uploads, receipts and files on `listener`.
    ///
    /// # Errors
    /// When the system does not tell the listener's address.
    pub fn start(listener: TcpListener, settings: OriginSettings) -> Result<Self> {
        let origin = Arc::new(Origin::new(settings));
        let server = Arc::clone(&origin).listen(listener, None)?;
        Ok(Self { server, origin })
    }

    /// Address and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits until a line of the log cannot be written: for ever, if all goes well.
    pub async fn log_failure(&self) -> String {
        match &self.origin.log {
            Some(log) => log.failure().await,
            None => std::future::pending().await,
        }
    }

    /// Closes the port and its connections, and waits until they are closed.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Origin {
    /// An origin with nothing in store.
    pub(super) fn new(settings: OriginSettings) -> Self {
        Self {
            manner: settings.manner,
            store: Store::new(settings.limits),
            token: settings.token,
            log: settings.log.map(UploadLog::new),
            accepted: AtomicU64::new(0),
        }
    }

    /// Serves every connection of a port.
    pub(super) fn listen(self: Arc<Self>, listener: TcpListener, acceptor: Option<TlsAcceptor>) -> Result<Server> {
        Server::start(listener, acceptor, move |socket| Arc::clone(&self).serve(socket))
    }

    /// Serves one connection until it closes.
    async fn serve(self: Arc<Self>, socket: Socket) -> io::Result<()> {
        let mut peer = Peer::new(socket);
        loop {
            let head = match peer.request_head().await {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return peer.send(&page::bad_request(&error.to_string()).close().encode("GET")).await;
                }
                Err(error) => return Err(error),
            };
            peer.invite(&head).await?;
            let mut body = BodyState::new(head.framing);
            let answer = if head.is_upload() {
                self.take(&head, &mut body, &mut peer).await
            } else {
                body.drain(&mut peer).await.map(|()| self.get(&head))
            };
            let mut answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => page::bad_request(&error.to_string()),
                Err(error) => return Err(error),
            };
            let keep_alive = head.keep_alive && body.is_done();
            if !keep_alive {
                answer = answer.close();
            }
            peer.send(&answer.header("X-Origin", "wafcanary-lab").encode(&head.method)).await?;
            if !keep_alive {
                return Ok(());
            }
        }
    }

    async fn take(&self, head: &RequestHead, body: &mut BodyState, peer: &mut Peer) -> io::Result<Page> {
        let mut reader = UploadReader::new(head);
        let expected = match head.framing {
            Framing::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Framing::Chunked | Framing::UntilClose => 0,
        };
        let mut taken = Taken::new(reader.carrier(), self.store.max_file(), expected);
        let read = read(&mut reader, &mut taken, body, peer).await;
        let arrived = taken.arrived();
        let (answer, fault) = match read {
            Ok(None) if arrived.files.is_empty() => no_upload("the upload has no part".to_owned()),
            Ok(None) => (Ok(self.accept(head, &arrived)), None),
            Ok(Some(fault)) => no_upload(fault),
            Err(error) => {
                let fault = error.to_string();
                (Err(error), Some(fault))
            }
        };
        if let Some(log) = &self.log {
            let status = match &answer {
                Ok(page) => Some(page.status()),
                // Framing that is not understood is answered; a connection that broke is not.
                Err(error) => (error.kind() == io::ErrorKind::InvalidData).then_some(400),
            };
            log.note(head, status, &arrived.files, fault.as_deref());
        }
        answer
    }

    fn accept(&self, head: &RequestHead, arrived: &Arrived) -> Page {
        if self.manner == Manner::Refuses && !arrived.is_canary {
            return page::origin_refusal();
        }
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(attempt) = head.header("x-wafcanary-attempt") {
            let keeps = self.manner != Manner::Loses || arrived.is_canary;
            let file = if keeps { arrived.file.clone() } else { Kept::Lost };
            let receipt = serde_json::to_vec(&arrived.receipt(attempt, head)).unwrap_or_default();
            self.store.put(attempt, receipt.into(), file);
        }
        page::accepted(number)
    }

    fn get(&self, head: &RequestHead) -> Page {
        let path = head.path();
        let (receipt, file) = (path.strip_prefix("/receipts/"), path.strip_prefix("/files/"));
        let may = self.token.as_ref().is_none_or(|token| token.is_in(head.header("authorization")));
        match (path, receipt, file) {
            (_, Some(_), _) | (_, _, Some(_)) if !may => page::unauthorized(),
            (_, Some(attempt), _) => match self.store.receipt(attempt) {
                Some(receipt) => Page::json(200, "OK", receipt),
                None => page::no_receipt(attempt),
            },
            (_, _, Some(attempt)) => match self.store.file(attempt) {
                Some(Kept::Whole(bytes)) => Page::file(bytes),
                Some(Kept::TooLarge) => page::not_kept("the file is too large to be kept"),
                Some(Kept::Evicted) => page::not_kept("the file made room for newer ones"),
                Some(Kept::Lost) | None => page::not_found(),
            },
            ("/", ..) => page::home(),
            ("/apply", ..) => page::form(),
            ("/healthz", ..) => page::plain(200, "OK", "ok\n"),
            _ => page::not_found(),
        }
    }
}

/// Reads a body to its end; gives what is wrong with the upload in it.
async fn read(
    reader: &mut UploadReader,
    taken: &mut Taken,
    body: &mut BodyState,
    peer: &mut Peer,
) -> io::Result<Option<String>> {
    let mut fault = None;
    while let Some(slice) = body.next(peer).await? {
        if slice.is_data && fault.is_none() {
            fault = reader.feed(&slice.raw, &mut |event| taken.note(event)).err();
        }
    }
    if fault.is_none() {
        fault = reader.finish(&mut |event| taken.note(event)).err();
    }
    Ok(fault.map(|fault| fault.to_string()))
}

fn no_upload(fault: String) -> (io::Result<Page>, Option<String>) {
    (Ok(page::bad_request(&fault)), Some(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::new("se.cret-1").unwrap();
        for right in ["Bearer se.cret-1", "bearer se.cret-1", "Bearer  se.cret-1"] {
            assert!(token.is_in(Some(right)), "{right}");
        }
        for wrong in ["se.cret-1", "Basic se.cret-1", "Bearer se.cret-", "Bearer se.cret-11", "Bearer", "Bearer "] {
            assert!(!token.is_in(Some(wrong)), "{wrong}");
        }
        assert!(!token.is_in(None));
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_none() {
        for text in ["", "two words", "表", "a\nb"] {
            assert_eq!(Token::new(text), None, "{text}");
        }
    }
}
