//! Each way to refuse, 200 times.

use std::collections::BTreeMap;

use crate::heard::{disagreements, hear, run};
use crate::lab::{Engines, lab};
use crate::witnesses::Mark;

const MIB: usize = 1 << 20;

const TIMES: usize = 200;

/// As many files, in turn of these sizes and under names of all sorts.
fn corpus(engines: &Engines, name: &str, sizes: [usize; 4]) -> String {
    let folder = engines.path(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (size, name) in sizes.iter().zip(["plan.pdf", "図面 表5.pdf", "site photo 1.jpg", "memo"]) {
        let first = folder.join(format!("1 {name}"));
        std::fs::write(&first, vec![b'x'; *size]).unwrap();
        for number in 2..=TIMES / sizes.len() {
            std::fs::hard_link(&first, folder.join(format!("{number} {name}"))).unwrap();
        }
    }
    folder.display().to_string()
}

/// Each of these engines has this outcome 200 times of 200, and the witnesses agree each time.
fn always(engines: &Engines, corpus: &str, profiles: &[&str], outcome: &str) {
    for profile in profiles {
        let heard = run(engines, profile, &["--corpus", corpus, "--concurrency", "64"]);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for case in &heard.record.cases {
            *counts.entry(&case.outcome).or_default() += 1;
        }
        println!("{profile:<26} {counts:?}");
        assert_eq!(counts, [(outcome, TIMES)].into(), "{profile}");
        let wrong = disagreements(&heard);
        assert!(wrong.is_empty(), "{profile}: {wrong:#?}");
    }
}

#[test]
fn a_limit_that_answers_early_is_too_large_200_times_of_200_over_http_and_https() {
    let engines = lab();
    let corpus = corpus(&engines, "over-1-mib", [MIB + 1, 3 * MIB, 5_000_000, 20 * MIB]);
    let profiles = [
        "hap-limit",
        "hap-limit-tls",
        "hap-limit-tls-h2",
        "apa-limit",
        "apa-limit-tls",
        "ngx-cmbs1m",
        "ngx-cmbs1m-tls",
        "ngx-cmbs1m-tls-h2",
        "ngx-early-nolinger",
        "ngx-early-nolinger-tls",
        "ngx-early-nolinger-tls-h2",
    ];
    always(&engines, &corpus, &profiles, "too_large");
}

#[test]
fn a_refusal_on_the_headers_is_seen_200_times_of_200_over_http_and_https() {
    let engines = lab();
    let corpus = corpus(&engines, "all-sizes", [0, 1000, 3 * MIB, 20 * MIB]);
    always(&engines, &corpus, &["ngx-early", "ngx-early-tls", "ngx-early-tls-h2"], "blocked");
    always(&engines, &corpus, &["ngx-444", "ngx-444-tls", "ngx-444-tls-h2"], "dropped");
}

#[test]
fn a_refusal_after_the_body_is_blocked_200_times_of_200_over_http_and_https() {
    let engines = lab();
    let corpus = corpus(&engines, "small", [0, 1000, 100_000, 3 * MIB]);
    for style in ["ngx-soft200", "ngx-redirect", "ngx-502", "ngx-slow504"] {
        let profiles = ["", "-tls", "-tls-h2"].map(|over| format!("{style}{over}"));
        always(&engines, &corpus, &profiles.each_ref().map(String::as_str), "blocked");
    }
}

#[test]
fn the_limit_of_modsecurity_3_is_blocked_and_that_of_2_too_large() {
    let engines = lab();
    let corpus = corpus(&engines, "over-12-5-mib", [13 * MIB, 13_107_200, 14_000_000, 14 * MIB]);
    always(&engines, &corpus, &["ngx-rec-only"], "blocked");
    always(&engines, &corpus, &["apa-rec-only"], "too_large");
}

#[test]
fn too_many_requests_are_throttled_and_asked_again_when_told() {
    let engines = lab();
    for profile in ["ngx-429", "ngx-429-tls", "ngx-429-tls-h2"] {
        let heard = run(&engines, profile, &["--set", "smoke"]);
        let wrong = disagreements(&heard);
        assert!(wrong.is_empty(), "{profile}: {wrong:#?}");
        let throttled = |attempt: &&crate::record::Attempt| attempt.outcome.as_deref() == Some("throttled");
        let count = heard.record.attempts().map(|(_, attempt)| attempt).filter(throttled).count();
        assert!(count > 0, "{profile}: none was");
        assert!(heard.record.cases.iter().all(|case| case.outcome == "delivered"), "{profile}");
    }
}

#[test]
fn a_run_that_may_not_wait_is_inconclusive() {
    let engines = lab();
    let profile = engines.path("hasty.toml");
    let text = format!("extends = {:?}\n[pace]\nmax_retry_after = \"0s\"\n", engines.profile("ngx-429"));
    std::fs::write(&profile, text).unwrap();
    let mark = Mark::new(&engines, "ngx-429", &engines.origin_log());
    let out = engines.out();
    let (path, folder) = (profile.to_str().unwrap(), out.to_str().unwrap());
    let ran = engines.wafcanary(&["run", "--profile", path, "--out", folder, "--set", "smoke", "--concurrency", "8"]);
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    assert!(!ran.out.contains("PASS"), "{}", ran.out);
    let heard = hear(&mark, &out);
    assert_eq!(heard.record.ending, "banned");
    // All that it left: no attempt disagrees with the witnesses.
    assert_eq!(disagreements(&heard), ["the run ended as banned"]);
}
