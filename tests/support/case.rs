//! Reads worked cases of the RAM form into a bundle and a request.
//!
//! Independent of the crate's own reader of documents and cases, as the reference is of the engine.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tagwarden::model::account::{
    Account, Attachment, Grantee, Group, Name, PolicyRef, Role, RoleKind, Scope, User,
};
use tagwarden::model::action::{ActionName, ActionRef};
use tagwarden::model::arn::{AccountId, Arn, PrincipalRef, ResourceName};
use tagwarden::model::bundle::{Bundle, ResourcePolicy};
use tagwarden::model::catalog::{ActionFacts, OperationKind, TagEffect};
use tagwarden::model::organization::{ControlAttachment, EffectScope, Member, Node, Organization};
use tagwarden::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};
use tagwarden::model::resource::Resource;
use tagwarden::model::settings::{
    AbsentFamily, ControlScope, ForAllAbsent, MissingRequired, NotResource, Operators, QueryDenied,
    QueryUnfiltered, RgDeny, Settings, TagKeyCase, UnknownKeys, UpdateExtraTags,
};
use tagwarden::model::statement::Policy;
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::model::tag_policy::Dialect;

use super::policy::read_policy;

/// The instant of a case that tells none.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

/// A case: its question, or nothing where a document of it is refused.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) question: Option<(Bundle, AccessRequest)>,
    pub(crate) expect: String,
    pub(crate) error: Option<String>,
    pub(crate) decision: Option<String>,
    pub(crate) obligations: Option<Vec<String>>,
    pub(crate) why: String,
}

pub(crate) fn read(line: &str) -> Case {
    let case: Value = serde_json::from_str(line).expect("a case is JSON");
    let case = case.as_object().expect("a case is an object");
    let known = [
        "id",
        "source",
        "policies",
        "request",
        "expect",
        "expect_error",
        "decision",
        "obligations",
        "why",
        "settings",
        "catalog",
        "unknown_resources",
        "ambiguous",
        "alt",
        "features",
        "pivotal",
        "organization",
        "accounts",
    ];
    for member in case.keys() {
        assert!(
            known.contains(&member.as_str()),
            "unknown member {member} in {line}"
        );
    }
    Case {
        id: text(&case["id"]),
        question: question(case),
        expect: text(&case["expect"]),
        error: case.get("expect_error").map(text),
        decision: case.get("decision").map(text),
        obligations: case.get("obligations").map(texts),
        why: case.get("why").map(text).unwrap_or_default(),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![text(value)]
        }
    }
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let entries = value.as_object().expect("an object of tags");
    entries
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

fn name(text: &str) -> Name {
    Name::try_from(text).expect("a name")
}

fn account_id(text: &str) -> AccountId {
    AccountId::try_from(text).expect("an account")
}

fn question(case: &Map<String, Value>) -> Option<(Bundle, AccessRequest)> {
    let asked = case["request"].as_object().expect("a request");
    let settings = settings(case.get("settings"));
    let mut bundle = Bundle {
        settings,
        ..Bundle::default()
    };
    catalog(case, asked, &mut bundle);
    resources(case, asked, &mut bundle);
    let mut session = match asked["principal"].get("session") {
        Some(_) => SessionClaim::None,
        None => SessionClaim::Unstated,
    };
    policies(case, asked, &mut bundle, &mut session)?;
    Some((bundle, request(asked, session)))
}

fn request(asked: &Map<String, Value>, session: SessionClaim) -> AccessRequest {
    let mut context = BTreeMap::new();
    let mut current_time = Some(NOW.to_owned());
    for (key, value) in asked["context"].as_object().expect("a context") {
        if key.eq_ignore_ascii_case("acs:CurrentTime") {
            current_time = Some(text(value));
        } else {
            context.insert(key.clone(), texts(value));
        }
    }
    let sent = |arn: &str| {
        asked
            .get("sent_tags")
            .and_then(|sent| sent.get(arn))
            .map(pairs)
    };
    let sent_group = |arn: &str| {
        let group = asked.get("sent_groups").and_then(|sent| sent.get(arn));
        group.map(|group| group.as_str().map(str::to_owned))
    };
    AccessRequest {
        principal: text(&asked["principal"]["arn"]),
        action: text(&asked["action"]),
        resources: texts(&asked["resources"])
            .into_iter()
            .map(|arn| RequestedResource {
                tags: sent(&arn),
                group: sent_group(&arn).or_else(|| open_group(asked, &arn).map(Some)),
                arn,
            })
            .collect(),
        tags: RequestTags {
            set: asked
                .get("request_tags")
                .filter(|tags| !tags.is_null())
                .map(pairs),
            remove_keys: asked.get("remove_tag_keys").map(texts).unwrap_or_default(),
            remove_all: asked.get("tag_write") == Some(&Value::from("remove_all")),
            replace: asked.get("tag_write") == Some(&Value::from("replace")),
        },
        context,
        current_time,
        session,
        kind: asked.get("stated_kind").map(kind),
        understands_obligations: asked.get("understands_obligations") != Some(&Value::Bool(false)),
    }
}

