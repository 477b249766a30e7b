//! What a real nginx does to uploads is seen as it is; its access log is the second witness.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(unix)]

#[path = "support/edge.rs"]
#[expect(dead_code, reason = "no edge of the lab is used here")]
mod edge;
#[path = "support/upload.rs"]
#[expect(dead_code, reason = "`transport.rs` uses all of it")]
mod upload;

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use edge::{case, empty, from_shift_jis, jpeg, large, pdf};
use tempfile::TempDir;
use upload::Tls;
use wafcanary::corpus::Case;
use wafcanary::profile::target::Scheme;
use wafcanary::profile::{HttpVersion, Profile};
use wafcanary::replay::Replayer;
use wafcanary::verdict::{Outcome, Signatures, Verdict, judge};

const TRIES: usize = 200;

/// How the upload travels to nginx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Tls,
    Http2,
}

const WAYS: [Way; 3] = [Way::Plain, Way::Tls, Way::Http2];

struct Nginx {
    program: &'static str,
    folder: TempDir,
    child: Child,
    plain: u16,
    secure: u16,
    tls: Tls,
}

/// What was seen of one upload: its last attempt's id, the status, and what it means.
struct Seen {
    id: String,
    status: Option<u16>,
    verdict: Verdict,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn program() -> &'static str {
    let works = |name: &&&str| Command::new(name).arg("-v").stderr(Stdio::null()).status().is_ok();
    ["nginx", "/usr/sbin/nginx"].iter().find(works).expect("nginx is missing: `tests/all.sh` installs it")
}

impl Nginx {
    fn start() -> Self {
        let (program, folder, tls) = (program(), tempfile::tempdir().unwrap(), Tls::sound());
        let (plain, secure, down) = (free_port(), free_port(), free_port());
        let config = include_str!("support/nginx.conf")
            .replace("{plain}", &plain.to_string())
            .replace("{secure}", &secure.to_string())
            .replace("{down}", &down.to_string());
        std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
        std::fs::write(folder.path().join("cert.pem"), &tls.cert_pem).unwrap();
        std::fs::write(folder.path().join("key.pem"), &tls.key_pem).unwrap();
        let mut child = Self::command(program, folder.path()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", secure)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "nginx ended: {}", Self::log(folder.path(), "error.log"));
            std::thread::yield_now();
        }
        Self { program, folder, child, plain, secure, tls }
    }

    fn command(program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "error.log"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn log(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    fn profile(&self, way: Way, path: &str) -> Profile {
        let port = self.plain;
        let text = format!(
            "[target]\nurl = \"http://127.0.0.1:{port}{path}\"\n[oracle]\nproof = \"marker\"\nstatus = \"200\"\n\
             body = {{ contains = \"accepted 0001\" }}\n[pace]\nrate = \"unlimited\"\n"
        );
        let mut profile = Profile::load_str(Path::new("nginx.toml"), &text, &|_| None).unwrap();
        let target = &mut profile.target;
        match way {
            Way::Plain => return profile,
            Way::Tls => {}
            Way::Http2 => target.http = HttpVersion::Http2,
        }
        target.scheme = Scheme::Https;
        target.port = self.secure;
        target.tls.ca_pem = Some(self.tls.ca_pem.clone());
        target.tls.server_name = Some("edge.test".to_owned());
        profile
    }

    async fn send(&self, way: Way, path: &str, cases: &[Case], times: usize) -> Vec<Seen> {
        let profile = Arc::new(self.profile(way, path));
        let replayer = Replayer::new(profile.clone(), "nginx").unwrap();
        let mut seen = Vec::new();
        for case in cases.iter().cycle().take(times) {
            let tries = replayer.round(case).await.attempts;
            let observations: Vec<_> = tries.iter().map(|tried| tried.observation.clone()).collect();
            let verdict = judge(&observations, &profile.oracle, Signatures::builtin());
            let last = tries.last().unwrap();
            let status = last.observation.answer.as_ref().map(|answer| answer.status);
            seen.push(Seen { id: last.id.clone(), status, verdict });
        }
        seen
    }

    /// Ends nginx in good order, and gives the status that its log has for each attempt.
    fn quit(mut self) -> HashMap<String, u16> {
        assert!(Self::command(self.program, self.folder.path()).args(["-s", "quit"]).status().unwrap().success());
        self.child.wait().unwrap();
        let log = Self::log(self.folder.path(), "access.log");
        let pair = |line: &str| line.split_once(' ').map(|(status, id)| (id.to_owned(), status.parse().unwrap()));
        log.lines().filter_map(pair).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Already over after `quit`; else the test has failed, and this ends only the process that it started.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files() -> Vec<Case> {
    vec![
        case("pdf/plan", "plan.pdf", "chromium", pdf()),
        case("image/site", "site photo 1.jpg", "curl", jpeg()),
        from_shift_jis(case("pdf/table", "図面_表5.pdf", "chromium", pdf())),
        case("text/empty", "memo.txt", "chromium", empty()),
    ]
}

/// Every upload has this outcome, and the log the status that was seen (444: none was).
async fn always(path: &str, cases: &[Case], times: usize, expected: Outcome, status: u16) {
    let nginx = Nginx::start();
    let mut all = Vec::new();
    for way in WAYS {
        for seen in nginx.send(way, path, cases, times).await {
            assert_eq!(seen.verdict.outcome, expected, "{way:?}: {}", seen.verdict.evidence);
            all.push(seen);
        }
    }
    let logged = nginx.quit();
    for seen in &all {
        assert_eq!(seen.status, (status != 444).then_some(status), "{}", seen.verdict.evidence);
        assert_eq!(logged.get(&seen.id), Some(&status), "the log agrees");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nginx_takes_is_delivered() {
    always("/sink", &files(), 40, Outcome::Delivered, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_without_an_answer_is_dropped() {
    always("/dropped", &files(), 8, Outcome::Dropped, 444).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_redirects_and_a_missing_upstream_are_blocked() {
    for (path, status) in [("/forbidden", 403), ("/away", 302), ("/down", 502)] {
        always(path, &files(), 8, Outcome::Blocked, status).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_page_in_gzip_with_status_200_is_blocked() {
    always("/block-page", &files(), 8, Outcome::Blocked, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_64_kib_is_seen_with_50_mib_every_time() {
    let large = [case("pdf/large", "large.pdf", "chromium", large(50 << 20))];
    always("/small", &large, TRIES, Outcome::TooLarge, 413).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_seen_every_time_when_nginx_closes_at_once() {
    let large = [case("pdf/large", "large.pdf", "chromium", large(50 << 20))];
    always("/small-at-once", &large, TRIES, Outcome::TooLarge, 413).await;
}
