//! Whose certificates are accepted: those of the trust bundle, of clients, for one peer each.
//!
//! rustls checks the chain, the time and the purpose; this adds whom a certificate names and the
//! list of SPIFFE ids.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::certificate::{Facts, InvalidCertificate};
use super::{Clients, Need};
use crate::model::caller::identity::{Identity, SpiffePattern};

/// Why a certificate that is genuine is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedCertificate {
    /// It cannot be one peer's.
    #[error(transparent)]
    Invalid(#[from] InvalidCertificate),
    /// There is a list of SPIFFE ids, and it has none.
    #[error("the certificate has no SPIFFE id")]
    NoSpiffeId,
    /// Its SPIFFE id is not on the list.
    #[error("the SPIFFE id `{0}` is not on the list")]
    NotListed(Identity),
}

/// The verifier of client certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    chain: Arc<dyn ClientCertVerifier>,
    /// Empty: every one.
    spiffe: Vec<SpiffePattern>,
}

impl Verifier {
    pub(super) fn new(
        roots: RootCertStore,
        clients: &Clients,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = match clients.need {
            Need::Required => builder,
            Need::Optional => builder.allow_unauthenticated(),
        };
        Ok(Self {
            chain: builder.build()?,
            spiffe: clients.spiffe.clone(),
        })
    }

    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), RefusedCertificate> {
        let identity = Facts::read(certificate)?.identity()?;
        if self.spiffe.is_empty() {
            return Ok(());
        }
        match identity {
            Some(Identity::Spiffe(id)) if self.spiffe.iter().any(|one| one.matches(&id)) => Ok(()),
            Some(listed @ Identity::Spiffe(_)) => Err(RefusedCertificate::NotListed(listed)),
            Some(Identity::Dns(_) | Identity::Uri(_) | Identity::Token(_)) | None => {
                Err(RefusedCertificate::NoSpiffeId)
            }
        }
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .chain
            .verify_client_cert(end_entity, intermediates, now)?;
        self.check_names(end_entity)
            .map_err(|refused| CertificateError::Other(OtherError(Arc::new(refused))))?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
