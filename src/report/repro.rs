//! The files with which anyone sends a finding's request again.
//!
//! For each case, under `requests/`: the raw request (`.http`), its body alone (`.body`) and a curl command (`.sh`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::curl::{Call, command};
use crate::corpus::{CaseId, Sha256Digest};
use crate::profile::{HttpVersion, Redactor, Target};
use crate::wire::{Body, Header, Segment, WireRequest};

/// The folder of the bundles, below the output folder.
pub const FOLDER: &str = "requests";

/// Headers that sign somebody in: their values never reach a file.
const SIGNS_IN: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token", "x-amz-security-token"];

/// The bundle of one case; paths relative to the output folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repro {
    /// The raw request: head and body.
    pub http: String,
    /// The body alone.
    pub body: String,
    /// The script with the curl command, for bash, to be started from anywhere.
    pub script: String,
    /// The curl command, to be started in the output folder.
    pub command: String,
    /// What differs from what was sent, or must be filled in first.
    pub notes: Vec<String>,
}

/// The name of a case's files, without extension: safe on every file system, different for different ids.
#[must_use]
pub fn stem(case: &CaseId) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    let name: String = case.as_str().chars().take(80).map(safe).collect();
    // Ids that differ in case or in what was replaced must not share a file.
    let digest = Sha256Digest::of(case.as_str().as_bytes()).to_string();
    format!("{}-{}", name.trim_start_matches(['.', '-']), &digest[..8])
}

/// Which of these cases have a bundle in `output`: for [`super::Options::repros`].
#[must_use]
pub fn written<'a>(output: &Path, cases: impl IntoIterator<Item = &'a CaseId>) -> BTreeMap<CaseId, String> {
    let script = |case: &CaseId| format!("{FOLDER}/{}.sh", stem(case));
    let cases = cases.into_iter().map(|case| (case.clone(), script(case)));
    cases.filter(|(_, script)| output.join(script).is_file()).collect()
}

/// Writes the bundle of a case into `output`. The body is streamed.
///
/// Secrets that `redactor` knows, and the values of headers that sign somebody in, are written as `***`; the notes say so.
///
/// # Errors
/// Those of the files: of `output`, and of the case's own content.
pub fn write(
    output: &Path,
    case: &CaseId,
    request: &WireRequest,
    target: &Target,
    redactor: &Redactor,
) -> io::Result<Repro> {
    let stem = stem(case);
    let path = |extension: &str| format!("{FOLDER}/{stem}.{extension}");
    fs::create_dir_all(output.join(FOLDER))?;
    let (request, mut notes) = redacted(request, redactor);
    let (http, body, script) = (path("http"), path("body"), path("sh"));
    let mut raw = BufWriter::new(File::create(output.join(&http))?);
    let mut only_body = BufWriter::new(File::create(output.join(&body))?);
    raw.write_all(&request.head())?;
    copy(&request.body, &mut [&mut raw, &mut only_body])?;
    raw.flush()?;
    only_body.flush()?;
    let ca = match &target.tls.ca_pem {
        Some(pem) => {
            let ca = path("ca.pem");
            fs::write(output.join(&ca), pem)?;
            Some(ca)
        }
        None => None,
    };
    let target = from_anywhere(target)?;
    if target.http == HttpVersion::Http2 {
        notes.push("it was sent over HTTP/2; the `.http` file shows it as HTTP/1.1 would".into());
    }
    let made = command(&Call { request: &request, target: &target, body: &body, ca: ca.as_deref() });
    notes.extend(made.notes);
    fs::write(output.join(&script), script_text(case, &made.line, &notes))?;
    Ok(Repro { http, body, script, command: made.line, notes })
}

fn script_text(case: &CaseId, command: &str, notes: &[String]) -> String {
    let mut text = format!("#!/usr/bin/env bash\n# Sends {} again.\n", super::text::visible(case.as_str()));
    for note in notes {
        let _ = writeln!(text, "# NOTE: {}", super::text::visible(note));
    }
    text.push_str("cd \"$(dirname \"${BASH_SOURCE[0]}\")/..\" || exit\n");
    text.push_str(command);
    text.push('\n');
    text
}

/// The target with absolute paths: the script changes into the output folder.
fn from_anywhere(target: &Target) -> io::Result<Target> {
    let mut target = target.clone();
    let tls = &mut target.tls;
    for path in [&mut tls.ca, &mut tls.cert, &mut tls.key].into_iter().flatten() {
        *path = std::path::absolute(&*path)?;
    }
    Ok(target)
}

fn copy(body: &Body, outs: &mut [&mut dyn Write]) -> io::Result<()> {
    let mut reader = body.reader();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        for out in &mut *outs {
            out.write_all(&buffer[..read])?;
        }
    }
}

/// The request without secrets. Files in the body stay as they are: they are the corpus.
fn redacted(request: &WireRequest, redactor: &Redactor) -> (WireRequest, Vec<String>) {
    let mut notes = Vec::new();
    let mut request = request.clone();
    for header in &mut request.headers {
        let value = header_value(header, redactor);
        if value != header.value {
            notes.push(format!("the value of `{}` is a secret: put it in place of `***`", header.name));
            header.value = value;
        }
    }
    let target = redactor.redact(&request.target);
    if target != request.target {
        notes.push("the URL holds a secret: put it in place of `***`".into());
        request.target = target;
    }
    let mut changed = false;
    let segments = request.body.segments().iter().map(|segment| match segment {
        Segment::Bytes(bytes) => {
            let safe = redactor.redact_bytes(bytes);
            changed |= safe != bytes[..];
            Segment::Bytes(safe.into())
        }
        Segment::Content(_) | Segment::Base64(_) => segment.clone(),
    });
    let body = Body::new(segments.collect());
    if changed {
        notes.push(format!(
            "the body holds secrets: put them in place of `***` (it was {} bytes, and is {})",
            request.body.len(),
            body.len()
        ));
        request.body = body;
    }
    (request, notes)
}

fn header_value(header: &Header, redactor: &Redactor) -> Vec<u8> {
    if SIGNS_IN.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
        return b"***".to_vec();
    }
    redactor.redact_bytes(&header.value)
}
