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
enum Line {
    /// The header of that name, or that there is none.
    Header(String),
    /// The form: boundary and part headers.
    Form,
}

/// Takes the client of `case` apart, which is refused for it while it is delivered from `other`.
pub(super) async fn look(case: &mut Case, other: Client, questions: &mut Questions) -> Result<Detail, Stop> {
    let theirs = Case { client: other, ..case.clone() };
    let (own_request, other_request) = (questions.request(case)?, questions.request(&theirs)?);
    let mut lines: Vec<Line> = differing(&own_request, &other_request).into_iter().map(Line::Header).collect();
    if form(&own_request) != form(&other_request) {
        lines.push(Line::Form);
    }
    let variant = |runs: &[Range<u64>]| {
        let taken = |at: usize| holds(runs, at);
        let mut client = other;
        let mut rewrite = Rewrite::default();
        for (at, line) in lines.iter().enumerate() {
            match line {
                Line::Form if taken(at) => client = case.client,
                Line::Form => {}
                Line::Header(name) => {
                    let from = if taken(at) { &own_request } else { &other_request };
                    match header(from, name) {
                        Some(header) => rewrite.set.push(header.clone()),
                        None => rewrite.drop.push(name.clone()),
                    }
                }
            }
        }
        (Case { client, ..case.clone() }, rewrite)
    };
    let all = lines.len() as u64;
    let (every, rewrite) = variant(std::slice::from_ref(&(0..all)));
    if all == 0 || !questions.refuses_rewritten(&every, &rewrite).await? {
        // The order of the headers, or how their names are spelt.
        return Ok(whole(case.client.as_str()));
    }
    let runs = search::minimal(all, &mut async |runs: &[Range<u64>]| {
        let (variant, rewrite) = variant(runs);
        questions.refuses_rewritten(&variant, &rewrite).await
    })
    .await?;
    let guilty = lines.iter().enumerate().filter(|(at, _)| holds(&runs, *at));
    let told: Vec<String> = guilty.map(|(_, line)| told(line, &own_request, &other_request)).collect();
    Ok(Detail::Lines { client: case.client.as_str().to_owned(), lines: told })
}

fn header<'a>(request: &'a WireRequest, name: &str) -> Option<&'a Header> {
    request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))
}

/// Names of the headers that only one has, or that have another value there.
fn differing(own: &WireRequest, other: &WireRequest) -> BTreeSet<String> {
    let names = own.headers.iter().chain(&other.headers).map(|header| header.name.to_ascii_lowercase());
    let value = |request, name: &str| header(request, name).map(|header| header.value.clone());
    names.filter(|name| !NOT_THE_CLIENTS.contains(&name.as_str()) && value(own, name) != value(other, name)).collect()
}

/// The bytes of the form that are not the file's.
fn form(request: &WireRequest) -> Vec<u8> {
    let bytes = request.body.segments().iter().filter_map(|segment| match segment {
        Segment::Bytes(bytes) => Some(&bytes[..]),
        Segment::Content(_) | Segment::Base64(_) => None,
    });
    bytes.flatten().copied().collect()
}

fn told(line: &Line, own: &WireRequest, other: &WireRequest) -> String {
    match line {
        Line::Header(name) => match header(own, name) {
            Some(Header { name, value }) => format!("{name}: {}", String::from_utf8_lossy(value)),
            None => format!("no {name}"),
        },
        Line::Form => {
            let (own, other) = (form(own), form(other));
            let (own, other) =
                (String::from_utf8_lossy(&own).into_owned(), String::from_utf8_lossy(&other).into_owned());
            let known: BTreeSet<&str> = other.split("\r\n").collect();
            let lines = own.split("\r\n").filter(|line| !line.is_empty() && !known.contains(line));
            lines.collect::<Vec<_>>().join(" ⏎ ")
        }
    }
}
