//! The edge: whether a request has the right shape, before anything is decided.
//!
//! All faults are found, and the one that stands first in `RefusalReason` is told (decision 4).

mod context;
mod tags;

use crate::model::account::{Name, RoleKind};
use crate::model::action::ActionRef;
use crate::model::arn::{AccountId, PrincipalRef, ResourceName};
use crate::model::bundle::Bundle;
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};
use crate::model::request::{AccessRequest, RequestedResource, SessionClaim};
use crate::model::statement::{Policy, Resources};
use crate::model::verdict::{RefusalReason, limits};

use super::principal::Standing;
use super::subcheck::{Question, SubCheck};

/// Reads a request, or tells the first of its faults.
pub(super) fn check<'a>(
    bundle: &'a Bundle,
    request: &'a AccessRequest,
) -> Result<Question<'a>, RefusalReason> {
    let invalid = RefusalReason::InvalidRequest;
    let principal = PrincipalRef::parse(&request.principal).map_err(|_| invalid)?;
    let action = ActionRef::parse(&request.action).map_err(|_| invalid)?;
    let mut names = Vec::new();
    for asked in &request.resources {
        names.push(ResourceName::parse(&asked.arn).map_err(|_| invalid)?);
    }
    let standing = Standing::of(bundle, principal);
    let mut faults = Vec::new();
    faults.extend(resource_faults(request));
    let facts = facts_of(bundle, request, action, &mut faults);
    faults.extend(tags::faults(bundle, request, &facts, &names));
    faults.extend(context::faults(bundle, request));
    faults.extend(session_faults(request, principal, standing));
    let mut resources = Vec::new();
    for (asked, name) in request.resources.iter().zip(&names) {
        faults.extend(id_faults(&facts, asked, *name));
        match owner_of(bundle, &facts, principal, *name) {
            Some(owner) => {
                resources.push(SubCheck::new(bundle, request, &facts, asked, *name, owner));
            }
            None => faults.push(RefusalReason::OwnerUnknown),
        }
    }
    match faults.into_iter().min() {
        Some(first) => Err(first),
        None => Ok(Question {
            bundle,
            request,
            principal,
            standing,
            action,
            facts,
            resources,
        }),
    }
}

fn resource_faults(request: &AccessRequest) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    // security 2.10: `resources: []` and the same ARN twice are refused.
    if request.resources.is_empty() {
        faults.push(RefusalReason::NoResource);
    }
    if request.resources.len() > limits::RESOURCES {
        faults.push(RefusalReason::ResourceLimit);
    }
    for (place, asked) in request.resources.iter().enumerate() {
        let mut earlier = request.resources.iter().take(place);
        if earlier.any(|earlier| earlier.arn == asked.arn) {
            faults.push(RefusalReason::ResourceDuplicate);
        }
        if let Some(Some(group)) = &asked.group
            && Name::try_from(group.as_str()).is_err()
        {
            faults.push(RefusalReason::InvalidRequest);
        }
    }
    faults
}

/// Decision 6: a stated kind must be at least as strict as the catalog's.
fn facts_of(
    bundle: &Bundle,
    request: &AccessRequest,
    action: ActionRef<'_>,
    faults: &mut Vec<RefusalReason>,
) -> ActionFacts {
    let mut facts = bundle.catalog.facts(action);
    let Some(stated) = request.kind else {
        return facts;
    };
    if strictness(stated) < strictness(facts.kind) {
        faults.push(RefusalReason::KindNotStricter);
        return facts;
    }
    facts.kind = stated;
    if stated != OperationKind::Query {
        facts.list = false;
        facts.filterable = false;
    }
    if stated != OperationKind::Create && facts.tags == TagEffect::NewResource {
        facts.tags = TagEffect::Target;
    }
    facts
}

/// Decision 6: query < create < update = other.
fn strictness(kind: OperationKind) -> u8 {
    match kind {
        OperationKind::Query => 0,
        OperationKind::Create => 1,
        OperationKind::Update | OperationKind::Other => 2,
    }
}

fn id_faults(
    facts: &ActionFacts,
    asked: &RequestedResource,
    name: ResourceName<'_>,
) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    let open = match name {
        // Decision 1: `*` is taken only for actions flagged `all_resources`, whatever the kind.
        ResourceName::All => !facts.all_resources,
        // Decision 2: kinds update and other need concrete ARNs.
        ResourceName::Arn(arn) => match facts.kind {
            OperationKind::Update | OperationKind::Other => !arn.is_concrete(),
            OperationKind::Query | OperationKind::Create => false,
        },
    };
    if open {
        faults.push(RefusalReason::ResourceIdRequired);
    }
    // Decision 3: tags sent for an ARN that is not concrete.
    if asked.tags.is_some() && !name.is_concrete() {
        faults.push(RefusalReason::TagsNotApplicable);
    }
    faults
}

/// security 2.5 and decision 1: the account of the ARN; where it is `*` or empty, that of the
/// directory's record of the very ARN; else the principal's
/// own for create and for actions flagged `all_resources`.
fn owner_of(
    bundle: &Bundle,
    facts: &ActionFacts,
    principal: PrincipalRef<'_>,
    name: ResourceName<'_>,
) -> Option<String> {
    let own = principal.account();
    match name {
        // The fault of a `*` that is not taken is told by `id_faults`.
        ResourceName::All if !facts.all_resources => Some(String::new()),
        ResourceName::All => own.map(str::to_owned),
        ResourceName::Arn(arn) => {
            let from_principal = facts.kind == OperationKind::Create || facts.all_resources;
            let mut records = bundle.resources.iter();
            let record = records.find(|record| record.arn.as_str() == arn.as_str());
            let recorded = record.and_then(|record| record.account.as_ref());
            arn.owner()
                .or(recorded.map(AccountId::as_str))
                .or(own.filter(|_| from_principal))
                .map(str::to_owned)
        }
    }
}

/// security 2.6 and decision 8.
fn session_faults(
    request: &AccessRequest,
    principal: PrincipalRef<'_>,
    standing: Standing<'_>,
) -> Vec<RefusalReason> {
    let (may_carry, must_say) = match principal {
        PrincipalRef::Role { session, .. } => {
            let plain = match standing.role_kind() {
                Some(RoleKind::ServiceLinked | RoleKind::Sso) => false,
                Some(RoleKind::Plain) | None => true,
            };
            (plain, session.is_some())
        }
        PrincipalRef::Root { .. }
        | PrincipalRef::User { .. }
        | PrincipalRef::Federated { .. }
        | PrincipalRef::Service { .. } => (false, false),
    };
    let mut faults = Vec::new();
    match &request.session {
        SessionClaim::Unstated if must_say => faults.push(RefusalReason::SessionRequired),
        SessionClaim::Unstated | SessionClaim::None => {}
        SessionClaim::Policy(policy) => {
            if !may_carry {
                faults.push(RefusalReason::SessionNotApplicable);
            }
            if !is_session_document(policy) {
                faults.push(RefusalReason::InvalidDocument);
            }
        }
    }
    faults
}

/// ram 1.1 and 1.2: at least one statement; `Resource` is required and `Principal` is refused.
fn is_session_document(policy: &Policy) -> bool {
    !policy.statements.is_empty()
        && policy.statements.iter().all(|statement| {
            statement.resources != Resources::Attached && statement.principals.is_none()
        })
}
