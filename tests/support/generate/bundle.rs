//! Random bundles: settings, catalog, accounts, organizations, attached documents and resources.

use std::collections::BTreeMap;

use tagwarden::model::account::{
    Account, Attachment, Grantee, Group, Name, PolicyRef, Role, RoleKind, Scope, User,
};
use tagwarden::model::action::{ActionName, ActionRef};
use tagwarden::model::arn::{AccountId, Arn, PrincipalRef};
use tagwarden::model::bundle::{Bundle, ResourcePolicy};
use tagwarden::model::catalog::{ActionFacts, Catalog, TagEffect};
use tagwarden::model::condition::TagFamily;
use tagwarden::model::organization::{ControlAttachment, EffectScope, Member, Node, Organization};
use tagwarden::model::pattern::{ActionPattern, ResourcePattern};
use tagwarden::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};
use tagwarden::model::resource::Resource;
use tagwarden::model::settings::{
    AbsentFamily, ControlScope, ForAllAbsent, MissingRequired, NotResource, Operators, QueryDenied,
    QueryUnfiltered, RgDeny, Settings, TagKeyCase, UnknownKeys, UpdateExtraTags,
};
use tagwarden::model::statement::{
    Actions, Effect, IdentityPattern, Policy, PrincipalPattern, Principals, Resources, Statement,
};
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::model::tag_policy::Dialect;

use super::condition::{condition, documented};
use super::{Tape, request};

/// Whether the statements of a document name principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Nobody,
    Principals,
}

pub(super) fn bundle(tape: &mut Tape<'_>, question: &AccessRequest) -> Bundle {
    let mut bundle = Bundle {
        settings: settings(tape),
        catalog: catalog(tape, question),
        ..Bundle::default()
    };
    bundle.accounts = vec![
        home(tape, "1", question),
        other(tape, "2", question),
        home_without_policies("3"),
    ];
    for place in 0..tape.pick(&[0, 0, 1, 2]) {
        bundle.resource_policies.push(ResourcePolicy {
            resource: arn(tape.pick(&[
                "acs:ecs:cn-a:1:instance/i-1",
                "acs:ecs:*:1:instance",
                "acs:oss:*:1:bucket",
                "acs:oss:*:1:bucket/key",
                "acs:ecs::2:instance/i-1",
                "acs:ecs:cn-a:9:disk",
            ])),
            name: name(&format!("doc{place}")),
            policy: policy(tape, Names::Principals),
        });
    }
    if tape.percent(35) {
        organization(tape, &mut bundle);
    }
    resources(tape, question, &mut bundle);
    bundle
}

/// Documents are refused before they get here, so none may break the switches.
pub(super) fn keep_documented(bundle: &mut Bundle, question: &mut AccessRequest) {
    let settings = bundle.settings.clone();
    let of_accounts = bundle.accounts.iter_mut().flat_map(|account| {
        let trust = account
            .roles
            .iter_mut()
            .filter_map(|role| role.trust.as_mut());
        account.policies.values_mut().chain(trust)
    });
    let shared = bundle
        .control_policies
        .values_mut()
        .chain(bundle.system_policies.values_mut());
    let attached = bundle
        .resource_policies
        .iter_mut()
        .map(|document| &mut document.policy);
    let session = match &mut question.session {
        SessionClaim::Policy(policy) => Some(policy),
        SessionClaim::None | SessionClaim::Unstated => None,
    };
    for policy in of_accounts.chain(shared).chain(attached).chain(session) {
        for statement in &mut policy.statements {
            statement
                .conditions
                .retain(|condition| documented(&settings, condition));
            if settings.not_resource == NotResource::Refuse
                && let Resources::AllBut(patterns) = &statement.resources
            {
                statement.resources = Resources::Only(patterns.clone());
            }
        }
    }
}

fn settings(tape: &mut Tape<'_>) -> Settings {
    let mut settings = Settings::default();
    if !tape.percent(60) {
        return settings;
    }
    if tape.percent(20) {
        settings.rg_deny = RgDeny::DocumentedOrder;
    }
    settings.query_denied = tape.pick(&[
        QueryDenied::Empty,
        QueryDenied::Empty,
        QueryDenied::Error,
        QueryDenied::ErrorOnExplicit,
    ]);
    if tape.percent(25) {
        settings.query_unfiltered = QueryUnfiltered::Deny;
    }
    settings.tag_key_case = tape.pick(&[TagKeyCase::Guarded, TagKeyCase::Exact, TagKeyCase::Fold]);
    if tape.percent(30) {
        settings.absent_family = AbsentFamily::Aws;
    }
    if tape.percent(35) {
        settings.update_extra_tags = UpdateExtraTags::Named;
    }
    if tape.percent(30) {
        settings.missing_required = MissingRequired::AsAbsent;
    }
    if tape.percent(35) {
        settings.control_scope = ControlScope::OwnerAndPrincipal;
    }
    if tape.percent(10) {
        settings.operators = Operators::Documented;
    }
    if tape.percent(30) {
        settings.forall_absent = ForAllAbsent::Aws;
    }
    if tape.percent(10) {
        settings.unknown_keys = UnknownKeys::Warn;
    }
    if tape.percent(30) {
        settings.not_resource = NotResource::Aws;
    }
    settings
}

