//! Native audit logs of ModSecurity 2 and 3: parts between boundaries, `--d4f5a2b1-A--` to `--d4f5a2b1-Z--`.
//!
//! Parts C, E, I and J hold what clients and applications sent, which may be an audit log itself. There only
//! the boundary of the transaction ends anything. The other parts are the engine's own words: there the start of
//! another transaction means that this one was never finished.

use std::io::Read;

use super::EngineMode;
use super::lines::{Line, Lines};
use super::read::{Sink, index_entry};
use super::redact;
use super::rule_text::rule_text;
use super::transaction::{Builder, Engine};

/// A transaction that has begun.
struct Current {
    token: Vec<u8>,
    part: u8,
    /// Lines of the part so far.
    lines: u64,
    /// Line that it began at.
    began: u64,
    builder: Builder,
}

impl Current {
    fn new(token: &[u8], began: u64) -> Self {
        Self { token: token.to_vec(), part: b'A', lines: 0, began, builder: Builder::default() }
    }

    /// Whether the part holds what a client or an application sent.
    fn in_content(&self) -> bool {
        matches!(self.part, b'C' | b'E' | b'I' | b'J' | b'G')
    }

    fn line(&mut self, line: &Line<'_>) {
        self.lines += 1;
        let builder = &mut self.builder;
        match self.part {
            b'A' if self.lines == 1 => {
                // `[25/Nov/2026:21:00:30 +0000] awdMbhK2k2XOALAo-s9I-gAAAIc 127.0.0.1 51030 127.0.0.1 80`
                let text = line.text();
                let Some((at, rest)) = text.strip_prefix('[').and_then(|text| text.split_once("] ")) else { return };
                builder.transaction.at = Some(redact::name(at));
                builder.transaction.unique_id = rest.split(' ').next().map(redact::name);
            }
            b'B' if self.lines == 1 => builder.request_line(&line.text()),
            b'B' if line.bytes.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'x')) => {
                if let Some((name, value)) = line.text().split_once(':') {
                    builder.header(name, value);
                }
            }
            b'F' if self.lines == 1 => {
                let text = line.text();
                builder.transaction.status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
            }
            b'H' => trailer(builder, &line.text()),
            b'K' => builder.rule_source(&line.text()),
            _ => {}
        }
    }
}

/// A line of part H. `Apache-Error:` lines say the same as the `Message:` lines, and are passed over.
fn trailer(builder: &mut Builder, text: &str) {
    if let Some(sentence) = text.strip_prefix("Message: ").or_else(|| text.strip_prefix("ModSecurity: ")) {
        builder.push(rule_text(sentence, false).hit);
    } else if text.starts_with("Action: Intercepted") {
        builder.transaction.intercepted = true;
    } else if let Some(mode) = text.strip_prefix("Engine-Mode: ") {
        builder.transaction.engine_mode = EngineMode::parse(mode);
    }
}

/// Reads a native audit log, or the index of a concurrent one.
pub(super) fn read(source: impl Read, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let mut lines = Lines::new(source);
    let mut current: Option<Current> = None;
    loop {
        let number = lines.number + 1;
        let Some(line) = lines.next()? else { break };
        match (boundary(line.bytes), &mut current) {
            (Some((token, b'A')), None) => current = Some(Current::new(token, number)),
            (Some((token, part)), Some(open)) if open.token == token && part != b'A' => {
                if part == b'Z' {
                    let builder = std::mem::take(&mut open.builder);
                    current = None;
                    sink.give(builder.finish(Engine::TellsRefusals));
                } else {
                    (open.part, open.lines) = (part, 0);
                }
            }
            (Some((token, b'A')), Some(open)) if open.token == token || !open.in_content() => {
                sink.skip(open.began, "a transaction without its end, part Z".to_owned());
                *open = Current::new(token, number);
            }
            (_, Some(open)) => open.line(&line),
            (Some(_), None) => {}
            (None, None) if line.bytes.iter().all(u8::is_ascii_whitespace) => {}
            (None, None) => match index_entry(&line.text()) {
                Some(path) if line.complete => sink.entry(number, &path),
                // The first lines of a part of a log can be the rest of a transaction that is not ours.
                _ if line.complete => sink.skip(number, "no part of a transaction".to_owned()),
                _ => sink.torn(),
            },
        }
    }
    if current.is_some() {
        sink.torn();
    }
    sink.count(lines.bytes, lines.number);
    Ok(())
}

/// Token and part of a boundary: `--d4f5a2b1-A--` (ModSecurity 2), `---ZNbhb4Ad---A--` (3).
fn boundary(line: &[u8]) -> Option<(&[u8], u8)> {
    let inner = line.strip_prefix(b"--")?.strip_suffix(b"--")?;
    let (token, part) = inner.split_at_checked(inner.len().checked_sub(2)?)?;
    let part = part.strip_prefix(b"-")?.first().filter(|part| part.is_ascii_uppercase())?;
    let sound =
        (4..=64).contains(&token.len()) && token.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    sound.then_some((token, *part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_both_engines_are_told_from_content() {
        assert_eq!(boundary(b"--aa796257-A--"), Some((&b"aa796257"[..], b'A')));
        assert_eq!(boundary(b"---ZNbhb4Ad---Z--"), Some((&b"-ZNbhb4Ad--"[..], b'Z')));
        for line in
            [&b"--------------------------f8dc5883779fe4d7--"[..], b"--", b"----", b"--A--", b"-A--", b"--abcd-a--"]
        {
            assert_eq!(boundary(line), None, "{}", String::from_utf8_lossy(line));
        }
    }
}
