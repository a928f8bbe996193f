//! The state machine and the naive reference agree on random sequences of events: tags, where they
//! came from, the index of associations and what could not be written, after every event.
//!
//! `TAGWARDEN_CASES` tells how many sequences; failures are shrunk.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tagwarden::document::shipped;
use tagwarden::engine::compliance::capabilities;
use tagwarden::model::account::Name;
use tagwarden::model::arn::Arn;
use tagwarden::model::catalog::TagCapabilities;
use tagwarden::model::inheritance::{Authority, Inheritance, RuleId};
use tagwarden::model::resource::{Link, LiveResource, Provenance};
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::model::tagging::{Cause, Failure, FailureCode, Plan, Work};
use tagwarden::reference::association::{Directory, Failures, Resource, Source};
use tagwarden::snapshot::Snapshot;
use tagwarden::tagging::shape::Form;
use tagwarden::tagging::{
    Actor, CallError, Description, Edit, Gate, Hand, Keys, Law, Memory, Said, View, group_arns,
    rule_changes, settled,
};

use super::world::{
    Forgetting, GROUPS, Happening, KIND, RESOURCES, SNAPSHOTS, Tags, World, inheritance, worlds,
};

fn arn_text(id: &str) -> String {
    format!("acs:ecs:cn-hangzhou:1:instance/{id}")
}

fn arn(id: &str) -> Arn {
    Arn::try_from(&*arn_text(id)).unwrap()
}

fn name(text: &str) -> Name {
    Name::try_from(text).unwrap()
}

fn tag_refs(tags: &Tags) -> Vec<TagRef<'_>> {
    let tags = tags.iter();
    tags.map(|(key, value)| TagRef { key, value }).collect()
}

fn described(arn: Arn, group: Said<Option<Name>>, tags: &Tags) -> Description {
    let tags = tag_refs(tags).into_iter().map(Tag::from).collect();
    Description {
        arn,
        account: None,
        region: None,
        kind: None,
        group,
        tags: Said::That(TagSet::new(tags).unwrap()),
    }
}

fn link((primary, associated, rule): (&str, &str, &str)) -> Link {
    Link {
        primary: arn(primary),
        associated: arn(associated),
        rule: RuleId::try_from(rule).unwrap(),
    }
}

/// A gate that is shut for some resources.
struct Closed(BTreeSet<String>);

impl Gate for Closed {
    fn check(&self, resource: &LiveResource, _: &Edit<'_>) -> Result<(), FailureCode> {
        self.check_at_all(resource)
    }

    fn check_at_all(&self, resource: &LiveResource) -> Result<(), FailureCode> {
        if self.0.contains(resource.arn.as_str()) {
            Err(FailureCode::NoPermission)
        } else {
            Ok(())
        }
    }
}

/// The state machine with a directory of its own.
struct Machine {
    snapshot: Snapshot,
    inheritance: Inheritance,
    directory: Memory,
    gate: Closed,
}

impl Machine {
    fn new(world: &World) -> Self {
        let mut snapshot = SNAPSHOTS[world.snapshot].clone();
        snapshot.settings = world.settings.clone();
        snapshot.inheritance = Arc::new(inheritance());
        let closed = world.closed.iter().map(|id| arn_text(id));
        let mut machine = Self {
            snapshot,
            inheritance: inheritance(),
            directory: Memory::default(),
            gate: Closed(closed.collect()),
        };
        for (group, tags) in GROUPS.iter().zip(&world.groups) {
            let [arn, _] = group_arns("1", &name(group));
            let arn = Arn::try_from(&*arn).unwrap();
            let group = described(arn, Said::Nothing, tags);
            machine.call(|actor| Ok(actor.put(std::slice::from_ref(&group))));
        }
        machine
    }

