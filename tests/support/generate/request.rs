//! Random questions.

use std::collections::BTreeMap;

use tagwarden::model::catalog::OperationKind;
use tagwarden::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};

use super::{Tape, bundle};

pub(super) const KEYS: [&str; 3] = ["env", "team", "Env"];
pub(super) const VALUES: [&str; 4] = ["a", "b", "1", "A"];

pub(super) const ACTIONS: [&str; 12] = [
    "ecs:StopInstance",
    "ecs:ModifyInstance",
    "ecs:DescribeInstances",
    "ecs:RunInstances",
    "ecs:TagResources",
    "ecs:UntagResources",
    "ecs:ListDisks",
    "oss:PutObject",
    "oss:ListObjects",
    "oss:GetObject",
    "sts:AssumeRole",
    "ECS:createDisk",
];

pub(super) const PRINCIPALS: [&str; 20] = [
    "acs:ram::1:user/alice",
    "acs:ram::1:user/alice",
    "acs:ram::1:user/alice",
    "acs:ram::1:role/ops",
    "acs:ram::1:role/ops/s",
    "acs:ram::1:assumed-role/ops/s",
    "acs:ram::1:root",
    "acs:ram::1:root",
    "acs:ram::1:user/bob",
    "acs:ram::1:user/nobody",
    "acs:ram::1:role/linked",
    "acs:ram::1:role/sso/s",
    "acs:ram::2:user/alice",
    "acs:ram::2:root",
    "acs:ram::2:role/ops/s",
    "acs:ram::9:user/alice",
    "acs:ram::9:root",
    "ecs.aliyuncs.com",
    "acs:ram::1:saml-provider/idp",
    "acs:ram::3:user/alice",
];

pub(super) const ARNS: [&str; 17] = [
    "acs:ecs:cn-a:1:instance/i-1",
    "acs:ecs:cn-a:1:instance/i-1",
    "acs:ecs:cn-a:1:instance/i-2",
    "acs:ecs:cn-a:1:instance/*",
    "acs:ecs:cn-a:1:instance/*",
    "acs:oss:*:1:bucket/key",
    "acs:oss:*:1:bucket/*",
    "acs:oss:*:1:bucket",
    "acs:ram::1:role/ops",
    "acs:ram:*:2:role/ops",
    "acs:ecs:cn-a:2:instance/i-1",
    "acs:ecs:*:1:instance/*",
    "acs:ecs:cn-a:*:instance/*",
    "*",
    "acs:ecs:cn-a:9:disk/d-1",
    "acs:oss::1:bucket/key",
    "acs:oss:*:*:bucket/key",
];

pub(super) fn tags(tape: &mut Tape<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, chance) in [("env", 65), ("team", 35), ("Env", 12)] {
        if tape.percent(chance) {
            found.push((key.to_owned(), tape.pick(&VALUES).to_owned()));
        }
    }
    found
}

pub(super) fn group(tape: &mut Tape<'_>) -> Option<String> {
    tape.percent(50)
        .then(|| tape.pick(&["rg-1", "rg-2"]).to_owned())
}

pub(super) fn question(tape: &mut Tape<'_>) -> AccessRequest {
    let (mut principal, mut action) = (tape.pick(&PRINCIPALS), tape.pick(&ACTIONS));
    // Lists without an id are where obligations arise; an update is where tags are written.
    let focus = tape.below(10);
    if focus >= 6 {
        principal = PRINCIPALS[tape.below(6)];
        action = if focus >= 8 {
            "ecs:DescribeInstances"
        } else {
            ACTIONS[focus - 5]
        };
    }
    let (principal, action) = (principal.to_owned(), action.to_owned());
    let mut arns: Vec<&str> = Vec::new();
    for _ in 0..tape.pick(&[1, 1, 1, 1, 2, 2, 3, 4]) {
        let mut arn = tape.pick(&ARNS);
        let may_be_open = ["Describe", "List", "Get", "Run", "create"];
        let may_be_open = may_be_open.iter().any(|verb| action.contains(verb));
        if arn.ends_with('*') != may_be_open && !tape.percent(30) {
            arn = if may_be_open {
                "acs:ecs:cn-a:1:instance/*"
            } else {
                ARNS[0]
            };
        }
        if !arns.contains(&arn) {
            arns.push(arn);
        }
    }
    if action == "sts:AssumeRole" && tape.percent(80) {
        arns = vec![tape.pick(&["acs:ram::1:role/ops", "acs:ram:*:2:role/ops"])];
    }
    let session = session(tape, &principal);
    let mut question = AccessRequest {
        resources: arns.into_iter().map(|arn| resource(tape, arn)).collect(),
        tags: request_tags(tape, &action),
        context: context(tape),
        current_time: Some("2026-01-01T00:00:00Z".to_owned()),
        session,
        kind: tape.percent(8).then(|| kind(tape)),
        understands_obligations: !tape.percent(25),
        principal,
        action,
    };
    if tape.percent(12) {
        spoil(tape, &mut question);
    }
    question
}

pub(super) fn kind(tape: &mut Tape<'_>) -> OperationKind {
    tape.pick(&[
        OperationKind::Other,
        OperationKind::Update,
        OperationKind::Create,
        OperationKind::Query,
    ])
}

fn session(tape: &mut Tape<'_>, principal: &str) -> SessionClaim {
    let is_session = principal.ends_with("/s");
    let may_carry = principal.contains("role/ops");
    if may_carry && tape.percent(40) || tape.percent(1) {
        return SessionClaim::Policy(bundle::policy(tape, bundle::Names::Nobody));
    }
    if is_session && !tape.percent(5) || tape.percent(5) {
        SessionClaim::None
    } else {
        SessionClaim::Unstated
    }
}

