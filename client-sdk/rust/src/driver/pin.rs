//! Trust by certificate hash: the server is the one whose certificate was announced, as in a browser's
//! `serverCertificateHashes`.
//!
//! *Responsible for*: comparing the SHA-256 of the certificate, checking that the server has its key.
//! *Not responsible for*: names and validity times; who announces a hash vouches for both.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme, SupportedCipherSuite};

/// The SHA-256 of a certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateHash(pub [u8; 32]);

impl CertificateHash {
    /// The hash of a certificate.
    ///
    /// # Panics
    /// Never: the crypto provider that is built in knows SHA-256.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let sha256 = provider.cipher_suites.iter().find_map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) => Some(suite.common.hash_provider)
                .filter(|hash| hash.algorithm() == rustls::crypto::hash::HashAlgorithm::SHA256),
            SupportedCipherSuite::Tls12(_) => None,
        });
        let digest = sha256.expect("TLS_AES_128_GCM_SHA256 is built in").hash(der);
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        Self(hash)
    }
}

impl fmt::Display for CertificateHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CertificateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateHash({self})")
    }
}

/// Text that is no certificate hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a certificate hash is 64 hexadecimal digits")]
pub struct NoHash;

impl FromStr for CertificateHash {
    type Err = NoHash;

    /// Reads 64 hexadecimal digits; colons between them are allowed.
    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(NoHash))
            .collect::<Result<_, _>>()?;
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return Err(NoHash);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(hash))
    }
}

/// Accepts exactly the certificates of these hashes.
#[derive(Debug)]
pub(super) struct PinnedCertificates {
    hashes: Vec<CertificateHash>,
    provider: Arc<CryptoProvider>,
}

impl PinnedCertificates {
    pub(super) const fn new(hashes: Vec<CertificateHash>, provider: Arc<CryptoProvider>) -> Self {
        Self { hashes, provider }
    }
}

impl ServerCertVerifier for PinnedCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.hashes.contains(&CertificateHash::of(end_entity)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sha_256_and_reads_back_from_text() {
        let hash = CertificateHash::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(text.to_uppercase().parse(), Ok(hash));
        let colons: Vec<_> =
            text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        assert_eq!(colons.join(":").parse(), Ok(hash));
        assert_eq!("ba78".parse::<CertificateHash>(), Err(NoHash));
        assert_eq!("zz".repeat(32).parse::<CertificateHash>(), Err(NoHash));
    }
}
