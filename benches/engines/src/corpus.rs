//! The corpus as plain texts: what each policy grants, and what each request asks.
//!
//! Taken from the documents that tagwarden compiles, so that nobody decides on something else; a
//! document of another form ends the bench.

use std::collections::HashMap;

use tagwarden::model::account::{Grantee, PolicyRef};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::condition::{Condition, ConditionKey, TagFamily, Test};
use tagwarden::model::pattern::{ActionPattern, ResourcePattern};
use tagwarden::model::statement::{Actions, Effect, Policy, Resources};

use crate::profiles::question::{OwnedTag, Question};
use crate::profiles::single;

/// What one policy grants to whom.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The name of the user.
    pub user: String,
    /// Its actions, in lower case.
    pub actions: [String; 2],
    /// The service of its ARN pattern.
    pub service: String,
    /// The id of its ARN pattern, before the `*` that ends it.
    pub id: String,
    /// The value of the resource tag `env`.
    pub env: String,
    /// The value of the request tag `team`.
    pub team: String,
}

/// What one request asks.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The name of the user.
    pub user: String,
    /// The action, in lower case.
    pub action: String,
    /// The whole ARN.
    pub arn: String,
    /// The service of the ARN.
    pub service: String,
    /// The id of the ARN.
    pub id: String,
    /// The tags of the resource.
    pub resource_tags: HashMap<String, String>,
    /// The tags of the request.
    pub request_tags: HashMap<String, String>,
}

/// Policies and requests.
#[derive(Debug)]
pub struct Corpus {
    /// How many policies.
    pub policies: usize,
    /// The documents.
    pub bundle: Bundle,
    /// What the documents grant.
    pub grants: Vec<Grant>,
    /// What is asked.
    pub asked: Vec<Asked>,
}

impl Corpus {
    /// So many policies and requests.
    ///
    /// # Panics
    ///
    /// When a document has another form than this corpus.
    #[must_use]
    pub fn new(policies: usize, requests: usize) -> Self {
        let bundle = single::bundle(policies);
        let [account] = bundle.accounts.as_slice() else {
            panic!("one account")
        };
        let documents: HashMap<&str, &Policy> = (account.policies.iter())
            .map(|(name, policy)| (name.as_str(), policy))
            .collect();
        let grants = account.attachments.iter().map(|attachment| {
            let Grantee::User(user) = &attachment.to else {
                panic!("attached to a user")
            };
            grant(user, documents[name(&attachment.policy)])
        });
        let grants = grants.collect();
        let questions = single::questions(policies, requests);
        Self {
            policies,
            grants,
            asked: questions.iter().map(asked).collect(),
            bundle,
        }
    }

    /// The grants of each user.
    #[must_use]
    pub fn by_user(&self) -> HashMap<&str, Vec<&Grant>> {
        let mut found: HashMap<&str, Vec<&Grant>> = HashMap::new();
        for grant in &self.grants {
            found.entry(&grant.user).or_default().push(grant);
        }
        found
    }
}

fn name(policy: &PolicyRef) -> &str {
    match policy {
        PolicyRef::System(name) | PolicyRef::Custom(name) => name.as_str(),
    }
}

fn grant(user: &str, policy: &Policy) -> Grant {
    let [statement] = policy.statements.as_slice() else {
        panic!("one statement")
    };
    assert_eq!(statement.effect, Effect::Allow);
    let (Actions::Only(actions), Resources::Only(resources)) =
        (&statement.actions, &statement.resources)
    else {
        panic!("actions and resources")
    };
    let [ResourcePattern::Arn { service, id, .. }] = resources.as_slice() else {
        panic!("one ARN pattern")
    };
    let [resource, request] = statement.conditions.as_slice() else {
        panic!("two conditions")
    };
    let id = id.as_str().strip_suffix('*').expect("ends in `*`");
    assert!(!id.contains(['*', '?']));
    Grant {
        user: user.to_owned(),
        actions: [action(&actions[0]), action(&actions[1])],
        service: service.as_str().to_owned(),
        id: id.to_owned(),
        env: equals(resource, TagFamily::Resource, "env"),
        team: equals(request, TagFamily::Request, "team"),
    }
}

fn action(pattern: &ActionPattern) -> String {
    let ActionPattern::Named { service, name } = pattern else {
        panic!("a named action")
    };
    assert!(!service.has_wildcard() && !name.has_wildcard());
    format!("{}:{}", service.as_str(), name.as_str())
}

fn equals(condition: &Condition, family: TagFamily, name: &str) -> String {
    let (ConditionKey::Tag(key), Test::Equals { negated, operands }) =
        (&condition.key, &condition.test)
    else {
        panic!("StringEquals on a tag")
    };
    assert!(key.family == family && &*key.key == name && !negated && operands.len() == 1);
    operands[0].clone()
}

fn asked(question: &Question) -> Asked {
    let fields: Vec<&str> = question.arn.splitn(5, ':').collect();
    let (_, user) = question.principal.rsplit_once('/').expect("a user");
    Asked {
        user: user.to_owned(),
        action: question.action.to_ascii_lowercase(),
        service: fields[1].to_owned(),
        id: fields[4].to_owned(),
        arn: question.arn.clone(),
        resource_tags: tags(question.resource_tags.as_deref()),
        request_tags: tags(question.request_tags.as_deref()),
    }
}

fn tags(tags: Option<&[OwnedTag]>) -> HashMap<String, String> {
    tags.into_iter().flatten().cloned().collect()
}
