//! The parts of a bundle, each read into the [`Reading`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::account::{self, AccountFile};
use super::ahead::Ahead;
use super::batch::{Batch, ReadPolicy};
use super::entry::{self, Placed};
use super::error::EntryErrorKind;
use super::layout::{self, AccountFilePart, Form, Part};
use super::manifest::{self, BundleFile, Difference};
use super::organization;
use super::reading::{AccountPart, OrganizationPart, Reading, Sited, duplicate, site};
use super::{BundleFiles, MAX_FILE_BYTES, MAX_LINE_BYTES};
use crate::document::callers;
use crate::document::catalog;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::policy::{self, PolicyOptions};
use crate::document::position::{Source, Spot};
use crate::document::routes;
use crate::document::shipped;
use crate::document::tag_policy;
use crate::model::account::Name;
use crate::model::action::ActionName;
use crate::model::arn::AccountId;
use crate::model::bundle::ResourcePolicy;
use crate::model::statement::{DocumentLayer, Policy};
use crate::model::tag_policy::TagPolicy;

/// What is done with the manifest of digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Manifest {
    /// The files are compared with it.
    Compared,
    /// They were compared before some were replaced.
    Met,
}

impl<'f> Reading<'f> {
    /// `bundle.json`: what all other files are read by.
    pub(in crate::document) fn read_settings(&mut self, files: &'f BundleFiles, compare: Manifest) {
        let path = "bundle.json";
        let Some(content) = files.get(path) else {
            self.refuse(path, EntryErrorKind::BundleFileMissing);
            return;
        };
        let Some(source) = self.source(path, content) else {
            return;
        };
        let Some(file) = self.document(path, source, MAX_FILE_BYTES, manifest::read) else {
            return;
        };
        let BundleFile { settings, manifest } = file;
        self.settings = settings;
        let (Some(manifest), Manifest::Compared) = (manifest, compare) else {
            return;
        };
        let mut unmet = Vec::new();
        for difference in manifest::differences(&manifest, files) {
            match difference {
                Difference::Extra(path) => self.refuse(path, EntryErrorKind::FileExtra),
                Difference::Entry(Placed { value, spot }) => {
                    unmet.push((site(path, source, &spot), value));
                }
            }
        }
        self.refuse_all(unmet);
    }

    /// `catalog/*.json`, in the order of their names: policies are read by it.
    pub(in crate::document) fn read_catalogs(&mut self, files: &'f BundleFiles) {
        let is_catalog = |path: &str| matches!(layout::part(path), Ok(Part::Catalog));
        let mut catalogs: Vec<_> = files.iter().filter(|(path, _)| is_catalog(path)).collect();
        catalogs.sort_by_key(|(path, _)| path.strip_suffix(".json"));
        let mut seen = BTreeSet::new();
        for (path, content) in catalogs {
            if let Some(source) = self.source(path, content) {
                self.read_catalog(path, source, &mut seen);
            }
        }
    }

    /// One catalog, on top of those that were read; no action stands in two of them.
    pub(in crate::document) fn read_catalog(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        seen: &mut BTreeSet<ActionName>,
    ) {
        let limit = catalog::MAX_CATALOG_BYTES;
        let Some(file) = self.document(path, source, limit, catalog::catalog) else {
            return;
        };
        let mut twice = Vec::new();
        for Placed { value, spot } in file.entries() {
            if !seen.insert(value.action.clone()) {
                let kind = duplicate("action", value.action.as_str());
                twice.push((site(path, source, spot), kind));
            }
        }
        self.refuse_all(twice);
        file.over(Arc::make_mut(&mut self.catalog));
    }

    /// Long files, whose turn comes later.
    pub(in crate::document) fn read_ahead(&mut self, files: &'f BundleFiles) {
        self.ahead = Ahead::read(files, &self.settings, &self.catalog);
    }

