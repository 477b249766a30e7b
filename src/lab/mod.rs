//! The embedded lab: an origin that gives receipts, and edges before it that filter or lie, on loopback in one process.
//!
//! It exists so that `demo` and the tests run against real sockets with nothing else installed. Everything in it speaks
//! HTTP/1.1 on raw bytes, because its faults need that control.

mod edge;
mod fault;
mod http;
mod log;
pub mod multipart;
mod origin;
mod page;
mod receipt;
mod rewrite;
mod rule;
mod server;
mod store;
mod table;
mod tls;
mod upload;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use edge::Edge;
use origin::Origin;
use server::{Server, bind};
use table::{Behaviour, Settings};
use tls::Certificates;

pub use origin::{CANARY, Manner, OriginServer, OriginSettings, Token};
pub use store::Limits;
pub use tls::Validity;

use crate::error::Result;

/// The host that uploads go to: the edge.
pub const UPLOAD_HOST: &str = "upload.lab.test";
/// The host behind the edge, where receipts are.
pub const ORIGIN_HOST: &str = "origin.lab.test";

/// Where a lab listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The address of all its ports.
    pub listen: IpAddr,
    /// Port of the edge without TLS; 0: any.
    pub http_port: u16,
    /// Port of the edge with TLS; 0: any.
    pub https_port: u16,
    /// Port of the origin without TLS; 0: any.
    pub origin_port: u16,
    /// When the servers' certificate is valid.
    pub validity: Validity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: 0,
            https_port: 0,
            origin_port: 0,
            validity: Validity::Current,
        }
    }
}

/// One edge and its origin; both stop when it is dropped.
pub struct Lab {
    http: Server,
    https: Server,
    origin: Server,
    origin_tls: Server,
    ca_pem: String,
}

impl Lab {
    /// Starts the edge that the table `[lab]` of the profile at `place` describes, and an origin behind it.
    ///
    /// # Errors
    /// When the table has an unknown key or a wrong value, or a port cannot be had.
    pub async fn start(table: &toml::Table, place: &Path, options: &Options) -> Result<Self> {
        let settings = Settings::read(table, place)?;
        let manner = match settings.behaviour {
            Behaviour::OriginRejects => Manner::Refuses,
            Behaviour::Lost => Manner::Loses,
            _ => Manner::Keeps,
        };
        let certificates = Certificates::make(options.validity)?;
        let plain = bind(options.listen, options.origin_port).await?;
        let secure = bind(options.listen, 0).await?;
        let http = bind(options.listen, options.http_port).await?;
        let https = bind(options.listen, options.https_port).await?;
        let origin = Arc::new(Origin::new(OriginSettings { manner, ..OriginSettings::default() }));
        let origin_tls = Arc::clone(&origin).listen(secure, Some(certificates.acceptor.clone()))?;
        let origin = origin.listen(plain, None)?;
        let edge = Arc::new(Edge::new(settings, origin.address()));
        let to_edge = move |socket| Arc::clone(&edge).serve(socket);
        Ok(Self {
            http: Server::start(http, None, to_edge.clone())?,
            https: Server::start(https, Some(certificates.acceptor), to_edge)?,
            origin,
            origin_tls,
            ca_pem: certificates.ca_pem,
        })
    }

    /// Where the lab's host names lead: host, port of the URL, address.
    #[must_use]
    pub fn connect_to(&self) -> Vec<(String, u16, SocketAddr)> {
        vec![
            (UPLOAD_HOST.to_owned(), 80, self.http.address()),
            (UPLOAD_HOST.to_owned(), 443, self.https.address()),
            (ORIGIN_HOST.to_owned(), 80, self.origin.address()),
            (ORIGIN_HOST.to_owned(), 443, self.origin_tls.address()),
        ]
    }

    /// The certificate authority that signed the lab's certificates, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The edge without TLS.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http.address()
    }

    /// The edge with TLS.
    #[must_use]
    pub fn https_addr(&self) -> SocketAddr {
        self.https.address()
    }

    /// The origin without TLS.
    #[must_use]
    pub fn origin_addr(&self) -> SocketAddr {
        self.origin.address()
    }

    /// Stops everything and waits until the ports are free.
    pub async fn stop(self) {
        for server in [self.http, self.https, self.origin, self.origin_tls] {
            server.stop().await;
        }
    }
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../profiles/lab/", $name, ".toml")))),*]
    };
}

const EMBEDDED: &[(&str, &str)] = embedded![
    "standard",
    "upper",
    "lie-block-page-200",
    "lie-gzip-block-page",
    "lie-empty-200",
    "lie-redirect-home",
    "lie-challenge",
    "lie-early-413",
    "lie-reset",
    "lie-silence",
    "lie-slow-drip",
    "lie-truncate",
    "lie-flip-byte",
    "lie-mojibake-name",
    "lie-rewrite-type",
    "lie-fake-success",
    "lie-ban",
    "lie-flaky",
    "lie-throttle",
    "lie-broken-http",
    "lie-endless",
    "lie-origin-rejects",
    "lie-lost",
];

/// The file that all embedded profiles extend: its name and text.
pub const BASE: (&str, &str) = ("base.toml", include_str!("../../profiles/lab/base.toml"));

/// The embedded profiles, one per edge: name (the file is `NAME.toml`), text, and summary in one line.
pub fn edges() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    EMBEDDED.iter().map(|&(name, text)| {
        let summary = text.lines().next().unwrap_or_default().trim_start_matches('#').trim();
        (name, text, summary)
    })
}
