//! The layers of one sub-check, and how they combine (ram 4.2 and 4.3, security 2.5).
//!
//! | layer | asked of | an ALLOW is |
//! |---|---|---|
//! | control, member to Root | all but service-linked roles and the management account | needed |
//! | session | sessions that have a policy | needed |
//! | identity, then resource group | users and roles | enough, in the own account |
//! | resource-based | everybody whom it names | enough |
//!
//! Every layer is judged, also when an earlier one decided: what its statements need of the
//! request is needed whatever decides.

use super::check::Faults;
use super::decision::{Cause, Obligations, Verdict};
use super::observe::Observer;
use super::principal::Asker;
use super::request::{KnownGroup, Session};
use super::subcheck::SubCheck;
use super::unit::{Binding, Unit, UnitVerdict};
use crate::model::arn::{ArnRef, PrincipalRef, ResourceName};
use crate::model::settings::{ControlScope, RgDeny};
use crate::model::verdict::{Layer, Outcome};
use crate::snapshot::PolicyId;
use crate::snapshot::account::ControlChain;
use crate::snapshot::principal::Principal;

/// A verdict with the obligations that its ALLOW brings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) obligations: Obligations,
}

impl Judged {
    fn of(layer: Layer, unit: UnitVerdict) -> Self {
        let UnitVerdict {
            outcome,
            statement,
            obligations,
        } = unit;
        Self {
            verdict: Verdict {
                outcome,
                cause: Cause {
                    layer: Some(layer),
                    statement,
                },
            },
            obligations,
        }
    }

    const fn plain(layer: Layer, outcome: Outcome) -> Self {
        Self {
            verdict: Verdict {
                outcome,
                cause: Cause {
                    layer: Some(layer),
                    statement: None,
                },
            },
            obligations: Obligations::NONE,
        }
    }

    fn outcome(&self) -> Outcome {
        self.verdict.outcome
    }

    fn is(&self, outcome: Outcome) -> bool {
        self.verdict.outcome == outcome
    }

    /// The same refused: nothing granted it.
    pub(super) fn refused(self) -> Self {
        let layer = self.verdict.cause.layer;
        let cause = Cause {
            layer,
            statement: None,
        };
        let verdict = Verdict {
            outcome: Outcome::ImplicitDeny,
            cause,
        };
        Self {
            verdict,
            obligations: Obligations::default(),
        }
    }

    fn weight(&self) -> u8 {
        self.obligations.weight()
    }

    /// The same with the obligation to filter the result, where it is due.
    pub(super) fn filtering(self, due: bool) -> Self {
        let filter_results = self.obligations.filter_results || due;
        Self {
            obligations: Obligations {
                filter_results,
                ..self.obligations
            },
            ..self
        }
    }
}

/// What comes of resource-based policies where there are none.
const NOT_GRANTED: Judged = Judged::plain(Layer::ResourceBased, Outcome::ImplicitDeny);

/// A policy that could narrow a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applicable<'a> {
    pub(super) id: PolicyId,
    pub(super) terms: Terms<'a>,
}

/// How a policy applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// The account that it speaks for.
    pub(super) account: &'a str,
    pub(super) scope: Reach,
    pub(super) binding: Binding,
}

impl<'a> Terms<'a> {
    /// Over all that its statements cover, as written.
    pub(super) fn whole(account: &'a str) -> Self {
        Self {
            account,
            scope: Reach::Whole,
            binding: Binding::Full,
        }
    }
}

/// How far a policy reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Over all that its statements cover.
    Whole,
    /// Over the resources of one group.
    Group,
}

impl<'a> Applicable<'a> {
    fn new(id: PolicyId, account: &'a str) -> Self {
        let terms = Terms::whole(account);
        Self { id, terms }
    }
}

/// Judges one sub-check through all layers.
pub(super) struct Layers<'l, 'a, O> {
    pub(super) check: &'l SubCheck<'a>,
    pub(super) faults: &'l mut Faults,
    pub(super) observer: &'l mut O,
}

