//! One statement: effect, actions, resources, principals and conditions (ram 1.2).

use crate::document::cursor::{Cursor, Members, Sink, Told, all};
use crate::document::error::ShapeErrorKind;
use crate::document::lint::LintKind;
use crate::document::position::Spot;
use crate::model::pattern::{AccountPattern, ActionPattern, ResourcePattern};
use crate::model::settings::NotResource;
use crate::model::statement::{Actions, DocumentLayer, Effect, Principals, Resources, Statement};

use super::{ACTIONS, PolicyErrorKind, PolicyOptions, RESOURCES, condition, principal};

/// A statement, and where it stands, which warnings speak of.
#[derive(Debug)]
pub(in crate::document) struct ReadStatement<'c, 'n> {
    /// The statement.
    pub(in crate::document) statement: Statement,
    /// The actions as written: their case tells verbs.
    pub(in crate::document) written_actions: Vec<&'n str>,
    at: Cursor<'c, 'n>,
}

impl ReadStatement<'_, '_> {
    /// Where it stands.
    pub(in crate::document) fn spot(&self) -> Spot {
        self.at.spot()
    }

    /// Where `Action` or `NotAction` stands.
    pub(in crate::document) fn actions_spot(&self) -> Spot {
        let mut members = self.at.written();
        let actions = members.find(|(name, _)| matches!(*name, "Action" | "NotAction"));
        actions.map_or_else(|| self.spot(), |(_, at)| at.key_spot())
    }

    /// Where the key of a condition stands. They are in the order written.
    pub(in crate::document) fn condition_spot(&self, place: usize) -> Spot {
        let mut rest = place;
        for (_, at) in self.at.written().filter(|(name, _)| *name == "Condition") {
            for (_, operator) in at.written() {
                for (_, key) in operator.written() {
                    if rest == 0 {
                        return key.key_spot();
                    }
                    rest -= 1;
                }
            }
        }
        self.spot()
    }
}

const MEMBERS: [&str; 8] = [
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Reads one statement.
pub(super) fn read<'c, 'n>(
    at: Cursor<'c, 'n>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<ReadStatement<'c, 'n>, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let sid = members
        .optional("Sid")
        .map(|at| at.text(sink).map(str::to_owned))
        .transpose();
    let principals = read_principals(&members, options, sink);
    // What follows is read in the light of the effect; without one, as a Deny, the stricter.
    let effect = members.required("Effect", sink).and_then(|at| {
        let words = [("Allow", Effect::Allow), ("Deny", Effect::Deny)];
        at.word("`Allow` or `Deny`", &words, sink)
    });
    let seen_effect = effect.as_ref().map_or(Effect::Deny, |effect| *effect);
    let actions = read_actions(&members, options.layer, seen_effect, sink);
    let resources = read_resources(&members, options, seen_effect, sink);
    let conditions = members
        .optional("Condition")
        .map(|at| condition::read(&at, options, seen_effect, sink))
        .transpose();
    let actions = actions?;
    let statement = Statement {
        sid: sid?,
        effect: effect?,
        actions: actions.patterns,
        resources: resources?,
        principals: principals?,
        conditions: conditions?.unwrap_or_default(),
    };
    Ok(ReadStatement {
        statement,
        written_actions: actions.written,
        at,
    })
}

/// Security 2.8: `Principal` is required in documents that are attached to a resource, and
/// refused elsewhere.
fn read_principals(
    members: &Members<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Option<Principals>, Told> {
    if options.layer.names_principals() {
        let at = members.required("Principal", sink)?;
        return principal::read(&at, sink).map(Some);
    }
    match members.optional("Principal") {
        Some(at) => Err(at.refuse_key(PolicyErrorKind::PrincipalNotTaken, sink)),
        None => Ok(None),
    }
}

/// What becomes of a pattern that can match nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeadPattern {
    /// The statement grants less: a warning.
    Closes,
    /// The statement grants more, or refuses less: an error.
    Opens,
}

/// A pattern that matches nothing fails open where it lists what a Deny refuses, or what an Allow
/// leaves out (security 7.2).
fn only(effect: Effect) -> DeadPattern {
    match effect {
        Effect::Allow => DeadPattern::Closes,
        Effect::Deny => DeadPattern::Opens,
    }
}

fn all_but(effect: Effect) -> DeadPattern {
    match effect {
        Effect::Allow => DeadPattern::Opens,
        Effect::Deny => DeadPattern::Closes,
    }
}

/// `Action` or `NotAction`, as read and as written.
struct ReadActions<'n> {
    patterns: Actions,
    written: Vec<&'n str>,
}

