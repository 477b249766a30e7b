//! The network side of a profile.

use std::net::IpAddr;
use std::path::PathBuf;

use super::Secret;

/// Where uploads go.
#[derive(Debug, Clone)]
pub struct Target {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host of the URL, as written (IPv6 without brackets).
    pub host: String,
    /// Port of the URL, or the scheme's own.
    pub port: u16,
    /// Path and query of the URL.
    pub path: String,
    /// `Host` header; `None`: the URL's authority.
    pub host_header: Option<String>,
    /// curl's `--resolve HOST:PORT:ADDR[,ADDR]`.
    pub resolve: Vec<Resolve>,
    /// curl's `--connect-to HOST1:PORT1:HOST2:PORT2`.
    pub connect_to: Vec<ConnectTo>,
    /// TLS settings.
    pub tls: Tls,
    /// `http://`, `https://` or `socks5://` URL, perhaps with credentials.
    pub proxy: Option<Secret<String>>,
    /// Which HTTP version is spoken.
    pub http: HttpVersion,
}

impl Target {
    /// Host, and port where it is not the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme.as_str(), self.authority(), self.path)
    }
}

/// The URL's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Fixed addresses for a host and port, in curl's `--resolve` syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// Host, or `*`.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Addresses to try, in order.
    pub addresses: Vec<IpAddr>,
}

/// Another host and port to connect to, in curl's `--connect-to` syntax. Empty parts match (or keep) anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    /// Host of the URL; empty matches any.
    pub from_host: String,
    /// Port of the URL; `None` matches any.
    pub from_port: Option<u16>,
    /// Host to connect to; empty keeps the URL's.
    pub to_host: String,
    /// Port to connect to; `None` keeps the URL's.
    pub to_port: Option<u16>,
}

/// TLS settings of a target.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM file of certificate authorities, instead of the system's.
    pub ca: Option<PathBuf>,
    /// More certificate authorities as PEM text: the embedded lab's.
    pub ca_pem: Option<String>,
    /// PEM file of the client certificate chain.
    pub cert: Option<PathBuf>,
    /// PEM file of the client key.
    pub key: Option<PathBuf>,
    /// Server name sent in SNI and checked in the certificate; `None`: the URL's host.
    pub server_name: Option<String>,
    /// Accept any certificate. Every report says so.
    pub insecure: bool,
}

/// Which HTTP version is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersion {
    /// HTTP/1.1: byte-exact heads.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, with prior knowledge without.
    Http2,
}