impl<'a, O: Observer> Layers<'_, 'a, O> {
    /// The verdict of the sub-check.
    pub(super) fn judge(&mut self) -> Judged {
        let control = self.control();
        let session = self.session();
        let granted = match self.check.asker {
            Asker::Root => self.root(),
            Asker::Identity(known) => self.identity_and_resource(*known),
            Asker::Unknown | Asker::Foreign | Asker::External => self.resource_alone(),
        };
        if control.is_none() && session.is_none() {
            return granted;
        }
        // ram 4.2: control, then session: "Not ALLOW -> final"
        let gates = [control, session];
        if let Some(closed) = gates.iter().flatten().find(|gate| !gate.is(Outcome::Allow)) {
            return *closed;
        }
        let passed = gates.iter().flatten().map(|gate| gate.obligations);
        let obligations = passed.fold(granted.obligations, Obligations::and);
        match granted.outcome() {
            Outcome::Allow => Judged {
                obligations,
                ..granted
            },
            Outcome::ImplicitDeny | Outcome::ExplicitDeny => granted,
        }
    }

    fn unit<'u>(&'u mut self, layer: Layer, account: &'u str) -> Unit<'u, 'a, O> {
        Unit::new(self.check, self.faults, self.observer, layer, account)
    }

    /// The account of the one who asks; empty for those who have none.
    fn own_account(&self) -> &'a str {
        self.check.request.principal.account().unwrap_or_default()
    }

    /// "Level by level from the member up; each level must give ALLOW by itself."
    fn control(&mut self) -> Option<Judged> {
        if !self.check.snapshot.accounts.has_members() {
            return None;
        }
        let mut decided: Option<Judged> = None;
        for (chain, account) in self.chains().into_iter().flatten() {
            for (level, policies) in (0_u8..).zip(&chain.levels) {
                let root = matches!(self.check.asker, Asker::Root);
                let bound = if root {
                    &policies.for_root
                } else {
                    &policies.policies
                };
                if bound.is_empty() {
                    continue;
                }
                let layer = Layer::Control { level };
                let unit = self.unit(layer, account);
                let judged = Judged::of(layer, unit.judge(bound.iter().copied()));
                decided = Some(match decided {
                    Some(earlier) if !earlier.is(Outcome::Allow) => earlier,
                    Some(earlier) => {
                        let obligations = earlier.obligations.and(judged.obligations);
                        Judged {
                            obligations,
                            ..judged
                        }
                    }
                    None => judged,
                });
            }
        }
        decided
    }

    /// The chains that bind the one who asks, each with its member (docs/semantics.md 19).
    fn chains(&self) -> [Option<(&'a ControlChain, &'a str)>; 2] {
        let check = self.check;
        let own = check.request.principal.account();
        let accounts = &check.snapshot.accounts;
        let binding = |chain: &&ControlChain| own.is_none_or(|own| *chain.management != *own);
        if check.asker.is_service_linked() {
            return [None, None];
        }
        let principal = match check.snapshot.settings.control_scope {
            ControlScope::Owner => None,
            ControlScope::OwnerAndPrincipal => own.filter(|own| *own != check.owner),
        };
        let chain = |account: &'a str| {
            let found = accounts.chain(account).filter(binding)?;
            Some((found, account))
        };
        [chain(check.owner), principal.and_then(chain)]
    }

    fn session(&mut self) -> Option<Judged> {
        let Session::Policy(policy) = self.check.request.session else {
            return None;
        };
        let unit = self.unit(Layer::Session, self.own_account());
        Some(Judged::of(Layer::Session, unit.judge_session(policy)))
    }

    fn identity_and_resource(&mut self, known: Principal<'a>) -> Judged {
        let identity = self.identity(known);
        let Some(resource) = self.resource_based(Binding::Full) else {
            return self.identity_alone(identity);
        };
        let refused = identity.is(Outcome::ExplicitDeny) || resource.is(Outcome::ExplicitDeny);
        if !refused && self.check.action.is_assume_role() {
            return both(identity, resource);
        }
        either(self.in_own_account(identity), resource)
    }

    /// What the identity has, where nothing is attached to any resource.
    fn identity_alone(&self, identity: Judged) -> Judged {
        if !identity.is(Outcome::Allow) {
            return identity;
        }
        if self.check.action.is_assume_role() {
            return NOT_GRANTED;
        }
        self.in_own_account(identity)
    }

    /// security 2.5: "An identity Allow grants only in the principal's own account"
    fn in_own_account(&self, identity: Judged) -> Judged {
        if identity.is(Outcome::Allow) && self.own_account() != self.check.owner {
            identity.refused()
        } else {
            identity
        }
    }

    /// Account scope, then the scope of the resource's group.
    fn identity(&mut self, known: Principal<'a>) -> Judged {
        let unit = self.unit(Layer::Identity, self.own_account());
        let account = Judged::of(Layer::Identity, unit.judge(known.policies()));
        let Some(group) = self.grouped(known) else {
            return account;
        };
        let always = self.check.snapshot.settings.rg_deny == RgDeny::Always;
        match (account.outcome(), group.outcome()) {
            (Outcome::ImplicitDeny, Outcome::Allow | Outcome::ExplicitDeny) => group,
            (Outcome::Allow, Outcome::ExplicitDeny) if always => group,
            (Outcome::Allow | Outcome::ExplicitDeny | Outcome::ImplicitDeny, _) => account,
        }
    }

    /// security 2.4: "An unknown group counts as unknown tags where a group-scoped statement would
    /// match": the unit is judged for what it needs, and its verdict does not count.
    fn grouped(&mut self, known: Principal<'a>) -> Option<Judged> {
        if !known.has_grouped() || self.own_account() != self.check.owner {
            return None;
        }
        let unknown = self.check.resource.group == KnownGroup::Unknown;
        let group = match self.check.resource.group {
            KnownGroup::Some(group) => Some(group),
            KnownGroup::None => return None,
            KnownGroup::Unknown => None,
        };
        if unknown && !self.check.exists() {
            return None;
        }
        let grants = known
            .grouped()
            .filter(|grants| group.is_none_or(|group| *grants.group == *group.as_bytes()));
        let policies = grants.flat_map(|grants| grants.policies());
        let unit = self.unit(Layer::ResourceGroup, self.own_account());
        let judged = Judged::of(Layer::ResourceGroup, unit.judge(policies));
        if unknown { None } else { Some(judged) }
    }

    /// `None`: nothing is attached that could speak of the resource.
    #[inline]
    fn resource_based(&mut self, binding: Binding) -> Option<Judged> {
        let check = self.check;
        let ResourceName::Arn(arn) = check.resource.name else {
            return None;
        };
        if check.snapshot.attached.is_empty() {
            self.observer
                .unit(Layer::ResourceBased, Outcome::ImplicitDeny);
            return None;
        }
        Some(self.attached(arn, binding))
    }

    #[inline(never)]
    fn attached(&mut self, arn: ArnRef<'a>, binding: Binding) -> Judged {
        let check = self.check;
        let found = check.snapshot.attached.find(arn, check.owner);
        let mut unit = self.unit(Layer::ResourceBased, check.owner);
        unit.binding = binding;
        Judged::of(Layer::ResourceBased, unit.judge(found))
    }

    /// Resource-based documents alone decide; no owner of an account assumes a role.
    fn resource_alone(&mut self) -> Judged {
        let resource = self.resource_based(Binding::Full).unwrap_or(NOT_GRANTED);
        let root = matches!(self.check.request.principal, PrincipalRef::Root { .. });
        let refused = root && self.check.action.is_assume_role() && resource.is(Outcome::Allow);
        if refused {
            resource.refused()
        } else {
            resource
        }
    }

    /// security 2.5: "Root: ALLOW only in its own account, not for `sts:AssumeRole`, not against a
    /// resource-based Deny with a Condition."
    fn root(&mut self) -> Judged {
        match self.resource_binding() {
            Binding::Full => self.resource_alone(),
            Binding::ConditionalDenies => match self.resource_based(Binding::ConditionalDenies) {
                Some(resource) if resource.is(Outcome::ExplicitDeny) => resource,
                Some(_) | None => Judged::plain(Layer::AccountOwner, Outcome::Allow),
            },
        }
    }

    /// How resource-based policies bind: the owner of an account by Denies with a Condition alone.
    fn resource_binding(&self) -> Binding {
        let check = self.check;
        let own = check.request.principal.account() == Some(check.owner);
        let owns = own && matches!(check.asker, Asker::Root) && !check.action.is_assume_role();
        if owns {
            Binding::ConditionalDenies
        } else {
            Binding::Full
        }
    }

    /// Every policy that could narrow a list: those of the layers that apply, of any group.
    pub(super) fn applicable(&self) -> impl Iterator<Item = Applicable<'a>> + use<'a, O> {
        let check = self.check;
        let root = matches!(check.asker, Asker::Root);
        let known = match check.asker {
            Asker::Identity(known) => Some(*known),
            Asker::Root | Asker::Unknown | Asker::Foreign | Asker::External => None,
        };
        let owner = check.owner;
        let levels = self
            .chains()
            .into_iter()
            .flatten()
            .flat_map(|(chain, account)| chain.levels.iter().map(move |level| (level, account)));
        let control = levels.flat_map(move |(level, account)| {
            let bound = if root {
                &level.for_root
            } else {
                &level.policies
            };
            bound.iter().map(move |id| Applicable::new(*id, account))
        });
        let account = self.own_account();
        let identity = known.into_iter().flat_map(move |known| {
            let grouped = known.grouped().filter(move |_| account == owner);
            let grouped = grouped.flat_map(|grants| grants.policies());
            let whole = known.policies();
            let whole = whole.map(move |id| Applicable::new(id, account));
            let terms = Terms {
                scope: Reach::Group,
                ..Terms::whole(account)
            };
            whole.chain(grouped.map(move |id| Applicable { id, terms }))
        });
        let arn = match check.resource.name {
            ResourceName::Arn(arn) => Some(arn),
            ResourceName::All => None,
        };
        let snapshot = check.snapshot;
        let attached = arn
            .into_iter()
            .flat_map(move |arn| snapshot.attached.find(arn, owner));
        let terms = Terms {
            binding: self.resource_binding(),
            ..Terms::whole(owner)
        };
        control
            .chain(identity)
            .chain(attached.map(move |id| Applicable { id, terms }))
    }
}

/// ram 4.2: "AssumeRole is different: both A and B must be ALLOW".
fn both(identity: Judged, resource: Judged) -> Judged {
    match (identity.outcome(), resource.outcome()) {
        (Outcome::Allow, Outcome::Allow) => Judged {
            obligations: identity.obligations.and(resource.obligations),
            ..identity
        },
        (Outcome::Allow, _) => resource,
        (Outcome::ImplicitDeny | Outcome::ExplicitDeny, _) => identity,
    }
}

/// ram 4.2: "any EXPLICIT_DENY -> EXPLICIT_DENY; else any ALLOW -> ALLOW; else IMPLICIT_DENY".
fn either(identity: Judged, resource: Judged) -> Judged {
    let lighter = resource.weight() < identity.weight();
    match (identity.outcome(), resource.outcome()) {
        (Outcome::ExplicitDeny, _) => identity,
        (_, Outcome::ExplicitDeny) | (Outcome::ImplicitDeny, Outcome::Allow) => resource,
        (Outcome::Allow, Outcome::Allow) if lighter => resource,
        (Outcome::Allow | Outcome::ImplicitDeny, _) => identity,
    }
}
