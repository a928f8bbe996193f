//! What a case is asked of: its policies, principal and resources as a bundle.

mod accounts;
mod chain;
mod layer;

use self::accounts::Accounts;
use self::layer::{Layer, Layered, Rules, Via, layered};
use super::World;
use super::request::Asked;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::catalog;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::document::position::Source;
use crate::document::settings::settings;
use crate::document::shipped;
use crate::model::account::{Attachment, Grantee, Name, PolicyRef, Scope};
use crate::model::action::{ActionName, ActionRef};
use crate::model::arn::{AccountId, Arn, PrincipalRef};
use crate::model::bundle::{Bundle, ResourcePolicy};
use crate::model::catalog::{ActionFacts, Catalog, OperationKind};
use crate::model::organization::{ControlAttachment, EffectScope};
use crate::model::request::SessionClaim;
use crate::model::resource::Resource;
use crate::model::settings::Settings;
use crate::model::statement::Policy;
use crate::model::tag::TagSet;

/// The world of a case, and its session policy.
pub(super) struct Read {
    pub(super) world: World,
    pub(super) session: SessionClaim,
}

/// Reads `settings`, `catalog` and `policies`, and puts what was asked about beside them.
pub(super) fn read(
    members: &Members<'_, '_>,
    asked: &Asked,
    source: Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<Read, Told> {
    let settings = members
        .optional("settings")
        .map(|at| settings(&at, sink))
        .transpose()?
        .unwrap_or_default();
    let catalog = case_catalog(members, asked, sink)?;
    let rules = Rules {
        settings: &settings,
        catalog: &catalog,
        source,
    };
    let at = members.required("policies", sink)?;
    let items = at.items(sink)?;
    let mut world = Building::new(members, asked, sink)?;
    let mut refused = None;
    for (number, at) in items.enumerate() {
        match layered(&at, rules, sink)? {
            Err(errors) => refused = refused.or(Some(errors)),
            Ok(layered) => world.add(number, layered, &at, sink)?,
        }
    }
    let session = world.session(asked.no_session, &at, sink)?;
    let world = match refused {
        Some(errors) => World::Refused(errors),
        None => World::Ready(Box::new(world.finish(settings, catalog))),
    };
    Ok(Read { world, session })
}

/// The shipped catalog with what the case says of its actions.
fn case_catalog(
    members: &Members<'_, '_>,
    asked: &Asked,
    sink: &mut Sink<'_>,
) -> Result<Catalog, Told> {
    let mut catalog = shipped::catalog().clone();
    if let (Ok(action), Some(kind)) = (ActionRef::parse(&asked.action), asked.kind) {
        catalog
            .actions
            .insert(action.into(), told_by_kind(kind, action.name()));
    }
    let Some(at) = members.optional("catalog") else {
        return Ok(catalog);
    };
    for (text, at) in at.entries(sink)? {
        let action = ActionRef::parse(text)
            .map_err(|error| at.refuse_key(EntryErrorKind::Action(error), sink))?;
        let flags = catalog::flags(&at, sink)?;
        let facts = flags.over(catalog.facts(action), action.name());
        catalog.actions.insert(ActionName::from(action), facts);
    }
    Ok(catalog)
}

fn told_by_kind(kind: OperationKind, name: &str) -> ActionFacts {
    let facts = ActionFacts::of_kind(kind, name);
    ActionFacts {
        filterable: facts.list,
        ..facts
    }
}

/// A bundle that is being put together.
struct Building<'a> {
    asked: &'a Asked,
    principal: Option<PrincipalRef<'a>>,
    accounts: Accounts,
    levels: Vec<Vec<ControlAttachment>>,
    organization: Option<chain::Place>,
    session: Option<Policy>,
    bundle: Bundle,
}

impl<'a> Building<'a> {
    fn new(members: &Members<'_, '_>, asked: &'a Asked, sink: &mut Sink<'_>) -> Result<Self, Told> {
        let principal = PrincipalRef::parse(&asked.principal.arn).ok();
        let mut accounts = Accounts::default();
        let fits = principal.is_none_or(|known| accounts.put(known, &asked.principal));
        if !fits {
            let at = members.whole();
            return Err(at.refuse(EntryErrorKind::PrincipalSort, sink));
        }
        Ok(Self {
            asked,
            principal,
            accounts,
            levels: Vec::new(),
            organization: chain::read(members, sink)?,
            session: None,
            bundle: Bundle::default(),
        })
    }

