//! Who tells the type of a resource: engine against reference, and the rule by hand.

use std::borrow::Cow;

use proptest::prelude::*;
use proptest::sample::select;
use tagwarden::document::shipped;
use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::engine::compliance::{TypeSources, resource_type};
use tagwarden::model::arn::ResourceName;
use tagwarden::model::catalog::Catalog;
use tagwarden::model::tag_policy::{Dialect, EffectivePolicy};
use tagwarden::reference::compliance::resource_type as refer;

const ARNS: [&str; 10] = [
    "*",
    "acs:ecs:cn-hangzhou:1:instance/i-1",
    "acs:ecs:cn-hangzhou:1:disk/*",
    "acs:ecs:cn-hangzhou:1:*",
    "acs:ecs:cn-hangzhou:1:Instance/i-1",
    "acs:slb:cn-hangzhou:1:loadbalancer/lb-1",
    "acs:slb:cn-hangzhou:1:listener/l-1",
    "acs:oss:cn-hangzhou:1:my-bucket/key",
    "acs:shop:cn-hangzhou:1:cart/7",
    "acs:shop:cn-hangzhou:1:box/7",
];
const TYPES: [&str; 12] = [
    "",
    "ecs:instance",
    "ECS:Instance",
    "ecs:disk",
    "ecs:nosuch",
    "slb:instance",
    "slb:loadbalancer",
    "oss:bucket",
    "shop:cart",
    "shop:box",
    "store:box",
    "nothing",
];

/// The catalog that is shipped, with a service whose types are another service's.
fn catalog() -> Catalog {
    let mut catalog = shipped::catalog().clone();
    let entry = ("shop:crate".into(), "store:box".into());
    catalog.resource_types.extend([entry]);
    catalog
}

fn policy(dialect: Dialect, kind: &str) -> EffectivePolicy {
    let text = format!(r#"{{"tags": {{"k": {{"enforced_for": {{"@@assign": ["{kind}"]}}}}}}}}"#);
    let policy = read_tag_policy(&text, Some(dialect)).unwrap().value;
    let level = vec![("p".into(), &policy)];
    let mut regexes = tagwarden::compiler::effective::Regexes::default();
    let merged = tagwarden::compiler::effective::merge(dialect, &[level], &mut regexes);
    merged.unwrap().policy.as_ref().clone()
}

/// The type that is told, if one is; or that the sent one is not believed.
type Told = Result<Option<String>, ()>;

fn both(
    policies: &[&EffectivePolicy],
    arn: &str,
    stored: Option<&str>,
    sent: &str,
) -> (Told, Told) {
    let catalog = catalog();
    let sources = TypeSources {
        name: ResourceName::parse(arn).unwrap(),
        stored,
        sent,
    };
    let engine = resource_type(&catalog, policies, &sources).map_err(drop);
    (
        engine.map(|kind| kind.map(Cow::into_owned)),
        refer(&catalog, policies, arn, stored, sent).map_err(drop),
    )
}

#[test]
fn a_sent_type_moves_no_resource_out_of_a_scope() {
    let policy = policy(Dialect::Alibaba, "ecs:instance");
    let check = |arn: &str, sent: &str, expected: Result<&str, ()>| {
        let (engine, reference) = both(&[&policy], arn, None, sent);
        assert_eq!(engine, reference, "{arn} {sent}");
        let found = engine.map(Option::unwrap_or_default);
        assert_eq!(found, expected.map(str::to_owned), "{arn} {sent}");
    };
    check(ARNS[1], "", Ok("ecs:instance"));
    check(ARNS[1], "ECS:Instance", Ok("ecs:instance"));
    check(ARNS[1], "ecs:disk", Err(()));
    check(ARNS[2], "ecs:instance", Err(()));
    check(ARNS[3], "ecs:disk", Ok("ecs:disk"));
    check(ARNS[3], "oss:bucket", Err(()));
    check(ARNS[3], "", Ok(""));
    check(ARNS[5], "slb:loadbalancer", Ok("slb:instance"));
    check(ARNS[7], "oss:bucket", Ok("oss:bucket"));
    check(ARNS[7], "ecs:disk", Err(()));
    check(ARNS[8], "store:box", Ok("store:box"));
    check("*", "oss:bucket", Ok("oss:bucket"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn engine_equals_reference_on_types(
        arn in select(&ARNS[..]),
        stored in proptest::option::weighted(0.1, select(&TYPES[1..])),
        sent in select(&TYPES[..]),
        dialect in select(&Dialect::ALL[..2]),
        named in select(&["ecs:nosuch", "shop:cart", "shop:box", "slb:listener"][..]),
    ) {
        let policy = policy(dialect, named);
        let (engine, reference) = both(&[&policy], arn, stored, sent);
        prop_assert_eq!(engine, reference);
    }
}
