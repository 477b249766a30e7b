//! Comments on pull and merge requests, which a second run updates: the scripts' requests against a server on loopback that keeps
//! comments as GitHub and GitLab do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{root, scrubbed, text};

/// The comments of one request, and what the server was sent.
#[derive(Clone, Default)]
struct Comments {
    all: Arc<Mutex<Vec<Value>>>,
    token: &'static str,
    read_only: bool,
}

impl Respond for Comments {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let given = ["authorization", "private-token"].iter().find_map(|name| request.headers.get(*name));
        if given.is_none_or(|given| given.to_str().unwrap().trim_start_matches("Bearer ") != self.token) {
            return ResponseTemplate::new(401);
        }
        let mut all = self.all.lock().unwrap();
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap()["body"].clone();
        match (request.method.as_str(), self.read_only) {
            ("GET", _) if request.url.path().ends_with("/user") => {
                ResponseTemplate::new(200).set_body_json(json!({ "id": 7 }))
            }
            ("GET", _) => {
                let page =
                    request.url.query_pairs().find(|(key, _)| key == "page").unwrap().1.parse::<usize>().unwrap();
                let page: Vec<_> = all.iter().skip((page - 1) * 100).take(100).collect();
                ResponseTemplate::new(200).set_body_json(page)
            }
            (_, true) => ResponseTemplate::new(403),
            ("POST", false) => {
                let id = all.len() + 1;
                let comment = json!({
                    "id": id, "body": body(), "user": { "type": "Bot" }, "author": { "id": 7 }, "author_association": "NONE",
                });
                all.push(comment.clone());
                ResponseTemplate::new(201).set_body_json(comment)
            }
            ("PATCH" | "PUT", false) => {
                let id: usize = request.url.path().rsplit('/').next().unwrap().parse().unwrap();
                all[id - 1]["body"] = body();
                ResponseTemplate::new(200).set_body_json(&all[id - 1])
            }
            (method, false) => panic!("{method}"),
        }
    }
}

struct Bench {
    server: MockServer,
    comments: Comments,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(read_only: bool) -> Self {
        let comments = Comments { token: "a-t0ken", read_only, ..Comments::default() };
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(comments.clone()).mount(&server).await;
        Self { server, comments, folder: tempfile::tempdir().unwrap() }
    }

    fn report(&self, body: &str) -> PathBuf {
        let path = self.folder.path().join("report.md");
        std::fs::write(&path, format!("<!-- wafcanary -->\n{body}")).unwrap();
        path
    }