fn read_actions<'n>(
    members: &Members<'_, 'n>,
    layer: DocumentLayer,
    effect: Effect,
    sink: &mut Sink<'_>,
) -> Result<ReadActions<'n>, Told> {
    let (at, dead, make): (_, _, fn(_) -> _) =
        match (members.optional("Action"), members.optional("NotAction")) {
            (Some(at), None) => (at, only(effect), Actions::Only),
            // Ram 1.2: no `NotAction` in a trust policy.
            (None, Some(at)) if layer == DocumentLayer::Trust => {
                return Err(at.refuse_key(PolicyErrorKind::NotActionInTrust, sink));
            }
            (None, Some(at)) => (at, all_but(effect), Actions::AllBut),
            (Some(_), Some(at)) => {
                return Err(at.refuse_key(PolicyErrorKind::ActionTwice, sink));
            }
            (None, None) => {
                return Err(members.whole().refuse(PolicyErrorKind::ActionMissing, sink));
            }
        };
    let items = at.one_or_some(ACTIONS, sink)?;
    let mut written = Vec::with_capacity(items.size_hint().0);
    let patterns = all(items, |at| {
        let (pattern, text) = action_pattern(&at, dead, sink)?;
        written.push(text);
        Ok(pattern)
    })?;
    Ok(ReadActions {
        patterns: make(patterns),
        written,
    })
}

fn action_pattern<'n>(
    at: &Cursor<'_, 'n>,
    dead: DeadPattern,
    sink: &mut Sink<'_>,
) -> Result<(ActionPattern, &'n str), Told> {
    let written = at.text(sink)?;
    let pattern = ActionPattern::parse(written).map_err(|cause| {
        let text = written.into();
        at.refuse(PolicyErrorKind::InvalidAction { text, cause }, sink)
    })?;
    if !pattern.can_match() {
        let text = written.into();
        if dead == DeadPattern::Opens {
            return Err(at.refuse(PolicyErrorKind::DeadAction { text }, sink));
        }
        sink.warn(&at.spot(), LintKind::DeadAction { text });
    }
    Ok((pattern, written))
}

/// Ram 1.2: `Resource` is required but in documents that are attached to a resource;
/// `NotResource` stands in its place under `not_resource = aws`.
fn read_resources(
    members: &Members<'_, '_>,
    options: &PolicyOptions<'_>,
    effect: Effect,
    sink: &mut Sink<'_>,
) -> Result<Resources, Told> {
    let excluded = members.optional("NotResource");
    if let (Some(at), NotResource::Refuse) = (&excluded, options.settings.not_resource) {
        return Err(at.refuse_key(PolicyErrorKind::NotResource, sink));
    }
    match (members.optional("Resource"), excluded) {
        (Some(at), None) => {
            resource_patterns(&at, options, only(effect), sink).map(Resources::Only)
        }
        (None, Some(at)) => {
            resource_patterns(&at, options, all_but(effect), sink).map(Resources::AllBut)
        }
        (Some(_), Some(at)) => Err(at.refuse_key(PolicyErrorKind::ResourceTwice, sink)),
        (None, None) if options.layer.names_principals() => Ok(Resources::Attached),
        (None, None) => {
            let kind = ShapeErrorKind::MissingMember { name: "Resource" };
            Err(members.whole().refuse(kind, sink))
        }
    }
}

fn resource_patterns(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    dead: DeadPattern,
    sink: &mut Sink<'_>,
) -> Result<Vec<ResourcePattern>, Told> {
    let items = at.one_or_some(RESOURCES, sink)?;
    all(items, |at| resource_pattern(&at, options, dead, sink))
}

fn resource_pattern(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    dead: DeadPattern,
    sink: &mut Sink<'_>,
) -> Result<ResourcePattern, Told> {
    let text = at.text(sink)?;
    // Security 7.2: four fields for services that the catalog lists, and where the third is `*`
    // or a known region.
    let four_fields =
        |service: &str, region: &str| options.catalog.takes_four_fields(service, region);
    let pattern = ResourcePattern::parse(text, four_fields).map_err(|cause| {
        let text = text.into();
        at.refuse(PolicyErrorKind::InvalidResource { text, cause }, sink)
    })?;
    if lacks_account(&pattern) {
        sink.warn(&at.spot(), LintKind::FourFieldArn);
    }
    if !pattern.can_match() {
        let text = text.into();
        if dead == DeadPattern::Opens {
            return Err(at.refuse(PolicyErrorKind::DeadResource { text }, sink));
        }
        sink.warn(&at.spot(), LintKind::DeadResource { text });
    }
    Ok(pattern)
}

fn lacks_account(pattern: &ResourcePattern) -> bool {
    match pattern {
        ResourcePattern::All => false,
        ResourcePattern::Arn { account, .. } => *account == AccountPattern::Missing,
    }
}
