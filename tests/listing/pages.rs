//! Pages: tokens that are forged or of another question, changes meanwhile, and what short pages
//! tell.

use tagwarden::model::arn::Arn;
use tagwarden::model::resource::{LiveResource, Resource, Write};
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

fn tagged(arn: &str, tags: &[(&str, &str)]) -> Resource {
    Resource {
        arn: Arn::try_from(arn).unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: TagSet::new(
            tags.iter()
                .map(|&(key, value)| Tag::from(TagRef { key, value }))
                .collect(),
        )
        .unwrap(),
    }
}

fn by_env(principal: &str) -> v1::ListResourcesByTagsRequest {
    v1::ListResourcesByTagsRequest {
        principal: principal.to_owned(),
        filters: vec![has("env", &["prod"])],
        page_size: 1,
        ..v1::ListResourcesByTagsRequest::default()
    }
}

async fn refused(client: &mut Client, ask: v1::ListResourcesByTagsRequest) {
    let status = client
        .list_resources_by_tags(ask.clone())
        .await
        .unwrap_err();
    let told = (status.code(), reason_of(&status).unwrap());
    assert_eq!(
        told,
        (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned()),
        "{ask:?}"
    );
}

#[tokio::test]
async fn a_token_is_for_one_question_of_one_principal() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let mut client = listed.client().await;
    let first = client
        .list_resources_by_tags(by_env(&user("all")))
        .await
        .unwrap();
    let token = first.into_inner().next_page_token;
    let with = |ask: v1::ListResourcesByTagsRequest| v1::ListResourcesByTagsRequest {
        page_token: token.clone(),
        ..ask
    };
    // The size of pages may change on the way.
    let mut other_size = with(by_env(&user("all")));
    other_size.page_size = 7;
    assert_eq!(
        resources(&mut client, other_size).await.unwrap().told.len(),
        4
    );
    refused(&mut client, with(by_env(&user("but-one")))).await;
    let mut other = with(by_env(&user("all")));
    other.filters[0].negated = true;
    refused(&mut client, other).await;
    let mut other = with(by_env(&user("all")));
    other.scope = Some(v1::ResourceScope::default());
    refused(&mut client, other).await;
    for made_up in [
        "x",
        "!",
        &token[1..],
        &format!("{token}A"),
        &token.repeat(100),
    ] {
        let mut other = by_env(&user("all"));
        other.page_token = made_up.to_owned();
        refused(&mut client, other).await;
    }
    // Every single character counts.
    for place in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let mut other = by_env(&user("all"));
        other.page_token = String::from_utf8(bytes).unwrap();
        if other.page_token != token {
            refused(&mut client, other).await;
        }
    }
    // A token of one listing is none of another.
    let keys = client.list_tag_keys(v1::ListTagKeysRequest {
        principal: user("all"),
        page_token: token,
        ..v1::ListTagKeysRequest::default()
    });
    let status = keys.await.unwrap_err();
    assert_eq!(reason_of(&status).unwrap(), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn pages_stay_right_while_resources_come_and_go() {
    let mut listed = Listed::start();
    let arn = |number: usize| format!("acs:ecs:cn-a:1:instance/i-{number}");
    let mut bundle = bundle();
    bundle.resources = (0..40)
        .map(|number| tagged(&arn(number), &[("env", "prod")]))
        .collect();
    listed.publish(&bundle);
    let mut client = listed.client().await;
    for reload in [false, true] {
        let mut ask = by_env(&user("all"));
        ask.page_size = 3;
        let mut told = Vec::new();
        let mut turn = 0;
        loop {
            let page = client
                .list_resources_by_tags(ask.clone())
                .await
                .unwrap()
                .into_inner();
            told.extend(page.resources);
            // Every fourth comes and goes, before and behind the page.
            let gone = bundle
                .resources
                .iter()
                .filter(|one| one.arn.as_str().ends_with('4'));
            let write = |resource: &Resource, next: bool| Write {
                arn: resource.arn.clone(),
                expected: None,
                next: next.then(|| LiveResource::from(resource.clone())),
            };
            if reload {
                let mut resources = bundle.resources.clone();
                resources.retain(|one| turn % 2 == 1 || !one.arn.as_str().ends_with('4'));
                listed.directory.replace(resources);
            } else {
                let writes: Vec<Write> = gone.map(|one| write(one, turn % 2 == 1)).collect();
                listed.directory.apply(&writes);
            }
            turn += 1;
            if page.next_page_token.is_empty() {
                break;
            }
            ask.page_token = page.next_page_token;
        }
        let mut stayed: Vec<String> = told.into_iter().map(|one| one.arn).collect();
        stayed.retain(|arn| !arn.ends_with('4'));
        stayed.sort();
        let mut expected: Vec<String> = (0..40).map(arn).collect();
        expected.retain(|arn| !arn.ends_with('4'));
        expected.sort();
        assert_eq!(stayed, expected, "reload {reload}");
        listed.directory.replace(bundle.resources.clone());
    }
}

/// How many pages there are of a search, and of the keys.
async fn shape(listed: &Listed, who: &str) -> Vec<usize> {
    let mut client = listed.client().await;
    let mut shape = Vec::new();
    for filters in [
        vec![has("env", &["prod"])],
        vec![has("other", &["x"])],
        Vec::new(),
    ] {
        let ask = v1::ListResourcesByTagsRequest {
            principal: user(who),
            filters,
            page_size: 1_000,
            ..v1::ListResourcesByTagsRequest::default()
        };
        let pages = resources(&mut client, ask).await.unwrap();
        assert!(pages.told.is_empty());
        shape.push(pages.count);
    }
    let ask = v1::ListTagKeysRequest {
        principal: user(who),
        page_size: 10,
        ..v1::ListTagKeysRequest::default()
    };
    let pages = keys(&mut client, ask).await.unwrap();
    assert!(pages.told.is_empty());
    shape.push(pages.count);
    shape
}

#[tokio::test]
async fn pages_of_what_is_not_seen_tell_only_how_much_there_is() {
    let mut listed = Listed::start();
    let mut bundle = bundle();
    let resources = |tags: &[(&str, &str)]| -> Vec<Resource> {
        (0..20_000)
            .map(|number| tagged(&format!("acs:ecs:cn-a:1:disk/{number}"), tags))
            .collect()
    };
    let mut shapes = Vec::new();
    for tags in [
        &[("env", "prod")][..],
        &[("other", "x")],
        &[("env", "prod"), ("other", "x"), ("k", "v")],
        &[],
    ] {
        bundle.resources = resources(tags);
        listed.publish(&bundle);
        shapes.push(shape(&listed, "team-a").await);
        assert_eq!(
            shape(&listed, "team-a").await,
            shape(&listed, "nobody").await
        );
    }
    assert_eq!(shapes, vec![vec![2, 2, 2, 1]; 4]);
    // Whoever sees everything is told at once, however rare it is.
    bundle.resources = resources(&[("env", "prod")]);
    bundle
        .resources
        .push(tagged("acs:ecs:cn-a:1:disk/z", &[("rare", "x")]));
    listed.publish(&bundle);
    let mut client = listed.client().await;
    let ask = v1::ListResourcesByTagsRequest {
        principal: user("all"),
        filters: vec![has("rare", &[])],
        page_size: 2,
        ..v1::ListResourcesByTagsRequest::default()
    };
    let pages = super::resources(&mut client, ask).await.unwrap();
    assert_eq!((pages.told.len(), pages.count), (1, 1));
}
