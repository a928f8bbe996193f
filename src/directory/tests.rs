//! Random directories against plain scans: what is found, counted and linked after every change.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::model::inheritance::RuleId;
use crate::model::resource::{Association, LiveTag, Provenance};
use crate::model::tag::{TagRef, TagSet};

const KEYS: [&str; 4] = ["env", "env2", "team", "cost-env"];
const VALUES: [&str; 5] = ["", "prod", "prod-eu", "x-prod", "test"];
const REGIONS: [&str; 3] = ["", "cn-a", "cn-b"];
const TYPES: [&str; 2] = ["instance", "disk"];

fn resource(arn: &str) -> Resource {
    Resource {
        arn: arn.try_into().unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: TagSet::default(),
    }
}

#[test]
fn a_reload_leaves_nothing_of_the_old_state() {
    let directory = Directory::default();
    assert!(directory.is_empty());
    directory.replace([
        resource("acs:ecs::1:instance/a"),
        resource("acs:ecs::1:instance/b"),
    ]);
    let held = directory.find("acs:ecs::1:instance/a").unwrap();
    directory.replace([resource("acs:ecs::1:instance/b")]);
    assert!(directory.find("acs:ecs::1:instance/a").is_none());
    assert!(directory.find("acs:ecs::1:instance/b").is_some());
    assert_eq!((directory.len(), held.arn()), (1, "acs:ecs::1:instance/a"));
}

#[test]
fn what_is_read_beside_is_what_is_put_at_once() {
    let tagged = |number: usize| {
        let mut resource = resource(&format!("acs:ecs:cn-a:1:instance/{number:05}"));
        let value = format!("host-{}", number / 3);
        let tag = TagRef {
            key: "Name",
            value: &value,
        };
        resource.tags = TagSet::new(vec![tag.into()]).unwrap();
        LiveResource {
            version: Version(7),
            ..resource.into()
        }
    };
    let (beside, at_once) = (Directory::default(), Directory::default());
    let read = |each: &mut dyn FnMut(LiveResource)| (0..5_000).map(tagged).for_each(each);
    let (filling, ()) = Filling::while_read(5_000, read).unwrap();
    beside.fill(filling);
    at_once.replace_live((0..5_000).map(tagged).collect());
    let index = |directory: &Directory| format!("{:?}", directory.index());
    assert_eq!(index(&beside), index(&at_once));
    assert_eq!((beside.len(), beside.newest()), (5_000, Version(7)));
    for number in [0, 4_999] {
        let live = tagged(number);
        assert_eq!(beside.live(live.arn.as_str()), Some(live));
    }
}

/// What is drawn of a resource: region, type, number, kept type, group, tags, primaries.
fn live() -> impl Strategy<Value = LiveResource> {
    let tags = prop::collection::btree_map(select(&KEYS[..]), select(&VALUES[..]), 0..4);
    let parts = (
        select(&REGIONS[..]),
        select(&TYPES[..]),
        0..30_u32,
        prop::option::of(Just("ecs:other")),
        prop::option::of(select(vec!["rg-1", "rg-2"])),
        tags,
        prop::collection::btree_set(0..5_u32, 0..3),
        select(vec!["1", "2", ""]),
    );
    parts.prop_map(
        |(region, kind, id, kept, group, tags, primaries, account)| {
            let arn = format!("acs:ecs:{region}:{account}:{kind}/{id}");
            let foreign = |key: &str| match key {
                "team" => Provenance::Correction,
                _ => Provenance::Own,
            };
            let tags = tags.into_iter().map(|(key, value)| {
                let provenance = foreign(key);
                let value = value.into();
                (key.into(), LiveTag { value, provenance })
            });
            let primary = |id: u32| Association {
                primary: Arn::try_from(&*format!("acs:ecs:cn-a:1:cluster/{id}")).unwrap(),
                rule: RuleId::try_from("rule:a").unwrap(),
            };
            LiveResource {
                arn: Arn::try_from(&*arn).unwrap(),
                account: account.is_empty().then(|| "1".try_into().unwrap()),
                region: region.is_empty().then(|| "cn-b".into()),
                kind: kept.map(Into::into),
                group: group.map(|name| name.try_into().unwrap()),
                version: Version::default(),
                tags: tags.collect(),
                primaries: primaries.into_iter().map(primary).collect(),
            }
        },
    )
}

