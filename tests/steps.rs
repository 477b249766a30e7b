//! The steps round an upload do what a browser would, stay on allowed hosts, and leave no secret in the facts.

use std::path::Path;
use std::sync::Arc;

use wafcanary::corpus::{CaseId, Sha256Digest};
use wafcanary::profile::Profile;
use wafcanary::replay::steps::{Captures, Ids, Steps};
use wafcanary::replay::{Answer, BodyHead, ReadBackFact, ReceiptFact};
use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn ids(attempt: &str) -> Ids {
    Ids::new("run1", &CaseId::parse("pdf/plan~name:表").unwrap_or_else(|| panic!("a case id")), attempt)
}

fn profile(url: &str, more: &str) -> Arc<Profile> {
    let text = format!(
        "[target]\nurl = \"{url}/upload\"\n[timeouts]\nreceipt = \"300ms\"\nidle = \"300ms\"\ntotal = \"2s\"\n{more}\n"
    );
    let env = |name: &str| (name == "PASSWORD").then(|| "pass-word-123".to_owned());
    Arc::new(
        Profile::load_str(Path::new("p.toml"), &text, &env).unwrap_or_else(|error| panic!("{}", error.render(false))),
    )
}

const STATUS: &str = "[oracle]\nproof = \"status\"\nstatus = 200\n";

