//! What of a client's way of writing the request: a header, or the lines of the form.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::questions::{Questions, Stop};
use super::super::{Detail, search};
use super::{holds, whole};
use crate::corpus::{Case, Client};
use crate::replay::Rewrite;
use crate::wire::{Header, Segment, WireRequest};

/// Headers that belong to the body, to the target, or to us.
const NOT_THE_CLIENTS: [&str; 7] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "expect",
    "x-wafcanary-case",
    "x-wafcanary-attempt",
];

/// A difference between two clients' requests.
#[derive(Clone)]
enum Line {
    /// The request header of that name, or that there is none.
    Header(String),
    /// The boundary.
    Boundary(String),
    /// A header of the file's part.
    PartHeader(String, String),
    /// The whole form: where its parts can't be told apart.
    Form,
}

/// The same upload as two clients write it.
struct Both<'a> {
    case: &'a Case,
    other: Client,
    own: WireRequest,
    theirs: WireRequest,
}

/// Takes the client of `case` apart, which is refused for it while it is delivered from `other`.
pub(super) async fn look(case: &Case, other: Client, questions: &mut Questions) -> Result<Detail, Stop> {
    let theirs = questions.request(&Case { client: other, ..case.clone() })?;
    let both = Both { case, other, own: questions.request(case)?, theirs };
    let headers: Vec<Line> = both.differing().into_iter().map(Line::Header).collect();
    // The form in its lines where that is refused, else as a whole.
    for form in [both.form_lines(), vec![Line::Form]] {
        let lines: Vec<Line> = headers.iter().cloned().chain(form).collect();
        if let Some(guilty) = both.guilty(&lines, questions).await? {
            let lines = guilty.iter().map(|line| both.told(line)).collect();
            return Ok(Detail::Lines { client: case.client.as_str().to_owned(), lines });
        }
    }
    // The order of the headers, or what belongs to neither of these.
    Ok(whole(case.client.as_str()))
}

impl Both<'_> {
    /// The fewest lines that are refused; `None`: they are not, all together.
    async fn guilty(&self, lines: &[Line], questions: &mut Questions) -> Result<Option<Vec<Line>>, Stop> {
        let chosen = |runs: &[Range<u64>]| -> Vec<Line> {
            let taken = lines.iter().enumerate().filter(|(at, _)| holds(runs, *at));
            taken.map(|(_, line)| line.clone()).collect()
        };
        let (every, rewrite) = self.with(lines);
        if lines.is_empty() || !questions.refuses_rewritten(&every, &rewrite).await? {
            return Ok(None);
        }
        let runs = search::minimal(lines.len() as u64, &mut async |runs: &[Range<u64>]| {
            let (variant, rewrite) = self.with(&chosen(runs));
            questions.refuses_rewritten(&variant, &rewrite).await
        })
        .await?;
        Ok(Some(chosen(&runs)))
    }

    /// The other client's request with these lines of the own one.
    fn with(&self, lines: &[Line]) -> (Case, Rewrite) {
        let mut variant = Case { client: self.other, ..self.case.clone() };
        let mut rewrite = Rewrite::default();
        let mut from_own = BTreeSet::new();
        for line in lines {
            let form = &mut variant.form_overrides;
            match line {
                Line::Header(name) => {
                    from_own.insert(name.clone());
                }
                Line::Boundary(boundary) => form.boundary = Some(boundary.clone()),
                Line::PartHeader(name, value) => form.part_headers.push((name.clone(), value.clone())),
                Line::Form => variant.client = self.case.client,
            }
        }
        for name in self.differing() {
            let from = if from_own.contains(&name) { &self.own } else { &self.theirs };
            match header(from, &name) {
                Some(header) => rewrite.set.push(header.clone()),
                None => rewrite.drop.push(name),
            }
        }
        (variant, rewrite)
    }

    /// Names of the headers that only one has, or that are another line there.
    fn differing(&self) -> BTreeSet<String> {
        let names = self.own.headers.iter().chain(&self.theirs.headers).map(|header| header.name.to_ascii_lowercase());
        let clients = names.filter(|name| !NOT_THE_CLIENTS.contains(&name.as_str()));
        clients.filter(|name| header(&self.own, name) != header(&self.theirs, name)).collect()
    }

    /// The boundary, and the headers of the file's part that the other client does not write.
    fn form_lines(&self) -> Vec<Line> {
        let known = part_headers(&self.theirs);
        let written =
            |name: &str| ["content-disposition", "content-type"].contains(&name.to_ascii_lowercase().as_str());
        let more = part_headers(&self.own).into_iter().filter(|pair| !known.contains(pair) && !written(&pair.0));
        let boundary = boundary(&self.own).filter(|_| self.case.form_overrides.boundary.is_none());
        boundary
            .map(Line::Boundary)
            .into_iter()
            .chain(more.map(|(name, value)| Line::PartHeader(name, value)))
            .collect()
    }

    fn told(&self, line: &Line) -> String {
        match line {
            Line::Header(name) => match header(&self.own, name) {
                Some(Header { name, value }) => format!("{name}: {}", String::from_utf8_lossy(value)),
                None => format!("no {name}"),
            },
            Line::Boundary(boundary) => format!("boundary={boundary}"),
            Line::PartHeader(name, value) => format!("{name}: {value}"),
            Line::Form => {
                let (own, theirs) = (form(&self.own), form(&self.theirs));
                let known: BTreeSet<&str> = theirs.split("\r\n").collect();
                let lines = own
                    .split("\r\n")
                    .filter(|line| !line.is_empty() && !line.starts_with("--") && !known.contains(line));
                lines.collect::<Vec<_>>().join(" ⏎ ")
            }
        }
    }
}

fn header<'a>(request: &'a WireRequest, name: &str) -> Option<&'a Header> {
    request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))
}

fn boundary(request: &WireRequest) -> Option<String> {
    let value = String::from_utf8_lossy(&header(request, "content-type")?.value).into_owned();
    let after = value.split_once("boundary=")?.1;
    Some(after.split(';').next().unwrap_or(after).trim_matches('"').to_owned())
}

/// The headers before the first file of the form.
fn part_headers(request: &WireRequest) -> Vec<(String, String)> {
    let heads = request.body.segments().iter().take_while(|segment| matches!(segment, Segment::Bytes(_)));
    let Some(Segment::Bytes(bytes)) = heads.last() else { return Vec::new() };
    let text = String::from_utf8_lossy(bytes);
    let head = text.trim_end().rsplit("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The bytes of the form that are not the file's.
fn form(request: &WireRequest) -> String {
    let bytes = request.body.segments().iter().filter_map(|segment| match segment {
        Segment::Bytes(bytes) => Some(&bytes[..]),
        Segment::Content(_) | Segment::Base64(_) => None,
    });
    String::from_utf8_lossy(&bytes.flatten().copied().collect::<Vec<u8>>()).into_owned()
}
