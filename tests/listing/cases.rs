//! `cases.jsonl`: what each principal of one small account finds, and what it does not.
//!
//! A case that finds by searches is asked with pages of one, of three and of all; the answers must
//! be the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    principal: String,
    list: List,
    ask: Ask,
    expect: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum List {
    Resources,
    Keys,
    Values,
    Tags,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Ask {
    scope: Option<Scope>,
    filters: Vec<Filter>,
    key: String,
    text: Option<Text>,
    arns: Vec<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
struct Scope {
    account: String,
    regions: Vec<String>,
    types: Vec<String>,
    resource_groups: Vec<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Filter {
    key: Text,
    #[serde(default)]
    values: Vec<Text>,
    #[serde(default)]
    negated: bool,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Text {
    Exact(String),
    Prefix { prefix: String },
    Infix { infix: String },
}

impl From<Text> for v1::TextMatch {
    fn from(text: Text) -> Self {
        let (kind, text) = match text {
            Text::Exact(text) => (v1::TextMatchKind::Exact, text),
            Text::Prefix { prefix } => (v1::TextMatchKind::Prefix, prefix),
            Text::Infix { infix } => (v1::TextMatchKind::Infix, infix),
        };
        Self {
            kind: kind.into(),
            text,
        }
    }
}

impl From<Scope> for v1::ResourceScope {
    fn from(scope: Scope) -> Self {
        let Scope {
            account,
            regions,
            types,
            resource_groups,
        } = scope;
        Self {
            account,
            regions,
            types,
            resource_groups,
        }
    }
}

impl From<Filter> for v1::TagFilter {
    fn from(filter: Filter) -> Self {
        Self {
            key: Some(filter.key.into()),
            values: filter.values.into_iter().map(Into::into).collect(),
            negated: filter.negated,
        }
    }
}

impl Case {
    async fn ask(&self, client: &mut Client, page_size: u32) -> serde_json::Value {
        let (principal, ask) = (user(&self.principal), &self.ask);
        let scope = ask.scope.clone().map(Into::into);
        let text = ask.text.clone().map(Into::into);
        match self.list {
            List::Resources => {
                let asked = v1::ListResourcesByTagsRequest {
                    principal,
                    scope,
                    filters: ask.filters.iter().cloned().map(Into::into).collect(),
                    page_size,
                    page_token: String::new(),
                };
                serde_json::to_value(arns(&resources(client, asked).await.unwrap().told))
            }
            List::Keys => {
                let asked = v1::ListTagKeysRequest {
                    principal,
                    scope,
                    key: text,
                    page_size,
                    page_token: String::new(),
                };
                serde_json::to_value(counts(&keys(client, asked).await.unwrap().told))
            }
            List::Values => {
                let asked = v1::ListTagValuesRequest {
                    principal,
                    scope,
                    key: ask.key.clone(),
                    value: text,
                    page_size,
                    page_token: String::new(),
                };
                serde_json::to_value(counts(&values(client, asked).await.unwrap().told))
            }
            List::Tags => {
                let arns = ask.arns.clone();
                let asked = v1::ListTagResourcesRequest { principal, arns };
                let told = within(client.list_tag_resources(asked)).await.unwrap();
                let told = told.into_inner().resources.into_iter();
                let tags = told.map(|one| {
                    let tags = one.tags.into_iter().map(|tag| (tag.key, tag.value));
                    (one.arn, tags.collect::<BTreeMap<String, String>>())
                });
                serde_json::to_value(tags.collect::<BTreeMap<_, _>>())
            }
        }
        .unwrap()
    }
}

#[tokio::test]
async fn each_principal_finds_what_it_may_see() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let mut client = listed.client().await;
    let cases = include_str!("cases.jsonl").lines();
    let mut asked = 0;
    for line in cases {
        let case: Case = serde_json::from_str(line).unwrap();
        for page_size in [1, 3, 1_000] {
            let told = case.ask(&mut client, page_size).await;
            assert_eq!(told, case.expect, "{}", case.name);
        }
        asked += 1;
    }
    assert!(asked > 50, "only {asked} cases");
}

#[tokio::test]
async fn a_resource_is_told_with_its_type_group_and_tags() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let asked = v1::ListTagResourcesRequest {
        principal: user("all"),
        arns: vec!["acs:slb:cn-b:1:loadbalancer/lb-1".to_owned()],
    };
    let told = listed
        .client()
        .await
        .list_tag_resources(asked)
        .await
        .unwrap()
        .into_inner();
    let tag = |key: &str, value: &str| v1::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let expected = v1::TaggedResource {
        arn: "acs:slb:cn-b:1:loadbalancer/lb-1".to_owned(),
        r#type: "slb:instance".to_owned(),
        resource_group: Some(v1::ResourceGroup {
            id: "rg-1".to_owned(),
        }),
        tags: vec![tag("env", "prod"), tag("team", "c")],
    };
    assert_eq!(told.resources, [expected]);
    assert_eq!(told.revision.unwrap().number, 1);
}
