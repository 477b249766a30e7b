//! From keys as they are written to a profile whose values are checked.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::lower_request::{pairs, request_side};
use super::node::Node;
use super::raw::{
    RawBodyMatch, RawDuration, RawGuard, RawHttp, RawOracle, RawPace, RawProfile, RawTarget, RawTimeouts, RawTls,
};
use super::resolved::Resolved;
use super::target::Scheme;
use super::{
    BodyMatch, ConnectTo, Guard, HeaderMatch, HttpVersion, JsonMatch, Oracle, Pace, Profile, Proof, ReadBack,
    ReceiptSource, ReceiptSpec, Redactor, Resolve, Secret, StatusSet, Target, Timeouts, Tls,
};
use crate::error::{Error, Result};

/// The version of the format that this program reads.
const SCHEMA_VERSION: u32 = 1;

const PROOFS: &str = "choose one of four: `proof = \"receipt\"` (a JSON document from behind the edge with the SHA-256), \
    `\"read-back\"` (the file fetched back), `\"marker\"` (a header, text or JSON value of the success page), \
    or `\"status\"` (weak: an edge may refuse with 200)";

/// Errors at a path of the tree.
pub(super) struct Place<'a> {
    pub(super) root: &'a Node,
}

impl Place<'_> {
    /// An error at `path`, or at the nearest table above it that is written down.
    pub(super) fn fail(&self, path: &str, message: impl Into<String>, help: impl Into<String>) -> Error {
        let nearest = &self.root.nearest(path).origin;
        // What is missing belongs into the user's file, not among the defaults.
        let origin = if nearest.source.label == "default" { &self.root.origin } else { nearest };
        origin.fail(path, message).help(help)
    }

    pub(super) fn regex(&self, path: &str, pattern: &str) -> Result<regex::Regex> {
        regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.fail(path, format!("not a regular expression: {reason}"), "syntax: https://docs.rs/regex/#syntax")
        })
    }

    pub(super) fn pointer(&self, path: &str, pointer: &str) -> Result<String> {
        if pointer.is_empty() || pointer.starts_with('/') {
            return Ok(pointer.to_owned());
        }
        let help = format!("a JSON pointer starts with a slash: `/{}`", pointer.replace('.', "/"));
        Err(self.fail(path, format!("`{pointer}` is not a JSON pointer"), help))
    }

    pub(super) fn header_name(&self, path: &str, name: &str) -> Result<String> {
        match http::HeaderName::from_bytes(name.as_bytes()) {
            Ok(_) => Ok(name.to_owned()),
            Err(_) => Err(self.fail(path, format!("`{name}` is not a header name"), "letters, digits and `-`")),
        }
    }

    fn set<T>(&self, path: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.fail(path, "no value is set", "set it"))
    }
}

/// Checks every value.
pub(super) fn lower(raw: RawProfile, root: Node, path: &Path, redactor: Redactor) -> Result<Profile> {
    let place = Place { root: &root };
    if let Some(version) = raw.schema_version.filter(|version| *version != SCHEMA_VERSION) {
        let help = format!("this program reads version {SCHEMA_VERSION}");
        return Err(place.fail("schema_version", format!("format version {version} is not known"), help));
    }
    let (target, url) = target(&place, raw.target, &raw.tls, raw.lab.is_some())?;
    let guard = guard(&place, raw.guard, &target)?;
    let (timeouts, receipt_wait) = timeouts(&place, &raw.timeouts)?;
    let speed = pace(&place, &raw.pace)?;
    let base = super::lower_request::Base { url, allowed: &guard.allowed_hosts };
    let (upload, before, after, known) = request_side(&place, &base, raw.upload, raw.before, raw.after)?;
    let Some(oracle) = raw.oracle else {
        return Err(place.fail("oracle.proof", "the profile has no proof of delivery", PROOFS));
    };
    let oracle = oracle_of(&place, &base, oracle, &known)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Profile {
        name: raw.name.unwrap_or(stem),
        path: path.to_path_buf(),
        target,
        upload,
        oracle,
        before,
        after,
        pace: speed,
        timeouts,
        guard,
        lab: raw.lab,
        redactor: Arc::new(redactor),
        receipt_wait,
        resolved: Resolved::new(root),
    })
}

