//! What a certificate says: whom it names, how long it is valid, what it is for.
//!
//! Not here: whether the certificate is to be believed (`super::verifier`).

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::time::Time;

use crate::model::caller::identity::{DnsName, Identity, SpiffeId, Uri};

/// Why a certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCertificate {
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Encoding,
    /// It has more than one URI, so that it is not one peer's.
    #[error("the certificate has more than one URI")]
    SeveralUris,
    /// It claims a SPIFFE id that is none.
    #[error("the certificate's SPIFFE id is not valid")]
    SpiffeId,
}

/// The certificate that a client showed, after it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate itself.
    pub der: CertificateDer<'static>,
    /// Whom it names, if it names one.
    pub identity: Option<Identity>,
}

/// From when and until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first instant.
    pub not_before: Timestamp,
    /// The last instant.
    pub not_after: Timestamp,
}

/// A certificate that was read.
pub(super) struct Facts(Certificate);

impl Facts {
    pub(super) fn read(der: &CertificateDer<'_>) -> Result<Self, InvalidCertificate> {
        Certificate::from_der(der)
            .map(Self)
            .map_err(|_| InvalidCertificate::Encoding)
    }

    /// The one that the certificate names; none if it names nobody, or more than one.
    ///
    /// A SPIFFE id stands over DNS names. It is the only URI: a certificate with two is nobody's.
    pub(super) fn identity(&self) -> Result<Option<Identity>, InvalidCertificate> {
        let (mut uris, mut names) = (Vec::new(), Vec::new());
        let alternative: Option<SubjectAltName> = self.extension()?;
        for name in alternative.iter().flat_map(|names| &names.0) {
            match name {
                GeneralName::UniformResourceIdentifier(uri) => uris.push(uri.as_str()),
                GeneralName::DnsName(name) => names.push(name.as_str()),
                GeneralName::OtherName(_)
                | GeneralName::Rfc822Name(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EdiPartyName(_)
                | GeneralName::IpAddress(_)
                | GeneralName::RegisteredId(_) => {}
            }
        }
        match (uris.as_slice(), names.as_slice()) {
            // security 1.1: "client certificate's single SPIFFE id or SAN".
            ([_, _, ..], _) => Err(InvalidCertificate::SeveralUris),
            ([uri], _) if SpiffeId::is_claimed_by(uri) => SpiffeId::try_from(*uri)
                .map(|id| Some(Identity::Spiffe(id)))
                .map_err(|_| InvalidCertificate::SpiffeId),
            ([uri], []) => Ok(Uri::try_from(*uri).ok().map(Identity::Uri)),
            ([], [name]) => Ok(DnsName::try_from(*name).ok().map(Identity::Dns)),
            ([_], [_, ..]) | ([], [] | [_, _, ..]) => Ok(None),
        }
    }

    /// Whether servers may show the certificate: it says so, or says nothing of it.
    pub(super) fn is_for_servers(&self) -> Result<bool, InvalidCertificate> {
        let usage: Option<ExtendedKeyUsage> = self.extension()?;
        let mut purposes = usage.iter().flat_map(|usage| &usage.0).peekable();
        Ok(purposes.peek().is_none()
            || purposes.any(|one| *one == ID_KP_SERVER_AUTH || *one == ANY_EXTENDED_KEY_USAGE))
    }

    pub(super) fn validity(&self) -> Result<Validity, InvalidCertificate> {
        let validity = &self.0.tbs_certificate.validity;
        Ok(Validity {
            not_before: instant(&validity.not_before)?,
            not_after: instant(&validity.not_after)?,
        })
    }

    /// An extension, which stands at most once.
    fn extension<'a, T>(&'a self) -> Result<Option<T>, InvalidCertificate>
    where
        T: x509_cert::der::Decode<'a> + AssociatedOid,
    {
        let found = self.0.tbs_certificate.get::<T>();
        let found = found.map_err(|_| InvalidCertificate::Encoding)?;
        Ok(found.map(|(_, extension)| extension))
    }
}

fn instant(time: &Time) -> Result<Timestamp, InvalidCertificate> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs());
    let seconds = seconds.map_err(|_| InvalidCertificate::Encoding)?;
    Timestamp::from_second(seconds).map_err(|_| InvalidCertificate::Encoding)
}

/// What a verified certificate says of the client.
pub(crate) fn client(der: &CertificateDer<'_>) -> Result<ClientCertificate, InvalidCertificate> {
    Ok(ClientCertificate {
        identity: Facts::read(der)?.identity()?,
        der: der.clone().into_owned(),
    })
}
