//! A refusal that comes while a large body is still being sent is seen every time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "support/upload.rs"]
#[expect(dead_code, reason = "`transport.rs` uses all of it")]
mod upload;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use upload::{Tls, answer_413, request, transport};
use wafcanary::corpus::Sha256Digest;
use wafcanary::replay::Ending;

const TRIES: usize = 200;
const BODY: u64 = 50 * 1024 * 1024;

/// Reads 64 KiB, refuses, and leaves the rest unread, so that the close becomes a reset.
async fn refuse(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut taken = vec![0; 64 * 1024];
    io.read_exact(&mut taken).await.unwrap();
    io.write_all(answer_413()).await.unwrap();
    io.flush().await.unwrap();
}

/// How the server ends the connection.
#[derive(Clone, Copy)]
enum Close {
    /// By closing it with the rest unread.
    Unread,
    /// By a reset at once: `SO_LINGER` of 0 seconds.
    Reset,
}

impl Close {
    fn prepare(self, tcp: &tokio::net::TcpStream) {
        match self {
            Self::Unread => {}
            Self::Reset => tcp.set_zero_linger().unwrap(),
        }
    }
}

async fn seen(tls: Option<&Tls>, close: Close) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tls.map(Tls::acceptor);
    let server = tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    None => {
                        let mut tcp = tcp;
                        refuse(&mut tcp).await;
                        close.prepare(&tcp);
                    }
                    Some(acceptor) => {
                        let mut tls = acceptor.accept(tcp).await.unwrap();
                        refuse(&mut tls).await;
                        close.prepare(tls.get_ref().0);
                    }
                }
            });
        }
    });
    let transport = Arc::new(transport(port, tls, |_| ()));
    let body = upload::fill(BODY);
    let (mut seen, mut unseen) = (0, Vec::new());
    for _ in 0..TRIES {
        let observation = transport.upload(&request(body.clone()), Sha256Digest([0; 32]), BODY).await;
        assert!(observation.sent.body_bytes_before_answer < BODY);
        match (&observation.answer, &observation.ending) {
            (Some(answer), Ending::Complete) if answer.status == 413 => seen += 1,
            other => unseen.push(format!("{other:?}")),
        }
    }
    server.abort();
    assert_eq!(unseen, [""; 0]);
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_413_before_a_close_is_seen_every_time() {
    assert_eq!(seen(None, Close::Unread).await, TRIES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_413_before_a_close_is_seen_every_time_over_tls() {
    assert_eq!(seen(Some(&Tls::sound()), Close::Unread).await, TRIES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_413_before_a_reset_is_seen_every_time() {
    assert_eq!(seen(None, Close::Reset).await, TRIES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_413_before_a_reset_is_seen_every_time_over_tls() {
    assert_eq!(seen(Some(&Tls::sound()), Close::Reset).await, TRIES);
}
