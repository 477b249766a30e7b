//! A stored record rendered again gives the same bytes as the live report, and no secret is anywhere in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const FORMATS: [&str; 9] = ["terminal", "json", "jsonl", "junit", "markdown", "csv", "html", "sarif", "github"];
const SECRET: &str = "pa55-w0rd-of-the-form";

/// Runs the program away from any terminal; its exit code must be `code`.
fn wafcanary(arguments: &[&str], code: i32) -> Output {
    wafcanary_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, code)
}

/// Runs it in a folder.
fn wafcanary_in(folder: &Path, arguments: &[&str], code: i32) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wafcanary"));
    command.current_dir(folder).args(["--no-config", "--no-progress"]).args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WAFCANARY_")) {
        command.env_remove(name);
    }
    let output = command.env("REPORT_TEST_SECRET", SECRET).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs `command`, which exits 1, with a file for every format, and renders its record again in every format.
fn assert_same_bytes(command: &[&str], out: &Path) {
    let (record, out) = (out.join("record"), out.display());
    let record = record.to_str().unwrap();
    let writes: Vec<String> = FORMATS.iter().map(|format| format!("--write={format}={out}/live.{format}")).collect();
    let mut arguments = command.to_vec();
    arguments.extend(["--out", record]);
    arguments.extend(writes.iter().map(String::as_str));
    let live = wafcanary(&arguments, 1).stdout;
    assert!(!live.is_empty());
    assert_eq!(live, wafcanary(&["report", record], 0).stdout, "standard output");
    for format in FORMATS {
        let live = std::fs::read_to_string(format!("{out}/live.{format}")).unwrap();
        let again = String::from_utf8(wafcanary(&["report", record, "--format", format], 0).stdout).unwrap();
        assert_eq!(live, again, "{format}");
    }
}

#[test]
fn a_stored_comparison_gives_the_bytes_of_the_live_report_in_every_format() {
    let folder = TempDir::new().unwrap();
    let sides = ["--baseline", "profiles/lab/standard.toml", "--candidate", "profiles/lab/upper.toml"];
    assert_same_bytes(&[&["compare", "--set", "smoke"], &sides[..]].concat(), folder.path());
}

