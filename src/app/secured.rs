//! The credentials of the listeners: read before an address is taken, then watched.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::source::watch::Watcher;
use crate::tls::token::TokenFile;
use crate::tls::{self, Endpoint, Place};

/// What is served with TLS.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Addresses of data, if there are any with TLS.
    pub data: Option<tls::Config>,
    /// The management channel, if it has TLS, with the tokens that are taken there.
    pub manage: Option<(tls::Config, Vec<TokenFile>)>,
}

/// The credentials that were read.
pub(super) struct Secured {
    pub(super) data: Option<Arc<Endpoint>>,
    pub(super) manage: Option<Arc<Endpoint>>,
}

impl Secured {
    pub(super) fn load(tls: Tls) -> Result<Self, tls::LoadError> {
        let Tls { data, manage } = tls;
        let data = data.map(|config| Endpoint::load(Place::Data, config, Vec::new()));
        let manage = manage.map(|(config, tokens)| Endpoint::load(Place::Manage, config, tokens));
        Ok(Self {
            data: data.transpose()?.map(Arc::new),
            manage: manage.transpose()?.map(Arc::new),
        })
    }

    /// All of them, for metrics and probes.
    pub(super) fn all(&self) -> Vec<Arc<Endpoint>> {
        let all = self.data.iter().chain(&self.manage);
        all.cloned().collect()
    }
}

/// Watches the files of credentials, until what is returned is dropped.
pub(super) fn watch(endpoints: &[Arc<Endpoint>], poll: Duration) -> anyhow::Result<Vec<Watcher>> {
    let mut watchers = Vec::new();
    for endpoint in endpoints {
        let watched = endpoint.watch(poll);
        watchers.extend(watched.context("a thread that watches certificates")?);
    }
    Ok(watchers)
}
