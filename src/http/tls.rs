//! TLS of the program's HTTP clients: whom to trust, and who we are.
//!
//! The system's authorities are files in their hundreds, which take longer to read than a short list of tags. They are read when
//! the first server shows a certificate, which one that speaks plain HTTP never does.

use std::sync::{Arc, OnceLock};
use std::thread;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, InconsistentKeys, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;

/// The certificate of an authority.
pub(crate) type Authority = CertificateDer<'static>;

/// A certificate that says who we are, those that vouch for it, and its key.
#[derive(Debug)]
pub(crate) struct Identity(Arc<SingleCertAndKey>);

impl Identity {
    /// Reads certificates and a key, in PEM, in whichever order.
    ///
    /// # Errors
    /// A sentence that holds nothing of the key: one of them is missing or no PEM, or they are no pair.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or("holds no certificate in PEM")?;
        let key = PrivateKeyDer::pem_slice_iter(pem).last().and_then(Result::ok);
        let key = key.ok_or("holds no private key in PEM")?;
        let key = ring::default_provider().key_provider.load_private_key(key);
        let pair =
            CertifiedKey::new(chain, key.map_err(|_withheld| "holds a private key of an unknown kind")?);
        match pair.keys_match() {
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err("holds a certificate and a key that are no pair".to_owned())
            }
            // Whether a certificate is good for it is judged by who asks for it, be it of an old version.
            _ => Ok(Self(Arc::new(pair.into()))),
        }
    }
}

/// All certificates of a bundle in PEM, which may be none.
///
/// # Errors
/// A sentence: what is between the marks of a certificate is none.
pub(crate) fn authorities(pem: &[u8]) -> Result<Vec<Authority>, String> {
    let all: Result<_, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.map_err(|_details| "invalid certificate encoding".to_owned())
}

/// TLS that trusts the system's authorities and these, and shows this identity to who asks for one.
///
/// `is_certain` says that a server will show a certificate: the system's authorities are then read on a thread of their own,
/// beside what comes before.
///
/// # Errors
/// An authority is no certificate.
pub(super) fn config(
    authorities: &[Authority],
    identity: Option<&Identity>,
    is_certain: bool,
) -> Result<ClientConfig, Error> {
    let trust = Arc::new(Trust::new(authorities)?);
    if is_certain {
        let trust = Arc::clone(&trust);
        // Without a thread they are read when they are needed.
        let _ = thread::Builder::new().name("authorities".to_owned()).spawn(move || drop(trust.verifier()));
    }
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(trust);
    let mut config = match identity {
        Some(Identity(pair)) => builder.with_client_cert_resolver(Arc::clone(pair) as _),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What judges certificates; an error where there is nobody to trust.
type Judge = Result<Arc<Verifier>, Error>;

/// The judge by the system's authorities alone, read once for all clients that trust no others. What could not be read is read
/// again.
static SYSTEM: OnceLock<Arc<Verifier>> = OnceLock::new();

/// Trust in the system's authorities and those of a client.
#[derive(Debug)]
struct Trust {
    authorities: Vec<Authority>,
    algorithms: WebPkiSupportedAlgorithms,
    judge: OnceLock<Arc<Verifier>>,
}

impl Trust {
    fn new(authorities: &[Authority]) -> Result<Self, Error> {
        let mut sound = RootCertStore::empty();
        authorities.iter().try_for_each(|authority| sound.add(authority.clone()))?;
        Ok(Self {
            authorities: authorities.to_vec(),
            algorithms: ring::default_provider().signature_verification_algorithms,
            judge: OnceLock::new(),
        })
    }

    fn verifier(&self) -> Judge {
        let place = if self.authorities.is_empty() { &SYSTEM } else { &self.judge };
        if let Some(judge) = place.get() {
            return Ok(Arc::clone(judge));
        }
        let provider = Arc::new(ring::default_provider());
        let read =
            Verifier::new_with_extra_roots(self.authorities.iter().cloned(), provider).map(Arc::new)?;
        Ok(Arc::clone(place.get_or_init(|| read)))
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // A machine without any authorities: nobody vouches for the server.
        let verifier = self
            .verifier()
            .map_err(|_no_roots| Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        verifier.verify_server_cert(certificate, chain, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
