//! Random worlds: each principal is told just the resources that the reference evaluator lets it
//! list, with the keys, values and counts of just these.
//!
//! `TAGWARDEN_CASES` tells how many.

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};
use tagwarden::model::arn::PrincipalRef;
use tagwarden::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};
use tagwarden::model::resource::Resource;
use tagwarden::model::verdict::Outcome;
use tagwarden::reference::evaluate;
use tonic::Code;

use super::*;
use crate::support::generate::{World, listing_worlds};

/// Whether the reference lets a principal list the tags of a resource, without obligations.
fn sees(world: &World, resource: &Resource) -> bool {
    let asked = AccessRequest {
        principal: world.request.principal.clone(),
        action: "tag:ListTagResources".to_owned(),
        resources: vec![RequestedResource {
            arn: resource.arn.to_string(),
            tags: None,
            group: None,
        }],
        tags: RequestTags::default(),
        context: BTreeMap::new(),
        current_time: Some(NOW.to_owned()),
        session: SessionClaim::Unstated,
        kind: None,
        understands_obligations: false,
    };
    evaluate(&world.bundle, &asked).is_ok_and(|decision| decision.outcome == Outcome::Allow)
}

/// What is told of one account in pages of a size, or that the caller may not ask.
async fn told(
    client: &mut Client,
    principal: &str,
    account: &str,
    page_size: u32,
) -> Option<(Vec<String>, BTreeMap<String, u64>, BTreeMap<String, u64>)> {
    let (principal, scope) = (
        principal.to_owned(),
        v1::ResourceScope {
            account: account.to_owned(),
            ..v1::ResourceScope::default()
        },
    );
    let search = v1::ListResourcesByTagsRequest {
        principal: principal.clone(),
        scope: Some(scope.clone()),
        page_size,
        ..v1::ListResourcesByTagsRequest::default()
    };
    let found = match resources(client, search).await {
        Ok(found) => arns(&found.told),
        Err(status) => {
            assert!(matches!(
                status.code(),
                Code::PermissionDenied | Code::InvalidArgument
            ));
            return None;
        }
    };
    let asked = v1::ListTagKeysRequest {
        principal: principal.clone(),
        scope: Some(scope.clone()),
        page_size,
        ..v1::ListTagKeysRequest::default()
    };
    let keys = counts(&keys(client, asked).await.unwrap().told);
    let asked = v1::ListTagValuesRequest {
        principal,
        scope: Some(scope),
        key: "env".to_owned(),
        page_size,
        ..v1::ListTagValuesRequest::default()
    };
    let values = counts(&values(client, asked).await.unwrap().told);
    Some((found, keys, values))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_told_just_what_the_reference_lets_it_list() {
    let cases = std::env::var("TAGWARDEN_CASES").ok();
    let cases: u32 = cases.and_then(|text| text.parse().ok()).unwrap_or(400);
    let mut runner = TestRunner::new(Config::default());
    let mut listed = Listed::start();
    let mut client = listed.client().await;
    let (mut nothing, mut some, mut everything) = (0, 0, 0);
    for _ in 0..cases {
        let world = listing_worlds().new_tree(&mut runner).unwrap().current();
        listed.publish(&world.bundle);
        for account in ["1", "2"] {
            let of_account = world.bundle.resources.iter();
            let of_account: Vec<&Resource> = of_account
                .filter(|one| one.owner() == Some(account))
                .collect();
            let seen: BTreeSet<&str> = of_account
                .iter()
                .filter(|one| sees(&world, one))
                .map(|one| one.arn.as_str())
                .collect();
            let mut keys: BTreeMap<String, u64> = BTreeMap::new();
            let mut values: BTreeMap<String, u64> = BTreeMap::new();
            for resource in of_account
                .iter()
                .filter(|one| seen.contains(one.arn.as_str()))
            {
                for tag in resource.tags.iter() {
                    *keys.entry(tag.key.to_owned()).or_default() += 1;
                    if tag.key == "env" {
                        *values.entry(tag.value.to_owned()).or_default() += 1;
                    }
                }
            }
            let principal = &world.request.principal;
            for page_size in [2, 1_000] {
                let Some(found) = told(&mut client, principal, account, page_size).await else {
                    let is_refused = match PrincipalRef::parse(principal) {
                        Ok(PrincipalRef::Root { .. } | PrincipalRef::Role { .. }) | Err(_) => true,
                        Ok(_) => false,
                    };
                    assert!(is_refused, "{world:?}");
                    continue;
                };
                let expected: Vec<String> = seen.iter().map(|arn| (*arn).to_owned()).collect();
                assert_eq!(found, (expected, keys.clone(), values.clone()), "{world:?}");
                match seen.len() {
                    0 => nothing += 1,
                    all if all == of_account.len() => everything += 1,
                    _ => some += 1,
                }
            }
        }
    }
    let least = usize::try_from(cases / 40).unwrap();
    assert!(
        nothing > least && some > least && everything > least,
        "{nothing} see nothing, {some} some, {everything} everything"
    );
}
