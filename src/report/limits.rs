//! Limits for people: each with what two edges make of it, one under the other.

use std::io::{self, Write};

use super::text::{columns, grouped, pad, plural, visible};
use crate::corpus::Transport;
use crate::explain::limits::{Amount, Counted, EdgeLimits, Finding, Limit, LimitsDocument, Quantity, Refusal};
use crate::verdict::UNRECOGNISED;

/// Writes the limits of one edge, or of two side by side.
///
/// # Errors
/// Those of `out`.
pub fn render_limits(document: &LimitsDocument, out: &mut dyn Write) -> io::Result<()> {
    let edges = &document.edges;
    let width = edges.iter().map(|edge| columns(&visible(&edge.profile))).max().unwrap_or_default();
    for (quantity, transport, format) in rows(edges) {
        writeln!(out, "{}", heading(quantity, transport, format))?;
        for edge in edges {
            let of_row = |limit: &&Limit| {
                limit.quantity == quantity && limit.transport == transport && limit.format.as_deref() == format
            };
            let told = edge.limits.iter().find(of_row).map_or_else(|| "not measured".to_owned(), sentence);
            writeln!(out, "  {}  {}", pad(&visible(&edge.profile), width), visible(&told))?;
        }
    }
    writeln!(out)?;
    for edge in edges {
        let sent = format!("{}, {}", plural(edge.requests as usize, "request", "requests"), bytes(edge.bytes));
        let stopped = edge.stopped.as_ref().map_or_else(String::new, |why| format!("; not all was measured: {why}"));
        writeln!(out, "{}: {sent} sent{}", visible(&edge.profile), visible(&stopped))?;
    }
    Ok(())
}

type Row<'a> = (Quantity, Transport, Option<&'a str>);

