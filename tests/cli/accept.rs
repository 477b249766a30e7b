//! `accept`: findings become waivers one by one, at a terminal and without one, and the file is whole after each.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::terminal::Terminal;
use super::{Place, Ran, lab, marker_profile, ran};

/// A day on which all that is accepted here holds.
static DAY: LazyLock<String> = LazyLock::new(|| in_days(400));

/// The day after so many days.
fn in_days(days: i64) -> String {
    jiff::ZonedDateTime::now().date().saturating_add(jiff::Span::new().days(days)).to_string()
}

/// A comparison of the lab's plans in `cmp`: 5 cases of drawings, 3 of workbooks with macros and one more are newly blocked.
fn compared(place: &Place) {
    let (standard, upper) = (lab("standard"), lab("upper"));
    let cases = "dxf/*,xlsm/*,docm/*,csv/*,control/eicar-pdf";
    let compare = ["compare", "--baseline", &standard, "--candidate", &upper, "--out", "cmp", "--case", cases];
    assert_eq!(place.run(&compare).code, Some(1));
}

/// `accept`, outside any pipeline.
fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = place.command(&[&["accept"], arguments].concat());
    command.env_remove("CI");
    command
}

fn accept(place: &Place, arguments: &[&str]) -> Ran {
    ran(&mut command(place, arguments))
}

/// `accept` in a terminal.
fn terminal(place: &Place, arguments: &[&str]) -> Terminal {
    Terminal::new(&command(place, arguments))
}

/// Compares the stored runs again, with these waivers.
fn gate(place: &Place, waivers: &str) -> Ran {
    let out = format!("again-{}", std::fs::read_dir(place.path("")).unwrap().count());
    let sides = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate"];
    place.run(&[&sides[..], &["--waivers", waivers, "--out", &out]].concat())
}

