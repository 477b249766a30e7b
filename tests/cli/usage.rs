//! Wrong usage and configuration: exit code 2, and nothing is sent.

use super::{Place, lab, marker_profile};

#[test]
fn an_empty_corpus_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place
        .run(&["run", "--profile", &lab("standard"), "--corpus", "empty", "--out", "out"])
        .says(2, &["the corpus is empty", "empty", "help"]);
    assert!(!place.path("out").exists());
}

#[test]
fn a_selection_that_matches_nothing_is_refused() {
    let place = Place::new();
    place
        .run(&["run", "--profile", &lab("standard"), "--case", "no/such*", "--out", "out"])
        .says(2, &["no/such*", "corpus list"]);
    assert!(!place.path("out").exists());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let place = Place::new();
    place.write("files/a.txt", "a");
    std::os::unix::fs::symlink("nowhere", place.path("files/b.txt")).unwrap();
    place
        .run(&["run", "--profile", &lab("standard"), "--corpus", "files", "--out", "out"])
        .says(2, &["cannot read this file of the corpus", "b.txt"]);
    assert!(!place.path("out").exists());
}

#[test]
fn an_unknown_key_is_shown_in_its_line() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/").replace("answer", "anser"));
    place.run(&["run", "--profile", "p.toml"]).says(2, &["anser", "p.toml:10", "did you mean `answer`"]);
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/${env:NOT_SET_ANYWHERE}"));
    place
        .run(&["run", "--profile", "p.toml"])
        .says(2, &["environment variable `NOT_SET_ANYWHERE` is not set", "target.url", "p.toml"]);
}

#[test]
fn a_wrong_url_is_refused() {
    let place = Place::new();
    for (url, words) in [("form.example.jp", "is not a URL"), ("ftp://form.example.jp/", "is not an http or https URL")]
    {
        place.write("p.toml", &marker_profile(url));
        place.run(&["run", "--profile", "p.toml"]).says(2, &[words, "target.url"]);
    }
}

#[test]
fn a_receipt_on_a_host_that_is_not_listed_is_refused() {
    let place = Place::new();
    let profile = "[target]\nurl = \"http://127.0.0.1:9/\"\n[oracle]\nproof = \"receipt\"\n\
                   receipt = { url = \"http://origin.example.jp/{attempt}\" }\n";
    place.write("p.toml", profile);
    place.run(&["run", "--profile", "p.toml"]).says(2, &["origin.example.jp", "allowed"]);
}

#[test]
fn a_profile_without_proof_is_refused() {
    let place = Place::new();
    place.write("p.toml", "[target]\nurl = \"http://127.0.0.1:9/\"\n");
    place.run(&["run", "--profile", "p.toml"]).says(2, &["no proof of delivery", "receipt"]);
}

#[test]
fn production_needs_a_flag() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/").replace("\"lab\"", "\"production\""));
    place.run(&["run", "--profile", "p.toml"]).says(2, &["sends to production", "--allow-production"]);
    place.run(&["run", "--profile", "p.toml", "--set", "smoke", "--dry-run"]).says(0, &["nothing is sent"]);
}

#[test]
fn an_output_folder_that_cannot_be_written_costs_no_request() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    place.write("file", "");
    // Root may write anywhere, but not below a file, nor below /proc.
    for out in ["file/out", "/proc/wafcanary-out"] {
        place
            .run(&["run", "--profile", "p.toml", "--set", "smoke", "--out", out])
            .says(2, &["cannot write the record", out, "--out"]);
    }
    place
        .run(&["run", "--profile", "p.toml", "--set", "smoke", "--out", "out", "--write", "json=file/x.json"])
        .says(2, &["cannot write the report", "file/x.json"]);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_dry_run_sends_nothing_and_counts() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    let words = ["nothing is sent", "cases", "requests", "bytes", "hosts 127.0.0.1", "not sent: `guard.authorized`"];
    place.run(&["run", "--profile", "p.toml", "--set", "smoke", "--dry-run"]).says(0, &words);
    place
        .run(&["compare", "--baseline", "p.toml", "--candidate", "p.toml", "--set", "smoke", "--dry-run"])
        .says(0, &words);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(!place.path("wafcanary-out").exists());
}

#[test]
fn wrong_arguments_name_the_right_ones() {
    let place = Place::new();
    place.run(&["lab", "up", "nothing"]).says(2, &["there is no embedded edge `nothing`", "standard"]);
    place.run(&["run", "--write", "report.xml"]).says(2, &["FORMAT=FILE"]);
    place.run(&["run", "--write", "yaml=x"]).says(2, &["known formats", "junit"]);
    place.run(&["run", "--client", "netscape"]).says(2, &["known clients", "chromium"]);
    place.run(&["run", "--profile", &lab("standard"), "--rate", "nan"]).says(2, &["no rate", "--rate"]);
    place.run(&["run", "--profile", &lab("standard"), "--concurrency", "0"]).says(2, &["--concurrency"]);
    place.run(&["run"]).says(2, &["no profile is given", "--profile"]);
    place.run(&["compare"]).says(2, &["no baseline is given", "--baseline"]);
    place.run(&["run", "--profile", "none.toml"]).says(2, &["none.toml", "cannot be read"]);
    place.run(&["report", "nowhere"]).says(2, &["no run and no comparison here", "nowhere"]);
    place.run(&["run", "--resume", "a", "--out", "b"]).says(2, &["--resume", "--out"]);
}