/// What any edge was measured for, in order.
fn rows(edges: &[EdgeLimits]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for limit in edges.iter().flat_map(|edge| &edge.limits) {
        let row = (limit.quantity, limit.transport, limit.format.as_deref());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

fn heading(quantity: Quantity, transport: Transport, format: Option<&str>) -> String {
    let what = match quantity {
        Quantity::Size => "size",
        Quantity::Text => "text in a field",
        Quantity::Filename => "length of a filename",
        Quantity::Files => "files in a form",
        Quantity::Fields => "text fields in a form",
        Quantity::PartHeaders => "headers of the file's part",
        Quantity::Window => "inspected",
    };
    let format = format.map_or_else(String::new, |format| format!(", {format}"));
    format!("{what} ({}{format})", transport.as_str())
}

/// What was found, in one sentence.
fn sentence(limit: &Limit) -> String {
    let quantity = limit.quantity;
    let told = |amount: &Amount| told(quantity, amount);
    match &limit.finding {
        Finding::AtLeast { delivered } => format!("≥ {}", told(delivered)),
        Finding::Limit { delivered, refusal, counted, .. } => {
            let counted = match counted {
                Some(Counted::Body) => "; the whole body counts",
                Some(Counted::File) => "; the file alone counts",
                None => "",
            };
            format!("{}; one more is refused: {}{counted}", told(delivered), refused_as(refusal))
        }
        Finding::Nothing { refused, refusal } => format!("even {} is refused: {}", told(refused), refused_as(refusal)),
        Finding::NotMeasured { refused, refusal } => format!(
            "not measured: even a small file is refused (file {}, body {}): {}",
            bytes(refused.value),
            bytes(refused.body),
            refused_as(refusal)
        ),
        Finding::Unsteady { why } => format!("flaky, or not a limit: {why}"),
        Finding::Open { delivered, refused, why } => {
            let known = [("delivered", delivered), ("refused", refused)];
            let known = known.into_iter().filter_map(|(what, at)| Some(format!("{what} at {}, ", grouped((*at)?))));
            format!("not found: {}{why}", known.collect::<String>())
        }
        Finding::Unseen { tried } => {
            format!("can't be seen: none of {} runs of bytes is refused in a file", tried.len())
        }
        Finding::Everywhere { run, filename, tried, up_to } => {
            format!(
                "≥ {} ({} of the body): `{run}` in `{filename}` is refused at each of {} places that were tried, from \
                 the start to the end",
                bytes(up_to.value),
                bytes(up_to.body),
                tried.len()
            )
        }
        Finding::Window { run, filename, inspected, again } => {
            let (file, body) = (bytes(inspected.value), bytes(inspected.body));
            let ends: Vec<String> = again.iter().map(|end| bytes(*end)).collect();
            let again = if ends.is_empty() {
                String::new()
            } else {
                format!("; it is refused again where it ends at {} of the file", ends.join(", "))
            };
            format!("file {file}, body {body}: `{run}` in `{filename}` passes if it ends one byte later{again}")
        }
        Finding::SmallFilesOnly { run, filename, inspected, passes } => {
            let (file, body) = (bytes(inspected.value), bytes(inspected.body));
            let passes = bytes(passes.value);
            format!("files up to {file}, body {body}: `{run}` at the start of a `{filename}` of {passes} passes")
        }
    }
}

fn told(quantity: Quantity, amount: &Amount) -> String {
    match quantity {
        Quantity::Size | Quantity::Window => format!("file {}, body {}", bytes(amount.value), bytes(amount.body)),
        Quantity::Text => {
            let no_files =
                amount.no_files.map_or_else(String::new, |count| format!(", {} of part heads and texts", bytes(count)));
            format!("text {}{no_files}, body {}", bytes(amount.value), bytes(amount.body))
        }
        Quantity::Filename => bytes(amount.value),
        Quantity::Files | Quantity::Fields | Quantity::PartHeaders => grouped(amount.value),
    }
}

fn refused_as(refusal: &Refusal) -> String {
    let status = refusal.status.map_or_else(String::new, |status| format!(" {status}"));
    let known = refusal.signature.as_ref().filter(|signature| *signature != UNRECOGNISED);
    let signature = known.map_or_else(String::new, |signature| format!(" ({signature})"));
    format!("{}{status}{signature}", refusal.outcome.as_str())
}

fn bytes(count: u64) -> String {
    format!("{} B", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Outcome;

    fn amount(value: u64, body: u64) -> Amount {
        Amount { value, body, no_files: None }
    }

    fn told(quantity: Quantity, finding: Finding) -> String {
        sentence(&Limit { quantity, transport: Transport::Multipart, format: None, finding, requests: 1 })
    }

    fn refusal(status: Option<u16>, signature: &str) -> Refusal {
        Refusal { outcome: Outcome::TooLarge, status, signature: Some(signature.to_owned()) }
    }

    #[test]
    fn each_finding_is_told_in_a_sentence() {
        let (run, filename) = ("<script>".to_owned(), "a.txt".to_owned());
        let limit = |refusal, counted| Finding::Limit {
            delivered: amount(8000, 8192),
            refused: amount(8001, 8193),
            refusal,
            counted,
        };
        let rows = [
            (
                Quantity::Size,
                Finding::AtLeast { delivered: amount(99_999_800, 100_000_000) },
                "≥ file 99,999,800 B, body 100,000,000 B",
            ),
            (
                Quantity::Size,
                limit(refusal(Some(413), "nginx"), Some(Counted::Body)),
                "file 8,000 B, body 8,192 B; one more is refused: too_large 413 (nginx); the whole body counts",
            ),
            (Quantity::Filename, limit(refusal(None, UNRECOGNISED), None), "8,000 B; one more is refused: too_large"),
            (
                Quantity::Files,
                Finding::Nothing { refused: amount(1, 300), refusal: refusal(Some(403), UNRECOGNISED) },
                "even 1 is refused: too_large 403",
            ),
            (
                Quantity::Fields,
                Finding::Open { delivered: Some(1000), refused: None, why: "interrupted".to_owned() },
                "not found: delivered at 1,000, interrupted",
            ),
            (
                Quantity::Window,
                Finding::Unseen { tried: vec![run.clone()] },
                "can't be seen: none of 1 runs of bytes is refused in a file",
            ),
            (
                Quantity::Window,
                Finding::Window {
                    run: run.clone(),
                    filename: filename.clone(),
                    inspected: amount(8000, 8192),
                    again: vec![15_000, 20_000],
                },
                "file 8,000 B, body 8,192 B: `<script>` in `a.txt` passes if it ends one byte later; it is refused \
                 again where it ends at 15,000 B, 20,000 B of the file",
            ),
            (
                Quantity::Window,
                Finding::Everywhere { run, filename, tried: vec![20, 9000, 20_000], up_to: amount(20_000, 20_300) },
                "≥ 20,000 B (20,300 B of the body): `<script>` in `a.txt` is refused at each of 3 places that were \
                 tried, from the start to the end",
            ),
            (
                Quantity::Fields,
                Finding::NotMeasured { refused: amount(500, 800), refusal: refusal(Some(405), UNRECOGNISED) },
                "not measured: even a small file is refused (file 500 B, body 800 B): too_large 405",
            ),
        ];
        for (quantity, finding, expected) in rows {
            assert_eq!(told(quantity, finding), expected);
        }
    }

    #[test]
    fn what_one_edge_was_not_measured_for_is_said() {
        let limit = Limit {
            quantity: Quantity::Files,
            transport: Transport::Multipart,
            format: None,
            finding: Finding::AtLeast { delivered: amount(20, 4000) },
            requests: 1,
        };
        let edge = |profile: &str, limits: &[Limit], stopped: Option<&str>| EdgeLimits {
            profile: profile.to_owned(),
            limits: limits.to_vec(),
            stopped: stopped.map(str::to_owned),
            requests: 1,
            bytes: 4000,
        };
        let edges = vec![edge("now", &[limit], None), edge("next\u{1b}[2J", &[], Some("interrupted"))];
        let mut out = Vec::new();
        render_limits(&LimitsDocument { schema_version: 1, edges }, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "files in a form (multipart)\n  now            ≥ 20\n  next\\u{1b}[2J  not measured\n\n\
             now: 1 request, 4,000 B sent\nnext\\u{1b}[2J: 1 request, 4,000 B sent; not all was measured: interrupted\n"
        );
    }
}
