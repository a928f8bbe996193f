//! The profiles that figures are told for (ram 9), drawn with fixed seeds.

pub mod floor;
pub mod handler;
pub mod message;
pub mod policies;
pub mod question;
pub mod questions;
pub mod random;
pub mod single;
pub mod world;

use std::collections::BTreeMap;

use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::model::account::{
    Account, Attachment, Grantee, Group, Name, PolicyRef, Scope, User,
};
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::statement::{Effect, Policy, Statement};
use tagwarden::model::verdict::Outcome;
use tagwarden::snapshot::Snapshot;

use self::policies::Author;
use self::random::{Draw, Random};
use self::world::{ACCOUNT, World};

/// What a profile asks for.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// How many users.
    pub principals: usize,
    /// How many policies are shared, how many of them each user has, and how many of its own.
    pub holds: Holds,
    /// Statements of a policy, least and most.
    pub statements: (usize, usize),
    /// Actions of a statement, mean and most.
    pub actions: (f64, usize),
    /// Actions of the first statement, where it is a large one.
    pub largest: Option<usize>,
    /// How many statements in a hundred have conditions.
    pub conditional: usize,
    /// Keys of a conditional statement.
    pub keys: (usize, usize),
    /// Values of a key.
    pub values: (usize, usize),
    /// Tags of a resource.
    pub resource_tags: usize,
    /// Tags of a request.
    pub request_tags: usize,
}

/// How users come by their policies.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// So many of a pool of so many, and so many of their own.
    Pool {
        /// The pool.
        pool: usize,
        /// How many of it.
        shared: usize,
        /// How many that nobody else has.
        own: usize,
    },
    /// Through three groups with four policies each, of so many in all.
    Groups {
        /// How many policies.
        policies: usize,
    },
}

impl Shape {
    /// A small company.
    pub fn typical() -> Self {
        Self {
            name: "typical",
            principals: 200,
            holds: Holds::Pool {
                pool: 40,
                shared: 2,
                own: 1,
            },
            statements: (1, 3),
            actions: (3.5, 30),
            largest: None,
            conditional: 25,
            keys: (1, 1),
            values: (1, 2),
            resource_tags: 3,
            request_tags: 2,
        }
    }

    /// The headline.
    pub fn heavy() -> Self {
        Self {
            name: "heavy",
            principals: 1_000,
            holds: Holds::Pool {
                pool: 60,
                shared: 8,
                own: 4,
            },
            statements: (1, 6),
            actions: (5.0, 60),
            largest: None,
            conditional: 50,
            keys: (1, 2),
            values: (1, 3),
            resource_tags: 8,
            request_tags: 4,
        }
    }

    /// Everything at its limit.
    pub fn worst() -> Self {
        Self {
            name: "worst",
            principals: 2_000,
            holds: Holds::Pool {
                pool: 500,
                shared: 155,
                own: 0,
            },
            statements: (10, 10),
            actions: (20.0, 60),
            largest: Some(205),
            conditional: 100,
            keys: (3, 3),
            values: (12, 12),
            resource_tags: 20,
            request_tags: 20,
        }
    }

    /// Very many users; as heavy otherwise.
    pub fn wide(principals: usize, policies: usize) -> Self {
        let holds = Holds::Groups { policies };
        Self {
            name: "wide",
            principals,
            holds,
            ..Self::heavy()
        }
    }
}

/// A profile with its documents.
#[derive(Debug)]
pub struct Profile {
    /// What was asked for.
    pub shape: Shape,
    /// The actions.
    pub world: World,
    policies: Vec<Policy>,
    held: Vec<Vec<usize>>,
    groups: Vec<Vec<usize>>,
}

impl Profile {
    /// Draws a profile.
    pub fn new(shape: Shape) -> Self {
        let world = World::new();
        let mut random = Random::new(0x5eed);
        let count = match shape.holds {
            Holds::Pool {
                pool,
                shared: _,
                own,
            } => pool + own * shape.principals,
            Holds::Groups { policies } => policies,
        };
        let author = Author {
            world: &world,
            shape: &shape,
        };
        let policies = (0..count).map(|_| author.policy(&mut random)).collect();
        let groups = match shape.holds {
            Holds::Pool { .. } => Vec::new(),
            Holds::Groups { policies } => fours(&mut random, policies),
        };
        let held = |user| match shape.holds {
            Holds::Pool { pool, shared, own } => {
                let first = pool + user * own;
                distinct(&mut random, shared, pool)
                    .into_iter()
                    .chain(first..first + own)
                    .collect()
            }
            Holds::Groups { .. } => distinct(&mut random, 3, groups.len()),
        };
        let held = (0..shape.principals).map(held).collect();
        Self {
            shape,
            world,
            policies,
            held,
            groups,
        }
    }

    /// The documents.
    pub fn bundle(&self) -> Bundle {
        let policies: BTreeMap<Name, Policy> = self
            .policies
            .iter()
            .enumerate()
            .map(|(place, policy)| (policy_name(place), policy.clone()))
            .collect();
        let users = (0..self.shape.principals).map(|place| User {
            name: user_name(place),
            uid: None,
        });
        let account = Account {
            id: AccountId::try_from(ACCOUNT).unwrap(),
            users: users.collect(),
            groups: self.groups(),
            roles: Vec::new(),
            policies,
            attachments: self.attachments(),
        };
        Bundle {
            catalog: self.world.catalog(),
            accounts: vec![account],
            ..Bundle::default()
        }
    }