/// The group of a resource that is no record of the directory is sent.
fn open_group(asked: &Map<String, Value>, arn: &str) -> Option<String> {
    let concrete = ResourceName::parse(arn).is_ok_and(|name| name.is_concrete());
    let group = asked
        .get("resource_groups")
        .and_then(|groups| groups.get(arn));
    group.filter(|_| !concrete).map(text)
}

fn kind(value: &Value) -> OperationKind {
    match text(value).as_str() {
        "create" => OperationKind::Create,
        "query" => OperationKind::Query,
        "update" => OperationKind::Update,
        "other" => OperationKind::Other,
        other => panic!("unknown kind {other}"),
    }
}

fn catalog(case: &Map<String, Value>, asked: &Map<String, Value>, bundle: &mut Bundle) {
    let action = text(&asked["action"]);
    let action_ref = ActionRef::parse(&action).expect("an action");
    if let Some(stated) = asked.get("kind") {
        let mut facts = ActionFacts::of_kind(kind(stated), action_ref.name());
        facts.filterable = facts.list;
        bundle
            .catalog
            .actions
            .insert(ActionName::from(action_ref), facts);
    }
    let flags = case.get("catalog").and_then(Value::as_object);
    for (action, flags) in flags.into_iter().flatten() {
        let named = ActionRef::parse(action).expect("an action");
        let mut facts = bundle.catalog.facts(named);
        for (flag, value) in flags.as_object().expect("flags") {
            let on = || value.as_bool().expect("a flag");
            match flag.as_str() {
                "kind" => facts.kind = kind(value),
                "list" => facts.list = on(),
                "filterable" => facts.filterable = on(),
                "all_resources" => facts.all_resources = on(),
                "upsert" => facts.upsert = on(),
                "required_keys" => {
                    let keys = texts(value).into_iter();
                    facts.required_keys = keys
                        .map(|key| key.to_lowercase().into_boxed_str())
                        .collect();
                }
                "tags" => facts.tags = tag_effect(&text(value)),
                other => panic!("unknown flag {other}"),
            }
        }
        bundle
            .catalog
            .actions
            .insert(ActionName::from(named), facts);
    }
}

fn tag_effect(text: &str) -> TagEffect {
    match text {
        "none" => TagEffect::None,
        "new_resource" => TagEffect::NewResource,
        "target" => TagEffect::Target,
        "replace" => TagEffect::Replace,
        "remove" => TagEffect::Remove,
        other => panic!("unknown effect {other}"),
    }
}

fn resources(case: &Map<String, Value>, asked: &Map<String, Value>, bundle: &mut Bundle) {
    let unknown = case.get("unknown_resources").map(texts).unwrap_or_default();
    for arn in texts(&asked["resources"]) {
        let concrete = ResourceName::parse(&arn).is_ok_and(|name| name.is_concrete());
        if !concrete || unknown.contains(&arn) {
            continue;
        }
        let found = asked.get("resource_tags").and_then(|tags| tags.get(&arn));
        let tags: Vec<Tag> = found
            .map(pairs)
            .unwrap_or_default()
            .iter()
            .map(|(key, value)| Tag::from(TagRef { key, value }))
            .collect();
        let group = asked
            .get("resource_groups")
            .and_then(|groups| groups.get(&arn));
        let record = Resource {
            account: None,
            arn: Arn::try_from(arn.as_str()).expect("an ARN"),
            kind: None,
            group: group.and_then(Value::as_str).map(name),
            tags: TagSet::new(tags).expect("different keys"),
        };
        if bundle.resources.iter().all(|known| known.arn != record.arn) {
            bundle.resources.push(record);
        }
    }
}

