//! The preflight says in a few uploads what would make a comparison worthless, and what to do about it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "support/edge.rs"]
mod edge;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edge::open;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wafcanary::profile::Profile;
use wafcanary::profile::target::Scheme;
use wafcanary::run::preflight::{Facts, Finding, Level, MOST_UPLOADS, Preflight, controls, differ, examine};

/// A server on loopback and how many requests it has had.
struct Server {
    port: u16,
    seen: Arc<AtomicU64>,
}

impl Server {
    /// Each request is answered with what `answer` says of its number, from 1, and its text; nothing: it is closed.
    async fn start(answer: impl Fn(u64, &str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, seen) = (Arc::new(answer), Arc::new(AtomicU64::new(0)));
        let count = seen.clone();
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                let (answer, count) = (answer.clone(), count.clone());
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while !is_whole(&taken) {
                        if tcp.read_buf(&mut taken).await.unwrap_or_default() == 0 {
                            return;
                        }
                    }
                    let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                    let text = answer(number, &String::from_utf8_lossy(&taken));
                    // A client that has gone away needs no answer.
                    let _ = tcp.write_all(text.as_bytes()).await;
                });
            }
        });
        Self { port, seen }
    }

    fn profile(&self, more: &str) -> Profile {
        profile(&format!("http://127.0.0.1:{}/upload", self.port), more)
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
    length.is_none_or(|length| {
        request.len() - head.len() - 4 >= length.trim().parse().unwrap() || body.ends_with("--\r\n")
    })
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n{headers}\r\n{body}")
}

fn taken() -> String {
    answer("200 OK", "", "accepted 0001")
}

fn refused() -> String {
    answer("403 Forbidden", "", "no")
}

/// Whether the request carries a control.
fn is_control(request: &str) -> bool {
    request.contains("X-Wafcanary-Case: control")
}