#[derive(Debug, Clone)]
enum Change {
    Put(LiveResource),
    Remove(usize),
    Replace(Vec<LiveResource>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        20 => live().prop_map(Change::Put),
        6 => any::<usize>().prop_map(Change::Remove),
        1 => prop::collection::vec(live(), 0..20).prop_map(Change::Replace),
    ]
}

type Naive = BTreeMap<String, LiveResource>;

fn make(directory: &Directory, naive: &mut Naive, change: Change) {
    let write = |arn: &Arn, next| Write {
        arn: arn.clone(),
        expected: None,
        next,
    };
    match change {
        Change::Put(live) => {
            naive.insert(live.arn.to_string(), live.clone());
            directory.apply(&[write(&live.arn, Some(live.clone()))]);
        }
        Change::Remove(place) => {
            let arns: Vec<Arn> = naive.values().map(|live| live.arn.clone()).collect();
            if let Some(arn) = arns.get(place % arns.len().max(1)) {
                naive.remove(arn.as_str());
                directory.apply(&[write(arn, None)]);
            }
        }
        Change::Replace(lives) => {
            naive.clear();
            naive.extend(
                lives
                    .iter()
                    .map(|live| (live.arn.to_string(), live.clone())),
            );
            directory.replace_live(lives);
        }
    }
}

fn text_match() -> impl Strategy<Value = TextMatch> {
    let texts = select(vec!["env", "prod", "e", "", "team", "-", "x"]);
    (0..3, texts).prop_map(|(kind, text)| match kind {
        0 => TextMatch::Exact(text.into()),
        1 => TextMatch::Prefix(text.into()),
        _ => TextMatch::Infix(text.into()),
    })
}

fn query() -> impl Strategy<Value = Query> {
    let senses = select(vec![Sense::Has, Sense::Has, Sense::Lacks]);
    let filter = (
        text_match(),
        prop::collection::vec(text_match(), 0..3),
        senses,
    );
    let filter = filter.prop_map(|(key, values, sense)| Filter { key, values, sense });
    let kinds = Kinds {
        kept: vec!["ecs:other".into()],
        told: vec!["ecs:disk".into()],
    };
    let parts = (
        prop::collection::vec(select(&REGIONS[..]), 0..2),
        prop::option::weighted(0.3, Just(kinds)),
        prop::option::weighted(0.3, Just("rg-1")),
        prop::collection::vec(filter, 0..3),
    );
    parts.prop_map(|(regions, kinds, group, filters)| Query {
        scope: Scope {
            account: "1".into(),
            regions: regions.into_iter().map(Into::into).collect(),
            kinds,
            groups: group
                .map(|name| name.try_into().unwrap())
                .into_iter()
                .collect(),
        },
        filters,
    })
}

/// The same question, resource by resource.
fn is_in_scope(live: &LiveResource, scope: &Scope) -> bool {
    let region = live.region().unwrap_or_default();
    let told = format!("ecs:{}", live.arn.fields().id().split('/').next().unwrap());
    let of_kind = |kinds: &Kinds| match &live.kind {
        Some(kind) => kinds.kept.contains(kind),
        None => kinds.told.contains(&told.into_boxed_str()),
    };
    live.owner() == Some("1")
        && (scope.regions.is_empty() || scope.regions.iter().any(|one| &**one == region))
        && scope.kinds.as_ref().is_none_or(of_kind)
        && (scope.groups.is_empty()
            || live
                .group
                .as_ref()
                .is_some_and(|one| scope.groups.contains(one)))
}

fn means(asked: &TextMatch, text: &str) -> bool {
    match asked {
        TextMatch::Exact(exact) => &**exact == text,
        TextMatch::Prefix(start) => text.get(..start.len()) == Some(start),
        TextMatch::Infix(part) => text.matches(&**part).next().is_some(),
    }
}

