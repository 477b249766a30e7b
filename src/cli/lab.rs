//! `wafcanary lab`: the embedded edges, to try things against by hand.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use clap::{Args, Subcommand};

use super::console::Console;
use super::session;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::lab::{self, Lab};

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// List the embedded edges
    List,
    /// Start one edge with its origin on loopback, until Ctrl-C
    Up(UpArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary lab up upper --http-port 8080
  curl -F 'file=@report.pdf' http://127.0.0.1:8080/apply/upload")]
pub(crate) struct UpArgs {
    /// Name of the edge, from `lab list`
    #[arg(value_name = "EDGE", default_value = "standard")]
    edge: String,
    /// Port of the edge's plain HTTP; 0: any free one
    #[arg(long, env = "WAFCANARY_HTTP_PORT", value_name = "PORT", default_value_t = 0)]
    http_port: u16,
}

pub(crate) fn lab(command: LabCommand, console: &Console) -> Result<ExitCode> {
    match command {
        LabCommand::List => {
            let mut text = String::new();
            for (name, _, summary) in lab::edges() {
                let _ = writeln!(text, "{name:<22} {summary}");
            }
            console.out(&text)?;
            Ok(ExitCode::Passed)
        }
        LabCommand::Up(args) => session::runtime()?.block_on(up(&args, console)),
    }
}

async fn up(args: &UpArgs, console: &Console) -> Result<ExitCode> {
    let Some((name, text, _)) = lab::edges().find(|(name, ..)| *name == args.edge) else {
        let names: Vec<&str> = lab::edges().map(|(name, ..)| name).collect();
        return Err(Error::usage(format!("there is no embedded edge `{}`", args.edge))
            .help(format!("one of: {}", names.join(", "))));
    };
    let options =
        lab::Options { listen: IpAddr::V4(Ipv4Addr::LOCALHOST), http_port: args.http_port, ..lab::Options::default() };
    let place = Path::new(name);
    let parsed: toml::Table = toml::from_str(text).map_err(|error| Error::usage(error.message()).file(place))?;
    let table = parsed.get("lab").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let lab = Lab::start(&table, place, &options).await?;
    console.out(&format!(
        "edge `{}`\n  http    http://{}/apply/upload\n  https   https://{}/apply/upload\n  origin  http://{}/ (receipts: /receipts/ATTEMPT, the value of X-Wafcanary-Attempt)\nCtrl-C stops it\n",
        name,
        lab.http_addr(),
        lab.https_addr(),
        lab.origin_addr()
    ))?;
    let mut stop = session::stop_on_signal();
    let _ = stop.wait_for(|stop| *stop).await;
    lab.stop().await;
    Ok(ExitCode::Passed)
}
