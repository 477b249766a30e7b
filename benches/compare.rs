//! Two runs of a million cases, read from journal lines, joined and gated: seconds and peak memory.
//!
//! `cargo bench --bench compare`, or with another number of cases after `--`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use wafcanary::compare::{Comparison, Policy, Waivers};
use wafcanary::corpus::Sha256Digest;
use wafcanary::profile::{Environment, Proof};
use wafcanary::run::{CaseRecord, Pool, Run, RunEnding, RunManifest, SideName};

fn main() {
    let cases = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let folder = std::env::temp_dir().join(format!("wafcanary-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let paths = [folder.join("baseline"), folder.join("candidate")];
    for (side, path) in paths.iter().enumerate() {
        write_journal(path, cases, side);
    }
    let begun = Instant::now();
    let mut pool = Pool::default();
    let [baseline, candidate] = [0, 1].map(|side| read(&paths[side], side, &mut pool));
    let read = begun.elapsed();
    let today = jiff::civil::date(2026, 11, 23);
    let made = Comparison::assemble(baseline, candidate, &Policy::default(), &Waivers::default(), today);
    let all = begun.elapsed();
    println!("cases a side   {cases}");
    println!("read           {:.2} s", read.as_secs_f64());
    println!("join and gate  {:.2} s", (all - read).as_secs_f64());
    println!("together       {:.2} s, decision {:?}", all.as_secs_f64(), made.decision);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
    std::fs::remove_dir_all(&folder).expect("own folder");
}

fn write_journal(path: &Path, cases: usize, side: usize) {
    let mut out = BufWriter::new(std::fs::File::create(path).expect("file"));
    let mut line = String::new();
    for at in 0..cases {
        // Each side settles its cases in another order.
        let at = (at * if side == 0 { 7919 } else { 104_729 }) % cases;
        let (outcome, rest) = match at % 100 {
            0 => (
                "blocked",
                format!(
                    r#","signature":"unrecognised","status":404,"evidence":"status 404 with an empty body: the profile accepts 200-204; peer 127.0.0.1:{}""#,
                    at % 60_000
                ),
            ),
            _ => ("delivered", r#","status":200,"evidence":"the receipt has the same SHA-256""#.to_owned()),
        };
        line.clear();
        let name = if side == 0 { "baseline" } else { "candidate" };
        write!(line, r#"{{"event":"case","side":"{name}","case":"pdf/drainage-plan-{}~name:sjis-5c~client:firefox~size:{at}","intent":"legit","verdict":{{"outcome":"{outcome}"{rest}}},"rounds":["{outcome}","{outcome}"],"attempts":2,"procedures":["建築確認申請に関する道路相談 {}"],"filename":"申請書一覧表{}.pdf","place":"manifest.toml:{}","millis":12}}"#, at % 5000, at % 24, at % 5000, at % 5000).expect("text");
        writeln!(out, "{line}").expect("written");
    }
    out.flush().expect("written");
}

fn read(path: &Path, side: usize, pool: &mut Pool) -> Run {
    let mut reader = BufReader::with_capacity(1 << 20, std::fs::File::open(path).expect("file"));
    let mut cases = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).expect("read") > 0 {
        let mut record: CaseRecord = serde_json::from_str(&line).expect("record");
        pool.share(&mut record);
        cases.push(record);
        line.clear();
    }
    cases.shrink_to_fit();
    let profile = ["baseline", "candidate"][side];
    let manifest = RunManifest {
        schema_version: 1,
        tool: "wafcanary".to_owned(),
        run: profile.to_owned(),
        side: if side == 0 { SideName::Baseline } else { SideName::Candidate },
        started: "2026-11-23T00:00:00Z".to_owned(),
        profile: profile.to_owned(),
        profile_digest: Sha256Digest::of(profile.as_bytes()),
        url: "http://127.0.0.1/".to_owned(),
        environment: Environment::Lab,
        proof: Proof::Receipt,
        insecure: false,
        authorized: true,
        rate: None,
        concurrency: 1,
        corpus: "bench".to_owned(),
        corpus_digest: Sha256Digest::of(b"bench"),
        cases: cases.len() as u64,
        rounds: 2,
    };
    Run { manifest, ending: Some(RunEnding::Complete), cases }
}
