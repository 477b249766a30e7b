//! The embedded lab does on the wire what its profiles say, towards real clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wafcanary::lab::{Lab, ORIGIN_HOST, Options, UPLOAD_HOST, Validity, edges};

struct Running {
    runtime: tokio::runtime::Runtime,
    lab: Option<Lab>,
    folder: TempDir,
}

fn table(name: &str) -> toml::Table {
    let (_, text, _) = edges().find(|(known, ..)| *known == name).unwrap();
    text.parse::<toml::Table>().unwrap()["lab"].as_table().unwrap().clone()
}

impl Running {
    fn edge(name: &str) -> Self {
        Self::start(&table(name), &Options::default())
    }

    fn start(table: &toml::Table, options: &Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let lab = runtime.block_on(Lab::start(table, Path::new("test.toml"), options)).unwrap();
        Self { runtime, lab: Some(lab), folder: tempfile::tempdir().unwrap() }
    }

    fn lab(&self) -> &Lab {
        self.lab.as_ref().unwrap()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs curl against the lab's host names.
    fn curl(&self, arguments: &[&str]) -> Output {
        let ca = self.file("ca.pem", self.lab().ca_pem().as_bytes());
        let mut command = Command::new("curl");
        command.args(["-q", "-s", "-S", "-i", "--http1.1", "--max-time", "30", "--noproxy", "*", "--cacert", &ca]);
        for (host, port, address) in self.lab().connect_to() {
            command.arg("--connect-to").arg(format!("{host}:{port}:{}:{}", address.ip(), address.port()));
        }
        command.args(arguments).output().unwrap()
    }

    fn upload(&self, attempt: &str, form: &str, more: &[&str]) -> Output {
        let header = format!("X-Wafcanary-Attempt: {attempt}");
        let url = format!("http://{UPLOAD_HOST}/apply/upload");
        let mut arguments = vec!["-H", header.as_str(), "-H", "X-Wafcanary-Case: pdf/a%7Eb", "-F", form];
        arguments.extend_from_slice(more);
        if !more.iter().any(|argument| argument.starts_with("http")) {
            arguments.push(&url);
        }
        self.curl(&arguments)
    }

    fn receipt(&self, attempt: &str) -> Option<serde_json::Value> {
        let answer = text(&self.curl(&[&format!("http://{ORIGIN_HOST}/receipts/{attempt}")]));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        head.starts_with("HTTP/1.1 200 ").then(|| serde_json::from_str(body).unwrap())
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn multipart(attempt: &str, name: &[u8], content: &[u8]) -> Vec<u8> {
    let start = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"";
    let body = [start, name, b"\"\r\nContent-Type: application/pdf\r\n\r\n", content, b"\r\n--B--\r\n"].concat();
    let head = format!(
        "POST /apply/upload HTTP/1.1\r\nHost: upload.lab.test\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         X-Wafcanary-Attempt: {attempt}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

fn sample() -> Vec<u8> {
    let tail = (0..200_000u32).map(|n| u8::try_from(n * 7 % 251).unwrap());
    b"%PDF-1.7\n".iter().copied().chain(tail).collect()
}

#[test]
fn a_delivered_upload_has_a_true_receipt_over_http_and_https() {
    let running = Running::edge("standard");
    let content = sample();
    let form = format!("file=@{};type=application/pdf;filename=plan.pdf", running.file("a.pdf", &content));
    let https = format!("https://{UPLOAD_HOST}/apply/upload");
    let ways: [(&str, &[&str]); 4] = [
        ("plain", &["-H", "Expect:"]),
        ("expect", &["-H", "Expect: 100-continue"]),
        ("chunked", &["-H", "Transfer-Encoding: chunked"]),
        ("tls", &[&https]),
    ];
    for (attempt, more) in ways {
        let answer = text(&running.upload(attempt, &form, more));
        assert!(answer.contains("受付番号: A-") && answer.contains("X-Origin: wafcanary-lab"), "{attempt}: {answer}");
        let receipt = running.receipt(attempt).unwrap();
        assert_eq!(receipt["sha256"], sha256(&content), "{attempt}");
        assert_eq!(receipt["size"], content.len());
        assert_eq!(receipt["filename"], "plan.pdf");
        assert_eq!(receipt["content_type"], "application/pdf");
        assert_eq!(receipt["case"], "pdf/a%7Eb");
        assert_eq!(receipt["attempt"], attempt);
    }
    let back = running.curl(&[&format!("https://{ORIGIN_HOST}/files/tls")]).stdout;
    assert!(back.ends_with(&content), "the file is read back as it was");
    assert!(running.receipt("other").is_none());
}

#[test]
fn names_arrive_byte_for_byte() {
    let running = Running::edge("standard");
    let names: [(&str, &[u8], &str); 4] = [
        ("sjis", b"\x88\xea\x97\x97\x95\x5c", "一覧表"),
        ("sjis-pdf", b"\x90\x5c\x90\xbf\x8f\x91.pdf", "申請書.pdf"),
        ("quote", b"a%22b.pdf", "a\"b.pdf"),
        ("escaped", b"a\\\"b.pdf", "a\"b.pdf"),
    ];
    for (attempt, name, shown) in names {
        raw(running.lab().http_addr(), &multipart(attempt, name, b"%PDF-"));
        let receipt = running.receipt(attempt).unwrap();
        assert_eq!(receipt["filename_hex"], hex(name), "{attempt}");
        assert_eq!(receipt["filename"], shown, "{attempt}");
    }
}

#[test]
fn empty_files_several_files_and_fields_are_listed() {
    let running = Running::edge("standard");
    let one = format!("file=@{}", running.file("1.txt", b""));
    let two = format!("file=@{}", running.file("2.txt", b"two"));
    running.upload("many", "note=申請", &["-F", &one, "-F", &two]);
    let receipt = running.receipt("many").unwrap();
    assert_eq!(receipt["size"], 0);
    assert_eq!(receipt["sha256"], sha256(b""));
    assert_eq!(receipt["files"][1]["sha256"], sha256(b"two"));
    assert_eq!(receipt["fields"][0], serde_json::json!({ "name": "note", "value": "申請" }));
}

#[test]
fn the_upper_plan_refuses_as_in_the_incident_and_the_standard_plan_does_not() {
    let (standard, upper) = (Running::edge("standard"), Running::edge("upper"));
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..8 {
        let name = format!("budget-{number}.xlsm");
        let form = format!("file=@{}", upper.file(&name, b"PK\x03\x04"));
        let first = text(&upper.upload("one", &form, &[]));
        assert_eq!(first, text(&upper.upload("one", &form, &[])), "the same name gets the same refusal");
        assert!(upper.receipt("one").is_none());
        assert!(first.contains("404 Not Found") || first.ends_with("\r\n\r\n"), "{first}");
        seen.insert(first[9..12].to_owned());
        assert!(text(&standard.upload("one", &form, &[])).contains("受付番号"));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["200", "404"]);
}

#[test]
fn the_canary_control_gets_through_every_edge() {
    for (name, ..) in edges() {
        let running = Running::edge(name);
        let form = format!("file=@{}", running.file("wafcanary.pdf", b"%PDF-1.4\n"));
        let answer = text(&running.upload("canary", &form, &[]));
        assert!(answer.contains("受付番号"), "{name}: {answer}");
        assert_eq!(running.receipt("canary").unwrap()["sha256"], sha256(b"%PDF-1.4\n"), "{name}");
    }
}

#[test]
fn refusals_look_like_what_they_are_and_deliver_nothing() {
    let expected = [
        ("lie-block-page-200", "HTTP/1.1 200 ", "Your support ID is: "),
        ("lie-empty-200", "HTTP/1.1 200 ", "Content-Length: 0\r\n"),
        ("lie-redirect-home", "HTTP/1.1 302 ", "Location: /\r\n"),
        ("lie-challenge", "HTTP/1.1 403 ", "cf-mitigated: challenge"),
        ("lie-early-413", "HTTP/1.1 413 ", "Connection: close"),
        ("lie-fake-success", "HTTP/1.1 200 ", "受付番号: A-"),
        ("lie-origin-rejects", "HTTP/1.1 422 ", "ORIGIN-REJECTED"),
    ];
    for (name, start, part) in expected {
        let running = Running::edge(name);
        let form = format!("file=@{}", running.file("a.pdf", &sample()));
        for url in [format!("http://{UPLOAD_HOST}/u"), format!("https://{UPLOAD_HOST}/u")] {
            // curl itself loses the answer to one early close in twenty, and then shows none.
            let answers = (0..5).map(|_| text(&running.upload("one", &form, &["-H", "Expect:", &url])));
            let answer = answers.into_iter().find(|answer| !answer.is_empty()).unwrap_or_default();
            assert!(answer.starts_with(start) && answer.contains(part), "{name} {url}: {answer}");
            assert!(running.receipt("one").is_none(), "{name}");
        }
    }
}

#[test]
fn the_compressed_block_page_is_sound_gzip() {
    let running = Running::edge("lie-gzip-block-page");
    let form = format!("file=@{}", running.file("a.pdf", b"%PDF-"));
    assert!(text(&running.upload("one", &form, &["--compressed"])).contains("Your support ID is: "));
}

#[test]
fn a_receipt_does_not_mind_the_name_of_the_file_field() {
    let running = Running::edge("standard");
    let path = running.file("a.pdf", &sample());
    for (attempt, field) in [("brackets", "files[]"), ("colon", "form:button"), ("kanji", "予定表")] {
        let form = format!("{field}=@{path};filename=表.pdf;type=application/pdf");
        assert!(text(&running.upload(attempt, &form, &["-F", "note=x"])).contains("受付番号"), "{field}");
        let receipt = running.receipt(attempt).unwrap();
        let seen = (&receipt["sha256"], &receipt["filename"], &receipt["name"]);
        assert_eq!(seen, (&sha256(&sample()).into(), &"表.pdf".into(), &field.into()));
    }
}

#[test]
fn broken_transports_break_as_their_profiles_say() {
    // curl's exit codes: 28 time-out, 55 and 56 send and receive failure, 1 and 8 not HTTP.
    let expected: [(&str, &[i32]); 5] = [
        ("lie-reset", &[55, 56]),
        ("lie-silence", &[28]),
        ("lie-slow-drip", &[28]),
        ("lie-broken-http", &[1, 8]),
        ("lie-endless", &[28]),
    ];
    for (name, codes) in expected {
        let running = Running::edge(name);
        let form = format!("file=@{}", running.file("a.pdf", &sample()));
        let output = running.upload("one", &form, &["-H", "Expect:", "--max-time", "1"]);
        assert!(codes.contains(&output.status.code().unwrap()), "{name}: {:?}", output.status);
        assert!(running.receipt("one").is_none(), "{name}");
    }
}

#[test]
fn altering_edges_alter_one_thing_and_only_that_in_every_transport() {
    let content = sample();
    let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &content);
    let document = format!(r#"{{"filename":"表.pdf","type":"application/pdf","content":"{coded}"}}"#);
    for name in ["standard", "lie-truncate", "lie-flip-byte", "lie-mojibake-name", "lie-rewrite-type"] {
        let running = Running::edge(name);
        let path = running.file("a.pdf", &content);
        let form = format!("file=@{path};filename=表.pdf;type=application/pdf");
        assert!(text(&running.upload("form", &form, &["-F", "note=x"])).contains("受付番号"), "{name}");
        let url = format!("http://{UPLOAD_HOST}/files/%E8%A1%A8.pdf");
        running.curl(&["-T", &path, "-H", "X-Wafcanary-Attempt: put", "-H", "Content-Type: application/pdf", &url]);
        let data = format!("@{}", running.file("a.json", document.as_bytes()));
        let headers = ["-H", "X-Wafcanary-Attempt: json", "-H", "Content-Type: application/json"];
        let url = format!("http://{UPLOAD_HOST}/api");
        running.curl(&[&headers[..], &["--data-binary", &data, &url]].concat());
        for attempt in ["form", "put", "json"] {
            let receipt = running.receipt(attempt).unwrap_or_else(|| panic!("{name} {attempt}"));
            let mut flipped = content.clone();
            *flipped.last_mut().unwrap() ^= 1;
            let bytes: &[u8] = match name {
                "lie-truncate" => &content[..content.len() - 16],
                "lie-flip-byte" => &flipped,
                _ => &content,
            };
            assert_eq!(receipt["sha256"], sha256(bytes), "{name} {attempt}");
            let named = receipt["filename"] == "表.pdf";
            assert_eq!(named, name != "lie-mojibake-name", "{name} {attempt}: {}", receipt["filename"]);
            let typed = receipt["content_type"] == "application/pdf";
            assert_eq!(typed, name != "lie-rewrite-type", "{name} {attempt}: {}", receipt["content_type"]);
        }
    }
}

#[test]
fn a_ban_hits_the_canary_too_and_a_throttle_asks_for_a_pause() {
    let running = Running::edge("lie-ban");
    let bad = format!("file=@{}", running.file("a.xlsm", b"PK\x03\x04"));
    let canary = format!("file=@{}", running.file("wafcanary.pdf", b"%PDF-"));
    for _ in 0..3 {
        assert!(text(&running.upload("canary", &canary, &[])).contains("受付番号"));
        assert!(text(&running.upload("bad", &bad, &[])).starts_with("HTTP/1.1 403"));
    }
    assert!(text(&running.upload("canary", &canary, &[])).starts_with("HTTP/1.1 403"));

    let running = Running::edge("lie-throttle");
    for _ in 0..5 {
        assert!(text(&running.upload("canary", &canary, &[])).contains("受付番号"));
    }
    let answer = text(&running.upload("canary", &canary, &[]));
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("Retry-After: 120"), "{answer}");
}

#[test]
fn a_flaky_edge_refuses_every_fourth_upload_and_a_lost_file_has_a_receipt() {
    let running = Running::edge("lie-flaky");
    let form = format!("file=@{}", running.file("a.pdf", b"%PDF-"));
    let refused = |_| text(&running.upload("one", &form, &[])).starts_with("HTTP/1.1 403");
    assert_eq!((0..8).map(refused).collect::<Vec<_>>(), [false, false, false, true, false, false, false, true]);

    let running = Running::edge("lie-lost");
    running.upload("one", &form, &[]);
    assert_eq!(running.receipt("one").unwrap()["sha256"], sha256(b"%PDF-"));
    let back = text(&running.curl(&[&format!("http://{ORIGIN_HOST}/files/one")]));
    assert!(back.starts_with("HTTP/1.1 404"), "{back}");
}

#[test]
fn a_plan_may_refuse_one_upload_in_so_many_whatever_it_holds() {
    let table = "behaviour = \"filter\"\nrefuse_each = 3\nrefuse_extensions = [\"heic\"]".parse().unwrap();
    let running = Running::start(&table, &Options::default());
    let forms = ["a.pdf", "b.heic"].map(|name| format!("file=@{}", running.file(name, b"%PDF-")));
    let refused = |form: usize| text(&running.upload("one", &forms[form], &[])).starts_with("HTTP/1.1 403");
    assert_eq!([0, 1, 0, 0, 0, 0].map(refused), [false, true, true, false, false, true]);
}

#[test]
fn a_trigger_narrows_a_lie() {
    let table = "behaviour = \"refuse\"\ntrigger = { filenames = [\"*.docx\"] }".parse().unwrap();
    let running = Running::start(&table, &Options::default());
    let form = |name: &str| format!("file=@{}", running.file(name, b"PK\x03\x04"));
    assert!(text(&running.upload("one", &form("a.docx"), &[])).starts_with("HTTP/1.1 403"));
    assert!(text(&running.upload("two", &form("a.xlsx"), &[])).contains("受付番号"));
}

#[test]
fn an_early_refusal_of_a_large_body_can_always_be_read() {
    let running = Running::edge("lie-early-413");
    let request = multipart("one", b"a.pdf", &vec![b'x'; 8 << 20]);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(running.lab().http_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&request).expect_err("the edge closes while we write");
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 413");
    }
}

#[test]
fn one_connection_carries_many_uploads() {
    let running = Running::edge("upper");
    let request = |name: &str| {
        let bytes = multipart("keep", name.as_bytes(), b"%PDF-");
        String::from_utf8(bytes).unwrap().replace("Connection: close\r\n", "")
    };
    let last = "GET /apply HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let all = [request("a.pdf"), request("a.heic"), request("b.pdf"), last.to_owned()].concat();
    let answer = raw(running.lab().http_addr(), all.as_bytes());
    assert_eq!(answer.matches("受付番号").count(), 2, "{answer}");
    assert!(answer.contains("name=\"csrf_token\""), "{answer}");
}

#[test]
fn two_labs_do_not_disturb_each_other_and_a_stopped_one_frees_its_ports() {
    let mut first = Running::edge("standard");
    let second = Running::edge("standard");
    let form = format!("file=@{}", first.file("a.pdf", b"%PDF-"));
    first.upload("one", &form, &[]);
    assert!(first.receipt("one").is_some() && second.receipt("one").is_none());
    let addresses = [first.lab().http_addr(), first.lab().https_addr(), first.lab().origin_addr()];
    let lab = first.lab.take().unwrap();
    first.runtime.block_on(lab.stop());
    for address in addresses {
        TcpListener::bind(address).unwrap();
    }
    second.upload("two", &form, &[]);
    assert!(second.receipt("two").is_some());
}

#[test]
fn an_expired_certificate_is_refused_by_a_client_and_a_current_one_is_not() {
    let url = format!("https://{UPLOAD_HOST}/");
    assert!(text(&Running::edge("standard").curl(&[&url])).starts_with("HTTP/1.1 200"));
    let expired = Running::start(&table("standard"), &Options { validity: Validity::Expired, ..Options::default() });
    assert_eq!(expired.curl(&[&url]).status.code(), Some(60));
}

#[test]
fn every_embedded_profile_is_a_file_with_a_summary_and_a_right_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/lab");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names.filter(|name| name != "base.toml").collect();
    files.sort();
    let mut embedded: Vec<String> = edges().map(|(name, ..)| format!("{name}.toml")).collect();
    embedded.sort();
    assert_eq!(files, embedded);
    for (name, text, summary) in edges() {
        assert!(!summary.is_empty() && text.contains("# Right outcome"), "{name}");
        let profile: toml::Table = text.parse().unwrap();
        assert_eq!(profile["extends"].as_str(), Some("base.toml"), "{name}");
    }
}
