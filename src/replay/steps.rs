//! The requests around an upload: sign in, get the form, fetch the receipt, read the file back.
//!
//! They go through reqwest, with the target's addresses, TLS and proxy, and only to hosts that the profile lists. Each
//! attempt has a cookie jar of its own, on top of the cookies of steps with `each = "run"`.

mod captures;
mod extract;
mod proof;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Url};

use captures::SetCookie;
pub use captures::{Captures, Ids, MissingCapture};
use extract::Page;

use super::{Answer, Ending, StepFact};
use crate::error::{Error, Result};
use crate::profile::{Capture, CaptureFrom, Each, HttpVersion, Profile, Secret, Step, StepBody, destination};

/// Bytes of a step's answer that are read; captures see no more.
const BODY_LIMIT: usize = 1024 * 1024;
/// Redirects that a step with `follow = true` may take.
const REDIRECTS: usize = 10;

/// The steps of one profile, ready to be done.
#[derive(Debug)]
pub struct Steps {
    profile: Arc<Profile>,
    base: Url,
    tls: rustls::ClientConfig,
    clients: Mutex<HashMap<Route, Client>>,
    /// What the steps of the run gave; `None`: they are to be done.
    run: tokio::sync::Mutex<Option<Captures>>,
}

/// What steps gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepRun {
    /// One for each step that was done, in order.
    pub facts: Vec<StepFact>,
    /// The step that failed; those after it were not done.
    pub failure: Option<StepFailure>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// Its name.
    pub step: String,
    /// What was wrong, redacted.
    pub detail: String,
}

impl From<StepFailure> for Ending {
    fn from(failure: StepFailure) -> Self {
        Self::StepFailed { step: failure.step, detail: failure.detail }
    }
}

/// Where a request really goes: what tells one client from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route {
    url_host: String,
    addresses: Vec<SocketAddr>,
    protocol: Protocol,
}

/// How the HTTP version of a step is agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Protocol {
    Http1,
    /// By ALPN: the server may have HTTP/2.
    Alpn,
    /// HTTP/2 without asking, RFC 9113 section 3.3: as the profile says of its target, and of no other server.
    PriorKnowledge,
}

/// What is sent, before templates, cookies and redirects.
struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<(&'static str, String)>,
    follow: bool,
}

/// An answer whose body has not been read.
struct Reply {
    url: Url,
    status: u16,
    headers: Vec<(String, String)>,
    response: reqwest::Response,
}

impl Steps {
    /// Prepares the steps of a profile: TLS settings and selectors are checked, nothing is sent.
    ///
    /// # Errors
    /// Usage errors: a certificate or key that cannot be read, a CSS selector that is none.
    pub fn new(profile: &Arc<Profile>) -> Result<Self> {
        let target = &profile.target;
        let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
        let base = format!("{}://{host}:{}{}", target.scheme.as_str(), target.port, target.path);
        let base = Url::parse(&base).map_err(|error| Error::usage(format!("`{base}` is not a URL: {error}")))?;
        let steps = profile.before.iter().chain(&profile.after).flat_map(|step| &step.captures);
        for capture in steps.chain(&profile.upload.captures) {
            if let CaptureFrom::Css { selector, .. } = &capture.from
                && !extract::is_selector(selector)
            {
                let message = format!("`{selector}` of capture `{}` is not a CSS selector", capture.name);
                return Err(Error::usage(message)
                    .file(&profile.path)
                    .help("write one such as `input[name=csrf]@value`"));
            }
        }
        let tls = Arc::unwrap_or_clone(super::tls::client_config(&target.tls, None)?);
        Ok(Self { profile: profile.clone(), base, tls, clients: Mutex::default(), run: tokio::sync::Mutex::default() })
    }

    /// Does the steps before an upload. `captures` is filled; an earlier content is dropped.
    ///
    /// Steps with `each = "run"` are done once and their cookies and captures reused, until a later step fails.
    pub async fn before(&self, ids: &Ids, captures: &mut Captures) -> StepRun {
        let mut done = StepRun::default();
        let (run_steps, upload_steps): (Vec<_>, Vec<_>) =
            self.profile.before.iter().partition(|step| step.each == Each::Run);
        *captures = Captures::default();
        if !run_steps.is_empty() {
            // Held while signing in, so that uploads side by side sign in once.
            let mut kept = self.run.lock().await;
            if kept.is_none() {
                self.all(&run_steps, ids, captures, &mut done).await;
                if done.failure.is_some() {
                    return done;
                }
                *kept = Some(captures.clone());
            }
            captures.clone_from(kept.as_ref().unwrap_or(&Captures::default()));
        }
        self.all(&upload_steps, ids, captures, &mut done).await;
        if done.failure.is_some() {
            // The session may have ended: the next upload signs in again.
            *self.run.lock().await = None;
        }
        done
    }