fn catalog(tape: &mut Tape<'_>, question: &AccessRequest) -> Catalog {
    let mut catalog = Catalog::default();
    if tape.percent(50) {
        let family = tape.pick(&[TagFamily::Resource, TagFamily::Request]);
        catalog.tag_families.insert("cs:clustertag".into(), family);
    }
    let Ok(action) = ActionRef::parse(&question.action) else {
        return catalog;
    };
    let mut facts = ActionFacts::from_name(action);
    if tape.percent(25) {
        facts = ActionFacts::of_kind(request::kind(tape), action.name());
    }
    facts.filterable = facts.list && !tape.percent(30);
    if tape.percent(10) {
        facts.list = !facts.list;
    }
    if tape.percent(12) {
        facts.tags = tape.pick(&[
            TagEffect::None,
            TagEffect::NewResource,
            TagEffect::Target,
            TagEffect::Replace,
            TagEffect::Remove,
        ]);
    }
    facts.all_resources = tape.percent(40);
    facts.upsert = tape.percent(12);
    if tape.percent(15) {
        facts.required_keys = vec![
            tape.pick(&["oss:prefix", "ecs:size", "acs:mfapresent"])
                .into(),
        ];
    }
    if !tape.percent(15) {
        catalog.actions.insert(ActionName::from(action), facts);
    }
    catalog
}

fn name(text: &str) -> Name {
    Name::try_from(text).expect("a name")
}

fn arn(text: &str) -> Arn {
    Arn::try_from(text).expect("an ARN")
}

fn account_id(text: &str) -> AccountId {
    AccountId::try_from(text).expect("an account")
}

fn home_without_policies(id: &str) -> Account {
    let user = |name: &str, uid: Option<&str>| User {
        name: name.to_owned(),
        uid: uid.map(str::to_owned),
    };
    let role = |name: &str, kind| Role {
        name: name.to_owned(),
        uid: None,
        kind,
        trust: None,
    };
    Account {
        id: account_id(id),
        users: vec![user("alice", Some(&format!("10{id}"))), user("bob", None)],
        groups: vec![Group {
            name: name("g"),
            users: vec!["alice".to_owned()],
        }],
        roles: vec![
            Role {
                uid: Some(format!("20{id}")),
                ..role("ops", RoleKind::Plain)
            },
            role("linked", RoleKind::ServiceLinked),
            role("sso", RoleKind::Sso),
        ],
        policies: BTreeMap::new(),
        attachments: Vec::new(),
    }
}

fn home(tape: &mut Tape<'_>, id: &str, question: &AccessRequest) -> Account {
    let mut account = home_without_policies(id);
    for place in 0..tape.pick(&[1, 1, 2, 3]) {
        let policy_name = name(&format!("p{place}"));
        account
            .policies
            .insert(policy_name.clone(), policy(tape, Names::Nobody));
        for _ in 0..tape.pick(&[1, 2, 3]) {
            account.attachments.push(Attachment {
                policy: PolicyRef::Custom(policy_name.clone()),
                to: grantee(tape, question),
                scope: match tape.below(10) {
                    0..=6 => Scope::Account,
                    7 | 8 => Scope::ResourceGroup(name("rg-1")),
                    _ => Scope::ResourceGroup(name("rg-2")),
                },
            });
        }
    }
    if tape.percent(45) {
        account.roles[0].trust = Some(policy(tape, Names::Principals));
    }
    account
}

/// Mostly whoever asks.
fn grantee(tape: &mut Tape<'_>, question: &AccessRequest) -> Grantee {
    if !tape.percent(35) {
        match PrincipalRef::parse(&question.principal) {
            Ok(PrincipalRef::User { name, .. }) if name != "nobody" => {
                return Grantee::User(name.to_owned());
            }
            Ok(PrincipalRef::Role { name, .. }) => return Grantee::Role(name.to_owned()),
            Ok(_) | Err(_) => {}
        }
    }
    match tape.below(8) {
        0..=2 => Grantee::User("alice".to_owned()),
        3 => Grantee::Group(name("g")),
        4 | 5 => Grantee::Role("ops".to_owned()),
        6 => Grantee::Role(tape.pick(&["linked", "sso"]).to_owned()),
        _ => Grantee::User("bob".to_owned()),
    }
}

