//! A change read: what the touched objects say before and after it, and all that is wrong with it.
//!
//! What touched objects name is looked up; so is who names an object that is gone, and what they say
//! is checked again. So a change is refused exactly when the whole state after it would be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::around::Around;
use super::read::Texts;
use super::{Authored, Mention, Objects, Touched, Unreadable};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::bundle::links::{Broken, check_account, check_organization};
use crate::document::bundle::reading::{Reading, duplicate, site};
use crate::document::bundle::{FileErrors, FileLint, MAX_TOLD};
use crate::model::account::Grantee;
use crate::model::arn::AccountId;
use crate::model::bundle::Bundle;
use crate::model::catalog::Catalog;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};
use crate::model::settings::Settings;

/// What a change says. Both bundles hold the touched objects alone; an account stands in them also
/// where only objects of it are touched.
#[derive(Debug)]
pub struct ReadChange {
    /// Before the change; `None` if that cannot be read under the same switches and catalog.
    pub before: Option<Bundle>,
    /// After it.
    pub after: Bundle,
    /// What is probably wrong with the touched objects.
    pub lints: Vec<FileLint>,
}

/// Why a change is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadChangeError {
    /// It is refused.
    #[error("{0}")]
    Refused(#[from] FileErrors),
    /// What is around it cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Reads a change that touches neither the switches nor the catalog, under those in force.
///
/// # Errors
///
/// All that is wrong with the state after the change.
pub fn read_change(
    authored: &dyn Authored,
    touched: &[Touched],
    settings: &Settings,
    catalog: &Arc<Catalog>,
) -> Result<ReadChange, ReadChangeError> {
    let reading = || Reading::under(settings.clone(), Arc::clone(catalog));
    let known = documents(authored, touched.iter().map(|one| one.id.clone()))?;
    let texts = Texts::of(&known);
    let mut after = reading();
    texts.read(&mut after);
    let naming = documents(authored, naming_the_lost(authored, touched)?)?;
    let naming_texts = Texts::of(&naming);
    let mut others = reading();
    naming_texts.read(&mut others);
    let around = Around(authored);
    let mut broken = Vec::new();
    for read in [&after, &others] {
        check(read, &around, &mut broken)?;
    }
    uids_twice(&after, authored, &mut broken)?;
    after.refuse_all(broken);
    for account in accounts_missing(authored, touched)? {
        let path = ObjectId::Account(account, AccountObject::Itself).to_string();
        after.refuse(&path, EntryErrorKind::AccountMissing);
    }
    let (after, lints) = after.finish_part()?;
    Ok(ReadChange {
        before: before(touched, settings, catalog),
        after,
        lints,
    })
}

fn before(touched: &[Touched], settings: &Settings, catalog: &Arc<Catalog>) -> Option<Bundle> {
    let known = touched.iter();
    let known = known.filter_map(|one| Some((one.id.clone(), one.before.clone()?)));
    let known: Objects = known.collect();
    let texts = Texts::of(&known);
    let mut reading = Reading::under(settings.clone(), Arc::clone(catalog));
    texts.read(&mut reading);
    reading.finish_part().ok().map(|(bundle, _)| bundle)
}

/// The documents of objects that are there.
fn documents(
    authored: &dyn Authored,
    ids: impl IntoIterator<Item = ObjectId>,
) -> Result<Objects, Unreadable> {
    let mut found = Objects::new();
    for id in ids {
        if let Some(document) = authored.document(&id)? {
            found.insert(id, document);
        }
    }
    Ok(found)
}

fn check<'f>(
    reading: &Reading<'f>,
    around: &Around<'_>,
    broken: &mut Broken<'f>,
) -> Result<(), Unreadable> {
    for part in &reading.organizations {
        check_organization(part, around, broken)?;
    }
    for (account, read) in &reading.accounts {
        for part in &read.parts {
            check_account(account, part, around, broken)?;
        }
    }
    let mut arns = BTreeSet::new();
    for resource in &reading.resources {
        if !arns.insert(&resource.value.arn) {
            let kind = duplicate("resource", resource.value.arn.as_str());
            broken.push((resource.site.clone(), kind));
        }
    }
    Ok(())
}

