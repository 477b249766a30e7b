//! A reverse proxy before the origin: it looks at an upload's head and first bytes, refuses it, lies about it, or lets it
//! through unaltered.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::fault;
use super::http::{BodyState, Framing, Peer, RequestHead, Slice, Socket};
use super::origin::CANARY;
use super::page::{self, Page};
use super::rule::Window;
use super::table::{BanAnswer, Behaviour, Settings};
use super::upload::UploadReader;

/// Clients whose standing is remembered; the lab has one or a few.
const MAX_CLIENTS: usize = 4096;

/// What becomes of a connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It may carry another request.
    KeepAlive,
    /// It is closed.
    Close,
}

/// What the edge remembers of a client.
#[derive(Debug, Default)]
struct Standing {
    refusals: u64,
    requests: u64,
    since: Option<Instant>,
}

/// One edge.
#[derive(Debug)]
pub(super) struct Edge {
    /// What it does.
    pub(super) settings: Settings,
    origin: SocketAddr,
    /// Uploads that a lie was told about.
    pub(super) lies: AtomicU64,
    /// Uploads that a plan looked at.
    looked_at: AtomicU64,
    clients: Mutex<HashMap<IpAddr, Standing>>,
}

/// One request and what was read of its body so far.
pub(super) struct Exchange<'a> {
    /// The head.
    pub(super) head: &'a RequestHead,
    /// Body bytes that were read and not forwarded.
    pub(super) held: Vec<Slice>,
    /// Where the reading of the body stands.
    pub(super) body: BodyState,
    /// The client.
    pub(super) client: &'a mut Peer,
    /// The connection to the origin, once there is one.
    pub(super) upstream: &'a mut Option<Peer>,
}

impl Edge {
    /// An edge before the origin at this address.
    pub(super) fn new(settings: Settings, origin: SocketAddr) -> Self {
        Self { settings, origin, lies: AtomicU64::new(0), looked_at: AtomicU64::new(0), clients: Mutex::default() }
    }

    /// Serves one connection until it closes.
    pub(super) async fn serve(self: Arc<Self>, socket: Socket) -> io::Result<()> {
        let address = socket.tcp().peer_addr()?.ip();
        let mut client = Peer::new(socket);
        let mut upstream = None;
        loop {
            let head = match client.request_head().await {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return client.send(&page::bad_request(&error.to_string()).close().encode("GET")).await;
                }
                Err(error) => return Err(error),
            };
            let body = BodyState::new(head.framing);
            let exchange =
                Exchange { head: &head, held: Vec::new(), body, client: &mut client, upstream: &mut upstream };
            match self.exchange(address, exchange).await? {
                Next::KeepAlive if head.keep_alive => {}
                Next::KeepAlive | Next::Close => return Ok(()),
            }
        }
    }

    async fn exchange(&self, address: IpAddr, mut exchange: Exchange<'_>) -> io::Result<Next> {
        let behaviour = self.settings.behaviour;
        if behaviour == Behaviour::Ban && self.is_banned(address) {
            return match self.settings.ban {
                BanAnswer::Drop => Ok(Next::Close),
                BanAnswer::Page => exchange.refuse(&super::page::Refusal::Forbidden.page(0), true).await,
            };
        }
        if behaviour == Behaviour::Throttle && self.is_throttled(address) {
            return exchange.refuse(&page::too_many(self.settings.retry_after), true).await;
        }
        exchange.client.invite(exchange.head).await?;
        let looks =
            !matches!(behaviour, Behaviour::Pass | Behaviour::OriginRejects | Behaviour::Lost | Behaviour::Throttle);
        if !exchange.head.is_upload() || !looks {
            return exchange.forward(self.origin).await;
        }
        let window = exchange.look(self).await?;
        let filename = window.filename();
        match behaviour {
            Behaviour::Filter | Behaviour::Ban => {
                let count = self.looked_at.fetch_add(1, Ordering::Relaxed) + 1;
                let rules = &self.settings.rules;
                let by_count = rules.each.is_some_and(|each| count.is_multiple_of(each));
                if !by_count && window.broken_rule(&exchange.head.raw, rules).is_none() {
                    return exchange.forward(self.origin).await;
                }
                self.standing(address, |standing| standing.refusals += 1);
                let seed = stable_hash(filename);
                exchange.refuse(&self.refusal(seed), self.settings.drain).await
            }
            _ => {
                let length = match exchange.head.framing {
                    Framing::Length(length) => Some(length),
                    Framing::Chunked | Framing::UntilClose => None,
                };
                if filename == CANARY.as_bytes() || !self.settings.trigger.fits(filename, length) {
                    return exchange.forward(self.origin).await;
                }
                let count = self.lies.fetch_add(1, Ordering::Relaxed) + 1;
                fault::tell(self, exchange, stable_hash(filename), count).await
            }
        }
    }

    /// The page for a refused upload.
    pub(super) fn refusal(&self, seed: u64) -> Page {
        let answers = &self.settings.answers;
        let index = usize::try_from(seed % answers.len().max(1) as u64).unwrap_or(0);
        answers[index].page(seed)
    }

    /// The origin's address.
    pub(super) fn origin(&self) -> SocketAddr {
        self.origin
    }

    fn standing<T>(&self, address: IpAddr, change: impl FnOnce(&mut Standing) -> T) -> T {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(&address) {
            clients.clear();
        }
        change(clients.entry(address).or_default())
    }

    fn is_banned(&self, address: IpAddr) -> bool {
        self.standing(address, |standing| standing.refusals >= self.settings.limit)
    }

    fn is_throttled(&self, address: IpAddr) -> bool {
        let span = Duration::from_secs(self.settings.retry_after);
        self.standing(address, |standing| {
            let now = Instant::now();
            if standing.since.is_none_or(|since| now.duration_since(since) >= span) {
                standing.since = Some(now);
                standing.requests = 0;
            }
            standing.requests += 1;
            standing.requests > self.settings.limit
        })
    }
}

