//! Reads a WAF's log and counts: `cargo run --release --example read_waf_log -- FILE[:FORMAT]`.
//!
//! It is what `benches/waf_log.sh` measures.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use wafcanary::waf_log::{Format, Position, Transaction, read, would_block};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1).ok_or("give FILE or FILE:FORMAT")?;
    let given = argument.rsplit_once(':').and_then(|(file, format)| Some((file, format.parse::<Format>().ok()?)));
    let (file, format) = given.unwrap_or((&argument, Format::Auto));
    let (mut rules, mut would, mut intercepted) = (BTreeMap::<String, u64>::new(), 0_u64, 0_u64);
    let started = Instant::now();
    let summary = read(Path::new(file), format, &Position::start(), &mut |transaction: Transaction| {
        would += u64::from(would_block(&transaction));
        intercepted += u64::from(transaction.intercepted);
        for hit in transaction.hits {
            *rules.entry(hit.id.unwrap_or_else(|| "no id".to_owned())).or_default() += 1;
        }
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{summary:#?}")?;
    writeln!(out, "intercepted {intercepted}, would be blocked {would}, hits by rule {rules:?}")?;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = summary.bytes as f64 / 1e6 / seconds;
    writeln!(out, "{seconds:.2} s, {rate:.0} MB/s")?;
    Ok(())
}
