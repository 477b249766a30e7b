//! Every command line in the documentation parses, and every whole profile in it loads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wafcanary::corpus::{Case, Corpus, Selection, Set};
use wafcanary::profile::Profile;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md"), root().join("README.ja.md")];
    for folder in ["docs", "docs/ci"] {
        let docs = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The fenced blocks: language and text, without the indent of a list.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines().map(str::trim_start) {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language.trim().to_owned(), String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((language, text))) => open = Some((language, text + line + "\n")),
            (None, None) => {}
        }
    }
    blocks
}

/// The words of a shell line up to the first operator, as a shell takes quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') if [">", ">>", "|", "||", "&&", ";", "#"].contains(&word.as_str()) => return words,
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words
}

/// The command lines of a block or of a file of a recipe.
fn lines(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ").trim_start_matches("$ ").to_owned();
        let line = line.strip_prefix("sh '").map_or(line.clone(), |rest| rest.trim_end_matches('\'').to_owned());
        line.starts_with("wafcanary ").then_some(line)
    });
    lines.collect()
}

fn commands(text: &str) -> Vec<String> {
    let shells = ["", "console", "sh", "bash", "shell", "yaml", "groovy"];
    let blocks = blocks(text).into_iter().filter(|(language, _)| shells.contains(&language.as_str()));
    let found = blocks.flat_map(|(_, block)| lines(&block));
    let inline =
        text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("wafcanary ") && !code.contains('\n'));
    found.chain(inline.filter(|code| !code.contains('…') && !code.contains('[')).map(str::to_owned)).collect()
}

#[test]
fn every_command_line_in_the_documentation_parses() {
    let mut count = 0;
    for (path, text) in documents() {
        for line in commands(&text) {
            count += 1;
            let parsed = wafcanary::cli::command().try_get_matches_from(words(&line));
            if let Err(error) = parsed {
                let group = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
                assert!(group || !error.use_stderr(), "{}: `{line}`: {error}", path.display());
            }
        }
    }
    assert!(count >= 15, "{count} command lines were found");
}

#[test]
fn every_command_line_in_the_recipes_for_pipelines_parses() {
    for (file, expected) in [("gitlab-ci.yml", 1), ("Jenkinsfile", 1)] {
        // A folded scalar of YAML and a continued line of a shell are one line each.
        let text =
            std::fs::read_to_string(root().join("docs/ci").join(file)).unwrap().replace("\n      --out", " --out");
        let found = lines(&text);
        assert_eq!(found.len(), expected, "{file}");
        for line in found {
            assert!(line.contains("--write junit=canary/junit.xml"), "{file}: `{line}`");
            if let Err(error) = wafcanary::cli::command().try_get_matches_from(words(&line)) {
                panic!("{file}: `{line}`: {error}");
            }
        }
    }
}

#[test]
fn every_whole_profile_in_the_documentation_loads() {
    let mut count = 0;
    for (path, text) in documents() {
        for (_, block) in blocks(&text).into_iter().filter(|(language, _)| language == "toml") {
            if block.contains("[target]") && (block.contains("[oracle]") || block.contains("[oracle.")) {
                count += 1;
                let set = |_: &str| Some("a-value".to_owned());
                let at = root().join("profiles/examples/documented.toml");
                if let Err(error) = Profile::load_str(&at, &block, &set) {
                    panic!("{}:\n{block}\n{}", path.display(), error.render(false));
                }
            }
        }
    }
    assert!(count >= 2, "{count} profiles were found");
}

#[test]
fn every_example_profile_loads_and_names_a_schema_that_is_there() {
    for entry in std::fs::read_dir(root().join("profiles/examples")).unwrap() {
        let path = entry.unwrap().path();
        Profile::load(&path, &|_| Some("a-value".to_owned())).unwrap_or_else(|error| panic!("{error}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        assert!(path.parent().unwrap().join(schema).is_file(), "{}: {schema}", path.display());
    }
}

#[test]
fn every_documented_trip_is_one_case_and_every_such_case_is_documented() {
    let page = std::fs::read_to_string(root().join("docs/documented-trips.md")).unwrap();
    let named: BTreeSet<&str> = page.split('`').filter(|word| word.starts_with("trip/") && *word != "trip/…").collect();
    let selection = Selection { set: Set::Full, tags: vec!["trip".into()], ..Selection::default() };
    let cases = Corpus::builtin().unwrap().select(&selection).unwrap();
    assert_eq!(named, cases.iter().map(|case| case.id.as_str()).collect());
    assert!(page.contains(&format!("{} attachments `trip/…`", named.len())));
    for case in &cases {
        let source = case.attachment.provenance.source.as_deref().unwrap_or_default();
        assert!(source.len() > 20, "{} does not say where it is documented", case.id);
    }
    // The manifest's `trips` come from the engines themselves.
    let refused = |engines: &[&str]| {
        let by_one = |case: &&Case| {
            let trips = case.attachment.provenance.trips.as_ref().unwrap();
            engines.iter().any(|engine| trips.contains_key(*engine))
        };
        cases.iter().filter(by_one).count()
    };
    let nginx = ["ngx-rec-only", "ngx-crs-pl1", "ngx-crs-pl2"];
    let apache = ["apa-rec-only", "apa-crs-pl1"];
    let (first, second, third) = (refused(&nginx[..2]), refused(&nginx), refused(&apache));
    let any = refused(&[&nginx[..], &apache].concat());
    let told = format!("{any} are refused by at least one: {first}, {second} and {third}.");
    assert!(page.contains(&told), "the page does not say: {told}");
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let file = link.split('#').next().unwrap();
                assert!(path.parent().unwrap().join(file).exists(), "{}: {link}", path.display());
            }
        }
    }
}
