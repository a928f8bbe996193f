//! The reading of one bundle: files in, in the order in which one needs the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::account::{self, AccountFile};
use super::entry::{self, Placed};
use super::error::{EntryErrorKind, FileErrors};
use super::layout::{self, AccountPart, Form, Part};
use super::manifest::{self, BundleFile, Difference};
use super::organization::{self, OrganizationFile};
use super::{BundleFiles, FileLint, Loaded, MAX_FILE_BYTES, Quarantined, Strictness};
use crate::document::catalog;
use crate::document::cursor::{self, Cursor, Parsed, Sink, Told};
use crate::document::error::{DocumentErrorKind, DocumentErrors, ShapeErrorKind};
use crate::document::policy::{self, PolicyOptions};
use crate::document::position::{Source, Spot};
use crate::document::shipped;
use crate::model::account::{Account, Name};
use crate::model::action::ActionName;
use crate::model::arn::AccountId;
use crate::model::bundle::{Bundle, ResourcePolicy};
use crate::model::catalog::Catalog;
use crate::model::resource::Resource;
use crate::model::settings::Settings;
use crate::model::statement::{DocumentLayer, Policy};

/// The most bytes of one line of a file of JSON Lines.
const MAX_LINE_BYTES: usize = 256 * 1024;

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
    settings: Settings,
    catalog: Arc<Catalog>,
    pub(super) organizations: Vec<(&'f str, Source<'f>, OrganizationFile)>,
    pub(super) accounts: BTreeMap<AccountId, AccountReading<'f>>,
    pub(super) system: BTreeMap<Name, Policy>,
    pub(super) control: BTreeMap<Name, Policy>,
    resource_policies: BTreeMap<Name, ResourcePolicy>,
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
            organizations: Vec::new(),
            accounts: BTreeMap::new(),
            system: BTreeMap::new(),
            control: BTreeMap::new(),
            resource_policies: BTreeMap::new(),
            resources: Vec::new(),
            errors: FileErrors::default(),
            lints: Vec::new(),
        }
    }

    /// `bundle.json`: what all other files are read by.
    pub(super) fn read_settings(&mut self) {
        let path = "bundle.json";
        if self.files.get(path).is_none() {
            self.refuse(path, EntryErrorKind::BundleFileMissing);
            return;
        }
        let Some(source) = self.source(path) else {
            return;
        };
        let Some(file) = self.document(path, source, MAX_FILE_BYTES, manifest::read) else {
            return;
        };
        let BundleFile { settings, manifest } = file;
        self.settings = settings;
        for difference in
            manifest.map_or_else(Vec::new, |all| manifest::differences(&all, self.files))
        {
            match difference {
                Difference::Extra(path) => self.refuse(path, EntryErrorKind::FileExtra),
                Difference::Entry(Placed { value, spot }) => {
                    let site = Site {
                        file: path,
                        source,
                        spot,
                    };
                    self.refuse_at(&site, value);
                }
            }
        }
    }

    /// `catalog/*.json`: policies are read by it.
    pub(super) fn read_catalogs(&mut self) {
        let mut seen: BTreeSet<ActionName> = BTreeSet::new();
        let files = self.files;
        for (path, _) in files.iter() {
            if !matches!(layout::part(path), Ok(Part::Catalog)) {
                continue;
            }
            let Some(source) = self.source(path) else {
                continue;
            };
            let limit = catalog::MAX_CATALOG_BYTES;
            let Some(file) = self.document(path, source, limit, catalog::catalog) else {
                continue;
            };
            for Placed { value, spot } in file.entries() {
                if !seen.insert(value.action.clone()) {
                    let site = site(path, source, spot);
                    self.refuse_at(&site, duplicate("action", value.action.as_str()));
                }
            }
            file.over(Arc::make_mut(&mut self.catalog));
        }
    }

    /// Everything else.
    pub(super) fn read_documents(&mut self) {
        let files = self.files;
        for (path, _) in files.iter() {
            match layout::part(path) {
                Ok(Part::Bundle | Part::Catalog | Part::Tests) => {}
                Ok(part) => {
                    if let Some(source) = self.source(path) {
                        self.read_part(path, source, part);
                    }
                }
                Err(kind) => self.refuse(path, kind),
            }
        }
    }

    fn read_part(&mut self, path: &'f str, source: Source<'f>, part: Part) {
        match part {
            Part::Bundle | Part::Catalog | Part::Tests => {}
            Part::Organization => {
                let read = self.document(path, source, MAX_FILE_BYTES, organization::read);
                self.organizations
                    .extend(read.map(|read| (path, source, read)));
            }
            Part::Account(account, AccountPart::Account) => {
                self.read_account(path, source, account);
            }
            Part::Account(account, AccountPart::Policy(form)) => {
                for (name, policy, at) in self.policies(path, source, form, DocumentLayer::Identity)
                {
                    let known = &mut self.accounts.entry(account.clone()).or_default().policies;
                    if known.insert(name.clone(), policy).is_some() {
                        self.refuse_at(&at, duplicate("policy", name.as_str()));
                    }
                }
            }
            Part::System(form) => {
                for (name, policy, at) in self.policies(path, source, form, DocumentLayer::Identity)
                {
                    if self.system.insert(name.clone(), policy).is_some() {
                        self.refuse_at(&at, duplicate("policy", name.as_str()));
                    }
                }
            }
            Part::Control(form) => self.read_control(path, source, form),
            Part::Resource(form) => self.read_resource_policies(path, source, form),
            Part::Resources => self.read_resources(path, source),
        }
    }

    fn read_account(&mut self, path: &'f str, source: Source<'f>, account: AccountId) {
        self.accounts.entry(account.clone()).or_default().has_file = true;
        let (settings, catalog) = (self.settings, Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer: DocumentLayer::Trust,
            settings: &settings,
            catalog: &catalog,
        };
        let read = self.document(path, source, MAX_FILE_BYTES, |at, sink| {
            account::read(at, &options, sink)
        });
        let known = self.accounts.entry(account).or_default();
        known.file = read.map(|read| (path, source, read));
    }

    fn read_control(&mut self, path: &'f str, source: Source<'f>, form: Form) {
        for (name, policy, at) in self.policies(path, source, form, DocumentLayer::Control) {
            let is_shipped = shipped::control_policies().contains_key(&name);
            if is_shipped || self.control.insert(name.clone(), policy).is_some() {
                self.refuse_at(&at, duplicate("policy", name.as_str()));
            }
        }
    }

    fn read_resource_policies(&mut self, path: &'f str, source: Source<'f>, form: Form) {
        let (settings, catalog) = (self.settings, Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer: DocumentLayer::Resource,
            settings: &settings,
            catalog: &catalog,
        };
        for (name, line) in documents(source, form) {
            let read = self.document(path, line, MAX_FILE_BYTES, |at, sink| {
                resource_policy(at, name.as_ref(), &options, sink)
            });
            if let Some(Placed { value, spot }) = read {
                let name = value.name.clone();
                if self.resource_policies.insert(name.clone(), value).is_some() {
                    let site = site(path, line, &spot);
                    self.refuse_at(&site, duplicate("policy", name.as_str()));
                }
            }
        }
    }

    fn read_resources(&mut self, path: &'f str, source: Source<'f>) {
        for (_, line) in documents(source, Form::Lines) {
            let read = self.document(path, line, MAX_LINE_BYTES, entry::resource);
            if let Some(Placed { value, spot }) = read {
                let site = site(path, line, &spot);
                self.resources.push(Sited { value, site });
            }
        }
    }

    /// The policies of one file, with the sites of their names.
    fn policies(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        form: Form,
        layer: DocumentLayer,
    ) -> Vec<(Name, Policy, Site<'f>)> {
        let (settings, catalog) = (self.settings, Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer,
            settings: &settings,
            catalog: &catalog,
        };
        let mut policies = Vec::new();
        for (name, line) in documents(source, form) {
            let read = self.document(path, line, MAX_LINE_BYTES, |at, sink| match &name {
                Some(name) => Ok((name.clone(), policy::policy(at, &options, sink)?, at.spot())),
                None => named_policy(at, &options, sink),
            });
            if let Some((name, policy, spot)) = read {
                policies.push((name, policy, site(path, line, &spot)));
            }
        }
        policies
    }

    /// The text of a file.
    fn source(&mut self, path: &'f str) -> Option<Source<'f>> {
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
    fn document<T>(
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
    pub(super) fn refuse_at(&mut self, site: &Site<'_>, kind: EntryErrorKind) {
        let at = site.source.locate(&[&site.spot]).into_iter().next();
        let errors = DocumentErrors::one(kind, at.unwrap_or_else(|| site.source.start()));
        self.errors_of(site.file).push_all(site.file, &errors);
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
            settings: self.settings,
            catalog: Arc::unwrap_or_clone(std::mem::take(&mut self.catalog)),
            organizations: organizations
                .into_iter()
                .map(|(_, _, file)| file.organization)
                .collect(),
            accounts,
            system_policies,
            control_policies,
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

/// The documents of a file: the whole, named by the file, or each line that is not blank.
fn documents(source: Source<'_>, form: Form) -> Vec<(Option<Name>, Source<'_>)> {
    match form {
        Form::Whole(name) => vec![(Some(name), source)],
        Form::Lines => source
            .text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim_ascii().is_empty())
            .map(|(line, number)| (None, Source::on_line(line, number)))
            .collect(),
    }
}

/// `{"name": …, "policy": {…}}`
fn named_policy(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<(Name, Policy, Spot), Told> {
    let members = at.members(&["name", "policy"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| entry::placed(&at, sink, entry::name));
    let policy = members
        .required("policy", sink)
        .and_then(|at| policy::policy(&at, options, sink));
    let Placed { value: name, spot } = name?;
    Ok((name, policy?, spot))
}

/// `{"resource": ARN, "policy": {…}}`, with a `name` where the file does not name it.
fn resource_policy(
    at: &Cursor<'_, '_>,
    file: Option<&Name>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Placed<ResourcePolicy>, Told> {
    let members = match file {
        Some(_) => at.members(&["resource", "policy"], sink)?,
        None => at.members(&["name", "resource", "policy"], sink)?,
    };
    let name = match file {
        Some(name) => Ok(name.clone()),
        None => members
            .required("name", sink)
            .and_then(|at| entry::name(&at, sink)),
    };
    let resource = members
        .required("resource", sink)
        .and_then(|at| entry::arn(&at, sink));
    let policy = members
        .required("policy", sink)
        .and_then(|at| policy::policy(&at, options, sink));
    let value = ResourcePolicy {
        name: name?,
        resource: resource?,
        policy: policy?,
    };
    let spot = at.spot();
    Ok(Placed { value, spot })
}

fn site<'f>(file: &'f str, source: Source<'f>, spot: &Spot) -> Site<'f> {
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
