//! Requests, certificates and transports for the tests of `replay`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;
use wafcanary::corpus::{Content, Piece};
use wafcanary::profile::target::Scheme;
use wafcanary::profile::{HttpVersion, Redactor, Target, Timeouts};
use wafcanary::replay::Transport;
use wafcanary::wire::{Body, Framing, Header, Segment, WireRequest};

/// The answer of an edge that refuses for size.
pub(crate) fn answer_413() -> &'static [u8] {
    b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large"
}

/// A body of `len` bytes that is in memory only a part at a time.
pub(crate) fn fill(len: u64) -> Body {
    let pattern = Bytes::from(vec![b'x'; 4096]);
    let content = Content::from_pieces(vec![Piece::Fill { pattern, len }]).unwrap();
    Body::new(vec![Segment::Content(content)])
}

pub(crate) fn bytes(body: &[u8]) -> Body {
    Body::new(vec![Segment::Bytes(Bytes::copy_from_slice(body))])
}

/// A POST with header names and values that hyper would not write.
pub(crate) fn request(body: Body) -> WireRequest {
    let header = |name: &str, value: &[u8]| Header { name: name.to_owned(), value: value.to_vec() };
    WireRequest {
        method: "POST".to_owned(),
        target: "/upload".to_owned(),
        headers: vec![
            header("Host", b"edge.test"),
            header("sec-ch-ua", b"\"Chromium\";v=\"156\""),
            header("DNT", b"1"),
            header("X-nAmE", "\u{56f3}\u{9762}.pdf".as_bytes()),
            header("Content-Length", body.len().to_string().as_bytes()),
        ],
        body,
        framing: Framing::ContentLength,
        expect_continue: false,
        filename: Some(b"a.pdf".to_vec()),
        filename_readings: vec!["a.pdf".to_owned()],
        content_type: None,
    }
}

pub(crate) fn timeouts() -> Timeouts {
    let seconds = Duration::from_secs;
    Timeouts { connect: seconds(10), answer: seconds(20), idle: seconds(20), total: seconds(60) }
}

pub(crate) fn target(port: u16) -> Target {
    Target {
        scheme: Scheme::Http,
        host: "127.0.0.1".to_owned(),
        port,
        path: "/upload".to_owned(),
        host_header: None,
        resolve: Vec::new(),
        connect_to: Vec::new(),
        tls: wafcanary::profile::Tls::default(),
        proxy: None,
        http: HttpVersion::Http1,
    }
}

/// A transport to a server on loopback; with `tls`, its authority is trusted and its name is `edge.test`.
pub(crate) fn transport(port: u16, tls: Option<&Tls>, change: impl FnOnce(&mut Target)) -> Transport {
    let mut target = target(port);
    if let Some(tls) = tls {
        target.scheme = Scheme::Https;
        target.tls.ca_pem = Some(tls.ca_pem.clone());
        target.tls.server_name = Some("edge.test".to_owned());
    }
    change(&mut target);
    Transport::new(target, timeouts(), 4, Arc::new(Redactor::default())).unwrap()
}

/// An authority and a server certificate of it.
pub(crate) struct Tls {
    pub(crate) ca_pem: String,
    pub(crate) cert_pem: String,
    pub(crate) key_pem: String,
    config: rustls::ServerConfig,
}

impl Tls {
    pub(crate) fn sound() -> Self {
        Self::new("edge.test", (2020, 2099), false)
    }

    /// A certificate for `name`, valid in these years.
    pub(crate) fn new(name: &str, (from, to): (i32, i32), ask_client: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_cert = ca.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.not_before = rcgen::date_time_ymd(from, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(to, 1, 1);
        let cert = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if ask_client {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(ca_cert.der().clone()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![cert.der().clone()], private).unwrap();
        Self { ca_pem: ca_cert.pem(), cert_pem: cert.pem(), key_pem: key.serialize_pem(), config }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.config.clone()))
    }

    pub(crate) fn h2_acceptor(&self) -> TlsAcceptor {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
