//! `change(&Snapshot, &dyn Authored, &[Touched])`: the next snapshot at the cost of what is touched.
//!
//! Everything else is shared with the snapshot before: a policy keeps its place, so that changing it
//! copies one chunk; a user's or role's record is made anew and one shard copied; a group's change
//! makes the records of its users anew, an organization's its own nodes. The switches and the
//! catalog are read by every document: a change of them compiles everything.
//!
//! The next snapshot answers as one that is compiled from the whole state; what is refused is what
//! the whole would be refused for.
//!
//! Texts of what is lowered here are shared within the change only, so that nothing outlives the
//! policy that holds it. Numbers of actions that nobody names any more are given back when their
//! table has doubled.
//!
//! Not here: accounts that are quarantined. A store refuses what a directory sets apart.

mod inheritance;
mod organizations;
mod policies;
mod principals;

use std::collections::{BTreeMap, BTreeSet};

use super::Compilation;
use super::error::CompileErrors;
use super::intern::Interner;
use super::statement::named;
use crate::document::bundle::{FileErrors, FileLint};
use crate::document::object::{
    Authored, Objects, ReadChange, ReadChangeError, Touched, Unreadable, read_change, read_objects,
};
use crate::model::account::Account;
use crate::model::arn::AccountId;
use crate::model::bundle::Bundle;
use crate::model::object::{AccountObject, ObjectId};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::CallerTable;
use crate::snapshot::principal::PrincipalChanges;
use crate::snapshot::route::RouteTable;

/// What a change comes to.
#[derive(Debug)]
pub struct Changed {
    /// The next snapshot, with the revision of the one before: it is not stamped yet.
    pub snapshot: Snapshot,
    /// What is probably wrong with the touched objects.
    pub lints: Vec<FileLint>,
    /// How much was compiled.
    pub extent: Extent,
}

/// How much a change compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// What it touches.
    Touched,
    /// Everything.
    Whole,
}

/// Why a change makes no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Documents are refused: their own errors, and names that lead nowhere. In the place of a file
    /// stands the text of the object's id.
    #[error("{0}")]
    Refused(#[from] FileErrors),
    /// Documents that are each valid do not fit together.
    #[error("{0}")]
    Compile(#[from] CompileErrors),
    /// The authored state cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<ReadChangeError> for ChangeError {
    fn from(error: ReadChangeError) -> Self {
        match error {
            ReadChangeError::Refused(errors) => Self::Refused(errors),
            ReadChangeError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}

/// Compiles a change on top of the snapshot that was compiled from the state before it. `authored`
/// is the state after it.
///
/// # Errors
///
/// All that is wrong with the state after the change; the snapshot is as it was.
pub fn change(
    snapshot: &Snapshot,
    authored: &dyn Authored,
    touched: &[Touched],
) -> Result<Changed, ChangeError> {
    let is_for_all = |id: &ObjectId| match id {
        ObjectId::Settings | ObjectId::Catalog(_) => true,
        ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Inheritance
        | ObjectId::Organization(_)
        | ObjectId::Shared(..)
        | ObjectId::Account(..)
        | ObjectId::Resources => false,
    };
    if touched.iter().any(|one| is_for_all(&one.id)) {
        return whole(snapshot, authored, touched);
    }
    let read = read_change(authored, touched, &snapshot.settings, &snapshot.catalog)?;
    let ReadChange {
        before,
        after,
        lints,
    } = read;
    let Some(before) = before else {
        return whole(snapshot, authored, touched);
    };
    let compilation = Compilation::on(snapshot);
    let mut change = Change {
        compilation,
        authored,
        touched,
        before: &before,
        after: &after,
    };
    change.apply()?;
    let snapshot = change.compilation.finish_change()?;
    Ok(Changed {
        snapshot,
        lints,
        extent: Extent::Touched,
    })
}

/// Compiles everything.
fn whole(
    snapshot: &Snapshot,
    authored: &dyn Authored,
    touched: &[Touched],
) -> Result<Changed, ChangeError> {
    let objects: Objects = authored.all()?.into_iter().collect();
    let mut loaded = read_objects(&objects)?;
    let touched: BTreeSet<String> = touched.iter().map(|one| one.id.to_string()).collect();
    loaded.lints.retain(|lint| touched.contains(&lint.file));
    Ok(Changed {
        snapshot: Snapshot {
            revision: snapshot.revision,
            ..super::compile(&loaded.bundle)?
        },
        lints: loaded.lints,
        extent: Extent::Whole,
    })
}

impl Compilation<'_> {
    /// A compilation that goes on from a snapshot.
    fn on(snapshot: &Snapshot) -> Self {
        Self {
            snapshot: snapshot.clone(),
            interner: Interner::default(),
            principals: PrincipalChanges::default(),
            system: BTreeMap::new(),
            errors: Vec::new(),
        }
    }

    fn finish_change(mut self) -> Result<Snapshot, CompileErrors> {
        if !self.errors.is_empty() {
            return Err(CompileErrors(self.errors));
        }
        self.snapshot.principals.apply(&self.principals);
        if self.snapshot.actions.is_sweep_due() {
            let named = named(&self.snapshot.policies);
            self.snapshot.actions.sweep(&named);
        }
        Ok(self.snapshot)
    }
}

/// A change in the making.
struct Change<'c> {
    compilation: Compilation<'c>,
    authored: &'c dyn Authored,
    touched: &'c [Touched],
    /// What the touched objects said.
    before: &'c Bundle,
    /// What they say.
    after: &'c Bundle,
}

impl Change<'_> {
    /// Accounts and policies come first, for the others name them.
    fn apply(&mut self) -> Result<(), Unreadable> {
        self.accounts()?;
        self.policies();
        self.attached();
        self.principals()?;
        self.organizations()?;
        if self.touched.iter().any(|one| one.id == ObjectId::Callers) {
            self.compilation.snapshot.callers = CallerTable::new(&self.after.callers);
        }
        self.inheritance();
        if self.touched.iter().any(|one| one.id == ObjectId::Routes) {
            self.compilation.snapshot.routes = RouteTable::new(&self.after.routes);
        }
        Ok(())
    }

    fn accounts(&mut self) -> Result<(), Unreadable> {
        for Touched { id, before: _ } in self.touched {
            let ObjectId::Account(account, AccountObject::Itself) = id else {
                continue;
            };
            let accounts = &mut self.compilation.snapshot.accounts;
            if self.authored.document(id)?.is_some() {
                accounts.add(self.compilation.interner.symbol(account.as_str()));
            } else {
                accounts.remove(account.as_str());
            }
        }
        Ok(())
    }
}

/// What a bundle of touched objects says of an account.
fn account_of<'b>(bundle: &'b Bundle, account: &AccountId) -> Option<&'b Account> {
    let accounts = &bundle.accounts;
    let place = accounts.binary_search_by(|known| known.id.cmp(account));
    accounts.get(place.ok()?)
}
