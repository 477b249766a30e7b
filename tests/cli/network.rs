//! Edges that cannot be asked, and files that change: exit code 3, never a pass.

use std::io::{Read as _, Write as _};

use wafcanary::lab::{Lab, Options, Validity};

use super::{Place, lab, marker_profile};

#[test]
fn a_name_that_cannot_be_resolved_is_inconclusive() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://nonexistent.invalid/").replace("canary_every = 0", ""));
    place
        .run(&["run", "--profile", "p.toml", "--set", "smoke", "--out", "out"])
        .says(3, &["nonexistent.invalid", "could not be resolved", "no case is settled"]);
}

#[test]
fn an_expired_certificate_is_inconclusive() {
    let place = Place::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = Options { validity: Validity::Expired, ..Options::default() };
    let table: toml::Table = toml::from_str("behaviour = \"fake-success\"").unwrap();
    let lab = runtime.block_on(Lab::start(&table, "lab".as_ref(), &options)).unwrap();
    place.write("ca.pem", lab.ca_pem());
    let profile = marker_profile("https://upload.lab.test/").replace("canary_every = 0", "").replace(
        "[oracle]",
        &format!(
            "connect_to = [\"upload.lab.test:443:127.0.0.1:{}\"]\n[tls]\nca = \"ca.pem\"\n[oracle]",
            lab.https_addr().port()
        ),
    );
    place.write("p.toml", &profile);
    place
        .run(&["run", "--profile", "p.toml", "--set", "smoke", "--out", "out"])
        .says(3, &["TLS failed", "expired", "no case is settled"]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_never_a_pass() {
    let place = Place::new();
    place.write("files/big.txt", "");
    let path = place.path("files/big.txt");
    // More than the buffers of a socket take, so that the rest is unread when the server has the head.
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(64 << 20).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0; 1024]).unwrap();
            file.set_len(4096).unwrap();
            // Takes what comes; then says what it says to all.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\nreceived as number");
        }
    });
    place
        .run(&[
            "run",
            "--profile",
            "p.toml",
            "--corpus",
            "files",
            "--set",
            "smoke",
            "--client",
            "chromium",
            "--out",
            "out",
        ])
        .says(3, &["the file could not be read", "0 of"]);
}

#[test]
fn a_run_of_an_edge_that_delivers_exits_0_and_one_that_refuses_exits_1() {
    let place = Place::new();
    place
        .run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "good"])
        .says(0, &["controls blocked"]);
    place.run(&["run", "--profile", &lab("upper"), "--set", "smoke", "--out", "bad"]).says(1, &["blocked"]);
}

#[test]
fn controls_stay_home_where_nobody_agreed_to_them() {
    let place = Place::new();
    let base = std::fs::read_to_string(lab("base")).unwrap().replace("authorized = true", "authorized = false");
    place.write("base.toml", &base);
    place.write("standard.toml", &std::fs::read_to_string(lab("standard")).unwrap());
    place
        .run(&["run", "--profile", "standard.toml", "--set", "smoke", "--out", "out"])
        .says(0, &["controls were not sent"]);
    assert!(!place.read("out/journal.jsonl").contains("\"case\":\"control/"));
    // Not even by name, or by tag.
    for (only, value, words) in [
        ("--case", "control/*", "cases matches `control/*`"),
        ("--tag", "eicar", "controls are sent where the profile says `authorized = true`"),
    ] {
        place.run(&["run", "--profile", "standard.toml", only, value, "--out", "none"]).says(2, &[words]);
        assert!(!place.path("none").exists());
    }
}

#[test]
fn a_baseline_on_which_nothing_passes_is_inconclusive() {
    let place = Place::new();
    place
        .run(&[
            "compare",
            "--baseline",
            &lab("lie-fake-success"),
            "--candidate",
            &lab("standard"),
            "--set",
            "smoke",
            "--out",
            "out",
        ])
        .says(3, &["nothing gets through the baseline"]);
    assert!(place.read("out/comparison.json").contains("\"dead_baseline\""));
}

#[test]
fn the_same_edge_twice_is_a_mistake_unless_it_is_asked_for() {
    let place = Place::new();
    let same = ["compare", "--baseline", &lab("standard"), "--candidate", &lab("standard"), "--set", "smoke"];
    place.run(&same).says(3, &["the same edge", "--allow-same-edge"]);
    assert!(!place.path("wafcanary-out").exists(), "nothing was sent");
    place.run(&[&same[..], &["--allow-same-edge", "--out", "out"]].concat()).says(0, &[]);
    assert!(place.read("out/comparison.json").contains("\"decision\": \"pass\""));
}

#[test]
fn a_stored_run_of_the_same_edge_is_found_before_anything_is_sent() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "stored"]).says(0, &[]);
    place
        .run(&["compare", "--baseline", "stored", "--candidate", &lab("standard"), "--set", "smoke", "--out", "out"])
        .says(3, &["the same edge"]);
    place
        .run(&["compare", "--baseline", "stored", "--candidate", "stored", "--out", "stored-twice"])
        .says(3, &["the same edge"]);
    assert!(!place.path("out").exists());
}

#[test]
fn a_stored_run_of_another_selection_is_found_before_anything_is_sent() {
    let place = Place::new();
    place.run(&["run", "--profile", &lab("standard"), "--set", "smoke", "--out", "stored"]).says(0, &[]);
    place
        .run(&["compare", "--baseline", "stored", "--candidate", &lab("upper"), "--case", "pdf/*", "--out", "out"])
        .says(3, &["not the same", "stored"]);
    place.run(&["run", "--profile", &lab("upper"), "--case", "pdf/*", "--out", "other"]);
    place
        .run(&["compare", "--baseline", "stored", "--candidate", "other", "--out", "stored-both"])
        .says(3, &["corpus", "send one again"]);
    assert!(!place.path("out").exists());
}
