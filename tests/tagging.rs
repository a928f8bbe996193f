//! `TaggingService` over a real socket: every case of compliance, and both questions at once.

mod admission;
mod both;
mod effective;
mod service;

use std::collections::BTreeMap;

use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::document::case::ComplianceCase;
use tagwarden::document::shipped;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Disclosure;
use tagwarden::model::compliance::{
    Inheritance, TagHistory, TaggingAnswer, TaggingOperation, ViolationCode,
};
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::{
    AllowedValues, EffectivePolicy, EffectiveStatement, ListClause, ListSetting, PolicyStatement,
    Section, Single, TagKeyOrigin, TagPolicy, TypePattern, ValuePattern, ValueRegex,
};
use tagwarden::offline::verdict::tagging_complaint;
use tagwarden::snapshot::Revision;
use tagwarden::wire::v1;
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;

use crate::compliance::cases;
use crate::support::raw::all_ways;
use crate::support::server::{SOURCE, config, head, start, trusting};

const ACCOUNT: &str = "123";
const VALIDATE: &str = "/tagwarden.v1.TaggingService/ValidateTagging";

/// A policy that comes to an effective one; `None`: none does.
fn written(policy: &EffectivePolicy) -> Option<TagPolicy> {
    let statements = policy.statements.iter().map(statement);
    Some(TagPolicy {
        dialect: policy.dialect,
        statements: statements.collect::<Option<_>>()?,
    })
}

fn statement(one: &EffectiveStatement) -> Option<PolicyStatement> {
    let mut lists = BTreeMap::new();
    let mut put = |setting, values: Vec<&str>| {
        let clause = ListClause {
            assign: Some(values.into_iter().map(Into::into).collect()),
            ..ListClause::default()
        };
        lists.insert(setting, clause);
    };
    let values = match &one.values {
        AllowedValues::Unset => None,
        AllowedValues::Listed(values) => Some(values.iter().map(ValuePattern::as_str).collect()),
        AllowedValues::Matched(values) => Some(values.iter().map(ValueRegex::as_str).collect()),
    };
    if let Some(values) = values.filter(|_| one.section != Section::RgInherit) {
        put(ListSetting::TagValue, values);
    }
    for (setting, types) in [
        (ListSetting::EnforcedFor, &one.enforced_for),
        (
            ListSetting::ReportRequiredTagFor,
            &one.report_required_tag_for,
        ),
    ] {
        if !types.is_empty() {
            put(setting, types.iter().map(TypePattern::as_str).collect());
        }
    }
    if let Some(types) = &one.resource_type_scope {
        let types = types.iter().map(TypePattern::as_str).collect();
        put(ListSetting::ResourceTypeScope, types);
    }
    for (setting, scope) in [
        (ListSetting::RegionScope, &one.region_scope),
        (ListSetting::RgScope, &one.rg_scope),
    ] {
        if let Some(scope) = scope {
            // security 6.1: an empty list for a scope that was not set is refused.
            if scope.is_empty() {
                return None;
            }
            put(setting, scope.iter().map(|one| &**one).collect());
        }
    }
    let tag_key = (one.tag_key_origin == TagKeyOrigin::Written).then(|| Single {
        assign: Some(one.tag_key.clone()),
        children: None,
    });
    let correction = one.correction.as_ref().map(|map| Single {
        assign: Some(map.clone()),
        children: None,
    });
    Some(PolicyStatement {
        section: one.section,
        key: one.key.clone(),
        tag_key,
        lists,
        correction,
    })
}

fn bundle(case: &ComplianceCase) -> Option<Bundle> {
    let policy = Name::try_from("case").unwrap();
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let attachment = TagAttachment {
        policy: policy.clone(),
        mode: TagMode::Enforce,
    };
    let member = Member {
        account: account(ACCOUNT),
        control: Vec::new(),
        tag: Vec::new(),
    };
    Some(Bundle {
        settings: case.settings.clone(),
        catalog: shipped::catalog().clone(),
        tag_policies: [(policy, written(&case.policy)?)].into(),
        control_policies: shipped::control_policies().clone(),
        system_policies: shipped::system_policies().clone(),
        organizations: vec![Organization {
            id: "rd".to_owned(),
            management: account("1"),
            dialect: case.policy.dialect,
            root: Node {
                name: "Root".to_owned(),
                control: Vec::new(),
                tag: vec![attachment],
                folders: Vec::new(),
                members: vec![member],
            },
        }],
        ..Bundle::default()
    })
}

