//! The bundle of a finding: real curl, started from the written script, sends the request that stands in the `.http` file.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use wafcanary::corpus::{CaseId, Content};
use wafcanary::profile::target::Scheme;
use wafcanary::profile::{ConnectTo, HttpVersion, Redactor, Resolve, Secret, Target, Tls};
use wafcanary::report::repro::{self, Repro};
use wafcanary::wire::{Body, Framing, Header, Segment, WireRequest};

/// What a server saw: request line, headers, body (unchunked).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    line: String,
    /// Name as written, and value, in order.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Seen {
    /// Headers without regard to order; the order among those of the same name is kept.
    fn header_set(&self) -> BTreeMap<&str, Vec<&[u8]>> {
        let mut set: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
        self.headers.iter().for_each(|(name, value)| set.entry(name).or_default().push(value));
        set
    }
}

fn parse(head: &[u8], body: Vec<u8>) -> Seen {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = String::from_utf8_lossy(lines.next().unwrap()).into_owned();
    let header = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        (String::from_utf8_lossy(&line[..colon]).into_owned(), value.to_vec())
    };
    Seen { line, headers: lines.filter(|line| !line.is_empty()).map(header).collect(), body }
}

/// Stores the one request that it gets, and answers 204.
fn serve(listener: &TcpListener) -> Seen {
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        read_some(&mut stream, &mut bytes);
    };
    let body = bytes.split_off(end + 4);
    let mut seen = parse(&bytes[..end], body);
    let value = |name: &str| {
        let found = seen.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    if value("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    if value("transfer-encoding").is_some() {
        while !seen.body.ends_with(b"0\r\n\r\n") {
            read_some(&mut stream, &mut seen.body);
        }
        seen.body = unchunked(&seen.body);
    } else {
        let length: usize = value("content-length").unwrap().parse().unwrap();
        while seen.body.len() < length {
            read_some(&mut stream, &mut seen.body);
        }
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
    seen
}

fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>) {
    let mut buffer = [0; 8_192];
    let read = stream.read(&mut buffer).unwrap();
    assert!(read > 0, "curl closed early");
    into.extend_from_slice(&buffer[..read]);
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
}

fn header(name: &str, value: impl AsRef<[u8]>) -> Header {
    Header { name: name.into(), value: value.as_ref().to_vec() }
}

/// A request as a browser would write it, with `extra` headers.
fn request(target: &str, host: &str, extra: Vec<Header>, body: Body) -> WireRequest {
    let mut headers = vec![header("Host", host), header("User-Agent", "Mozilla/5.0 (it's \"quoted\"; $HOME `id`)")];
    headers.extend(extra);
    headers.push(header("Content-Type", "multipart/form-data; boundary=----WebKitFormBoundaryabc"));
    headers.push(header("Content-Length", body.len().to_string()));
    WireRequest {
        method: "POST".into(),
        target: target.into(),
        headers,
        body,
        framing: Framing::ContentLength,
        expect_continue: false,
        filename: None,
        filename_readings: Vec::new(),
        content_type: None,
    }
}

fn target(port: u16) -> Target {
    Target {
        scheme: Scheme::Http,
        host: "127.0.0.1".into(),
        port,
        path: "/upload".into(),
        host_header: None,
        resolve: Vec::new(),
        connect_to: Vec::new(),
        tls: Tls::default(),
        proxy: None,
        http: HttpVersion::Http1,
    }
}

fn every_byte() -> Body {
    let bytes: Vec<u8> = (0..=255).collect();
    Body::new(vec![
        Segment::Bytes(bytes.clone().into()),
        Segment::Content(Content::from_bytes("\r\n@file <x\n".as_bytes().to_vec())),
        Segment::Base64(Content::from_bytes(bytes)),
    ])
}

fn case(id: &str) -> CaseId {
    CaseId::parse(id).unwrap()
}

/// Writes the bundle and starts its script from elsewhere; gives what the server saw.
fn replayed(folder: &Path, listener: TcpListener, request: &WireRequest, target: &Target) -> (Repro, Seen) {
    let made = repro::write(folder, &case("pdf/a b".replace(' ', "~").as_str()), request, target, &Redactor::default())
        .unwrap();
    let server = std::thread::spawn(move || serve(&listener));
    let output = Command::new("bash")
        .arg(folder.join(&made.script))
        .current_dir("/")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("http_proxy", "http://127.0.0.1:9/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{}", made.command, String::from_utf8_lossy(&output.stderr));
    (made, server.join().unwrap())
}

/// What stands in the `.http` file.
fn on_paper(folder: &Path, made: &Repro) -> Seen {
    let raw = std::fs::read(folder.join(&made.http)).unwrap();
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    parse(&raw[..end], raw[end + 4..].to_vec())
}

