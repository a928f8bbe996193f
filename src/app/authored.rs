//! Where authored state comes from: a directory, a store, or the management channel alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::RefusedAtStart;
use super::notify::First;
use crate::management::permission::Administrators;
use crate::management::{AuthoredIn, import};
use crate::source::backup::Stores;
use crate::source::directory::DirectoryStore;
use crate::source::embedded::{Keep, Store};
use crate::source::files::{WatchConfig, read_directory};
use crate::source::random;

/// Where authored state comes from.
#[derive(Debug, Clone)]
pub enum Bundles {
    /// A directory; the management channel changes nothing.
    Directory(WatchConfig),
    /// A store, which the management channel changes.
    Store {
        /// Its directory; `None`: it ends with the process.
        data: Option<PathBuf>,
        /// The directory of the bundle that an empty store begins with.
        begin: Option<PathBuf>,
        /// How much history is kept.
        keep: Keep,
    },
}

impl Bundles {
    /// The directory that a bundle is read from, if there is one.
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(config) => Some(&config.directory),
            Self::Store { begin, .. } => begin.as_deref(),
        }
    }

    /// Whether authored state comes from the management channel alone.
    pub fn is_nowhere(&self) -> bool {
        match self {
            Self::Directory(_) => false,
            Self::Store { data, begin, .. } => data.is_none() && begin.is_none(),
        }
    }
}

/// Authored state, opened, and the file of the directory.
#[derive(Debug)]
pub(super) struct Kept {
    authored: Opened,
    resources: Option<Arc<DirectoryStore>>,
    folder: Option<PathBuf>,
}

#[derive(Debug)]
enum Opened {
    Files(WatchConfig),
    Store(Arc<Store>),
}

impl Kept {
    /// Opens the stores, and puts the bundle into that of authored state if it is empty.
    pub(super) fn open(bundles: &Bundles) -> anyhow::Result<Self> {
        let data = match bundles {
            Bundles::Directory(_) | Bundles::Store { data: None, .. } => None,
            Bundles::Store { data, .. } => data.as_deref(),
        };
        let authored = Opened::open(bundles)?;
        let resources = data.map(DirectoryStore::open).transpose();
        let resources = resources.context("the directory cannot be opened")?;
        if resources.is_none() {
            tracing::warn!(
                "the directory is in memory: what is written to it ends with the process"
            );
        }
        Ok(Self {
            authored,
            resources: resources.map(Arc::new),
            folder: data.map(Path::to_path_buf),
        })
    }

    /// The file of the directory; `None`: it is in memory.
    pub(super) fn resources(&self) -> Option<Arc<DirectoryStore>> {
        self.resources.clone()
    }

    /// What is kept on disk; `None`: nothing.
    pub(super) fn stores(&self) -> Option<Stores> {
        let Opened::Store(policy) = &self.authored else {
            return None;
        };
        Some(Stores {
            policy: Arc::clone(policy),
            directory: self.resources()?,
            folder: self.folder.clone()?,
        })
    }

    /// With what the server is ready: an empty store has nothing to decide by until the management
    /// channel brings it.
    pub(super) fn first(&self) -> anyhow::Result<First> {
        Ok(if self.authored.is_empty()? {
            First::Nothing
        } else {
            First::Policies
        })
    }

    /// Where the management task finds it, and what is watched.
    pub(super) fn into_parts(
        self,
        administrators: &Administrators,
    ) -> anyhow::Result<(AuthoredIn, Option<WatchConfig>)> {
        self.authored.into_parts(administrators)
    }
}

impl Opened {
    fn open(bundles: &Bundles) -> anyhow::Result<Self> {
        let (data, begin, keep) = match bundles {
            Bundles::Directory(config) => return Ok(Self::Files(config.clone())),
            Bundles::Store { data, begin, keep } => (data, begin, *keep),
        };
        let store = match data {
            Some(directory) => Store::open(directory, keep),
            None => Store::in_memory(keep),
        };
        let store = store.context("the store cannot be opened")?;
        if let Some(bundle) = begin {
            let number = store.view()?.revision()?.number;
            if number == 0 {
                let files = read_directory(bundle)?;
                let from = format!("--bundle {}", bundle.display());
                let imported = import(&store, &files, &from);
                let revision = imported.map_err(|error| match error.into_findings() {
                    Ok(findings) => RefusedAtStart(findings).into(),
                    Err(error) => anyhow::Error::from(error),
                })?;
                tracing::info!(
                    revision = revision.number,
                    "the store begins with the bundle"
                );
            } else {
                tracing::info!(
                    revision = number,
                    "the store is not empty: no bundle is read"
                );
            }
        }
        Ok(Self::Store(Arc::new(store)))
    }

    fn is_empty(&self) -> anyhow::Result<bool> {
        Ok(match self {
            Self::Files(_) => false,
            Self::Store(store) => store.view()?.revision()?.number == 0,
        })
    }

    fn into_parts(
        self,
        administrators: &Administrators,
    ) -> anyhow::Result<(AuthoredIn, Option<WatchConfig>)> {
        Ok(match self {
            Self::Files(config) => {
                let source = u64::from_le_bytes(random()?);
                (AuthoredIn::Files { source }, Some(config))
            }
            Self::Store(store) => {
                let administrators = administrators.clone();
                let authored = AuthoredIn::Store {
                    store,
                    administrators,
                };
                (authored, None)
            }
        })
    }
}
