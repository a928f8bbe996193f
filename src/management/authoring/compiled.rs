//! What a state is compiled to: whole, or at the cost of what a change touched.
//!
//! Not here: what a document means (`document`), and how it is compiled (`compiler`).

use sha2::{Digest as _, Sha256};

use super::refused;
use crate::compiler;
use crate::compiler::change::Changed;
use crate::document::bundle::FileLint;
use crate::document::object::{Authored as _, Document, Objects, Touched, read_objects};
use crate::management::change::ChangeError;
use crate::management::directory::Begin;
use crate::management::load::{Compiled, compile_loaded};
use crate::management::rollout::Counts;
use crate::model::object::ObjectId;
use crate::model::resource::Resource;
use crate::snapshot::Snapshot;
use crate::source::embedded::{Difference, Staging};

/// A state, compiled.
#[derive(Debug)]
pub(in crate::management) struct Next {
    pub(in crate::management) snapshot: Snapshot,
    pub(in crate::management) lints: Vec<FileLint>,
    pub(in crate::management) counts: Counts,
    /// The resources that the directory begins with anew; `None`: it stays as it is.
    pub(in crate::management) resources: Option<Begin>,
}

/// What is in force before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) counts: Counts,
}

/// A whole state, compiled.
pub(super) fn compile(objects: &Objects) -> Result<Next, ChangeError> {
    let loaded = read_objects(objects).map_err(refused)?;
    let Compiled { loaded, snapshot } = compile_loaded(loaded).map_err(refused)?;
    Ok(Next {
        snapshot,
        lints: loaded.lints,
        counts: Counts::of(&loaded.bundle),
        resources: Some(begin(
            objects.get(&ObjectId::Resources),
            loaded.bundle.resources,
        )),
    })
}

/// The state that is staged, compiled at the cost of the change; whole where nothing was in force.
pub(super) fn next(
    current: Option<Current<'_>>,
    staging: &Staging,
    differences: &[Difference],
) -> Result<Next, ChangeError> {
    let Some(Current { snapshot, counts }) = current else {
        return compile(&staging.all()?.into_iter().collect());
    };
    let touched: Vec<Touched> = differences
        .iter()
        .map(|Difference { id, before, .. }| Touched {
            id: id.clone(),
            before: before.clone(),
        })
        .collect();
    let Changed {
        snapshot,
        lints,
        extent: _,
    } = compiler::change::change(snapshot, staging, &touched)?;
    let resources = resources(differences)?;
    Ok(Next {
        snapshot,
        lints,
        counts: counts.after(
            differences,
            resources.as_ref().map(|begin| &*begin.resources),
        ),
        resources,
    })
}

/// The resources that a change brings; `None`, if they stay.
fn resources(differences: &[Difference]) -> Result<Option<Begin>, ChangeError> {
    let mut differences = differences.iter();
    let Some(changed) = differences.find(|one| one.id == ObjectId::Resources) else {
        return Ok(None);
    };
    let documents = changed
        .after
        .clone()
        .map(|after| (ObjectId::Resources, after));
    let objects: Objects = documents.into_iter().collect();
    let loaded = read_objects(&objects).map_err(refused)?;
    let text = objects.get(&ObjectId::Resources);
    Ok(Some(begin(text, loaded.bundle.resources)))
}

/// What the directory begins with, once for each text.
fn begin(text: Option<&Document>, resources: Vec<Resource>) -> Begin {
    let digest = Sha256::digest(text.map_or(&b""[..], |text| text));
    Begin {
        resources,
        digest: Some(digest.into()),
    }
}
