//! TLS for the steps, by the same settings as the uploads.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::{Error, Result};
use crate::profile::Tls;

/// The client's side of TLS, without ALPN.
pub(super) fn config(tls: &Tls) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let broken = |error: rustls::Error| Error::usage(format!("TLS cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(broken)?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else if tls.ca.is_some() || tls.ca_pem.is_some() {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &tls.ca {
            add(&mut roots, certificates(path)?, path)?;
        }
        if let Some(pem) = &tls.ca_pem {
            let parsed: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            let parsed =
                parsed.map_err(|error| Error::usage(format!("the authority's PEM cannot be read: {error}")))?;
            add(&mut roots, parsed, Path::new("(built in)"))?;
        }
        builder.with_root_certificates(roots)
    } else {
        let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(broken)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else { return Ok(builder.with_no_client_auth()) };
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| Error::usage(format!("the client key cannot be read: {error}")).file(key).key("tls.key"))?;
    builder
        .with_client_auth_cert(certificates(cert)?, private)
        .map_err(|error| Error::usage(format!("certificate and key do not fit: {error}")).file(cert).key("tls.cert"))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let parsed = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let parsed =
        parsed.map_err(|error| Error::usage(format!("the certificates cannot be read: {error}")).file(path))?;
    if parsed.is_empty() {
        return Err(Error::usage("the file holds no certificate").file(path).help("give a PEM file"));
    }
    Ok(parsed)
}

fn add(roots: &mut RootCertStore, certificates: Vec<CertificateDer<'static>>, path: &Path) -> Result<()> {
    for certificate in certificates {
        roots.add(certificate).map_err(|error| {
            Error::usage(format!("a certificate authority is not accepted: {error}")).file(path).key("tls.ca")
        })?;
    }
    Ok(())
}

/// Accepts every certificate; for `insecure = true` alone.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