fn other(tape: &mut Tape<'_>, id: &str, question: &AccessRequest) -> Account {
    if tape.percent(50) {
        home(tape, id, question)
    } else {
        home_without_policies(id)
    }
}

fn organization(tape: &mut Tape<'_>, bundle: &mut Bundle) {
    let mut made = 0;
    let mut level = |tape: &mut Tape<'_>| {
        let mut found = Vec::new();
        for _ in 0..tape.pick(&[0, 1, 1, 2]) {
            let named = name(&format!("c{made}"));
            made += 1;
            bundle
                .control_policies
                .insert(named.clone(), control_policy(tape));
            found.push(ControlAttachment {
                policy: PolicyRef::Custom(named),
                effect_scope: if tape.percent(35) {
                    EffectScope::All
                } else {
                    EffectScope::Ram
                },
            });
        }
        found
    };
    let members = ["1", "2"].into_iter().take(tape.pick(&[1, 2]));
    let members = members
        .map(|id| Member {
            account: account_id(id),
            control: level(tape),
            tag: Vec::new(),
        })
        .collect();
    let mut root = Node {
        name: "n0".to_owned(),
        control: level(tape),
        tag: Vec::new(),
        folders: Vec::new(),
        members,
    };
    for depth in 0..tape.pick(&[0, 1, 2]) {
        root = Node {
            name: format!("n{}", depth + 1),
            control: level(tape),
            tag: Vec::new(),
            folders: vec![root],
            members: Vec::new(),
        };
    }
    bundle.organizations.push(Organization {
        id: "rd-1".to_owned(),
        management: account_id("3"),
        dialect: Dialect::default(),
        root,
    });
}

/// Mostly wide: otherwise nothing below would ever be asked.
fn control_policy(tape: &mut Tape<'_>) -> Policy {
    let mut found = policy(tape, Names::Nobody);
    if !tape.percent(25) {
        found.statements.insert(
            0,
            Statement {
                sid: None,
                effect: Effect::Allow,
                actions: Actions::Only(vec![ActionPattern::All]),
                resources: Resources::Only(vec![ResourcePattern::All]),
                principals: None,
                conditions: Vec::new(),
            },
        );
    }
    found
}

pub(super) fn policy(tape: &mut Tape<'_>, names: Names) -> Policy {
    let count = tape.pick(&[1, 2, 3]);
    Policy {
        statements: (0..count).map(|_| statement(tape, names)).collect(),
    }
}

fn statement(tape: &mut Tape<'_>, names: Names) -> Statement {
    Statement {
        sid: None,
        effect: if tape.percent(20) {
            Effect::Deny
        } else {
            Effect::Allow
        },
        actions: actions(tape),
        resources: resource_patterns(tape, names),
        principals: (names == Names::Principals).then(|| principals(tape)),
        conditions: (0..tape.pick(&[0, 1, 1, 0, 2, 1, 1, 3]))
            .map(|_| condition(tape))
            .collect(),
    }
}

fn actions(tape: &mut Tape<'_>) -> Actions {
    let all = [
        "*",
        "*",
        "*",
        "*",
        "*",
        "ecs:*",
        "*:Describe*",
        "ecs:StopInstance",
        "oss:*",
        "*:*tag*",
        "sts:*",
    ];
    let mut patterns = vec![tape.pick(&all)];
    if tape.percent(30) {
        patterns.push(tape.pick(&all));
    }
    let patterns = patterns
        .into_iter()
        .map(|text| ActionPattern::parse(text).expect("a pattern"));
    if tape.percent(8) {
        Actions::AllBut(
            patterns
                .skip(1)
                .chain(ActionPattern::parse("oss:*"))
                .collect(),
        )
    } else {
        Actions::Only(patterns.collect())
    }
}