fn holds(live: &LiveResource, filter: &Filter) -> bool {
    let has = live.tags.iter().any(|(key, tag)| {
        let values = &filter.values;
        means(&filter.key, key)
            && (values.is_empty() || values.iter().any(|value| means(value, &tag.value)))
    });
    has == (filter.sense == Sense::Has)
}

/// All pages of a query, each of at most `reach`.
fn pages(directory: &Directory, query: &Query, reach: Reach) -> Vec<Entry> {
    let (mut found, mut from) = (Vec::new(), Position::default());
    loop {
        let step = directory.step(query, &from, reach);
        assert!(step.is_exact, "so few tags are combined");
        assert!(step.found.len() <= reach.found && step.passed <= reach.passed);
        found.extend(step.found.into_iter().map(|(_, entry)| entry));
        match step.next {
            Some(next) => from = next,
            None => return found,
        }
    }
}

fn check(directory: &Directory, naive: &Naive, query: &Query) {
    let meant = naive
        .values()
        .filter(|live| is_in_scope(live, &query.scope));
    let found = meant
        .clone()
        .filter(|live| query.filters.iter().all(|one| holds(live, one)));
    let expected: BTreeSet<&str> = found.map(|live| live.arn.as_str()).collect();
    for reach in [(1, 7), (3, u32::MAX), (1_000, u32::MAX)] {
        let (found, passed) = reach;
        let all = pages(directory, query, Reach { found, passed });
        let arns: BTreeSet<&str> = all.iter().map(Entry::arn).collect();
        assert_eq!(arns.len(), all.len(), "found once");
        assert_eq!(arns, expected, "{query:?}");
        assert!(all.iter().all(|entry| query.holds(entry.tags())));
    }
    let mut keys: BTreeMap<&str, u64> = BTreeMap::new();
    let mut values: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, tag) in meant.flat_map(|live| &live.tags) {
        *keys.entry(key).or_default() += 1;
        *values.entry(&tag.value).or_default() += u64::from(&**key == "env");
    }
    values.retain(|_, count| *count > 0);
    let asked = query.filters.first().map(|filter| &filter.key);
    for (listed, expected) in [(Listed::Keys, keys), (Listed::ValuesOf("env"), values)] {
        let asked_for = |text: &&str| asked.is_none_or(|asked| means(asked, text));
        let expected = expected.into_iter().filter(|(text, _)| asked_for(text));
        let expected: BTreeMap<Arc<str>, u64> =
            expected.map(|(text, count)| (text.into(), count)).collect();
        for most in [1, 100] {
            let counted = texts(directory, &query.scope, listed, asked, most);
            assert_eq!(counted, expected);
        }
    }
}

