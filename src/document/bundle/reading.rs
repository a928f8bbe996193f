//! The reading of one bundle or of objects: what was read so far, where errors are told, and how it
//! ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::account::{self, AccountFile};
use super::ahead::Ahead;
use super::error::EntryErrorKind;
use super::inheritance::InheritanceReading;
use super::layout::{self};
use super::organization::OrganizationFile;
use super::{FileErrors, FileLint, Loaded, MAX_FILE_BYTES, Quarantined, Strictness};
use crate::document::cursor::{self, Cursor, Parsed, Sink, Told};
use crate::document::error::{DocumentErrorKind, DocumentErrors, ShapeErrorKind};
use crate::document::position::{Source, Spot};
use crate::document::shipped;
use crate::model::account::{Account, Name};
use crate::model::arn::AccountId;
use crate::model::bundle::{Bundle, ResourcePolicy};
use crate::model::caller::Callers;
use crate::model::catalog::Catalog;
use crate::model::inheritance::Inheritance;
use crate::model::organization::Organization;
use crate::model::resource::Resource;
use crate::model::route::Routes;
use crate::model::settings::Settings;
use crate::model::statement::Policy;
use crate::model::tag_policy::TagPolicy;

/// Where something was read: the file, the line of a file of JSON Lines, the spot in the document.
#[derive(Debug, Clone)]
pub(in crate::document) struct Site<'f> {
    pub(in crate::document) file: &'f str,
    pub(in crate::document) source: Source<'f>,
    pub(in crate::document) spot: Spot,
}

/// What documents are kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Kept {
    /// Files of a directory.
    Files,
    /// Objects.
    Objects,
}

/// A document of accounts: `account.json`, or one object of an account.
#[derive(Debug)]
pub(in crate::document) struct AccountPart<'f> {
    pub(in crate::document) file: &'f str,
    pub(in crate::document) source: Source<'f>,
    pub(in crate::document) parsed: AccountFile,
}

/// An organization with the document that it was read from.
#[derive(Debug)]
pub(in crate::document) struct OrganizationPart<'f> {
    pub(in crate::document) file: &'f str,
    pub(in crate::document) source: Source<'f>,
    pub(in crate::document) parsed: OrganizationFile,
}

/// A value with its site.
#[derive(Debug, Clone)]
pub(in crate::document) struct Sited<'f, T> {
    pub(in crate::document) value: T,
    pub(in crate::document) site: Site<'f>,
}

/// One account as far as it was read.
#[derive(Debug, Default)]
pub(in crate::document) struct AccountReading<'f> {
    pub(in crate::document) parts: Vec<AccountPart<'f>>,
    /// Whether the account itself is there.
    pub(in crate::document) is_there: bool,
    /// Whether some document of its users, groups, roles or attachments was refused.
    pub(in crate::document) is_broken: bool,
    pub(in crate::document) policies: BTreeMap<Name, Policy>,
    pub(in crate::document) errors: FileErrors,
}

/// All that was read, and all errors.
#[derive(Debug)]
pub(in crate::document) struct Reading<'f> {
    pub(in crate::document) settings: Settings,
    pub(in crate::document) catalog: Arc<Catalog>,
    pub(in crate::document) callers: Callers,
    pub(in crate::document) routes: Routes,
    pub(in crate::document) inheritance: InheritanceReading<'f>,
    pub(in crate::document) organizations: Vec<OrganizationPart<'f>>,
    pub(in crate::document) accounts: BTreeMap<AccountId, AccountReading<'f>>,
    pub(in crate::document) system: BTreeMap<Name, Policy>,
    pub(in crate::document) control: BTreeMap<Name, Policy>,
    pub(in crate::document) tag: BTreeMap<Name, TagPolicy>,
    pub(in crate::document) resource_policies: BTreeMap<Name, ResourcePolicy>,
    pub(in crate::document) resources: Vec<Sited<'f, Resource>>,
    pub(in crate::document) errors: FileErrors,
    pub(in crate::document) lints: Vec<FileLint>,
    /// What was read of long files, until their turn.
    pub(super) ahead: Ahead<'f>,
    /// The documents that were refused, without their extension.
    refused: BTreeSet<String>,
}

impl<'f> Reading<'f> {
    pub(in crate::document) fn new() -> Self {
        Self::under(Settings::default(), Arc::new(shipped::catalog().clone()))
    }

