//! The cloud that the profiles speak of: services, their actions, regions and tags.

use tagwarden::model::action::ActionName;
use tagwarden::model::catalog::{ActionFacts, Catalog, OperationKind};

use super::random::Random;

/// The one account of a profile.
pub const ACCOUNT: &str = "1234567890123456";
/// Where its resources are.
pub const REGIONS: [&str; 4] = ["cn-hangzhou", "cn-beijing", "cn-shanghai", "cn-shenzhen"];

const SERVICES: [&str; 16] = [
    "ecs",
    "oss",
    "rds",
    "vpc",
    "slb",
    "eci",
    "ess",
    "kms",
    "cdn",
    "polardb",
    "gpdb",
    "cen",
    "oos",
    "log",
    "ram",
    "r-kvstore",
];
const NOUNS: [&str; 8] = [
    "Instance", "Disk", "Bucket", "Snapshot", "Image", "Gateway", "Listener", "Backup",
];
/// 57 % of the actions are queries.
const VERBS: [(&str, OperationKind); 14] = [
    ("Describe", OperationKind::Query),
    ("List", OperationKind::Query),
    ("Get", OperationKind::Query),
    ("Query", OperationKind::Query),
    ("DescribeAll", OperationKind::Query),
    ("ListAll", OperationKind::Query),
    ("GetAll", OperationKind::Query),
    ("QueryAll", OperationKind::Query),
    ("Create", OperationKind::Create),
    ("Allocate", OperationKind::Create),
    ("Modify", OperationKind::Update),
    ("TagThe", OperationKind::Update),
    ("Delete", OperationKind::Other),
    ("Restart", OperationKind::Other),
];

/// One action of the catalog.
#[derive(Debug, Clone)]
pub struct Action {
    /// `service:Name`
    pub text: String,
    /// Its service.
    pub service: &'static str,
    /// Its name in lower case.
    pub name: String,
    /// The type of the resources that it is about.
    pub noun: String,
    /// Its kind.
    pub kind: OperationKind,
}

/// All actions, service by service.
#[derive(Debug, Clone)]
pub struct World {
    /// The actions of each service.
    pub services: Vec<Vec<Action>>,
}

impl World {
    /// The same every time.
    pub fn new() -> Self {
        let action =
            |service: &'static str, noun: &str, (verb, kind): (&str, OperationKind)| Action {
                text: format!("{service}:{verb}{noun}s"),
                service,
                name: format!("{verb}{noun}s").to_ascii_lowercase(),
                noun: noun.to_ascii_lowercase(),
                kind,
            };
        let of_service = |service| {
            let verbs = VERBS.iter().copied();
            verbs
                .flat_map(|verb| NOUNS.iter().map(move |noun| action(service, noun, verb)))
                .collect()
        };
        Self {
            services: SERVICES.into_iter().map(of_service).collect(),
        }
    }

    /// The catalog: lists take tag filters.
    pub fn catalog(&self) -> Catalog {
        let actions = self.services.iter().flatten().map(|action| {
            let name = action.text.split_once(':').map_or("", |(_, name)| name);
            let facts = ActionFacts::of_kind(action.kind, name);
            let filterable = facts.list;
            let listed = ActionFacts {
                filterable,
                ..facts
            };
            (ActionName::try_from(action.text.as_str()).unwrap(), listed)
        });
        Catalog {
            actions: actions.collect(),
            ..Catalog::default()
        }
    }

    /// The actions of some service; the first services are the most popular.
    pub fn service(&self, random: &mut Random) -> &[Action] {
        let far = random.between(1, self.services.len());
        &self.services[random.below(far)]
    }
}

/// The text of tag key `n`.
pub fn tag_key(place: usize) -> String {
    const KEYS: [&str; 8] = [
        "env",
        "team",
        "app",
        "cost-center",
        "owner",
        "stage",
        "tier",
        "zone",
    ];
    match KEYS.get(place) {
        Some(key) => (*key).to_owned(),
        None => format!("label-{place:02}"),
    }
}

/// The text of tag value `n` of a key.
pub fn tag_value(place: usize) -> String {
    const VALUES: [&str; 4] = ["production", "test", "staging", "development"];
    match VALUES.get(place) {
        Some(value) => (*value).to_owned(),
        None => format!("value-{place:02}"),
    }
}