/// A number names one user or role of all accounts.
fn uids_twice<'f>(
    reading: &Reading<'f>,
    authored: &dyn Authored,
    broken: &mut Broken<'f>,
) -> Result<(), Unreadable> {
    let parts = reading.accounts.values().flat_map(|read| &read.parts);
    for part in parts {
        for (uid, spot) in part.parsed.uids() {
            let holders = authored.naming(&Mention::Uid(uid.to_owned()), 2)?;
            if holders.len() > 1 {
                let site = site(part.file, part.source, spot);
                broken.push((site, duplicate("uid", uid)));
            }
        }
    }
    Ok(())
}

/// The accounts that are not there, though objects of them are.
fn accounts_missing(
    authored: &dyn Authored,
    touched: &[Touched],
) -> Result<Vec<AccountId>, Unreadable> {
    let accounts = touched.iter().filter_map(|one| match &one.id {
        ObjectId::Account(account, _) => Some(account),
        ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Shared(..)
        | ObjectId::Resources => None,
    });
    let accounts: BTreeSet<&AccountId> = accounts.collect();
    let mut missing = Vec::new();
    for account in accounts {
        let itself = ObjectId::Account(account.clone(), AccountObject::Itself);
        if authored.document(&itself)?.is_none()
            && !authored.below(&format!("{itself}/"), 1)?.is_empty()
        {
            missing.push(account.clone());
        }
    }
    Ok(missing)
}

/// The objects that name something that is gone, or a tag policy that may be of another dialect. So
/// many of each as errors are told.
fn naming_the_lost(
    authored: &dyn Authored,
    touched: &[Touched],
) -> Result<BTreeSet<ObjectId>, Unreadable> {
    let mut found = BTreeSet::new();
    for Touched { id, before } in touched {
        if before.is_none() {
            continue;
        }
        let is_tag_policy = matches!(id, ObjectId::Shared(SharedPolicy::Tag, _));
        if !is_tag_policy && authored.document(id)?.is_some() {
            continue;
        }
        if let Some(mention) = named_as(id) {
            found.extend(authored.naming(&mention, MAX_TOLD)?);
        }
        if let ObjectId::Account(account, object) = id
            && let Some(grantee) = grantee(object)
        {
            found.extend(authored.below(&attachments(account, &grantee), MAX_TOLD)?);
        }
    }
    for Touched { id, .. } in touched {
        found.remove(id);
    }
    Ok(found)
}

/// What others name an object as.
fn named_as(id: &ObjectId) -> Option<Mention> {
    match id {
        ObjectId::Shared(SharedPolicy::System, name) => Some(Mention::System(name.clone())),
        ObjectId::Shared(SharedPolicy::Control, name) => Some(Mention::Control(name.clone())),
        ObjectId::Shared(SharedPolicy::Tag, name) => Some(Mention::Tag(name.clone())),
        ObjectId::Account(account, AccountObject::Policy(name)) => {
            Some(Mention::Custom(account.clone(), name.clone()))
        }
        ObjectId::Account(account, AccountObject::User(name)) => {
            Some(Mention::User(account.clone(), name.clone()))
        }
        ObjectId::Account(..)
        | ObjectId::Shared(SharedPolicy::Resource, _)
        | ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Resources => None,
    }
}

fn grantee(object: &AccountObject) -> Option<Grantee> {
    match object {
        AccountObject::User(name) => Some(Grantee::User(name.clone())),
        AccountObject::Group(name) => Some(Grantee::Group(name.clone())),
        AccountObject::Role(name) => Some(Grantee::Role(name.clone())),
        AccountObject::Itself | AccountObject::Policy(_) | AccountObject::Attachment(..) => None,
    }
}

/// What the texts of a grantee's attachments start with.
pub(crate) fn attachments(account: &AccountId, to: &Grantee) -> String {
    format!("accounts/{account}/attachments/{to}/")
}
