//! Limits are found to the byte, and never told where the edge does not keep to them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "support/edge.rs"]
#[expect(dead_code, reason = "each test file uses its own part of it")]
mod edge;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use base64::Engine as _;
use wafcanary::corpus::{Case, Transport, canary};
use wafcanary::explain::Questions;
use wafcanary::explain::limits::{Amount, Counted, EdgeLimits, Finding, Limit, Plan, Quantity, Survey, Wanted};
use wafcanary::profile::Profile;
use wafcanary::profile::target::Scheme;
use wafcanary::replay::Replayer;
use wafcanary::verdict::Outcome;

const ALL: [Transport; 3] = [Transport::Multipart, Transport::Put, Transport::Base64Json];

/// An upload as an edge sees it.
struct Upload {
    body: Vec<u8>,
    file: u64,
    filename: u64,
    files: usize,
    fields: usize,
    part_headers: usize,
}

impl Upload {
    fn read(content_type: &str, body: Vec<u8>) -> Self {
        let mut upload = Self { file: body.len() as u64, filename: 0, files: 1, fields: 0, part_headers: 0, body };
        if let Some((_, boundary)) = content_type.split_once("boundary=") {
            let delimiter = format!("--{boundary}");
            let parts: Vec<&[u8]> = split(&upload.body, delimiter.as_bytes());
            let parts = &parts[1..parts.len() - 1];
            let is_file = |part: &&&[u8]| !split(part, b"filename=\"")[1..].is_empty();
            let file = parts.iter().find(is_file).unwrap();
            upload.filename = split(split(file, b"filename=\"")[1], b"\"")[0].len() as u64;
            let head = split(file, b"\r\n\r\n")[0];
            upload.part_headers = split(head, b"\r\n").len() - 1;
            upload.file = (file.len() - head.len() - 4 - 2) as u64;
            upload.files = parts.iter().filter(is_file).count();
            upload.fields = parts.len() - upload.files;
        } else if content_type == "application/json" {
            let value: serde_json::Value = serde_json::from_slice(&upload.body).unwrap();
            let content = base64::engine::general_purpose::STANDARD.decode(value["content"].as_str().unwrap());
            upload.file = content.unwrap().len() as u64;
            upload.filename = value["filename"].as_str().unwrap().len() as u64;
            upload.fields = value.as_object().unwrap().len() - 3;
        }
        upload
    }

    fn len(&self) -> u64 {
        self.body.len() as u64
    }

    fn holds(&self, run: &[u8]) -> bool {
        memchr::memmem::find(&self.body, run).is_some()
    }
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, by) {
        parts.push(&rest[..at]);
        rest = &rest[at + by.len()..];
    }
    parts.push(rest);
    parts
}

/// An edge that answers with the status of `rule`, and its profile.
fn edge_of(rule: impl Fn(&Upload) -> u16 + Send + 'static) -> Profile {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(&stream.unwrap(), &rule);
        }
    });
    let text = format!(
        "[target]\nurl = \"http://{address}/upload\"\n[oracle]\nproof = \"marker\"\nstatus = \"200\"\nbody = {{ contains = \"ok\" }}\n\
         [pace]\nrate = \"unlimited\"\ncanary_every = 0\nconcurrency = 1\n[guard]\nenvironment = \"lab\"\n"
    );
    Profile::load_str(Path::new("edge.toml"), &text, &|_| None).unwrap()
}