fn resource(tape: &mut Tape<'_>, arn: &str) -> RequestedResource {
    let open = arn.ends_with('*');
    let sends = if open { 2 } else { 35 };
    RequestedResource {
        arn: arn.to_owned(),
        tags: tape.percent(sends).then(|| tags(tape)),
        group: tape.percent(35).then(|| group(tape)),
    }
}

fn request_tags(tape: &mut Tape<'_>, action: &str) -> RequestTags {
    let mut found = RequestTags::default();
    if tape.percent(60) {
        found.set = Some(tags(tape));
    }
    let removes = action.contains("Untag");
    if tape.percent(if removes { 85 } else { 6 }) {
        if removes && tape.percent(75) {
            found.set = None;
        }
        match tape.below(4) {
            0..=2 => {
                let mut keys = vec![tape.pick(&KEYS).to_owned()];
                if tape.percent(20) {
                    keys.push("other".to_owned());
                }
                found.remove_keys = keys;
            }
            _ => found.remove_all = true,
        }
    }
    found.replace = tape.percent(6);
    found
}

fn context(tape: &mut Tape<'_>) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut put = |key: &str, values: &[&str]| {
        let values = values.iter().map(|text| (*text).to_owned()).collect();
        found.insert(key.to_owned(), values);
    };
    if !tape.percent(4) {
        put(
            "acs:SourceIp",
            &[tape.pick(&["10.0.0.1", "::ffff:10.0.0.1", "192.168.0.1"])],
        );
    }
    if !tape.percent(4) {
        put("acs:SecureTransport", &[tape.pick(&["true", "false"])]);
    }
    if tape.percent(50) {
        put("acs:mfapresent", &[tape.pick(&["true", "false"])]);
    }
    if tape.percent(30) {
        put("acs:SourceVpc", &[tape.pick(&["a", "b"])]);
    }
    if tape.percent(40) {
        let values: [&[&str]; 6] = [&["a"], &["b"], &["a", "b"], &["1"], &[], &["a", "1"]];
        put("oss:Prefix", tape.pick(&values));
    }
    if tape.percent(40) {
        let values: [&[&str]; 5] = [&["1"], &["2.0"], &["1", "3"], &["x"], &["-1"]];
        put("ecs:Size", tape.pick(&values));
    }
    if tape.percent(4) {
        put(
            tape.pick(&["cs:ClusterTag/env", "ecs:BucketTag/env"]),
            &["a"],
        );
    }
    found
}

/// Breaks one rule of shape.
fn spoil(tape: &mut Tape<'_>, question: &mut AccessRequest) {
    let tag = |key: &str| (key.to_owned(), "a".to_owned());
    match tape.below(24) {
        0 => question.principal = tape.pick(&["alice", "acs:ram::x:root"]).to_owned(),
        1 => question.action = "ecs".to_owned(),
        2 => question.resources.clear(),
        3 => {
            let many = |place| format!("acs:ecs:cn-a:1:instance/i-{place}");
            let resource = |place| RequestedResource {
                arn: many(place),
                tags: None,
                group: None,
            };
            question.resources = (0..51).map(resource).collect();
        }
        4 | 5 => question
            .resources
            .extend(question.resources.first().cloned()),
        6 | 7 => question.tags.set = Some(vec![tag("env"), tag("env")]),
        8 => question.tags.set = Some((0..21).map(|place| tag(&format!("k{place}"))).collect()),
        9 => {
            question.tags.set = Some(vec![tag("env")]);
            question.tags.remove_keys = vec!["env".to_owned()];
        }
        10 => {
            question.tags.remove_all = true;
            question.tags.remove_keys = vec!["env".to_owned()];
        }
        11 => question.tags.remove_keys = vec!["env".to_owned(), "env".to_owned()],
        12 => {
            for place in 0..65 {
                question
                    .context
                    .insert(format!("ecs:k{place}"), vec!["a".to_owned()]);
            }
        }
        13 | 14 => {
            let key = tape.pick(&[
                "acs:PrincipalArn",
                "acs:CurrentTime",
                "acs:ResourceGroupId",
                "action",
                "Resource",
                "acs:ResourceTag/env",
                "ecs:tag/env",
                "oss:BucketTag/env",
                "rds:RequestTag/x",
            ]);
            question
                .context
                .insert(key.to_owned(), vec!["a".to_owned()]);
        }
        15 | 16 => {
            question
                .context
                .insert("oss:prefix".to_owned(), vec!["a".to_owned()]);
            question
                .context
                .insert("OSS:prefix".to_owned(), vec!["a".to_owned()]);
        }
        17 => question.session = SessionClaim::Unstated,
        18 => {
            question.session = SessionClaim::Policy(bundle::policy(tape, bundle::Names::Nobody));
        }
        19 => {
            question
                .context
                .insert("acs:SourceIp".to_owned(), vec!["10.0.0.256".to_owned()]);
        }
        20 => question.tags.set = Some(vec![tag(" env")]),
        21 => {
            if let Some(first) = question.resources.first_mut() {
                first.tags = Some((0..129).map(|place| tag(&format!("k{place}"))).collect());
            }
        }
        22 => question.kind = Some(OperationKind::Query),
        _ => {
            if let Some(first) = question.resources.first_mut() {
                first.arn = "acs:ecs:cn-a:1:instance/i-*".to_owned();
            }
        }
    }
}