fn target(place: &Place<'_>, raw: RawTarget, tls: &RawTls, lab: bool) -> Result<(Target, url::Url)> {
    // Port 0 reaches nothing: an embedded edge puts its own address there when it is up.
    let placeholder = || lab.then(|| "http://127.0.0.1:0/".to_owned());
    let Some(text) = raw.url.or_else(placeholder) else {
        let help = "add `[target]` with `url = \"https://…\"`, the URL that the form posts to";
        return Err(place.fail("target.url", "the profile has no target", help));
    };
    let url = target_url(place, &text)?;
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let host = host_of(&url);
    let parse = |key: &str, list: &[String], index: usize| (format!("target.{key}[{index}]"), list[index].clone());
    let mut resolve = Vec::new();
    for index in 0..raw.resolve.len() {
        let (path, text) = parse("resolve", &raw.resolve, index);
        resolve.push(Resolve::parse(&text).map_err(|(message, help)| place.fail(&path, message, help))?);
    }
    let mut connect_to = Vec::new();
    for index in 0..raw.connect_to.len() {
        let (path, text) = parse("connect_to", &raw.connect_to, index);
        connect_to.push(ConnectTo::parse(&text).map_err(|(message, help)| place.fail(&path, message, help))?);
    }
    if let Some(bad) = raw.host.as_deref().filter(|host| host.is_empty() || host.contains([' ', '/', '\r', '\n', '@']))
    {
        return Err(place.fail("target.host", format!("`{bad}` is no host"), "write a name, perhaps with `:PORT`"));
    }
    let tls = tls_of(place, tls, raw.sni)?;
    let target = Target {
        scheme,
        host,
        port: url.port_or_known_default().unwrap_or_else(|| scheme.default_port()),
        path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        host_header: raw.host,
        resolve,
        connect_to,
        tls,
        proxy: raw.proxy.map(|proxy| proxy_of(place, proxy)).transpose()?,
        http: match place.set("target.http", raw.http)? {
            RawHttp::Http1 => HttpVersion::Http1,
            RawHttp::Http2 => HttpVersion::Http2,
        },
    };
    Ok((target, url))
}

fn target_url(place: &Place<'_>, text: &str) -> Result<url::Url> {
    let path = "target.url";
    let example = "write it whole: `https://form.example.jp/upload`";
    let url = url::Url::parse(text)
        .map_err(|error| place.fail(path, format!("`{}` is not a URL: {error}", safe(text)), example))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(place.fail(path, format!("`{}` is not an http or https URL", safe(text)), example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let help = "take them out and send a header: `headers = [{ name = \"Authorization\", value = \"Basic ${env:TOKEN}\" }]`";
        return Err(place.root.nearest(path).origin.fail_at_key(path, "the URL holds credentials").help(help));
    }
    if url.fragment().is_some() {
        return Err(place.fail(path, format!("`{}` has a fragment, which is never sent", safe(text)), "take out `#…`"));
    }
    Ok(url)
}

/// Without what may be credentials.
fn safe(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}***{}", &text[..scheme + 3], &text[at..]),
        _ => text.to_owned(),
    }
}

/// The URL's host in ASCII, IPv6 without brackets.
pub(super) fn host_of(url: &url::Url) -> String {
    match url.host() {
        Some(url::Host::Domain(name)) => name.to_ascii_lowercase(),
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).to_string(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).to_string(),
        None => String::new(),
    }
}

fn proxy_of(place: &Place<'_>, text: String) -> Result<Secret<String>> {
    let known = |url: &url::Url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host();
    match url::Url::parse(&text) {
        Ok(url) if known(&url) => Ok(Secret::new(text)),
        _ => {
            let help = "write `http://`, `https://`, `socks5://` or `socks5h://` with host and port";
            Err(place.fail("target.proxy", format!("`{}` is not a proxy URL", safe(&text)), help))
        }
    }
}

fn tls_of(place: &Place<'_>, raw: &RawTls, sni: Option<String>) -> Result<Tls> {
    let file = |key: &str, name: &Option<String>| -> Result<Option<PathBuf>> {
        let Some(name) = name else { return Ok(None) };
        let path = format!("tls.{key}");
        let folder = place.root.nearest(&path).origin.source.folder.clone().unwrap_or_default();
        let file = folder.join(name);
        std::fs::File::open(&file).map_err(|error| {
            place.fail(&path, format!("`{name}` cannot be read: {error}"), "the path is relative to the profile")
        })?;
        Ok(Some(file))
    };
    let tls = Tls {
        ca: file("ca", &raw.ca)?,
        ca_pem: None,
        cert: file("cert", &raw.cert)?,
        key: file("key", &raw.key)?,
        server_name: sni,
        insecure: raw.insecure.unwrap_or_default(),
    };
    if tls.cert.is_some() != tls.key.is_some() {
        let (has, needs) = if tls.cert.is_some() { ("cert", "key") } else { ("key", "cert") };
        let message = format!("`{has}` is set without `{needs}`");
        return Err(place.fail(&format!("tls.{has}"), message, format!("add `{needs} = \"….pem\"`")));
    }
    if let Some(name) =
        tls.server_name.as_deref().filter(|name| rustls::pki_types::ServerName::try_from(*name).is_err())
    {
        return Err(place.fail("target.sni", format!("`{name}` is not a server name"), "write a host name"));
    }
    Ok(tls)
}

