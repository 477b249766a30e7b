//! `wafcanary origin`: what arrived is told, within bounds, to those who may know it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};

use wafcanary::corpus::Sha256Digest;

use super::{Place, Ran, ran};

/// What every upload here holds.
const CONTENT: &str = "plans of a drain";

struct Origin {
    place: Place,
    child: Child,
    url: String,
}

impl Origin {
    /// Starts it on a free port and waits until it says that it listens.
    fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let place = Place::new();
        place.write("plan.pdf", CONTENT);
        place.write("token", "s3cret-token\n");
        let mut command = place.command(&[&["origin", "--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{ready}")).to_owned();
        Self { place, child, url }
    }

    /// What curl gets: status and body.
    fn curl(&self, path: &str, arguments: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["-q", "-sS", "--max-time", "30", "--noproxy", "*", "-w", "\n%{http_code}"]);
        command.args(arguments).arg(format!("{}{path}", self.url)).current_dir(self.place.dir.path());
        let answer = ran(&mut command);
        let (body, status) = answer.out.rsplit_once('\n').unwrap_or_else(|| panic!("{}", answer.err));
        (status.parse().unwrap(), body.to_owned())
    }

    fn upload(&self, attempt: &str, arguments: &[&str]) -> u16 {
        let header = format!("X-Wafcanary-Attempt: {attempt}");
        self.curl("/apply?csrf=qu3ry-secret", &[&["-H", &header], arguments].concat()).0
    }

    fn receipt(&self, attempt: &str) -> serde_json::Value {
        let (status, body) = self.curl(&format!("/receipts/{attempt}"), &[]);
        assert_eq!(status, 200, "{attempt}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Ends it with a signal, and gives its exit code.
    fn stop(mut self, signal: &str) -> Option<i32> {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // Already over after `stop`; else this ends only the process that it started.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sha256() -> String {
    Sha256Digest::of(CONTENT.as_bytes()).to_string()
}

#[test]
fn whatever_curl_sends_has_a_true_receipt_and_is_read_back() {
    let origin = Origin::start(&[], &[]);
    let json = format!(
        r#"{{"filename":"plan.pdf","content":"{}"}}"#,
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, CONTENT)
    );
    let ways: [(&str, &[&str]); 5] = [
        ("form", &["-F", "file=@plan.pdf"]),
        ("chunked", &["-F", "file=@plan.pdf", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]),
        ("patch", &["-X", "PATCH", "--data-binary", "@plan.pdf", "-H", "Content-Type: application/pdf"]),
        ("old", &["--http1.0", "-F", "file=@plan.pdf"]),
        ("json", &["--data", &json, "-H", "Content-Type: application/json"]),
    ];
    for (attempt, arguments) in ways {
        assert_eq!(origin.upload(attempt, arguments), 200, "{attempt}");
    }
    let put = ["-T", "plan.pdf", "-H", "X-Wafcanary-Attempt: put"];
    assert_eq!(origin.curl("/files/%E8%A1%A8.pdf", &put).0, 200);
    for attempt in ways.map(|(attempt, _)| attempt).into_iter().chain(["put"]) {
        let receipt = origin.receipt(attempt);
        assert_eq!((receipt["sha256"].as_str(), receipt["size"].as_u64()), (Some(&*sha256()), Some(16)), "{attempt}");
        assert_eq!(origin.curl(&format!("/files/{attempt}"), &[]), (200, CONTENT.to_owned()), "{attempt}");
    }
    assert_eq!(origin.receipt("put")["filename"], "表.pdf");
    assert_eq!(origin.curl("/healthz", &[]), (200, "ok\n".to_owned()));
    assert_eq!(origin.curl("/healthz", &["--head"]).0, 200);
    assert_eq!(origin.curl("/receipts/other", &[]).0, 404);
}

#[test]
fn a_signal_stops_it_in_good_order() {
    for signal in ["-INT", "-TERM"] {
        assert_eq!(Origin::start(&[], &[]).stop(signal), Some(0), "{signal}");
    }
}

#[test]
fn receipts_and_files_need_the_token_and_uploads_do_not() {
    for origin in [
        Origin::start(&["--token-file", "token"], &[]),
        Origin::start(&[], &[("WAFCANARY_ORIGIN_TOKEN", "s3cret-token")]),
        Origin::start(&[], &[("WAFCANARY_TOKEN_FILE", "token"), ("WAFCANARY_ORIGIN_TOKEN", "other")]),
    ] {
        assert_eq!(origin.upload("one", &["-F", "file=@plan.pdf"]), 200);
        for path in ["/receipts/one", "/files/one", "/receipts/none"] {
            for wrong in ["", "Authorization: Bearer s3cret-toke", "Authorization: Basic s3cret-token"] {
                let (status, body) = origin.curl(path, &["-H", wrong]);
                assert_eq!(status, 401, "{path} {wrong}");
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                assert!(body["error"].as_str().unwrap().contains("Bearer TOKEN"), "{body}");
            }
        }
        let right = ["-H", "Authorization: Bearer s3cret-token"];
        assert!(origin.curl("/receipts/one", &right).1.contains(&sha256()));
        assert_eq!(origin.curl("/files/one", &right), (200, CONTENT.to_owned()));
        assert_eq!(origin.curl("/receipts/none", &right).0, 404);
        assert_eq!(origin.curl("/", &[]).0, 200);
    }
}

#[test]
fn what_is_kept_is_bounded_and_what_went_is_not_called_lost() {
    let origin = Origin::start(&["--max-receipts", "3", "--max-store-bytes", "40"], &[]);
    for attempt in ["a", "b", "c", "d"] {
        assert_eq!(origin.upload(attempt, &["-F", "file=@plan.pdf"]), 200);
    }
    assert_eq!(origin.curl("/receipts/a", &[]).0, 404);
    assert_eq!(origin.receipt("b")["sha256"], sha256());
    // 404 would mean that the file is lost.
    assert_eq!(origin.curl("/files/b", &[]), (507, "the file made room for newer ones\n".to_owned()));
    assert_eq!(origin.curl("/files/d", &[]), (200, CONTENT.to_owned()));
    for nothing in [["--max-store-bytes", "0"], ["--max-file-bytes", "15"]] {
        let origin = Origin::start(&nothing, &[]);
        assert_eq!(origin.upload("a", &["-F", "file=@plan.pdf"]), 200);
        assert_eq!(origin.receipt("a")["sha256"], sha256());
        assert_eq!(origin.curl("/files/a", &[]).0, 507, "{nothing:?}");
    }
}

#[test]
fn the_log_tells_what_reached_the_origin_and_nothing_secret() {
    let origin = Origin::start(&["--log", "uploads.jsonl"], &[]);
    origin.upload("one", &["-F", "note=fi3ld-secret", "-F", "file=@plan.pdf", "-H", "X-Wafcanary-Case: pdf/a"]);
    origin.upload("two", &["--data", "no parts", "-H", "Content-Type: multipart/form-data; boundary=B"]);
    origin.curl("/receipts/one", &[]);
    let mut stream = TcpStream::connect(origin.url.trim_start_matches("http://")).unwrap();
    stream.write_all(b"PUT /x HTTP/1.1\r\nX-Wafcanary-Attempt: cut\r\nContent-Length: 400\r\n\r\nhalf").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0, "no answer");
    assert_eq!(origin.upload("last", &["-H", "Cookie: c00kie-secret", "-F", "file=@plan.pdf"]), 200);
    let text = origin.place.read("uploads.jsonl");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["attempt"].as_str(), line["status"].as_u64())).collect();
    assert_eq!(
        told,
        [(Some("one"), Some(200)), (Some("two"), Some(400)), (Some("cut"), None), (Some("last"), Some(200))]
    );
    assert!(lines[1]["error"].is_string() && lines[2]["error"].is_string(), "{text}");
    assert_eq!(lines[2]["files"][0]["size"], 4);
    let first = &lines[0];
    assert_eq!(
        (&first["case"], &first["method"], &first["target"]),
        (&"pdf/a".into(), &"POST".into(), &"/apply?***".into())
    );
    let file = &first["files"][0];
    assert_eq!((file["filename"].as_str(), file["size"].as_u64()), (Some("plan.pdf"), Some(16)));
    assert_eq!((file["name"].as_str(), file["sha256"].as_str()), (Some("file"), Some(&*sha256())));
    assert!(jiff::Timestamp::now() >= first["at"].as_str().unwrap().parse().unwrap());
    assert!(!text.contains("secret") && !text.contains("drain"), "{text}");
}