fn assert_same(made: &Repro, paper: &Seen, seen: &Seen) {
    assert_eq!(seen.line, paper.line, "{}", made.command);
    assert_eq!(seen.header_set(), paper.header_set(), "{}", made.command);
    assert_eq!(seen.body, paper.body);
    assert!(made.notes.is_empty(), "{:?}", made.notes);
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn curl_sends_the_headers_and_the_body_of_the_http_file() {
    let folder = TempDir::new().unwrap();
    let (listener, port) = listener();
    let extra = vec![
        header("Accept", "text/html,*/*;q=0.8"),
        header("X-Quote", "it's \"so\" \\ `id` $(id) $HOME !x *"),
        header("X-Bytes", b"\x95\x5c\xff\xe6\x8e\x92\t."),
        header("X-Empty", ""),
        header("X-Twice", "1"),
        header("X-Twice", "2"),
        header("x-at", "@/etc/passwd"),
    ];
    let request = request("/upload?a=1&b='2'", &format!("127.0.0.1:{port}"), extra, every_byte());
    let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
    let paper = on_paper(folder.path(), &made);
    assert_same(&made, &paper, &seen);
    assert_eq!(std::fs::read(folder.path().join(&made.body)).unwrap(), paper.body);
}

#[test]
fn curl_adds_no_header_of_its_own() {
    let folder = TempDir::new().unwrap();
    let (listener, port) = listener();
    // Over 1 MiB, for which curl would ask with `Expect: 100-continue`.
    let body = Body::new(vec![Segment::Bytes(vec![b'x'; 3 << 20].into())]);
    let mut request = request("/upload", &format!("127.0.0.1:{port}"), Vec::new(), body);
    request.headers.retain(|header| ["Host", "Content-Length"].contains(&header.name.as_str()));
    let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
    assert_same(&made, &on_paper(folder.path(), &made), &seen);
    assert_eq!(seen.headers.len(), 2);
}

#[test]
fn a_hostile_path_arrives_as_it_is() {
    let paths = [
        "/a/../b/./c//d?x=[1-3]&y={a,b}",
        "/it's/$HOME/`id`/\"q\"?%2e%2e=%00&z=a#b",
        "/\u{6392}/%E6%8E%92?名=表",
        "//double/slash",
        "/up/",
    ];
    for path in paths {
        let folder = TempDir::new().unwrap();
        let (listener, port) = listener();
        let request = request(path, &format!("127.0.0.1:{port}"), Vec::new(), every_byte());
        let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
        assert_same(&made, &on_paper(folder.path(), &made), &seen);
    }
}

#[test]
fn a_large_body_is_streamed_and_still_the_same_request() {
    let folder = TempDir::new().unwrap();
    for path in ["/upload", "/up/"] {
        let (listener, port) = listener();
        let body = Body::new(vec![Segment::Bytes(vec![b'y'; (64 << 20) + 1].into())]);
        let request = request(path, &format!("127.0.0.1:{port}"), vec![header("Accept", "*/*")], body);
        let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
        assert!(made.command.contains("--upload-file"), "{}", made.command);
        assert_same(&made, &on_paper(folder.path(), &made), &seen);
    }
}

#[test]
fn a_chunked_request_stays_chunked() {
    let folder = TempDir::new().unwrap();
    let (listener, port) = listener();
    let mut request = request("/upload", &format!("127.0.0.1:{port}"), Vec::new(), every_byte());
    request.framing = Framing::Chunked;
    request.headers.pop();
    request.headers.push(header("Transfer-Encoding", "chunked"));
    let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
    assert_same(&made, &on_paper(folder.path(), &made), &seen);
}

#[test]
fn an_expectation_of_the_client_is_kept() {
    let folder = TempDir::new().unwrap();
    let (listener, port) = listener();
    let expect = vec![header("Expect", "100-continue")];
    let mut request = request("/upload", &format!("127.0.0.1:{port}"), expect, every_byte());
    request.expect_continue = true;
    let (made, seen) = replayed(folder.path(), listener, &request, &target(port));
    assert_same(&made, &on_paper(folder.path(), &made), &seen);
}

#[test]
fn a_staging_edge_is_reached_by_resolve_and_by_connect_to() {
    for by_resolve in [true, false] {
        let folder = TempDir::new().unwrap();
        let (listener, port) = listener();
        let mut target = target(if by_resolve { port } else { 80 });
        target.host = "forms.city.example".into();
        if by_resolve {
            let addresses = vec!["127.0.0.1".parse().unwrap()];
            target.resolve = vec![Resolve { host: target.host.clone(), port, addresses }];
        } else {
            let to_host = "127.0.0.1".into();
            target.connect_to =
                vec![ConnectTo { from_host: String::new(), from_port: None, to_host, to_port: Some(port) }];
        }
        let request = request("/upload", "other-host.example", Vec::new(), every_byte());
        let (made, seen) = replayed(folder.path(), listener, &request, &target);
        assert_same(&made, &on_paper(folder.path(), &made), &seen);
    }
}

#[test]
fn what_signs_somebody_in_is_in_no_file() {
    let folder = TempDir::new().unwrap();
    let extra = vec![
        header("Authorization", "Bearer s3cret-token"),
        header("Cookie", "session=s3cret-token"),
        header("X-Api-Key", "s3cret-token"),
    ];
    let request = request("/upload", "127.0.0.1", extra, every_byte());
    let mut target = target(80);
    target.proxy = Some(Secret::new("http://user:s3cret-token@proxy.example:3128".into()));
    let made = repro::write(folder.path(), &case("pdf/a"), &request, &target, &Redactor::default()).unwrap();
    for file in [&made.http, &made.body, &made.script] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"s3cret-token"), "{file}");
    }
    assert!(
        !made.command.contains("s3cret") && made.command.contains("--proxy http://proxy.example:3128"),
        "{}",
        made.command
    );
    assert_eq!(made.notes.len(), 4, "{:?}", made.notes);
    let script = std::fs::read_to_string(folder.path().join(&made.script)).unwrap();
    assert!(script.contains("# NOTE: the value of `Cookie` is a secret: put it in place of `***`"), "{script}");
}

