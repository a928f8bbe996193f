//! The least that a decision on the single-statement corpus can cost: one hash of the principal
//! and ten short compares over flat policies, without any rule of meaning beyond them.
//!
//! It is the anchor of figures in nanoseconds: what a machine takes for it, an hour's load included,
//! tells how fast the machine is.

use std::collections::HashMap;

use super::question::{OwnedTag, Question};
use super::single::HELD;
use super::user_name;
use super::world::{ACCOUNT, tag_value};

/// Flat policies by user.
#[derive(Debug)]
pub struct Floor {
    users: HashMap<String, Vec<Flat>>,
}

/// One policy: its texts as they are compared.
#[derive(Debug)]
struct Flat {
    actions: [String; 2],
    service: String,
    relative: String,
    env: String,
    team: String,
}

impl Floor {
    /// The policies of `single::bundle`.
    pub fn new(policies: usize) -> Self {
        let users = policies / HELD;
        let held = |user: usize| (user * HELD..(user + 1) * HELD).map(Flat::new).collect();
        let name = |user| format!("acs:ram::{ACCOUNT}:user/{}", user_name(user));
        Self {
            users: (0..users).map(|user| (name(user), held(user))).collect(),
        }
    }

    /// Whether a policy of the one who asks allows it.
    pub fn allows(&self, question: &Question) -> bool {
        let held = self.users.get(&question.principal);
        held.is_some_and(|held| held.iter().any(|policy| policy.allows(question)))
    }
}

impl Flat {
    fn new(place: usize) -> Self {
        let service = super::single::service(place);
        Self {
            actions: ["Modify", "Create"].map(|verb| format!("{service}:{verb}Tags")),
            relative: format!("instance/unit{place}-"),
            service,
            env: tag_value(place % 4),
            team: tag_value(place % 3),
        }
    }

    fn allows(&self, question: &Question) -> bool {
        self.actions.contains(&question.action)
            && self.names(&question.arn)
            && has(question.resource_tags.as_deref(), "env", &self.env)
            && has(question.request_tags.as_deref(), "team", &self.team)
    }

    fn names(&self, arn: &str) -> bool {
        let mut fields = arn.splitn(5, ':').skip(1);
        fields.next() == Some(&self.service)
            && (fields.nth(2)).is_some_and(|relative| relative.starts_with(&self.relative))
    }
}

fn has(tags: Option<&[OwnedTag]>, key: &str, value: &str) -> bool {
    tags.into_iter()
        .flatten()
        .any(|(k, v)| k == key && v == value)
}
