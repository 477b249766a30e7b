//! `profile check` and the preflight of `compare`: what is said, the exit code, and that nothing else is sent.

use std::process::Command;

use wafcanary::lab::{Lab, Options};

use super::{Place, Ran, lab, marker_profile, ran};

/// A port at which nothing listens.
fn nothing() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// A profile of the lab with other values; `base.toml` goes along.
fn write_lab(place: &Place, name: &str, file: &str, change: impl Fn(String) -> String) {
    place.write("base.toml", &std::fs::read_to_string(lab("base")).unwrap());
    place.write(file, &change(std::fs::read_to_string(lab(name)).unwrap()));
}

fn compare(place: &Place, baseline: &str, candidate: &str, out: &str, more: &[&str]) -> Ran {
    ran(&mut comparing(place, baseline, candidate, out, more))
}

fn comparing(place: &Place, baseline: &str, candidate: &str, out: &str, more: &[&str]) -> Command {
    let sides = ["compare", "--baseline", baseline, "--candidate", candidate, "--set", "smoke", "--out", out];
    place.command(&[&sides, more].concat())
}

#[test]
fn a_profile_that_does_what_it_says_exits_0_with_a_line_for_each_check() {
    let place = Place::new();
    let checked = place.run(&["profile", "check", &lab("standard")]);
    checked.says(0, &["is sound: 0 warnings", "8 uploads", "ok reachable", "ok receipt", "ok benign", "ok controls"]);
    checked.says(0, &["ok pace", "5 ok · 0 warnings · 0 failed · 0 unknown"]);
    place.run(&["profile", "check", &lab("standard"), &lab("upper")]).says(0, &["ok sides", "they differ in: address"]);
}

#[test]
fn what_a_check_finds_is_its_exit_code() {
    let place = Place::new();
    place.run(&["profile", "check", &lab("lie-ban")]).says(1, &["failed pace", "hint: lower `pace.rate`"]);
    place.write("p.toml", &marker_profile(&nothing()));
    place.run(&["profile", "check", "p.toml"]).says(3, &["unknown unreachable", "hint: does anything listen"]);
    place.write("p.toml", &marker_profile(&nothing()).replace("[guard]", "[guard]\nauthorized = true"));
    place.run(&["profile", "check", "p.toml", &lab("lie-ban")]).says(1, &["unknown unreachable", "failed pace"]);
    place.run(&["profile", "check", &lab("lie-lost")]).says(0, &["warning waf_off"]);
    place.run(&["profile", "check", "nowhere.toml"]).says(2, &["nowhere.toml"]);
    place.run(&["profile", "check"]).says(2, &["FILE"]);
}

#[test]
fn an_offline_check_sends_nothing() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    place.write("p.toml", &marker_profile(&format!("http://{}/", listener.local_addr().unwrap())));
    place.run(&["profile", "check", "p.toml", "--offline"]).says(0, &["profile `p` is sound"]);
    ran(place.command(&["profile", "check", "p.toml"]).env("WAFCANARY_OFFLINE", "1")).says(0, &["is sound"]);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn an_offline_check_takes_many_profiles_and_tells_what_is_wrong_with_each() {
    let place = Place::new();
    let secret = "[upload]\nheaders = [{ name = \"Authorization\", value = \"Bearer ${env:CANARY_TEST_SECRET}\" }]\n";
    place.write("secret.toml", &(marker_profile(&nothing()) + secret));
    place.write("plain.toml", &marker_profile(&nothing()));
    place.write("typo.toml", &marker_profile(&nothing()).replace("proof", "prove"));
    place.write("empty.toml", "");
    let check = ["profile", "check", "--offline"];
    let upper = lab("upper");
    let sound = [&check[..], &["secret.toml", "plain.toml", &upper]].concat();
    place.run(&sound).says(0, &["the variable `CANARY_TEST_SECRET` is not set here", "`plain` is sound", "upper plan"]);
    let set = ran(place.command(&sound).env("CANARY_TEST_SECRET", "a-secret-that-is-set"));
    assert!(!set.says(0, &["`secret` is sound"]).out.contains("is not set"), "{}", set.out);
    let some = [&check[..], &["typo.toml", "plain.toml", "empty.toml"]].concat();
    place.run(&some).says(2, &["unknown key `prove`", "typo.toml", "`plain` is sound", "no target", "empty.toml"]);
    place.run(&["profile", "check", "plain.toml", "plain.toml", "plain.toml"]).says(2, &["3 profiles", "--offline"]);
    place.run(&["profile", "check", "secret.toml"]).says(2, &["CANARY_TEST_SECRET"]);
}

#[test]
fn a_check_of_production_needs_a_flag() {
    let place = Place::new();
    place.write("p.toml", &marker_profile(&nothing()).replace("\"lab\"", "\"production\""));
    place.run(&["profile", "check", "p.toml"]).says(2, &["sends to production", "--offline", "--allow-production"]);
    place.run(&["profile", "check", "p.toml", "--offline"]).says(0, &["uploads go to production"]);
    place.run(&["profile", "check", "p.toml", "--allow-production"]).says(3, &["unreachable"]);
}