fn texts(
    directory: &Directory,
    scope: &Scope,
    listed: Listed<'_>,
    asked: Option<&TextMatch>,
    most: usize,
) -> BTreeMap<Arc<str>, u64> {
    let (mut all, mut after) = (BTreeMap::new(), None::<Arc<str>>);
    loop {
        let turn = Turn {
            asked,
            after: after.as_deref(),
            most,
        };
        let page = directory.texts(scope, listed, turn);
        assert!(page.counted.len() <= most);
        for (text, count) in page.counted {
            assert!(all.insert(text, count).is_none(), "told once");
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

fn check_whole(directory: &Directory, naive: &Naive) {
    assert_eq!(directory.len(), naive.len());
    for (arn, live) in naive {
        assert_eq!(directory.live(arn).as_ref(), Some(live));
    }
    let mut links: Vec<Link> = Vec::new();
    for live in naive.values() {
        links.extend(live.primaries.iter().map(|one| Link {
            primary: one.primary.clone(),
            associated: live.arn.clone(),
            rule: one.rule.clone(),
        }));
    }
    links.sort();
    let mut found: Vec<Link> = Vec::new();
    loop {
        let more = directory.all_links(found.last(), 2);
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    assert_eq!(found, links);
}

proptest! {
    #[test]
    fn searches_and_counts_agree_with_scans_after_every_change(
        changes in prop::collection::vec(change(), 1..60),
        queries in prop::collection::vec(query(), 4),
    ) {
        let (directory, mut naive) = (Directory::default(), Naive::new());
        for (step, change) in changes.into_iter().enumerate() {
            make(&directory, &mut naive, change);
            check(&directory, &naive, &queries[step % queries.len()]);
            check_whole(&directory, &naive);
        }
        // Nothing is kept of what is gone.
        let write = |arn: Arn| Write { arn, expected: None, next: None };
        let all: Vec<Write> = naive.into_values().map(|live| write(live.arn)).collect();
        directory.apply(&all);
        prop_assert_eq!(format!("{:?}", directory.index()), format!("{:?}", Index::default()));
    }

    #[test]
    fn what_stays_is_found_exactly_once_while_others_come_and_go(
        stay in prop::collection::vec(live(), 1..20),
        changes in prop::collection::vec(change(), 1..40),
        query in query(),
        reach in 1..9_u32,
    ) {
        let (directory, mut naive) = (Directory::default(), Naive::new());
        directory.replace_live(stay.clone());
        let stay: Naive = stay.into_iter().map(|live| (live.arn.to_string(), live)).collect();
        naive.extend(stay.clone());
        let (mut found, mut from) = (Vec::new(), Some(Position::default()));
        let mut changes = changes.into_iter();
        while let Some(at) = from {
            let step = directory.step(&query, &at, Reach { found: 2, passed: reach });
            found.extend(step.found.into_iter().map(|(_, entry)| entry.arn().to_owned()));
            from = step.next;
            // Whatever happens leaves those that stay as they are.
            match changes.next() {
                Some(Change::Put(live)) if stay.contains_key(live.arn.as_str()) => {}
                Some(Change::Replace(mut lives)) => {
                    lives.retain(|live| !stay.contains_key(live.arn.as_str()));
                    lives.extend(stay.values().cloned());
                    make(&directory, &mut naive, Change::Replace(lives));
                }
                Some(Change::Remove(place)) => {
                    let arns: Vec<String> = naive.keys().cloned().collect();
                    let arn = &arns[place % arns.len()];
                    if !stay.contains_key(arn) {
                        make(&directory, &mut naive, Change::Remove(place));
                    }
                }
                Some(change @ Change::Put(_)) => make(&directory, &mut naive, change),
                None => {}
            }
        }
        for (arn, live) in &stay {
            let expected = is_in_scope(live, &query.scope) && query.filters.iter().all(|one| holds(live, one));
            let times = found.iter().filter(|one| *one == arn).count();
            prop_assert_eq!(times, usize::from(expected), "{}", arn);
        }
    }
}

#[test]
fn a_filter_that_means_too_much_is_left_to_the_reader() {
    let directory = Directory::default();
    let tagged = |number: u32| {
        let mut resource = resource(&format!("acs:ecs:cn-a:1:instance/{number}"));
        let value = format!("host-{number}");
        let tag = TagRef {
            key: "Name",
            value: &value,
        };
        resource.tags = TagSet::new(vec![tag.into()]).unwrap();
        resource
    };
    directory.replace((0..5_000).map(tagged));
    let query = Query {
        scope: Scope {
            account: "1".into(),
            regions: Vec::new(),
            kinds: None,
            groups: Vec::new(),
        },
        filters: vec![Filter {
            key: TextMatch::Exact("Name".into()),
            values: vec![TextMatch::Infix("7".into())],
            sense: Sense::Has,
        }],
    };
    let reach = Reach {
        found: 10_000,
        passed: u32::MAX,
    };
    let step = directory.step(&query, &Position::default(), reach);
    assert_eq!((step.is_exact, step.found.len()), (false, 5_000));
    let found = step
        .found
        .iter()
        .filter(|(_, entry)| query.holds(entry.tags()));
    let expected = (0..5_000).filter(|number| number.to_string().contains('7'));
    assert_eq!(found.count(), expected.count());
}
