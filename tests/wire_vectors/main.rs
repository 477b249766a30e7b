//! Every captured request of a modelled client is written again, byte for byte.
//!
//! `WAFCANARY_VECTORS=DIR` points the test at another folder of captures: see `tests/vectors/README.md`.

mod row;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

use row::{Row, hex, latin1, unhex};
use wafcanary::corpus::{DeclaredType, Sha256Digest, Transport};
use wafcanary::wire::{WireRequest, encode_given};

/// Rows that ask for what no case can say: client (a prefix), case (a prefix), what is left out, why.
const SKIPPED: &[(&str, &str, Left, &str)] = &[
    ("", "urlencoded-form", Left::Row, "not an upload: the form sends the name alone"),
    ("", "textplain-form", Left::Row, "not an upload: the form sends the name alone"),
    ("", "put-blob", Left::Head, "a Blob without a type: no case can say so"),
    ("curl", "s04b-", Left::Head, "the user's own -H Expect"),
    ("curl", "s10-", Left::Row, "`<file`: a text part read from a file"),
    ("curl", "s11-", Left::Row, "the user's own part header"),
    ("curl", "s12-", Left::Row, "encoder=base64: a transfer encoding asked for by the user"),
    ("curl", "s13-", Left::Head, "--data-binary: a POST of the file alone"),
    ("curl", "s15-", Left::Raw, "--http1.0: only the request line differs"),
    ("curl", "s16-", Left::Head, "--compressed: the user's own Accept-Encoding"),
    ("reqwest", "s11-", Left::Row, "the caller's own part header"),
    ("reqwest", "s20-", Left::Row, "a body built by hand"),
    ("reqwest", "s21-", Left::Row, "a body of one byte with headers set by hand"),
];

/// What of a row is not compared.
#[derive(Clone, Copy, PartialEq)]
enum Left {
    Row,
    Head,
    Raw,
}

#[derive(Default)]
struct Tally {
    rows: usize,
    disposition: usize,
    order: usize,
    body: usize,
    head: usize,
    raw: usize,
    own_type: usize,
    skipped: Vec<String>,
}

fn folder() -> PathBuf {
    match std::env::var_os("WAFCANARY_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"),
    }
}

fn rows() -> Vec<Row> {
    let path = folder().join("vectors.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn bytes_of(request: &WireRequest) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.body.reader().read_to_end(&mut bytes).expect("the body is in memory");
    assert_eq!(bytes.len() as u64, request.body.len());
    bytes
}

/// Lines of a part's head, as the capture read them: up to the first CRLF CRLF.
fn part_lines(body: &[u8], filename_part: bool) -> Vec<Vec<u8>> {
    let boundary_end = body.windows(2).position(|pair| pair == b"\r\n").unwrap_or(0);
    let delimiter = body[..boundary_end].to_vec();
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(delimiter.len()).position(|window| window == delimiter) {
        rest = &rest[at + delimiter.len()..];
        let Some(after) = rest.strip_prefix(b"\r\n") else { break };
        let end = after.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(after.len());
        let lines: Vec<Vec<u8>> = split_lines(&after[..end]);
        let named = lines.iter().any(|line| line.windows(9).any(|window| window == b" filename"));
        if named || !filename_part {
            parts.push(lines);
        }
    }
    parts.into_iter().next().unwrap_or_default()
}

fn split_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"\r\n") {
            lines.push(Vec::new());
            at += 2;
        } else {
            lines.last_mut().expect("never empty").push(text[at]);
            at += 1;
        }
    }
    lines
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Where a row's bytes and ours part ways.
fn check(row: &Row, tally: &mut Tally) -> Result<(), String> {
    let Some(client) = row.client() else { return Ok(()) };
    tally.rows += 1;
    let rule = SKIPPED.iter().find(|(prefix, case, ..)| row.client.starts_with(prefix) && row.case.starts_with(case));
    if let Some((_, _, _, why)) = rule {
        tally.skipped.push(format!("{}: {why}", row.case));
    }
    let left = rule.map(|(_, _, left, _)| *left);
    if left == Some(Left::Row) {
        return Ok(());
    }
    let wanted_type = match row.file_without_name() {
        Some(part) => part.part_content_type.clone(),
        None if row.boundary.is_some() => row.part_content_type.clone(),
        None => row.header("content-type").map(str::to_owned),
    };
    let (request, body) = closest(row, client, wanted_type.as_ref(), tally)?;
    if row.boundary.is_some() {
        check_part(row, &body, tally)?;
    }
    if Sha256Digest::of(&body).to_string() != row.body_sha256 {
        let excerpt = shown(&body[..body.len().min(1200)]);
        return Err(format!("body: {} bytes, captured {}\n    ours: {excerpt}", body.len(), row.body_len));
    }
    tally.body += 1;
    if left != Some(Left::Head) && !row.is_webkit_beacon() {
        check_head(row, &request)?;
        tally.head += 1;
    }
    if left.is_none() && row.raw_file.is_some() {
        check_raw(row, &request, &body)?;
        tally.raw += 1;
    }
    Ok(())
}

