//! `inheritance.json` and the objects that say the same: what is taken, and where errors stand.

use tagwarden::compiler::change::{ChangeError, change};
use tagwarden::compiler::compile;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::document::object::{Document, Memory, join, read_objects, split};
use tagwarden::model::arn::AccountId;
use tagwarden::model::inheritance::{
    ApplyToExisting, Authority, Inheritance, OnAssociate, RuleId, Status, TagScope,
};
use tagwarden::model::object::ObjectId;

const DISK: &str = "rule:AttachDisk-DetachDisk-TagInstance:Ecs-Instance:Ecs-Disk";

fn files(inheritance: &str) -> BundleFiles {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    files.insert("accounts/1/account.json", "{}");
    files.insert("inheritance.json", inheritance);
    files
}

fn read(inheritance: &str) -> Result<Inheritance, String> {
    let loaded = read_bundle(&files(inheritance), Strictness::Strict);
    let loaded = loaded.map_err(|errors| errors.to_string())?;
    Ok(loaded.bundle.inheritance.as_ref().clone())
}

fn whole() -> String {
    r#"{
      "rules": {"rule:own": {"primary": "ecs:instance", "associated": "ecs:image",
        "on_associate": "nothing", "existing": "unsupported"}},
      "accounts": {"1": {"feature": "on", "regions": ["cn-hangzhou"],
        "excluded": ["acs:ecs:cn-hangzhou:1:instance/i-1"],
        "rules": {
          "DISK": {"status": "enabled", "tag_keys": ["team", "env"], "existing": true,
            "authorize_associated": true},
          "rule:own": {"status": "disabled"}}}}
    }"#
    .replace("DISK", DISK)
}

#[test]
fn rules_are_defined_and_set() {
    let read = read(&whole()).unwrap();
    assert_eq!(read.definitions.len(), 18);
    let own = &read.definitions[&RuleId::try_from("rule:own").unwrap()];
    assert_eq!(own.on_associate, OnAssociate::Nothing);
    let account = &read.accounts[&AccountId::try_from("1").unwrap()];
    assert_eq!(account.feature, Status::Enabled);
    assert_eq!(account.excluded.len(), 1);
    let disk = RuleId::try_from(DISK).unwrap();
    let rule = account.in_force(&disk).unwrap();
    assert_eq!(rule.scope, TagScope::new(["env", "team"]).unwrap());
    assert_eq!(rule.existing, ApplyToExisting::Yes);
    assert_eq!(rule.authority, Authority::Principal);
    assert!(
        account
            .in_force(&RuleId::try_from("rule:own").unwrap())
            .is_none()
    );
}

#[test]
fn a_bundle_without_the_file_has_the_shipped_rules_and_nothing_in_force() {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    let bundle = read_bundle(&files, Strictness::Strict).unwrap().bundle;
    assert_eq!(bundle.inheritance.definitions.len(), 17);
    assert!(bundle.inheritance.accounts.is_empty());
    let snapshot = compile(&bundle).unwrap();
    assert_eq!(snapshot.inheritance, bundle.inheritance);
}

