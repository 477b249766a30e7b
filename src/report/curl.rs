//! The curl command that sends a case's request again, exact to the byte where curl allows it.
//!
//! Every header is given, and those that curl would add are taken out; so the set of headers is the same. Their order is that of
//! the file, too, where curl 7.88 was tried, but `Host` always comes first, and newer curls may order otherwise.

use std::fmt::Write as _;

use crate::profile::target::{ConnectTo, HttpVersion, Resolve, Target};
use crate::wire::{Framing, Header, WireRequest};

/// Above this many body bytes the file is streamed by `--upload-file`: `--data-binary` reads it whole into memory.
const IN_MEMORY: u64 = 64 * 1024 * 1024;

/// What curl is to send, and by which way.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The request; its headers redacted by the caller.
    pub request: &'a WireRequest,
    /// The network side of the profile.
    pub target: &'a Target,
    /// The file with the body, as the command names it.
    pub body: &'a str,
    /// The PEM file with the certificate authorities, as the command names it; `None`: the profile's own file, if it names one.
    pub ca: Option<&'a str>,
}

/// A command, and what it cannot reproduce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// One line for bash (`$'…'` is in it where bytes are not printable).
    pub line: String,
    /// What differs from the request, or must be filled in before it runs; one sentence each.
    pub notes: Vec<String>,
}

/// Quotes `bytes` as one word for bash.
///
/// Plain words stay as they are, printable ASCII goes between single quotes, everything else into `$'…'` with hex escapes.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return format!("'{}'", String::from_utf8_lossy(bytes).replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for byte in bytes {
        match byte {
            b'\\' | b'\'' => word.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => word.push(char::from(*byte)),
            byte => {
                let _ = write!(word, "\\x{byte:02x}");
            }
        }
    }
    word.push('\'');
    word
}

/// The command for a call.
#[must_use]
pub fn command(call: &Call<'_>) -> Command {
    let mut words = Words { line: String::from("curl --disable --silent --show-error --include"), notes: Vec::new() };
    words.route(call);
    words.url(call);
    words.headers(call);
    let body = format!("@{}", call.body);
    if streamed(call) {
        words.option("--upload-file", call.body.as_bytes());
    } else {
        words.option("--data-binary", body.as_bytes());
    }
    Command { line: words.line, notes: words.notes }
}

fn streamed(call: &Call<'_>) -> bool {
    call.request.body.len() > IN_MEMORY
}

struct Words {
    line: String,
    notes: Vec<String>,
}

impl Words {
    fn flag(&mut self, flag: &str) {
        self.line.push(' ');
        self.line.push_str(flag);
    }

    fn option(&mut self, flag: &str, value: &[u8]) {
        self.flag(flag);
        self.line.push(' ');
        self.line.push_str(&quote(value));
    }

    fn route(&mut self, call: &Call<'_>) {
        let target = call.target;
        self.flag(match (target.http, target.scheme) {
            (HttpVersion::Http1, _) => "--http1.1",
            (HttpVersion::Http2, crate::profile::target::Scheme::Https) => "--http2",
            (HttpVersion::Http2, crate::profile::target::Scheme::Http) => "--http2-prior-knowledge",
        });
        for resolve in &target.resolve {
            self.option("--resolve", resolve_word(resolve).as_bytes());
        }
        for connect_to in &target.connect_to {
            self.option("--connect-to", connect_to_word(connect_to).as_bytes());
        }
        if target.tls.insecure {
            self.flag("--insecure");
        }
        let ca = call.ca.map(|ca| ca.as_bytes().to_vec());
        let ca = ca.or_else(|| target.tls.ca.as_ref().map(|path| path.display().to_string().into_bytes()));
        for (flag, value) in [
            ("--cacert", ca),
            ("--cert", target.tls.cert.as_ref().map(|path| path.display().to_string().into_bytes())),
            ("--key", target.tls.key.as_ref().map(|path| path.display().to_string().into_bytes())),
        ] {
            if let Some(value) = value {
                self.option(flag, &value);
            }
        }
        match &target.proxy {
            Some(proxy) => {
                let (proxy, credentials) = without_credentials(proxy.expose());
                self.option("--proxy", proxy.as_bytes());
                if credentials {
                    self.notes.push("the proxy wants credentials: add `--proxy-user NAME:PASSWORD`".into());
                }
            }
            // Also against `HTTPS_PROXY` of whoever runs the command.
            None => self.option("--noproxy", b"*"),
        }
    }

