//! Cases of associated inheritance: their events through the state machine, on a directory in
//! memory. Work that an event leaves is done before the next one.

mod documents;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::documents::{bundle, kinds};
use self::rules::govern;

use crate::compiler::compile;
use crate::document::case::{AssociationCase, Pair, Step};
use crate::document::shipped;
use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::{AccountInheritance, Authority, Inheritance, Status};
use crate::model::resource::{Link, LiveResource};
use crate::model::tag::{Tag, TagRef, TagSet};
use crate::model::tagging::{Cause, Failure, Plan};
use crate::snapshot::Snapshot;
use crate::tagging::shape::Form;
use crate::tagging::{
    Actor, CallError, Description, Hand, Keys, Law, Memory, Open, Said, group_arns, rule_changes,
};

/// The account of all resources.
const ACCOUNT: &str = "1";
/// The account that manages the organization.
const MANAGEMENT: &str = "2";
const REGION: &str = "cn-hangzhou";
/// The type of a resource that no association names.
const USUAL: &str = "ecs:instance";

/// What the events of a case come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Associated {
    /// All resources, by their names in the case.
    pub resources: BTreeMap<String, LiveResource>,
    /// What could not be written.
    pub failed: BTreeSet<(String, Option<String>)>,
}

/// Lets the events of a case happen.
///
/// # Errors
///
/// When the case speaks of something that cannot be.
pub fn associate(case: &AssociationCase) -> Result<Associated, String> {
    let mut world = World::new(case)?;
    for step in &case.steps {
        world.step(step)?;
    }
    Ok(world.outcome())
}

/// What differs from what a case expects; `None`: nothing.
pub fn association_complaint(case: &AssociationCase) -> Option<String> {
    let found = match associate(case) {
        Ok(found) => found,
        Err(error) => return Some(error),
    };
    for (id, tags) in &case.expected {
        let found = found.resources.get(id).map(tags_of);
        if found.as_ref() != Some(tags) {
            return Some(format!("expected {id} with {tags:?}, found {found:?}"));
        }
    }
    let (expected, found) = (&case.expected_failed, &found.failed);
    (found != expected).then(|| format!("expected failures {expected:?}, found {found:?}"))
}

struct World {
    snapshot: Snapshot,
    inheritance: Inheritance,
    directory: Memory,
    /// The types of the resources that associations name.
    kinds: BTreeMap<String, Box<str>>,
    failed: BTreeSet<(String, Option<String>)>,
}

