//! The reading of one bundle: what was read so far, where errors are told, and how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::{self, AccountFile};
use super::error::EntryErrorKind;
use super::layout::{self};
use super::organization::OrganizationFile;
use super::{BundleFiles, FileErrors, FileLint, Loaded, MAX_FILE_BYTES, Quarantined, Strictness};
use crate::document::cursor::{self, Cursor, Parsed, Sink, Told};
use crate::document::error::{DocumentErrorKind, DocumentErrors, ShapeErrorKind};
use crate::document::position::{Source, Spot};
use crate::document::shipped;
use crate::model::account::{Account, Name};
use crate::model::arn::AccountId;
use crate::model::bundle::{Bundle, ResourcePolicy};
use crate::model::caller::Callers;
use crate::model::catalog::Catalog;
use crate::model::resource::Resource;
use crate::model::settings::Settings;
use crate::model::statement::Policy;
use crate::model::tag_policy::TagPolicy;

/// Where something was read: the file, the line of a file of JSON Lines, the spot in the document.
#[derive(Debug, Clone)]
pub(super) struct Site<'f> {
    pub(super) file: &'f str,
    pub(super) source: Source<'f>,
    pub(super) spot: Spot,
}

/// A value with its site.
#[derive(Debug, Clone)]
pub(super) struct Sited<'f, T> {
    pub(super) value: T,
    pub(super) site: Site<'f>,
}

/// One account as far as it was read.
#[derive(Debug, Default)]
pub(super) struct AccountReading<'f> {
    pub(super) file: Option<(&'f str, Source<'f>, AccountFile)>,
    pub(super) has_file: bool,
    pub(super) policies: BTreeMap<Name, Policy>,
    pub(super) errors: FileErrors,
}

/// All that was read, and all errors.
#[derive(Debug)]
pub(super) struct Reading<'f> {
    pub(super) files: &'f BundleFiles,
    pub(super) settings: Settings,
    pub(super) catalog: Arc<Catalog>,
    pub(super) callers: Callers,
    pub(super) organizations: Vec<(&'f str, Source<'f>, OrganizationFile)>,
    pub(super) accounts: BTreeMap<AccountId, AccountReading<'f>>,
    pub(super) system: BTreeMap<Name, Policy>,
    pub(super) control: BTreeMap<Name, Policy>,
    pub(super) tag: BTreeMap<Name, TagPolicy>,
    pub(super) resource_policies: BTreeMap<Name, ResourcePolicy>,
    pub(super) resources: Vec<Sited<'f, Resource>>,
    pub(super) errors: FileErrors,
    lints: Vec<FileLint>,
}

impl<'f> Reading<'f> {
    pub(super) fn new(files: &'f BundleFiles) -> Self {
        Self {
            files,
            settings: Settings::default(),
            catalog: Arc::new(shipped::catalog().clone()),
            callers: Callers::default(),
            organizations: Vec::new(),
            accounts: BTreeMap::new(),
            system: BTreeMap::new(),
            control: BTreeMap::new(),
            tag: BTreeMap::new(),
            resource_policies: BTreeMap::new(),
            resources: Vec::new(),
            errors: FileErrors::default(),
            lints: Vec::new(),
        }
    }

