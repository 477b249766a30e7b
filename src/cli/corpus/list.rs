//! `wafcanary corpus list`: the cases that a selection makes.

use std::fmt::Write as _;

use clap::Args;

use super::super::console::Console;
use super::super::options::SelectOptions;
use super::super::session;
use super::super::settings::Settings;
use crate::corpus::Intent;
use crate::error::Result;
use crate::exit::ExitCode;

/// Lists id, intent, client, size and filename of each case. Controls are listed too; whether they are sent, the profile says.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  wafcanary corpus list --set smoke
  wafcanary corpus list --corpus attachments/ --case 'pdf/*' --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    select: SelectOptions,
    /// One JSON object a line
    #[arg(long, env = "WAFCANARY_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    json: bool,
}

pub(super) fn list(args: &ListArgs, settings: &Settings, console: &Console) -> Result<ExitCode> {
    let selected = session::select(&args.select, settings, &[], console)?;
    let mut text = String::new();
    for case in selected.cases.iter() {
        let control = match case.attachment.intent {
            Intent::Legit => "legit",
            Intent::Control => "control",
        };
        let (id, client, bytes) = (case.id.as_str(), case.client.as_str(), case.content.len());
        if args.json {
            let line = serde_json::json!({
                "id": id, "intent": case.attachment.intent, "client": client, "bytes": bytes,
                "filename": case.filename.text, "transport": case.transport, "sha256": case.content.sha256(),
                "procedures": case.attachment.procedures, "tags": case.attachment.tags, "weight": case.attachment.weight,
                "fidelity": case.attachment.provenance.fidelity,
                "trips": case.attachment.provenance.trips,
            });
            let _ = writeln!(text, "{line}");
        } else {
            let filename = crate::report::text::visible(&case.filename.text);
            let _ = writeln!(text, "{id}  {control}  {client}  {bytes} B  {filename}");
        }
    }
    console.out(&text)?;
    console.note(&format!("{} cases of `{}`, digest {}", selected.cases.len(), selected.corpus, selected.digest));
    Ok(ExitCode::Passed)
}
