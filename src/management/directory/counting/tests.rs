//! The counters equal a count of everything, whatever was written and in whatever order.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::compiler::compile;
use crate::document::shipped;
use crate::document::tag_policy::read_tag_policy;
use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn};
use crate::model::bundle::Bundle;
use crate::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use crate::model::resource::{LiveResource, LiveTag, Provenance, Version};
use crate::model::tag_policy::Dialect;
use crate::model::verdict::limits;

const POLICIES: [&str; 2] = [
    r#"{"tags": {"env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["1", "2"]}}},
        "rg_inherit": {"a": {"tag_key": {"@@assign": "a"}}}}"#,
    r#"{"tags": {"env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["2"]},
            "resource_type_scope": {"@@assign": ["ecs:disk"]}},
          "a": {"tag_key": {"@@assign": "a"}, "tag_value": {"@@assign": ["*"]}}}}"#,
];

/// Without tag policies, and with one of them for accounts 1 and 2.
static SNAPSHOTS: LazyLock<Vec<Arc<Snapshot>>> = LazyLock::new(|| {
    let with = POLICIES.into_iter().map(Some);
    let all = std::iter::once(None).chain(with);
    all.map(|policy| Arc::new(snapshot(policy))).collect()
});

fn snapshot(policy: Option<&str>) -> Snapshot {
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let name = Name::try_from("p").unwrap();
    let read = |text| read_tag_policy(text, Some(Dialect::Alibaba)).unwrap().value;
    let member = |text| Member {
        account: account(text),
        control: Vec::new(),
        tag: Vec::new(),
    };
    let organization = Organization {
        id: "rd".to_owned(),
        management: account("9"),
        dialect: Dialect::Alibaba,
        root: Node {
            name: "Root".to_owned(),
            control: Vec::new(),
            tag: vec![TagAttachment {
                policy: name.clone(),
                mode: TagMode::Report,
            }],
            folders: Vec::new(),
            members: vec![member("1"), member("2")],
        },
    };
    let policies = policy.into_iter().map(|text| (name.clone(), read(text)));
    compile(&Bundle {
        catalog: shipped::catalog().clone(),
        control_policies: shipped::control_policies().clone(),
        system_policies: shipped::system_policies().clone(),
        tag_policies: policies.collect(),
        organizations: policy.map(|_| organization).into_iter().collect(),
        ..Bundle::default()
    })
    .unwrap()
}

type Tags = BTreeMap<&'static str, &'static str>;

/// The group and the tags of a resource; `None`: it is removed.
type Next = Option<(Option<&'static str>, Tags)>;

/// Key and type, and how many come to each outcome.
type Row = (Option<(String, String)>, [u64; KeyOutcome::ALL.len()]);

#[derive(Debug, Clone)]
enum Happening {
    /// Some resources are written at once: with these tags in this group, or removed.
    Write(Vec<(usize, Next)>),
    /// Other policies come into force.
    Publish(usize),
    /// The count goes a step further.
    Step,
    /// Everything is replaced by the first resources.
    Replace(usize),
}

/// Resources of three accounts in two regions, and two resource groups.
const ARNS: [&str; 10] = [
    "acs:ecs:cn-hangzhou:1:instance/a",
    "acs:ecs:cn-hangzhou:1:instance/b",
    "acs:ecs:cn-hangzhou:1:disk/a",
    "acs:ecs:cn-beijing:1:instance/a",
    "acs:ecs:cn-hangzhou:2:instance/a",
    "acs:ecs:cn-hangzhou:2:disk/a",
    "acs:ecs:cn-hangzhou:3:instance/a",
    "acs:ecs:cn-shanghai:0:instance/a",
    "acs:resourcemanager:*:1:resourcegroup/g1",
    "acs:resourcemanager:*:2:resourcegroup/g1",
];

fn happening() -> impl Strategy<Value = Happening> {
    let keys = || select(vec!["env", "ENV", "a", "b"]);
    let tags = btree_map(keys(), select(vec!["1", "2", "3"]), 0..4);
    let group = option::of(select(vec!["g1", "g2"]));
    let write = (0..ARNS.len(), option::weighted(0.8, (group, tags)));
    let writes = vec(write, 1..4).prop_map(|mut writes| {
        writes.sort_by_key(|(arn, _)| *arn);
        writes.dedup_by_key(|(arn, _)| *arn);
        Happening::Write(writes)
    });
    prop_oneof![
        8 => writes,
        1 => (0..=POLICIES.len()).prop_map(Happening::Publish),
        4 => Just(Happening::Step),
        1 => (0..ARNS.len()).prop_map(Happening::Replace),
    ]
}

fn live(arn: usize, group: Option<&str>, tags: &Tags) -> LiveResource {
    let own = |value: &str| LiveTag {
        value: value.into(),
        provenance: Provenance::Own,
    };
    let tags = tags.iter().map(|(key, value)| ((*key).into(), own(value)));
    LiveResource {
        arn: Arn::try_from(ARNS[arn]).unwrap(),
        account: None,
        region: None,
        kind: None,
        group: group.map(|group| Name::try_from(group).unwrap()),
        version: Version(1),
        tags: tags.collect(),
        primaries: Vec::new(),
    }
}

/// A writer's directory with its counters.
struct World {
    directory: Directory,
    counting: Counting,
    told: Compliance,
    newest: usize,
}

impl World {
    fn new() -> Self {
        let told = Compliance::default();
        let outdated = Arc::new(Notify::new());
        Self {
            directory: Directory::default(),
            counting: Counting::new(told.clone(), outdated),
            told,
            newest: 0,
        }
    }

    fn newest(&self) -> &'static Arc<Snapshot> {
        &SNAPSHOTS[self.newest]
    }

    fn step(&mut self) -> Option<Duration> {
        let newest = self.newest();
        self.counting.step(&self.directory, Some(newest))
    }

    fn write(&mut self, writes: &[Write]) {
        let before = self.counting.before(&self.directory, writes);
        self.directory.apply(writes);
        self.counting.after(&self.directory, writes, &before);
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Write(writes) => {
                let writes = writes.iter().map(|(arn, next)| Write {
                    arn: Arn::try_from(ARNS[*arn]).unwrap(),
                    expected: None,
                    next: next.as_ref().map(|(group, tags)| live(*arn, *group, tags)),
                });
                self.write(&writes.collect::<Vec<_>>());
            }
            Happening::Publish(snapshot) => self.newest = *snapshot,
            Happening::Step => {
                let _ = self.step();
            }
            Happening::Replace(many) => {
                let tags = Tags::from([("env", "1")]);
                let all = (0..*many).map(|arn| live(arn, Some("g1"), &tags));
                self.directory.replace_live(all.collect());
                self.counting.replaced();
            }
        }
    }

    /// A count of everything by what is in force.
    fn counted(&self) -> ByKey {
        let mut counts = ByKey::default();
        let detector = Detector {
            directory: &self.directory,
            snapshot: self.newest(),
        };
        for arn in ARNS {
            let Some(entry) = self.directory.find(arn) else {
                continue;
            };
            detector.detect(&entry, |detected| {
                for (key, outcome) in detected.outcomes() {
                    counts.add(key, detected.kind(), outcome);
                }
            });
        }
        counts
    }
}

