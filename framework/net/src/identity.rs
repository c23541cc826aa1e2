//! The certificate by which clients know this endpoint.
//!
//! *Responsible for*: the pair of certificate and key, and its hash as browsers want it. *Not responsible for*: making,
//! storing or rotating it (`lightmoon`).

use crate::Error;
use crate::limits::{ALPN_NATIVE, ALPN_WEB_TRANSPORT};
use quinn_proto::crypto::rustls::QuicServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;

/// A certificate and its private key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, X.509 in DER. Browsers accept a self-signed one by its hash if it is ECDSA P-256 and valid for
    /// less than 14 days.
    pub cert_der: Vec<u8>,
    /// The private key, PKCS#8 in DER.
    pub key_der: Vec<u8>,
}

impl TlsIdentity {
    /// SHA-256 of the certificate: what a page gives as `serverCertificateHashes`.
    #[must_use]
    pub fn certificate_hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &self.cert_der).as_ref());
        hash
    }

    /// The TLS side of an endpoint: TLS 1.3, no client certificates, no 0-RTT (it could be replayed).
    pub(crate) fn server_crypto(&self) -> Result<QuicServerConfig, Error> {
        let cert = CertificateDer::from(self.cert_der.clone());
        let key = PrivateKeyDer::try_from(self.key_der.clone()).map_err(|e| Error::Identity(e.to_owned()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| Error::Identity(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .map_err(|e| Error::Identity(e.to_string()))?;
        config.alpn_protocols = vec![ALPN_NATIVE.to_vec(), ALPN_WEB_TRANSPORT.to_vec()];
        QuicServerConfig::try_from(config).map_err(|e| Error::Identity(e.to_string()))
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key never reaches a log.
        f.debug_struct("TlsIdentity").field("cert_bytes", &self.cert_der.len()).finish_non_exhaustive()
    }
}