/// The request for the inputs that give the captured body, or for the likeliest ones when none does.
fn closest(
    row: &Row,
    client: wafcanary::corpus::Client,
    wanted_type: Option<&String>,
    tally: &mut Tally,
) -> Result<(WireRequest, Vec<u8>), String> {
    let encode = |declared: &DeclaredType| {
        let inputs = row.inputs(client, declared);
        let mut first = None;
        for (case, submission) in &inputs {
            let request = encode_given(case, submission, 0, &row.given()).map_err(|error| error.to_string())?;
            let body = bytes_of(&request);
            if Sha256Digest::of(&body).to_string() == row.body_sha256 {
                return Ok((request, body));
            }
            first.get_or_insert((request, body));
        }
        first.ok_or_else(|| "no inputs".to_owned())
    };
    let own = encode(&DeclaredType::AsClient)?;
    if own.0.content_type.as_ref() == wanted_type {
        tally.own_type += 1;
        return Ok(own);
    }
    let by_extension = ["mime-", "m-", "form-n", "form-z", "page-", "accept-", "none-", "text-", "big-form", "field-"];
    let real_file = row.api == "form" || !row.api.starts_with(|c: char| "fxbp".contains(c));
    let builtin = row.client.ends_with("-builtinmime");
    if real_file
        && !builtin
        && by_extension.iter().any(|prefix| row.case.starts_with(prefix))
        && own.0.content_type.is_some()
    {
        return Err(format!("type: {:?}, captured {wanted_type:?}", own.0.content_type));
    }
    match wanted_type {
        Some(name) => encode(&DeclaredType::Explicit(name.clone())),
        None => Ok(own),
    }
}

fn check_part(row: &Row, body: &[u8], tally: &mut Tally) -> Result<(), String> {
    let unnamed = row.file_without_name();
    let lines = part_lines(body, unnamed.is_none());
    let (wanted, order) = match (unnamed, &row.content_disposition_raw_hex, &row.part_header_order) {
        (Some(part), _, _) => (&part.content_disposition_raw_hex, &part.part_header_order),
        (None, Some(raw), Some(order)) => (raw, order),
        (None, _, _) => return Err("the capture has no file part".to_owned()),
    };
    let wanted = unhex(wanted);
    let ours = lines.iter().find(|line| line.starts_with(b"Content-Disposition:")).cloned().unwrap_or_default();
    if ours != wanted {
        return Err(format!("Content-Disposition\n    ours:     {}\n    captured: {}", shown(&ours), shown(&wanted)));
    }
    tally.disposition += 1;
    let name = |line: &Vec<u8>| line.split(|byte| *byte == b':').next().unwrap_or_default().escape_ascii().to_string();
    let names: Vec<String> = lines.iter().map(name).collect();
    let order: Vec<String> = order.iter().map(|name| name.as_bytes().escape_ascii().to_string()).collect();
    if names != order {
        return Err(format!("part headers: {names:?}, captured {order:?}"));
    }
    tally.order += 1;
    Ok(())
}

fn check_head(row: &Row, request: &WireRequest) -> Result<(), String> {
    let agent = |value: &str| value.replace("HeadlessChrome", "Chrome");
    let line = |name: &str, value: &[u8]| match name {
        "Date" => "Date".to_owned(),
        _ => format!("{name}: {}", shown(value)),
    };
    let captured = row.request_headers.iter();
    let captured: Vec<String> = captured.map(|(name, value)| line(name, &latin1(&agent(value)))).collect();
    let ours: Vec<String> = request.headers.iter().map(|header| line(&header.name, &header.value)).collect();
    if ours == captured {
        return Ok(());
    }
    Err(format!("head\n    ours:     {ours:#?}\n    captured: {captured:#?}"))
}