    /// Everything else.
    pub(in crate::document) fn read_documents(&mut self, files: &'f BundleFiles) {
        for (path, content) in files.iter() {
            match layout::part(path) {
                Ok(Part::Bundle | Part::Catalog | Part::Tests) => {}
                Ok(part) => {
                    if let Some(source) = self.source(path, content) {
                        self.read_part(path, source, part);
                    }
                }
                Err(kind) => self.refuse(path, kind),
            }
        }
    }

    /// One document, by what its path says it is.
    pub(in crate::document) fn read_part(&mut self, path: &'f str, source: Source<'f>, part: Part) {
        match part {
            Part::Bundle | Part::Catalog | Part::Tests => {}
            Part::Callers => {
                let limit = callers::MAX_CALLERS_BYTES;
                if let Some(read) = self.document(path, source, limit, callers::callers) {
                    self.callers = read;
                }
            }
            Part::Routes => {
                let (limit, catalog) = (routes::MAX_ROUTES_BYTES, Arc::clone(&self.catalog));
                let read = self.document(path, source, limit, |at, sink| {
                    routes::routes(at, &catalog, sink)
                });
                if let Some(read) = read {
                    self.routes = read;
                }
            }
            Part::Inheritance => self.read_inheritance(path, source),
            Part::Organization => {
                let read = self.document(path, source, MAX_FILE_BYTES, organization::read);
                self.organizations
                    .extend(read.map(|parsed| OrganizationPart {
                        file: path,
                        source,
                        parsed,
                    }));
            }
            Part::Account(account, AccountFilePart::Account) => {
                self.read_account(path, source, account);
            }
            Part::Account(account, AccountFilePart::Policy(form)) => {
                let known = self.accounts.entry(account.clone()).or_default();
                let mut policies = std::mem::take(&mut known.policies);
                self.policies(path, source, &form, DocumentLayer::Identity, &mut policies);
                self.accounts.entry(account).or_default().policies = policies;
            }
            Part::System(form) => {
                let mut policies = std::mem::take(&mut self.system);
                self.policies(path, source, &form, DocumentLayer::Identity, &mut policies);
                self.system = policies;
            }
            Part::Control(form) => {
                let mut policies = std::mem::take(&mut self.control);
                self.policies(path, source, &form, DocumentLayer::Control, &mut policies);
                self.control = policies;
            }
            Part::Tag(form) => self.read_tag_policies(path, source, form),
            Part::Resource(form) => self.read_resource_policies(path, source, form),
            Part::Resources => self.read_resources(path, source),
        }
    }

    fn read_account(&mut self, path: &'f str, source: Source<'f>, account: AccountId) {
        self.accounts.entry(account.clone()).or_default().is_there = true;
        match self.ahead.account(path) {
            Some(read) => {
                let read = self.take(path, read);
                self.keep_of_account(path, source, account, read);
            }
            None => self.read_of_account(path, source, account, account::read),
        }
    }

    /// A document of an account.
    pub(in crate::document) fn read_of_account(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        account: AccountId,
        read: impl FnOnce(
            &Cursor<'_, '_>,
            &PolicyOptions<'_>,
            &mut Sink<'_>,
        ) -> Result<AccountFile, Told>,
    ) {
        let (settings, catalog) = (self.settings.clone(), Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer: DocumentLayer::Trust,
            settings: &settings,
            catalog: &catalog,
        };
        let read = self.document(path, source, MAX_FILE_BYTES, |at, sink| {
            read(at, &options, sink)
        });
        self.keep_of_account(path, source, account, read);
    }

    fn keep_of_account(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        account: AccountId,
        read: Option<AccountFile>,
    ) {
        let known = self.accounts.entry(account).or_default();
        known.is_broken |= read.is_none();
        known.parts.extend(read.map(|parsed| AccountPart {
            file: path,
            source,
            parsed,
        }));
    }

    fn read_tag_policies(&mut self, path: &'f str, source: Source<'f>, form: Form) {
        for (name, line) in documents(source, form) {
            let limit = tag_policy::MAX_DOCUMENT_BYTES;
            let read = self.document(path, line, limit, |at, sink| {
                named_tag_policy(at, name.as_ref(), sink)
            });
            let Some((name, policy, spot)) = read else {
                continue;
            };
            if self.tag.insert(name.clone(), policy).is_some() {
                self.refuse_at(&site(path, line, &spot), duplicate("policy", name.as_str()));
            }
        }
    }

