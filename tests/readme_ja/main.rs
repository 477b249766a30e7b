//! `README.ja.md` says what `README.md` says: the same sections, commands, flags, links, tables and numbers. Whoever changes one
//! is told what the other lacks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod sections;

use std::fs;
use std::path::Path;

use regex::Regex;
use sections::{Section, differences, sections};
use wafcanary::compare::Class;
use wafcanary::exit::ExitCode;
use wafcanary::verdict::{Count, Outcome};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readmes() -> [String; 2] {
    ["README.md", "README.ja.md"].map(|name| fs::read_to_string(root().join(name)).unwrap())
}

fn compare([english, japanese]: &[String; 2]) -> Vec<String> {
    differences([english, japanese])
}

/// The rows of the table in which `first` is the first cell of a row.
fn table<'a>(sections: &'a [Section], first: &str) -> &'a [Vec<String>] {
    let found = sections.iter().flat_map(|section| section.rows.iter().map(move |row| (section, row)));
    let section = found.into_iter().find(|(_, row)| row.first().is_some_and(|cell| cell == first));
    &section.unwrap_or_else(|| panic!("no table has a row `{first}`")).0.rows
}

#[test]
fn the_two_readmes_say_the_same() {
    let told = compare(&readmes());
    assert!(told.is_empty(), "README.md and README.ja.md differ:\n{}", told.join("\n"));
}

#[test]
fn whatever_one_readme_lacks_is_named() {
    let both = readmes();
    let with = |file: usize, from: &str, to: &str| {
        let mut changed = both.clone();
        assert!(changed[file].contains(from), "nothing to change: {from}");
        changed[file] = changed[file].replacen(from, to, 1);
        compare(&changed).join("\n")
    };
    let cases = [
        (1, "--allow-production", "", "README.ja.md lacks the name `--allow-production` under `## Safe by default`"),
        (0, "`--rate`", "the rate", "README.md lacks the code span `--rate` under `## Commands and settings`"),
        (0, " --dry-run", "", "README.md lacks the line `console: wafcanary compare --baseline baseline.toml"),
        (
            1,
            "tests/all.sh\n",
            "tests/some.sh\n",
            "README.ja.md lacks the line `console: tests/all.sh` under `## See it",
        ),
        (1, "docs/limits.md", "docs/limit.md", "README.ja.md lacks the link to `docs/limits.md` under `## How much"),
        (1, "24手続", "25手続", "README.ja.md lacks the number `24` under `# wafcanary`"),
        (0, "| 3 | inconclusive", "| 4 | inconclusive", "README.md lacks the row `3` under `## What it says`"),
        (
            0,
            "## Licence",
            "## The matrix\n\n`wafcanary matrix`\n\n## Licence",
            "no section for `## The matrix` of README.md, after `## コマンドと設定`",
        ),
        (
            1,
            "## どこまで通るかを調べる",
            "### どこまで通るかを調べる",
            "the levels of the headings differ under `## How much gets through`",
        ),
        (
            0,
            "## Licence\n",
            "## Licence\n\nAnother paragraph.\n",
            "the parts differ under `## Licence` / `## ライセンス`",
        ),
        (
            0,
            "## Licence",
            "![The report](docs/report-en.png)\n\n## Licence",
            "README.ja.md lacks the link to `docs/report-en.png`",
        ),
    ];
    for (file, from, to, expected) in cases {
        let told = with(file, from, to);
        assert!(told.contains(expected), "`{from}` → `{to}` told:\n{told}");
    }
}

#[test]
fn each_readme_links_to_the_other_before_its_first_section() {
    let [english, japanese] = readmes().map(|text| sections(&text));
    assert!(english[0].links.contains("README.ja.md"));
    assert!(japanese[0].links.contains("README.md"));
}

#[test]
fn the_japanese_readme_points_at_headings_that_the_english_one_has() {
    let [english, japanese] = readmes();
    let slug = |section: &Section| section.heading.to_lowercase().replace(' ', "-");
    let anchors: Vec<String> = sections(&english).iter().map(slug).collect();
    let link = Regex::new(r#"README\.md#([^)"]+)"#).unwrap();
    for found in link.captures_iter(&japanese) {
        assert!(anchors.iter().any(|known| *known == found[1]), "README.md has no heading `{}`", &found[1]);
    }
}

#[test]
fn the_tables_and_classes_are_those_of_the_program() {
    let codes = [ExitCode::Passed, ExitCode::Failed, ExitCode::Usage, ExitCode::Inconclusive, ExitCode::Interrupted]
        .map(|code| (code as u8).to_string());
    let languages = [["pass", "fail", "inconclusive"], ["合格", "不合格", "判定不能"]];
    for (text, [pass, fail, inconclusive]) in readmes().iter().zip(languages) {
        let sections = sections(text);
        let rows = table(&sections, "delivered");
        let (outcomes, exits) = rows.split_at(Outcome::ALL.len());
        for (outcome, row) in Outcome::ALL.into_iter().zip(outcomes) {
            let counts = match outcome.count() {
                Count::Pass => pass,
                Count::Fail => fail,
                Count::Inconclusive => inconclusive,
            };
            assert_eq!([&*row[0], &*row[2]], [outcome.as_str(), counts]);
        }
        assert_eq!(exits.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), codes);
        let named = |class: &Class| sections.iter().any(|section| section.codes.contains(class.as_str()));
        let missing: Vec<_> = Class::ALL.into_iter().filter(|class| !named(class)).collect();
        assert!(missing.is_empty(), "{missing:?} is not named in a text that begins with {:?}", &text[..40]);
    }
}

#[test]
fn the_japanese_readme_lists_every_command() {
    let [_, japanese] = readmes();
    let block = japanese.split("<!-- commands -->").nth(1).unwrap().split("<!-- /commands -->").next().unwrap();
    let row = Regex::new(r"(?m)^\| `([a-z-]+)` \| .").unwrap();
    let listed: Vec<&str> = row.captures_iter(block).map(|found| found.get(1).unwrap().as_str()).collect();
    let command = wafcanary::cli::command();
    let commands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let commands: Vec<&str> = commands.into_iter().filter(|name| *name != "help").collect();
    assert_eq!(listed, commands, "the table of commands in README.ja.md (left) is not that of the program (right)");
}

#[test]
fn the_japanese_readme_is_in_japanese_and_reads_well_when_rendered() {
    let [_, japanese] = readmes();
    let english = Regex::new(r"(?:[A-Za-z][A-Za-z'-]*[ \n,]+){4}[A-Za-z]").unwrap();
    for section in sections(&japanese).iter().skip(1) {
        assert!(!section.heading.is_ascii(), "`{}` is not in Japanese", section.heading);
    }
    for prose in sections(&japanese).iter().flat_map(|section| &section.prose) {
        assert!(!english.is_match(prose), "an English sentence: {prose}");
        // Emphasis beside full-width signs may stay as it is written.
        assert!(!prose.contains("**"), "not rendered as bold: {prose}");
        // Pages show the end of a line as a blank.
        for (at, _) in prose.match_indices('\n') {
            let before = prose[..at].chars().next_back().unwrap_or('\n');
            assert!("。、：`".contains(before), "a line ends within a phrase, after `{before}`: {prose}");
        }
    }
}