#[test]
fn what_the_redactor_learned_is_in_no_file_wherever_it_was_sent() {
    let folder = TempDir::new().unwrap();
    let secret = "t0ken/of the+form";
    let redactor = Redactor::default();
    redactor.learn(secret);
    let field = format!("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{secret}\r\n--b--\r\n");
    let body = Body::new(vec![Segment::Bytes(field.into_bytes().into())]);
    let extra = vec![header("X-Csrf", secret), header("X-Basic", "dDBrZW4vb2YgdGhlK2Zvcm0=")];
    let request = request("/upload?token=t0ken%2Fof%20the%2Bform", "127.0.0.1", extra, body);
    let made = repro::write(folder.path(), &case("pdf/a"), &request, &target(80), &redactor).unwrap();
    let mut texts = vec![made.command.clone(), made.notes.join("\n")];
    for file in [&made.http, &made.body, &made.script] {
        texts.push(String::from_utf8(std::fs::read(folder.path().join(file)).unwrap()).unwrap());
    }
    for text in &texts {
        for form in [secret, "t0ken%2Fof%20the%2Bform", "dDBrZW4vb2YgdGhlK2Zvcm"] {
            assert!(!text.contains(form), "{form} is in {text}");
        }
    }
    assert!(made.command.contains("token=***") && texts[3].contains("\r\n\r\n***\r\n"), "{texts:?}");
    assert_eq!(made.notes.len(), 4, "{:?}", made.notes);
}

#[test]
fn a_header_that_curl_cannot_send_is_told() {
    let folder = TempDir::new().unwrap();
    let request = request("/upload", "127.0.0.1", vec![header("X-Split", "a\r\nX-Injected: b")], Body::default());
    let made = repro::write(folder.path(), &case("pdf/a"), &request, &target(80), &Redactor::default()).unwrap();
    assert!(made.notes[0].contains("X-Split") && !made.command.contains("Injected"), "{made:?}");
}

#[test]
fn tls_facts_of_the_profile_are_in_the_command() {
    let folder = TempDir::new().unwrap();
    let mut target = target(443);
    target.scheme = Scheme::Https;
    target.host = "::1".into();
    target.tls = Tls {
        ca_pem: Some("-----BEGIN CERTIFICATE-----\n".into()),
        insecure: true,
        cert: Some("client.pem".into()),
        server_name: Some("edge.example".into()),
        ..Tls::default()
    };
    target.http = HttpVersion::Http2;
    let request = request("/upload", "forms.example", Vec::new(), Body::default());
    let made = repro::write(folder.path(), &case("pdf/a"), &request, &target, &Redactor::default()).unwrap();
    for part in [
        "--insecure",
        "--cacert requests/pdf_a-",
        "--http2 ",
        "/client.pem ",
        "--connect-to 'edge.example:443:[::1]:443'",
        "--url https://edge.example/upload",
    ] {
        assert!(made.command.contains(part), "{part} is not in {}", made.command);
    }
}

#[test]
fn files_of_different_cases_never_meet() {
    let long = format!("pdf/{}", "長".repeat(300));
    let ids = ["pdf/a", "pdf_a", "PDF/a", "../../etc/passwd", "-rf", ".hidden", "CON", &long, &format!("{long}2")];
    let stems: std::collections::BTreeSet<_> = ids.iter().map(|id| repro::stem(&case(id)).to_lowercase()).collect();
    assert_eq!(stems.len(), ids.len());
    for stem in stems {
        assert!(stem.len() < 100 && !stem.contains(['/', '\\']) && !stem.starts_with(['.', '-']), "{stem}");
    }
    let folder = TempDir::new().unwrap();
    let request = request("/upload", "127.0.0.1", Vec::new(), Body::default());
    let made =
        repro::write(folder.path(), &case("../../x"), &request, &target(80), &Arc::new(Redactor::default())).unwrap();
    let written = repro::written(folder.path(), [&case("../../x"), &case("pdf/none")]);
    assert_eq!(written, BTreeMap::from([(case("../../x"), made.script)]));
}
