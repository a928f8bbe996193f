//! What random events do not reach: calls that are cut into steps, several calls before a commit,
//! whole calls that fail, and whose resources inherit at all.

use std::sync::Arc;

use tagwarden::compiler::compile;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::model::arn::Arn;
use tagwarden::model::inheritance::{Authority, RuleId};
use tagwarden::model::resource::{Link, LiveResource, Provenance, Version};
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::model::tagging::{Cause, FailureCode, Plan, Work};
use tagwarden::snapshot::Snapshot;
use tagwarden::tagging::shape::Form;
use tagwarden::tagging::{
    Actor, CHECKED_STEP, CallError, Description, Edit, Gate, Hand, Keys, Law, Memory, Open,
    Overlay, STEP, Said, View, rule_changes,
};

const DISK: &str = "rule:AttachDisk-DetachDisk-TagInstance:Ecs-Instance:Ecs-Disk";

/// A snapshot of these files, with account 1 of an organization whose account 9 is no member.
fn snapshot(inheritance: &str, policy: Option<&str>) -> Snapshot {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    files.insert("accounts/1/account.json", "{}");
    files.insert("inheritance.json", inheritance.replace("DISK", DISK));
    if let Some(policy) = policy {
        let policy = format!(r#"{{"dialect": "alibaba", "policy": {policy}}}"#);
        files.insert("policies/tag/p.json", policy);
        files.insert(
            "organizations/o.json",
            r#"{"id": "o", "management": "8", "root": {"name": "r", "tag": [{"policy": "p"}],
                "accounts": [{"account": "1"}]}}"#,
        );
    }
    let loaded = read_bundle(&files, Strictness::Strict);
    compile(&loaded.unwrap_or_else(|errors| panic!("{errors}")).bundle).unwrap()
}

const ON: &str =
    r#"{"accounts": {"1": {"feature": "on", "rules": {"DISK": {"status": "enabled"}}}}}"#;

fn arn(text: &str) -> Arn {
    Arn::try_from(text).unwrap()
}

fn instance() -> Arn {
    arn("acs:ecs:cn-hangzhou:1:instance/i")
}

fn disk(number: usize) -> Arn {
    arn(&format!("acs:ecs:cn-hangzhou:1:disk/d{number:04}"))
}

fn link(primary: &Arn, associated: &Arn) -> Link {
    Link {
        primary: primary.clone(),
        associated: associated.clone(),
        rule: RuleId::try_from(DISK).unwrap(),
    }
}

fn described(arn: &Arn, tags: &[(&str, &str)]) -> Description {
    let tag = |(key, value): &(&str, &str)| Tag::from(TagRef { key, value });
    let tags = TagSet::new(tags.iter().map(tag).collect()).unwrap();
    Description {
        arn: arn.clone(),
        account: None,
        region: None,
        kind: None,
        group: Said::Nothing,
        tags: Said::That(tags),
    }
}

fn actor<'a, 's, V: View, G: Gate>(
    view: &'a V,
    law: &'a Law<'s>,
    gate: &'a G,
    at: u64,
) -> Actor<'a, 's, V, G> {
    Actor {
        view,
        law,
        gate,
        principal: Some("acs:ram::1:user/alice".into()),
        at: Version(at),
    }
}

struct World {
    snapshot: Snapshot,
    directory: Memory,
}

impl World {
    fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            directory: Memory::default(),
        }
    }

    fn try_do<G: Gate>(
        &mut self,
        gate: &G,
        call: impl Fn(&Actor<'_, '_, Memory, G>) -> Result<Plan, CallError>,
    ) -> Result<Plan, CallError> {
        let law = Law::new(&self.snapshot);
        let at = self.directory.next_version().0;
        let plan = call(&actor(&self.directory, &law, gate, at))?;
        self.directory.commit(&plan).unwrap();
        Ok(plan)
    }

    fn put(&mut self, arn: &Arn, tags: &[(&str, &str)]) {
        let described = [described(arn, tags)];
        let plan = self.try_do(&Open, |actor| Ok(actor.put(&described)));
        assert_eq!(plan.unwrap().refused, []);
    }

    fn tag(&mut self, arn: &Arn, key: &str, value: &str) -> Plan {
        let (arns, set) = ([arn.clone()], [TagRef { key, value }]);
        let plan = self.try_do(&Open, |actor| {
            actor.tag(Form::Unified, &arns, &set, Hand::User)
        });
        plan.unwrap()
    }

    fn step(&mut self) -> Option<Plan> {
        let work = self.directory.work().first().cloned()?;
        let law = Law::new(&self.snapshot);
        let at = self.directory.next_version().0;
        let plan = actor(&self.directory, &law, &Open, at).step(&work);
        self.directory.commit_step(&work, &plan).unwrap();
        Some(plan)
    }

    fn value(&self, arn: &Arn, key: &str) -> Option<String> {
        let found = self.directory.find(arn.as_str()).unwrap();
        found.get(key).map(str::to_owned)
    }
}

