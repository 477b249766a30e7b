//! Asking a proxy for a tunnel: HTTP `CONNECT` (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929).
//!
//! Plain `http` targets go through `CONNECT` too, as with curl's `--proxytunnel`: in absolute form the proxy would
//! write the request anew, and it would not be the client's any more.

use std::io;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::error::{Error, Result};

/// The longest answer to `CONNECT` that is read.
const MAX_HEAD: usize = 16 * 1024;

/// A proxy, as the profile's URL names it.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) kind: ProxyKind,
    pub(super) host: String,
    pub(super) port: u16,
    credentials: Option<(String, String)>,
}

/// How the proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyKind {
    /// `CONNECT` in the clear.
    Http,
    /// `CONNECT` over TLS.
    Https,
    /// SOCKS5; names are resolved here.
    Socks5,
    /// SOCKS5; names are resolved by the proxy.
    Socks5h,
}

/// Where a tunnel leads to.
pub(super) enum Destination<'a> {
    Name(&'a str, u16),
    Address(SocketAddr),
}

impl Proxy {
    /// Reads `scheme://[user[:password]@]host[:port]`. Messages never show the URL: it may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!("the proxy's URL {what}"))
                .key("target.proxy")
                .help("write `http://`, `https://`, `socks5://` or `socks5h://`, then `[user:password@]host[:port]`")
        };
        let uri: http::Uri = url.parse().map_err(|_| wrong("cannot be read"))?;
        let (kind, default_port) = match uri.scheme_str() {
            Some("http") => (ProxyKind::Http, 1080),
            Some("https") => (ProxyKind::Https, 443),
            Some("socks5") => (ProxyKind::Socks5, 1080),
            Some("socks5h") => (ProxyKind::Socks5h, 1080),
            Some(_) | None => return Err(wrong("has an unknown scheme")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let credentials = authority.as_str().rsplit_once('@').map(|(user_info, _)| {
            let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
            (percent_decoded(user), percent_decoded(password))
        });
        Ok(Self { kind, host, port: authority.port_u16().unwrap_or(default_port), credentials })
    }

    /// Asks for a tunnel to `to` over a connection to the proxy.
    pub(super) async fn tunnel(
        &self,
        io: &mut (impl AsyncRead + AsyncWrite + Unpin),
        to: &Destination<'_>,
    ) -> io::Result<()> {
        match self.kind {
            ProxyKind::Http | ProxyKind::Https => self.connect(io, to).await,
            ProxyKind::Socks5 | ProxyKind::Socks5h => self.socks5(io, to).await,
        }
    }

    async fn connect(&self, io: &mut (impl AsyncRead + AsyncWrite + Unpin), to: &Destination<'_>) -> io::Result<()> {
        let authority = match to {
            Destination::Name(host, port) if host.contains(':') => format!("[{host}]:{port}"),
            Destination::Name(host, port) => format!("{host}:{port}"),
            Destination::Address(address) => address.to_string(),
        };
        let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some((user, password)) = &self.credentials {
            let token = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            head.push_str("Proxy-Authorization: Basic ");
            head.push_str(&token);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        io.write_all(head.as_bytes()).await?;
        io.flush().await?;
        // Byte by byte, because what follows the empty line belongs to the tunnel.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == MAX_HEAD {
                return Err(io::Error::other("the proxy's answer does not end"));
            }
            match io.read_u8().await {
                Ok(byte) => answer.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::other("the proxy closed the connection without an answer"));
                }
                Err(error) => return Err(error),
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response
            .parse(&answer)
            .map_err(|error| io::Error::other(format!("the proxy's answer is not HTTP: {error}")))?;
        match response.code {
            Some(200..=299) => Ok(()),
            code => {
                let reason = response.reason.unwrap_or_default();
                let message = format!("the proxy answered `{} {reason}` to CONNECT", code.unwrap_or_default());
                Err(io::Error::other(message))
            }
        }
    }

    async fn socks5(&self, io: &mut (impl AsyncRead + AsyncWrite + Unpin), to: &Destination<'_>) -> io::Result<()> {
        const USER_PASSWORD: u8 = 2;
        let methods: &[u8] = if self.credentials.is_some() { &[5, 2, 0, USER_PASSWORD] } else { &[5, 1, 0] };
        io.write_all(methods).await?;
        let mut choice = [0; 2];
        io.read_exact(&mut choice).await?;
        match (choice, &self.credentials) {
            ([5, 0], _) => {}
            ([5, USER_PASSWORD], Some((user, password))) => {
                let mut request = vec![1];
                push_counted(&mut request, user.as_bytes())?;
                push_counted(&mut request, password.as_bytes())?;
                io.write_all(&request).await?;
                let mut status = [0; 2];
                io.read_exact(&mut status).await?;
                if status[1] != 0 {
                    return Err(io::Error::other("the SOCKS5 proxy refused the credentials"));
                }
            }
            ([5, _], _) => return Err(io::Error::other("the SOCKS5 proxy wants other credentials")),
            _ => return Err(io::Error::other("the proxy does not speak SOCKS5")),
        }
        let mut request = vec![5, 1, 0];
        let port = match to {
            Destination::Name(host, port) => {
                request.push(3);
                push_counted(&mut request, host.as_bytes())?;
                *port
            }
            Destination::Address(address) => {
                match address.ip() {
                    IpAddr::V4(ip) => {
                        request.push(1);
                        request.extend_from_slice(&ip.octets());
                    }
                    IpAddr::V6(ip) => {
                        request.push(4);
                        request.extend_from_slice(&ip.octets());
                    }
                }
                address.port()
            }
        };
        request.extend_from_slice(&port.to_be_bytes());
        io.write_all(&request).await?;
        let mut reply = [0; 4];
        io.read_exact(&mut reply).await?;
        if reply[1] != 0 {
            return Err(io::Error::other(format!("the SOCKS5 proxy refused: {}", socks5_refusal(reply[1]))));
        }
        let rest = match reply[3] {
            1 => 4,
            4 => 16,
            _ => usize::from(io.read_u8().await?),
        };
        io.read_exact(&mut vec![0; rest + 2]).await?;
        Ok(())
    }
}

/// RFC 1928 section 6.
fn socks5_refusal(code: u8) -> &'static str {
    match code {
        2 => "connection not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "general failure",
    }
}

fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let count = u8::try_from(bytes.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "longer than the 255 bytes that SOCKS5 allows"))?;
    out.push(count);
    out.extend_from_slice(bytes);
    Ok(())
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (*first, hex(0), hex(1)) {
            out.push(u8::try_from(high << 4 | low).unwrap_or_default());
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