impl Exchange<'_> {
    /// Reads as much of the body as the edge looks at.
    async fn look(&mut self, edge: &Edge) -> io::Result<Window> {
        let mut window = Window::default();
        let mut reader = UploadReader::new(self.head);
        // Lies need the filename only; a plan looks at the whole window.
        let filters = matches!(edge.settings.behaviour, Behaviour::Filter | Behaviour::Ban);
        let mut left = edge.settings.window;
        let counted = if filters { edge.settings.rules.counted() } else { 0 };
        // NOTE: a body that is not what its type says is for the origin to refuse: the edge sees what it could read.
        let mut readable = true;
        while (left > 0 && (filters || !window.has_file())) || window.size() < counted {
            let Some(slice) = self.body.next(self.client).await? else {
                if readable {
                    let _ = reader.finish(&mut |event| window.note(event));
                }
                break;
            };
            if slice.is_data {
                let (seen, beyond) = slice.raw.split_at(slice.raw.len().min(left));
                left -= seen.len();
                readable = readable && reader.feed(seen, &mut |event| window.note(event)).is_ok();
                // What the reader kept back at the window's end would come with it: it is not fed for nothing.
                if counted > 0 {
                    readable = readable && reader.feed(beyond, &mut |event| window.count(&event)).is_ok();
                }
            }
            self.held.push(slice);
        }
        Ok(window)
    }

    /// Refuses the upload: after all of its body, or at once, which ends the connection.
    pub(super) async fn refuse(mut self, page: &Page, drain: bool) -> io::Result<Next> {
        if drain {
            self.drain().await?;
        }
        self.answer(page).await
    }

    /// Reads what is left of the body and drops it.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        self.held.clear();
        self.client.invite(self.head).await?;
        self.body.drain(self.client).await
    }

    /// Answers with a page of the edge's own; the connection stays open when the whole request was read.
    pub(super) async fn answer(&mut self, page: &Page) -> io::Result<Next> {
        if self.body.is_done() && self.head.keep_alive {
            self.client.send(&page.encode(&self.head.method)).await?;
            return Ok(Next::KeepAlive);
        }
        self.client.send(&page.clone().close().encode(&self.head.method)).await?;
        Ok(Next::Close)
    }

    /// The connection to the origin.
    pub(super) async fn connect(&mut self, origin: SocketAddr) -> io::Result<&mut Peer> {
        if self.upstream.is_none() {
            let tcp = TcpStream::connect(origin).await?;
            tcp.set_nodelay(true)?;
            *self.upstream = Some(Peer::new(Socket::Plain(tcp)));
        }
        self.upstream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Sends the request on as it is, and the answer back as it is.
    pub(super) async fn forward(mut self, origin: SocketAddr) -> io::Result<Next> {
        if self.connect(origin).await.is_err() {
            return self.refuse(&page::bad_gateway(), true).await;
        }
        let Some(mut upstream) = self.upstream.take() else { return Ok(Next::Close) };
        // After a failed write the origin's answer may be there all the same: it is asked for below.
        let mut sent = upstream.socket.write_all(&self.head.raw).await;
        for slice in std::mem::take(&mut self.held) {
            if sent.is_ok() {
                sent = upstream.socket.write_all(&slice.raw).await;
            }
        }
        while sent.is_ok() {
            let Some(slice) = self.body.next(self.client).await? else { break };
            sent = upstream.socket.write_all(&slice.raw).await;
        }
        self.relay(upstream).await
    }

    /// Sends the origin's answer back, and keeps its connection where that can carry another request.
    pub(super) async fn relay(&mut self, mut upstream: Peer) -> io::Result<Next> {
        let to_head = self.head.method == "HEAD";
        let answer = loop {
            let answer = upstream.answer_head(to_head).await?;
            // The edge has asked for the body itself.
            if answer.status != 100 {
                break answer;
            }
        };
        let mut body = BodyState::new(answer.framing);
        self.client.socket.write_all(&answer.raw).await?;
        while let Some(slice) = body.next(&mut upstream).await? {
            self.client.socket.write_all(&slice.raw).await?;
        }
        self.client.socket.flush().await?;
        if answer.keep_alive && self.body.is_done() {
            *self.upstream = Some(upstream);
            return Ok(Next::KeepAlive);
        }
        Ok(Next::Close)
    }
}

/// FNV-1a, 64 bits: the same filename gets the same refusal in every run.
fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
