//! A profile is read whole or refused with file, line, key and help.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wafcanary::profile::{self, Profile, ReceiptSource};

const GOOD: &str = "[target]\nurl = \"https://form.example.jp/upload\"\n[oracle]\nproof = \"status\"\nstatus = 200\n";

fn env(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret/to+ken".to_owned()),
        "BASE" => Some("https://staging.example.jp".to_owned()),
        _ => None,
    }
}

fn load(text: &str) -> Result<Profile, wafcanary::error::Error> {
    Profile::load_str(Path::new("p.toml"), text, &env)
}

fn refusal(text: &str) -> String {
    let error = load(text).expect_err("the profile should be refused");
    assert_eq!(error.exit_code(), wafcanary::exit::ExitCode::Usage);
    error.render(false)
}

#[test]
fn defaults_are_polite() {
    let profile = load(GOOD).unwrap();
    assert_eq!((profile.name.as_str(), profile.pace.rate, profile.pace.concurrency), ("p", Some(10.0), 4));
    assert_eq!((profile.pace.burst, profile.pace.canary_every, profile.pace.retries), (4, 25, 1));
    assert_eq!(profile.pace.max_retry_after, Duration::from_secs(120));
    assert_eq!(profile.timeouts.connect, Duration::from_secs(10));
    assert_eq!(profile.timeouts.total, Duration::from_secs(300));
    assert_eq!(profile.guard.allowed_hosts, ["form.example.jp"]);
    assert!(!profile.guard.authorized);
    assert_eq!((profile.target.port, profile.target.path.as_str()), (443, "/upload"));
}

#[test]
fn every_bad_profile_is_refused_with_its_place() {
    let with = |line: &str| format!("{GOOD}{line}\n");
    let cases = [
        ("unknown key", with("[pace]\nrats = 3")),
        ("unset variable", with("[upload]\nfield = \"${env:NOT_THERE}\"")),
        (
            "wrong url",
            "[target]\nurl = \"form.example.jp/upload\"\n[oracle]\nproof = \"status\"\nstatus = 200\n".into(),
        ),
        ("credentials", "[target]\nurl = \"https://u:pw@form.example.jp/\"\n".into()),
        ("no target", "[oracle]\nproof = \"status\"\nstatus = 200\n".into()),
        ("no proof", "[target]\nurl = \"https://form.example.jp/\"\n".into()),
        ("unknown proof", GOOD.replace("\"status\"", "\"statsu\"")),
        ("status not written out", GOOD.replace("status = 200\n", "")),
        ("marker without marker", GOOD.replace("\"status\"", "\"marker\"")),
        ("receipt host", with("receipt = { url = \"https://origin.example.jp/{attempt}\" }")),
        (
            "headers of no request",
            with("receipt = { in = \"answer\", headers = [{ name = \"X-Key\", value = \"k\" }] }"),
        ),
        ("receipt for all", with("receipt = { url = \"/receipt\" }")),
        ("step host", with("[[before]]\nname = \"a\"\nurl = \"http://evil.example/\"")),
        ("target not allowed", with("[guard]\nallowed_hosts = [\"other.example.jp\"]")),
        ("resolve", GOOD.replace("[oracle]", "resolve = [\"form.example.jp:192.0.2.1\"]\n[oracle]")),
        ("connect_to", GOOD.replace("[oracle]", "connect_to = [\"a:b\"]\n[oracle]")),
        ("two bodies", with("[[before]]\nname = \"a\"\nurl = \"/a\"\nform = []\njson = {}")),
        ("capture", with("[upload]\nfields = [{ name = \"t\", value = \"${csrf}\" }]")),
        (
            "two sources",
            with("[[before]]\nname = \"a\"\nurl = \"/\"\ncapture = [{ name = \"x\", json = \"/a\", header = \"b\" }]"),
        ),
        ("regex", with("rejected = { matches = \"(\" }")),
        ("empty marker", with("body = { matches = \".*\" }")),
        ("duration", with("[timeouts]\nconnect = \"ten\"")),
        ("rate", with("[pace]\nrate = 0")),
        ("status set", with("").replace("200", "\"99\"")),
        ("preset", format!("extends = \"preset/cloudflair\"\n{GOOD}")),
        ("syntax", "[target\n".into()),
        ("type", with("[pace]\nconcurrency = \"many\"")),
    ];
    let all: Vec<String> = cases.iter().map(|(name, text)| format!("## {name}\n{}\n", refusal(text))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_circle_of_extends_names_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), "extends = \"b.toml\"\n").unwrap();
    std::fs::write(folder.path().join("b.toml"), "extends = \"a.toml\"\n").unwrap();
    let error = Profile::load(&folder.path().join("a.toml"), &env).unwrap_err().to_string();
    let chain = error.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(
        chain,
        "profiles extend each other in a circle: `a.toml` → `b.toml` → `a.toml` (key `extends`), in `b.toml` line 1"
    );
}

