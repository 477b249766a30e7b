//! Killed at any moment, a run goes on where it stopped: nothing is lost, nothing is doubled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kills with SIGKILL, at moments spread over the whole length of a run.
const KILLS: u32 = 50;

fn wafcanary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wafcanary"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--no-config", "--no-progress"]).args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WAFCANARY_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a journal says became of each case: outcome, rounds, attempts. Panics on a case that stands there twice.
fn settled(dir: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(dir.join("journal.jsonl")).unwrap();
    let mut settled = BTreeMap::new();
    let mut attempts: BTreeMap<String, u64> = BTreeMap::new();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        match event["event"].as_str().unwrap() {
            "attempt" => *attempts.entry(event["case"].as_str().unwrap().to_owned()).or_default() += 1,
            "case" => {
                let case = event["case"].as_str().unwrap().to_owned();
                let what = format!("{} {} {}", event["verdict"]["outcome"], event["rounds"], event["attempts"]);
                assert_eq!(
                    attempts[&case],
                    event["attempts"].as_u64().unwrap(),
                    "attempts of {case} are all on record"
                );
                assert!(settled.insert(case.clone(), what).is_none(), "{case} stands twice in {}", dir.display());
            }
            _ => {}
        }
    }
    settled
}

/// Starts the command with `--out`, kills it at the given share of its usual length, resumes it, and returns the folder.
fn killed_and_resumed(command: &[&str], out: &Path, after: Duration) -> i32 {
    let out_text = out.to_str().unwrap();
    let mut child = wafcanary(&[command, &["--out", out_text]].concat()).spawn().unwrap();
    let deadline = Instant::now() + after;
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL: no handler runs.
    child.kill().unwrap();
    let killed = child.wait().unwrap();
    if killed.code().is_some() {
        return killed.code().unwrap();
    }
    if !out.join("options.json").exists() {
        // Killed before it had written anything, and so before it had sent anything.
        return wafcanary(&[command, &["--out", out_text]].concat()).status().unwrap().code().unwrap();
    }
    let resumed = wafcanary(&[command[0], "--resume", out_text]).status().unwrap();
    resumed.code().unwrap()
}

#[test]
fn a_run_killed_at_50_random_moments_equals_the_uninterrupted_one() {
    let dir = tempfile::tempdir().unwrap();
    let command = [
        "run",
        "--profile",
        "profiles/lab/upper.toml",
        "--set",
        "standard",
        "--rate",
        "400",
        "--client",
        "chromium,curl",
    ];
    let whole = dir.path().join("whole");
    let began = Instant::now();
    let code =
        wafcanary(&[&command[..], &["--out", whole.to_str().unwrap()]].concat()).status().unwrap().code().unwrap();
    let length = began.elapsed();
    let expected = settled(&whole);
    assert!(expected.len() > 50, "{} cases", expected.len());
    for kill in 0..KILLS {
        let out = dir.path().join(kill.to_string());
        // Spread by the golden ratio: as good as random, and the same each time.
        let share = (f64::from(kill) * 0.618_033_988_75).fract();
        let resumed = killed_and_resumed(&command, &out, length.mul_f64(share));
        assert_eq!(resumed, code, "kill {kill} at {share:.2}");
        assert_eq!(settled(&out), expected, "kill {kill} at {share:.2}");
    }
}

#[test]
fn a_comparison_killed_half_way_equals_the_uninterrupted_one() {
    let dir = tempfile::tempdir().unwrap();
    let command = [
        "compare",
        "--baseline",
        "profiles/lab/standard.toml",
        "--candidate",
        "profiles/lab/upper.toml",
        "--set",
        "smoke",
        "--rate",
        "100",
    ];
    let whole = dir.path().join("whole");
    let began = Instant::now();
    let code =
        wafcanary(&[&command[..], &["--out", whole.to_str().unwrap()]].concat()).status().unwrap().code().unwrap();
    assert_eq!(code, 1);
    let length = began.elapsed();
    for (number, share) in [0.3, 0.5, 0.7, 0.9].into_iter().enumerate() {
        let out = dir.path().join(number.to_string());
        assert_eq!(killed_and_resumed(&command, &out, length.mul_f64(share)), code, "killed at {share}");
        for side in ["baseline", "candidate"] {
            let (ours, expected) = (settled(&out.join(side)), settled(&whole.join(side)));
            assert_eq!(
                ours.keys().collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>(),
                "{side} killed at {share}"
            );
        }
        let decision = |dir: &Path| -> serde_json::Value {
            let text = std::fs::read_to_string(dir.join("comparison.json")).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["counts"].clone()
        };
        assert_eq!(decision(&out), decision(&whole), "killed at {share}");
    }
}