    /// Requests to it, from whoever `draw` gives.
    pub fn requests(
        &self,
        snapshot: &Snapshot,
        draw: &Draw,
        count: usize,
    ) -> Vec<Request<'static>> {
        let questions = questions::questions(self, snapshot, draw, count);
        questions
            .into_iter()
            .map(question::Question::leak)
            .collect()
    }

    /// A statement of a user's policies with this effect, if one is found.
    fn statement(&self, user: usize, effect: Effect, random: &mut Random) -> Option<&Statement> {
        let held = &self.held[user];
        for _ in 0..20 {
            let drawn = *random.pick(held);
            let id = match self.shape.holds {
                Holds::Pool { .. } => drawn,
                Holds::Groups { .. } => *random.pick(&self.groups[drawn]),
            };
            let statements = self.policies[id].statements.iter();
            let fitting: Vec<&Statement> = statements
                .filter(|statement| statement.effect == effect)
                .collect();
            if !fitting.is_empty() {
                return Some(*random.pick(&fitting));
            }
        }
        None
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = (0..self.groups.len())
            .map(|place| Group {
                name: group_name(place),
                users: Vec::new(),
            })
            .collect();
        if !groups.is_empty() {
            for (user, held) in self.held.iter().enumerate() {
                for group in held {
                    groups[*group].users.push(user_name(user));
                }
            }
        }
        groups
    }

    fn attachments(&self) -> Vec<Attachment> {
        let attach = |policy: usize, to| Attachment {
            policy: PolicyRef::Custom(policy_name(policy)),
            to,
            scope: Scope::Account,
        };
        let mut attachments = Vec::new();
        match self.shape.holds {
            Holds::Pool { .. } => {
                for (user, held) in self.held.iter().enumerate() {
                    attachments.extend(
                        held.iter()
                            .map(|policy| attach(*policy, Grantee::User(user_name(user)))),
                    );
                }
            }
            Holds::Groups { .. } => {
                for (group, held) in self.groups.iter().enumerate() {
                    attachments.extend(
                        held.iter()
                            .map(|policy| attach(*policy, Grantee::Group(group_name(group)))),
                    );
                }
            }
        }
        attachments
    }
}

/// A profile, compiled, with its requests.
#[derive(Debug)]
pub struct Case {
    /// The documents.
    pub profile: Profile,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The requests.
    pub requests: Vec<Request<'static>>,
}

impl Case {
    /// Draws a profile and compiles it; who asks is drawn by Zipf.
    pub fn new(shape: Shape, count: usize) -> Self {
        let profile = Profile::new(shape);
        let snapshot = compile(&profile.bundle()).unwrap();
        let draw = Draw::zipf(profile.shape.principals);
        let requests = profile.requests(&snapshot, &draw, count);
        Self {
            profile,
            snapshot,
            requests,
        }
    }

    /// Other requests: every principal asks alike.
    pub fn uniform(&self, count: usize) -> Vec<Request<'static>> {
        let draw = Draw::uniform(self.profile.shape.principals);
        self.profile.requests(&self.snapshot, &draw, count)
    }
}

/// How many in a hundred requests came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// ALLOW.
    pub allowed: f64,
    /// EXPLICIT_DENY.
    pub explicit: f64,
    /// IMPLICIT_DENY.
    pub implicit: f64,
    /// Refused without a decision.
    pub refused: f64,
}

impl Shares {
    /// Asks every request once.
    pub fn of(snapshot: &Snapshot, requests: &[Request<'_>]) -> Self {
        let mut shares = Self::default();
        let one = 100.0 / f64::from(u32::try_from(requests.len()).unwrap());
        for request in requests {
            let share = match decide(snapshot, request).map(|decision| decision.outcome) {
                Ok(Outcome::Allow) => &mut shares.allowed,
                Ok(Outcome::ExplicitDeny) => &mut shares.explicit,
                Ok(Outcome::ImplicitDeny) => &mut shares.implicit,
                Err(_) => &mut shares.refused,
            };
            *share += one;
        }
        shares
    }

    /// Fails unless they are those of ram 9, to five in a hundred.
    pub fn check(self) {
        let near = |share: f64, wanted: f64| (share - wanted).abs() <= 5.0;
        let kept =
            near(self.allowed, 60.0) && near(self.explicit, 10.0) && near(self.implicit, 30.0);
        assert!(kept, "shares of outcomes: {self}");
    }
}

impl std::fmt::Display for Shares {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            allowed,
            explicit,
            implicit,
            refused,
        } = self;
        write!(
            formatter,
            "{allowed:.1} % allowed, {explicit:.1} % explicit deny, {implicit:.1} % implicit deny, {refused:.1} % refused"
        )
    }
}

fn policy_name(place: usize) -> Name {
    Name::try_from(format!("policy-{place:06}").as_str()).unwrap()
}

fn group_name(place: usize) -> Name {
    Name::try_from(format!("group-{place:06}").as_str()).unwrap()
}

fn user_name(place: usize) -> String {
    format!("user-{place:07}")
}

/// The ARN of a user.
fn principal(place: usize) -> String {
    format!("acs:ram::{ACCOUNT}:user/{}", user_name(place))
}

/// So many different numbers below a bound.
fn distinct(random: &mut Random, count: usize, bound: usize) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count.min(bound) {
        let next = random.below(bound);
        if !drawn.contains(&next) {
            drawn.push(next);
        }
    }
    drawn
}

/// All numbers below a bound, shuffled, in fours.
fn fours(random: &mut Random, bound: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<usize> = (0..bound).collect();
    for place in (1..bound).rev() {
        all.swap(place, random.below(place + 1));
    }
    all.chunks(4).map(<[usize]>::to_vec).collect()
}