    /// The text of a file.
    pub(super) fn source(&mut self, path: &'f str) -> Option<Source<'f>> {
        let content = self.files.get(path)?;
        if content.len() > MAX_FILE_BYTES {
            let limit = MAX_FILE_BYTES;
            self.refuse(path, ShapeErrorKind::TooLarge { limit });
            return None;
        }
        if let Ok(text) = std::str::from_utf8(content) {
            return Some(Source::new(text));
        }
        self.refuse(path, ShapeErrorKind::NotUtf8);
        None
    }

    /// Reads one document; its errors and warnings are kept.
    pub(super) fn document<T>(
        &mut self,
        path: &str,
        source: Source<'f>,
        limit: usize,
        read: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'f>) -> Result<T, Told>,
    ) -> Option<T> {
        match cursor::read(source, limit, read) {
            Ok(Parsed { value, lints }) => {
                let file = |lint| FileLint {
                    file: path.to_owned(),
                    lint,
                };
                self.lints.extend(lints.into_iter().map(file));
                Some(value)
            }
            Err(errors) => {
                self.errors_of(path).push_all(path, &errors);
                None
            }
        }
    }

    /// The errors that a file's errors belong to: its account's, or the bundle's.
    fn errors_of(&mut self, path: &str) -> &mut FileErrors {
        match layout::account_of(path) {
            Some(account) => &mut self.accounts.entry(account).or_default().errors,
            None => &mut self.errors,
        }
    }

    /// Tells an error of a whole file.
    pub(super) fn refuse(&mut self, path: &str, kind: impl Into<DocumentErrorKind>) {
        let at = Source::new("").start();
        let errors = DocumentErrors::one(kind, at);
        self.errors_of(path).push_all(path, &errors);
    }

    /// Tells an error at a site.
    pub(super) fn refuse_at(&mut self, site: &Site<'f>, kind: EntryErrorKind) {
        self.refuse_all(vec![(site.clone(), kind)]);
    }

    /// Tells errors at their sites. Those of one document are told together, so that it is searched
    /// for their positions once.
    pub(super) fn refuse_all(&mut self, told: Vec<(Site<'f>, EntryErrorKind)>) {
        let mut sinks: BTreeMap<(&str, usize), Sink<'f>> = BTreeMap::new();
        for (site, kind) in told {
            let document = (site.file, site.source.first_line);
            let sink = sinks
                .entry(document)
                .or_insert_with(|| Sink::new(site.source));
            sink.refuse(&site.spot, kind);
        }
        for ((file, _), sink) in sinks {
            if let Err(errors) = sink.finish(Ok(())) {
                self.errors_of(file).push_all(file, &errors);
            }
        }
    }

    /// The bundle, or why there is none.
    pub(super) fn finish(mut self, strictness: Strictness) -> Result<Loaded, FileErrors> {
        let mut accounts = Vec::new();
        let mut quarantined = Vec::new();
        for (id, read) in std::mem::take(&mut self.accounts) {
            let errors = read.errors.clone();
            match account_of(id.clone(), read) {
                Some(account) if errors.is_empty() => accounts.push(account),
                _ => quarantined.push(Quarantined {
                    account: id,
                    errors,
                }),
            }
        }
        let refused = match strictness {
            Strictness::Strict => !quarantined.is_empty(),
            Strictness::Quarantine => false,
        };
        if refused || !self.errors.is_empty() {
            for account in quarantined {
                self.errors.append(account.errors);
            }
            return Err(self.errors);
        }
        let bundle = self.bundle(accounts);
        Ok(Loaded {
            bundle,
            quarantined,
            lints: self.lints,
        })
    }

    fn bundle(&mut self, accounts: Vec<Account>) -> Bundle {
        let mut system_policies = shipped::system_policies().clone();
        system_policies.append(&mut self.system);
        let mut control_policies = shipped::control_policies().clone();
        control_policies.append(&mut self.control);
        let organizations = std::mem::take(&mut self.organizations);
        let resources = std::mem::take(&mut self.resources);
        Bundle {
            settings: std::mem::take(&mut self.settings),
            catalog: Arc::unwrap_or_clone(std::mem::take(&mut self.catalog)),
            callers: std::mem::take(&mut self.callers),
            organizations: organizations
                .into_iter()
                .map(|(_, _, file)| file.organization)
                .collect(),
            accounts,
            system_policies,
            control_policies,
            tag_policies: std::mem::take(&mut self.tag),
            resource_policies: std::mem::take(&mut self.resource_policies)
                .into_values()
                .collect(),
            resources: resources.into_iter().map(|read| read.value).collect(),
        }
    }
}

fn account_of(id: AccountId, read: AccountReading<'_>) -> Option<Account> {
    let (_, _, file) = read.file?;
    Some(Account {
        id,
        groups: file.groups.iter().map(account::GroupEntry::group).collect(),
        users: file.users.into_iter().map(|user| user.value).collect(),
        roles: file.roles.into_iter().map(|role| role.value).collect(),
        policies: read.policies,
        attachments: file
            .attachments
            .into_iter()
            .map(|entry| entry.attachment)
            .collect(),
    })
}

pub(super) fn site<'f>(file: &'f str, source: Source<'f>, spot: &Spot) -> Site<'f> {
    Site {
        file,
        source,
        spot: spot.clone(),
    }
}

pub(super) fn duplicate(sort: &'static str, name: &str) -> EntryErrorKind {
    let name = name.into();
    EntryErrorKind::Duplicate { sort, name }
}
