//! The entries of `policies`: a document with its layer.

use crate::document::bundle::entry;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::document::error::DocumentErrors;
use crate::document::policy::{self, PolicyOptions};
use crate::document::position::Source;
use crate::model::account::{Name, Scope};
use crate::model::catalog::Catalog;
use crate::model::organization::{EffectScope, MAX_FOLDER_DEPTH};
use crate::model::settings::Settings;
use crate::model::statement::{DocumentLayer, Policy};

/// What the policies of a case are read by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    pub(super) catalog: &'a Catalog,
    pub(super) source: Source<'a>,
}

/// A policy with its layer.
pub(super) struct Layered {
    pub(super) layer: Layer,
    pub(super) policy: Policy,
}

/// The layers of a case.
pub(super) enum Layer {
    Identity {
        via: Via,
        scope: Scope,
    },
    Control {
        level: usize,
        effect_scope: EffectScope,
    },
    Session,
    Resource,
    Trust,
}

/// Whose policy an identity policy is.
pub(super) enum Via {
    Principal,
    Group(Name),
}

/// Reads one entry of `policies`; the errors of its document stand apart from those of the case.
pub(super) fn layered(
    at: &Cursor<'_, '_>,
    rules: Rules<'_>,
    sink: &mut Sink<'_>,
) -> Result<Result<Layered, DocumentErrors>, Told> {
    let members = at.members(
        &["layer", "scope", "level", "via", "effect_scope", "doc"],
        sink,
    )?;
    let words = [
        ("identity", DocumentLayer::Identity),
        ("control", DocumentLayer::Control),
        ("session", DocumentLayer::Session),
        ("resource", DocumentLayer::Resource),
        ("trust", DocumentLayer::Trust),
    ];
    let expected = "`identity`, `control`, `session`, `resource` or `trust`";
    let document = members
        .required("layer", sink)?
        .word(expected, &words, sink)?;
    let layer = layer(&members, document, sink)?;
    let at = members.required("doc", sink)?;
    let options = PolicyOptions {
        layer: document,
        settings: rules.settings,
        catalog: rules.catalog,
    };
    let mut apart = Sink::new(rules.source);
    let policy = policy::policy(&at, &options, &mut apart);
    Ok(apart.finish(policy).map(|read| Layered {
        layer,
        policy: read.value,
    }))
}

fn layer(
    members: &Members<'_, '_>,
    document: DocumentLayer,
    sink: &mut Sink<'_>,
) -> Result<Layer, Told> {
    let of = match document {
        DocumentLayer::Identity => ["level", "effect_scope"].as_slice(),
        DocumentLayer::Control => &["via"],
        DocumentLayer::Session | DocumentLayer::Resource | DocumentLayer::Trust => {
            &["via", "scope", "level", "effect_scope"]
        }
    };
    for name in of {
        if let Some(at) = members.optional(name) {
            return Err(at.refuse_key(EntryErrorKind::OtherLayer, sink));
        }
    }
    match document {
        DocumentLayer::Identity => Ok(Layer::Identity {
            via: members
                .optional("via")
                .map_or(Ok(Via::Principal), |at| via(&at, sink))?,
            scope: members
                .optional("scope")
                .map_or(Ok(Scope::Account), |at| entry::scope(&at, sink))?,
        }),
        DocumentLayer::Control => control(members, sink),
        DocumentLayer::Session => Ok(Layer::Session),
        DocumentLayer::Resource => Ok(Layer::Resource),
        DocumentLayer::Trust => Ok(Layer::Trust),
    }
}

fn control(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Layer, Told> {
    let level = members.optional("level").map_or(Ok(0), |at| {
        let level = usize::try_from(at.whole_number(sink)?).unwrap_or(usize::MAX);
        if level > MAX_FOLDER_DEPTH {
            return Err(at.refuse(EntryErrorKind::FolderDepth, sink));
        }
        Ok(level)
    })?;
    let scopes = [("RAM", EffectScope::Ram), ("All", EffectScope::All)];
    let effect_scope = members
        .optional("effect_scope")
        .map(|at| at.word("`RAM` or `All`", &scopes, sink))
        .transpose()?;
    Ok(Layer::Control {
        level,
        effect_scope: effect_scope.unwrap_or_default(),
    })
}

fn via(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Via, Told> {
    at.parse(sink, |text| match text.split_once(':') {
        None if matches!(text, "user" | "role") => Ok(Via::Principal),
        Some(("group", name)) => Ok(Via::Group(Name::try_from(name)?)),
        _ => {
            let found = text.into();
            Err(EntryErrorKind::Via { found })
        }
    })
}
