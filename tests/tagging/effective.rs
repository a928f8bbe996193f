//! `GetEffectiveTagPolicy`: every case of a chain over a real socket, as a member of an
//! organization that has this chain.

use tagwarden::compiler::compile;
use tagwarden::document::case::{ChainNode, TagPolicyQuestion};
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Disclosure;
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::Dialect;
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::wire::v1;
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;

use crate::support::server::{Running, SOURCE, config, start, trusting};
use crate::tag_policy::conformance::cases;

const MANAGEMENT: &str = "1";
const MEMBER: &str = "7";

/// Publishes what tests of this service ask, with everything told to everybody.
pub(super) fn publish(running: &mut Running, bundle: &Bundle, number: u64) {
    let snapshot = Snapshot {
        revision: Revision {
            source: SOURCE,
            number,
            digest: 0,
        },
        callers: trusting(Disclosure::Reason),
        ..compile(bundle).unwrap()
    };
    running.publisher.publish(snapshot);
}

/// The organization of a chain, and the account that stands at its end: of a chain of one node, the
/// management account.
fn organization(dialect: Dialect, chain: &[ChainNode]) -> (Bundle, &'static str) {
    let mut bundle = Bundle::default();
    let mut attached = chain.iter().enumerate().map(|(level, node)| {
        let attach = |(place, policy): (usize, _)| {
            let name = Name::try_from(&*format!("{level}-{place}")).unwrap();
            bundle
                .tag_policies
                .insert(name.clone(), Clone::clone(policy));
            TagAttachment {
                policy: name,
                mode: TagMode::Enforce,
            }
        };
        node.policies.iter().enumerate().map(attach).collect()
    });
    let root: Vec<TagAttachment> = attached.next().unwrap();
    let mut levels: Vec<Vec<TagAttachment>> = attached.collect();
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let (asked, mut members) = match levels.pop() {
        None => (MANAGEMENT, Vec::new()),
        Some(tag) => {
            let member = Member {
                account: account(MEMBER),
                control: Vec::new(),
                tag,
            };
            (MEMBER, vec![member])
        }
    };
    let mut folders = Vec::new();
    for (level, tag) in levels.into_iter().enumerate().rev() {
        folders = vec![Node {
            name: format!("folder-{level}"),
            control: Vec::new(),
            tag,
            folders,
            members: std::mem::take(&mut members),
        }];
    }
    bundle.organizations = vec![Organization {
        id: "rd".to_owned(),
        management: account(MANAGEMENT),
        dialect,
        root: Node {
            name: "Root".to_owned(),
            control: Vec::new(),
            tag: root,
            folders,
            members,
        },
    }];
    (bundle, asked)
}

/// Each value of the policy has an origin on the path.
fn check_origins(id: &str, answer: &v1::GetEffectiveTagPolicyResponse) {
    let policy: serde_json::Value = serde_json::from_str(&answer.policy_json).unwrap();
    for origin in &answer.origins {
        assert!(answer.path.contains(&origin.node), "{id}: {origin:?}");
        assert!(
            !origin.policy.is_empty() && origin.operator.starts_with("@@"),
            "{id}"
        );
        let setting = &policy[&origin.section][&origin.policy_key][&origin.setting];
        if let (Some(values), false) = (setting.as_array(), origin.removed) {
            assert!(
                values.iter().any(|value| *value == *origin.value),
                "{id}: {origin:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_chain_over_grpc() {
    let mut running = start(config());
    let mut client = TaggingServiceClient::new(running.channel().await);
    let mut number = 0;
    for case in cases() {
        let TagPolicyQuestion::Effective {
            dialect,
            chain,
            expected,
        } = &case.question
        else {
            continue;
        };
        let (bundle, account) = organization(*dialect, chain.as_ref().unwrap());
        number += 1;
        publish(&mut running, &bundle, number);
        let asked = v1::GetEffectiveTagPolicyRequest {
            account: account.to_owned(),
            ..v1::GetEffectiveTagPolicyRequest::default()
        };
        let answer = client.get_effective_tag_policy(asked).await;
        let answer = answer.unwrap_or_else(|status| panic!("{}: {status}", case.id));
        let answer = answer.into_inner();
        let found: serde_json::Value = serde_json::from_str(&answer.policy_json).unwrap();
        assert_eq!(found, *expected, "{}", case.id);
        assert_eq!(answer.revision.as_ref().unwrap().number, number);
        check_origins(&case.id, &answer);
    }
    assert!(number >= 242, "{number} cases");
}
