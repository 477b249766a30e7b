//! What is generated from the program is current: the README's help and demo, the exit codes, the schemas.
//!
//! `WAFCANARY_UPDATE=1 cargo test --test documented` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn wafcanary(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wafcanary"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WAFCANARY_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env("COLUMNS", "120").args(arguments).output().unwrap()
}

/// Compares the part of `file` between `<!-- name -->` and `<!-- /name -->` with `expected`, or writes it.
fn check_block(file: &str, name: &str, expected: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let from = text.find(&start).unwrap_or_else(|| panic!("{file} has no {start}")) + start.len();
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("{file} has no {end}"));
    if std::env::var_os("WAFCANARY_UPDATE").is_some() {
        fs::write(&path, format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(&text[from..to], expected, "{file} is stale: run WAFCANARY_UPDATE=1 cargo test --test documented");
    }
}

#[test]
fn the_readme_shows_the_help_of_the_main_commands() {
    let mut expected = String::new();
    for command in [&["--help"][..], &["compare", "--help"], &["run", "--help"]] {
        let output = wafcanary(command);
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let summary = format!("wafcanary {}", command.join(" "));
        let _ = write!(
            expected,
            "<details><summary><code>{summary}</code></summary>\n\n```text\n{}\n```\n\n</details>\n",
            lines.join("\n")
        );
    }
    check_block("README.md", "help", &expected);
}

/// Findings of the demo that the README shows.
const SHOWN_FINDINGS: usize = 3;

#[test]
fn the_readme_shows_what_demo_prints() {
    let dir = tempfile::tempdir().unwrap();
    let output = wafcanary(&["--no-progress", "demo", "--out", dir.path().join("demo").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let printed =
        String::from_utf8(output.stdout).unwrap().replace(dir.path().join("demo").to_str().unwrap(), "demo-out");
    let mut lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    // A README is read whole: of the findings it shows the first ones and the gravest.
    let begins: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("  newly blocked  ")).collect();
    let findings: Vec<usize> = begins.into_iter().filter(|at| lines[at - 1].is_empty()).collect();
    let left_out = findings.len() - SHOWN_FINDINGS;
    let told = format!("  […] {left_out} more");
    lines.splice(findings[SHOWN_FINDINGS - 1]..findings[findings.len() - 1], [told.as_str(), ""]);
    check_block("README.md", "demo", &format!("```text\n{}\n```\n", lines.join("\n")));
    check_block("README.ja.md", "demo", &format!("```text\n{}\n```\n", excerpt(&lines).join("\n")));
}

/// Procedures that the excerpt shows.
const SHOWN_PROCEDURES: usize = 3;

/// What was compared, the classes, the procedures hit hardest and the verdict: what a reader of another language needs of it.
fn excerpt<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap();
    let procedures = lines.iter().position(|line| line.contains("(手続)")).unwrap();
    let first = procedures + lines[procedures..].iter().position(|line| line.contains('%')).unwrap();
    let mut shown = lines[..at("File families")].to_vec();
    shown.extend(["[…]", ""]);
    shown.extend(&lines[procedures..first + SHOWN_PROCEDURES]);
    shown.extend(["", "[…]", ""]);
    shown.extend(&lines[at("fails: ")..]);
    shown
}

#[test]
fn the_schemas_are_those_that_the_program_makes() {
    let dir = tempfile::tempdir().unwrap();
    assert!(wafcanary(&["generate", "schema", dir.path().to_str().unwrap()]).status.success());
    let made: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(made.len() >= 6, "{made:?}");
    for name in made {
        let (ours, kept) = (dir.path().join(&name), root().join("schema").join(&name));
        if std::env::var_os("WAFCANARY_UPDATE").is_some() {
            fs::copy(&ours, &kept).unwrap();
        }
        let kept = fs::read_to_string(&kept).unwrap_or_default();
        assert!(fs::read_to_string(&ours).unwrap() == kept, "schema/{} is stale", name.display());
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    fn visit(path: &[String], command: &clap::Command) {
        if command.get_name() == "help" {
            return;
        }
        for argument in command.get_arguments() {
            let about = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{path:?} {} has no help", argument.get_id());
            let needs_variable =
                argument.get_long().is_some() && !["help", "version"].contains(&argument.get_id().as_str());
            if needs_variable {
                let variable = format!("WAFCANARY_{}", argument.get_long().unwrap().replace('-', "_").to_uppercase());
                assert_eq!(argument.get_env().and_then(|name| name.to_str()), Some(variable.as_str()), "{path:?}");
            }
        }
        let mut children = command.get_subcommands().peekable();
        if children.peek().is_none() && path.len() > 1 {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let bare = ["profile list", "lab list"].contains(&path[1..].join(" ").as_str());
            assert!(bare || after.contains("wafcanary"), "{path:?} has no example");
        }
        for child in children {
            visit(&[path, &[child.get_name().to_owned()]].concat(), child);
        }
    }
    let command = wafcanary::cli::command();
    visit(&["wafcanary".to_owned()], &command);
}
