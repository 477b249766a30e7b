//! A certificate authority for one lab, and the certificate of its servers.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::{ORIGIN_HOST, UPLOAD_HOST};
use crate::error::{Error, Result};

/// When the servers' certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validity {
    /// Now.
    #[default]
    Current,
    /// It ended years ago.
    Expired,
}

/// The lab's certificates.
pub(super) struct Certificates {
    /// The authority, PEM.
    pub(super) ca_pem: String,
    /// Accepts TLS connections.
    pub(super) acceptor: TlsAcceptor,
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::inconclusive(format!("the lab's certificates cannot be made: {error}"))
}

impl Certificates {
    /// A new authority and a certificate that it signs.
    pub(super) fn make(validity: Validity) -> Result<Self> {
        let ca_key = KeyPair::generate().map_err(|error| failed(&error))?;
        let mut ca = CertificateParams::new(Vec::new()).map_err(|error| failed(&error))?;
        ca.distinguished_name.push(DnType::CommonName, "wafcanary lab CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.not_before = date_time_ymd(2020, 1, 1);
        ca.not_after = date_time_ymd(2100, 1, 1);
        let ca_certificate = ca.self_signed(&ca_key).map_err(|error| failed(&error))?;
        let issuer = Issuer::new(ca, ca_key);

        let names = [UPLOAD_HOST, ORIGIN_HOST, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names.to_vec()).map_err(|error| failed(&error))?;
        leaf.distinguished_name.push(DnType::CommonName, UPLOAD_HOST);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        (leaf.not_before, leaf.not_after) = match validity {
            Validity::Current => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
            Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
        };
        let leaf_key = KeyPair::generate().map_err(|error| failed(&error))?;
        let certificate = leaf.signed_by(&leaf_key, &issuer).map_err(|error| failed(&error))?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(|error| failed(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca_certificate.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