    /// A reading of documents under switches and a catalog that are known.
    pub(in crate::document) fn under(settings: Settings, catalog: Arc<Catalog>) -> Self {
        Self {
            settings,
            catalog,
            callers: Callers::default(),
            routes: Routes::default(),
            inheritance: InheritanceReading::default(),
            organizations: Vec::new(),
            accounts: BTreeMap::new(),
            system: BTreeMap::new(),
            control: BTreeMap::new(),
            tag: BTreeMap::new(),
            resource_policies: BTreeMap::new(),
            resources: Vec::new(),
            errors: FileErrors::default(),
            lints: Vec::new(),
            ahead: Ahead::default(),
            refused: BTreeSet::new(),
        }
    }

    /// The text of a file.
    pub(in crate::document) fn source(
        &mut self,
        path: &'f str,
        content: &'f [u8],
    ) -> Option<Source<'f>> {
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
    pub(in crate::document) fn document<T>(
        &mut self,
        path: &str,
        source: Source<'f>,
        limit: usize,
        read: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'f>) -> Result<T, Told>,
    ) -> Option<T> {
        self.take(path, cursor::read(source, limit, read))
    }

    /// What was read of a document; its errors and warnings are kept.
    pub(super) fn take<T>(
        &mut self,
        path: &str,
        read: Result<Parsed<T>, DocumentErrors>,
    ) -> Option<T> {
        match read {
            Ok(Parsed { value, lints }) => {
                let file = |lint| FileLint {
                    file: path.to_owned(),
                    lint,
                };
                self.lints.extend(lints.into_iter().map(file));
                Some(value)
            }
            Err(errors) => {
                self.refused_document(path);
                self.errors_of(path).push_all(path, &errors);
                None
            }
        }
    }

    /// Tells the errors of documents of one file, if there are any.
    pub(super) fn refuse_document(&mut self, path: &str, errors: FileErrors) {
        if !errors.is_empty() {
            self.refused_document(path);
            self.errors_of(path).append(errors);
        }
    }

    fn refused_document(&mut self, path: &str) {
        let name = path.strip_suffix(".json").unwrap_or(path);
        self.refused.insert(name.to_owned());
    }

    /// Whether a document is there that was refused, so that its own errors tell enough.
    pub(in crate::document) fn is_refused(&self, directory: &str, name: &Name) -> bool {
        self.refused.contains(&format!("{directory}/{name}"))
    }

    /// The errors that a file's errors belong to: its account's, or the bundle's.
    fn errors_of(&mut self, path: &str) -> &mut FileErrors {
        match layout::account_of(path) {
            Some(account) => &mut self.accounts.entry(account).or_default().errors,
            None => &mut self.errors,
        }
    }

    /// Tells an error of a whole file.
    pub(in crate::document) fn refuse(&mut self, path: &str, kind: impl Into<DocumentErrorKind>) {
        self.refused_document(path);
        let at = Source::new("").start();
        let errors = DocumentErrors::one(kind, at);
        self.errors_of(path).push_all(path, &errors);
    }

    /// Tells an error at a site.
    pub(in crate::document) fn refuse_at(&mut self, site: &Site<'f>, kind: EntryErrorKind) {
        self.refuse_all(vec![(site.clone(), kind)]);
    }