#[test]
fn a_log_with_holes_is_no_witness() {
    let place = Place::new();
    let mut command = place.command(&["origin", "--listen", "127.0.0.1:0", "--log", "/dev/full"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut ready = String::new();
    out.read_line(&mut ready).unwrap();
    let url = ready.trim().trim_start_matches("listening on ");
    ran(Command::new("curl").args(["-q", "-sS", "--noproxy", "*", "-F", "a=b", url]));
    let ended = child.wait_with_output().unwrap();
    Ran { code: ended.status.code(), out: String::new(), err: String::from_utf8(ended.stderr).unwrap() }
        .says(3, &["the log has holes", "/dev/full"]);
}

#[test]
fn a_run_is_proven_by_receipts_behind_a_token_and_says_so_when_it_has_none() {
    let origin = Origin::start(&["--token-file", "token"], &[]);
    let profile = |header: &str| {
        format!(
            "[target]\nurl = \"{0}/apply\"\n[oracle]\nproof = \"receipt\"\n\
             receipt = {{ url = \"{0}/receipts/{{attempt}}\", size = \"/size\", filename = \"/filename\"{header} }}\n\
             [pace]\nrate = \"unlimited\"\n[guard]\nenvironment = \"lab\"\n",
            origin.url
        )
    };
    let header = ", headers = [{ name = \"Authorization\", value = \"Bearer ${file:token}\" }]";
    origin.place.write("right.toml", &profile(header));
    origin.place.write("none.toml", &profile(""));
    let run = |name| origin.place.run(&["run", "--profile", &format!("{name}.toml"), "--set", "smoke", "--out", name]);
    run("right").says(0, &["delivered"]);
    run("none").says(3, &["401"]);
    assert!(!origin.place.read("right/journal.jsonl").contains("s3cret"));
}

#[test]
fn bad_settings_are_named_before_anything_listens() {
    let place = Place::new();
    place.write("empty", "\n");
    place.write("two", "two words\n");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &[&str]); 10] = [
        (&["--listen", "0.0.0.0:0"], &["0.0.0.0:0", "no token", "--token-file", "WAFCANARY_ORIGIN_TOKEN"]),
        (&["--listen", "[::]:0"], &["no token"]),
        (&["--listen", &address], &["cannot listen on", &address, "--listen"]),
        (&["--listen", "localhost"], &["--listen", "127.0.0.1:8080"]),
        (&["--token-file", "nowhere"], &["cannot read the token", "nowhere", "--token-file"]),
        (&["--token-file", "empty"], &["is empty", "empty", "openssl"]),
        (&["--token-file", "two"], &["--token-file", "more than a token"]),
        (&["--log", "no/such/folder.jsonl"], &["cannot write the log", "no/such/folder.jsonl", "--log"]),
        (&["--max-receipts", "0"], &["--max-receipts"]),
        (&["--max-store-bytes", "1MB"], &["--max-store-bytes"]),
    ];
    for (arguments, words) in cases {
        place.run(&[&["origin"], arguments].concat()).says(2, words);
    }
    ran(place.command(&["origin"]).env("WAFCANARY_ORIGIN_TOKEN", "")).says(2, &["WAFCANARY_ORIGIN_TOKEN is empty"]);
}