    /// Takes the upload's own captures from its answer, then does the steps after it.
    pub async fn after(&self, answer: Option<&Answer>, ids: &Ids, captures: &mut Captures) -> StepRun {
        let mut done = StepRun::default();
        if let Some(answer) = answer.filter(|_| !self.profile.upload.captures.is_empty()) {
            let page = Page { headers: &answer.headers, body: &answer.body.0 };
            // A refused upload has no such values; only a later step or read-back that uses them fails.
            let _ = self.take(&self.profile.upload.captures, &page, &self.base, captures, Each::Upload);
        }
        self.all(&self.profile.after.iter().collect::<Vec<_>>(), ids, captures, &mut done).await;
        done
    }

    /// The `Cookie` value for a request to `url`: the upload sends the cookies that the steps were given.
    #[must_use]
    pub fn cookie(&self, captures: &Captures, url: &str) -> Option<String> {
        let url = self.base.join(url).ok()?;
        jar(captures).cookies(&url)?.to_str().ok().map(str::to_owned)
    }

    /// Keeps the `Set-Cookie` values of the upload's answer for the steps after it, and hides them from records.
    pub fn keep_cookies<'a>(&self, captures: &mut Captures, url: &str, values: impl IntoIterator<Item = &'a [u8]>) {
        let Ok(url) = self.base.join(url) else { return };
        for value in values {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                self.keep(captures, &url, value, Each::Upload);
            }
        }
    }

    async fn all(&self, steps: &[&Step], ids: &Ids, captures: &mut Captures, done: &mut StepRun) {
        for step in steps {
            let (status, error) = self.one(step, ids, captures).await;
            let error = error.map(|error| self.profile.redactor.redact(&error));
            done.facts.push(StepFact { name: step.name.clone(), status, error: error.clone() });
            if let Some(detail) = error {
                done.failure = Some(StepFailure { step: step.name.clone(), detail });
                return;
            }
        }
    }

    async fn one(&self, step: &Step, ids: &Ids, captures: &mut Captures) -> (Option<u16>, Option<String>) {
        let call = match self.call(step, ids, captures) {
            Ok(call) => call,
            Err(error) => return (None, Some(error)),
        };
        let finished = tokio::time::timeout(self.profile.timeouts.total, async {
            let reply = self.send(call, captures, step.each).await.map_err(|error| (None, error))?;
            let (status, headers, url) = (reply.status, reply.headers.clone(), reply.url.clone());
            let body = self.read(reply.response, BODY_LIMIT).await.map_err(|error| (Some(status), error))?;
            Ok((status, headers, url, body))
        });
        let (status, headers, url, body) = match finished.await {
            Ok(Ok(answer)) => answer,
            Ok(Err((status, error))) => return (status, Some(error)),
            Err(_) => return (None, Some(format!("no end after {:?}", self.profile.timeouts.total))),
        };
        let page = Page { headers: &headers, body: &body };
        if !step.status.contains(status) {
            let error = format!("status {status} is not accepted; the body begins with {}", page.beginning());
            return (Some(status), Some(error));
        }
        (Some(status), self.take(&step.captures, &page, &url, captures, step.each).err())
    }

    /// Takes captures out of a page; what is found goes in before what is missing is told.
    fn take(
        &self,
        wanted: &[Capture],
        page: &Page<'_>,
        url: &Url,
        captures: &mut Captures,
        each: Each,
    ) -> std::result::Result<(), String> {
        for capture in wanted {
            let value = match &capture.from {
                CaptureFrom::Cookie(name) => cookie(captures, url, name),
                CaptureFrom::Regex(_)
                | CaptureFrom::JsonPointer(_)
                | CaptureFrom::Header(_)
                | CaptureFrom::Css { .. } => page.find(&capture.from),
            };
            let Some(value) = value else {
                return Err(format!(
                    "capture `{}` found nothing; the body begins with {}",
                    capture.name,
                    page.beginning()
                ));
            };
            if capture.secret {
                self.hide(&value, each);
            }
            captures.insert(&capture.name, value);
        }
        Ok(())
    }

    fn hide(&self, value: &str, each: Each) {
        match each {
            Each::Run => self.profile.redactor.learn(value),
            Each::Upload => self.profile.redactor.learn_passing(value),
        }
    }

    fn keep(&self, captures: &mut Captures, url: &Url, value: HeaderValue, each: Each) {
        if let Some((_, rest)) = value.to_str().ok().and_then(|text| text.split_once('=')) {
            self.hide(rest.split(';').next().unwrap_or(rest).trim().trim_matches('"'), each);
        }
        captures.cookies.push(SetCookie { url: url.clone(), value });
    }

    fn call(&self, step: &Step, ids: &Ids, captures: &Captures) -> std::result::Result<Call, String> {
        let fill = |template: &str| captures.fill(template, ids).map_err(|error| error.to_string());
        let body = match &step.body {
            StepBody::Empty => None,
            StepBody::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &fill(value.expose())?);
                }
                Some(("application/x-www-form-urlencoded", form.finish()))
            }
            StepBody::Json(text) => {
                let text = captures.fill_json(text.expose(), ids).map_err(|error| error.to_string())?;
                Some(("application/json", text))
            }
        };
        let method = Method::from_bytes(step.method.as_bytes()).map_err(|error| error.to_string())?;
        let (url, headers) = self.address(step.url.expose(), &step.headers, ids, captures)?;
        Ok(Call { method, url, headers, body, follow: step.follow })
    }

    fn address(
        &self,
        url: &str,
        headers: &[(String, Secret<String>)],
        ids: &Ids,
        captures: &Captures,
    ) -> std::result::Result<(Url, HeaderMap), String> {
        let fill = |template: &str| captures.fill(template, ids).map_err(|error| error.to_string());
        let filled = fill(url)?;
        let url = self.base.join(&filled).map_err(|error| format!("`{filled}` is not a URL: {error}"))?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(fill(value.expose())?.as_bytes());
            let value = value.map_err(|_| format!("the value of header `{name}` cannot be sent"))?;
            map.append(HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?, value);
        }
        Ok((url, map))
    }

    /// Sends a request, and follows redirects where the call says so; cookies are kept on the way.
    async fn send(&self, mut call: Call, captures: &mut Captures, each: Each) -> std::result::Result<Reply, String> {
        for _ in 0..=REDIRECTS {
            let response = self.request(&call, captures).await?;
            for value in response.headers().get_all("set-cookie") {
                self.keep(captures, &call.url, value.clone(), each);
            }
            let status = response.status().as_u16();
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let (true, 301 | 302 | 303 | 307 | 308, Some(location)) = (call.follow, status, location) else {
                let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
                return Ok(Reply { url: call.url, status, headers, response });
            };
            let next = call.url.join(location).map_err(|error| format!("redirect to `{location}`: {error}"))?;
            if next.origin() != call.url.origin() {
                for name in ["authorization", "cookie", "proxy-authorization"] {
                    call.headers.remove(name);
                }
            }
            if status == 303 || (matches!(status, 301 | 302) && call.method == Method::POST) {
                call.method = Method::GET;
                call.body = None;
            }
            call.url = next;
        }
        Err(format!("more than {REDIRECTS} redirects, the last one to `{}`", call.url))
    }

    async fn request(&self, call: &Call, captures: &Captures) -> std::result::Result<reqwest::Response, String> {
        let host = host_of(&call.url);
        if !matches!(call.url.scheme(), "http" | "https") || !self.profile.guard.allowed_hosts.contains(&host) {
            return Err(format!(
                "host `{host}` is not an allowed host; list it in `guard.allowed_hosts` if it may be asked"
            ));
        }
        let (client, url) = self.route(&call.url).await?;
        let mut request = client.request(call.method.clone(), url).headers(call.headers.clone());
        if !call.headers.contains_key("host") {
            let header = self.profile.target.host_header.as_ref().filter(|_| host == self.profile.target.host);
            let authority = header.cloned().unwrap_or_else(|| authority(&call.url));
            request = request.header("host", authority);
        }
        if !call.headers.contains_key("cookie")
            && let Some(cookies) = jar(captures).cookies(&call.url)
        {
            request = request.header("cookie", cookies);
        }
        if let Some((kind, body)) = &call.body {
            if !call.headers.contains_key("content-type") {
                request = request.header("content-type", *kind);
            }
            request = request.body(body.clone());
        }
        let wait = self.profile.timeouts.connect + self.profile.timeouts.answer;
        match tokio::time::timeout(wait, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(explain(&error)),
            Err(_) => Err(format!("no answer in {wait:?}")),
        }
    }

    /// The client for a URL, and the URL to give it: its host is the server name for TLS, its port the one to connect to.
    async fn route(&self, url: &Url) -> std::result::Result<(Client, Url), String> {
        let target = &self.profile.target;
        let host = host_of(url);
        let port = url.port_or_known_default().unwrap_or(80);
        let (to_host, to_port, fixed) = destination(target, &host, port);
        let name = target.tls.server_name.as_deref().filter(|_| host == target.host && url.scheme() == "https");
        // Plain HTTP names the host in a header alone, so that its URL may name the address.
        let plain = url.scheme() == "http" && host.parse::<std::net::IpAddr>().is_ok();
        let url_host = name.unwrap_or(if plain { to_host } else { &host }).to_owned();
        let rewritten = to_port != port || url_host != host || to_host != host;
        let addresses = match fixed {
            Some(addresses) => addresses.iter().map(|address| SocketAddr::new(*address, to_port)).collect(),
            None if rewritten && url_host != to_host => {
                let found = tokio::net::lookup_host((to_host, to_port)).await;
                found.map_err(|error| format!("`{to_host}` has no address: {error}"))?.collect()
            }
            None => Vec::new(),
        };
        let moved = rewritten || !addresses.is_empty();
        if moved && url_host.parse::<std::net::IpAddr>().is_ok() && url_host != to_host {
            return Err(format!("`{url_host}` is an address, and `connect_to` cannot move it under TLS"));
        }
        if moved && target.proxy.is_some() && (url.scheme() == "https" || !addresses.is_empty()) {
            return Err("`resolve`, `connect_to` and `sni` do not go together with `proxy` in steps".to_owned());
        }
        let mut sent = url.clone();
        let bracketed = if url_host.contains(':') { format!("[{url_host}]") } else { url_host.clone() };
        sent.set_host(Some(&bracketed)).map_err(|error| format!("`{url_host}`: {error}"))?;
        sent.set_port(Some(to_port)).map_err(|()| format!("`{url_host}` takes no port"))?;
        let is_target = host == target.host && port == target.port && url.scheme() == target.scheme.as_str();
        let protocol = match (target.http, url.scheme()) {
            (HttpVersion::Http2, "https") if !rewritten => Protocol::Alpn,
            (HttpVersion::Http2, "http") if !rewritten && is_target => Protocol::PriorKnowledge,
            (HttpVersion::Http1 | HttpVersion::Http2, _) => Protocol::Http1,
        };
        let route = Route { url_host, addresses, protocol };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&route) {
            return Ok((client.clone(), sent));
        }
        let client = self.client(&route)?;
        clients.insert(route, client.clone());
        Ok((client, sent))
    }

    fn client(&self, route: &Route) -> std::result::Result<Client, String> {
        let profile = &self.profile;
        let mut tls = self.tls.clone();
        tls.alpn_protocols = match route.protocol {
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Alpn | Protocol::PriorKnowledge => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(profile.timeouts.connect)
            .read_timeout(profile.timeouts.idle.max(profile.timeouts.answer))
            .user_agent(concat!("wafcanary/", env!("CARGO_PKG_VERSION")))
            .no_proxy();
        if !route.addresses.is_empty() {
            builder = builder.resolve_to_addrs(&route.url_host, &route.addresses);
        }
        builder = match route.protocol {
            Protocol::Http1 => builder.http1_only(),
            Protocol::Alpn => builder,
            Protocol::PriorKnowledge => builder.http2_prior_knowledge(),
        };
        if let Some(proxy) = &profile.target.proxy {
            builder = builder.proxy(Proxy::all(proxy.expose().as_str()).map_err(|error| explain(&error))?);
        }
        builder.build().map_err(|error| explain(&error))
    }

    /// The first `limit` bytes of a body.
    async fn read(&self, response: reqwest::Response, limit: usize) -> std::result::Result<Vec<u8>, String> {
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while body.len() < limit {
            match tokio::time::timeout(self.profile.timeouts.idle, stream.next()).await {
                Ok(Some(Ok(chunk))) => body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]),
                Ok(Some(Err(error))) => return Err(explain(&error)),
                Ok(None) => break,
                Err(_) => return Err(idle(self.profile.timeouts.idle)),
            }
        }
        Ok(body)
    }
}

fn idle(time: Duration) -> String {
    format!("the answer stood still for {time:?}")
}

fn jar(captures: &Captures) -> Jar {
    let jar = Jar::default();
    for SetCookie { url, value } in &captures.cookies {
        jar.set_cookies(&mut std::iter::once(value), url);
    }
    jar
}

fn cookie(captures: &Captures, url: &Url, name: &str) -> Option<String> {
    let all = jar(captures).cookies(url)?;
    let mut pairs = all.to_str().ok()?.split("; ").filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase()
}

/// An error with its causes and without its URL, which may hold secrets.
fn explain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    let kind = if error.is_connect() { "cannot connect" } else { "the exchange broke" };
    if text.is_empty() { kind.to_owned() } else { format!("{kind}: {text}") }
}
