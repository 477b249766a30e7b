//! What the transport sends, byte for byte, and what it makes of everything that a server can do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "support/upload.rs"]
mod upload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use upload::{Tls, bytes, fill, request, transport};
use wafcanary::corpus::{Content, Sha256Digest};
use wafcanary::profile::{ConnectTo, HttpVersion, Redactor, Resolve, Secret};
use wafcanary::replay::{Ending, Observation, Phase, Transport, Unreachable};
use wafcanary::wire::{Body, Framing, Header, Segment, WireRequest};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    let (tcp, _) = listener.accept().await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

async fn send(transport: &Transport, request: &WireRequest) -> Observation {
    transport.upload(request, Sha256Digest([0; 32]), request.body.len()).await
}

/// Reads what `request` must look like, and gives what came.
async fn take(tcp: &mut TcpStream, request: &WireRequest) -> Vec<u8> {
    let len = request.head().len() + usize::try_from(request.body.len()).unwrap();
    let mut taken = vec![0; len];
    tcp.read_exact(&mut taken).await.unwrap();
    taken
}

/// A server that takes one request, writes `answer`, and closes (with a reset, if `reset`).
async fn once(request: &WireRequest, answer: &'static [u8], reset: bool) -> (u16, JoinHandle<()>) {
    let (listener, port) = listen().await;
    let request = request.clone();
    let server = tokio::spawn(async move {
        // Twice at most: an unanswered request may come again.
        let mut tcp = accept(&listener).await;
        take(&mut tcp, &request).await;
        tcp.write_all(answer).await.unwrap();
        if reset {
            tcp.set_zero_linger().unwrap();
        }
    });
    (port, server)
}

async fn answered(answer: &'static [u8]) -> Observation {
    let request = request(bytes(b"body"));
    let (port, server) = once(&request, answer, false).await;
    let observation = send(&transport(port, None, |_| ()), &request).await;
    server.await.unwrap();
    observation
}

#[tokio::test]
async fn head_and_body_arrive_byte_for_byte_and_the_connection_is_reused() {
    let (listener, port) = listen().await;
    let request = request(bytes(b"--b\r\n\r\nbody\r\n--b--\r\n"));
    let expected = [request.head(), b"--b\r\n\r\nbody\r\n--b--\r\n".to_vec()].concat();
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        for _ in 0..3 {
            assert_eq!(take(&mut tcp, &wanted).await, expected);
            tcp.write_all(OK).await.unwrap();
        }
    });
    let transport = transport(port, None, |_| ());
    for reused in [false, true, true] {
        let observation = send(&transport, &request).await;
        assert_eq!(observation.ending, Ending::Complete);
        assert_eq!(observation.reused, reused);
        assert_eq!(observation.sent.body_bytes_before_answer, observation.sent.body_bytes);
        assert_eq!(observation.answer.as_ref().unwrap().body.0, "ok");
        assert_eq!(observation.protocol.as_deref(), Some("HTTP/1.1"));
        assert_eq!(observation.peer, Some(SocketAddr::from(([127, 0, 0, 1], port))));
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_chunked_body_keeps_its_framing() {
    let (listener, port) = listen().await;
    let mut request = request(bytes(b"hello"));
    request.headers.retain(|header| header.name != "Content-Length");
    request.headers.push(Header { name: "TRANSFER-encoding".to_owned(), value: b"chunked".to_vec() });
    request.framing = Framing::Chunked;
    let expected = [request.head(), b"5\r\nhello\r\n0\r\n\r\n".to_vec()].concat();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        for _ in 0..2 {
            let mut taken = vec![0; expected.len()];
            tcp.read_exact(&mut taken).await.unwrap();
            assert_eq!(taken, expected);
            tcp.write_all(OK).await.unwrap();
        }
    });
    let transport = transport(port, None, |_| ());
    assert_eq!(send(&transport, &request).await.ending, Ending::Complete);
    assert!(send(&transport, &request).await.reused);
    server.await.unwrap();
}

