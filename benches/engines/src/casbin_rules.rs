//! casbin: rules of plain columns under its compiled matcher.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use casbin::rhai::Dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, NullAdapter};
use tokio::runtime::Runtime;

use crate::corpus::{Asked, Corpus, Grant};
use crate::{Engine, version};

/// The cheapest comparison that tells most stands first.
const ALL: &str = "
[request_definition]
r = user, action, service, id, env, team
[policy_definition]
p = user, first, second, service, id, env, team
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.user == p.user && (r.action == p.first || r.action == p.second) && r.service == p.service && r.env == p.env && r.team == p.team && keyMatch(r.id, p.id)
";

/// The user is told by which enforcer is asked.
const OF_CALLER: &str = "
[request_definition]
r = action, service, id, env, team
[policy_definition]
p = first, second, service, id, env, team
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = (r.action == p.first || r.action == p.second) && r.env == p.env && r.team == p.team && r.service == p.service && keyMatch(r.id, p.id)
";

/// Which rules an enforcer has.
enum Rules {
    All(Box<Enforcer>),
    OfCaller(HashMap<String, Enforcer>),
}

/// What one request is to casbin.
struct Question {
    user: String,
    values: Vec<Dynamic>,
}

/// Enforcers and what they are asked.
pub struct Casbin {
    name: String,
    rules: Rules,
    questions: Vec<Question>,
}

impl Casbin {
    /// All rules in one enforcer.
    #[must_use]
    pub fn all(corpus: &Corpus) -> Self {
        let rules = corpus.grants.iter().map(|grant| {
            let mut columns = columns(grant);
            columns.insert(0, grant.user.clone());
            columns
        });
        let rules = Rules::All(Box::new(enforcer(ALL, rules.collect())));
        let questions = corpus.asked.iter().map(|asked| {
            let mut values = values(asked);
            values.insert(0, asked.user.clone().into());
            (asked, values)
        });
        Self::new("all rules", rules, questions)
    }

    /// An enforcer with the filtered rules of each caller that is asked for.
    #[must_use]
    pub fn of_caller(corpus: &Corpus) -> Self {
        let asking: HashSet<&str> = (corpus.asked.iter().map(|asked| &*asked.user)).collect();
        let enforcers = (corpus.by_user().into_iter())
            .filter(|(user, _)| asking.contains(user))
            .map(|(user, grants)| {
                let rules = grants.into_iter().map(columns).collect();
                (user.to_owned(), enforcer(OF_CALLER, rules))
            });
        let rules = Rules::OfCaller(enforcers.collect());
        let questions = corpus.asked.iter().map(|asked| (asked, values(asked)));
        Self::new("the caller's rules", rules, questions)
    }

    fn new<'a>(
        usage: &str,
        rules: Rules,
        questions: impl Iterator<Item = (&'a Asked, Vec<Dynamic>)>,
    ) -> Self {
        let questions = questions.map(|(asked, values)| Question {
            user: asked.user.clone(),
            values,
        });
        Self {
            name: format!("casbin {}, {usage}", version("casbin")),
            rules,
            questions: questions.collect(),
        }
    }
}

impl Engine for Casbin {
    fn name(&self) -> &str {
        &self.name
    }

    fn allows(&mut self, place: usize) -> bool {
        let question = black_box(&self.questions[place]);
        let enforcer = match &self.rules {
            Rules::All(enforcer) => enforcer,
            Rules::OfCaller(enforcers) => &enforcers[&question.user],
        };
        let values = Values(question.values.clone());
        enforcer.enforce(values).expect("evaluates")
    }
}

/// Values that need no conversion.
struct Values(Vec<Dynamic>);

impl casbin::EnforceArgs for Values {
    fn try_into_vec(self) -> casbin::Result<Vec<Dynamic>> {
        Ok(self.0)
    }

    /// Read by a caching enforcer alone, and here is none.
    fn cache_key(&self) -> u64 {
        0
    }
}

fn enforcer(model: &str, rules: Vec<Vec<String>>) -> Enforcer {
    let runtime: Runtime = (tokio::runtime::Builder::new_current_thread().build()).expect("starts");
    runtime.block_on(async {
        let mut model = DefaultModel::from_str(model).await.expect("a model");
        assert!(casbin::Model::add_policies(&mut model, "p", "p", rules));
        Enforcer::new_raw(model, NullAdapter)
            .await
            .expect("an enforcer")
    })
}

fn columns(grant: &Grant) -> Vec<String> {
    let Grant {
        user: _,
        actions: [first, second],
        service,
        id,
        env,
        team,
    } = grant;
    let id = format!("{id}*");
    [first, second, service, &id, env, team]
        .map(Clone::clone)
        .into()
}

fn values(asked: &Asked) -> Vec<Dynamic> {
    let tag = |tags: &HashMap<String, String>, key| tags.get(key).cloned().unwrap_or_default();
    vec![
        asked.action.clone().into(),
        asked.service.clone().into(),
        asked.id.clone().into(),
        tag(&asked.resource_tags, "env").into(),
        tag(&asked.request_tags, "team").into(),
    ]
}