fn resource_patterns(tape: &mut Tape<'_>, names: Names) -> Resources {
    if names == Names::Principals && tape.percent(40) {
        return Resources::Attached;
    }
    let all = [
        "*",
        "*",
        "*",
        "*",
        "*",
        "*",
        "acs:ecs:*:*:*",
        "acs:ecs:*:1:instance/*",
        "acs:ecs:cn-a:*:instance/i-1",
        "acs:*:*:1:*",
        "acs:oss:*:*:bucket/*",
        "acs:oss:*:*:bucket/key",
        "acs:ram:*:*:role/*",
        "acs:ecs:*:instance/i-?",
        "acs:ecs:*:*:instance/i*",
    ];
    let mut patterns = vec![tape.pick(&all)];
    if tape.percent(20) {
        patterns.push(tape.pick(&all));
    }
    let read = |text: &str| ResourcePattern::parse(text, |_, region| region == "*").expect("one");
    let patterns = patterns.into_iter().map(read);
    if names == Names::Nobody && tape.percent(6) {
        Resources::AllBut(
            patterns
                .skip(1)
                .chain([read("acs:oss:*:*:bucket/key")])
                .collect(),
        )
    } else {
        Resources::Only(patterns.collect())
    }
}

fn principals(tape: &mut Tape<'_>) -> Principals {
    let identity = |prefix: &str, open| {
        PrincipalPattern::Identity(IdentityPattern {
            prefix: prefix.to_owned(),
            open,
        })
    };
    let all = [
        PrincipalPattern::Account(account_id("1")),
        identity("acs:ram::1:user/alice", false),
        identity("acs:ram::1:role/ops", false),
        identity("acs:ram::1:", true),
        identity("acs:ram::1:role/ops/s", false),
        PrincipalPattern::Id("1".to_owned()),
        PrincipalPattern::Id("9".to_owned()),
        PrincipalPattern::Id("101".to_owned()),
        PrincipalPattern::Id("201".to_owned()),
        PrincipalPattern::Account(account_id("9")),
        PrincipalPattern::Account(account_id("2")),
        PrincipalPattern::Service("ecs.aliyuncs.com".to_owned()),
        PrincipalPattern::Federated("acs:ram::1:saml-provider/idp".to_owned()),
        identity("acs:ram::9:user/al", true),
        identity("acs:ram::2:user/alice", false),
    ];
    if tape.percent(40) {
        return Principals::Everybody;
    }
    let mut found = vec![tape.pick(&all)];
    for _ in 0..tape.pick(&[0, 1, 2]) {
        found.push(tape.pick(&all));
    }
    Principals::Any(found)
}

/// The resources that are asked about.
const ARNS: [&str; 9] = [
    "acs:ecs:cn-a:1:instance/i-1",
    "acs:ecs:cn-a:1:instance/i-2",
    "acs:ecs:cn-a:1:disk/d-1",
    "acs:ecs:cn-b:1:instance/i-3",
    "acs:oss:*:1:bucket/key",
    "acs:oss:::bucket",
    "acs:ecs:cn-a:2:instance/i-1",
    "acs:oss:cn-a:2:bucket/key",
    "acs:ram::1:role/ops",
];

/// More resources, and what the catalog may say of the listing of tags.
pub(super) fn list_tags(tape: &mut Tape<'_>, bundle: &mut Bundle) {
    let action = ActionRef::parse("tag:ListTagResources").expect("an action");
    let mut facts = ActionFacts::from_name(action);
    facts.all_resources = tape.percent(50);
    facts.filterable = tape.percent(50);
    if tape.percent(8) {
        facts = ActionFacts::of_kind(request::kind(tape), action.name());
        facts.list = tape.percent(50);
    }
    if tape.percent(60) {
        bundle
            .catalog
            .actions
            .insert(ActionName::from(action), facts);
    }
    let mut asked = AccessRequest {
        principal: String::new(),
        action: String::new(),
        resources: Vec::new(),
        tags: RequestTags::default(),
        context: BTreeMap::new(),
        current_time: None,
        session: SessionClaim::Unstated,
        kind: None,
        understands_obligations: false,
    };
    asked.resources.extend(ARNS.map(|arn| RequestedResource {
        arn: arn.to_owned(),
        tags: None,
        group: None,
    }));
    resources(tape, &asked, bundle);
}

fn resources(tape: &mut Tape<'_>, question: &AccessRequest, bundle: &mut Bundle) {
    for asked in &question.resources {
        let Ok(arn) = Arn::try_from(asked.arn.as_str()) else {
            continue;
        };
        let known = bundle.resources.iter().any(|known| known.arn == arn);
        if known || !arn.fields().is_concrete() || !tape.percent(65) {
            continue;
        }
        let tags = request::tags(tape);
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::from(TagRef { key, value }))
            .collect();
        let unnamed = arn.fields().owner().is_none() && !tape.percent(25);
        bundle.resources.push(Resource {
            account: unnamed.then(|| account_id(tape.pick(&["1", "2"]))),
            arn,
            kind: None,
            group: request::group(tape).map(|group| name(&group)),
            tags: TagSet::new(tags).expect("different keys"),
        });
    }
}
