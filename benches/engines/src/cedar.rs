//! cedar-policy: entities and requests are built before, and handed over as its types.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression,
};

use crate::corpus::{Asked, Corpus, Grant};
use crate::{Engine, version};

/// What one request is to Cedar.
#[derive(Debug)]
struct Question {
    request: Request,
    entities: Entities,
    user: String,
}

/// Which policies an authorizer is given.
#[derive(Debug)]
enum Policies {
    All(Box<PolicySet>),
    OfCaller(HashMap<String, PolicySet>),
}

/// An authorizer and its policies.
#[derive(Debug)]
pub struct Cedar {
    name: String,
    authorizer: Authorizer,
    policies: Policies,
    questions: Vec<Question>,
}

impl Cedar {
    /// All policies in one set.
    #[must_use]
    pub fn all(corpus: &Corpus) -> Self {
        let policies = Policies::All(Box::new(set(corpus.grants.iter())));
        Self::new("all policies", corpus, policies)
    }

    /// A set for each caller that is asked for.
    #[must_use]
    pub fn of_caller(corpus: &Corpus) -> Self {
        let asking: HashSet<&str> = (corpus.asked.iter().map(|asked| &*asked.user)).collect();
        let sets = (corpus.by_user().into_iter())
            .filter(|(user, _)| asking.contains(user))
            .map(|(user, grants)| (user.to_owned(), set(grants.into_iter())));
        let policies = Policies::OfCaller(sets.collect());
        Self::new("the caller's policies", corpus, policies)
    }

    fn new(usage: &str, corpus: &Corpus, policies: Policies) -> Self {
        Self {
            name: format!("cedar-policy {}, {usage}", version("cedar-policy")),
            authorizer: Authorizer::new(),
            policies,
            questions: corpus.asked.iter().map(question).collect(),
        }
    }
}

impl Engine for Cedar {
    fn name(&self) -> &str {
        &self.name
    }

    fn allows(&mut self, place: usize) -> bool {
        let question = black_box(&self.questions[place]);
        let policies = match &self.policies {
            Policies::All(policies) => policies,
            Policies::OfCaller(sets) => &sets[&question.user],
        };
        let answer = self
            .authorizer
            .is_authorized(&question.request, policies, &question.entities);
        answer.decision() == Decision::Allow
    }
}

fn set<'a>(grants: impl Iterator<Item = &'a Grant>) -> PolicySet {
    let policies = grants.map(|grant| {
        let id = PolicyId::new(&grant.id);
        Policy::parse(Some(id), text(grant)).expect("a policy")
    });
    PolicySet::from_policies(policies).expect("ids differ")
}

/// A key that a request lacks is an error of this policy alone: the permit does not hold.
fn text(grant: &Grant) -> String {
    let Grant {
        user,
        actions: [first, second],
        service,
        id,
        env,
        team,
    } = grant;
    format!(
        r#"permit(principal == User::"{user}",
                  action in [Action::"{first}", Action::"{second}"],
                  resource)
           when {{ resource.arn like "acs:{service}:*:*:{id}*"
                && resource.env == "{env}" && context.team == "{team}" }};"#
    )
}

fn question(asked: &Asked) -> Question {
    let user = uid("User", &asked.user);
    let resource = uid("Resource", &asked.arn);
    let strings = |tags: &HashMap<String, String>| {
        let pairs = tags.iter().map(|(key, value)| (key.clone(), string(value)));
        pairs.collect::<HashMap<_, _>>()
    };
    let mut attributes = strings(&asked.resource_tags);
    attributes.insert("arn".to_owned(), string(&asked.arn));
    let known = [
        Entity::new_no_attrs(user.clone(), HashSet::new()),
        Entity::new(resource.clone(), attributes, HashSet::new()).expect("attributes"),
    ];
    let context = Context::from_pairs(strings(&asked.request_tags)).expect("a context");
    let action = uid("Action", &asked.action);
    Question {
        request: Request::new(user, action, resource, context, None).expect("a request"),
        entities: Entities::from_entities(known, None).expect("entities"),
        user: asked.user.clone(),
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_json(serde_json::json!({"type": kind, "id": id})).expect("an entity")
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}