#[test]
fn errors_stand_where_they_are_written() {
    let keys: Vec<String> = (0..51).map(|n| format!("\"k{n}\"")).collect();
    let long = format!(
        r#"{{"accounts": {{"1": {{"rules": {{"{DISK}": {{"status": "enabled", "tag_keys": [{}]}}}}}}}}}}"#,
        keys.join(", ")
    );
    for (text, expected) in [
        (
            r#"{"accounts": {"1": {"rules": {"rule:x": {"status": "enabled"}}}}}"#,
            "inheritance.json:1:31: /accounts/1/rules/rule:x: no rule `rule:x`",
        ),
        (
            r#"{"accounts": {"1": {"feature": "on", "regions": ["mars-1"]}}}"#,
            "inheritance.json:1:50: /accounts/1/regions/0: `mars-1` is no region of the catalog",
        ),
        (
            r#"{"accounts": {"7": {"feature": "on"}}}"#,
            "inheritance.json:1:15: /accounts/7: the account is not there, but objects of it are",
        ),
        (
            r#"{"accounts": {"x": {}}}"#,
            "inheritance.json:1:15: /accounts/x: not an account: 1 to 32 digits",
        ),
        (
            r#"{"rules": {"rule:x": {"primary": "ECS", "associated": "a:b"}}}"#,
            "inheritance.json:1:34: /rules/rule:x/primary: not a resource type \
             `service:resource` in lower case",
        ),
        (
            r#"{"rules": {"rule x": {"primary": "a:b", "associated": "a:b"}}}"#,
            "inheritance.json:1:12: /rules/rule x: not an id of 1 to 128 letters, digits, `-`, \
             `_`, `.` and `:`",
        ),
        (
            r#"{"accounts": {"1": {"feature": "yes"}}}"#,
            "inheritance.json:1:32: /accounts/1/feature: expected `on` or `off`, found `yes`",
        ),
        (
            r#"{"accounts": {"1": {"rules": {"rule:TagCluster:Cs-Cluster:Vpc-Eip": {}}}}}"#,
            "inheritance.json:1:69: /accounts/1/rules/rule:TagCluster:Cs-Cluster:Vpc-Eip: \
             member `status` is missing",
        ),
        (
            r#"{"x": 1}"#,
            "inheritance.json:1:2: /x: unknown member `x`",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
    let told = read(&long).unwrap_err();
    assert!(told.ends_with("/tag_keys: more than 50 tag keys"), "{told}");
    let shipped =
        format!(r#"{{"rules": {{"{DISK}": {{"primary": "a:b", "associated": "a:b"}}}}}}"#);
    let told = read(&shipped).unwrap_err();
    assert!(told.ends_with("is given twice"), "{told}");
}

#[test]
fn file_and_objects_say_the_same() {
    let objects = split(&files(&whole())).unwrap();
    let ids: Vec<String> = objects.keys().map(ToString::to_string).collect();
    let disk = format!("accounts/1/inheritance/{DISK}");
    let expected = [
        "inheritance",
        "accounts/1",
        "accounts/1/inheritance",
        &disk,
        "accounts/1/inheritance/rule:own",
    ];
    assert_eq!(ids, expected);
    let by_objects = read_objects(&objects).unwrap().bundle;
    let by_file = read_bundle(&files(&whole()), Strictness::Strict)
        .unwrap()
        .bundle;
    assert_eq!(by_objects, by_file);
    let joined = join(&objects).unwrap();
    assert_eq!(split(&joined).unwrap(), objects);
    assert_eq!(
        read_bundle(&joined, Strictness::Strict).unwrap().bundle,
        by_file
    );
}

#[test]
fn a_rule_that_accounts_name_stays_defined() {
    let put = |id: &str, text: &str| {
        let document = Document::from(text.as_bytes());
        (ObjectId::try_from(id).unwrap(), Some(document))
    };
    let rule = r#"{"rules": {"rule:own": {"primary": "a:b", "associated": "a:c"}}}"#;
    let mut memory = Memory::default();
    memory.apply([
        put("accounts/1", "{}"),
        put(
            "accounts/1/inheritance/rule:own",
            r#"{"status": "enabled"}"#,
        ),
        put("inheritance", rule),
    ]);
    let bundle = read_objects(&memory.objects()).unwrap().bundle;
    let snapshot = compile(&bundle).unwrap();
    for next in [r#"{"rules": {}}"#, ""] {
        let change_of = if next.is_empty() {
            (ObjectId::Inheritance, None)
        } else {
            put("inheritance", next)
        };
        let touched = memory.apply([change_of]);
        let refused = change(&snapshot, &memory, &touched);
        let Err(ChangeError::Refused(errors)) = refused else {
            panic!("{refused:?}");
        };
        let expected = "accounts/1/inheritance/rule:own:1:1: no rule `rule:own`";
        assert_eq!(errors.to_string(), expected);
        memory.revert(touched);
    }
    let touched = memory.apply([(
        ObjectId::try_from("accounts/1/inheritance/rule:own").unwrap(),
        None,
    )]);
    let changed = change(&snapshot, &memory, &touched).unwrap().snapshot;
    assert!(changed.inheritance.accounts.is_empty());
}