    /// Tells errors at their sites. Those of one document are told together, so that it is searched
    /// for their positions once.
    pub(in crate::document) fn refuse_all(&mut self, told: Vec<(Site<'f>, EntryErrorKind)>) {
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

    /// Checks whether all that was read fits together.
    pub(in crate::document) fn check_links(&mut self, kept: Kept) {
        let Ok(broken) = self.broken_links();
        self.refuse_all(broken);
        let accounts = self.accounts.iter();
        let absent = accounts.filter(|(_, read)| !read.is_there);
        let absent: Vec<AccountId> = absent.map(|(account, _)| account.clone()).collect();
        for account in absent {
            match kept {
                Kept::Files => {
                    let path = format!("accounts/{account}/account.json");
                    self.refuse(&path, EntryErrorKind::AccountFileMissing);
                }
                Kept::Objects => {
                    let path = format!("accounts/{account}");
                    self.refuse(&path, EntryErrorKind::AccountMissing);
                }
            }
        }
    }

    /// The bundle, or why there is none.
    pub(in crate::document) fn finish(
        mut self,
        strictness: Strictness,
    ) -> Result<Loaded, FileErrors> {
        let mut accounts = Vec::new();
        let mut quarantined = Vec::new();
        for (id, read) in std::mem::take(&mut self.accounts) {
            let errors = read.errors.clone();
            if errors.is_empty() {
                accounts.push(account_of(id, read));
            } else {
                quarantined.push(Quarantined {
                    account: id,
                    errors,
                });
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
        let mut bundle = self.bundle(accounts);
        with_shipped(&mut bundle.system_policies, shipped::system_policies());
        with_shipped(&mut bundle.control_policies, shipped::control_policies());
        with_shipped_rules(&mut bundle.inheritance);
        bundle.settings = std::mem::take(&mut self.settings);
        bundle.catalog = Arc::unwrap_or_clone(std::mem::take(&mut self.catalog));
        Ok(Loaded {
            bundle,
            quarantined,
            lints: self.lints,
        })
    }

    /// What was read of a part of a bundle: no switches, no catalog, nothing that is shipped.
    pub(in crate::document) fn finish_part(
        mut self,
    ) -> Result<(Bundle, Vec<FileLint>), FileErrors> {
        let mut accounts = Vec::new();
        for (id, mut read) in std::mem::take(&mut self.accounts) {
            self.errors.append(std::mem::take(&mut read.errors));
            accounts.push(account_of(id, read));
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok((self.bundle(accounts), self.lints))
    }

    /// What was read, without switches, catalog and what is shipped. What has no order of its own is in that of its names,
    /// so that a directory and its objects say the same.
    pub(in crate::document) fn bundle(&mut self, accounts: Vec<Account>) -> Bundle {
        let organizations = std::mem::take(&mut self.organizations).into_iter();
        let mut organizations: Vec<Organization> =
            organizations.map(|part| part.parsed.organization).collect();
        organizations.sort_by(|left, right| left.id.cmp(&right.id));
        let resources = std::mem::take(&mut self.resources);
        Bundle {
            callers: std::mem::take(&mut self.callers),
            routes: std::mem::take(&mut self.routes),
            inheritance: self.take_inheritance(),
            organizations,
            accounts,
            system_policies: std::mem::take(&mut self.system),
            control_policies: std::mem::take(&mut self.control),
            tag_policies: std::mem::take(&mut self.tag),
            resource_policies: std::mem::take(&mut self.resource_policies)
                .into_values()
                .collect(),
            resources: resources.into_iter().map(|read| read.value).collect(),
            ..Bundle::default()
        }
    }
}

fn with_shipped(policies: &mut BTreeMap<Name, Policy>, shipped: &BTreeMap<Name, Policy>) {
    for (name, policy) in shipped {
        if !policies.contains_key(name) {
            policies.insert(name.clone(), policy.clone());
        }
    }
}

fn with_shipped_rules(inheritance: &mut Arc<Inheritance>) {
    let definitions = &mut Arc::make_mut(inheritance).definitions;
    for (id, rule) in shipped::inheritance_rules() {
        definitions.insert(id.clone(), rule.clone());
    }
}

/// One account as far as it was read.
pub(in crate::document) fn account_of(id: AccountId, read: AccountReading<'_>) -> Account {
    let mut account = Account {
        id,
        users: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        policies: read.policies,
        attachments: Vec::new(),
    };
    for AccountPart { parsed, .. } in read.parts {
        let groups = parsed.groups.iter().map(account::GroupEntry::group);
        account.groups.extend(groups);
        let users = parsed.users.into_iter().map(|user| user.value);
        account.users.extend(users);
        let roles = parsed.roles.into_iter().map(|role| role.value);
        account.roles.extend(roles);
        let entries = parsed.attachments.into_iter();
        account
            .attachments
            .extend(entries.map(|one| one.attachment));
    }
    account
        .users
        .sort_by(|left, right| left.name.cmp(&right.name));
    account
        .groups
        .sort_by(|left, right| left.name.cmp(&right.name));
    account
        .roles
        .sort_by(|left, right| left.name.cmp(&right.name));
    account.attachments.sort();
    account
}

pub(in crate::document) fn site<'f>(file: &'f str, source: Source<'f>, spot: &Spot) -> Site<'f> {
    Site {
        file,
        source,
        spot: spot.clone(),
    }
}

pub(in crate::document) fn duplicate(sort: &'static str, name: &str) -> EntryErrorKind {
    let name = name.into();
    EntryErrorKind::Duplicate { sort, name }
}
