//! Credentials: certificates and keys, whose clients are let in, and bearer tokens.
//!
//! They are read at start, and refused there if anything is wrong; they are read again when their
//! files change, and what cannot be used then changes nothing. Connections that are open stay open:
//! only handshakes, and calls with tokens, see the newest.
//!
//! Not here: sockets and handshakes (`service`), and what a peer may do (`snapshot::caller`).

pub mod certificate;
pub mod client;
mod files;
mod kept;
pub mod pair;
pub mod token;
mod verifier;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

pub use self::certificate::ClientCertificate;
pub use self::kept::{Changes, RefusedFiles};
use self::kept::{Kept, Watching};
use self::pair::{Certificates, InvalidPair};
use self::token::{InvalidToken, TokenFile, Tokens};
pub(crate) use self::verifier::RefusedCertificate;
use crate::model::account::Name;
use crate::model::caller::identity::SpiffePattern;
use crate::source::watch::{Pace, Watcher};
use crate::telemetry::{Handshakes, Seldom};

/// What TLS is served with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file of the certificate and those between it and its authority, as PEM.
    pub certificate: PathBuf,
    /// The file of its private key, as PEM.
    pub key: PathBuf,
    /// Which clients are asked for certificates; `None`: nobody.
    pub clients: Option<Clients>,
}

/// Whose certificates are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The file of the trust bundle, as PEM.
    pub ca: PathBuf,
    /// Whether everybody needs a certificate.
    pub need: Need,
    /// The SPIFFE ids that are let in; empty: whoever has a certificate of the trust bundle.
    pub spiffe: Vec<SpiffePattern>,
}

/// Whether a client needs a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without one there is no connection.
    Required,
    /// Without one the client has proved nothing; one that is shown must be good.
    Optional,
}

/// Which listeners have the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Those of data.
    Data,
    /// That of management.
    Manage,
}

impl Place {
    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Manage => "manage",
        }
    }
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The certificates.
    #[error("TLS cannot be served: {0}")]
    Certificates(#[from] InvalidPair),
    /// The tokens.
    #[error("tokens cannot be taken: {0}")]
    Tokens(#[from] InvalidToken),
}

/// The credentials of some listeners, as they are in force.
#[derive(Debug)]
pub struct Endpoint {
    place: Place,
    certificates: Arc<Kept<Config>>,
    /// None are taken, if there are none.
    tokens: Option<Arc<Kept<Vec<TokenFile>>>>,
    handshakes: Handshakes,
    seldom: Seldom,
}

impl Endpoint {
    /// Reads all files.
    ///
    /// # Errors
    ///
    /// The first that cannot be used.
    pub fn load(place: Place, config: Config, tokens: Vec<TokenFile>) -> Result<Self, LoadError> {
        let tokens = match tokens.as_slice() {
            [] => None,
            [..] => Some(Arc::new(Kept::load(tokens)?)),
        };
        Ok(Self {
            place,
            certificates: Arc::new(Kept::load(config)?),
            tokens,
            handshakes: Handshakes::default(),
            seldom: Seldom::default(),
        })
    }

    /// Watches the files, until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    pub fn watch(&self, poll: Duration) -> io::Result<Vec<Watcher>> {
        let pace = Pace {
            poll,
            ..Pace::default()
        };
        let certificates = Watching::new(Arc::clone(&self.certificates), self.place);
        let mut watchers = vec![Watcher::start("certificates", certificates, pace)?];
        if let Some(tokens) = &self.tokens {
            let tokens = Watching::new(Arc::clone(tokens), self.place);
            watchers.push(Watcher::start("tokens", tokens, pace)?);
        }
        Ok(watchers)
    }

    /// Whose they are.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The certificates in force.
    pub fn certificates(&self) -> Arc<Certificates> {
        self.certificates.in_force()
    }

    /// What the next handshake is made with.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.certificates.in_force().server)
    }

    /// Whether peers can prove who they are.
    pub(crate) fn asks_for_proof(&self) -> bool {
        self.tokens.is_some() || self.certificates.material().clients.is_some()
    }

    /// The name of those who hold a token.
    pub(crate) fn holder(&self, token: &[u8]) -> Option<Name> {
        let tokens: Arc<Tokens> = self.tokens.as_ref()?.in_force();
        tokens.holder(token).cloned()
    }

    /// What is kept, by its name: why newer files are refused, and how often they changed.
    pub fn kept(&self) -> Vec<(&'static str, Option<Arc<RefusedFiles>>, Changes)> {
        let certificates = &self.certificates;
        let mut kept = vec![(
            "certificates",
            certificates.refused(),
            certificates.changes(),
        )];
        if let Some(tokens) = &self.tokens {
            kept.push(("tokens", tokens.refused(), tokens.changes()));
        }
        kept
    }

    /// The handshakes, counted.
    pub fn handshakes(&self) -> &Handshakes {
        &self.handshakes
    }

    /// Whether a failed handshake is told now.
    pub(crate) fn seldom(&self) -> &Seldom {
        &self.seldom
    }
}