/// Puts the policies where they belong. `None`: a document is refused.
fn policies(
    case: &Map<String, Value>,
    asked: &Map<String, Value>,
    bundle: &mut Bundle,
    session: &mut SessionClaim,
) -> Option<()> {
    let principal = &asked["principal"];
    let mut account = home(principal);
    let mut levels: BTreeMap<u64, Vec<ControlAttachment>> = BTreeMap::new();
    for (place, policy) in case["policies"]
        .as_array()
        .expect("policies")
        .iter()
        .enumerate()
    {
        let layer = text(&policy["layer"]);
        let document = read_policy(&policy["doc"], &layer, &bundle.settings)?;
        let named = name(&format!("p{place}"));
        match layer.as_str() {
            "identity" => {
                let account = account.as_mut().expect("an account for identity policies");
                attach(account, policy, principal, &named);
                account.policies.insert(named, document);
            }
            "control" => {
                let all = policy.get("effect_scope") == Some(&Value::from("All"));
                let level = policy.get("level").and_then(Value::as_u64).unwrap_or(0);
                levels.entry(level).or_default().push(ControlAttachment {
                    policy: PolicyRef::Custom(named.clone()),
                    effect_scope: if all {
                        EffectScope::All
                    } else {
                        EffectScope::Ram
                    },
                });
                bundle.control_policies.insert(named, document);
            }
            "session" => *session = SessionClaim::Policy(document),
            "resource" => attach_to_resources(asked, bundle, &named, &document),
            "trust" => trust(asked, bundle, &mut account, &document),
            other => panic!("unknown layer {other}"),
        }
    }
    if !levels.is_empty() {
        let member = text(&principal["account"]);
        let member = case
            .get("organization")
            .map_or(member, |org| text(&org["member"]));
        bundle
            .organizations
            .push(organization(&member, levels, case));
    }
    for other in case.get("accounts").map(texts).unwrap_or_default() {
        bundle.accounts.push(empty_account(&other));
    }
    bundle.accounts.extend(account);
    Some(())
}

fn empty_account(id: &str) -> Account {
    Account {
        id: account_id(id),
        users: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        policies: BTreeMap::new(),
        attachments: Vec::new(),
    }
}

/// The account of the principal, which the bundle holds unless the case says `unknown`.
fn home(principal: &Value) -> Option<Account> {
    let arn = text(&principal["arn"]);
    let parsed = PrincipalRef::parse(&arn).expect("a principal");
    let mut account = empty_account(parsed.account()?);
    let uid = principal
        .get("uid")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let sort = principal
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match (principal.get("known").and_then(Value::as_str), parsed) {
        (Some("no account"), _) => return None,
        (Some("no identity"), _) => {}
        (_, PrincipalRef::User { name, .. }) => {
            account.users.push(User {
                name: name.to_owned(),
                uid,
            });
        }
        (_, PrincipalRef::Role { name, .. }) => {
            let kind = match sort {
                "service_linked_role" => RoleKind::ServiceLinked,
                "sso_role" | "role_sso" => RoleKind::Sso,
                _ => RoleKind::Plain,
            };
            account.roles.push(Role {
                name: name.to_owned(),
                uid,
                kind,
                trust: None,
            });
        }
        (_, PrincipalRef::Root { .. }) => {}
        (_, PrincipalRef::Federated { .. } | PrincipalRef::Service { .. }) => {}
    }
    Some(account)
}

fn attach(account: &mut Account, policy: &Value, principal: &Value, named: &Name) {
    let arn = text(&principal["arn"]);
    let parsed = PrincipalRef::parse(&arn).expect("a principal");
    let via = policy.get("via").and_then(Value::as_str);
    let to = match (via, parsed) {
        (Some(via), PrincipalRef::User { name: user, .. }) if via.starts_with("group") => {
            let group = name(&format!("g-{named}"));
            let users = vec![user.to_owned()];
            account.groups.push(Group {
                name: group.clone(),
                users,
            });
            Grantee::Group(group)
        }
        (_, PrincipalRef::User { name, .. }) => Grantee::User(name.to_owned()),
        (_, PrincipalRef::Role { name, .. }) => Grantee::Role(name.to_owned()),
        // Nothing can be attached to such a principal; the policy stands unused.
        (_, _) => return,
    };
    let scope = policy
        .get("scope")
        .and_then(Value::as_str)
        .unwrap_or("account");
    account.attachments.push(Attachment {
        policy: PolicyRef::Custom(named.clone()),
        to,
        scope: match scope.strip_prefix("rg:") {
            Some(group) => Scope::ResourceGroup(name(group)),
            None => Scope::Account,
        },
    });
}

fn attach_to_resources(
    asked: &Map<String, Value>,
    bundle: &mut Bundle,
    named: &Name,
    document: &Policy,
) {
    let mut seen: Vec<String> = Vec::new();
    for arn in texts(&asked["resources"]) {
        let at = arn.strip_suffix("/*").unwrap_or(&arn).to_owned();
        if !seen.contains(&at) {
            bundle.resource_policies.push(ResourcePolicy {
                resource: Arn::try_from(at.as_str()).expect("an ARN"),
                name: name(&format!("{named}-{}", seen.len())),
                policy: document.clone(),
            });
            seen.push(at);
        }
    }
}