    fn read_resource_policies(&mut self, path: &'f str, source: Source<'f>, form: Form) {
        let (settings, catalog) = (self.settings.clone(), Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer: DocumentLayer::Resource,
            settings: &settings,
            catalog: &catalog,
        };
        for (name, line) in documents(source, form) {
            let read = self.document(path, line, MAX_LINE_BYTES, |at, sink| {
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

    /// Adds the policies of one file to those of its sort.
    fn policies(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        form: &Form,
        layer: DocumentLayer,
        policies: &mut BTreeMap<Name, Policy>,
    ) {
        let (settings, catalog) = (self.settings.clone(), Arc::clone(&self.catalog));
        let options = PolicyOptions {
            layer,
            settings: &settings,
            catalog: &catalog,
        };
        let batches = self
            .ahead
            .policies(path)
            .unwrap_or_else(|| vec![Batch::of(path, source, form.clone(), &options)]);
        let mut read = Vec::with_capacity(batches.len());
        for batch in batches {
            self.lints.extend(batch.lints);
            self.refuse_document(path, batch.errors);
            read.push(batch.read);
        }
        if layer != DocumentLayer::Control && rises(policies, &read) {
            let read = read.into_iter().flatten();
            policies.append(&mut read.map(|read| (read.name, read.policy)).collect());
        } else {
            self.add(path, layer, read.into_iter().flatten(), policies);
        }
    }

    /// Adds policies one by one; one that is there already is told, and so is one that is shipped.
    fn add(
        &mut self,
        path: &'f str,
        layer: DocumentLayer,
        read: impl Iterator<Item = ReadPolicy<'f>>,
        policies: &mut BTreeMap<Name, Policy>,
    ) {
        for ReadPolicy {
            name,
            policy,
            source,
            spot,
        } in read
        {
            let is_shipped =
                layer == DocumentLayer::Control && shipped::control_policies().contains_key(&name);
            if is_shipped || policies.insert(name.clone(), policy).is_some() {
                let site = site(path, source, &spot);
                self.refuse_at(&site, duplicate("policy", name.as_str()));
            }
        }
    }
}

/// Whether names rise from the last that is known: then none stands twice, and a tree is made of
/// them as they stand.
fn rises(known: &BTreeMap<Name, Policy>, read: &[Vec<ReadPolicy<'_>>]) -> bool {
    let last = known.last_key_value().map(|(name, _)| name);
    let read = read.iter().flatten().map(|read| &read.name);
    let names = last.into_iter().chain(read);
    names.is_sorted_by(|one, next| one < next)
}

/// The documents of a file: the whole, named by the file, or each line that is not blank.
pub(super) fn documents(
    source: Source<'_>,
    form: Form,
) -> impl Iterator<Item = (Option<Name>, Source<'_>)> {
    let (whole, lines) = match form {
        Form::Whole(name) => (Some((Some(name), source)), ""),
        Form::Lines => (None, source.text),
    };
    let lines = lines.lines().zip(source.first_line..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let lines = lines.map(|(line, number)| (None, Source::on_line(line, number)));
    whole.into_iter().chain(lines)
}

/// `{"dialect": …, "policy": {…}}`, with a `name` where the file does not name it.
fn named_tag_policy(
    at: &Cursor<'_, '_>,
    file: Option<&Name>,
    sink: &mut Sink<'_>,
) -> Result<(Name, TagPolicy, Spot), Told> {
    if let Some(name) = file {
        return Ok((name.clone(), tag_policy::wrapped(at, sink)?, at.spot()));
    }
    let members = at.members(&["name", "dialect", "policy"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| entry::placed(&at, sink, entry::name));
    let dialect = members
        .required("dialect", sink)
        .and_then(|at| tag_policy::dialect(&at, sink));
    let policy = members.required("policy", sink);
    let policy = tag_policy::tag_policy(&policy?, dialect?, sink);
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