    fn url(&mut self, call: &Call<'_>) {
        let (target, request) = (call.target, call.request);
        let mut host = target.host.clone();
        if let Some(name) = target.tls.server_name.as_ref().filter(|name| **name != target.host) {
            // curl takes SNI from the URL: so the URL has the name, and the connection goes to the host.
            let connect = format!("{}:{}:{}:{}", bracketed(name), target.port, bracketed(&target.host), target.port);
            self.option("--connect-to", connect.as_bytes());
            host.clone_from(name);
        }
        let authority = if target.port == target.scheme.default_port() {
            bracketed(&host)
        } else {
            format!("{}:{}", bracketed(&host), target.port)
        };
        self.option("--request", request.method.as_bytes());
        // The path as it stands, without curl's own ideas of `..`, `[…]`, `#` and blanks.
        self.flag("--globoff --path-as-is");
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/?=&%+,:;@!$*()".contains(byte);
        if streamed(call) {
            // `--upload-file` appends the file's name to a URL that ends with a slash.
            self.option("--request-target", request.target.as_bytes());
            self.option("--url", format!("{}://{authority}/streamed", target.scheme.as_str()).as_bytes());
        } else if request.target.starts_with('/') && request.target.as_bytes().iter().all(harmless) {
            self.option("--url", format!("{}://{authority}{}", target.scheme.as_str(), request.target).as_bytes());
        } else {
            self.option("--request-target", request.target.as_bytes());
            self.option("--url", format!("{}://{authority}/", target.scheme.as_str()).as_bytes());
        }
    }

    fn headers(&mut self, call: &Call<'_>) {
        for header in &call.request.headers {
            self.header(header, call.request.framing);
        }
        let sent = |name: &str| call.request.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        // What curl would add of its own accord.
        for name in ["Host", "User-Agent", "Accept", "Content-Type", "Expect"] {
            if !sent(name) {
                self.option("--header", format!("{name}:").as_bytes());
            }
        }
        if call.request.framing == Framing::Chunked && !sent("Transfer-Encoding") {
            self.option("--header", b"Transfer-Encoding: chunked");
        }
    }

    fn header(&mut self, header: &Header, framing: Framing) {
        let name = &header.name;
        if name.eq_ignore_ascii_case("content-length") && framing == Framing::ContentLength {
            // curl counts the body itself.
            return;
        }
        if header.value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            self.notes.push(format!("curl cannot send the header `{name}`: its value holds a line end or a NUL"));
            return;
        }
        if header.value.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            // `Name;` is curl's way to say an empty value; `Name:` would take the header out.
            self.option("--header", format!("{name};").as_bytes());
            return;
        }
        let mut line = format!("{name}: ").into_bytes();
        line.extend_from_slice(&header.value);
        self.option("--header", &line);
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

fn resolve_word(resolve: &Resolve) -> String {
    let addresses: Vec<_> = resolve.addresses.iter().map(|address| bracketed(&address.to_string())).collect();
    format!("{}:{}:{}", bracketed(&resolve.host), resolve.port, addresses.join(","))
}

fn connect_to_word(connect_to: &ConnectTo) -> String {
    let port = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
    format!(
        "{}:{}:{}:{}",
        bracketed(&connect_to.from_host),
        port(connect_to.from_port),
        bracketed(&connect_to.to_host),
        port(connect_to.to_port)
    )
}

/// A proxy's URL without `user:password@`, and whether there was one.
fn without_credentials(url: &str) -> (String, bool) {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return (url.to_owned(), false) };
    let host = &rest[at + 1..];
    (if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn bash_reads_every_quoted_word_back_to_the_byte() {
        let words: [&[u8]; 10] = [
            b"",
            b"plain/word.pdf",
            b"two words",
            b"it's $HOME `id` \"x\" \\ !event",
            b"a'b\x01\x7f\n\t",
            "排水設備.pdf".as_bytes(),
            b"\xff\xfe\x95\x5c",
            b"\x01f0",
            b"-n",
            b"~*?[a]{b,c}#&;|<>()",
        ];
        for word in words {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(output.stdout, word, "{script}");
        }
    }

    #[test]
    fn a_proxy_keeps_its_host_and_loses_its_password() {
        assert_eq!(without_credentials("http://u:p@ss@proxy:3128"), ("http://proxy:3128".into(), true));
        assert_eq!(without_credentials("socks5://proxy:1080/"), ("socks5://proxy:1080/".into(), false));
    }
}
