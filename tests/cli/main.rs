//! Bad input on the command line: what is said, the exit code, that nothing passes and that nothing is lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(unix)]

mod accept;
mod corpus;
mod explain;
mod limits;
mod matrix;
mod network;
mod origin;
mod preflight;
mod record;
mod settings;
mod suggest;
mod terminal;
mod usage;
mod waf_log;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of its own, in which no configuration from above is found.
struct Place {
    dir: tempfile::TempDir,
}

/// What a command did.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        scrubbed(Command::new(env!("CARGO_BIN_EXE_wafcanary")), self.dir.path(), arguments)
    }

    fn shell(&self, script: &str) -> Ran {
        let mut shell = Command::new("sh");
        shell.env("WAFCANARY", env!("CARGO_BIN_EXE_wafcanary"));
        ran(&mut scrubbed(shell, self.dir.path(), &["-c", script]))
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }
}

fn scrubbed(mut command: Command, dir: &Path, arguments: &[&str]) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WAFCANARY_")) {
        command.env_remove(name);
    }
    command
        .env_remove("GITHUB_OUTPUT")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env("NO_COLOR", "1")
        .env("LAB", lab(""))
        .stdin(Stdio::null());
    command.current_dir(dir).args(arguments);
    command
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The exit code, and words that stand in the message; nothing that failed may speak of a pass.
    #[track_caller]
    fn says(&self, code: i32, words: &[&str]) -> &Self {
        let said = format!("{}\n{}", self.err, self.out);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(self.code, Some(code), "{said}");
        for word in words {
            assert!(flat.contains(word), "`{word}` is missing in:\n{said}");
        }
        self
    }
}

/// A profile of the lab, or the folder of them.
fn lab(name: &str) -> String {
    let file = if name.is_empty() { String::new() } else { format!("/{name}.toml") };
    format!("{}/profiles/lab{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A profile of an edge at `url`, with a marker as proof and no canary control.
fn marker_profile(url: &str) -> String {
    format!(
        "[target]\nurl = \"{url}\"\n[oracle]\nproof = \"marker\"\nbody = {{ contains = \"received as number\" }}\n\
         [pace]\nrate = \"unlimited\"\ncanary_every = 0\n[timeouts]\nanswer = \"5s\"\n[guard]\nenvironment = \"lab\"\n"
    )
}