#[tokio::test]
async fn a_sign_in_is_done_once_and_the_form_fetched_for_each_upload() {
    let server = MockServer::start().await;
    let signed_in =
        ResponseTemplate::new(303).insert_header("location", "/").append_header("set-cookie", "sid=session-9; Path=/");
    Mock::given(method("POST"))
        .and(path("/login"))
        .and(body_string_contains("pw=pass-word-123"))
        .respond_with(signed_in)
        .expect(1)
        .mount(&server)
        .await;
    let page = r#"<form><input name="csrf" value="tok&amp;en-77"></form> build=42"#;
    let page = ResponseTemplate::new(200)
        .set_body_string(page)
        .insert_header("x-nonce", "nonce-5")
        .append_header("set-cookie", "form=f-1");
    Mock::given(method("GET"))
        .and(path("/form"))
        .and(header("cookie", "sid=session-9"))
        .respond_with(page)
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(path("/api"))
        .and(body_string_contains(r#"{"t":"tok&en-77"}"#))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"a":{"id":7}}"#))
        .expect(2)
        .mount(&server)
        .await;
    let profile = profile(
        &server.uri(),
        &format!(
            r#"{STATUS}
[[before]]
name = "sign in"
each = "run"
url = "/login"
form = [{{ name = "pw", value = "${{env:PASSWORD}}" }}]
[[before]]
name = "form"
url = "/form"
capture = [
  {{ name = "csrf", css = "input[name=csrf]@value" }}, {{ name = "build", regex = "build=(\\d+)" }},
  {{ name = "nonce", header = "X-Nonce" }}, {{ name = "sid", cookie = "sid" }},
]
[[before]]
name = "api"
url = "/api"
json = {{ t = "${{csrf}}" }}
capture = [{{ name = "id", json = "/a/id" }}]
"#
        ),
    );
    let steps = Steps::new(&profile).unwrap();
    for attempt in ["one", "two"] {
        let mut captures = Captures::default();
        let run = steps.before(&ids(attempt), &mut captures).await;
        assert_eq!(run.failure, None);
        let got: Vec<_> =
            ["csrf", "build", "nonce", "sid", "id"].map(|name| captures.get(name).unwrap_or("-").to_owned()).into();
        assert_eq!(got, ["tok&en-77", "42", "nonce-5", "session-9", "7"]);
        assert_eq!(steps.cookie(&captures, "/upload").unwrap().split("; ").count(), 2);
        let filled = captures.fill("${csrf} {attempt} {case} {run}", &ids(attempt)).unwrap();
        assert_eq!(filled, format!("tok&en-77 {attempt} pdf%2Fplan~name%3A%E8%A1%A8 run1"));
        steps.keep_cookies(&mut captures, "/upload", [b"after=upload-cookie".as_slice()]);
        assert!(steps.cookie(&captures, "/x").unwrap().contains("after=upload-cookie"));
    }
    for secret in ["pass-word-123", "tok&en-77", "session-9", "tok%26en-77", "upload-cookie"] {
        assert_eq!(profile.redactor.redact(secret), "***");
    }
}

#[tokio::test]
async fn a_failing_step_says_which_and_hides_secrets() {
    let server = MockServer::start().await;
    let wrong = ResponseTemplate::new(403).set_body_string("wrong password pass-word-123!");
    Mock::given(path("/login")).respond_with(wrong).mount(&server).await;
    Mock::given(path("/form"))
        .respond_with(ResponseTemplate::new(200).set_body_string("<p>no form, pass-word-123</p>"))
        .mount(&server)
        .await;
    let login = format!(
        "{STATUS}[[before]]\nname = \"sign in\"\nurl = \"/login\"\nform = [{{ name = \"p\", value = \"${{env:PASSWORD}}\" }}]\n"
    );
    let form = login.replace("/login", "/form") + "capture = [{ name = \"csrf\", css = \"input@value\" }]\n";
    let mut told = Vec::new();
    for text in [login, form] {
        let steps = Steps::new(&profile(&server.uri(), &text)).unwrap();
        let run = steps.before(&ids("a"), &mut Captures::default()).await;
        assert_eq!(run.facts.len(), 1);
        told.push(run.failure.unwrap().detail);
    }
    assert_eq!(
        told,
        [
            "status 403 is not accepted; the body begins with `wrong password ***!`",
            "capture `csrf` found nothing; the body begins with `<p>no form, ***</p>`",
        ]
    );
}

#[tokio::test]
async fn a_failed_session_is_signed_in_again() {
    let server = MockServer::start().await;
    Mock::given(path("/login")).respond_with(ResponseTemplate::new(200)).expect(2).mount(&server).await;
    Mock::given(path("/form")).respond_with(ResponseTemplate::new(401)).expect(2).mount(&server).await;
    let more = format!(
        "{STATUS}[[before]]\nname = \"in\"\neach = \"run\"\nurl = \"/login\"\n[[before]]\nname = \"form\"\nurl = \"/form\"\n"
    );
    let steps = Steps::new(&profile(&server.uri(), &more)).unwrap();
    for _ in 0..2 {
        assert_eq!(steps.before(&ids("a"), &mut Captures::default()).await.failure.unwrap().step, "form");
    }
}

#[tokio::test]
async fn redirects_are_followed_when_asked_and_never_to_another_host() {
    let server = MockServer::start().await;
    let to = |place: &str| ResponseTemplate::new(302).insert_header("location", place);
    Mock::given(path("/home")).respond_with(to("/end")).mount(&server).await;
    Mock::given(path("/end")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    Mock::given(path("/away")).respond_with(to("http://foreign.example/")).mount(&server).await;
    Mock::given(path("/loop")).respond_with(to("/loop")).mount(&server).await;
    let mut seen = Vec::new();
    for (place, follow) in [("/home", true), ("/home", false), ("/away", true), ("/loop", true)] {
        let more = format!("{STATUS}[[before]]\nname = \"s\"\nurl = \"{place}\"\nfollow = {follow}\n");
        let run = Steps::new(&profile(&server.uri(), &more)).unwrap().before(&ids("a"), &mut Captures::default()).await;
        seen.push((run.facts[0].status, run.failure.map(|failure| failure.detail)));
    }
    assert_eq!(seen[0], (Some(200), None));
    assert_eq!(seen[1], (Some(302), None));
    assert!(seen[2].1.as_ref().unwrap().contains("`foreign.example` is not an allowed host"), "{seen:?}");
    assert!(seen[3].1.as_ref().unwrap().contains("more than 10 redirects"), "{seen:?}");
}

#[tokio::test]
async fn steps_go_where_resolve_and_connect_to_say() {
    let server = MockServer::start().await;
    let port = server.address().port();
    Mock::given(path("/form"))
        .and(header("host", "form.example.jp"))
        .respond_with(ResponseTemplate::new(200))
        .expect(2)
        .mount(&server)
        .await;
    for key in [
        format!("connect_to = [\"form.example.jp:80:127.0.0.1:{port}\"]"),
        format!("connect_to = [\"::edge.example:{port}\"]\nresolve = [\"edge.example:{port}:127.0.0.1\"]"),
    ] {
        let text = format!(
            "[target]\nurl = \"http://form.example.jp/upload\"\n{key}\n{STATUS}[[before]]\nname = \"s\"\nurl = \"/form\"\n"
        );
        let profile = Profile::load_str(Path::new("p.toml"), &text, &|_| None).unwrap();
        let run = Steps::new(&Arc::new(profile)).unwrap().before(&ids("a"), &mut Captures::default()).await;
        assert_eq!(run.failure, None);
    }
}

const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[tokio::test]
async fn receipts_are_found_late_absent_or_unavailable() {
    let server = MockServer::start().await;
    let found =
        ResponseTemplate::new(200).set_body_string(format!(r#"{{"sha256":"{SHA}","size":3,"filename":"表.pdf"}}"#));
    Mock::given(path("/r/late")).respond_with(ResponseTemplate::new(404)).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/r/late")).respond_with(found).mount(&server).await;
    Mock::given(path("/r/never")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    Mock::given(path("/r/html"))
        .respond_with(ResponseTemplate::new(200).set_body_string("<html>sign in</html>"))
        .mount(&server)
        .await;
    Mock::given(path("/r/broken")).respond_with(ResponseTemplate::new(502)).mount(&server).await;
    let more = "[oracle]\nproof = \"receipt\"\nreceipt = { url = \"/r/{attempt}\", size = \"/size\", filename = \"/filename\" }\n";
    let profile = profile(&server.uri(), more);
    let (steps, spec) = (Steps::new(&profile).unwrap(), profile.oracle.receipt.as_ref().unwrap());
    let mut facts = Vec::new();
    let answer = Answer { status: 200, reason: None, headers: vec![], body_bytes: 0, body: BodyHead::default() };
    for attempt in ["late", "never", "html", "broken"] {
        facts.push(steps.receipt(spec, Some(&answer), &ids(attempt), &mut Captures::default()).await);
    }
    let ReceiptFact::Found(receipt) = &facts[0] else { panic!("{facts:?}") };
    assert_eq!(
        (receipt.sha256.to_string().as_str(), receipt.size, receipt.filename.as_deref()),
        (SHA, Some(3), Some("表.pdf"))
    );
    assert!(matches!(facts[1], ReceiptFact::Absent { .. }), "{facts:?}");
    assert!(matches!(facts[2], ReceiptFact::Unavailable { .. }), "{facts:?}");
    assert!(matches!(facts[3], ReceiptFact::Unavailable { .. }), "{facts:?}");
}

#[tokio::test]
async fn a_receipt_behind_a_token_is_asked_for_with_its_headers_and_the_token_stays_secret() {
    let server = MockServer::start().await;
    let found = ResponseTemplate::new(200).set_body_string(format!(r#"{{"sha256":"{SHA}"}}"#));
    Mock::given(path("/r/a"))
        .and(header("authorization", "Bearer pass-word-123"))
        .respond_with(found)
        .mount(&server)
        .await;
    let more = "[oracle]\nproof = \"receipt\"\nreceipt = { url = \"/r/{attempt}\", headers = [{ name = \"Authorization\", value = \"Bearer ${env:PASSWORD}\" }] }\n";
    let profile = profile(&server.uri(), more);
    let (steps, spec) = (Steps::new(&profile).unwrap(), profile.oracle.receipt.as_ref().unwrap());
    let fact = steps.receipt(spec, None, &ids("a"), &mut Captures::default()).await;
    assert!(matches!(fact, ReceiptFact::Found(_)), "{fact:?}");
    assert_eq!(profile.redactor.redact("pass-word-123"), "***");
    assert!(!format!("{profile:?}").contains("pass-word"));
}

#[tokio::test]
async fn without_a_hopeful_answer_the_receipt_is_asked_for_once() {
    let server = MockServer::start().await;
    Mock::given(path("/r/a")).respond_with(ResponseTemplate::new(404)).expect(2).mount(&server).await;
    let more = "[oracle]\nproof = \"receipt\"\nreceipt = { url = \"/r/{attempt}\" }\n";
    let profile = profile(&server.uri(), more);
    let (steps, spec) = (Steps::new(&profile).unwrap(), profile.oracle.receipt.as_ref().unwrap());
    let refused = Answer { status: 403, reason: None, headers: vec![], body_bytes: 0, body: BodyHead::default() };
    for answer in [None, Some(&refused)] {
        let fact = steps.receipt(spec, answer, &ids("a"), &mut Captures::default()).await;
        assert!(matches!(fact, ReceiptFact::Absent { .. }), "{fact:?}");
    }
    server.verify().await;
}

#[tokio::test]
async fn a_receipt_in_the_answer_is_proof_and_a_block_page_is_none() {
    let profile = profile("http://127.0.0.1:9", "[oracle]\nproof = \"receipt\"\nreceipt = { in = \"answer\" }\n");
    let (steps, spec) = (Steps::new(&profile).unwrap(), profile.oracle.receipt.as_ref().unwrap());
    let answer = |body: String| Answer {
        status: 200,
        reason: None,
        headers: vec![],
        body_bytes: body.len() as u64,
        body: BodyHead(body.into()),
    };
    let ask =
        async |answer: Option<Answer>| steps.receipt(spec, answer.as_ref(), &ids("a"), &mut Captures::default()).await;
    assert!(matches!(ask(Some(answer(format!(r#"{{"sha256":"{SHA}"}}"#)))).await, ReceiptFact::Found(_)));
    assert!(matches!(ask(Some(answer("<h1>Blocked</h1>".to_owned()))).await, ReceiptFact::Absent { .. }));
    assert!(matches!(ask(Some(answer(r#"{"ok":true}"#.to_owned()))).await, ReceiptFact::Absent { .. }));
    assert!(matches!(ask(None).await, ReceiptFact::Unavailable { .. }));
}

#[tokio::test]
async fn a_file_is_read_back_as_it_is_altered_absent_or_unavailable() {
    let server = MockServer::start().await;
    let body = |bytes: &[u8]| ResponseTemplate::new(200).set_body_bytes(bytes);
    Mock::given(path("/f/same")).respond_with(body(b"abc")).mount(&server).await;
    Mock::given(path("/f/more")).respond_with(body(b"abcdefgh")).mount(&server).await;
    Mock::given(path("/f/part")).respond_with(ResponseTemplate::new(206).set_body_bytes(b"a")).mount(&server).await;
    let coded = body(b"abc").insert_header("content-encoding", "gzip");
    Mock::given(path("/f/gzip")).respond_with(coded).mount(&server).await;
    let more = "[oracle]\nproof = \"read-back\"\nread_back = { url = \"/f/${id}\" }\n[upload]\ncapture = [{ name = \"id\", json = \"/id\", secret = false }]\n";
    let profile = profile(&server.uri(), more);
    let (steps, spec) = (Steps::new(&profile).unwrap(), profile.oracle.read_back.as_ref().unwrap());
    let mut facts = Vec::new();
    for id in ["same", "more", "gone", "part", "gzip"] {
        let mut captures = Captures::default();
        let body = format!(r#"{{"id":"{id}"}}"#);
        let answer = Answer { status: 200, reason: None, headers: vec![], body_bytes: 1, body: BodyHead(body.into()) };
        assert_eq!(steps.after(Some(&answer), &ids("a"), &mut captures).await.failure, None);
        facts.push(steps.read_back(spec, 3, &ids("a"), &mut captures).await);
    }
    assert_eq!(facts[0], ReadBackFact::Found { sha256: Sha256Digest::of(b"abc"), size: 3 });
    assert_eq!(facts[1], ReadBackFact::Found { sha256: Sha256Digest::of(b"abcd"), size: 4 });
    assert_eq!(facts[2], ReadBackFact::Absent { status: 404 });
    assert!(matches!(facts[3], ReadBackFact::Unavailable { .. }), "{facts:?}");
    assert!(matches!(facts[4], ReadBackFact::Unavailable { .. }), "{facts:?}");
    assert!(matches!(
        steps.read_back(spec, 3, &ids("a"), &mut Captures::default()).await,
        ReadBackFact::Unavailable { .. }
    ));
}

/// Answers at once, then says one byte now and then until the client goes.
async fn endless(listener: tokio::net::TcpListener) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            tick.tick().await;
            if stream.write_all(b"x").await.is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_bounded() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(endless(listener));
    let more =
        "[oracle]\nproof = \"read-back\"\nread_back = { url = \"/f\" }\n[[before]]\nname = \"drip\"\nurl = \"/\"\n";
    let profile = profile(&url, more);
    let steps = Steps::new(&profile).unwrap();
    let run = steps.before(&ids("a"), &mut Captures::default()).await;
    assert_eq!(run.failure.unwrap().detail, "no end after 2s");
    let spec = profile.oracle.read_back.as_ref().unwrap();
    let fact = steps.read_back(spec, 1 << 30, &ids("a"), &mut Captures::default()).await;
    assert!(matches!(fact, ReadBackFact::Unavailable { .. }), "{fact:?}");
    assert_eq!(
        steps.read_back(spec, 2, &ids("a"), &mut Captures::default()).await,
        ReadBackFact::Found { sha256: Sha256Digest::of(b"xxx"), size: 3 }
    );
}