#[test]
fn a_side_that_cannot_be_asked_ends_the_comparison_before_the_corpus_and_leaves_no_record() {
    let place = Place::new();
    place.write("p.toml", &marker_profile(&nothing()));
    place.write("output.txt", "");
    for (baseline, candidate, name) in [("p.toml", &*lab("upper"), "baseline"), (&lab("upper"), "p.toml", "candidate")]
    {
        place.write("junit.xml", "<earlier/>");
        let mut command = comparing(&place, baseline, candidate, "out", &["--write", "junit=junit.xml"]);
        let compared = ran(command.env("GITHUB_OUTPUT", place.path("output.txt")));
        compared.says(3, &[&format!("preflight of the {name}"), "unreachable", "p.toml", "does anything listen"]);
        assert!(compared.out.is_empty() && !place.path("out").exists());
        assert_eq!(place.read("junit.xml"), "", "an earlier report is not that of this comparison");
    }
    assert_eq!(place.read("output.txt"), "decision=inconclusive\nexit_code=3\n".repeat(2));
}

#[test]
fn a_ban_by_controls_ends_the_comparison_and_the_flag_goes_on() {
    let place = Place::new();
    compare(&place, &lab("standard"), &lab("lie-ban"), "out", &[])
        .says(3, &["preflight of the candidate", "(pace)", "lower `pace.rate`", "--no-preflight"]);
    assert!(!place.path("out").exists());
    compare(&place, &lab("standard"), &lab("lie-ban"), "out", &["--no-preflight"]).says(3, &["inconclusive"]);
    assert!(place.path("out/comparison.json").exists());
}

#[test]
fn a_benign_file_that_is_refused_ends_the_comparison_at_the_baseline_alone() {
    let place = Place::new();
    // An answer that no success page has: the proof is wrong.
    write_lab(&place, "standard", "wrong.toml", |text| text + "\n[oracle]\nbody = { contains = \"no such text\" }\n");
    compare(&place, "wrong.toml", &lab("standard"), "out", &[])
        .says(3, &["preflight of the baseline", "benign_refused", "by hand", "--no-preflight"]);
    compare(&place, &lab("standard"), "wrong.toml", "out", &[])
        .says(1, &["warning: preflight of the candidate", "benign_refused", "newly blocked"]);
}

#[test]
fn an_edge_without_canary_controls_may_refuse_even_as_a_baseline() {
    let place = Place::new();
    let more = "\n[oracle]\nbody = { contains = \"no such text\" }\n[pace]\ncanary_every = 0\n";
    write_lab(&place, "standard", "refuses.toml", |text| text + more);
    compare(&place, "refuses.toml", &lab("standard"), "out", &[])
        .says(3, &["warning: preflight of the baseline", "nothing gets through the baseline"]);
}

#[test]
fn two_sides_without_a_waf_are_told_once_and_more_strongly() {
    let place = Place::new();
    let off = |text: String| {
        // The rules stand at the end of the table.
        let kept = text.lines().take_while(|line| !line.starts_with("refuse_"));
        kept.fold(String::new(), |all, line| all + line + "\n")
    };
    write_lab(&place, "standard", "one.toml", off);
    write_lab(&place, "standard", "two.toml", |text| off(text).replace("128KiB", "64KiB"));
    let compared = compare(&place, "one.toml", "two.toml", "out", &[]);
    assert!(compared.err.contains("neither side has a WAF that blocks"), "{}", compared.err);
    assert_eq!(compared.err.matches("waf_off").count(), 1, "{}", compared.err);
    let one_sided = compare(&place, "one.toml", &lab("standard"), "other", &[]);
    assert!(one_sided.err.contains("warning: preflight of the baseline: every control gets past"), "{}", one_sided.err);
}

#[test]
fn two_profiles_of_one_edge_are_warned_of_unless_that_is_meant() {
    let place = Place::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let table: toml::Table = std::fs::read_to_string(lab("standard")).unwrap().parse().unwrap();
    let table = table["lab"].as_table().unwrap();
    let lab = runtime.block_on(Lab::start(table, "lab".as_ref(), &Options::default())).unwrap();
    let profile = |rate: u32| {
        marker_profile(&format!("http://{}/", lab.http_addr()))
            .replace("rate = \"unlimited\"\ncanary_every = 0", &format!("rate = {rate}"))
            .replace("\"received as number\"", "\"受付番号\"")
            .replace("[guard]", "[guard]\nauthorized = true")
    };
    place.write("now.toml", &profile(5000));
    place.write("next.toml", &profile(6000));
    let words = ["the two sides look like one edge", "the same address (127.0.0.1:", "differ in nothing", "same_edge"];
    compare(&place, "now.toml", "next.toml", "out", &[]).says(0, &words);
    let meant = compare(&place, "now.toml", "next.toml", "meant", &["--allow-same-edge"]);
    assert!(!meant.says(0, &[]).err.contains("same_edge"));
    place.run(&["profile", "check", "now.toml", "next.toml"]).says(0, &["warning same_edge"]);
}

#[test]
fn a_ceiling_without_room_for_the_preflight_is_noted_and_kept() {
    let place = Place::new();
    let low = |text: String| text + "\n[pace]\nmax_requests = 60\n";
    write_lab(&place, "standard", "low.toml", low);
    compare(&place, "low.toml", &lab("upper"), "out", &[])
        .says(1, &["the baseline is not asked", "pace.max_requests", "newly blocked"]);
}

#[test]
fn a_dry_run_counts_the_preflight() {
    let place = Place::new();
    compare(&place, &lab("standard"), &lab("upper"), "out", &["--dry-run"]).says(0, &["up to 11 of the preflight"]);
    let without = compare(&place, &lab("standard"), &lab("upper"), "out", &["--dry-run", "--no-preflight"]);
    assert!(!without.says(0, &[]).out.contains("of the preflight"));
}
