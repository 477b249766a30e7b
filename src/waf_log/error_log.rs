//! Error logs of nginx and Apache: one line a rule, put together to transactions by their unique id.

use std::collections::VecDeque;
use std::io::Read;

use super::group::{Group, OPEN};
use super::hit::{Action, RuleHit};
use super::lines::{Line, Lines};
use super::read::Sink;
use super::redact;
use super::rule_text::rule_text;
use super::transaction::{Builder, Engine};

/// Bytes of a line of nginx's error log (`NGX_MAX_ERROR_STR`, less the line end): a longer one is cut.
const CUT: usize = 2047;

/// Whose error log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Nginx,
    Apache,
}

/// What a line says.
struct Entry<'a> {
    at: &'a str,
    /// Process and connection, as in `20602#20602: *51`.
    connection: &'a str,
    message: &'a str,
    /// Request line, where the line has one.
    request: Option<&'a str>,
}

/// Transactions in the making.
#[derive(Default)]
struct Pending {
    group: Group,
    /// Hits whose line was cut before the unique id, by connection: the next line of the connection tells it.
    cut: VecDeque<(String, Builder)>,
}

impl Pending {
    /// Keeps a hit whose line was cut.
    fn keep_cut(&mut self, entry: &Entry<'_>, hit: RuleHit, sink: &mut Sink<'_>) {
        if self.cut.len() >= OPEN
            && let Some((_, builder)) = self.cut.pop_front()
        {
            sink.give(builder.finish(Engine::TellsRefusals));
        }
        let mut builder = Builder::default();
        builder.transaction.at = Some(redact::name(entry.at));
        builder.push(hit);
        self.cut.push_back((entry.connection.to_owned(), builder));
    }

    /// The hits of a connection whose lines were cut.
    fn take_cut(&mut self, connection: &str) -> Vec<RuleHit> {
        let mut hits = Vec::new();
        self.cut.retain_mut(|(of, builder)| {
            let other = of != connection;
            if !other {
                hits.append(&mut builder.transaction.hits);
            }
            other
        });
        hits
    }

    fn give_all(self, sink: &mut Sink<'_>) {
        self.group.give_all(sink);
        for (_, builder) in self.cut {
            sink.give(builder.finish(Engine::TellsRefusals));
        }
    }
}

/// Reads an error log.
pub(super) fn read(source: impl Read, server: Server, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let mut lines = Lines::new(source);
    let mut pending = Pending::default();
    loop {
        let number = lines.number + 1;
        let Some(line) = lines.next()? else { break };
        if !line.complete {
            sink.torn();
            break;
        }
        if line.bytes.is_empty() {
            continue;
        }
        let text = line.text();
        let entry = match server {
            Server::Nginx => nginx(&text),
            Server::Apache => apache(&text),
        };
        match entry {
            Some(entry) => take(&entry, &line, &mut pending, sink),
            None => sink.skip(number, "not a line of an error log".to_owned()),
        }
    }
    pending.give_all(sink);
    sink.count(lines.bytes, lines.number);
    Ok(())
}

fn take(entry: &Entry<'_>, line: &Line<'_>, pending: &mut Pending, sink: &mut Sink<'_>) {
    if let Some(status) = own_refusal(entry.message) {
        sink.give(of_server(entry, status).finish(Engine::TellsRefusals));
        return;
    }
    let Some(sentence) = entry.message.strip_prefix("ModSecurity: ") else { return };
    let cut = line.bytes.len() >= CUT;
    let read = rule_text(sentence, cut);
    let Some(unique_id) = read.unique_id else {
        // Without ids it is a message at the start of the server.
        if cut || read.hit.id.is_some() {
            pending.keep_cut(entry, read.hit, sink);
        }
        return;
    };
    let earlier = pending.take_cut(entry.connection);
    let builder = pending.group.builder(&unique_id, entry.at, sink);
    for hit in earlier {
        builder.push(hit);
    }
    if let Some(request) = entry.request {
        builder.request_line(request);
    }
    builder.push(read.hit);
}

/// The status of a refusal by the server itself, or by the connector before the engine was asked.
fn own_refusal(message: &str) -> Option<u16> {
    // nginx: `client intended to send too large body: 13500705 bytes`, `… too large chunked body: 8192+8192 bytes`.
    let nginx = message.starts_with("client intended to send too large");
    // Apache: `AH01588: Requested content-length of 200186 is larger than the configured limit of 1000`.
    let apache = message.starts_with("AH01588: ") || message.starts_with("AH01591: ");
    // ModSecurity-nginx 1.0.3, a body over `SecRequestBodyLimit`.
    let connector = message.starts_with("Request body limit is marked to reject");
    if nginx || apache { Some(413) } else { connector.then_some(403) }
}

fn of_server(entry: &Entry<'_>, status: u16) -> Builder {
    let mut builder = Builder::default();
    builder.transaction.at = Some(redact::name(entry.at));
    builder.transaction.status = Some(status);
    if let Some(request) = entry.request {
        builder.request_line(request);
    }
    let words = entry.message.split_once(", client: ").map_or(entry.message, |(words, _)| words);
    builder.push(RuleHit {
        id: None,
        message: redact::message(words),
        phase: None,
        variable: None,
        data: None,
        severity: None,
        crs: false,
        action: Action::Refused,
    });
    builder
}

/// `2026/11/25 21:00:27 [info] 20602#20602: *51 [client 127.0.0.1] ModSecurity: …, client: …, request: "…", host: "…"`
fn nginx(line: &str) -> Option<Entry<'_>> {
    let (at, rest) = line.split_at_checked("2026/11/25 21:00:27".len())?;
    if !at.starts_with(|c: char| c.is_ascii_digit()) || at.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (_, rest) = rest.strip_prefix(" [")?.split_once("] ")?;
    // Lines outside of a connection have no `*51`.
    let (connection, message) = match rest.split_once(": *") {
        Some((process, tail)) if process.len() < 32 => {
            let end = tail.find(' ').unwrap_or(tail.len());
            (&rest[..process.len() + 3 + end], tail[end..].trim_start())
        }
        _ => (rest, ""),
    };
    let message = match message.strip_prefix("[client ").and_then(|rest| rest.split_once("] ")) {
        Some((_, message)) => message,
        None => message,
    };
    let request = message.rsplit_once(", request: \"").map(|(_, rest)| rest.split_once('"').map_or(rest, |(to, _)| to));
    Some(Entry { at, connection, message, request })
}

/// `[Wed Nov 25 21:00:31.117172 2026] [security2:error] [pid 20608:tid 20650] [client 127.0.0.1:35874] … ModSecurity: …`
fn apache(line: &str) -> Option<Entry<'_>> {
    let (at, mut rest) = line.strip_prefix('[')?.split_once("] ")?;
    let mut connection = "";
    while let Some((field, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        if connection.is_empty() && field.starts_with("client ") {
            connection = field;
        }
        rest = after;
    }
    Some(Entry { at, connection, message: rest, request: None })
}
