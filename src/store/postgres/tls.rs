//! Whose certificates are believed on the way to the server.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Protection;

/// Where systems keep their CA certificates as one file: Debian and Arch, Fedora, SUSE, Alpine.
const SYSTEM_FILES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What makes connections encrypted, as far as `protection` wants them to be.
///
/// # Errors
/// The reason why no certificate could be verified, and the next step.
pub(super) fn connector(
    protection: Protection,
    ca_file: Option<&Path>,
) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = match protection {
        Protection::Require => builder
            .with_root_certificates(roots(ca_file)?)
            .with_no_client_auth(),
        // In the clear no certificate is ever asked for.
        Protection::Disable | Protection::Prefer => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody { provider }))
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        add(&mut roots, file)?;
        return match roots.is_empty() {
            true => Err(format!(
                "[store] ca_file {} holds no certificate",
                file.display()
            )),
            false => Ok(roots),
        };
    }
    // The variable is OpenSSL's, and all the world's since.
    if let Some(file) = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()) {
        add(&mut roots, Path::new(&file))?;
        return Ok(roots);
    }
    for file in SYSTEM_FILES.iter().map(Path::new) {
        if file.exists() && add(&mut roots, file).is_ok() && !roots.is_empty() {
            return Ok(roots);
        }
    }
    Err(
        "this system has no CA certificates; install ca-certificates, or set [store] ca_file"
            .to_owned(),
    )
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let pem =
        std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate =
            certificate.map_err(|error| format!("{} is not PEM: {error}", file.display()))?;
        // A bundle may hold a certificate that this library does not read; the others count.
        let _ = roots.add(certificate);
    }
    Ok(())
}

/// Believes anybody: for `prefer`, which goes on in the clear if the server wishes so, and
/// so gains nothing from knowing who the server is.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
