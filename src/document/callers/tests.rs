use super::*;
use crate::document::{Source, read};
use crate::model::arn::PrincipalRef;
use crate::model::caller::supply::SupplyRight;
use crate::model::caller::{ActFor, Disclosure, Rpc};

fn check(text: &str) -> Callers {
    let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
    read.unwrap_or_else(|errors| panic!("{errors}")).value
}

#[test]
fn what_is_not_said_is_a_default_and_what_is_not_given_is_not_had() {
    assert_eq!(check("{}"), Callers::default());
    let closed = check(r#"{"anonymous": {}}"#).anonymous;
    assert_eq!(closed, Some(Anonymous::default()));
}

#[test]
fn peers_are_told_by_one_member() {
    let peers = |peers: &str| {
        let text = format!(r#"{{"callers": [{{"name": "a", "peers": [{peers}]}}]}}"#);
        let read = read(Source::new(&text), MAX_CALLERS_BYTES, callers);
        read.map(|read| {
            read.value.named[0]
                .peers
                .iter()
                .map(ToString::to_string)
                .collect()
        })
        .map_err(|errors| errors.to_string())
    };
    for (text, expected) in [
        (r#"{"spiffe": "spiffe://d/a"}"#, "spiffe spiffe://d/a"),
        (r#"{"spiffe": "spiffe://d/a/*"}"#, "spiffe spiffe://d/a/*"),
        (r#"{"dns": "Gateway.example"}"#, "dns gateway.example"),
        (r#"{"uri": "urn:gateway"}"#, "uri urn:gateway"),
        (r#"{"token": "ops"}"#, "token ops"),
    ] {
        assert_eq!(peers(text), Ok(vec![expected.to_owned()]), "{text}");
    }
    for (text, expected) in [
        ("{}", "one of"),
        (r#"{"uid": 1, "dns": "a"}"#, "one of"),
        (r#"{"spiffe": "spiffe://d"}"#, "expected `spiffe://"),
        (r#"{"dns": "*.example"}"#, "expected a DNS name"),
        (r#"{"uri": "spiffe://d/a"}"#, "expected a URI"),
        (r#"{"dns": "a.b"}, {"dns": "A.b"}"#, "dns a.b"),
    ] {
        let refused = peers(text).unwrap_err();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn a_caller_is_read_whole() {
    let read = check(
        r#"{"callers": [{"name": "gateway", "peers": [{"uid": 7}, {"gid": 8}],
        "principal": "acs:ram::1:role/ops", "rpcs": ["Authorize"],
        "act_for": ["*", "acs:ram::1:root"],
        "supply": ["session", "explain", "context:acs:SourceIp"], "disclosure": 3}]}"#,
    );
    let [gateway] = read.named.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(gateway.name.as_str(), "gateway");
    assert_eq!(gateway.peers, [PeerPattern::Uid(7), PeerPattern::Gid(8)]);
    let own = gateway.principal.as_ref();
    let ops = PrincipalRef::parse("acs:ram::1:role/ops");
    assert_eq!(own.and_then(OwnPrincipal::principal), ops.ok());
    let Rights {
        rpcs,
        act_for,
        supply,
        disclosure,
    } = &gateway.rights;
    let called = Rpc::ALL.map(|rpc| rpcs.contains(rpc));
    assert_eq!(called, Rpc::ALL.map(|rpc| rpc == Rpc::Authorize));
    assert!(matches!(act_for, ActFor::Patterns(patterns) if patterns.len() == 2));
    assert!(supply.has(SupplyRight::Session) && !supply.has(SupplyRight::Kind));
    assert!(supply.has_key("acs:sourceip") && !supply.has_key("acs:MFAPresent"));
    assert_eq!(*disclosure, Disclosure::Explanation);
}

#[test]
fn explanations_are_for_somebody_who_may_have_them() {
    let refused = |text: &str| {
        let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
        read.unwrap_err().to_string()
    };
    let named = |members: &str| {
        refused(&format!(
            r#"{{"callers": [{{"name": "a", "peers": [{{"uid": 7}}], {members}}}]}}"#
        ))
    };
    let level = "the right `explain` and `disclosure` 3 go together";
    let who = "the right `explain` needs `principal`: who may `tagwarden:Explain`";
    let own = r#""principal": "acs:ram::1:user/a""#;
    for (found, expected) in [
        (named(&format!(r#"{own}, "disclosure": 3"#)), level),
        (named(&format!(r#"{own}, "supply": ["explain"]"#)), level),
        (named(r#""supply": ["explain"], "disclosure": 3"#), who),
        (
            refused(r#"{"anonymous": {"supply": ["explain"], "disclosure": 3}}"#),
            who,
        ),
    ] {
        assert!(found.ends_with(expected), "{found}");
    }
    for principal in [
        "*",
        "acs:ram::1:root",
        "acs:ram::1:role/ops/s1",
        "ecs.aliyuncs.com",
    ] {
        let found = named(&format!(r#""principal": "{principal}""#));
        let expected = "/callers/0/principal: expected the ARN of a user or a role";
        assert!(found.ends_with(expected), "{found}");
    }
}

#[test]
fn nobody_without_a_name_changes_the_directory() {
    let refused = |text: &str| {
        let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
        read.unwrap_err().to_string()
    };
    for rpc in Rpc::ALL.into_iter().filter(|rpc| rpc.changes_directory()) {
        let told = refused(&format!(
            r#"{{"anonymous": {{"rpcs": ["Authorize", "{rpc}"]}}}}"#
        ));
        let expected = format!("`{rpc}` changes the directory, and is not for peers");
        assert!(told.contains(&expected), "{told}");
    }
}