#[test]
fn a_stored_run_gives_the_bytes_of_the_live_report_in_every_format() {
    let folder = TempDir::new().unwrap();
    assert_same_bytes(&["run", "--set", "smoke", "--profile", "profiles/lab/upper.toml"], folder.path());
    let last = |format: &str| {
        let text = std::fs::read_to_string(folder.path().join(format!("live.{format}"))).unwrap();
        text.lines().last().unwrap().to_owned()
    };
    assert!(last("terminal").starts_with("FAIL  ") && last("terminal").ends_with(" · exit 1"), "{}", last("terminal"));
    assert!(last("jsonl").starts_with(r#"{"event":"decision","decision":"fail","reasons":[{"#), "{}", last("jsonl"));
}

#[test]
fn a_name_that_a_terminal_would_obey_is_the_same_in_the_file_and_on_standard_output() {
    let folder = TempDir::new().unwrap();
    let corpus = out_of(&folder.path().join("corpus"));
    let (name, of) = ("a\u{1b}[31m\u{7f}\u{9b}b.dxf", |name: &str| corpus.join(name));
    std::fs::write(of(name), "0\nSECTION\n").unwrap();
    std::fs::write(of("note.txt"), "a note").unwrap();
    let sides = ["--baseline", "profiles/lab/standard.toml", "--candidate", "profiles/lab/upper.toml"];
    let corpus = ["--corpus", corpus.to_str().unwrap(), "--client", "curl"];
    assert_same_bytes(&[&["compare"], &sides[..], &corpus[..]].concat(), folder.path());
    let live = |format: &str| std::fs::read_to_string(folder.path().join(format!("live.{format}"))).unwrap();
    assert!(live("csv").contains(r"a\u{1b}[31m\u{7f}\u{9b}b.dxf"), "{}", live("csv"));
    // JSON escapes an ESC, and neither of the other two.
    assert!(live("json").contains("a\\u001b[31m\u{7f}\u{9b}b.dxf"), "{}", live("json"));
}

#[test]
fn a_folder_gives_the_same_bytes_however_it_is_written() {
    let folder = TempDir::new().unwrap();
    let lab = |name: &str| format!("{}/profiles/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let sides = ["--baseline", &lab("standard"), "--candidate", &lab("upper")];
    let case = ["--case", "dxf/*,csv/*", "--out=-record", "--write", "markdown=live.md"];
    let sides = [&["compare"], &sides[..], &case[..]].concat();
    wafcanary_in(folder.path(), &sides, 1);
    std::os::unix::fs::symlink("-record", folder.path().join("link")).unwrap();
    let whole = folder.path().join("-record").to_str().unwrap().to_owned();
    for format in ["terminal", "markdown", "html"] {
        let report = |stored: &str, from: &Path| {
            String::from_utf8(wafcanary_in(from, &["report", "--format", format, "--", stored], 0).stdout).unwrap()
        };
        let first = report("-record", folder.path());
        assert!(first.contains("bash ./-record/requests/dxf_"), "{first}");
        for stored in ["./-record", "-record/", &whole, "link", "-record/comparison.json", "link/../-record/."] {
            assert_eq!(report(stored, folder.path()), first, "{stored} as {format}");
        }
        if format == "markdown" {
            assert_eq!(std::fs::read_to_string(folder.path().join("live.md")).unwrap(), first);
        }
        // From the folder itself, and from one beside it.
        assert!(report(".", Path::new(&whole)).contains("bash requests/dxf_"));
        assert_eq!(report(".", Path::new(&whole)), report("comparison.json", Path::new(&whole)));
        let real = std::fs::canonicalize(&whole).unwrap();
        let beside = report(&whole, Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(beside.contains(&format!("bash {}/requests/dxf_", real.display())), "{beside}");
    }
}

#[test]
fn the_terminal_report_is_the_same_for_each_run() {
    let folder = TempDir::new().unwrap();
    let report = |name: &str| {
        let sides = ["--baseline", "profiles/lab/standard.toml", "--candidate", "profiles/lab/upper.toml"];
        let out = folder.path().join(name);
        let record = out.to_str().unwrap().to_owned();
        let text = wafcanary(&[&["compare", "--set", "smoke", "--out", &record], &sides[..]].concat(), 1).stdout;
        // Commands name the folder of the record.
        String::from_utf8(text).unwrap().replace(&record, "OUT")
    };
    assert_eq!(report("first"), report("second"));
}

#[test]
fn a_secret_of_the_profile_is_in_no_file_and_in_no_report() {
    let folder = TempDir::new().unwrap();
    let upper = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/lab/upper.toml");
    let profile = folder.path().join("secret.toml");
    let text = format!(
        "schema_version = 1\nname = \"with secrets\"\nextends = {:?}\n\n[upload]\n\
         headers = [{{ name = \"X-Form-Token\", value = \"${{env:REPORT_TEST_SECRET}}\" }}]\n\
         fields = [{{ name = \"token\", value = \"${{env:REPORT_TEST_SECRET}}\" }}]\n",
        upper.display().to_string()
    );
    std::fs::write(&profile, text).unwrap();
    let out = folder.path().join("out");
    assert_same_bytes(
        &[
            "compare",
            "--set",
            "smoke",
            "--baseline",
            "profiles/lab/standard.toml",
            "--candidate",
            profile.to_str().unwrap(),
        ],
        &out_of(&out),
    );
    let mut files = 0;
    let mut scripts = 0;
    visit(&out, &mut |path| {
        files += 1;
        scripts += usize::from(path.extension().is_some_and(|extension| extension == "sh"));
        let bytes = std::fs::read(path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} holds the secret", path.display());
    });
    assert!(files > 10 && scripts > 0, "{files} files, {scripts} scripts");
}

/// The folder, made.
fn out_of(path: &Path) -> std::path::PathBuf {
    std::fs::create_dir_all(path).unwrap();
    path.to_path_buf()
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { visit(&path, look) } else { look(&path) }
    }
}
