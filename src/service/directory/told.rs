//! What came of a call: for whoever asked, and for the log.

use std::sync::Arc;

use super::Hearing;
use super::asker::Asker;
use super::names::refused;
use crate::engine::compliance::{Interception, Rules, capabilities, validate};
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags};
use crate::management::directory::Base;
use crate::model::arn::{Arn, ResourceName};
use crate::model::caller::Rpc;
use crate::model::catalog::TagCapabilities;
use crate::model::compliance::TagHistory;
use crate::model::resource::{LiveResource, Version};
use crate::model::tag::TagRef;
use crate::model::tagging::{Failure, FailureCode, Plan};
use crate::tagging::{Actor, CallError as Refused, Edit, Law, Open, Overlay, View as _};
use crate::wire::reply::tagging::published;
use crate::wire::status::CallError;
use crate::wire::v1;

/// What is told of a call that was worked out.
pub(super) struct Told {
    caller: String,
    principal: Option<Arc<str>>,
    arns: Vec<Arn>,
    keys: Vec<String>,
    failed: Vec<v1::FailedResource>,
    held_back: Vec<v1::FailedResource>,
}

impl Told {
    pub(super) fn by(self, asker: &Asker<'_>) -> Self {
        let principal = Some(Arc::clone(&asker.name));
        Self { principal, ..self }
    }

    /// Writes down that a change was made.
    pub(super) fn audit(&self, rpc: Rpc, peer: &str, version: Version) {
        let names = |arns: &mut dyn Iterator<Item = &str>| arns.collect::<Vec<_>>().join(" ");
        let arns = names(&mut self.arns.iter().map(Arn::as_str));
        let keys = names(&mut self.keys.iter().map(String::as_str));
        let failed = names(&mut self.failed.iter().map(|one| &*one.arn));
        tracing::info!(
            rpc = rpc.as_str(),
            caller = self.caller,
            principal = self.principal.as_deref().unwrap_or_default(),
            peer,
            change = version.0,
            arns,
            keys,
            failed,
            "the directory was changed"
        );
    }

    pub(super) fn outcome(self, version: Option<Version>) -> v1::DirectoryOutcome {
        v1::DirectoryOutcome {
            change: version.map_or(0, |version| version.0),
            failed: self.failed,
            held_back: self.held_back,
        }
    }
}

impl<'h> Hearing<'h> {
    /// Somebody who is believed: the inventory.
    pub(super) fn inventory<'a>(&self, law: &'a Law<'h>) -> Actor<'a, 'h, Overlay<'h, Base>, Open>
    where
        'h: 'a,
    {
        Actor {
            view: self.turn.view,
            law,
            gate: &Open,
            principal: None,
            at: self.turn.version,
        }
    }

    /// Somebody who writes tags.
    pub(super) fn actor<'a, 'g>(
        &self,
        law: &'a Law<'h>,
        asker: &'a Asker<'g>,
    ) -> Actor<'a, 'h, Overlay<'h, Base>, Asker<'g>>
    where
        'h: 'a,
    {
        Actor {
            view: self.turn.view,
            law,
            gate: asker,
            principal: Some(Arc::clone(&asker.name)),
            at: self.turn.version,
        }
    }

    /// What is told of a plan.
    pub(super) fn told(&self, arns: &[Arn], keys: Vec<String>, plan: Plan) -> (Told, Plan) {
        let tell = |failures: &[Failure]| failures.iter().map(failed).collect();
        let told = Told {
            caller: self.caller.name.to_string(),
            principal: None,
            arns: arns.to_vec(),
            keys,
            failed: tell(&plan.refused),
            held_back: tell(&plan.held_back),
        };
        (told, plan)
    }
}

impl Hearing<'_> {
    /// What is told of a plan of somebody who writes tags.
    pub(super) fn told_by(&self, asker: &Asker<'_>, arns: &[Arn], plan: Plan) -> (Told, Plan) {
        let (told, plan) = self.told(arns, Vec::new(), plan);
        (told.by(asker), plan)
    }
}

/// A call in which tags are written or removed, and what it says of those that are refused.
pub(super) struct Refusing<'r, 'h> {
    pub(super) hearing: &'r Hearing<'h>,
    pub(super) asker: &'r Asker<'r>,
    pub(super) law: &'r Law<'h>,
    pub(super) edit: Edit<'r>,
}

impl Refusing<'_, '_> {
    /// What is told of the plan of a call, or of the refusal of the whole.
    pub(super) fn told(
        &self,
        arns: &[Arn],
        keys: Vec<String>,
        plan: Result<Plan, Refused>,
    ) -> Result<(Told, Plan), CallError> {
        let mut plan = plan.map_err(|error| self.whole(error))?;
        for failure in &mut plan.refused {
            failure.code = self.shown(failure);
        }
        let (mut told, plan) = self.hearing.told(arns, keys, plan);
        for (told, failure) in told.failed.iter_mut().zip(&plan.refused) {
            if let Some(message) = self.published(failure) {
                told.message = message;
            }
        }
        Ok((told.by(self.asker), plan))
    }

    fn whole(&self, error: Refused) -> CallError {
        let mut failures = match error {
            Refused::Shape(_) => return told_error(error),
            Refused::Refused(failures) => failures,
        };
        for failure in &mut failures {
            failure.code = self.shown(failure);
        }
        let message = failures.first().and_then(|first| self.published(first));
        match (failures.first(), message) {
            (Some(first), Some(message)) => refused(first.code, "arns", message),
            (Some(_) | None, _) => told_error(Refused::Refused(failures)),
        }
    }