/// An instance with disks, before any of them has a tag.
fn with_disks(snapshot: Snapshot, disks: usize) -> World {
    let mut world = World::new(snapshot);
    world.put(&instance(), &[]);
    for number in 0..disks {
        world.put(&disk(number), &[]);
    }
    for page in (0..disks).collect::<Vec<_>>().chunks(50) {
        let links: Vec<Link> = page
            .iter()
            .map(|number| link(&instance(), &disk(*number)))
            .collect();
        world
            .try_do(&Open, |actor| actor.associate(&links))
            .unwrap();
    }
    world
}

#[test]
fn what_is_too_much_for_one_call_is_done_in_steps() {
    let mut world = with_disks(snapshot(ON, None), 600);
    let first = world.tag(&instance(), "env", "prod");
    assert_eq!((first.writes.len(), first.left.len()), (1 + STEP, 1));
    assert_eq!(world.value(&disk(0), "env").as_deref(), Some("prod"));
    assert_eq!(world.value(&disk(599), "env"), None);
    // A step that is done again, as after a cut, writes nothing new.
    let work = world.directory.work()[0].clone();
    let written = world.step().unwrap().writes.len();
    assert_eq!(written, STEP);
    let law = Law::new(&world.snapshot);
    let at = world.directory.next_version().0;
    let again = actor(&world.directory, &law, &Open, at).step(&work);
    assert_eq!(again.writes, []);
    assert_eq!(world.step().unwrap().writes.len(), 600 - 2 * STEP);
    assert!(world.step().is_none());
    for number in 0..600 {
        assert_eq!(world.value(&disk(number), "env").as_deref(), Some("prod"));
    }
}

#[test]
fn work_that_two_edits_left_ends_in_the_newer_state() {
    let mut world = with_disks(snapshot(ON, None), 600);
    world.tag(&instance(), "env", "prod");
    world.tag(&instance(), "env", "test");
    assert_eq!(world.directory.work().len(), 2);
    while world.step().is_some() {}
    for number in 0..600 {
        assert_eq!(world.value(&disk(number), "env").as_deref(), Some("test"));
    }
}

#[test]
fn a_back_fill_tells_how_far_it_is() {
    let off = ON.replace("enabled", "disabled");
    let mut world = with_disks(snapshot(&off, None), 600);
    world.tag(&instance(), "env", "prod");
    // semantics 62: an edit that is on its way would be carried by a rule that it still meets.
    while world.step().is_some() {}
    assert_eq!(world.value(&disk(0), "env"), None);
    let filling = ON.replace("\"enabled\"", "\"enabled\", \"existing\": true");
    let after = snapshot(&filling, None);
    let cause = Cause {
        principal: None,
        authority: Authority::ServiceRole,
    };
    let at = world.directory.next_version();
    let left = rule_changes(&world.snapshot.inheritance, &after.inheritance, at, &cause);
    assert_eq!(left.len(), 1);
    let plan = Plan {
        left,
        ..Plan::default()
    };
    world.directory.commit(&plan).unwrap();
    world.snapshot = after;
    let mut seen = Vec::new();
    while world.step().is_some() {
        for work in world.directory.work() {
            let Work::Backfill(backfill) = work else {
                panic!("{work:?}");
            };
            seen.push((backfill.progress.seen, backfill.progress.filled));
        }
    }
    assert_eq!(seen, [(256, 256), (512, 512)]);
    for number in 0..600 {
        assert_eq!(world.value(&disk(number), "env").as_deref(), Some("prod"));
    }
}