#[test]
fn extends_merges_tables_and_replaces_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let base = format!(
        "name = \"base\"\nextends = \"preset/scutum\"\n{GOOD}[guard]\nallowed_hosts = [\"form.example.jp\", \"a.example\"]\n"
    );
    std::fs::write(folder.path().join("base.toml"), base).unwrap();
    let top = "extends = \"base.toml\"\n[guard]\nallowed_hosts = [\"form.example.jp\"]\n[pace]\nburst = 9\n";
    std::fs::write(folder.path().join("top.toml"), top).unwrap();
    let profile = Profile::load(&folder.path().join("top.toml"), &env).unwrap();
    assert_eq!(profile.name, "top");
    assert_eq!((profile.pace.rate, profile.pace.burst, profile.pace.retries), (Some(1.0), 9, 0));
    assert_eq!(profile.guard.allowed_hosts, ["form.example.jp"]);
    let shown = profile.show();
    assert!(shown.contains("rate = 1  # preset/scutum"), "{shown}");
    assert!(shown.contains("idle = \"30s\"  # default"), "{shown}");
    assert!(shown.contains("burst = 9  # ") && shown.contains("top.toml:5"), "{shown}");
}

#[test]
fn show_and_digest_hold_no_secret() {
    let text = format!(
        "{GOOD}[upload]\nheaders = [{{ name = \"Authorization\", value = \"Bearer ${{env:TOKEN}}\" }}, {{ name = \"Cookie\", value = \"written-out\" }}]\n"
    );
    let profile = load(&text).unwrap();
    let shown = profile.show();
    assert!(!shown.contains("s3cret") && !shown.contains("written-out"), "{shown}");
    assert!(shown.contains("value = \"***\""), "{shown}");
    assert!(!format!("{profile:?}").contains("s3cret/to+ken\""), "the value itself is a Secret");
    assert_eq!(profile.redactor.redact("a s3cret%2Fto%2Bken b"), "a *** b");
    let other = |_: &str| Some("another-secret".to_owned());
    let same = Profile::load_str(Path::new("q.toml"), &format!("name = \"q\"\n{text}"), &other).unwrap();
    assert_eq!(profile.digest(), same.digest());
    assert_ne!(profile.digest(), load(GOOD).unwrap().digest());
}

#[test]
fn an_address_from_the_environment_is_shown_and_tells_edges_apart() {
    let text = GOOD.replace("https://form.example.jp", "${env:BASE}");
    let profile = load(&text).unwrap();
    assert!(profile.show().contains("https://staging.example.jp/upload"));
    let other = |_: &str| Some("https://live.example.jp".to_owned());
    assert_ne!(profile.digest(), Profile::load_str(Path::new("p.toml"), &text, &other).unwrap().digest());
    let with_token = GOOD.replace("/upload", "/upload?t=${env:TOKEN}");
    assert!(!load(&with_token).unwrap().show().contains("s3cret"));
}

#[test]
fn international_names_and_ipv6_are_read() {
    let profile = load(&GOOD.replace("form.example.jp", "申請.example.jp")).unwrap();
    assert_eq!(profile.target.host, "xn--unyq47b.example.jp");
    let profile = load(&GOOD.replace("form.example.jp", "[::1]:8443")).unwrap();
    assert_eq!((profile.target.host.as_str(), profile.target.port), ("::1", 8443));
}

#[test]
fn presets_and_examples_load_and_presets_bring_no_proof() {
    assert!(profile::presets().count() >= 13);
    for preset in profile::presets() {
        let with = load(&format!("extends = \"preset/{}\"\n{GOOD}", preset.name));
        assert!(with.is_ok(), "{}: {}", preset.name, with.unwrap_err());
        assert!(load(preset.text).is_err(), "{} alone is no profile", preset.name);
        assert!(!preset.summary().is_empty());
    }
    let all = |_: &str| Some("value".to_owned());
    for example in std::fs::read_dir("profiles/examples").unwrap() {
        let path: PathBuf = example.unwrap().path();
        let profile = Profile::load(&path, &all).unwrap_or_else(|error| panic!("{}", error.render(false)));
        if path.ends_with("receipt.toml") {
            assert!(matches!(profile.oracle.receipt.unwrap().source, ReceiptSource::Url { .. }));
        }
    }
}

#[test]
fn the_schema_accepts_the_examples_and_refuses_unknown_keys() {
    let schema = serde_json::to_value(profile::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for example in std::fs::read_dir("profiles/examples").unwrap() {
        let table: toml::Table = std::fs::read_to_string(example.unwrap().path()).unwrap().parse().unwrap();
        let value = serde_json::to_value(table).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"pace": {"rats": 3}})));
}

#[test]
fn lint_names_what_is_weak() {
    let text = GOOD.replace("https", "http")
        + "[pace]\nrate = \"unlimited\"\n[guard]\nenvironment = \"production\"\nauthorized = true\n[tls]\ninsecure = true\n";
    let rules: Vec<&str> = profile::check(&load(&text).unwrap()).iter().map(|lint| lint.rule).collect();
    assert_eq!(rules, ["plain-http", "insecure", "weak-proof", "fast", "production", "controls-in-production"]);
    let good = GOOD.replace("proof = \"status\"", "proof = \"marker\"\nbody = { contains = \"accepted\" }");
    assert!(profile::check(&load(&good).unwrap()).is_empty());
}