fn tag_set(pairs: &[(String, String)]) -> v1::TagSet {
    let tag = |(key, value): &(String, String)| v1::Tag {
        key: key.clone(),
        value: value.clone(),
    };
    v1::TagSet {
        tags: pairs.iter().map(tag).collect(),
    }
}

fn message(case: &ComplianceCase) -> v1::ValidateTaggingRequest {
    let question = &case.question;
    let (service, _) = question.resource_type.split_once(':').unwrap();
    let region = question.region.as_deref().unwrap_or_default();
    let write = |set: &[(String, String)], removed: &[String]| v1::TagWrite {
        set: (!set.is_empty()).then(|| tag_set(set)),
        remove_keys: removed.to_vec(),
        ..v1::TagWrite::default()
    };
    let (operation, tag_write) = match &question.operation {
        TaggingOperation::Detect => (v1::TaggingOperation::Detect, None),
        TaggingOperation::Create(set) => (v1::TaggingOperation::Create, Some(write(set, &[]))),
        TaggingOperation::Write { set, removed } if set.is_empty() => {
            (v1::TaggingOperation::Untag, Some(write(set, removed)))
        }
        TaggingOperation::Write { set, removed } => {
            (v1::TaggingOperation::Tag, Some(write(set, removed)))
        }
    };
    v1::ValidateTaggingRequest {
        resource: Some(v1::Resource {
            arn: format!("acs:{service}:{region}:{ACCOUNT}:some/one"),
            r#type: question.resource_type.clone(),
            resource_group: question.group.as_ref().map(|group| v1::ResourceGroup {
                id: group.clone().unwrap_or_default(),
            }),
            tags: Some(tag_set(&question.current)),
        }),
        operation: operation.into(),
        tag_write,
        group_tags: match &question.inheritance {
            Inheritance::Unknown => None,
            Inheritance::Excluded => Some(v1::GroupTags {
                tags: None,
                excluded: true,
            }),
            Inheritance::Group(tags) => Some(v1::GroupTags {
                tags: Some(tag_set(tags)),
                excluded: false,
            }),
        },
        ever_tagged: question.history == TagHistory::Tagged,
        ..v1::ValidateTaggingRequest::default()
    }
}

fn found(verdict: &v1::TaggingVerdict) -> TaggingAnswer {
    let code = |one: &v1::TagViolation| match one.code() {
        v1::TagViolationCode::Missing => ViolationCode::Missing,
        v1::TagViolationCode::KeyCase => ViolationCode::KeyCase,
        v1::TagViolationCode::Value => ViolationCode::Value,
        v1::TagViolationCode::ValueRegex => ViolationCode::ValueRegex,
        v1::TagViolationCode::RgTagNotInherited => ViolationCode::RgTagNotInherited,
        v1::TagViolationCode::OverLimit => ViolationCode::OverLimit,
        v1::TagViolationCode::Unspecified => panic!("no code: {one:?}"),
    };
    assert_eq!(verdict.compliant, verdict.violations.is_empty());
    let violations = verdict.violations.iter();
    let corrected = verdict.corrected.iter();
    TaggingAnswer {
        evaluated: verdict.evaluated,
        violations: violations.map(|one| (code(one), one.key.clone())).collect(),
        intercepted: verdict.intercepted,
        corrected: corrected
            .map(|one| (one.key.clone(), (!one.remove).then(|| one.value.clone())))
            .collect(),
    }
}

#[tokio::test]
async fn every_case_over_grpc() {
    let mut running = start(config());
    let mut client = TaggingServiceClient::new(running.channel().await);
    let sender = running.driven().await;
    let (mut complaints, mut asked, mut number) = (Vec::new(), 0, 0);
    for case in cases() {
        let Some(bundle) = bundle(&case) else {
            continue;
        };
        let mut snapshot = compile(&bundle).unwrap();
        number += 1;
        snapshot.revision = Revision {
            source: SOURCE,
            number,
            digest: 0,
        };
        snapshot.callers = trusting(Disclosure::Reason);
        running.publisher.publish(snapshot);
        asked += 1;
        let message = message(&case);
        let [whole, others @ ..] =
            all_ways(&sender, head(VALIDATE), &message.encode_to_vec()).await;
        for other in &others {
            assert_eq!(whole, *other, "{}", case.id);
        }
        let answer = client.validate_tagging(message).await;
        let complaint = match answer {
            Ok(answer) => {
                let verdict = answer.into_inner().verdict.unwrap();
                tagging_complaint(&case.expected, &found(&verdict))
            }
            Err(status) => Some(status.to_string()),
        };
        complaints.extend(complaint.map(|text| format!("{}: {text}", case.id)));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(asked >= 89, "only {asked} cases");
}