fn serve(stream: &TcpStream, rule: &impl Fn(&Upload) -> u16) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut content_type) = (0, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line == "\r\n" {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => value.clone_into(&mut content_type),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = rule(&Upload::read(&content_type, body));
        let text = if status == 200 { "ok" } else { "no" };
        let mut stream = stream;
        // In one piece, or the kernel waits before it sends the second one.
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{text}");
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

/// Measures, and sees to it that the plan was kept.
async fn measured(profile: Profile, quantities: &[Quantity], transports: &[Transport], max_size: u64) -> EdgeLimits {
    planned(profile, quantities, transports, max_size).await.1
}

async fn planned(
    profile: Profile,
    quantities: &[Quantity],
    transports: &[Transport],
    max_size: u64,
) -> (Plan, EdgeLimits) {
    let profile = Arc::new(profile);
    let questions = Questions::new(Replayer::new(profile.clone(), "limits").unwrap(), profile);
    let wanted = Wanted { quantities: quantities.to_vec(), transports: transports.to_vec(), max_size };
    let mut survey = Survey::new(questions, wanted).unwrap();
    let plan = survey.plan().unwrap();
    survey.run(|_| {}).await;
    let limits = survey.into_limits(None);
    assert!(limits.requests <= plan.most_requests, "{} of {plan:?}", limits.requests);
    assert!(limits.bytes <= plan.most_bytes, "{} of {plan:?}", limits.bytes);
    (plan, limits)
}

/// The amounts on both sides of a limit, and what counts.
fn exact(limit: &Limit) -> (Amount, Amount, Option<Counted>) {
    match &limit.finding {
        Finding::Limit { delivered, refused, counted, .. } => (*delivered, *refused, *counted),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_body_is_exact_in_each_transport_and_format() {
    for limit in [123_457, 1 << 20, 8192] {
        let profile = edge_of(move |upload| if upload.len() > limit { 413 } else { 200 });
        let found = measured(profile, &[Quantity::Size], &ALL, 3 << 19).await;
        assert!(found.is_known(), "{found:?}");
        let formats: Vec<_> = found.limits.iter().filter_map(|limit| limit.format.as_deref()).collect();
        // A file that is larger than the limit by itself is left out.
        assert!(formats.len() == 12 || (limit == 8192 && formats.len() >= 6), "{formats:?}");
        for measured in &found.limits {
            let (delivered, refused, counted) = exact(measured);
            assert_eq!((delivered.body, refused.body), (limit, limit + 1), "{measured:?}");
            let expected = if measured.transport == Transport::Put { None } else { Some(Counted::Body) };
            assert_eq!(counted, expected, "{measured:?}");
            let Finding::Limit { refusal, .. } = &measured.finding else { unreachable!() };
            assert_eq!((refusal.outcome, refusal.status), (Outcome::TooLarge, Some(413)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_file_is_exact_in_each_transport_and_told_from_one_of_the_body() {
    for limit in [100_001, 100_002, 100_003] {
        let profile = edge_of(move |upload| if upload.file > limit { 403 } else { 200 });
        let found = measured(profile, &[Quantity::Size], &ALL, 1 << 20).await;
        for measured in &found.limits {
            let (delivered, refused, counted) = exact(measured);
            assert_eq!((delivered.value, refused.value), (limit, limit + 1), "{measured:?}");
            let expected = if measured.transport == Transport::Put { None } else { Some(Counted::File) };
            assert_eq!(counted, expected, "{measured:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_whole_is_a_lower_bound_and_costs_what_was_planned() {
    let (plan, found) = planned(edge_of(|_| 200), &Quantity::ALL, &ALL, 300_001).await;
    assert_eq!((found.requests, found.bytes), (plan.least_requests, plan.least_bytes));
    for measured in found.limits.iter().filter(|limit| limit.quantity == Quantity::Size) {
        let Finding::AtLeast { delivered } = &measured.finding else { panic!("{measured:?}") };
        assert_eq!(delivered.body, 300_001, "{measured:?}");
    }
    assert!(found.is_known());
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_names_have_exact_limits() {
    let rule = |upload: &Upload| match () {
        () if upload.filename > 143 => 400,
        () if upload.files > 20 => 403,
        () if upload.fields > 77 => 422,
        () if upload.part_headers > 33 => 431,
        () => 200,
    };
    let quantities = [Quantity::Filename, Quantity::Files, Quantity::Fields, Quantity::PartHeaders];
    let found = measured(edge_of(rule), &quantities, &[Transport::Multipart], 1 << 20).await;
    let told: Vec<_> = found.limits.iter().map(|limit| (limit.quantity, exact(limit))).collect();
    let values: Vec<_> =
        told.iter().map(|(quantity, (passes, trips, _))| (*quantity, passes.value, trips.value)).collect();
    assert_eq!(
        values,
        [
            (Quantity::Filename, 143, 144),
            (Quantity::Files, 20, 21),
            (Quantity::Fields, 77, 78),
            (Quantity::PartHeaders, 33, 34)
        ]
    );
    let found = measured(edge_of(rule), &quantities, &[Transport::Base64Json, Transport::Put], 1 << 20).await;
    let values: Vec<_> =
        found.limits.iter().map(|limit| (limit.quantity, limit.transport, exact(limit).0.value)).collect();
    // A body that is the file alone has no place for any of them.
    let json = Transport::Base64Json;
    assert_eq!(values, [(Quantity::Filename, json, 143), (Quantity::Fields, json, 77)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_has_no_room_for_is_no_limit_of_its_own() {
    let profile = edge_of(|upload| if upload.len() > 8192 { 413 } else { 200 });
    let quantities = [Quantity::Size, Quantity::Text, Quantity::Filename, Quantity::Files, Quantity::Fields];
    let found = measured(profile, &quantities, &[Transport::Multipart], 1 << 20).await;
    for measured in found.limits.iter().filter(|limit| limit.quantity != Quantity::Size) {
        let Finding::AtLeast { delivered } = &measured.finding else { panic!("{measured:?}") };
        assert!(delivered.body <= 8192 && delivered.value >= 20, "{measured:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_changes_its_mind_gets_no_limit() {
    // Stricter from when its limit is found.
    let limit = AtomicU64::new(100_000);
    let profile = edge_of(move |upload| {
        if upload.len() <= limit.load(Relaxed) {
            return 200;
        }
        if upload.len() == 100_001 {
            limit.store(90_000, Relaxed);
        }
        413
    });
    let found = measured(profile, &[Quantity::Size], &[Transport::Multipart], 1 << 20).await;
    assert!(!found.is_known());
    assert!(found.limits.iter().any(|limit| matches!(limit.finding, Finding::Unsteady { .. })), "{found:?}");
    let of = |limit: &Limit| matches!(limit.finding, Finding::Limit { .. }).then(|| exact(limit).0.body);
    assert!(found.limits.iter().filter_map(of).all(|body| body == 90_000), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_refuses_now_and_then_gets_no_limit() {
    for period in 2..=9 {
        let uploads = AtomicU64::new(0);
        let profile =
            edge_of(move |_| if (uploads.fetch_add(1, Relaxed) + 1).is_multiple_of(period) { 403 } else { 200 });
        let found = measured(profile, &Quantity::ALL, &[Transport::Multipart], 1 << 17).await;
        let wrong = found.limits.iter().find(|limit| match limit.finding {
            Finding::Limit { .. }
            | Finding::Window { .. }
            | Finding::Everywhere { .. }
            | Finding::SmallFilesOnly { .. } => true,
            Finding::AtLeast { .. }
            | Finding::Nothing { .. }
            | Finding::NotMeasured { .. }
            | Finding::Unsteady { .. }
            | Finding::Open { .. }
            | Finding::Unseen { .. } => false,
        });
        assert!(wrong.is_none(), "each {period}th: {wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_bans_us_is_asked_no_more() {
    let refusals = AtomicU64::new(0);
    let profile = edge_of(move |upload| {
        if upload.len() > 50_000 || refusals.load(Relaxed) > 4 {
            refusals.fetch_add(1, Relaxed);
            return 403;
        }
        200
    });
    let found = measured(profile, &Quantity::ALL, &[Transport::Multipart], 1 << 20).await;
    assert!(found.stopped.as_ref().unwrap().contains("as if it had banned us"), "{found:?}");
    assert!(!found.is_known() && found.limits.len() == 1, "{found:?}");
    let Finding::Open { delivered: Some(delivered), refused: Some(refused), .. } = &found.limits[0].finding else {
        panic!("{found:?}");
    };
    assert!(delivered < refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_takes_nothing_is_asked_once() {
    let found = measured(edge_of(|_| 405), &Quantity::ALL, &[Transport::Put], 1 << 20).await;
    assert!(found.limits.iter().all(|limit| matches!(limit.finding, Finding::NotMeasured { .. })), "{found:?}");
    assert_eq!((found.requests, found.is_known()), (1, false));
    assert_eq!(found.limits.iter().map(|limit| limit.requests).sum::<u32>(), 1);
    // All that was asked for has its line, and nothing else.
    let lines: Vec<_> = found.limits.iter().map(|limit| (limit.quantity, limit.format.as_deref())).collect();
    let sizes = ["pdf", "jpg", "docx", "txt"].map(|format| (Quantity::Size, Some(format)));
    let others = Quantity::ALL[1..].iter().map(|quantity| (*quantity, None));
    assert_eq!(lines, sizes.into_iter().chain(others).collect::<Vec<_>>());
    let found =
        measured(edge_of(|_| 405), &[Quantity::Window, Quantity::Files], &[Transport::Multipart], 1 << 20).await;
    let lines: Vec<_> = found.limits.iter().map(|limit| limit.quantity).collect();
    assert_eq!(lines, [Quantity::Files, Quantity::Window]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_of_the_profile_ends_it_with_what_was_found() {
    let mut profile = edge_of(|_| 200);
    profile.pace.max_bytes = Some(100_000);
    let found = measured(profile, &[Quantity::Size], &[Transport::Multipart], 1 << 20).await;
    assert!(found.stopped.as_ref().unwrap().contains("pace.max_bytes"), "{found:?}");
    assert!(found.bytes <= 100_000);
    assert!(matches!(
        found.limits[..],
        [Limit { finding: Finding::Open { delivered: Some(_), refused: None, .. }, .. }]
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn inspection_of_small_bodies_alone_is_told_to_the_byte() {
    let profile = edge_of(|upload| if upload.holds(b"<?php") && upload.len() <= 65_536 { 403 } else { 200 });
    let found = measured(profile, &[Quantity::Window], &[Transport::Multipart, Transport::Put], 1 << 20).await;
    assert_eq!(found.limits.len(), 2);
    for limit in &found.limits {
        let Finding::SmallFilesOnly { run, inspected, passes, .. } = &limit.finding else { panic!("{limit:?}") };
        assert_eq!((run.as_str(), inspected.body, passes.body), ("<?php", 65_536, 65_537));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_inspects_all_or_nothing_has_no_window() {
    let profile = edge_of(|upload| if upload.holds(b"/etc/passwd") { 403 } else { 200 });
    let found = measured(profile, &[Quantity::Window], &[Transport::Multipart], 1 << 20).await;
    let Finding::Everywhere { run, up_to, tried, .. } = &found.limits[0].finding else { panic!("{found:?}") };
    assert_eq!(run, "../../../../etc/passwd");
    assert!(tried.len() == 5 && tried.is_sorted() && tried.last() == Some(&up_to.value), "{tried:?}");
    assert!(up_to.body > (1 << 20) - 256, "{up_to:?}");
    let found = measured(edge_of(|_| 200), &[Quantity::Window], &[Transport::Multipart], 1 << 20).await;
    assert!(matches!(found.limits[0].finding, Finding::Unseen { .. }) && found.is_known());
    // Where no file of text gets through, nothing is known of what is looked at.
    let profile = edge_of(|upload| if upload.len() > 3000 { 413 } else { 200 });
    let found = measured(profile, &[Quantity::Window], &[Transport::Multipart], 1 << 20).await;
    let Finding::Open { why, .. } = &found.limits[0].finding else { panic!("{found:?}") };
    assert!(why.contains("no benign file of text") && !found.is_known(), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_inspects_both_ends_is_told_so() {
    const HEAD: usize = 600 << 10;
    const TAIL: usize = 64 << 10;
    let profile = edge_of(|upload| {
        let body = &upload.body;
        let finds = |part: &[u8]| memchr::memmem::find(part, b"<script>").is_some();
        let seen = finds(&body[..body.len().min(HEAD)]) || finds(&body[body.len().saturating_sub(TAIL)..]);
        if seen { 403 } else { 200 }
    });
    let found = measured(profile, &[Quantity::Window], &ALL[..2], 4 << 20).await;
    assert_eq!(found.limits.len(), 2);
    for limit in &found.limits {
        let Finding::Window { inspected, again, .. } = &limit.finding else { panic!("{limit:?}") };
        assert_eq!(inspected.body, HEAD as u64, "{limit:?}");
        assert!(again.len() == 1 && again[0] > (2 << 20) - 256, "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_looked_for_in_a_file_that_is_delivered() {
    let rule = |window: usize| {
        move |upload: &Upload| match () {
            () if upload.len() > 300_000 => 413,
            () if memchr::memmem::find(&upload.body[..upload.body.len().min(window)], b"<?php").is_some() => 403,
            () => 200,
        }
    };
    let found = measured(edge_of(rule(65_536)), &[Quantity::Window], &ALL[..2], 4 << 20).await;
    assert!(found.limits.len() == 2 && found.is_known(), "{found:?}");
    for limit in &found.limits {
        let Finding::Window { inspected, .. } = &limit.finding else { panic!("{limit:?}") };
        assert_eq!(inspected.body, 65_536, "{limit:?}");
    }
    let found = measured(edge_of(rule(usize::MAX)), &[Quantity::Window], &ALL[..1], 4 << 20).await;
    let Finding::Everywhere { up_to, .. } = &found.limits[0].finding else { panic!("{found:?}") };
    // Half of 2 MiB, and so on, until it is delivered.
    assert!((262_000..=262_144).contains(&up_to.value), "{up_to:?}");
}

/// The embedded lab's upper plan looks at the first 128 KiB of the body.
#[tokio::test(flavor = "multi_thread")]
async fn the_labs_window_is_found_to_the_byte() {
    const WINDOW: u64 = 128 << 10;
    let (_lab, profile) = edge::open("upper", Scheme::Http).await;
    assert_eq!(profile.lab.as_ref().unwrap()["window"].as_str(), Some("128KiB"));
    let boundary = boundary(&profile);
    let found = measured(profile, &[Quantity::Window], &ALL, 1 << 20).await;
    let bodies: Vec<(Transport, u64)> = found
        .limits
        .iter()
        .map(|limit| match &limit.finding {
            Finding::Window { run, inspected, .. } => {
                assert_eq!(run, "<?php");
                (limit.transport, inspected.body)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    // A reader of forms keeps back the last bytes that may be the start of a boundary, and so the edge does not see them.
    let kept_back = ("\r\n--".len() + boundary.len() - 1) as u64;
    assert_eq!(
        bodies,
        [
            (Transport::Multipart, WINDOW - kept_back),
            (Transport::Put, WINDOW),
            // Four bytes of base64 are three of the file.
            (Transport::Base64Json, WINDOW)
        ]
    );
}

fn boundary(profile: &Profile) -> String {
    let replayer = Replayer::new(Arc::new(profile.clone()), "boundary").unwrap();
    let case = Case { transport: Transport::Multipart, ..canary() };
    let request = replayer.request(&case, "any").unwrap();
    let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type")).unwrap();
    String::from_utf8(header.value.clone()).unwrap().split_once("boundary=").unwrap().1.to_owned()
}
