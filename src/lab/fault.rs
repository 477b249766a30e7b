//! The lies: what an edge does to an upload instead of refusing it openly or letting it through.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::edge::{Edge, Exchange, Next};
use super::http::{LAST_CHUNK, chunk};
use super::page::{self, Refusal};
use super::rewrite::Rewriter;
use super::table::Behaviour;

/// The longest that a lie goes on: clients give up long before.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two bytes of a slow answer.
const DRIP: Duration = Duration::from_millis(100);
/// Between two chunks of an endless answer.
const BREATH: Duration = Duration::from_millis(2);
/// Bytes to an endless answer's chunk.
const ENDLESS_CHUNK: usize = 4096;

/// Tells the edge's lie about one upload; `count` is its number, from 1.
pub(super) async fn tell(edge: &Edge, mut exchange: Exchange<'_>, seed: u64, count: u64) -> io::Result<Next> {
    let settings = &edge.settings;
    match settings.behaviour {
        Behaviour::Refuse => exchange.refuse(&edge.refusal(seed), settings.drain).await,
        Behaviour::Flaky if count.is_multiple_of(settings.limit) => {
            exchange.refuse(&edge.refusal(seed), settings.drain).await
        }
        Behaviour::Early413 => {
            exchange.read_until(settings.after).await?;
            exchange.client.send(&Refusal::TooLarge.page(seed).close().encode(&exchange.head.method)).await?;
            Ok(Next::Close)
        }
        Behaviour::Reset => {
            exchange.read_until(settings.after).await?;
            exchange.client.socket.tcp().set_zero_linger()?;
            Ok(Next::Close)
        }
        Behaviour::Silence => {
            exchange.drain().await?;
            exchange.wait_for_close().await;
            Ok(Next::Close)
        }
        Behaviour::SlowDrip => {
            exchange.drain().await?;
            drip(&mut exchange).await
        }
        Behaviour::FakeSuccess => {
            exchange.drain().await?;
            exchange.answer(&page::accepted(900_000 + count).header("X-Origin", "wafcanary-lab")).await
        }
        Behaviour::BrokenHttp => {
            exchange.drain().await?;
            exchange.client.send(b"HTTP/9.9 two hundred\r\nthis is no header line\r\n\x00\xff\r\n\r\n").await?;
            Ok(Next::Close)
        }
        Behaviour::Endless => {
            exchange.drain().await?;
            endless(&mut exchange).await
        }
        Behaviour::Truncate | Behaviour::FlipByte | Behaviour::MojibakeName | Behaviour::RewriteType => {
            rewrite(edge, exchange).await
        }
        Behaviour::Flaky
        | Behaviour::Pass
        | Behaviour::Filter
        | Behaviour::Ban
        | Behaviour::Throttle
        | Behaviour::OriginRejects
        | Behaviour::Lost => exchange.forward(edge.origin()).await,
    }
}

async fn drip(exchange: &mut Exchange<'_>) -> io::Result<Next> {
    let answer = page::accepted(999_999).header("X-Drip", "-".repeat(8000)).encode("GET");
    let drops = PATIENCE.as_millis() / DRIP.as_millis();
    // The bound ends before the answer does: it never becomes whole.
    for drop in answer.iter().take(usize::try_from(drops).unwrap_or(usize::MAX)) {
        exchange.client.send(std::slice::from_ref(drop)).await?;
        tokio::time::sleep(DRIP).await;
    }
    Ok(Next::Close)
}

async fn endless(exchange: &mut Exchange<'_>) -> io::Result<Next> {
    exchange
        .client
        .send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await?;
    let piece = chunk(&[b'.'; ENDLESS_CHUNK]);
    let pieces = PATIENCE.as_millis() / BREATH.as_millis();
    for _ in 0..pieces {
        exchange.client.send(&piece).await?;
        tokio::time::sleep(BREATH).await;
    }
    Ok(Next::Close)
}

async fn rewrite(edge: &Edge, mut exchange: Exchange<'_>) -> io::Result<Next> {
    let mut rewriter = Rewriter::new(&edge.settings, exchange.head);
    if exchange.connect(edge.origin()).await.is_err() {
        return exchange.refuse(&page::bad_gateway(), true).await;
    }
    let Some(mut upstream) = exchange.upstream.take() else { return Ok(Next::Close) };
    upstream.socket.write_all(&rewriter.head(exchange.head)).await?;
    for slice in std::mem::take(&mut exchange.held) {
        if slice.is_data {
            upstream.socket.write_all(&chunk(rewriter.feed(&slice.raw)?)).await?;
        }
    }
    while let Some(slice) = exchange.body.next(exchange.client).await? {
        if slice.is_data {
            upstream.socket.write_all(&chunk(rewriter.feed(&slice.raw)?)).await?;
        }
    }
    upstream.socket.write_all(&chunk(rewriter.finish()?)).await?;
    upstream.socket.write_all(LAST_CHUNK).await?;
    exchange.relay(upstream).await
}

impl Exchange<'_> {
    /// Reads the body until `count` of its bytes were taken, or its end.
    async fn read_until(&mut self, count: u64) -> io::Result<()> {
        let mut taken: u64 = self.held.drain(..).map(|slice| slice.raw.len() as u64).sum();
        while taken < count {
            let Some(slice) = self.body.next(self.client).await? else { break };
            taken += slice.raw.len() as u64;
        }
        Ok(())
    }

    /// Waits until the client gives up.
    async fn wait_for_close(&mut self) {
        let mut scrap = [0; 1024];
        let gone = async { while self.client.socket.read(&mut scrap).await.is_ok_and(|read| read > 0) {} };
        // Patience over and client gone come to the same: the connection is closed.
        let _ = tokio::time::timeout(PATIENCE, gone).await;
    }
}