    fn call(
        &mut self,
        call: impl Fn(&Actor<'_, '_, Memory, Closed>) -> Result<Plan, CallError>,
    ) -> Failures {
        let at = self.directory.next_version();
        let law = Law::new(&self.snapshot);
        let plan = match call(&self.actor(&law)) {
            Ok(plan) => plan,
            Err(CallError::Refused(failures)) => return told(&failures),
            Err(CallError::Shape(fault)) => panic!("{fault}"),
        };
        for write in &plan.writes {
            let next = write.next.as_ref();
            assert!(next.is_none_or(|next| next.version == at), "one version");
        }
        self.directory.commit(&plan).unwrap();
        let mut failures = told(&plan.refused);
        failures.extend(told(&plan.held_back));
        failures
    }

    fn actor<'a, 's>(&'a self, law: &'a Law<'s>) -> Actor<'a, 's, Memory, Closed> {
        Actor {
            view: &self.directory,
            law,
            gate: &self.gate,
            principal: None,
            at: self.directory.next_version(),
        }
    }

    fn happen(&mut self, happening: &Happening) -> Failures {
        match happening {
            Happening::Put(id, group, tags) => {
                let group = Said::That(group.map(name));
                let resource = described(arn(id), group, tags);
                self.call(|actor| Ok(actor.put(std::slice::from_ref(&resource))))
            }
            Happening::Remove(id) => self.call(|actor| actor.remove(&[arn(id)])),
            Happening::Move(id, group) => {
                let group = group.map(name);
                self.call(|actor| actor.move_to(&[arn(id)], group.as_ref()))
            }
            Happening::Tag(id, tags) => {
                self.call(|actor| actor.tag(Form::Unified, &[arn(id)], &tag_refs(tags), Hand::User))
            }
            Happening::Untag(id, keys) => {
                let keys = keys.as_deref().map_or(Keys::All, Keys::These);
                self.call(|actor| actor.untag(Form::Unified, &[arn(id)], keys))
            }
            Happening::Associate(primary, associated, rule) => {
                let link = link((primary, associated, rule));
                self.call(|actor| actor.associate(std::slice::from_ref(&link)))
            }
            Happening::Dissociate(primary, associated, rule) => {
                let link = link((primary, associated, rule));
                self.call(|actor| actor.dissociate(std::slice::from_ref(&link)))
            }
            Happening::Remediate(id) => self.call(|actor| actor.remediate(&[arn(id)])),
            Happening::Feature(_) | Happening::Rule(..) => {
                let next = governed(&self.inheritance, happening);
                self.govern(next)
            }
        }
    }

    fn govern(&mut self, next: Inheritance) -> Failures {
        let cause = Cause {
            principal: None,
            authority: Authority::ServiceRole,
        };
        let at = self.directory.next_version();
        let left = rule_changes(&self.inheritance, &next, at, &cause);
        let plan = Plan {
            left,
            ..Plan::default()
        };
        self.directory.commit(&plan).unwrap();
        self.snapshot.inheritance = Arc::new(next.clone());
        self.inheritance = next;
        Failures::new()
    }

    /// Does the work that is left; what is to be forgotten may wait.
    fn work(&mut self, forgetting: Forgetting) -> Failures {
        let mut failures = Failures::new();
        loop {
            let is_due =
                |work: &&Work| forgetting == Forgetting::Now || !matches!(work, Work::Forget(_));
            let Some(work) = self.directory.work().iter().find(is_due).cloned() else {
                return failures;
            };
            let law = Law::new(&self.snapshot);
            let plan = self.actor(&law).step(&work);
            self.directory.commit_step(&work, &plan).unwrap();
            failures.extend(told(&plan.held_back));
        }
    }

    fn resources(&self) -> BTreeMap<String, Resource> {
        let forgets = self.directory.forgets();
        let resources = self.directory.resources().filter_map(|resource| {
            let resource = settled(resource.clone(), &forgets);
            let id = resource.arn.as_str().rsplit('/').next().unwrap();
            RESOURCES
                .contains(&id)
                .then(|| (resource.arn.to_string(), plain(&resource)))
        });
        resources.collect()
    }