#[test]
fn an_arn_whose_associations_are_still_ending_is_not_put_again() {
    let mut world = with_disks(snapshot(ON, None), 600);
    world.tag(&instance(), "env", "prod");
    while world.step().is_some() {}
    world
        .try_do(&Open, |actor| actor.remove(&[instance()]))
        .unwrap();
    let again = [described(&instance(), &[("env", "new")])];
    let plan = world.try_do(&Open, |actor| Ok(actor.put(&again))).unwrap();
    assert_eq!(plan.refused[0].code, FailureCode::Conflict);
    while world.step().is_some() {}
    for number in 0..600 {
        let found = world.directory.find(disk(number).as_str()).unwrap();
        assert!(found.tags.is_empty() && found.primaries.is_empty());
    }
    let plan = world.try_do(&Open, |actor| Ok(actor.put(&again))).unwrap();
    assert_eq!(plan.refused, []);
}

#[test]
fn calls_over_an_overlay_come_to_what_calls_one_by_one_do() {
    let mut world = with_disks(snapshot(ON, None), 3);
    let law = Law::new(&world.snapshot);
    let at = world.directory.next_version().0;
    let mut overlay = Overlay::new(&world.directory);
    let tag = |overlay: &Overlay<'_, Memory>, at, arn: Arn, value| {
        let set = [TagRef { key: "env", value }];
        let actor = actor(overlay, &law, &Open, at);
        actor.tag(Form::Unified, &[arn], &set, Hand::User).unwrap()
    };
    let first = tag(&overlay, at, instance(), "prod");
    overlay.apply(&first);
    let ends = [link(&instance(), &disk(1))];
    let second = actor(&overlay, &law, &Open, at + 1)
        .dissociate(&ends)
        .unwrap();
    overlay.apply(&second);
    let third = tag(&overlay, at + 2, instance(), "test");
    overlay.apply(&third);
    let seen = overlay.links(&instance(), None, 1);
    assert_eq!(seen, [link(&instance(), &disk(0))]);
    let seen = overlay.links(&instance(), seen.last(), 1);
    assert_eq!(seen, [link(&instance(), &disk(2))]);
    assert_eq!(overlay.links(&instance(), seen.last(), 1), []);
    for plan in [&first, &second, &third] {
        world.directory.commit(plan).unwrap();
    }
    let values = [0, 1, 2].map(|number| world.value(&disk(number), "env"));
    assert_eq!(values, [Some("test".into()), None, Some("test".into())]);
}

#[test]
fn a_conflict_commits_nothing() {
    let mut world = with_disks(snapshot(ON, None), 1);
    let law = Law::new(&world.snapshot);
    let at = world.directory.next_version().0;
    let set = [TagRef {
        key: "env",
        value: "prod",
    }];
    let stale = actor(&world.directory, &law, &Open, at)
        .tag(Form::Unified, &[instance()], &set, Hand::User)
        .unwrap();
    world.put(&disk(0), &[("own", "x")]);
    let before = world.directory.clone();
    assert_eq!(world.directory.commit(&stale).unwrap_err().0, disk(0));
    assert_eq!(world.directory, before);
}