fn load(text: &str) -> Profile {
    let env = |name: &str| (name == "TOKEN").then(|| "t0ken-of-the-form".to_owned());
    Profile::load_str(Path::new("p.toml"), text, &env).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// A profile whose proof is a marker, with a fast pace.
fn profile(url: &str, more: &str) -> Profile {
    let pace = if more.contains("[pace]") { "" } else { "[pace]\nrate = \"unlimited\"\n" };
    load(&format!(
        "{more}\n{pace}[target]\nurl = \"{url}\"\n[oracle]\nproof = \"marker\"\nbody = {{ contains = \"accepted\" }}\n\
         [timeouts]\nanswer = \"2s\"\n[guard]\nauthorized = true\nenvironment = \"lab\"\n"
    ))
}

/// A profile whose proof is a receipt at `receipt`.
fn with_receipt(url: &str, receipt: &str) -> Profile {
    load(&format!(
        "[target]\nurl = \"{url}\"\n[oracle]\nproof = \"receipt\"\nreceipt = {{ url = \"{receipt}\" }}\n\
         [pace]\nrate = \"unlimited\"\n[timeouts]\nreceipt = \"50ms\"\n[guard]\nauthorized = true\nenvironment = \"lab\"\n"
    ))
}

async fn probe(profile: &Profile) -> Facts {
    let controls = if profile.guard.authorized { controls().unwrap() } else { Vec::new() };
    let facts = Preflight::new(Arc::new(profile.clone())).unwrap().probe(&controls, |_| {}).await;
    assert!(facts.probes().count() as u64 <= MOST_UPLOADS && MOST_UPLOADS < 12);
    facts
}

async fn found(profile: &Profile) -> Vec<Finding> {
    let findings = examine(&probe(profile).await, profile);
    for finding in &findings {
        let needs_help = finding.level > Level::Skipped;
        assert_eq!(needs_help, finding.help.is_some(), "{finding:?}");
    }
    findings
}

/// The findings that are not fine.
fn troubles(findings: &[Finding]) -> Vec<(&'static str, Level)> {
    let troubles = findings.iter().filter(|finding| finding.level > Level::Skipped);
    troubles.map(|finding| (finding.code(), finding.level)).collect()
}

/// Exactly one finding that is not fine; `words` are in its message or help.
#[track_caller]
fn only(findings: &[Finding], code: &'static str, level: Level, words: &[&str]) {
    assert_eq!(troubles(findings), [(code, level)], "{findings:#?}");
    let finding = findings.iter().find(|finding| finding.level > Level::Skipped).unwrap();
    let text = format!("{} {}", finding.message, finding.help.clone().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in {text}");
    }
}

#[tokio::test]
async fn an_edge_that_lets_files_through_and_keeps_controls_out_is_fine_over_http_and_tls() {
    for scheme in [Scheme::Http, Scheme::Https] {
        let (_lab, profile) = open("standard", scheme).await;
        let findings = found(&profile).await;
        assert_eq!(troubles(&findings), []);
        let codes: Vec<_> = findings.iter().map(Finding::code).collect();
        assert_eq!(codes, ["reachable", "receipt", "benign", "controls", "pace"]);
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_unreachable() {
    let findings = found(&profile("http://nonexistent.invalid/", "")).await;
    only(
        &findings,
        "unreachable",
        Level::Inconclusive,
        &["could not be resolved", "nonexistent.invalid", "target.resolve"],
    );
}

#[tokio::test]
async fn a_port_at_which_nothing_listens_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let findings = found(&profile(&format!("http://127.0.0.1:{port}/"), "")).await;
    only(&findings, "unreachable", Level::Inconclusive, &["no connection", &port.to_string(), "firewall"]);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_unreachable() {
    let (_lab, mut profile) = open("standard", Scheme::Https).await;
    profile.target.tls.ca_pem = None;
    only(&found(&profile).await, "unreachable", Level::Inconclusive, &["TLS failed", "tls.ca", "upload.lab.test"]);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut profile = profile("http://127.0.0.1:9/", "");
    profile.target.proxy = Some(wafcanary::profile::Secret::new(format!("http://127.0.0.1:{port}")));
    let findings = found(&profile).await;
    assert_eq!(troubles(&findings), [("unreachable", Level::Inconclusive)], "{findings:#?}");
}

#[tokio::test]
async fn a_sign_in_that_fails_names_the_step_and_hides_the_secret() {
    let server = Server::start(|_, request| answer("401 Unauthorized", "", request)).await;
    let step = "[[before]]\nname = \"sign in\"\nurl = \"/login\"\nform = [{ name = \"pw\", value = \"${env:TOKEN}\" }]";
    let findings = found(&server.profile(step)).await;
    only(&findings, "credentials", Level::Inconclusive, &["step `sign in`", "401", "password"]);
    assert!(!format!("{findings:?}").contains("t0ken"), "{findings:?}");
    assert_eq!(server.seen.load(Ordering::SeqCst), 1, "nothing was uploaded");
}

#[tokio::test]
async fn a_step_that_gets_no_answer_is_no_matter_of_credentials() {
    let server = Server::start(|_, _| String::new()).await;
    let findings = found(&server.profile("[[before]]\nname = \"form\"\nurl = \"/form\"")).await;
    only(&findings, "step_failed", Level::Inconclusive, &["step `form`", "allowed_hosts"]);
}

#[tokio::test]
async fn an_upload_that_is_answered_with_401_wants_credentials() {
    let server = Server::start(|_, _| answer("401 Unauthorized", "", "who are you?")).await;
    only(&found(&server.profile("")).await, "credentials", Level::Inconclusive, &["401", "[upload] headers"]);
}

#[tokio::test]
async fn a_receipt_that_wants_a_token_wants_credentials() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let edge = Server::start(|_, _| taken()).await;
        let origin = Server::start(move |_, _| answer(status, "", "{}")).await;
        let profile = with_receipt(
            &format!("http://127.0.0.1:{}/", edge.port),
            &format!("http://127.0.0.1:{}/receipts/{{attempt}}", origin.port),
        );
        only(&found(&profile).await, "credentials", Level::Inconclusive, &["receipt", &status[..3], "Authorization"]);
    }
}

#[tokio::test]
async fn a_receipt_that_is_not_there_says_where_it_was_asked_for() {
    let edge = Server::start(|_, _| taken()).await;
    let url = format!("http://127.0.0.1:{}/", edge.port);
    for (reply, level, words) in [
        (answer("404 Not Found", "", ""), Level::Failure, ["answers 404", "X-Wafcanary-Attempt"]),
        (answer("200 OK", "", "{\"size\":1}"), Level::Failure, ["nothing at `/sha256`", "wafcanary origin"]),
        (answer("500 Internal Server Error", "", "oops"), Level::Inconclusive, ["answers 500", "does the origin run"]),
        (answer("200 OK", "", "<html>"), Level::Inconclusive, ["answers 200", "must give JSON"]),
    ] {
        let origin = Server::start(move |_, _| reply.clone()).await;
        let place = format!("http://127.0.0.1:{}/receipts/", origin.port);
        let profile = with_receipt(&url, &format!("{place}{{attempt}}"));
        only(&found(&profile).await, "receipt_missing", level, &[&words[..], &[&place]].concat());
    }
    let down = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let profile = with_receipt(&url, &format!("http://127.0.0.1:{down}/{{attempt}}"));
    only(
        &found(&profile).await,
        "receipt_missing",
        Level::Inconclusive,
        &["could not be asked for", "does the origin run"],
    );
}

#[tokio::test]
async fn a_refusal_of_the_edge_is_never_put_down_to_the_receipt() {
    let origin = Server::start(|_, _| answer("404 Not Found", "", "")).await;
    let receipt = format!("http://127.0.0.1:{}/{{attempt}}", origin.port);
    for (page, words) in [
        (refused(), ["status 403", "by hand"]),
        (
            answer("200 OK", "", "The requested URL was rejected. Your support ID is: 4711"),
            ["signature of `f5-asm`", "let through"],
        ),
    ] {
        let edge = Server::start(move |_, _| page.clone()).await;
        let profile = with_receipt(&format!("http://127.0.0.1:{}/", edge.port), &receipt);
        only(&found(&profile).await, "benign_refused", Level::Failure, &words);
    }
}

#[tokio::test]
async fn a_file_that_is_not_read_back_is_told() {
    for (page, code, level) in [
        (answer("404 Not Found", "", ""), "receipt_missing", Level::Failure),
        (answer("401 Unauthorized", "", ""), "credentials", Level::Inconclusive),
        (answer("500 Internal Server Error", "", ""), "receipt_missing", Level::Inconclusive),
    ] {
        let server =
            Server::start(move |_, request| if request.starts_with("GET") { page.clone() } else { taken() }).await;
        let mut profile = server.profile("");
        let text =
            "[target]\nurl = \"http://127.0.0.1:9/\"\n[oracle]\nproof = \"read-back\"\nread_back = { url = \"/f\" }";
        profile.oracle = load(text).oracle;
        profile.receipt_wait = Duration::ZERO;
        only(&found(&profile).await, code, level, &[]);
    }
}

#[tokio::test]
async fn a_refused_benign_file_says_what_kind_of_refusal_it_was() {
    for (page, more, level, words) in [
        (refused(), "", Level::Failure, ["blocked: status 403", "upload.field"]),
        (answer("200 OK", "", "thanks"), "", Level::Failure, ["blocked: status 200", "by hand"]),
        (answer("413 Payload Too Large", "", ""), "", Level::Failure, ["too_large", "body limit"]),
        (answer("403 Forbidden", "cf-mitigated: challenge\r\n", ""), "", Level::Failure, ["challenged", "let through"]),
        (String::new(), "", Level::Failure, ["dropped", "banned"]),
        (
            refused(),
            "[pace]\ncanary_every = 0\nrate = \"unlimited\"",
            Level::Warning,
            ["blocked: status 403", "by hand"],
        ),
    ] {
        let server = Server::start(move |_, _| page.clone()).await;
        only(&found(&server.profile(more)).await, "benign_refused", level, &words);
        assert!(server.seen.load(Ordering::SeqCst) <= 2, "no control is sent where nothing gets through");
    }
}

#[tokio::test]
async fn a_form_that_takes_no_pdf_is_only_warned_of() {
    let (_lab, mut profile) = open("standard", Scheme::Http).await;
    profile.oracle.rejected = Some(wafcanary::profile::BodyMatch::Contains("images only".to_owned()));
    let server = Server::start(|_, _| answer("422 Unprocessable Content", "", "images only")).await;
    let mut ours = server.profile("");
    ours.oracle.rejected = profile.oracle.rejected;
    only(&found(&ours).await, "benign_refused", Level::Warning, &["rejected", "PDF"]);
}

#[tokio::test]
async fn an_edge_that_keeps_no_control_out_is_asked_whether_its_waf_is_on() {
    let server = Server::start(|_, _| taken()).await;
    only(
        &found(&server.profile("")).await,
        "waf_off",
        Level::Warning,
        &["every control", "control/eicar-text", "is the WAF on"],
    );
    assert_eq!(server.seen.load(Ordering::SeqCst), 8);
    let some = Server::start(|_, request| if request.contains("eicar") { refused() } else { taken() }).await;
    let findings = found(&some.profile("")).await;
    assert_eq!(troubles(&findings), [], "one is enough: {findings:#?}");
}

#[tokio::test]
async fn controls_stay_home_where_nobody_agreed_to_them() {
    let server = Server::start(|_, request| if is_control(request) { panic!("{request}") } else { taken() }).await;
    let mut profile = server.profile("");
    profile.guard.authorized = false;
    let findings = found(&profile).await;
    assert_eq!(troubles(&findings), []);
    assert!(
        findings.iter().any(|finding| finding.level == Level::Skipped && finding.message.contains("guard.authorized"))
    );
}

#[tokio::test]
async fn a_ban_that_the_controls_bring_is_found() {
    let (_lab, profile) = open("lie-ban", Scheme::Http).await;
    only(&found(&profile).await, "pace", Level::Failure, &["no longer does", "after the controls", "pace.rate"]);
}

#[tokio::test]
async fn a_ban_that_passes_is_a_warning() {
    // The first of those at once is refused; by the second of those after a pause it has passed.
    let answered = |number, request: &str| match number {
        5 | 9 => refused(),
        _ if is_control(request) => refused(),
        _ => taken(),
    };
    let server = Server::start(answered).await;
    only(&found(&server.profile("")).await, "pace", Level::Warning, &["for a while", "pace.rate"]);
}

#[tokio::test]
async fn a_rate_limit_that_a_run_can_obey_is_a_warning_and_a_longer_one_a_failure() {
    for (wait, level) in [(60, Level::Warning), (500, Level::Failure)] {
        let answered = move |number, request: &str| match number {
            6.. => answer("429 Too Many Requests", &format!("Retry-After: {wait}\r\n"), ""),
            _ if is_control(request) => refused(),
            _ => taken(),
        };
        let server = Server::start(answered).await;
        only(&found(&server.profile("")).await, "pace", level, &["a pause of", "pace.concurrency"]);
        assert_eq!(server.seen.load(Ordering::SeqCst), 8, "a long pause is not waited for");
    }
}

#[tokio::test]
async fn an_edge_that_asks_to_wait_first_is_waited_for_as_long_as_the_profile_allows() {
    let pause = |seconds| answer("429 Too Many Requests", &format!("Retry-After: {seconds}\r\n"), "");
    let server = Server::start(move |number, request| match number {
        1 => pause(0),
        _ if is_control(request) => refused(),
        _ => taken(),
    });
    let server = server.await;
    assert_eq!(troubles(&found(&server.profile("")).await), []);
    let server = Server::start(move |_, _| pause(3600)).await;
    only(&found(&server.profile("")).await, "pace", Level::Failure, &["takes nothing for now", "max_retry_after"]);
    assert_eq!(server.seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_connection_that_breaks_is_no_finding() {
    let answered = |number, request: &str| match number {
        1 => String::new(),
        _ if is_control(request) => refused(),
        _ => taken(),
    };
    let server = Server::start(answered).await;
    assert_eq!(troubles(&found(&server.profile("")).await), []);
}

#[tokio::test]
async fn a_clock_that_is_off_by_minutes_is_a_warning_that_names_cookies_where_there_are_steps() {
    for (hours, way) in [(-2_i64, "behind"), (2, "ahead of")] {
        let answered = move |_, request: &str| {
            let date = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT");
            let status = if is_control(request) { "403 Forbidden" } else { "200 OK" };
            answer(status, &format!("Date: {date}\r\n"), "accepted")
        };
        let server = Server::start(answered).await;
        only(&found(&server.profile("")).await, "clock_skew", Level::Warning, &[way, "timedatectl"]);
        let steps = server.profile("[[before]]\nname = \"form\"\nurl = \"/form\"");
        only(&found(&steps).await, "clock_skew", Level::Warning, &[way, "cookies"]);
    }
}

#[tokio::test]
async fn a_minute_between_the_clocks_is_allowed() {
    let (_lab, profile) = open("standard", Scheme::Http).await;
    let mut facts = probe(&profile).await;
    let at = facts.first[0].at;
    for (seconds, expected) in [(-61, 0), (-30, 0), (0, 0), (30, 0), (-3600, 1), (3600, 1), (-63, 1), (63, 1)] {
        let date = (at + jiff::SignedDuration::from_secs(seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let answer = facts.first[0].observation.answer.as_mut().unwrap();
        answer.headers.retain(|(name, _)| name != "date");
        answer.headers.push(("date".to_owned(), date));
        let skewed = examine(&facts, &profile).iter().filter(|finding| finding.code() == "clock_skew").count();
        // The whole second of a header may be one off.
        if seconds.abs() != 61 {
            assert_eq!(skewed, expected, "{seconds}");
        }
    }
}

#[tokio::test]
async fn a_ceiling_ends_the_preflight_and_is_told() {
    let server = Server::start(|_, request| if is_control(request) { refused() } else { taken() }).await;
    let low = server.profile("[pace]\nrate = \"unlimited\"\nmax_requests = 3");
    only(&found(&low).await, "ceiling", Level::Warning, &["3 requests", "raise"]);
    assert_eq!(server.seen.load(Ordering::SeqCst), 3);
    let none = server.profile("[pace]\nrate = \"unlimited\"\nmax_bytes = 10");
    only(&found(&none).await, "ceiling", Level::Inconclusive, &["10 body bytes"]);
}

#[tokio::test]
async fn what_a_preflight_sends_counts_for_the_ceiling_of_the_run() {
    let server = Server::start(|_, request| if is_control(request) { refused() } else { taken() }).await;
    let preflight = Preflight::new(Arc::new(server.profile(""))).unwrap();
    preflight.probe(&controls().unwrap(), |_| {}).await;
    let pacer = preflight.into_pacer();
    assert_eq!(pacer.requests(), 8);
    assert!(pacer.bytes() > 8 * 100);
}

#[tokio::test]
async fn probes_are_sent_as_the_form_sends_files() {
    for (transport, start) in [("put", "PUT "), ("base64-json", "POST ")] {
        let answered = move |_, request: &str| match (request.starts_with(start), is_control(request)) {
            (true, false) if !request.contains("form-data") => taken(),
            _ => refused(),
        };
        let server = Server::start(answered).await;
        let findings = found(&server.profile(&format!("[upload]\ntransport = \"{transport}\""))).await;
        assert_eq!(troubles(&findings), [], "{findings:#?}");
    }
}

#[tokio::test]
async fn the_number_of_uploads_is_bounded_whatever_the_edge_does() {
    for manner in 0..4 {
        let answered = move |number, _: &str| match (manner, number) {
            (0, _) | (1, 3..) => String::new(),
            (2, 5..) => refused(),
            (3, 5..) => answer("503 Service Unavailable", "Retry-After: 1\r\n", ""),
            _ => taken(),
        };
        let server = Server::start(answered).await;
        found(&server.profile("[pace]\nrate = \"unlimited\"\nretries = 10\nconcurrency = 64")).await;
        let seen = server.seen.load(Ordering::SeqCst);
        assert!(seen <= MOST_UPLOADS, "{manner}: {seen}");
    }
}

#[tokio::test]
async fn two_profiles_that_lead_to_one_edge_look_like_one_edge() {
    let (_lab, profile) = open("standard", Scheme::Http).await;
    let mut other = profile.clone();
    other.upload.headers.push(("X-Staging".to_owned(), wafcanary::profile::Secret::new("yes".to_owned())));
    let (ours, theirs) = (probe(&profile).await, probe(&other).await);
    let same = differ((&ours, &profile), (&theirs, &other)).unwrap();
    assert_eq!((same.code(), same.level), ("same_edge", Level::Warning), "{same:?}");
    let text = format!("{} {}", same.message, same.help.unwrap());
    for word in ["the same address (127.0.0.1:", "4 probes", "`upload.headers`", "--allow-same-edge", "target.resolve"]
    {
        assert!(text.contains(word), "`{word}` is missing in {text}");
    }
}

#[tokio::test]
async fn one_difference_makes_two_edges() {
    let (_lab, profile) = open("standard", Scheme::Http).await;
    let facts = probe(&profile).await;
    let differs = |change: &dyn Fn(&mut Facts)| {
        let mut other = facts.clone();
        change(&mut other);
        differ((&facts, &profile), (&other, &profile)).unwrap()
    };
    let head = |facts: &mut Facts, name: &str, value: fn(usize) -> String| {
        let canaries = facts.first.iter_mut().chain(&mut facts.together);
        for (number, probe) in canaries.enumerate() {
            let answer = probe.observation.answer.as_mut().unwrap();
            answer.headers.retain(|(known, _)| known != name);
            answer.headers.push((name.to_owned(), value(number)));
        }
    };
    assert_eq!(differs(&|_| {}).code(), "same_edge");
    assert_eq!(differs(&|other| head(other, "date", |number| number.to_string())).code(), "same_edge", "volatile");
    let id = |other: &mut Facts| head(other, "x-new-id", |number| format!("id-{number}"));
    assert!(differs(&id).message.contains("header `x-new-id`"), "only one side sends it");
    let via = |other: &mut Facts| head(other, "via", |_| "1.1 other".to_owned());
    assert_eq!(differs(&via).code(), "sides");
    let elsewhere = |other: &mut Facts| {
        let probes = other.first.iter_mut().chain(&mut other.controls).chain(&mut other.together);
        probes.for_each(|probe| probe.observation.peer = Some("127.0.0.2:80".parse().unwrap()));
    };
    assert!(differs(&elsewhere).message.contains("address (127.0.0.1:"), "{:?}", differs(&elsewhere));
    let otherwise = |other: &mut Facts| other.controls[0].verdict.status = Some(404);
    assert!(differs(&otherwise).message.contains("control/eicar-text"), "{:?}", differs(&otherwise));
    // What changes from answer to answer on either side tells nothing of the edge.
    let mut ours = facts.clone();
    id(&mut ours);
    let mut theirs = facts.clone();
    head(&mut theirs, "x-new-id", |number| format!("other-{number}"));
    assert_eq!(differ((&ours, &profile), (&theirs, &profile)).unwrap().code(), "same_edge");
    assert_eq!(differ((&facts, &profile), (&Facts::default(), &profile)), None, "nothing to compare");
}

#[test]
fn no_facts_are_no_findings() {
    assert_eq!(examine(&Facts::default(), &profile("http://127.0.0.1:9/", "")), []);
}