impl World {
    fn new(case: &AssociationCase) -> Result<Self, String> {
        let account = AccountId::try_from(ACCOUNT).map_err(|error| error.to_string())?;
        let own = AccountInheritance {
            feature: Status::Enabled,
            ..AccountInheritance::default()
        };
        let inheritance = Inheritance {
            definitions: shipped::inheritance_rules().clone(),
            accounts: [(account, Arc::new(own))].into(),
        };
        let bundle = bundle(case).map_err(|error| error.to_string())?;
        let mut snapshot = compile(&bundle).map_err(|errors| errors.to_string())?;
        snapshot.inheritance = Arc::new(inheritance.clone());
        Ok(Self {
            kinds: kinds(case, &inheritance)?,
            snapshot,
            inheritance,
            directory: Memory::default(),
            failed: BTreeSet::new(),
        })
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Resource { id, tags, group } => {
                let described = self.described(id, tags, group.as_ref())?;
                self.call(|actor| Ok(actor.put(std::slice::from_ref(&described))))
            }
            Step::Group { id, tags } => {
                let described = group_of(id, tags)?;
                self.call(|actor| Ok(actor.put(std::slice::from_ref(&described))))
            }
            Step::Remove { id } => {
                let arns = [self.arn(id)?];
                self.call(|actor| actor.remove(&arns))
            }
            Step::Move { id, group } => {
                let arns = [self.arn(id)?];
                self.call(|actor| actor.move_to(&arns, group.as_ref()))
            }
            Step::Link(pair) => {
                let links = [self.link(pair)?];
                self.call(|actor| actor.associate(&links))
            }
            Step::Unlink(pair) => {
                let links = [self.link(pair)?];
                self.call(|actor| actor.dissociate(&links))
            }
            Step::Tag { id, tags } => {
                let (arns, tags) = ([self.arn(id)?], tag_refs(tags));
                self.call(|actor| actor.tag(Form::Unified, &arns, &tags, Hand::User))
            }
            Step::Untag { id, keys } => {
                let arns = [self.arn(id)?];
                let keys: Option<Vec<&str>> = keys
                    .as_ref()
                    .map(|keys| keys.iter().map(String::as_str).collect());
                let keys = keys.as_deref().map_or(Keys::All, Keys::These);
                self.call(|actor| actor.untag(Form::Unified, &arns, keys))
            }
            Step::Remediate { id } => {
                let arns = [self.arn(id)?];
                self.call(|actor| actor.remediate(&arns))
            }
            Step::Enable { .. }
            | Step::Update { .. }
            | Step::Disable { .. }
            | Step::EnableFeature
            | Step::DisableFeature => self.govern(step),
        }
    }

    /// A change of the rules, or of the feature.
    fn govern(&mut self, step: &Step) -> Result<(), String> {
        let mut next = self.inheritance.clone();
        for own in next.accounts.values_mut() {
            govern(Arc::make_mut(own), step)?;
        }
        let cause = Cause {
            principal: None,
            authority: Authority::ServiceRole,
        };
        let at = self.directory.next_version();
        let plan = Plan {
            left: rule_changes(&self.inheritance, &next, at, &cause),
            ..Plan::default()
        };
        self.inheritance = next.clone();
        self.snapshot.inheritance = Arc::new(next);
        self.commit(&plan)?;
        self.work()
    }

    fn call(
        &mut self,
        call: impl Fn(&Actor<'_, '_, Memory, Open>) -> Result<Plan, CallError>,
    ) -> Result<(), String> {
        let law = Law::new(&self.snapshot);
        let plan = call(&actor(&self.directory, &law));
        match plan {
            Ok(plan) => self.commit(&plan)?,
            Err(CallError::Refused(failures)) => self.fail(&failures),
            Err(CallError::Shape(fault)) => return Err(fault.to_string()),
        }
        self.work()
    }

    /// Does what is left, to the end.
    fn work(&mut self) -> Result<(), String> {
        while let Some(work) = self.directory.work().first().cloned() {
            let law = Law::new(&self.snapshot);
            let plan = actor(&self.directory, &law).step(&work);
            self.fail(&plan.held_back);
            let committed = self.directory.commit_step(&work, &plan);
            committed.map_err(|conflict| conflict.to_string())?;
        }
        Ok(())
    }

    fn commit(&mut self, plan: &Plan) -> Result<(), String> {
        self.fail(&plan.refused);
        self.fail(&plan.held_back);
        let committed = self.directory.commit(plan);
        committed.map_err(|conflict| conflict.to_string())
    }

    fn fail(&mut self, failures: &[Failure]) {
        for failure in failures {
            let key = failure.key.as_ref().map(ToString::to_string);
            self.failed.insert((id_of(&failure.arn), key));
        }
    }

    fn arn(&self, id: &str) -> Result<Arn, String> {
        let kind = self.kinds.get(id).map_or(USUAL, |kind| kind);
        let (service, resource) = kind.split_once(':').unwrap_or((kind, ""));
        let arn = format!("acs:{service}:{REGION}:{ACCOUNT}:{resource}/{id}");
        Arn::try_from(&*arn).map_err(|error| format!("{id}: {error}"))
    }

    fn link(&self, pair: &Pair) -> Result<Link, String> {
        Ok(Link {
            primary: self.arn(&pair.primary)?,
            associated: self.arn(&pair.associated)?,
            rule: pair.rule.clone(),
        })
    }

    fn described(
        &self,
        id: &str,
        tags: &[(String, String)],
        group: Option<&Name>,
    ) -> Result<Description, String> {
        Ok(Description {
            arn: self.arn(id)?,
            account: None,
            region: None,
            kind: self.kinds.get(id).cloned(),
            group: Said::That(group.cloned()),
            tags: Said::That(tag_set(tags)?),
        })
    }

    fn outcome(self) -> Associated {
        let resources = self.directory.resources();
        Associated {
            resources: resources
                .map(|resource| (id_of(&resource.arn), resource.clone()))
                .collect(),
            failed: self.failed,
        }
    }
}

fn tags_of(resource: &LiveResource) -> BTreeMap<String, String> {
    let tags = resource.tag_refs();
    tags.map(|tag| (tag.key.to_owned(), tag.value.to_owned()))
        .collect()
}

fn actor<'a, 's>(directory: &'a Memory, law: &'a Law<'s>) -> Actor<'a, 's, Memory, Open> {
    Actor {
        view: directory,
        law,
        gate: &Open,
        principal: None,
        at: directory.next_version(),
    }
}

fn group_of(id: &Name, tags: &[(String, String)]) -> Result<Description, String> {
    let [arn, _] = group_arns(ACCOUNT, id);
    Ok(Description {
        arn: Arn::try_from(&*arn).map_err(|error| error.to_string())?,
        account: None,
        region: None,
        kind: None,
        group: Said::Nothing,
        tags: Said::That(tag_set(tags)?),
    })
}

fn tag_refs(tags: &[(String, String)]) -> Vec<TagRef<'_>> {
    let tags = tags.iter();
    tags.map(|(key, value)| TagRef { key, value }).collect()
}

fn tag_set(tags: &[(String, String)]) -> Result<TagSet, String> {
    let tags = tag_refs(tags).into_iter().map(Tag::from).collect();
    TagSet::new(tags).map_err(|twice| twice.to_string())
}

/// The name of a resource in the case: the last segment of its ARN.
fn id_of(arn: &Arn) -> String {
    let id = arn.fields().id();
    id.rsplit('/').next().unwrap_or(id).to_owned()
}