#[test]
fn a_resource_fails_alone_or_the_call_fails() {
    let mut world = with_disks(snapshot(ON, None), 1);
    let arns = [instance(), disk(7)];
    let set = [TagRef {
        key: "env",
        value: "prod",
    }];
    let whole = world.try_do(&Open, |actor| actor.tag(Form::Ecs, &arns, &set, Hand::User));
    let Err(CallError::Refused(failures)) = whole else {
        panic!("{whole:?}");
    };
    assert_eq!(failures[0].code.as_str(), "InvalidResourceId.NotFound");
    assert_eq!(world.value(&instance(), "env"), None);
    let partial = world.try_do(&Open, |actor| {
        actor.tag(Form::Unified, &arns, &set, Hand::User)
    });
    assert_eq!(partial.unwrap().refused, failures);
    assert_eq!(world.value(&instance(), "env").as_deref(), Some("prod"));
    let shape = world.try_do(&Open, |actor| {
        actor.untag(Form::Unified, &[instance(), instance()], Keys::All)
    });
    let code = match shape {
        Err(CallError::Shape(fault)) => fault.code.as_str(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code, "RESOURCE_DUPLICATE");
    let refused = |key: &str, value: &str| {
        let set = [TagRef { key, value }];
        let law = Law::new(&world.snapshot);
        let actor = actor(&world.directory, &law, &Open, 9_999);
        let plan = actor.tag(Form::Unified, &[instance()], &set, Hand::User);
        plan.unwrap().refused[0].code.as_str()
    };
    assert_eq!(refused("aliyun", "v"), "InvalidTagKey.Malformed");
    assert_eq!(refused("k*", "v"), "InvalidTagKey.Malformed");
    assert_eq!(refused("k", "see http://v"), "InvalidTagValue.Malformed");
}

/// A gate that is shut for disks.
struct NoDisks;

impl Gate for NoDisks {
    fn check(&self, resource: &LiveResource, edit: &Edit<'_>) -> Result<(), FailureCode> {
        assert!(!edit.set.is_empty() || !edit.removed.is_empty());
        self.check_at_all(resource)
    }

    fn check_at_all(&self, resource: &LiveResource) -> Result<(), FailureCode> {
        if resource.arn.as_str().contains(":disk/") {
            Err(FailureCode::NoPermission)
        } else {
            Ok(())
        }
    }
}

#[test]
fn a_checked_rule_writes_what_the_principal_may_write() {
    let env = [TagRef {
        key: "env",
        value: "prod",
    }];
    let tag = |world: &mut World| {
        world
            .try_do(&NoDisks, |actor| {
                actor.tag(Form::Unified, &[instance()], &env, Hand::User)
            })
            .unwrap()
    };
    // The role writes, whoever tags the primary (security 5.1).
    let mut world = with_disks(snapshot(ON, None), 2);
    assert_eq!(tag(&mut world).held_back, []);
    assert_eq!(world.value(&disk(1), "env").as_deref(), Some("prod"));
    // "A rule marked `authorize_associated` is checked like a tag write instead."
    let checked = ON.replace("\"enabled\"", "\"enabled\", \"authorize_associated\": true");
    let mut world = with_disks(snapshot(&checked, None), 2);
    let plan = tag(&mut world);
    let codes: Vec<FailureCode> = plan.held_back.iter().map(|one| one.code).collect();
    assert_eq!(codes, [FailureCode::NoPermission; 2]);
    assert_eq!(world.value(&instance(), "env").as_deref(), Some("prod"));
    assert_eq!(world.value(&disk(1), "env"), None);
}

#[test]
fn an_association_is_a_write_of_the_principal() {
    let mut world = World::new(snapshot(ON, None));
    world.put(&instance(), &[("env", "prod")]);
    world.put(&disk(0), &[]);
    let links = [link(&instance(), &disk(0))];
    let denied = world.try_do(&NoDisks, |actor| actor.associate(&links));
    let Err(CallError::Refused(failures)) = denied else {
        panic!("{denied:?}");
    };
    assert_eq!(failures[0].code, FailureCode::NoPermission);
    assert!(world.directory.all_links(None, 9).is_empty());
    // Also of what has no tags yet: they would come later, and nobody would be asked.
    world.put(&instance(), &[]);
    let denied = world.try_do(&NoDisks, |actor| actor.associate(&links));
    assert!(matches!(denied, Err(CallError::Refused(_))));
    assert!(world.directory.all_links(None, 9).is_empty());
    world.put(&instance(), &[("env", "prod")]);
    world
        .try_do(&Open, |actor| actor.associate(&links))
        .unwrap();
    let denied = world.try_do(&NoDisks, |actor| actor.dissociate(&links));
    assert!(matches!(denied, Err(CallError::Refused(_))));
    assert_eq!(world.value(&disk(0), "env").as_deref(), Some("prod"));
    // Security 5.1: at most 50.
    const { assert!(CHECKED_STEP == 50) };
}

#[test]
fn nothing_is_inherited_from_elsewhere() {
    let mut world = World::new(snapshot(ON, None));
    let near = disk(0);
    let other_region = arn("acs:ecs:cn-shanghai:1:disk/d");
    let other_account = arn("acs:ecs:cn-hangzhou:2:disk/d");
    let other_type = arn("acs:ecs:cn-hangzhou:1:snapshot/s");
    world.put(&instance(), &[("env", "prod")]);
    for arn in [&near, &other_region, &other_account, &other_type] {
        world.put(arn, &[]);
    }
    for far in [&other_region, &other_account, &other_type] {
        let links = [link(&instance(), far)];
        let refused = world.try_do(&Open, |actor| actor.associate(&links));
        let Err(CallError::Refused(failures)) = refused else {
            panic!("{far}: {refused:?}");
        };
        assert_eq!(failures[0].code, FailureCode::AssociationMismatch, "{far}");
    }
    let unknown = [Link {
        rule: RuleId::try_from("rule:x").unwrap(),
        ..link(&instance(), &near)
    }];
    let refused = world.try_do(&Open, |actor| actor.associate(&unknown));
    let Err(CallError::Refused(failures)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(failures[0].code, FailureCode::RuleUnknown);
    let twice = [link(&instance(), &near), link(&instance(), &near)];
    let refused = world.try_do(&Open, |actor| actor.associate(&twice));
    assert!(matches!(refused, Err(CallError::Shape(_))));
}

#[test]
fn it_works_in_the_listed_regions_only() {
    let elsewhere = ON.replace("\"on\"", "\"on\", \"regions\": [\"cn-shanghai\"]");
    let mut world = with_disks(snapshot(&elsewhere, None), 1);
    world.tag(&instance(), "env", "prod");
    assert_eq!(world.value(&disk(0), "env"), None);
    let mut world = World::new(snapshot(ON, None));
    let (from, to) = (
        arn("acs:ecs:mars-1:1:instance/i"),
        arn("acs:ecs:mars-1:1:disk/d"),
    );
    world.put(&from, &[("env", "prod")]);
    world.put(&to, &[]);
    let links = [link(&from, &to)];
    world
        .try_do(&Open, |actor| actor.associate(&links))
        .unwrap();
    assert_eq!(world.value(&to, "env"), None);
}

#[test]
fn excluded_resources_take_nothing_from_their_group() {
    let rg = r#"{"rg_inherit": {"env": {"tag_key": {"@@assign": "env"}}}}"#;
    let excluded = r#"{"accounts": {"1": {"excluded": ["acs:ecs:cn-hangzhou:1:instance/i"]}}}"#;
    let mut world = World::new(snapshot(excluded, Some(rg)));
    world.put(
        &arn("acs:resourcemanager:*:1:resourcegroup/g"),
        &[("env", "prod")],
    );
    let group = "g".try_into().unwrap();
    for arn in [instance(), disk(0)] {
        world.put(&arn, &[]);
        world
            .try_do(&Open, |actor| {
                actor.move_to(std::slice::from_ref(&arn), Some(&group))
            })
            .unwrap();
    }
    assert_eq!(world.value(&instance(), "env"), None);
    let found = world.directory.find(disk(0).as_str()).unwrap();
    let tag = &found.tags[&Arc::from("env")];
    assert_eq!(tag.provenance, Provenance::Group(group));
    assert_eq!(tag.provenance.role(), Some("AliyunServiceRoleForTag"));
}

#[test]
fn what_tag_policies_do_not_know_is_not_written() {
    let env = r#"{"tags": {"env": {"tag_key": {"@@assign": "env"},
        "tag_value": {"@@assign": ["prod"]}, "enforced_for": {"@@assign": ["ecs:disk"]}}}}"#;
    let mut world = World::new(snapshot(ON, Some(env)));
    let outside = arn("acs:ecs:cn-hangzhou:9:instance/i");
    let strange = arn("acs:ecs:cn-hangzhou:1:nothing/i");
    world.put(&outside, &[]);
    world.put(&strange, &[]);
    let plan = world.tag(&outside, "team", "a");
    let code = FailureCode::AccountOutsideOrganization;
    assert_eq!(plan.refused[0].code, code);
    let plan = world.tag(&strange, "team", "a");
    assert_eq!(plan.refused[0].code, FailureCode::ResourceTypeUnknown);
    world.put(&disk(0), &[]);
    let plan = world.tag(&disk(0), "env", "wild");
    assert_eq!(plan.refused[0].code.as_str(), "Forbidden.TagPolicy");
    assert_eq!(world.tag(&disk(0), "env", "prod").refused, []);
}