fn rows(counts: &ByKey) -> Vec<Row> {
    let rows = counts.iter().map(|counted| {
        let pair = counted.pair;
        let pair = pair.map(|(key, kind)| (key.to_owned(), kind.to_owned()));
        (pair, KeyOutcome::ALL.map(|outcome| counted.of(outcome)))
    });
    rows.collect()
}

proptest! {
    #[test]
    fn the_counters_equal_a_count_of_everything(
        happenings in vec(happening(), 0..40),
        after in vec(happening(), 0..6),
    ) {
        let mut world = World::new();
        for happening in happenings {
            world.happen(&happening);
        }
        while world.step().is_some() {}
        prop_assert_eq!(rows(&world.told.read().0), rows(&world.counted()));
        // From there on they follow every write at once, but where one moves others.
        for happening in after {
            world.happen(&happening);
            if world.told.read().1 > Duration::ZERO || world.step().is_some() {
                while world.step().is_some() {}
            }
            let (counts, stale) = world.told.read();
            prop_assert_eq!(rows(&counts), rows(&world.counted()));
            prop_assert_eq!(stale, Duration::ZERO);
        }
    }
}

/// Beyond the limit the sums still agree.
#[test]
fn what_is_beyond_the_limit_is_counted_together() {
    let mut world = World::new();
    world.newest = 1;
    while world.step().is_some() {}
    let kinds = limits::SERIES + 50;
    let write = |number: usize, tags: &Tags, is_there: bool| {
        let arn = format!("acs:ecs:cn-hangzhou:1:kind{number}/a");
        let arn = Arn::try_from(&*arn).unwrap();
        let next = LiveResource {
            arn: arn.clone(),
            ..live(0, None, tags)
        };
        Write {
            arn,
            expected: None,
            next: is_there.then_some(next),
        }
    };
    let all = |tags: &Tags, is_there| -> Vec<Write> {
        let numbers = (0..kinds).rev();
        numbers
            .map(|number| write(number, tags, is_there))
            .collect()
    };
    let total = |world: &World, outcome| world.told.read().0.total(outcome);
    let many = u64::try_from(kinds).unwrap();
    world.write(&all(&Tags::new(), true));
    assert_eq!(total(&world, KeyOutcome::Missing), many);
    assert_eq!(world.told.read().0.iter().count(), limits::SERIES + 1);
    world.write(&all(&Tags::from([("env", "1")]), true));
    assert_eq!(total(&world, KeyOutcome::Missing), 0);
    assert_eq!(total(&world, KeyOutcome::Compliant), many);
    world.write(&all(&Tags::new(), false));
    assert_eq!(world.told.read().0.iter().count(), 0);
}
