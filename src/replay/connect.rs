//! From a profile's target to a connection: name, TCP, proxy, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::observation::Unreachable;
use super::patient::Patient;
use super::proxy::{Destination, Proxy, ProxyKind};
use super::tally::Tally;
use super::tls;
use crate::error::{Error, Result};
use crate::profile::target::Scheme;
use crate::profile::{HttpVersion, Target, Timeouts, Tls, fixed_addresses, redirected};

/// The kernel's send buffer, bytes. A small one keeps the count of sent bytes near what the peer has taken; the system's
/// own may hold megabytes that never leave the machine.
const SEND_BUFFER: u32 = 256 * 1024;

/// A byte stream in both directions.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to the target, TLS and tunnel done.
pub(super) struct Connected {
    pub(super) io: Box<dyn Duplex>,
    pub(super) tally: Arc<Tally>,
    pub(super) peer: SocketAddr,
    /// `TLSv1.3`; `None`: no TLS.
    pub(super) tls: Option<String>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct Unreached {
    pub(super) layer: Unreachable,
    pub(super) detail: String,
    pub(super) peer: Option<SocketAddr>,
}

/// Makes connections to one target.
pub(super) struct Connector {
    target: Target,
    within: Duration,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    proxy: Option<Proxy>,
    proxy_tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Reads certificates and checks names; no traffic.
    pub(super) fn new(target: Target, timeouts: &Timeouts) -> Result<Self> {
        let tls = match target.scheme {
            Scheme::Http => None,
            Scheme::Https => {
                let name = target.tls.server_name.as_deref().unwrap_or(&target.host);
                Some((tls::client_config(&target.tls, Some(target.http))?.into(), server_name(name)?))
            }
        };
        let proxy = target.proxy.as_ref().map(|url| Proxy::parse(url.expose())).transpose()?;
        let proxy_tls = match &proxy {
            Some(proxy) if proxy.kind == ProxyKind::Https => {
                let settings = Tls { cert: None, key: None, ..target.tls.clone() };
                Some((tls::client_config(&settings, None)?.into(), server_name(&proxy.host)?))
            }
            Some(_) | None => None,
        };
        Ok(Self { target, within: timeouts.connect, tls, proxy, proxy_tls })
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// One new connection, within the connect timeout.
    pub(super) async fn connect(&self) -> std::result::Result<Connected, Unreached> {
        let mut stage = Stage { layer: Unreachable::Dns, peer: None };
        let result = tokio::time::timeout(self.within, self.build(&mut stage)).await;
        let detail = match result {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(detail)) => detail,
            Err(_) => format!("no connection to `{}` within {:?}", self.target.host, self.within),
        };
        Err(Unreached { layer: stage.layer, detail, peer: stage.peer })
    }

    async fn build(&self, stage: &mut Stage) -> std::result::Result<Connected, String> {
        let (host, port) = redirected(&self.target, &self.target.host, self.target.port);
        let (first_host, first_port) = self.proxy.as_ref().map_or((host, port), |proxy| (&proxy.host, proxy.port));
        let addresses = lookup(&self.target, first_host, first_port).await?;
        stage.layer = Unreachable::Connect;
        let (tcp, peer) = dial(&addresses, self.within).await.map_err(|(address, error)| {
            stage.peer = address;
            let place = address.map_or_else(|| format!("`{first_host}`"), |address| format!("`{address}`"));
            format!("cannot connect to {place}: {error}")
        })?;
        stage.peer = Some(peer);
        let tally = Arc::new(Tally::new());
        let mut io: Box<dyn Duplex> = Box::new(Patient::new(tcp, tally.clone()));
        if let Some(proxy) = &self.proxy {
            let destination = if proxy.kind == ProxyKind::Socks5 {
                stage.layer = Unreachable::Dns;
                let addresses = lookup(&self.target, host, port).await?;
                Destination::Address(addresses[0])
            } else {
                Destination::Name(host, port)
            };
            stage.layer = Unreachable::Proxy;
            if let Some((connector, name)) = &self.proxy_tls {
                let tls = connector.connect(name.clone(), io).await;
                io = Box::new(tls.map_err(|error| format!("TLS with the proxy failed: {error}"))?);
            }
            proxy.tunnel(&mut io, &destination).await.map_err(|error| error.to_string())?;
        }
        let Some((connector, name)) = &self.tls else { return Ok(Connected { io, tally, peer, tls: None }) };
        stage.layer = Unreachable::Tls;
        let stream = connector.connect(name.clone(), io).await.map_err(|error| error.to_string())?;
        let (_, session) = stream.get_ref();
        if self.target.http == HttpVersion::Http2 && session.alpn_protocol() != Some(b"h2") {
            stage.layer = Unreachable::Protocol;
            return Err("the server did not agree on HTTP/2 by ALPN".to_owned());
        }
        let version = session.protocol_version().map(|version| match version {
            rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
            rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
            other => format!("{other:?}"),
        });
        Ok(Connected { io: Box::new(stream), tally, peer, tls: version })
    }
}

/// How far a connection has come.
struct Stage {
    layer: Unreachable,
    peer: Option<SocketAddr>,
}

fn server_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| Error::usage(format!("`{name}` is no server name for TLS")).key("target.tls.server_name"))
}

/// The addresses of a host: from `resolve`, else from the system.
async fn lookup(target: &Target, host: &str, port: u16) -> std::result::Result<Vec<SocketAddr>, String> {
    if let Some(fixed) = fixed_addresses(target, host, port).filter(|fixed| !fixed.is_empty()) {
        return Ok(fixed.iter().map(|address| SocketAddr::new(*address, port)).collect());
    }
    let found: io::Result<Vec<_>> = tokio::net::lookup_host((host, port)).await.map(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(format!("cannot resolve `{host}`: it has no address")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("cannot resolve `{host}`: {error}")),
    }
}

/// Tries the addresses in order, each for its share of the time that is left.
async fn dial(
    addresses: &[SocketAddr],
    within: Duration,
) -> std::result::Result<(TcpStream, SocketAddr), (Option<SocketAddr>, io::Error)> {
    let deadline = Instant::now() + within;
    let mut last = (None, io::Error::other("no address"));
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, dial_one(*address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(error)) => last = (Some(*address), error),
            Err(_) => last = (Some(*address), io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
    Err(last)
}

async fn dial_one(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
