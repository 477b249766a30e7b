//! Request headers: each client's own, in its order and spelling.

use super::request::{Framing, Header, Submission};

/// One line of a client's request head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Name in the client's spelling.
    pub(crate) name: &'static str,
    /// What stands after the colon.
    pub(crate) value: Value,
}

/// Where a header's value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// The same in every request.
    Fixed(&'static str),
    /// `User-Agent`: fixed, but for the suffix that names the tool.
    Agent(&'static str),
    /// The authority.
    Host,
    /// `Content-Length`, or `Transfer-Encoding` in the same place.
    Length,
    /// The body's type; left out when there is none.
    ContentType,
    /// The page's origin.
    Origin,
    /// The page's URL, cut as `strict-origin-when-cross-origin` says; left out on the way from https to http.
    Referer,
    /// Left out when the profile has none.
    Cookie,
    /// Only to a potentially trustworthy origin (W3C Secure Contexts, section 3.1): https or loopback.
    Trusted(&'static str),
    /// `Sec-Fetch-Site`, only to a potentially trustworthy origin.
    TrustedSite,
    /// `Accept-Encoding`: the first to a potentially trustworthy origin, the second to others.
    EncodingsByTrust(&'static str, &'static str),
    /// `Accept-Encoding`: the first over https, the second over http.
    EncodingsByScheme(&'static str, &'static str),
    /// `100-continue`, when the client's rule asks for it.
    Expect,
}

/// A line of a table.
pub(crate) const fn line(name: &'static str, value: Value) -> Line {
    Line { name, value }
}

/// What the values of one request depend on.
pub(crate) struct Facts<'a> {
    /// The profile's side.
    pub(crate) submission: &'a Submission,
    /// The body's `Content-Type`.
    pub(crate) content_type: Option<&'a str>,
    /// Bytes of the body.
    pub(crate) length: u64,
    /// How the end of the body is told.
    pub(crate) framing: Framing,
    /// Whether the client asks before it sends the body.
    pub(crate) expect_continue: bool,
}

/// The request headers of `table`, with the profile's own put in place or after them.
pub(crate) fn write(table: &[Line], facts: &Facts<'_>) -> Vec<Header> {
    let target = Origin::of_target(facts.submission);
    let page_url = facts.submission.page_url.clone().unwrap_or_else(|| target.text() + &facts.submission.target);
    let page = Origin::of_url(&page_url).unwrap_or_else(|| target.clone());
    let mut headers: Vec<Header> = Vec::with_capacity(table.len());
    let mut has_cookie = false;
    for line in table {
        let mut name = line.name;
        let submission = facts.submission;
        let value = match line.value {
            Value::Fixed(value) => Some(value.to_owned()),
            Value::Agent(agent) => Some(match &submission.user_agent_suffix {
                Some(suffix) => format!("{agent} {suffix}"),
                None => agent.to_owned(),
            }),
            Value::Host => Some(submission.authority.clone()),
            Value::Length => Some(match facts.framing {
                Framing::ContentLength => facts.length.to_string(),
                Framing::Chunked => {
                    name = if name == "Content-Length" { "Transfer-Encoding" } else { "transfer-encoding" };
                    "chunked".to_owned()
                }
            }),
            Value::ContentType => facts.content_type.map(str::to_owned),
            Value::Origin => Some(page.text()),
            Value::Referer => referer(&page_url, &page, &target),
            Value::Cookie => {
                has_cookie = submission.cookie.is_some();
                submission.cookie.clone()
            }
            Value::Trusted(value) => target.is_trustworthy().then(|| value.to_owned()),
            Value::TrustedSite => target.is_trustworthy().then(|| page.site_of(&target).to_owned()),
            Value::EncodingsByTrust(trusted, other) => {
                Some(if target.is_trustworthy() { trusted } else { other }.to_owned())
            }
            Value::EncodingsByScheme(https, http) => {
                Some(if target.scheme == "https" { https } else { http }.to_owned())
            }
            Value::Expect => facts.expect_continue.then(|| "100-continue".to_owned()),
        };
        headers.extend(value.map(|value| Header { name: name.to_owned(), value: value.into_bytes() }));
    }
    if let (false, Some(cookie)) = (has_cookie, &facts.submission.cookie) {
        headers.push(Header { name: "Cookie".to_owned(), value: cookie.clone().into_bytes() });
    }
    merge(&mut headers, &facts.submission.headers);
    headers
}

/// Replaces in place what the client sends under the same name, and appends the rest.
fn merge(headers: &mut Vec<Header>, more: &[(String, String)]) {
    let own = headers.len();
    for (name, value) in more {
        let value = value.clone().into_bytes();
        match headers[..own].iter_mut().find(|header| header.name.eq_ignore_ascii_case(name)) {
            Some(header) => header.value = value,
            None => headers.push(Header { name: name.clone(), value }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    authority: String,
}

impl Origin {
    fn of_target(submission: &Submission) -> Self {
        Self { scheme: submission.scheme.to_ascii_lowercase(), authority: submission.authority.to_ascii_lowercase() }
    }

    fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some(Self { scheme: scheme.to_ascii_lowercase(), authority: authority.to_ascii_lowercase() })
    }

    fn text(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    fn host(&self) -> &str {
        match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => self.authority.split(':').next().unwrap_or(&self.authority),
        }
    }

    fn is_trustworthy(&self) -> bool {
        let host = self.host();
        let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.scheme == "https" || loopback || host == "localhost" || host.ends_with(".localhost")
    }

    /// `Sec-Fetch-Site` of a request from here to `target`. Without the public suffix list, two hosts are one site
    /// when one of them is the other or stands below it.
    fn site_of(&self, target: &Self) -> &'static str {
        let below = |a: &str, b: &str| a == b || a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
        if self == target {
            "same-origin"
        } else if self.scheme == target.scheme
            && (below(self.host(), target.host()) || below(target.host(), self.host()))
        {
            "same-site"
        } else {
            "cross-site"
        }
    }
}

fn referer(page_url: &str, page: &Origin, target: &Origin) -> Option<String> {
    let without_fragment = page_url.split('#').next().unwrap_or(page_url);
    if page == target {
        Some(without_fragment.to_owned())
    } else if page.is_trustworthy() && !target.is_trustworthy() {
        None
    } else {
        Some(page.text() + "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(scheme: &str, authority: &str, page_url: Option<&str>) -> Submission {
        Submission {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            target: "/upload".to_owned(),
            page_url: page_url.map(str::to_owned),
            ..Submission::default()
        }
    }

    fn written(table: &[Line], submission: &Submission) -> Vec<(String, String)> {
        let facts = Facts {
            submission,
            content_type: None,
            length: 3,
            framing: Framing::ContentLength,
            expect_continue: false,
        };
        let text = |header: Header| (header.name, String::from_utf8(header.value).expect("text"));
        write(table, &facts).into_iter().map(text).collect()
    }

    const TABLE: &[Line] = &[
        line("Host", Value::Host),
        line("Sec-Fetch-Site", Value::TrustedSite),
        line("Referer", Value::Referer),
        line("Origin", Value::Origin),
    ];

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_plain_host_that_is_not_loopback_gets_no_fetch_metadata() {
        let expected =
            [("Host", "upload.test"), ("Referer", "http://upload.test/upload"), ("Origin", "http://upload.test")];
        assert_eq!(written(TABLE, &submission("http", "upload.test", None)), pairs(&expected));
        assert_eq!(written(TABLE, &submission("http", "[::1]:80", None)).len(), 4);
    }

    #[test]
    fn a_page_on_another_site_shows_only_its_origin() {
        let expected = [
            ("Host", "edge.example"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Referer", "https://form.test/"),
            ("Origin", "https://form.test"),
        ];
        let submission = submission("https", "edge.example", Some("https://form.test/apply?step=2"));
        assert_eq!(written(TABLE, &submission), pairs(&expected));
    }

    #[test]
    fn a_header_of_the_profile_replaces_in_place_or_is_appended() {
        let mut submission = submission("https", "edge.example", None);
        submission.headers = vec![("X-Case".into(), "1".into()), ("host".into(), "other".into())];
        submission.cookie = Some("a=b".into());
        let headers = written(&[line("Host", Value::Host), line("Accept", Value::Fixed("*/*"))], &submission);
        let expected = [("Host", "other"), ("Accept", "*/*"), ("Cookie", "a=b"), ("X-Case", "1")];
        assert_eq!(headers, pairs(&expected));
    }
}