#[tokio::test]
async fn a_large_body_streams_whole() {
    let (listener, port) = listen().await;
    let request = request(fill(3_000_001));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        let taken = take(&mut tcp, &wanted).await;
        assert!(taken[wanted.head().len()..].iter().all(|byte| *byte == b'x'));
        tcp.write_all(OK).await.unwrap();
    });
    let observation = send(&transport(port, None, |_| ()), &request).await;
    assert_eq!(observation.ending, Ending::Complete);
    assert_eq!(observation.sent.body_bytes_before_answer, 3_000_001);
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_went_stale_is_no_failed_attempt() {
    let (listener, port) = listen().await;
    let request = request(bytes(b"body"));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let mut tcp = accept(&listener).await;
            take(&mut tcp, &wanted).await;
            tcp.write_all(OK).await.unwrap();
            tcp.shutdown().await.unwrap();
        }
    });
    let transport = transport(port, None, |_| ());
    assert_eq!(send(&transport, &request).await.ending, Ending::Complete);
    let second = send(&transport, &request).await;
    assert_eq!(second.ending, Ending::Complete, "{second:?}");
    assert!(!second.reused);
    server.await.unwrap();
}

#[tokio::test]
async fn a_reused_connection_closed_under_the_request_is_replaced() {
    let (listener, port) = listen().await;
    let request = request(bytes(b"body"));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        take(&mut tcp, &wanted).await;
        tcp.write_all(OK).await.unwrap();
        take(&mut tcp, &wanted).await;
        drop(tcp);
        let mut tcp = accept(&listener).await;
        take(&mut tcp, &wanted).await;
        tcp.write_all(OK).await.unwrap();
    });
    let transport = transport(port, None, |_| ());
    assert_eq!(send(&transport, &request).await.ending, Ending::Complete);
    let second = send(&transport, &request).await;
    assert_eq!(second.ending, Ending::Complete, "{second:?}");
    assert!(!second.reused);
    server.await.unwrap();
}

fn expecting(body: Body) -> WireRequest {
    let mut request = request(body);
    request.headers.push(Header { name: "Expect".to_owned(), value: b"100-continue".to_vec() });
    request.expect_continue = true;
    request
}