    /// Whoever could not tag an untagged resource does not learn which resources there are.
    fn shown(&self, failure: &Failure) -> FailureCode {
        let name = ResourceName::Arn(failure.arn.fields());
        let is_hidden =
            failure.code == FailureCode::ResourceNotFound && !self.asker.may_know(name, &self.edit);
        if is_hidden {
            FailureCode::NoPermission
        } else {
            failure.code
        }
    }

    /// The published message of an interception (tag-policy 3.2).
    fn published(&self, failure: &Failure) -> Option<String> {
        if failure.code != FailureCode::TagPolicy {
            return None;
        }
        let resource = self.hearing.turn.view.find(failure.arn.as_str())?;
        self.intercepted(&resource)
    }

    fn intercepted(&self, resource: &LiveResource) -> Option<String> {
        let snapshot = self.hearing.snapshot;
        let policy = &*snapshot
            .tags
            .account(resource.owner()?)?
            .policies
            .enforce
            .policy;
        let kind = self.law.kind(resource);
        let known = capabilities(&snapshot.catalog, policy, &kind);
        let rules = Rules {
            policy,
            settings: &snapshot.settings,
            capabilities: known.unwrap_or(TagCapabilities::ALL),
        };
        let current: Vec<TagRef<'_>> = resource.tag_refs().collect();
        let Edit { set, removed } = self.edit;
        let question = Question {
            resource_type: &kind,
            region: resource.region(),
            group: match &resource.group {
                Some(group) => KnownGroup::Some(group.as_str()),
                None => KnownGroup::None,
            },
            current: Tags::Sent(&current),
            operation: Operation::Write { set, removed },
            inheritance: Inheritance::Unknown,
            history: TagHistory::Unknown,
        };
        let tagging = Tagging::new(question).ok()?;
        let verdict = validate(&rules, &tagging);
        let mut found = verdict.violations.iter();
        let first = found.find(|found| found.intercepted == Interception::Intercepted);
        first.map(published)
    }
}

/// A refusal of a call that names no tags, as whoever asked may know it: who could not tag a resource
/// does not learn whether there is one.
pub(super) fn hidden(asker: &Asker<'_>, mut error: Refused) -> CallError {
    if let Refused::Refused(failures) = &mut error {
        for failure in failures {
            let name = ResourceName::Arn(failure.arn.fields());
            if failure.code == FailureCode::ResourceNotFound && !asker.may_know_at_all(name) {
                failure.code = FailureCode::NoPermission;
            }
        }
    }
    told_error(error)
}

/// A call that the state machine refuses as a whole.
pub(super) fn told_error(error: Refused) -> CallError {
    match error {
        Refused::Shape(fault) => {
            let field = field(fault.code);
            refused(fault.code, field, fault.to_string())
        }
        Refused::Refused(failures) => {
            let code = failures
                .first()
                .map_or(FailureCode::Conflict, |first| first.code);
            refused(code, "arns", Refused::Refused(failures).to_string())
        }
    }
}

fn field(code: FailureCode) -> &'static str {
    match code {
        FailureCode::TooManyTags
        | FailureCode::NoTags
        | FailureCode::DuplicateKey
        | FailureCode::MalformedKey
        | FailureCode::MalformedValue => "tags",
        FailureCode::TooManyResources
        | FailureCode::NoResources
        | FailureCode::DuplicateResource
        | FailureCode::ResourceNotFound
        | FailureCode::QuotaExceeded
        | FailureCode::NoPermission
        | FailureCode::TagPolicy
        | FailureCode::InheritanceBlocked
        | FailureCode::Conflict
        | FailureCode::RuleUnknown
        | FailureCode::AssociationMismatch
        | FailureCode::TooManyPrimaries
        | FailureCode::ChainTooLong
        | FailureCode::AccountOutsideOrganization
        | FailureCode::ResourceTypeUnknown
        | FailureCode::OwnerUnknown
        | FailureCode::IdRequired => "arns",
    }
}

/// A failure, as it is told.
pub(super) fn failed(failure: &Failure) -> v1::FailedResource {
    let Failure { arn, key, code } = failure;
    v1::FailedResource {
        arn: arn.to_string(),
        key: key.as_deref().unwrap_or_default().to_owned(),
        code: code.as_str().to_owned(),
        message: meaning(*code).to_owned(),
    }
}

fn meaning(code: FailureCode) -> &'static str {
    match code {
        FailureCode::TooManyResources => "more resources than a call may name",
        FailureCode::NoResources => "no resource is named",
        FailureCode::DuplicateResource => "the resource is named twice",
        FailureCode::TooManyTags => "more tags or keys than a call may carry",
        FailureCode::NoTags => "no tag and no key is given",
        FailureCode::DuplicateKey => "the key is given twice",
        FailureCode::MalformedKey => "not a tag key that may be written",
        FailureCode::MalformedValue => "not a tag value that may be written",
        FailureCode::ResourceNotFound => "the directory does not know the resource",
        FailureCode::QuotaExceeded => "the resource would have more tags than it may have",
        FailureCode::NoPermission => "the principal may not write these tags",
        FailureCode::TagPolicy => "a tag policy intercepts it",
        FailureCode::InheritanceBlocked => "a tag policy or a protected key holds it back",
        FailureCode::Conflict => "the resource changed meanwhile, again and again",
        FailureCode::RuleUnknown => "no such rule is defined",
        FailureCode::AssociationMismatch => {
            "the resources are not of the rule's types, of one account and of one region"
        }
        FailureCode::TooManyPrimaries => "the resource has as many primaries as there may be",
        FailureCode::ChainTooLong => "the chain of associations is too long",
        FailureCode::AccountOutsideOrganization => "the account is in no organization",
        FailureCode::ResourceTypeUnknown => "the type of the resource is not known",
        FailureCode::OwnerUnknown => "the account that owns the resource cannot be told",
        FailureCode::IdRequired => "the ARN names no single resource",
    }
}