    fn links(&self) -> BTreeSet<(String, String, String)> {
        let text = |link: &Link| {
            let ends = (link.primary.to_string(), link.associated.to_string());
            (ends.0, ends.1, link.rule.to_string())
        };
        let all = self.directory.all_links(None, usize::MAX);
        for link in &all {
            let from = self.directory.links(&link.primary, None, usize::MAX);
            assert!(from.contains(link), "the index by primary holds {link:?}");
        }
        all.iter().map(text).collect()
    }
}

fn plain(resource: &LiveResource) -> Resource {
    let source = |provenance: &Provenance| match provenance {
        Provenance::Own => Source::Own,
        Provenance::Inherited(by) => Source::Primary(by.primary.to_string(), by.rule.to_string()),
        Provenance::Group(group) => Source::Group(group.to_string()),
        Provenance::Correction => Source::Correction,
    };
    let tags = resource.tags.iter().map(|(key, tag)| {
        let value = (tag.value.to_string(), source(&tag.provenance));
        (key.to_string(), value)
    });
    let primaries = resource.primaries.iter();
    Resource {
        account: "1".to_owned(),
        region: "cn-hangzhou".to_owned(),
        kind: KIND.to_owned(),
        group: resource.group.as_ref().map(ToString::to_string),
        tags: tags.collect(),
        primaries: primaries
            .map(|one| (one.primary.to_string(), one.rule.to_string()))
            .collect(),
    }
}

fn told(failures: &[Failure]) -> Failures {
    let one = |failure: &Failure| {
        let key = failure.key.as_ref().map(ToString::to_string);
        (failure.arn.to_string(), key, failure.code)
    };
    failures.iter().map(one).collect()
}

/// The rules after a change of them.
fn governed(before: &Inheritance, happening: &Happening) -> Inheritance {
    let mut next = before.clone();
    for own in next.accounts.values_mut().map(Arc::make_mut) {
        if let Happening::Feature(status) = happening {
            own.feature = *status;
        }
        if let Happening::Rule(rule, setting) = happening {
            own.rules
                .insert(RuleId::try_from(*rule).unwrap(), setting.clone());
        }
    }
    next
}

/// The naive directory of a world.
fn naive(world: &World) -> Directory<'static> {
    let snapshot = &SNAPSHOTS[world.snapshot];
    let policy = snapshot.tags.account("1").map(|node| {
        let policy = &*node.policies.enforce.policy;
        let known = capabilities(&snapshot.catalog, policy, KIND);
        (policy, known.unwrap_or(TagCapabilities::ALL))
    });
    let groups = GROUPS.iter().map(ToString::to_string);
    Directory {
        resources: BTreeMap::new(),
        groups: groups.zip(world.groups.iter().cloned()).collect(),
        inheritance: inheritance(),
        settings: world.settings.clone(),
        regions: shipped::catalog()
            .regions
            .iter()
            .map(ToString::to_string)
            .collect(),
        policy,
        closed: world.closed.iter().map(|id| arn_text(id)).collect(),
    }
}

fn happen(directory: &mut Directory<'_>, happening: &Happening) -> Failures {
    match happening {
        Happening::Put(id, group, tags) => {
            let tags = tags.iter();
            let resource = Resource {
                account: "1".to_owned(),
                region: "cn-hangzhou".to_owned(),
                kind: KIND.to_owned(),
                group: group.map(str::to_owned),
                tags: tags
                    .map(|(key, value)| (key.clone(), (value.clone(), Source::Own)))
                    .collect(),
                primaries: BTreeSet::new(),
            };
            directory.put(&arn_text(id), &resource)
        }
        Happening::Remove(id) => directory.remove(&arn_text(id)),
        Happening::Move(id, group) => directory.move_to(&arn_text(id), *group),
        Happening::Tag(id, tags) => directory.tag(&arn_text(id), tags),
        Happening::Untag(id, keys) => {
            let keys = keys.as_ref();
            let keys: Option<BTreeSet<String>> =
                keys.map(|keys| keys.iter().map(ToString::to_string).collect());
            directory.untag(&arn_text(id), keys.as_ref())
        }
        Happening::Associate(primary, associated, rule) => {
            directory.associate(&arn_text(primary), &arn_text(associated), rule)
        }
        Happening::Dissociate(primary, associated, rule) => {
            directory.dissociate(&arn_text(primary), &arn_text(associated), rule)
        }
        Happening::Remediate(id) => directory.remediate(&arn_text(id)),
        Happening::Feature(_) | Happening::Rule(..) => {
            let next = governed(&directory.inheritance, happening);
            directory.govern(&next)
        }
    }
}

