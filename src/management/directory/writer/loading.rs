//! What the writer begins with: what is on disk, resources and what is kept beside them.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use super::Writer;
use crate::directory::Filling;
use crate::management::directory::base::Base;
use crate::management::directory::counting::Counting;
use crate::management::directory::rules::Rules;
use crate::management::directory::{Announced, Config, StartError};
use crate::model::resource::Version;
use crate::source::directory::Loaded;
use crate::source::directory::note::{self, Note};
use crate::source::embedded::StoreError;

impl Writer {
    /// Loads what is on disk.
    pub(in crate::management::directory) fn load(
        config: Config,
        announced: Announced,
        outdated: Arc<Notify>,
    ) -> Result<Self, StartError> {
        let Config {
            directory,
            reader,
            store,
            writes,
            step,
        } = config;
        let mut writer = Self {
            base: Base::new(directory),
            reader,
            store,
            counting: Counting::new(writes.compliance().clone(), outdated),
            writes,
            step,
            rules: Rules::default(),
            announced,
            version: Version(0),
            begun: None,
            failed: None,
            together: 0,
        };
        if let Some(store) = writer.store.clone() {
            let start = Instant::now();
            let count = usize::try_from(store.count()?).unwrap_or(0);
            let (resources, loaded) = Filling::while_read(count, |each| store.load(each))?;
            let loaded = loaded?;
            writer.base.fill(resources);
            let (resources, took) = (loaded.resources, start.elapsed());
            writer.know(loaded)?;
            tracing::info!(
                resources,
                version = writer.version.0,
                ?took,
                "the directory is loaded"
            );
        }
        Ok(writer)
    }

    /// Takes over what a store holds beside its resources.
    pub(super) fn know(&mut self, loaded: Loaded) -> Result<(), StoreError> {
        self.version = loaded.version;
        (self.begun, self.rules) = (None, Rules::default());
        let mut predefined = Vec::new();
        for (name, bytes) in loaded.notes {
            match note::read(&name, bytes).map_err(StoreError::Damaged)? {
                Note::Begun(digest) => self.begun = Some(digest),
                Note::Predefined(write) => predefined.push(write),
                Note::Rules(account, rules) => self.rules.load(account, rules),
                Note::Work(id, work) => self.base.keep(id, Some(work)),
            }
        }
        self.base.directory.replace_predefined(&predefined);
        self.writes.left(self.base.work().len());
        Ok(())
    }
}