    fn add(
        &mut self,
        number: usize,
        layered: Layered,
        at: &Cursor<'_, '_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Told> {
        let name = Name::try_from(&*format!("policy-{number}"))
            .map_err(|error| at.refuse(EntryErrorKind::Name(error), sink))?;
        let Layered { layer, policy } = layered;
        let done = match layer {
            Layer::Identity { via, scope } => self.identity(name, policy, via, scope),
            Layer::Control {
                level,
                effect_scope,
            } => self.control(name, policy, level, effect_scope),
            Layer::Session if self.session.is_some() => Err(EntryErrorKind::SessionTwice),
            Layer::Session => {
                self.session = Some(policy);
                Ok(())
            }
            Layer::Resource => {
                self.resource(&name, &policy);
                Ok(())
            }
            Layer::Trust => self.trust(&policy),
        };
        done.map_err(|kind| at.refuse(kind, sink))
    }

    /// A principal that has no identity policies keeps them in its account, attached to nobody.
    fn identity(
        &mut self,
        name: Name,
        policy: Policy,
        via: Via,
        scope: Scope,
    ) -> Result<(), EntryErrorKind> {
        if self.asked.principal.unknown.is_some() {
            return Err(EntryErrorKind::PolicyOfUnknown);
        }
        let Some(principal) = self.principal else {
            return Ok(());
        };
        let Some(account) = principal.account() else {
            return Ok(());
        };
        let to = match (via, principal) {
            (Via::Principal, PrincipalRef::User { name, .. }) => {
                Some(Grantee::User(name.to_owned()))
            }
            (Via::Principal, PrincipalRef::Role { name, .. }) => {
                Some(Grantee::Role(name.to_owned()))
            }
            (Via::Group(group), PrincipalRef::User { name, .. }) => {
                self.accounts.join(account, &group, name);
                Some(Grantee::Group(group))
            }
            (Via::Group(_), _) => return Err(EntryErrorKind::GroupOfOthers),
            (Via::Principal, _) => None,
        };
        self.accounts.of(account, |known| {
            let policy_ref = PolicyRef::Custom(name.clone());
            known.policies.insert(name, policy);
            known.attachments.extend(to.map(|to| Attachment {
                policy: policy_ref,
                to,
                scope,
            }));
        });
        Ok(())
    }

    fn control(
        &mut self,
        name: Name,
        policy: Policy,
        level: usize,
        effect_scope: EffectScope,
    ) -> Result<(), EntryErrorKind> {
        if self.member().is_none() {
            return Err(EntryErrorKind::ControlOfNobody);
        }
        while self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        let attachment = ControlAttachment {
            policy: PolicyRef::Custom(name.clone()),
            effect_scope,
        };
        if let Some(known) = self.levels.get_mut(level) {
            known.push(attachment);
        }
        self.bundle.control_policies.insert(name, policy);
        Ok(())
    }

    /// Attached to every ARN that is asked about; an open one stands for what is above it.
    fn resource(&mut self, name: &Name, policy: &Policy) {
        for text in &self.asked.resources {
            let above = text.strip_suffix("/*").unwrap_or(text);
            let Ok(resource) = Arn::try_from(above) else {
                continue;
            };
            if !resource.fields().is_concrete() {
                continue;
            }
            self.bundle.resource_policies.push(ResourcePolicy {
                resource,
                name: name.clone(),
                policy: policy.clone(),
            });
        }
    }

    /// The trust policy of every role that is asked about.
    fn trust(&mut self, policy: &Policy) -> Result<(), EntryErrorKind> {
        for text in &self.asked.resources {
            let arn = Arn::try_from(&**text)?;
            let fields = arn.fields();
            let role = fields.id().strip_prefix("role/");
            match (fields.owner(), role) {
                (Some(account), Some(role)) if fields.service() == "ram" => {
                    self.accounts.trust(account, role, policy);
                }
                _ => return Err(EntryErrorKind::TrustOfOthers),
            }
        }
        Ok(())
    }

    fn session(
        &mut self,
        none: bool,
        at: &Cursor<'_, '_>,
        sink: &mut Sink<'_>,
    ) -> Result<SessionClaim, Told> {
        match (self.session.take(), none) {
            (Some(_), true) => Err(at.refuse(EntryErrorKind::SessionTwice, sink)),
            (Some(policy), false) => Ok(SessionClaim::Policy(policy)),
            (None, true) => Ok(SessionClaim::None),
            (None, false) => Ok(SessionClaim::Unstated),
        }
    }

    /// The account whose chain the control policies stand in: the principal's, if no other is told.
    fn member(&self) -> Option<AccountId> {
        let own = self.principal.and_then(|known| known.account());
        match &self.organization {
            Some(place) => Some(place.member.clone()),
            None => own.and_then(|account| AccountId::try_from(account).ok()),
        }
    }

    fn finish(mut self, settings: Settings, catalog: Catalog) -> Bundle {
        let levels = std::mem::take(&mut self.levels);
        if let (Some(member), false) = (self.member(), levels.is_empty()) {
            let management = self.organization.as_ref().map(|place| &place.management);
            let organization = chain::organization(member, management, levels);
            self.bundle.organizations.extend(organization);
        }
        self.bundle.resources = known_resources(self.asked);
        self.bundle.accounts = self.accounts.finish();
        self.bundle
            .system_policies
            .clone_from(shipped::system_policies());
        let shipped_control = shipped::control_policies().clone();
        self.bundle.control_policies.extend(shipped_control);
        self.bundle.settings = settings;
        self.bundle.catalog = catalog;
        self.bundle
    }
}

/// Every concrete resource that is asked about and not unknown is in the directory.
fn known_resources(asked: &Asked) -> Vec<Resource> {
    let mut known: Vec<Resource> = Vec::new();
    for text in &asked.resources {
        let Some(arn) = asked.known(text) else {
            continue;
        };
        if known.iter().any(|resource| resource.arn == arn) {
            continue;
        }
        known.push(Resource {
            account: None,
            kind: None,
            group: asked.resource_groups.get(text).cloned().flatten(),
            tags: asked
                .resource_tags
                .get(text)
                .map_or_else(TagSet::default, Clone::clone),
            arn,
        });
    }
    known
}