    fn bodies(&self) -> Vec<String> {
        let all = self.comments.all.lock().unwrap();
        all.iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    fn add(&self, body: &str, user: &Value, association: &str) {
        let mut all = self.comments.all.lock().unwrap();
        let id = all.len() + 1;
        all.push(
            json!({ "id": id, "body": body, "user": user, "author": { "id": 1 }, "author_association": association }),
        );
    }

    /// Runs the action's script for a pull request; returns what it said.
    async fn github(&self, report: &Path, key: &str, event: Value) -> String {
        self.github_after(report, "0", key, event).await
    }

    /// The same, after a comparison with this exit code.
    async fn github_after(&self, report: &Path, code: &str, key: &str, event: Value) -> String {
        let event_path = self.folder.path().join("event.json");
        std::fs::write(&event_path, event.to_string()).unwrap();
        let mut command = scrubbed(Command::new("bash"), root());
        command.arg(root().join(".github/action/comment.sh"));
        command.env("GITHUB_API_URL", self.server.uri()).env("GITHUB_REPOSITORY", "city/forms");
        command.env("GITHUB_EVENT_PATH", event_path).env("GITHUB_TOKEN", "a-t0ken");
        command.env("CANARY_MARKDOWN", report).env("CANARY_KEY", key).env("RUNNER_TEMP", self.folder.path());
        command.env("CANARY_EXIT_CODE", code);
        said(command).await
    }

    async fn gitlab(&self, report: &Path) -> String {
        self.gitlab_after(report, "0").await
    }

    async fn gitlab_after(&self, report: &Path, code: &str) -> String {
        let mut command = scrubbed(Command::new("sh"), root());
        command.arg(root().join("docs/ci/gitlab-note.sh")).arg(report).arg(code);
        command.env("CI_API_V4_URL", self.server.uri()).env("CI_PROJECT_ID", "12").env("CI_MERGE_REQUEST_IID", "3");
        command.env("CANARY_NOTE_TOKEN", "a-t0ken");
        said(command).await
    }

    async fn paths(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
    }
}

async fn said(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

fn pull_request() -> Value {
    json!({ "pull_request": { "number": 41 } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_has_one_comment_of_each_comparison_and_the_latest_report_in_it() {
    let bench = Bench::new(false).await;
    let hostile = "`$(id)` \"quoted\" \\ 手続 | % <script>";
    bench.github(&bench.report(hostile), "staging", pull_request()).await;
    bench.github(&bench.report("second"), "staging", pull_request()).await;
    assert_eq!(bench.bodies(), ["<!-- wafcanary:staging -->\n<!-- wafcanary -->\nsecond"]);
    bench.github(&bench.report(hostile), "other", pull_request()).await;
    bench.github(&bench.report("third"), "staging", json!({ "issue": { "number": 41, "pull_request": {} } })).await;
    let bodies = bench.bodies();
    assert_eq!(bodies[0], "<!-- wafcanary:staging -->\n<!-- wafcanary -->\nthird");
    assert_eq!(bodies[1], format!("<!-- wafcanary:other -->\n<!-- wafcanary -->\n{hostile}"));
    let paths = bench.paths().await;
    assert!(paths.contains(&"POST /repos/city/forms/issues/41/comments".to_owned()), "{paths:?}");
    assert!(paths.contains(&"PATCH /repos/city/forms/issues/comments/1".to_owned()), "{paths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_found_on_a_later_page_and_that_of_a_stranger_is_left_alone() {
    let bench = Bench::new(false).await;
    let marked = "<!-- wafcanary:staging -->\nmine, says a stranger";
    bench.add(marked, &json!({ "type": "User" }), "NONE");
    for _ in 0..120 {
        bench.add("a talk", &json!({ "type": "User" }), "MEMBER");
    }
    bench.add("<!-- wafcanary:staging -->\nold", &json!({ "type": "User" }), "COLLABORATOR");
    bench.github(&bench.report("new"), "staging", pull_request()).await;
    let bodies = bench.bodies();
    assert_eq!((bodies.len(), bodies[0].as_str()), (122, marked));
    assert!(bodies[121].ends_with("new"), "{}", bodies[121]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_commented_is_a_warning_and_no_failure() {
    let bench = Bench::new(true).await;
    let report = bench.report("report");
    let refused = bench.github(&report, "staging", pull_request()).await;
    assert!(
        refused.contains("::warning title=wafcanary::no comment: it can't be written with this token"),
        "{refused}"
    );
    let key = bench.github(&report, "a --> b", pull_request()).await;
    assert!(key.contains("::warning ") && key.contains("letters, digits"), "{key}");
    let push = bench.github(&report, "staging", json!({ "ref": "refs/heads/main" })).await;
    assert!(push.contains("this is no pull request"), "{push}");
    let issue = bench.github(&report, "staging", json!({ "issue": { "number": 41 } })).await;
    assert!(issue.contains("this is no pull request"), "{issue}");
    let none = bench.github(&bench.folder.path().join("none.md"), "staging", pull_request()).await;
    assert!(none.contains("there is no report"), "{none}");
    assert!(![refused, key, push, none].concat().contains("a-t0ken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_has_one_note_with_the_latest_report_in_it() {
    let bench = Bench::new(false).await;
    bench.add("<!-- wafcanary -->\nof somebody else", &Value::Null, "");
    bench.gitlab(&bench.report("first")).await;
    bench.gitlab(&bench.report("second")).await;
    assert_eq!(bench.bodies(), ["<!-- wafcanary -->\nof somebody else", "<!-- wafcanary -->\nsecond"]);
    let paths = bench.paths().await;
    assert!(paths.contains(&"POST /projects/12/merge_requests/3/notes".to_owned()), "{paths:?}");
    assert!(paths.contains(&"PUT /projects/12/merge_requests/3/notes/2".to_owned()), "{paths:?}");
}

const NOTHING: &str = "## wafcanary: nothing was compared (exit 2)\n\nThe last ";

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_does_not_go_on_speaking_of_an_earlier_run() {
    let bench = Bench::new(false).await;
    let none = bench.folder.path().join("none.md");
    // There is nothing to be mended, and none is made for that.
    let said = bench.github_after(&none, "2", "staging", pull_request()).await;
    assert!(said.contains("there is no report") && !said.contains("::warning"), "{said}");
    bench.add("<!-- wafcanary:staging -->\nof a stranger", &json!({ "type": "User" }), "NONE");
    bench.github_after(&none, "2", "staging", pull_request()).await;
    assert_eq!(bench.bodies(), ["<!-- wafcanary:staging -->\nof a stranger"]);
    bench.github(&bench.report("PASS"), "staging", pull_request()).await;
    bench.github(&bench.report("PASS"), "other", pull_request()).await;
    std::fs::write(&none, "").unwrap();
    bench.github_after(&none, "2", "staging", pull_request()).await;
    let body = bench.bodies()[1].clone();
    assert!(body.starts_with(&format!("<!-- wafcanary:staging -->\n{NOTHING}")) && !body.contains("PASS"), "{body}");
    assert!(bench.bodies()[2].contains("PASS"), "of another comparison");
    // It ended before there was an exit code.
    bench.github_after(&none, "", "staging", pull_request()).await;
    assert!(bench.bodies()[1].contains("## wafcanary: nothing was compared\n"), "{}", bench.bodies()[1]);
    bench.github(&bench.report("again"), "staging", pull_request()).await;
    assert_eq!(bench.bodies()[1], "<!-- wafcanary:staging -->\n<!-- wafcanary -->\nagain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_does_not_go_on_speaking_of_an_earlier_job() {
    let bench = Bench::new(false).await;
    let none = bench.folder.path().join("none.md");
    bench.add("<!-- wafcanary -->\nof somebody else", &Value::Null, "");
    let said = bench.gitlab_after(&none, "2").await;
    assert!(said.contains("there is no report"), "{said}");
    assert_eq!(bench.bodies().len(), 1);
    bench.gitlab(&bench.report("PASS")).await;
    bench.gitlab_after(&none, "2").await;
    let body = bench.bodies()[1].clone();
    assert!(body.starts_with(&format!("<!-- wafcanary -->\n{NOTHING}")) && !body.contains("PASS"), "{body}");
    assert_eq!(bench.bodies()[0], "<!-- wafcanary -->\nof somebody else");
    bench.gitlab(&bench.report("again")).await;
    assert_eq!(bench.bodies()[1], "<!-- wafcanary -->\nagain");
}