#[tokio::test]
async fn the_body_waits_for_100_and_goes_without_it_after_a_second() {
    for answer_100 in [true, false] {
        let (listener, port) = listen().await;
        let request = expecting(bytes(b"body"));
        let head = request.head();
        let server = tokio::spawn(async move {
            let mut tcp = accept(&listener).await;
            let mut taken = vec![0; head.len()];
            tcp.read_exact(&mut taken).await.unwrap();
            assert_eq!(taken, head);
            let nothing_more = tcp.try_read(&mut [0]);
            assert_eq!(nothing_more.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
            if answer_100 {
                tcp.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            }
            let mut body = [0; 4];
            tcp.read_exact(&mut body).await.unwrap();
            assert_eq!(&body, b"body");
            tcp.write_all(OK).await.unwrap();
        });
        let observation = send(&transport(port, None, |_| ()), &request).await;
        assert_eq!(observation.ending, Ending::Complete);
        assert_eq!(observation.sent.body_bytes_before_answer, 4);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_instead_of_100_costs_no_body() {
    let (listener, port) = listen().await;
    let request = expecting(fill(1_000_000));
    let head = request.head();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        let mut taken = vec![0; head.len()];
        tcp.read_exact(&mut taken).await.unwrap();
        tcp.write_all(upload::answer_413()).await.unwrap();
        assert_eq!(tcp.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
    let observation = send(&transport(port, None, |_| ()), &request).await;
    assert_eq!(observation.answer.unwrap().status, 413);
    assert_eq!(observation.sent.body_bytes_before_answer, 0);
    server.await.unwrap();
}

async fn over_tls(server_tls: &Tls, client: &Transport, port_listener: TcpListener) -> Observation {
    let acceptor = server_tls.acceptor();
    let request = request(bytes(b"body"));
    let wanted = request.head().len() + 4;
    let server = tokio::spawn(async move {
        let tcp = accept(&port_listener).await;
        let Ok(mut tls) = acceptor.accept(tcp).await else { return };
        let mut taken = vec![0; wanted];
        if tls.read_exact(&mut taken).await.is_ok() {
            tls.write_all(OK).await.unwrap();
            tls.flush().await.unwrap();
            // The client's alert or close ends it.
            let _ = tls.read(&mut [0]).await;
        }
    });
    let observation = send(client, &request).await;
    server.abort();
    observation
}

fn tls_refusal(observation: &Observation) -> &str {
    match &observation.ending {
        Ending::Unreachable { layer: Unreachable::Tls, detail } => detail,
        other => panic!("not a TLS refusal: {other:?}"),
    }
}

#[tokio::test]
async fn certificates_are_checked_and_their_fault_is_named() {
    for (name, years, word) in
        [("edge.test", (2020, 2021), "certificate expired"), ("other.test", (2020, 2099), "not valid for name")]
    {
        let (listener, port) = listen().await;
        let tls = Tls::new(name, years, false);
        let observation = over_tls(&tls, &transport(port, Some(&tls), |_| ()), listener).await;
        assert!(tls_refusal(&observation).contains(word), "{observation:?}");
    }
    let (listener, port) = listen().await;
    let stranger = Tls::sound();
    let observation = over_tls(&Tls::sound(), &transport(port, Some(&stranger), |_| ()), listener).await;
    assert!(tls_refusal(&observation).contains("UnknownIssuer") || tls_refusal(&observation).contains("BadSignature"));
}

#[tokio::test]
async fn insecure_accepts_any_certificate() {
    let (listener, port) = listen().await;
    let tls = Tls::new("other.test", (2020, 2021), false);
    let client = transport(port, Some(&tls), |target| target.tls.insecure = true);
    let observation = over_tls(&tls, &client, listener).await;
    assert_eq!(observation.ending, Ending::Complete);
    assert_eq!(observation.protocol.as_deref(), Some("HTTP/1.1 TLSv1.3"));
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_missed() {
    let tls = Tls::new("edge.test", (2020, 2099), true);
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, &tls.cert_pem).unwrap();
    std::fs::write(&key, &tls.key_pem).unwrap();
    let (listener, port) = listen().await;
    let client = transport(port, Some(&tls), |target| {
        target.tls.cert = Some(cert);
        target.tls.key = Some(key);
    });
    assert_eq!(over_tls(&tls, &client, listener).await.ending, Ending::Complete);
    let (listener, port) = listen().await;
    let observation = over_tls(&tls, &transport(port, Some(&tls), |_| ()), listener).await;
    assert!(tls_refusal(&observation).contains("CertificateRequired"), "{observation:?}");
}

#[tokio::test]
async fn resolve_and_connect_to_lead_where_curl_would_go() {
    let request = request(bytes(b"body"));
    let (port, server) = once(&request, OK, false).await;
    let client = transport(port, None, |target| {
        target.host = "edge.test".to_owned();
        target.resolve = vec![Resolve { host: "EDGE.test".to_owned(), port, addresses: vec![[127, 0, 0, 1].into()] }];
    });
    assert_eq!(send(&client, &request).await.ending, Ending::Complete);
    server.await.unwrap();
    let (port, server) = once(&request, OK, false).await;
    let client = transport(1, None, |target| {
        target.host = "edge.test".to_owned();
        target.connect_to = vec![ConnectTo {
            from_host: "edge.test".to_owned(),
            from_port: Some(1),
            to_host: "staging.test".to_owned(),
            to_port: Some(port),
        }];
        target.resolve = vec![Resolve { host: "*".to_owned(), port, addresses: vec![[127, 0, 0, 1].into()] }];
    });
    assert_eq!(send(&client, &request).await.ending, Ending::Complete);
    server.await.unwrap();
}

#[tokio::test]
async fn an_unresolvable_name_is_named() {
    let client = transport(80, None, |target| target.host = "nonexistent.invalid".to_owned());
    match send(&client, &request(bytes(b"body"))).await.ending {
        Ending::Unreachable { layer: Unreachable::Dns, detail } => assert!(detail.contains("`nonexistent.invalid`")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_closed_port_is_a_refused_connect() {
    let (listener, port) = listen().await;
    drop(listener);
    match send(&transport(port, None, |_| ()), &request(bytes(b"body"))).await.ending {
        Ending::Unreachable { layer: Unreachable::Connect, detail } => assert!(detail.contains("refused"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_proxy_is_asked_with_credentials_and_its_refusal_is_told() {
    for (user_info, answer) in [("", 200), ("user:p%40ss@", 200), ("", 407)] {
        let (listener, port) = listen().await;
        let request = request(bytes(b"body"));
        let wanted = request.clone();
        let server = tokio::spawn(async move {
            let mut tcp = accept(&listener).await;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.unwrap());
            }
            tcp.write_all(format!("HTTP/1.1 {answer} Told\r\n\r\n").as_bytes()).await.unwrap();
            if answer == 200 {
                assert_eq!(take(&mut tcp, &wanted).await[..wanted.head().len()], wanted.head());
                tcp.write_all(OK).await.unwrap();
            }
            String::from_utf8(head).unwrap()
        });
        let client = transport(8080, None, |target| {
            target.host = "behind.test".to_owned();
            target.proxy = Some(Secret::new(format!("http://{user_info}127.0.0.1:{port}")));
        });
        let observation = send(&client, &request).await;
        let asked = server.await.unwrap();
        assert!(asked.starts_with("CONNECT behind.test:8080 HTTP/1.1\r\nHost: behind.test:8080\r\n"), "{asked}");
        assert_eq!(asked.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"), !user_info.is_empty());
        match observation.ending {
            Ending::Complete => assert_eq!(answer, 200),
            Ending::Unreachable { layer: Unreachable::Proxy, detail } => assert!(detail.contains("407"), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn socks5_carries_the_request_with_credentials() {
    let (listener, port) = listen().await;
    let request = request(bytes(b"body"));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        let mut asked = [0; 4];
        tcp.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked, [5, 2, 0, 2]);
        tcp.write_all(&[5, 2]).await.unwrap();
        let mut credentials = [0; 5];
        tcp.read_exact(&mut credentials).await.unwrap();
        assert_eq!(&credentials, b"\x01\x01u\x01p");
        tcp.write_all(&[1, 0]).await.unwrap();
        let mut to = vec![0; 4 + 1 + 11 + 2];
        tcp.read_exact(&mut to).await.unwrap();
        assert_eq!(to, b"\x05\x01\x00\x03\x0bbehind.test\x00\x50");
        tcp.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        take(&mut tcp, &wanted).await;
        tcp.write_all(OK).await.unwrap();
    });
    let client = transport(80, None, |target| {
        target.host = "behind.test".to_owned();
        target.proxy = Some(Secret::new(format!("socks5h://u:p@127.0.0.1:{port}")));
    });
    assert_eq!(send(&client, &request).await.ending, Ending::Complete);
    server.await.unwrap();
}

/// A server that takes a request and then writes `answer`, and never closes.
async fn stuck(answer: &'static [u8], change: impl FnOnce(&mut wafcanary::profile::Timeouts)) -> Observation {
    let (listener, port) = listen().await;
    let request = request(bytes(b"body"));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        take(&mut tcp, &wanted).await;
        tcp.write_all(answer).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut timeouts = upload::timeouts();
    change(&mut timeouts);
    let client = Transport::new(upload::target(port), timeouts, 1, Arc::new(Redactor::default())).unwrap();
    let observation = send(&client, &request).await;
    server.abort();
    observation
}

#[tokio::test]
async fn silence_is_a_timeout_while_waiting() {
    let observation = stuck(b"", |timeouts| timeouts.answer = Duration::from_millis(50)).await;
    assert_eq!(observation.ending, Ending::TimedOut { phase: Phase::Waiting });
    assert_eq!(observation.sent.body_bytes_before_answer, 4);
}

#[tokio::test]
async fn an_answer_that_stalls_is_truncated_and_kept() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    for total in [false, true] {
        let observation = stuck(head, |timeouts| {
            *(if total { &mut timeouts.total } else { &mut timeouts.idle }) = Duration::from_millis(50);
        })
        .await;
        assert!(matches!(observation.ending, Ending::Truncated { .. }), "{observation:?}");
        assert_eq!(observation.answer.unwrap().body.0, "half");
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_to_a_mebibyte() {
    let (listener, port) = listen().await;
    let request = request(bytes(b"body"));
    let wanted = request.clone();
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        take(&mut tcp, &wanted).await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while tcp.write_all(&[b'.'; 4096]).await.is_ok() {}
    });
    let observation = send(&transport(port, None, |_| ()), &request).await;
    server.await.unwrap();
    assert!(matches!(observation.ending, Ending::Truncated { .. }));
    let answer = observation.answer.unwrap();
    assert_eq!(answer.body.0.len(), 64 * 1024);
    assert!(answer.body_bytes >= 1024 * 1024 && answer.body_bytes < 2 * 1024 * 1024);
}

#[tokio::test]
async fn what_is_not_http_is_malformed() {
    for answer in [&b"SSH-2.0-edge\r\n\r\n"[..], b"HTTP/1.1 2x0 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"] {
        let observation = answered(answer).await;
        assert!(matches!(observation.ending, Ending::Malformed { .. }), "{observation:?}");
        assert_eq!(observation.answer, None);
    }
}

#[tokio::test]
async fn a_cut_answer_is_truncated() {
    let observation = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    assert!(matches!(observation.ending, Ending::Truncated { .. }), "{observation:?}");
    assert_eq!(observation.answer.unwrap().body.0, "half");
}

#[tokio::test]
async fn a_close_without_an_answer_is_broken_while_waiting() {
    let observation = answered(b"").await;
    assert!(matches!(observation.ending, Ending::Broken { phase: Phase::Waiting, .. }), "{observation:?}");
}

#[tokio::test]
async fn a_reset_without_an_answer_is_broken() {
    let request = request(bytes(b"body"));
    let (port, server) = once(&request, b"", true).await;
    let observation = send(&transport(port, None, |_| ()), &request).await;
    server.await.unwrap();
    let Ending::Broken { phase: Phase::Waiting, detail } = observation.ending else { panic!("{observation:?}") };
    assert!(detail.contains("reset"), "{detail}");
}

#[tokio::test]
async fn a_reset_within_the_body_tells_about_where() {
    let (listener, port) = listen().await;
    let request = request(fill(50 * 1024 * 1024));
    let server = tokio::spawn(async move {
        let mut tcp = accept(&listener).await;
        let mut taken = vec![0; 1_000_000];
        tcp.read_exact(&mut taken).await.unwrap();
        tcp.set_zero_linger().unwrap();
    });
    let observation = send(&transport(port, None, |_| ()), &request).await;
    server.await.unwrap();
    assert!(matches!(observation.ending, Ending::Broken { phase: Phase::Sending, .. }), "{observation:?}");
    let gone = observation.sent.body_bytes_before_answer;
    assert!((900_000..20_000_000).contains(&gone), "{gone}");
}

#[tokio::test]
async fn a_gzip_page_is_read_as_text_and_an_odd_reason_is_kept() {
    let observation = answered(
        b"HTTP/1.1 403 Blocked by edge\r\nContent-Encoding: gzip\r\nX-Bad: \xe9\r\nSet-Cookie: a\r\nset-cookie: b\r\n\
          Content-Length: 37\r\n\r\n\
          \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xca\xc9\x4f\xce\x4e\x4d\x51\x48\xaa\x54\x48\x54\x28\x49\x2d\x2e\x01\
          \x00\xd6\x94\xa1\x15\x11\x00\x00\x00",
    )
    .await;
    let answer = observation.answer.unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.reason.as_deref(), Some("Blocked by edge"));
    assert_eq!(answer.header("x-bad"), Some("\u{e9}"));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
    assert_eq!(answer.body_bytes, 37);
    assert_eq!(answer.body.0, "blocked by a test");
}

#[tokio::test]
async fn a_file_that_changed_never_arrives_whole() {
    let directory = tempfile::tempdir().unwrap();
    for len in [1000, 2_000_000] {
        let path = directory.path().join(len.to_string());
        std::fs::write(&path, vec![1; len]).unwrap();
        let content = Content::from_file(&path).unwrap();
        std::fs::write(&path, vec![2; len + 1]).unwrap();
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            let mut tcp = accept(&listener).await;
            let mut taken = Vec::new();
            let _ = tcp.read_to_end(&mut taken).await;
            taken.len()
        });
        let request = request(Body::new(vec![Segment::Content(content)]));
        let observation = send(&transport(port, None, |_| ()), &request).await;
        assert!(matches!(observation.ending, Ending::FileError { .. }), "{observation:?}");
        assert!(server.await.unwrap() < request.head().len() + len);
    }
}

/// An HTTP/2 server by hyper. `early`: it refuses before it has read the body.
async fn http2_server(tls: &Tls, early: bool) -> (u16, JoinHandle<()>) {
    use http_body_util::{BodyExt as _, Full};
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let (listener, port) = listen().await;
    let acceptor = tls.h2_acceptor();
    let service = move |request: http::Request<hyper::body::Incoming>| async move {
        assert_eq!(request.uri().authority().unwrap(), "edge.test");
        assert_eq!(request.headers()["sec-ch-ua"], "\"Chromium\";v=\"156\"");
        let status = if early {
            413
        } else {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            if body.iter().all(|byte| *byte == b'x') { 200 } else { 400 }
        };
        http::Response::builder().status(status).body(Full::new(Bytes::from("told")))
    };
    let server = tokio::spawn(async move {
        loop {
            let tcp = accept(&listener).await;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let io = TokioIo::new(acceptor.accept(tcp).await.unwrap());
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                drop(builder.serve_connection(io, service_fn(service)).await);
            });
        }
    });
    (port, server)
}

#[tokio::test]
async fn http2_carries_the_upload_and_an_early_refusal() {
    let tls = Tls::sound();
    for (early, status) in [(false, 200), (true, 413)] {
        let (port, server) = http2_server(&tls, early).await;
        let client = transport(port, Some(&tls), |target| target.http = HttpVersion::Http2);
        let request = request(fill(5_000_000));
        for _ in 0..20 {
            let observation = send(&client, &request).await;
            let answer = observation.answer.as_ref().unwrap_or_else(|| panic!("{observation:?}"));
            assert_eq!(answer.status, status);
            assert_eq!(answer.body.0, "told");
            assert_eq!(observation.ending, Ending::Complete);
            assert_eq!(observation.protocol.as_deref(), Some("HTTP/2 TLSv1.3"));
            assert_eq!(observation.sent.body_bytes_before_answer < 5_000_000, early);
        }
        server.abort();
    }
}

#[tokio::test]
async fn a_server_without_http2_is_told() {
    let (listener, port) = listen().await;
    let tls = Tls::sound();
    let client = transport(port, Some(&tls), |target| target.http = HttpVersion::Http2);
    match over_tls(&tls, &client, listener).await.ending {
        Ending::Unreachable { layer: Unreachable::Protocol, .. } => {}
        other => panic!("{other:?}"),
    }
}