fn guard(place: &Place<'_>, raw: RawGuard, target: &Target) -> Result<Guard> {
    let allowed_hosts = match raw.allowed_hosts {
        None => vec![target.host.clone()],
        Some(hosts) => {
            let parse = |(index, host): (usize, &String)| {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let bracketed = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
                let url = url::Url::parse(&format!("https://{bracketed}/")).ok();
                let sound = url.filter(|url| url.path() == "/" && url.port().is_none() && url.username().is_empty());
                sound.map(|url| host_of(&url)).filter(|_| !host.contains(['*', '/', '?', '#'])).ok_or_else(|| {
                    let help = "write a host name or address alone, without scheme, port, path or `*`";
                    place.fail(&format!("guard.allowed_hosts[{index}]"), format!("`{host}` is not a host"), help)
                })
            };
            hosts.iter().enumerate().map(parse).collect::<Result<Vec<_>>>()?
        }
    };
    if !allowed_hosts.contains(&target.host) {
        let message = format!("the target's host `{}` is not an allowed host", target.host);
        let help = format!("add \"{}\" to the list, if uploads may go there", target.host);
        return Err(place.fail("guard.allowed_hosts", message, help));
    }
    Ok(Guard {
        allowed_hosts,
        authorized: place.set("guard.authorized", raw.authorized)?,
        environment: place.set("guard.environment", raw.environment)?,
        identify_user_agent: place.set("guard.identify_user_agent", raw.identify_user_agent)?,
    })
}

fn pace(place: &Place<'_>, raw: &RawPace) -> Result<Pace> {
    let concurrency = place.set("pace.concurrency", raw.concurrency)?;
    if concurrency == 0 || concurrency > 1024 {
        return Err(place.fail("pace.concurrency", format!("`{concurrency}` is out of range"), "write 1 to 1024"));
    }
    let burst = raw.burst.unwrap_or_else(|| u32::try_from(concurrency).unwrap_or(u32::MAX));
    if burst == 0 {
        return Err(place.fail("pace.burst", "a burst of 0 lets nothing start", "write 1 or more"));
    }
    Ok(Pace {
        rate: place.set("pace.rate", raw.rate)?.0,
        concurrency,
        burst,
        max_requests: raw.max_requests,
        max_bytes: raw.max_bytes,
        canary_every: place.set("pace.canary_every", raw.canary_every)?,
        retries: place.set("pace.retries", raw.retries)?.min(10),
        max_retry_after: place.set("pace.max_retry_after", raw.max_retry_after)?.0,
    })
}

fn timeouts(place: &Place<'_>, raw: &RawTimeouts) -> Result<(Timeouts, Duration)> {
    let set = |key: &str, value: Option<RawDuration>| -> Result<Duration> {
        let path = format!("timeouts.{key}");
        let time = place.set(&path, value)?.0;
        let help = "write a time above 0, such as `10s`";
        if time.is_zero() { Err(place.fail(&path, "a timeout of 0 lets nothing through", help)) } else { Ok(time) }
    };
    let timeouts = Timeouts {
        connect: set("connect", raw.connect)?,
        answer: set("answer", raw.answer)?,
        idle: set("idle", raw.idle)?,
        total: set("total", raw.total)?,
    };
    Ok((timeouts, place.set("timeouts.receipt", raw.receipt)?.0))
}