/// The waivers of the file as another TOML parser reads them: case, class, owner, reason, day.
fn read_by_python(place: &Place, file: &str) -> Vec<[String; 5]> {
    let script = "import json, sys, tomllib\n\
                  keys = ['case', 'class', 'owner', 'reason', 'expires']\n\
                  waivers = tomllib.load(open(sys.argv[1], 'rb')).get('waiver', [])\n\
                  print(json.dumps([[str(waiver[key]) for key in keys] for waiver in waivers]))";
    let output = Command::new("python3").args(["-c", script]).arg(place.path(file)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Files that `accept` left behind beside the waivers.
fn droppings(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.starts_with(".wafcanary")).collect()
}

const MENU: &str = "[q]uit > ";

#[test]
fn findings_are_waived_one_by_one_and_the_gate_passes_for_them() {
    let place = Place::new();
    compared(&place);
    let mut at = terminal(&place, &["cmp"]);
    at.wait("waivers: waivers.toml (none in it yet)").wait("1 of ");
    // Typed with a Japanese keyboard.
    let wide: String =
        DAY.chars().map(|c| if c == '-' { '／' } else { char::from_u32(c as u32 + 0xfee0).unwrap() }).collect();
    let mut decided = 0;
    loop {
        at.wait(MENU).line(if decided % 2 == 0 { "w" } else { "ｗ" });
        if decided == 0 {
            at.wait("owner: ").line("窓口係　山田").wait("reason: ").line("窓口で受ける\"暫定\" \\ #1");
        } else {
            // As the last time.
            at.wait("owner [窓口係　山田]: ").line("").wait("reason [窓口で受ける\"暫定\" \\ #1]: ").line("");
        }
        at.wait("last day, or so many days (30 = ").line(&wide);
        at.wait("written   ").wait(&format!("until {}, in waivers.toml", *DAY));
        decided += 1;
        let written: BTreeSet<String> =
            read_by_python(&place, "waivers.toml").into_iter().map(|[case, ..]| case).collect();
        assert!(written.len() >= decided, "{written:?}");
        if written.iter().filter(|case| !case.contains('*')).count() == 9 {
            break;
        }
    }
    at.wait("9 findings waived, 0 kept, 0 left undecided");
    assert_eq!(at.end(), Some(0), "{}", at.text());
    for [case, class, owner, reason, expires] in read_by_python(&place, "waivers.toml") {
        assert_eq!((&*class, &*owner, &*expires), ("newly_blocked", "窓口係　山田", &**DAY), "{case}");
        assert_eq!(reason, "窓口で受ける\"暫定\" \\ #1");
    }
    gate(&place, "waivers.toml").says(0, &["PASS", "9 waived"]);
    assert!(!at.text().contains('\u{1b}'), "NO_COLOR is set");
    assert_eq!(droppings(&place), [""; 0]);
    // Nothing is left to ask.
    let mut at = terminal(&place, &["cmp"]);
    at.wait("waived already: newly blocked  ").wait("no finding is left to decide on");
    assert_eq!(at.end(), Some(0));
}

#[test]
fn keep_skip_back_and_quit_do_what_they_say() {
    let place = Place::new();
    compared(&place);
    let before = "# ours\n\n[[waiver]]   # old\ncase = \"zip/other\"\nclass = 'flaky'\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-01-01";
    place.write("ours.toml", before);
    let mut at =
        terminal(&place, &["cmp", "--waivers", "ours.toml", "--owner", "web", "--reason", "agreed", "--expires", &DAY]);
    at.wait("(1 in it)").wait("1 of ").wait(MENU).line("b").wait("this is the first one").wait("1 of ");
    at.wait(MENU).line("what?").wait("w  waive these cases").wait(MENU).line("k").wait("2 of ");
    at.wait(MENU).line("w").wait("owner [web]: ").line("-").wait(MENU);
    assert_eq!(place.read("ours.toml"), before);
    at.line("w")
        .wait("owner [web]: ")
        .line("")
        .wait("reason [agreed]: ")
        .line("")
        .wait(&format!("[{}]: ", *DAY))
        .line("2001-01-01");
    at.wait("2001-01-01 is not in the future").wait("]: ").line("soon").wait("write a day as").wait("]: ").line("");
    at.wait("written   ").wait("3 of ").wait(MENU);
    assert!(place.read("ours.toml").starts_with(&format!("{before}\n\n[[waiver]]\n")), "{}", place.read("ours.toml"));
    at.line("b").wait("taken back: ").wait("2 of ").wait(MENU);
    assert_eq!(place.read("ours.toml"), before);
    at.line("b").wait("back to ").wait("1 of ").wait(MENU).line("s").wait("2 of ").wait(MENU).line("ｋ").wait("3 of ");
    at.wait(MENU).line("quit").wait("0 findings waived");
    assert_eq!(at.end(), Some(3), "{}", at.text());
    assert_eq!(place.read("ours.toml"), before);
}

#[test]
fn what_was_taken_from_nothing_goes_back_to_nothing_and_a_changed_file_stays() {
    let place = Place::new();
    compared(&place);
    let flags = ["cmp", "--owner", "web", "--reason", "agreed", "--expires", &DAY];
    let mut at = terminal(&place, &flags);
    at.wait(MENU).line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("2 of ").wait(MENU);
    at.line("u").wait("taken back").wait("1 of ").wait(MENU);
    assert!(!place.path("waivers.toml").exists());
    at.line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("2 of ").wait(MENU);
    let theirs = place.read("waivers.toml") + "# theirs\n";
    place.write("waivers.toml", &theirs);
    at.line("b").wait("changed since").wait("2 of ").wait(MENU).keys(b"\x04").wait("left undecided");
    assert_eq!(at.end(), Some(3));
    assert_eq!(place.read("waivers.toml"), theirs);
}

#[test]
fn ctrl_c_and_a_kill_half_way_keep_what_was_decided() {
    for killed in [false, true] {
        let place = Place::new();
        compared(&place);
        let mut at = terminal(&place, &["cmp", "--owner", "web", "--reason", "agreed", "--expires", &DAY]);
        at.wait(MENU).line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("2 of ").wait(MENU);
        // In the midst of the second one.
        at.line("w").wait("owner [web]: ").line("").wait("reason [agreed]: ").keys("途中".as_bytes()).wait("途中");
        if killed {
            at.kill();
        } else {
            at.keys(b"\x03").wait("left undecided");
            assert_eq!(at.end(), Some(130), "{}", at.text());
        }
        let written = read_by_python(&place, "waivers.toml");
        assert!(
            !written.is_empty() && written.iter().all(|[.., owner, reason, _]| owner == "web" && reason == "agreed")
        );
        let waived = written.len();
        let again = gate(&place, "waivers.toml");
        again.says(1, &[&format!("{waived} waived")]);
        assert_eq!(droppings(&place), [""; 0]);
        // It goes on where it was.
        let mut at = terminal(&place, &["cmp"]);
        at.wait("waived already: ").wait("1 of ").wait(MENU).line("q");
        assert_eq!(at.end(), Some(3));
    }
}

#[test]
fn killed_at_any_moment_it_leaves_the_old_file_or_the_new_one() {
    let place = Place::new();
    compared(&place);
    let old = "# ours\n".repeat(40_000);
    let flags = ["cmp", "--case", "dxf/*", "--owner", "web", "--reason", "agreed", "--expires", &DAY];
    place.write("waivers.toml", &old);
    let began = std::time::Instant::now();
    accept(&place, &flags).says(0, &[]);
    let (new, whole) = (place.read("waivers.toml"), began.elapsed());
    assert!(new.starts_with(&old) && new.contains("dxf/*"));
    let mut outcomes = BTreeSet::new();
    for step in 0..40 {
        place.write("waivers.toml", &old);
        let mut child = command(&place, &flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * step / 32);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = place.read("waivers.toml");
        assert!(left == old || left == new, "{} bytes", left.len());
        outcomes.insert(left.len());
    }
    assert_eq!(outcomes.len(), 2, "no kill came before the end, or none after it");
    // What a kill left is in nobody's way.
    accept(&place, &flags).says(0, &[]);
    assert_eq!(place.read("waivers.toml"), new);
}

#[test]
fn a_control_is_let_in_only_by_its_typed_id() {
    let place = Place::new();
    let open =
        format!("extends = {:?}\nname = \"open\"\n[lab]\nbehaviour = \"filter\"\nanswer = \"403\"\n", lab("base"));
    place.write("open.toml", &open);
    let (standard, cases) = (lab("standard"), "csv/*,control/eicar-pdf");
    let compare = ["compare", "--baseline", &standard, "--candidate", "open.toml", "--out", "cmp", "--case", cases];
    place.run(&compare).says(1, &["protection lost"]);
    let said = ["cmp", "--owner", "web", "--reason", "scanned behind it", "--expires", &DAY];
    let mut at = terminal(&place, &said);
    at.wait("protection lost  control/eicar-pdf").wait(MENU).line("r").wait("none is kept: ");
    at.wait(MENU).line("a").wait("answer of the candidate to control/eicar-pdf").wait("status 200").wait(MENU);
    for typed in ["y", "", "control/eicar"] {
        at.line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("");
        at.wait("must be blocked, and a waiver lets it in").wait("id: ").line(typed).wait("not accepted").wait(MENU);
        assert!(!place.path("waivers.toml").exists());
    }
    at.line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("id: ").line("control/eicar-pdf");
    at.wait("written   1 waiver");
    assert_eq!(at.end(), Some(0), "{}", at.text());
    gate(&place, "waivers.toml").says(0, &["PASS", "1 waived"]);

    // Without a terminal its class says that it is meant, and a glob never covers it.
    std::fs::remove_file(place.path("waivers.toml")).unwrap();
    let flags = |case: &'static str| [&said[..], &["--case", case]].concat();
    accept(&place, &flags("control/eicar-pdf")).says(2, &["is a control", "--class protection_lost"]);
    accept(&place, &[&flags("control/*")[..], &["--class", "protection_lost"]].concat())
        .says(2, &["no finding matches"]);
    assert!(!place.path("waivers.toml").exists());
    accept(&place, &[&flags("control/eicar-pdf")[..], &["--class", "protection_lost"]].concat())
        .says(0, &["1 finding"]);
    gate(&place, "waivers.toml").says(0, &["PASS"]);
}

#[test]
fn an_expired_waiver_is_shown_and_renewed_in_its_place() {
    let place = Place::new();
    compared(&place);
    let old = "# agreed in May\n[[waiver]]\ncase = \"xlsm/*\" # macros\nclass = \"newly_blocked\"\nowner = \"forms\"\nreason = 'by mail'\nexpires = 2020-03-31 # look again\nlink = \"https://tracker.example.jp/1\"\n";
    place.write("waivers.toml", old);
    let mut at = terminal(&place, &["cmp", "--expires", &DAY]);
    loop {
        at.wait(" of ").wait("newly blocked  ").wait(MENU);
        if at.text().contains("xlsm/*") {
            break;
        }
        at.line("k");
    }
    assert!(at.text().contains("line 2: `xlsm/*` until 2020-03-31 by forms: by mail"), "{}", at.text());
    at.line("n").wait("owner [forms]: ").line("").wait("reason [by mail]: ").line("").wait("]: ").line("");
    at.wait("written   1 waiver").wait("its link stays: https://tracker.example.jp/1").wait(MENU).line("q");
    assert_eq!(at.end(), Some(3));
    let new = old.replace("2020-03-31", &DAY).replace("'by mail'", "\"by mail\"");
    assert_eq!(place.read("waivers.toml"), new);
    gate(&place, "waivers.toml").says(1, &["3 waived"]);
    // One that holds is listed, and renewed when that is asked for.
    let mut at = terminal(&place, &["cmp", "--renew", "--owner", "web"]);
    loop {
        at.wait(" of ").wait(MENU);
        if at.text().contains("xlsm/*") {
            break;
        }
        at.line("k");
    }
    at.line("n")
        .wait("owner [web]: ")
        .line("")
        .wait("reason [by mail]: ")
        .line("")
        .wait("last day")
        .wait("]: ")
        .line("90");
    at.wait("written");
    assert!(place.read("waivers.toml").contains("owner = \"web\""));
    assert!(!place.read("waivers.toml").contains(&**DAY));
}

#[test]
fn request_and_answer_are_shown_and_findings_with_one_trigger_are_one_entry() {
    let place = Place::new();
    compared(&place);
    place.run(&["explain", "cmp"]).says(0, &[]);
    let mut at = terminal(&place, &["cmp"]);
    at.wait("1 of 4").wait("5 cases of 3 files: refused because of the extension `.dxf`").wait("  and dxf/").wait(MENU);
    at.line("r").wait("request of dxf/").wait("POST /apply/upload HTTP/1.1").wait("Host: upload.lab.test");
    at.wait("Content-Disposition: form-data; name=\"file\"; filename=\"").wait("bytes in all (see cmp/requests/");
    at.wait("send it again: bash cmp/requests/dxf_").wait(MENU);
    at.line("a").wait("answer of the candidate to dxf/").wait("status ").wait("content-length: ").wait(MENU);
    at.line("w")
        .wait("owner: ")
        .line("web")
        .wait("reason: ")
        .line("agreed")
        .wait("]: ")
        .line("30")
        .wait("written   5 waivers");
    at.wait("2 of 4").wait(MENU).line("q").wait("5 findings waived, 0 kept, 4 left undecided");
    assert_eq!(at.end(), Some(3));
    let cases = read_by_python(&place, "waivers.toml");
    assert!(cases.len() == 5 && cases.iter().all(|[case, ..]| case.starts_with("dxf/")), "{cases:?}");
    gate(&place, "waivers.toml").says(1, &["5 waived"]);
}

#[test]
fn a_whole_file_is_waived_whatever_its_name_or_client_and_no_other() {
    let place = Place::new();
    for file in ["plan.dxf", "plan2.dxf", "note.txt"] {
        place.write(&format!("files/{file}"), "0\nSECTION\n");
    }
    let manifest = "schema_version = 1\nname = \"ours\"\n[axes]\nclient = [\"chromium\", \"curl\"]\ntype = [\"as-client\", \"text/plain\"]\n\
        [[attachment]]\nid = \"dxf/plan\"\nfile = \"plan.dxf\"\n[[attachment]]\nid = \"dxf/plan2\"\nfile = \"plan2.dxf\"\n\
        [[attachment]]\nid = \"txt/note\"\nfile = \"note.txt\"\n";
    place.write("files/manifest.toml", manifest);
    let compare = |set: &str, waivers: &[&str], out: &str| {
        let (standard, upper) = (lab("standard"), lab("upper"));
        let sides = ["compare", "--baseline", &standard, "--candidate", &upper, "--corpus", "files", "--set", set];
        place.run(&[&sides[..], waivers, &["--out", out]].concat())
    };
    compare("full", &[], "cmp").says(1, &["8 uploads of 2 legitimate files"]);
    let mut at = terminal(&place, &["cmp", "--owner", "web", "--reason", "agreed", "--expires", &DAY]);
    at.wait("dxf/plan  4 of 4 cases").wait("waive the [f]ile").wait(MENU).line("f");
    at.wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("written   3 waivers").wait(MENU).line("k");
    at.wait("4 findings waived, 4 kept, 0 left undecided");
    assert_eq!(at.end(), Some(0));
    compare("full", &["--waivers", "waivers.toml"], "again").says(1, &["4 uploads of 1 legitimate file", "4 waived"]);
}

#[test]
fn without_a_terminal_the_flags_say_it_all() {
    let place = Place::new();
    compared(&place);
    let all = ["--owner", "forms team", "--reason", "by e-mail", "--expires", &DAY];
    accept(&place, &["cmp"]).says(2, &["there is no terminal", "--case GLOB --owner NAME --reason TEXT --expires"]);
    accept(&place, &["cmp", "--case", "xlsm/*"]).says(2, &["add `--owner NAME --reason TEXT --expires YYYY-MM-DD`"]);
    accept(&place, &["cmp", "--case", "xlsm/*", "--owner", "a", "--expires", &DAY]).says(2, &["add `--reason TEXT`"]);
    let with = |more: &[&'static str]| accept(&place, &[&["cmp"], &all[..], more].concat());
    accept(&place, &["cmp", "--dry-run"]).says(2, &["`--dry-run` goes with `--case`"]);
    with(&["--case", "nothing/*"]).says(2, &["no finding matches `nothing/*`"]);
    with(&["--case", "xlsm/*", "--class", "flaky"]).says(2, &["no finding matches"]);
    with(&["--case", "xlsm/*", "--class", "grave"]).says(2, &["known classes", "newly_blocked"]);
    with(&["--case", "xlsm/[*"]).says(2, &["no glob"]);
    let past = ["cmp", "--case", "xlsm/*", "--owner", "a", "--reason", "b", "--expires"];
    accept(&place, &[&past[..], &["2020-01-01"]].concat()).says(2, &["2020-01-01 is not in the future"]);
    accept(&place, &[&past[..], &["soon"]].concat()).says(2, &["write a day as 2027-03-31"]);
    let blank = ["cmp", "--case", "xlsm/*", "--owner", "  ", "--reason", "b", "--expires", &DAY];
    accept(&place, &blank).says(2, &["it is empty (key `owner`)"]);
    accept(&place, &["nowhere", "--case", "a", "--owner", "a", "--reason", "b", "--expires", &DAY])
        .says(2, &["there is no comparison here"]);
    assert!(!place.path("waivers.toml").exists());

    let dry = with(&["--case", "xlsm/*", "--dry-run"]);
    dry.says(0, &["waivers.toml: would write 1 waiver; 6 findings are left", "3 findings"]);
    assert!(!place.path("waivers.toml").exists());
    place.write("dry.toml", &dry.out);
    gate(&place, "dry.toml").says(1, &["3 waived"]);
    let wrote = with(&["--case", "xlsm/*", "--case", "docm/*"]);
    wrote.says(0, &["wrote 2 waivers; 5 findings are left"]);
    assert_eq!(place.read("waivers.toml"), wrote.out);
    let json = with(&["--case", "dxf/**", "--case", "xlsm/*", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, &told["findings_left"], &told["dry_run"]), (Some(0), &0.into(), &false.into()));
    let (dxf, xlsm) = (&told["written"][0], &told["written"][1]);
    assert_eq!((&dxf["case"], &dxf["findings"], &dxf["renews"]), (&"dxf/**".into(), &5.into(), &().into()));
    assert_eq!((&xlsm["class"], &xlsm["renews"]), (&"newly_blocked".into(), &DAY.as_str().into()));
    let cases: Vec<String> = read_by_python(&place, "waivers.toml").into_iter().map(|[case, ..]| case).collect();
    assert_eq!(cases, ["xlsm/*", "docm/*", "dxf/**"]);
    gate(&place, "waivers.toml").says(0, &["PASS", "9 waived"]);
}

#[test]
fn a_comma_belongs_to_the_glob_and_to_the_id() {
    let place = Place::new();
    for file in ["plan,1.dxf", "plan,2.dxf", "note.txt"] {
        place.write(&format!("files/{file}"), "0\nSECTION\n");
    }
    let (standard, upper) = (lab("standard"), lab("upper"));
    let sides = ["compare", "--baseline", &standard, "--candidate", &upper, "--corpus", "files", "--client", "curl"];
    place.run(&[&sides[..], &["--out", "cmp"]].concat()).says(1, &["2 legitimate files"]);
    let said = ["cmp", "--owner", "web", "--reason", "agreed", "--expires", &DAY, "--case"];
    let one = accept(&place, &[&said[..], &["**/plan,1*"]].concat());
    one.says(0, &["wrote 1 waiver; 1 finding is left"]);
    assert!(!one.err.contains("covers every file"), "{}", one.err);
    accept(&place, &[&said[..], &["**/plan,{1,2}*"]].concat()).says(0, &["2 findings", "0 findings are left"]);
    gate(&place, "waivers.toml").says(0, &["PASS"]);
    // What covers everything there is covers what comes as well.
    accept(&place, &[&said[..], &["**", "--dry-run"]].concat())
        .says(0, &["warning: `**` covers every file: later findings of `newly_blocked` are covered too"]);
}

#[test]
fn a_last_day_is_within_two_years() {
    fn flags(day: &str) -> [&str; 9] {
        ["cmp", "--case", "xlsm/*", "--owner", "a", "--reason", "b", "--expires", day]
    }
    let place = Place::new();
    compared(&place);
    accept(&place, &flags("2999-12-31")).says(2, &["2999-12-31 is more than 2 years ahead", "name a day until "]);
    accept(&place, &flags(&in_days(733))).says(2, &["is more than 2 years ahead"]);
    accept(&place, &["cmp", "--expires", "2999-12-31"]).says(2, &["there is no terminal"]);
    let mut at = terminal(&place, &["cmp", "--expires", "9999-12-31"]);
    at.wait("9999-12-31 is more than 2 years ahead");
    assert_eq!(at.end(), Some(2));
    assert!(!place.path("waivers.toml").exists());
    let mut at = terminal(&place, &["cmp", "--owner", "a", "--reason", "b"]);
    at.wait(MENU).line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ");
    for typed in ["99999", "2999-12-31", "９９９９／１２／３１"] {
        at.line(typed).wait("is more than 2 years ahead").wait("]: ");
    }
    at.line("99999999999999999").wait("write a day as").wait("]: ").line("700").wait("written   ").wait(MENU).line("q");
    assert_eq!(at.end(), Some(3));
    accept(&place, &flags(&in_days(729))).says(0, &["wrote 1 waiver"]);
}

#[test]
fn what_is_no_comparison_is_said_before_anything_is_asked() {
    let place = Place::new();
    let (standard, upper) = (lab("standard"), lab("upper"));
    let run = |edge: &str, out: &str| {
        place.run(&["run", "--profile", edge, "--case", "csv/*", "--out", out]).says(0, &[]);
    };
    run(&standard, "a");
    run(&upper, "b");
    place.run(&["matrix", "a", "b", "--out", "table"]).says(0, &[]);
    let flags = ["--case", "a", "--owner", "a", "--reason", "b", "--expires", &DAY];
    for (given, help) in [
        ("nowhere", "give the folder that `wafcanary compare` wrote"),
        ("a", "this is a run: "),
        ("a/journal.jsonl", "this is a run: "),
        ("table", "this is a matrix, and it has no gate: "),
    ] {
        accept(&place, &[given]).says(2, &["there is no comparison here", given, help]);
        accept(&place, &[&[given], &flags[..]].concat()).says(2, &["there is no comparison here", given, help]);
    }
}

#[test]
fn waivers_that_the_comparison_was_made_with_and_that_are_gone_are_counted_by_finding() {
    let place = Place::new();
    compared(&place);
    let waiver = |case: &str| {
        format!(
            "[[waiver]]\ncase = \"{case}\"\nclass = \"newly_blocked\"\nowner = \"o\"\nreason = \"r\"\nexpires = {}\n",
            *DAY
        )
    };
    place.write("waivers.toml", &waiver("xlsm/*"));
    let sides = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate", "--out", "waived"];
    place.run(&[&sides[..], &["--waivers", "waivers.toml"]].concat()).says(1, &["3 waived"]);
    // As many cases and more are waived now, and those three are not.
    place.write("waivers.toml", &waiver("dxf/*"));
    let mut at = terminal(&place, &["waived"]);
    at.wait("3 findings were waived when the comparison was made, and no waiver covers them now").wait(MENU).line("q");
    assert_eq!(at.end(), Some(3));
    place.write("waivers.toml", &(waiver("dxf/**") + &waiver("{xlsm,docm}/*")));
    let mut at = terminal(&place, &["waived"]);
    at.wait("no finding is left to decide on");
    assert!(!at.text().contains("no waiver covers"), "{}", at.text());
    assert_eq!(at.end(), Some(0));
}

#[test]
fn a_link_that_stays_beside_a_new_reason_is_told() {
    let place = Place::new();
    compared(&place);
    let old = format!(
        "[[waiver]]\ncase = \"xlsm/*\"\nclass = \"newly_blocked\"\nowner = \"o\"\nreason = \"r\"\nexpires = {}\nlink = \"https://tracker.example.jp/1\"\n",
        in_days(1)
    );
    place.write("waivers.toml", &old);
    let flags = ["cmp", "--case", "xlsm/*", "--owner", "a", "--reason", "another", "--expires", &DAY];
    let json = accept(&place, &[&flags[..], &["--json", "--dry-run"]].concat());
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["written"][0]["link"], "https://tracker.example.jp/1");
    accept(&place, &flags).says(0, &["renewed: it was until", "its link stays: https://tracker.example.jp/1"]);
    assert!(place.read("waivers.toml").ends_with("link = \"https://tracker.example.jp/1\"\n"));
}

#[test]
fn a_pipeline_never_writes() {
    let place = Place::new();
    compared(&place);
    let flags = ["cmp", "--case", "xlsm/*", "--owner", "a", "--reason", "b", "--expires", &DAY];
    for value in ["true", "1", "woodpecker"] {
        ran(command(&place, &flags).env("CI", value)).says(2, &["`CI` is set", "nothing was written", "--dry-run"]);
        let mut at = Terminal::new(command(&place, &["cmp"]).env("CI", value));
        at.wait("`CI` is set");
        assert_eq!(at.end(), Some(2));
        ran(command(&place, &[&flags[..], &["--dry-run"]].concat()).env("CI", value))
            .says(0, &["would write 1 waiver"]);
    }
    assert!(!place.path("waivers.toml").exists());
    for value in ["", "0", "false"] {
        ran(command(&place, &flags).env("CI", value)).says(0, &["wrote 1 waiver"]);
        std::fs::remove_file(place.path("waivers.toml")).unwrap();
    }
}

#[test]
fn the_file_is_found_where_compare_finds_it() {
    let place = Place::new();
    compared(&place);
    place.write("kept/old.toml", "# kept\n");
    let sides = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate", "--out", "stored"];
    place.run(&[&sides[..], &["--waivers", "kept/old.toml"]].concat()).says(1, &[]);
    let flags = |file: &'static str| {
        let place = ["--case", "xlsm/*", "--owner", "a", "--reason", "b", "--expires", &DAY];
        let named = ["--waivers", file];
        [&["stored"][..], &place[..], if file.is_empty() { &[] } else { &named[..] }].concat()
    };
    accept(&place, &flags("")).says(0, &["kept/old.toml: wrote"]);
    assert!(place.read("kept/old.toml").starts_with("# kept\n\n[[waiver]]\n"));
    // A stored run's answer lies where it was compared from.
    let mut at = terminal(&place, &["stored"]);
    at.wait(MENU).line("a").wait("status ").wait("content-length").wait(MENU).line("r").wait("none is kept").line("q");
    assert_eq!(at.end(), Some(3));
    place.write("wafcanary.toml", "waivers = \"new/here.toml\"\n");
    accept(&place, &flags("")).says(0, &["here.toml: wrote"]);
    assert!(place.path("new/here.toml").is_file());
    // A link stays one, and what it leads to keeps its permissions.
    std::fs::create_dir(place.path("real")).unwrap();
    place.write("real/w.toml", "");
    std::os::unix::fs::symlink("real/w.toml", place.path("link.toml")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(place.path("real/w.toml"), mode).unwrap();
    accept(&place, &flags("link.toml")).says(0, &["wrote"]);
    assert!(place.path("link.toml").is_symlink() && place.read("real/w.toml").contains("xlsm/*"));
    let mode = std::fs::metadata(place.path("real/w.toml")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o640);
    // What is wrong with a file is said, and it stays.
    place.write("bad.toml", "[[waiver]]\ncase = \"x\"\n");
    accept(&place, &flags("bad.toml")).says(2, &["bad.toml:1", "missing field"]);
    assert_eq!(place.read("bad.toml"), "[[waiver]]\ncase = \"x\"\n");
}

#[test]
fn two_at_once_lose_nothing() {
    let place = Place::new();
    compared(&place);
    let mut children = Vec::new();
    for case in ["xlsm/*", "docm/*", "dxf/*", "**"] {
        let flags = ["cmp", "--case", case, "--owner", "a", "--reason", "b", "--expires", &DAY];
        children.push(command(&place, &flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let cases: BTreeSet<String> = read_by_python(&place, "waivers.toml").into_iter().map(|[case, ..]| case).collect();
    assert_eq!(cases.len(), 4, "{cases:?}");
    assert_eq!(droppings(&place), [""; 0]);
}

#[test]
fn hostile_names_are_inert_at_the_terminal_and_in_the_file() {
    let place = Place::new();
    let names = [
        "a\u{1b}[2J\u{1b}]0;owned\u{7}.dxf",
        "b\u{202e}fxd.txt.dxf",
        "c\nexpires = 2099-01-01\n[[waiver]].dxf",
        "d\"\"\"'''\\.dxf",
        "e[ab]{x,y}*?.dxf",
        "f#`$(id)`|=cmd.dxf",
        "ea.dxf",
    ];
    for name in names {
        place.write(&format!("files/{name}"), "0\nSECTION\n");
    }
    place.write("files/note.txt", "a note");
    let (standard, upper) = (lab("standard"), lab("upper"));
    let compare = ["compare", "--baseline", &standard, "--candidate", &upper, "--corpus", "files", "--client", "curl"];
    let out = ["--out", "cmp", "--no-preflight"];
    assert_eq!(place.run(&[&compare[..], &out].concat()).code, Some(1));
    let stored: serde_json::Value = serde_json::from_str(&place.read("cmp/comparison.json")).unwrap();
    let blocked: BTreeSet<&str> = stored["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["class"] == "newly_blocked")
        .map(|case| case["id"].as_str().unwrap())
        .collect();
    assert!(blocked.len() >= 5, "{blocked:?}");
    let mut at = terminal(&place, &["cmp", "--owner", "web", "--reason", "agreed", "--expires", &DAY]);
    for number in 1..=blocked.len() {
        at.wait(&format!("{number} of {}", blocked.len()))
            .wait(MENU)
            .line("r")
            .wait("request of ")
            .wait(MENU)
            .line("a")
            .wait(MENU);
        at.line("w").wait("]: ").line("").wait("]: ").line("").wait("]: ").line("").wait("written   1 waiver");
    }
    assert_eq!(at.end(), Some(0), "{}", at.text());
    let text = at.text();
    let hidden =
        text.chars().filter(|c| c.is_control() && !"\r\n".contains(*c) || ('\u{202a}'..='\u{202e}').contains(c));
    assert_eq!(hidden.collect::<String>(), "");
    let written = read_by_python(&place, "waivers.toml");
    assert_eq!(written.len(), blocked.len());
    assert!(!place.read("waivers.toml").contains(['\u{1b}', '\u{202e}']));
    gate(&place, "waivers.toml").says(0, &["PASS", &format!("{} waived", blocked.len())]);
    // Each is for one case: none covers a neighbour whose id its own, read as a glob, would match.
    for [case, ..] in &written {
        let one = format!(
            "[[waiver]]\ncase = {}\nclass = \"newly_blocked\"\nowner = \"o\"\nreason = \"r\"\nexpires = {}\n",
            toml::Value::String(case.clone()),
            *DAY
        );
        place.write("one.toml", &one);
        gate(&place, "one.toml").says(1, &["1 waived"]);
    }
}

#[test]
fn what_is_not_known_cannot_be_waived_and_what_is_flaky_can() {
    let place = Place::new();
    let compare = |candidate: &str, out: &str| {
        let sides = ["compare", "--baseline", &lab("standard"), "--candidate", candidate, "--case", "csv/*,dxf/*"];
        place.run(&[&sides[..], &["--no-preflight", "--out", out]].concat()).code
    };
    let flags = ["--case", "**", "--owner", "web", "--reason", "agreed", "--expires", &DAY];
    // Nobody listens there.
    place.write("gone.toml", &marker_profile("http://127.0.0.1:9/upload"));
    assert_eq!(compare("gone.toml", "gone"), Some(3));
    let stored: serde_json::Value = serde_json::from_str(&place.read("gone/comparison.json")).unwrap();
    assert!(stored["counts"]["inconclusive"].as_u64().unwrap() > 0, "{}", stored["counts"]);
    let only = [&["gone"], &flags[..], &["--class", "inconclusive"]].concat();
    accept(&place, &only).says(2, &["what is not known cannot be accepted", "max_inconclusive"]);
    let mut at = terminal(&place, &["gone"]);
    at.wait("inconclusive  csv/").wait("it cannot be waived: what is not known cannot be accepted").wait(MENU);
    at.line("a").wait("the edge was not reached: ").wait(MENU);
    at.line("w").wait("k  keep").wait(MENU).keys(b"\x04");
    assert_eq!(at.end(), Some(3));
    assert!(!place.path("waivers.toml").exists());

    assert_eq!(compare(&lab("lie-flaky"), "cmp"), Some(1));
    accept(&place, &[&["cmp"], &flags[..]].concat()).says(0, &["`**` for `flaky`"]);
    gate(&place, "waivers.toml").says(0, &["PASS"]);
    // Where the gate does not count it, it is no finding, and there is nothing to accept.
    place.write("wafcanary.toml", "[gate]\nmax_flaky = \"unlimited\"\n");
    let sides = ["compare", "--baseline", "cmp/baseline", "--candidate", "cmp/candidate", "--out", "lax"];
    place.run(&sides).says(0, &["flaky"]);
    accept(&place, &[&["lax"], &flags[..]].concat()).says(2, &["no finding matches"]);
}
