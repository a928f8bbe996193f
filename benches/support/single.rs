//! The corpus of single-statement policies: 10 attached to each of P/10 users, two actions, one
//! ARN pattern, StringEquals on one resource and one request tag.

use tagwarden::engine::request::Request;
use tagwarden::model::account::{Account, Attachment, Grantee, PolicyRef, Scope, User};
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::condition::{
    Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test,
};
use tagwarden::model::pattern::{ActionPattern, ResourcePattern};
use tagwarden::model::statement::{Actions, Effect, Policy, Resources, Statement};

use super::question::Question;
use super::random::Random;
use super::world::{ACCOUNT, tag_value};
use super::{policy_name, user_name};

/// How many policies a user has.
pub const HELD: usize = 10;

/// The documents, with so many policies.
pub fn bundle(policies: usize) -> Bundle {
    let users = policies / HELD;
    let account = Account {
        id: AccountId::try_from(ACCOUNT).unwrap(),
        users: (0..users)
            .map(|place| User {
                name: user_name(place),
                uid: None,
            })
            .collect(),
        groups: Vec::new(),
        roles: Vec::new(),
        policies: (0..policies)
            .map(|place| (policy_name(place), policy(place)))
            .collect(),
        attachments: (0..policies).map(attachment).collect(),
    };
    Bundle {
        accounts: vec![account],
        ..Bundle::default()
    }
}

/// So many requests: half match a policy of the one who asks, half miss by a tag.
pub fn requests(policies: usize, count: usize) -> Vec<Request<'static>> {
    let questions = questions(policies, count).into_iter();
    questions.map(Question::leak).collect()
}

/// The same requests as texts.
pub fn questions(policies: usize, count: usize) -> Vec<Question> {
    let mut random = Random::new(0x51e);
    (0..count)
        .map(|_| question(&mut random, policies))
        .collect()
}

fn attachment(place: usize) -> Attachment {
    Attachment {
        policy: PolicyRef::Custom(policy_name(place)),
        to: Grantee::User(user_name(place / HELD)),
        scope: Scope::Account,
    }
}

fn policy(place: usize) -> Policy {
    let tag = |family, key: &str, value| Condition {
        key: ConditionKey::Tag(TagConditionKey {
            family,
            service: None,
            key: key.into(),
        }),
        quantifier: Quantifier::Single,
        if_exists: false,
        test: Test::Equals {
            negated: false,
            operands: vec![tag_value(value)],
        },
    };
    let action = |verb| ActionPattern::parse(&format!("{}:{verb}Tags", service(place))).unwrap();
    let resource = format!("acs:{}:*:*:instance/unit{place}-*", service(place));
    Policy {
        statements: vec![Statement {
            sid: None,
            effect: Effect::Allow,
            actions: Actions::Only(vec![action("Modify"), action("Create")]),
            resources: Resources::Only(vec![
                ResourcePattern::parse(&resource, |_, _| false).unwrap(),
            ]),
            principals: None,
            conditions: vec![
                tag(TagFamily::Resource, "env", place % 4),
                tag(TagFamily::Request, "team", place % 3),
            ],
        }],
    }
}

/// The service that a policy is for.
pub fn service(place: usize) -> String {
    format!("svc{}", place % 5)
}

fn question(random: &mut Random, policies: usize) -> Question {
    let place = random.below(policies);
    let wrong = usize::from(random.percent(50));
    let tag = |key: &str, value| (key.to_owned(), tag_value(value));
    Question {
        principal: format!("acs:ram::{ACCOUNT}:user/{}", user_name(place / HELD)),
        action: format!("{}:ModifyTags", service(place)),
        arn: format!(
            "acs:{}:cn-hangzhou:{ACCOUNT}:instance/unit{place}-7",
            service(place)
        ),
        resource_tags: Some(vec![
            tag("env", place % 4 + wrong),
            tag("app", 1),
            tag("owner", 2),
        ]),
        request_tags: Some(vec![tag("team", place % 3), tag("app", 1), tag("owner", 2)]),
        source_ip: None,
    }
}