fn check_raw(row: &Row, request: &WireRequest, body: &[u8]) -> Result<(), String> {
    let file = row.raw_file.as_deref().unwrap_or_default();
    let raw = std::fs::read(folder().join(file)).map_err(|error| format!("{file}: {error}"))?;
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
    let without_date = |head: &[u8]| {
        let lines = split_lines(head).into_iter();
        lines.filter(|line| !line.starts_with(b"Date:")).map(|line| shown(&line)).collect::<Vec<_>>()
    };
    let (mut ours, captured) = (without_date(&request.head()), without_date(&raw[..end]));
    // The path names the case on the capture server, at times escaped.
    ours[0].clone_from(&captured[0]);
    if ours != captured {
        return Err(format!("raw head\n    ours:     {ours:#?}\n    captured: {captured:#?}"));
    }
    if row.framing != "chunked" && raw[end..] != *body {
        return Err(format!("raw body\n    ours:     {}\n    captured: {}", shown(body), shown(&raw[end..])));
    }
    Ok(())
}

#[test]
fn every_captured_request_of_a_modelled_client_is_written_again() {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut unmodelled: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures: Vec<String> = Vec::new();
    for row in rows() {
        if row.client().is_none() {
            *unmodelled.entry(row.client.clone()).or_default() += 1;
            continue;
        }
        let tally = tallies.entry(row.client.clone()).or_default();
        if let Err(failure) = check(&row, tally) {
            failures.push(format!("{} {} ({}): {failure}", row.client, row.case, row.api));
        }
    }
    let mut report = format!(
        "{:<34} {:>5} {:>6} {:>6} {:>6} {:>6} {:>5} {:>9}\n",
        "client", "rows", "dispo", "order", "body", "head", "raw", "own type"
    );
    for (client, tally) in &tallies {
        let Tally { rows, disposition, order, body, head, raw, own_type, skipped } = tally;
        let _ = writeln!(
            report,
            "{client:<34} {rows:>5} {disposition:>6} {order:>6} {body:>6} {head:>6} {raw:>5} {own_type:>9}"
        );
        for why in skipped {
            let _ = writeln!(report, "    not all compared: {why}");
        }
    }
    for (client, count) in &unmodelled {
        let _ = writeln!(report, "{client:<34} {count:>5} rows of a client that is not modelled");
    }
    println!("{report}");
    let seen: usize = tallies.values().map(|tally| tally.rows).sum();
    assert!(seen > 0, "no row of a modelled client in `{}`", folder().display());
    let shown: Vec<&String> = failures.iter().take(25).collect();
    assert!(failures.is_empty(), "{} of {seen} rows differ:\n{shown:#?}", failures.len());
}

#[test]
fn every_captured_type_is_declared_by_its_client() {
    let Ok(table) = std::fs::read_to_string(folder().join("mime-by-client.tsv")) else {
        println!("no mime-by-client.tsv in `{}`", folder().display());
        return;
    };
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let template =
        rows().into_iter().find(|row| row.case == "form-n01-ascii" || row.case == "n01-ascii").expect("a row");
    let mut wrong = Vec::new();
    for cells in lines {
        for (column, wanted) in header.iter().zip(&cells).skip(1).filter(|(name, _)| !name.ends_with("-builtinmime")) {
            let mut row = template.clone();
            row.client = (*column).to_owned();
            row.api = if ["chromium", "firefox", "webkitgtk"].contains(column) { "form" } else { "lib" }.to_owned();
            row.case = format!("mime-{}", cells[0]);
            row.filename_intended = Some(String::new());
            row.filename_utf8_hex = Some(hex(format!("m.{}", cells[0]).as_bytes()));
            let client = row.client().expect("a modelled client");
            let (case, submission) = row.inputs(client, &DeclaredType::AsClient).swap_remove(0);
            assert_eq!(case.transport, Transport::Multipart);
            let request = encode_given(&case, &submission, 0, &row.given()).expect("a request");
            let ours = request.content_type.as_deref().unwrap_or("(none)");
            if ours != *wanted {
                wrong.push(format!("{column} .{}: {ours}, captured {wanted}", cells[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