fn oracle_of(
    place: &Place<'_>,
    base: &super::lower_request::Base<'_>,
    raw: RawOracle,
    known: &[String],
) -> Result<Oracle> {
    let Some(proof) = raw.proof else {
        return Err(place.fail("oracle.proof", "the profile has no proof of delivery", PROOFS));
    };
    let missing = |key: &str, name: &str, help: &str| {
        let message = format!("`proof = \"{name}\"` needs `{key}`");
        Err(place.fail("oracle.proof", message, help))
    };
    match proof {
        Proof::Receipt if raw.receipt.is_none() => {
            return missing(
                "receipt",
                "receipt",
                "add `receipt = { url = \"https://origin…/{attempt}\" }` or `receipt = { in = \"answer\" }`",
            );
        }
        Proof::ReadBack if raw.read_back.is_none() => {
            return missing("read_back", "read-back", "add `read_back = { url = \"/files/{attempt}\" }`");
        }
        Proof::Marker if raw.header.is_none() && raw.body.is_none() && raw.json.is_none() => {
            return missing(
                "header`, `body` or `json",
                "marker",
                "add what only the success page has: `body = { contains = \"…\" }`",
            );
        }
        Proof::Status if raw.status.is_none() => {
            return missing("status", "status", "write the accepted statuses out: `status = \"200-299\"`");
        }
        Proof::Receipt | Proof::ReadBack | Proof::Marker | Proof::Status => {}
    }
    let header = raw.header.map(|header| -> Result<HeaderMatch> {
        let name = place.header_name("oracle.header.name", &header.name)?;
        let matches = header.matches.map(|pattern| place.regex("oracle.header.matches", &pattern)).transpose()?;
        Ok(HeaderMatch { name, matches })
    });
    let json = raw.json.map(|json| -> Result<JsonMatch> {
        Ok(JsonMatch { pointer: place.pointer("oracle.json.pointer", &json.pointer)?, equals: json.equals })
    });
    let read_back = raw.read_back.map(|raw| -> Result<ReadBack> {
        base.check(place, "oracle.read_back.url", &raw.url, known)?;
        Ok(ReadBack {
            headers: pairs(place, "oracle.read_back.headers", raw.headers, known, true)?,
            url: Secret::new(raw.url),
        })
    });
    Ok(Oracle {
        proof,
        status: raw.status.map_or_else(|| StatusSet(vec![200..=299]), |status| status.0),
        header: header.transpose()?,
        body: raw.body.map(|body| body_match(place, "oracle.body", body)).transpose()?,
        json: json.transpose()?,
        receipt: raw.receipt.map(|receipt| receipt_of(place, base, receipt, known)).transpose()?,
        read_back: read_back.transpose()?,
        rejected: raw.rejected.map(|body| body_match(place, "oracle.rejected", body)).transpose()?,
    })
}

fn body_match(place: &Place<'_>, path: &str, raw: RawBodyMatch) -> Result<BodyMatch> {
    match (raw.contains, raw.matches) {
        (Some(text), None) if text.is_empty() => Err(place.fail(
            &format!("{path}.contains"),
            "every page holds the empty text",
            "write a text that only this page has",
        )),
        (Some(text), None) => Ok(BodyMatch::Contains(text)),
        (None, Some(pattern)) => {
            let path = format!("{path}.matches");
            let regex = place.regex(&path, &pattern)?;
            if regex.is_match("") {
                let help = "write an expression that only this page matches";
                return Err(place.fail(&path, "the expression matches an empty page", help));
            }
            Ok(BodyMatch::Matches(regex))
        }
        (Some(_), Some(_)) => Err(place.fail(path, "`contains` and `matches` are both set", "keep one of them")),
        (None, None) => Err(place.fail(path, "neither `contains` nor `matches` is set", "set one of them")),
    }
}

fn receipt_of(
    place: &Place<'_>,
    base: &super::lower_request::Base<'_>,
    raw: super::raw::RawReceipt,
    known: &[String],
) -> Result<ReceiptSpec> {
    let source = match (raw.place, raw.url) {
        (Some(super::raw::RawReceiptPlace::Answer), None) if raw.headers.is_empty() => ReceiptSource::Answer,
        (Some(super::raw::RawReceiptPlace::Answer), None) => {
            let help = "a receipt in the upload's answer is not asked for: put them into `[upload]`, or take them out";
            return Err(place.fail("oracle.receipt.headers", "`headers` go with `url` alone", help));
        }
        (None, Some(url)) => {
            base.check(place, "oracle.receipt.url", &url, known)?;
            if !url.contains("{attempt}") && super::template::captures(&url).next().is_none() {
                let help = "put `{attempt}` in it: the receipt of another upload proves nothing for this one";
                return Err(place.fail("oracle.receipt.url", "the URL is the same for every upload", help));
            }
            let headers = pairs(place, "oracle.receipt.headers", raw.headers, known, true)?;
            ReceiptSource::Url { url: Secret::new(url), headers }
        }
        (Some(_), Some(_)) => {
            return Err(place.fail("oracle.receipt", "`in` and `url` are both set", "keep one of them"));
        }
        (None, None) => {
            let help = "write `in = \"answer\"`, or `url` with `{attempt}` in it";
            return Err(place.fail("oracle.receipt", "neither `in` nor `url` is set", help));
        }
    };
    let pointer = |key: &str, value: Option<String>| {
        value.map(|value| place.pointer(&format!("oracle.receipt.{key}"), &value)).transpose()
    };
    Ok(ReceiptSpec {
        source,
        sha256: pointer("sha256", raw.sha256)?.unwrap_or_else(|| "/sha256".to_owned()),
        size: pointer("size", raw.size)?,
        filename: pointer("filename", raw.filename)?,
        filename_hex: pointer("filename_hex", raw.filename_hex)?,
        content_type: pointer("content_type", raw.content_type)?,
    })
}
