//! `wafcanary demo`: the 2024 incident on the embedded lab.

use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::{self, CompareArgs};
use super::console::Console;
use super::options::{OutputOptions, SelectOptions, SendOptions, WafLogOptions};
use super::session;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::lab;
use crate::report::Format;

/// Compares the `standard` and the `upper` plan of the embedded lab with the built-in corpus: `compare`, with everything
/// given. It exits 1, because the upper plan refuses legitimate files.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary demo
  wafcanary demo --out demo-out")]
pub(crate) struct DemoArgs {
    /// Folder for the record, the profiles and the reports; must not hold a run yet [default: wafcanary-out/TIME-demo]
    #[arg(long, env = "WAFCANARY_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn demo(args: &DemoArgs, console: &Console) -> Result<ExitCode> {
    let mut output = OutputOptions { out: args.out.clone(), ..OutputOptions::default() };
    let dir = session::output_folder(output.out.as_ref(), "demo");
    let profiles = dir.join("profiles");
    write_profiles(&profiles).map_err(|error| {
        Error::usage(format!("cannot write the demo's profiles: {error}"))
            .file(&profiles)
            .help("give a folder that can be written to with `--out`")
    })?;
    for (format, name) in [(Format::Markdown, "report.md"), (Format::Junit, "junit.xml"), (Format::Csv, "cases.csv")] {
        output.write.push((format, dir.join(name)));
    }
    output.out = Some(dir);
    console.note(
        "The 2024 incident: a form service's CDN moves to a higher plan, whose WAF checks files more strictly.\n\
         Two embedded edges on loopback stand for the plans; every figure below comes from this run.\n",
    );
    let args = CompareArgs {
        baseline: Some(profiles.join("standard.toml")),
        candidate: Some(profiles.join("upper.toml")),
        confirm: 3,
        waivers: None,
        allow_same_edge: false,
        // Both edges are ours, and known.
        no_preflight: true,
        select: SelectOptions::default(),
        send: SendOptions::default(),
        waf: WafLogOptions::default(),
        output,
    };
    compare::compare(args, &Settings::default(), console)
}

/// Puts the embedded profiles into the folder, so that a reader can look at them and change them.
fn write_profiles(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(lab::BASE.0), lab::BASE.1)?;
    lab::edges().try_for_each(|(name, text, _)| std::fs::write(folder.join(format!("{name}.toml")), text))
}