/// What was reached, so that worlds in which nothing happens do not pass.
type Seen = BTreeSet<&'static str>;

fn see(seen: &mut Seen, resources: &BTreeMap<String, Resource>, failures: &Failures) {
    let tags = resources
        .values()
        .flat_map(|resource| resource.tags.values());
    seen.extend(tags.map(|(_, source)| match source {
        Source::Own => "own",
        Source::Primary(..) => "primary",
        Source::Group(_) => "group",
        Source::Correction => "correction",
    }));
    seen.extend(failures.iter().map(|(_, _, code)| code.as_str()));
}

const REACHED: [&str; 9] = [
    "Forbidden.TagPolicy",
    "INHERITANCE_BLOCKED",
    "InvalidResourceId.NotFound",
    "NoPermission.Tag",
    "QuotaExceed.Tags",
    "correction",
    "group",
    "own",
    "primary",
];

/// The first difference between the two.
fn difference(world: &World, seen: &mut Seen) -> Result<(), String> {
    let (mut machine, mut directory) = (Machine::new(world), naive(world));
    for (place, (happening, forgetting)) in world.events.iter().enumerate() {
        let expected = happen(&mut directory, happening);
        let mut found = machine.happen(happening);
        found.extend(machine.work(*forgetting));
        let at = format!("event {place}, {happening:?}");
        let resources = machine.resources();
        see(seen, &resources, &found);
        if resources != directory.resources {
            let all: BTreeSet<&String> =
                resources.keys().chain(directory.resources.keys()).collect();
            let first = all
                .into_iter()
                .find(|arn| resources.get(*arn) != directory.resources.get(*arn));
            let first = first.unwrap();
            return Err(format!(
                "{at}: {first}\n machine {:?}\n naive {:?}",
                resources.get(first),
                directory.resources.get(first)
            ));
        }
        if machine.links() != directory.links() {
            return Err(format!("{at}: the index of associations"));
        }
        if found != expected {
            return Err(format!(
                "{at}: failures\n machine {found:?}\n naive {expected:?}"
            ));
        }
    }
    repaired(&mut machine)
}

/// security 5.3: "`Remediate` twice writes nothing the second time".
fn repaired(machine: &mut Machine) -> Result<(), String> {
    let known: Vec<Arn> = RESOURCES
        .iter()
        .map(|id| arn(id))
        .filter(|arn| machine.directory.find(arn.as_str()).is_some())
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    machine.work(Forgetting::Now);
    machine.call(|actor| actor.remediate(&known));
    machine.work(Forgetting::Now);
    let law = Law::new(&machine.snapshot);
    let again = machine.actor(&law).remediate(&known).unwrap();
    if again.writes.is_empty() && again.left.is_empty() {
        Ok(())
    } else {
        Err(format!("a second repair writes {:?}", again.writes))
    }
}

#[test]
fn machine_and_reference_agree_after_every_event() {
    let cases = std::env::var("TAGWARDEN_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(500);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let seen = RefCell::new(Seen::new());
    let run = runner.run(&worlds(), |world| {
        difference(&world, &mut seen.borrow_mut()).map_err(TestCaseError::fail)
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    let seen: Vec<&str> = seen.into_inner().into_iter().collect();
    assert_eq!(seen, REACHED);
}