fn trust(
    asked: &Map<String, Value>,
    bundle: &mut Bundle,
    home: &mut Option<Account>,
    document: &Policy,
) {
    for arn in texts(&asked["resources"]) {
        let arn = Arn::try_from(arn.as_str()).expect("an ARN");
        let owner = arn.fields().owner().expect("an owner").to_owned();
        let role = arn
            .fields()
            .id()
            .strip_prefix("role/")
            .expect("a role")
            .to_owned();
        let at_home = home.as_mut().filter(|home| home.id.as_str() == owner);
        let account = if let Some(account) = at_home {
            account
        } else {
            bundle.accounts.push(empty_account(&owner));
            bundle.accounts.last_mut().expect("just pushed")
        };
        match account.roles.iter_mut().find(|known| known.name == role) {
            Some(known) => known.trust = Some(document.clone()),
            None => account.roles.push(Role {
                name: role,
                uid: None,
                kind: RoleKind::Plain,
                trust: Some(document.clone()),
            }),
        }
    }
}

/// A chain of folders from the Root to the member: the highest level is the Root's.
fn organization(
    member: &str,
    mut levels: BTreeMap<u64, Vec<ControlAttachment>>,
    case: &Map<String, Value>,
) -> Organization {
    let top = levels.keys().copied().max().unwrap_or(0).max(1);
    let own = levels.remove(&0).unwrap_or_default();
    let member = Member {
        account: account_id(member),
        control: own,
        tag: Vec::new(),
    };
    let mut node = Node {
        name: "n1".to_owned(),
        control: levels.remove(&1).unwrap_or_default(),
        tag: Vec::new(),
        folders: Vec::new(),
        members: vec![member],
    };
    for level in 2..=top {
        node = Node {
            name: format!("n{level}"),
            control: levels.remove(&level).unwrap_or_default(),
            tag: Vec::new(),
            folders: vec![node],
            members: Vec::new(),
        };
    }
    let management = case
        .get("organization")
        .and_then(|org| org.get("management"));
    Organization {
        id: "rd-1".to_owned(),
        management: account_id(&management.map_or("1".to_owned(), text)),
        dialect: Dialect::default(),
        root: node,
    }
}

fn settings(given: Option<&Value>) -> Settings {
    let mut settings = Settings::default();
    for (switch, value) in given.and_then(Value::as_object).into_iter().flatten() {
        match (switch.as_str(), text(value).as_str()) {
            ("rg_deny", "always") => settings.rg_deny = RgDeny::Always,
            ("rg_deny", "documented_order") => settings.rg_deny = RgDeny::DocumentedOrder,
            ("query_denied", "empty") => settings.query_denied = QueryDenied::Empty,
            ("query_denied", "error") => settings.query_denied = QueryDenied::Error,
            ("query_denied", "error_on_explicit") => {
                settings.query_denied = QueryDenied::ErrorOnExplicit;
            }
            ("query_unfiltered", "obligation") => {
                settings.query_unfiltered = QueryUnfiltered::Obligation;
            }
            ("query_unfiltered", "deny") => settings.query_unfiltered = QueryUnfiltered::Deny,
            ("tag_key_case", "guarded") => settings.tag_key_case = TagKeyCase::Guarded,
            ("tag_key_case", "exact") => settings.tag_key_case = TagKeyCase::Exact,
            ("tag_key_case", "fold") => settings.tag_key_case = TagKeyCase::Fold,
            ("absent_family", "fail") => settings.absent_family = AbsentFamily::Fail,
            ("absent_family", "aws") => settings.absent_family = AbsentFamily::Aws,
            ("update_extra_tags", "class") => settings.update_extra_tags = UpdateExtraTags::Class,
            ("update_extra_tags", "named") => settings.update_extra_tags = UpdateExtraTags::Named,
            ("missing_required", "refuse") => settings.missing_required = MissingRequired::Refuse,
            ("missing_required", "as_absent") => {
                settings.missing_required = MissingRequired::AsAbsent;
            }
            ("control_scope", "owner") => settings.control_scope = ControlScope::Owner,
            ("control_scope", "owner_and_principal") => {
                settings.control_scope = ControlScope::OwnerAndPrincipal;
            }
            ("operators", "extended") => settings.operators = Operators::Extended,
            ("operators", "documented") => settings.operators = Operators::Documented,
            ("forall_absent", "false") => settings.forall_absent = ForAllAbsent::False,
            ("forall_absent", "aws") => settings.forall_absent = ForAllAbsent::Aws,
            ("unknown_keys", "refuse") => settings.unknown_keys = UnknownKeys::Refuse,
            ("unknown_keys", "warn") => settings.unknown_keys = UnknownKeys::Warn,
            ("not_resource", "refuse") => settings.not_resource = NotResource::Refuse,
            ("not_resource", "aws") => settings.not_resource = NotResource::Aws,
            (switch, value) => panic!("unknown switch {switch} = {value}"),
        }
    }
    settings
}
