//! The TLS settings of a side, as rustls takes them.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::{Error, Result};
use crate::profile::{HttpVersion, Tls};

/// The configuration for `tls`; `http` is offered by ALPN.
///
/// # Errors
/// A certificate or key that cannot be read, with its file and key.
pub(super) fn client_config(tls: &Tls, http: Option<HttpVersion>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::usage(format!("cannot set up TLS: {error}")))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
    } else if let Some(roots) = roots(tls)? {
        builder.with_root_certificates(roots)
    } else {
        let system = rustls_platform_verifier::Verifier::new(provider).map_err(|error| {
            Error::usage(format!("cannot use the system's certificate authorities: {error}"))
                .key("target.tls.ca")
                .help("set `ca` to a PEM file of certificate authorities")
        })?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(system))
    };
    let mut config = match &tls.cert {
        None => builder.with_no_client_auth(),
        Some(cert) => {
            let key_path = tls.key.as_deref().unwrap_or(cert);
            let key = PrivateKeyDer::from_pem_file(key_path).map_err(|error| unreadable(key_path, "key", &error))?;
            builder
                .with_client_auth_cert(certificates(cert, "cert")?, key)
                .map_err(|error| unreadable(key_path, "key", &error))?
        }
    };
    config.alpn_protocols = match http {
        None => Vec::new(),
        Some(HttpVersion::Http1) => vec![b"http/1.1".to_vec()],
        Some(HttpVersion::Http2) => vec![b"h2".to_vec()],
    };
    Ok(Arc::new(config))
}

/// The authorities that the profile names; `None`: the system's.
fn roots(tls: &Tls) -> Result<Option<RootCertStore>> {
    let mut found = match &tls.ca {
        Some(ca) => certificates(ca, "ca")?,
        None => Vec::new(),
    };
    if let Some(text) = &tls.ca_pem {
        let more: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        found.extend(more.map_err(|error| Error::usage(format!("cannot read the lab's certificate: {error}")))?);
    }
    if tls.ca.is_none() && tls.ca_pem.is_none() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        let error = Error::usage("no certificate authority is in it").key("target.tls.ca");
        return Err(tls.ca.iter().fold(error, Error::file));
    }
    Ok(Some(roots))
}

fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: std::result::Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match read {
        Ok(read) if read.is_empty() => Err(unreadable(path, key, &"no certificate is in it")),
        Ok(read) => Ok(read),
        Err(error) => Err(unreadable(path, key, &error)),
    }
}

fn unreadable(path: &Path, key: &str, error: &dyn std::fmt::Display) -> Error {
    Error::usage(format!("cannot use this PEM file: {error}")).file(path).key(format!("target.tls.{key}"))
}

/// Accepts any certificate: `insecure = true`, which every report shows.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
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
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
