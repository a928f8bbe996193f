//! `Remediate`: dry runs, repairs by what each principal may, and going on where one ended.

use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

/// What a repair told.
#[derive(Debug, Default)]
struct Repaired {
    repairs: Vec<v1::ResourceRepair>,
    failed: Vec<v1::FailedResource>,
    held_back: Vec<v1::FailedResource>,
    totals: v1::RemediateTotals,
    changes: Vec<u64>,
    /// Where another one goes on, after each message.
    tokens: Vec<String>,
}

impl Repaired {
    /// By ARN what is done with its tags; `-` is a removal.
    fn told(&self) -> BTreeMap<&str, Vec<(&str, &str)>> {
        let told = self.repairs.iter().map(|one| {
            let rewrites = one.rewrites.iter();
            let rewrites = rewrites.map(|rewrite| {
                let value = if rewrite.remove { "-" } else { &*rewrite.value };
                (&*rewrite.key, value)
            });
            (&*one.arn, rewrites.collect())
        });
        let told: BTreeMap<_, _> = told.collect();
        assert_eq!(told.len(), self.repairs.len(), "none twice");
        told
    }

    fn failed(&self) -> Vec<(&str, &str)> {
        let failed = self.failed.iter();
        failed.map(|one| (&*one.arn, &*one.code)).collect()
    }
}

fn by(principal: &str, mode: v1::RemediateMode) -> v1::RemediateRequest {
    v1::RemediateRequest {
        writer: Some(v1::TagWriter {
            principal: principal.to_owned(),
            ..v1::TagWriter::default()
        }),
        mode: mode.into(),
        ..v1::RemediateRequest::default()
    }
}

const DRY: v1::RemediateMode = v1::RemediateMode::Unspecified;
const APPLY: v1::RemediateMode = v1::RemediateMode::Apply;

impl World {
    /// Everything that a repair tells, or so many messages of it.
    async fn repair(
        &mut self,
        asked: v1::RemediateRequest,
        most: usize,
    ) -> Result<Repaired, Status> {
        let mut stream = within(self.client.remediate(asked)).await?.into_inner();
        let mut repaired = Repaired::default();
        while repaired.tokens.len() < most
            && let Some(message) = within(stream.message()).await?
        {
            repaired.repairs.extend(message.repairs);
            repaired.failed.extend(message.failed);
            repaired.held_back.extend(message.held_back);
            repaired.totals = message.totals.unwrap();
            repaired
                .changes
                .extend((message.change > 0).then_some(message.change));
            repaired.tokens.push(message.next_page_token);
        }
        Ok(repaired)
    }

    async fn tags(&mut self, arn: &str) -> BTreeMap<String, String> {
        let asked = v1::ListTagResourcesRequest {
            principal: String::new(),
            arns: vec![arn.to_owned()],
        };
        let told = within(self.client.list_tag_resources(asked)).await.unwrap();
        let told = told.into_inner().resources.pop().unwrap();
        told.tags
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_is_written_then_and_a_second_time_nothing_is() {
    let mut world = World::new().await;
    let (value, group) = (instance("value"), instance("group"));
    let expected = BTreeMap::from([
        ("acs:ecs:cn-hangzhou:1:disk/d-1", vec![("env", "test")]),
        (&*value, vec![("env", "test")]),
        (&*group, vec![("owner", "ops")]),
    ]);
    let dry = world.repair(by(ALICE, DRY), 10).await.unwrap();
    assert_eq!(dry.told(), expected);
    assert_eq!((dry.changes.len(), dry.totals.repaired), (0, 3));
    assert_eq!(
        world.tags(&value).await["env"],
        "Prod",
        "nothing was written"
    );

    let done = world.repair(by(ALICE, APPLY), 10).await.unwrap();
    assert_eq!(done.told(), expected);
    assert_eq!((done.changes.len(), done.totals.repaired), (1, 3));
    assert_eq!(done.tokens.last().map(String::as_str), Some(""));
    assert_eq!(world.tags(&value).await["env"], "test");
    assert_eq!(world.tags(&group).await["owner"], "ops");
    let line = loop {
        let line = world.process.said("the directory was changed").await;
        if line["rpc"] == "Remediate" {
            break line;
        }
    };
    assert_eq!(line["principal"], ALICE, "{line}");
    assert_eq!(line["keys"], "env owner", "{line}");
    assert_eq!(line["change"], done.changes[0], "{line}");

    let again = world.repair(by(ALICE, APPLY), 10).await.unwrap();
    assert_eq!((again.told().len(), again.changes.len()), (0, 0));
    assert_eq!(again.totals, v1::RemediateTotals::default());
    // What no policy says how to repair is left.
    let left = world.check(asked(ALICE)).await.unwrap();
    let (case, bare) = (instance("case"), instance("bare"));
    let left: Vec<&str> = left.told().into_keys().collect();
    assert_eq!(left, [&*bare, &*case]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_needs_permission_and_what_is_not_seen_is_not_told() {
    let mut world = World::new().await;
    // Carol sees instances, and writes those of team `a`.
    let (value, group) = (instance("value"), instance("group"));
    for mode in [DRY, APPLY] {
        let told = world.repair(by(CAROL, mode), 10).await.unwrap();
        let expected = BTreeMap::from([(&*value, vec![("env", "test")])]);
        assert_eq!(told.told(), expected);
        assert_eq!(told.failed(), [(&*group, "NoPermission.Tag")]);
        assert_eq!((told.totals.repaired, told.totals.failed), (1, 1));
    }
    let disk = world.tags("acs:ecs:cn-hangzhou:1:disk/d-1").await;
    assert_eq!(disk["env"], "stage");
    assert_eq!(world.tags(&group).await["owner"], "x");
    // Bob sees the disk, and may write nothing.
    let told = world.repair(by(BOB, APPLY), 10).await.unwrap();
    let disk = ("acs:ecs:cn-hangzhou:1:disk/d-1", "NoPermission.Tag");
    assert_eq!((told.told().len(), told.failed()), (0, vec![disk]));
    assert!(told.changes.is_empty(), "{:?}", told.changes);
}

/// What does not fit is told each time; what a protected key keeps from being written is no repair.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_fit_is_held_back_and_told() {
    let mut files = bundle();
    let settings = r#"{"format": 1, "settings": {"protected_tag_keys": ["env"]}}"#;
    files[0].1 = settings.to_owned();
    let others = (0..18).map(|n| format!(r#""k{n}": "v""#));
    let others = others.collect::<Vec<_>>().join(", ");
    let group = instance("group");
    let lines = [
        format!(
            r#"{{"arn": "{group}", "group": "rg-1",
                "tags": {{"env": "Prod", "CostCenter": "7", {others}}}}}"#
        )
        .replace('\n', " "),
        r#"{"arn": "acs:resourcemanager:*:1:resourcegroup/rg-1", "tags": {"owner": "ops"}}"#
            .to_owned(),
    ];
    files.last_mut().unwrap().1 = lines.join("\n");
    let mut world = World::with(files).await;
    for _ in 0..2 {
        let told = world.repair(by(ALICE, APPLY), 10).await.unwrap();
        let held = told.held_back.iter();
        let held: Vec<_> = held.map(|one| (&*one.arn, &*one.key, &*one.code)).collect();
        assert_eq!(held, [(&*group, "owner", "QuotaExceed.Tags")]);
        assert_eq!((told.totals.held_back, told.repairs.len()), (1, 0));
    }
    let checked = world.check(asked(ALICE)).await.unwrap();
    assert_eq!(checked.row("env", "ecs:instance"), Some([0, 0, 0, 1, 0]));
    assert_eq!(checked.row("owner", "ecs:instance"), Some([0, 0, 0, 0, 1]));
}

/// A repair that is cut short goes on with its token, or simply anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_repair_goes_on_where_it_ended() {
    const MANY: usize = 300;
    let mut files = bundle();
    let lines = (0..MANY).map(|n| {
        let arn = instance(&format!("many-{n}"));
        format!(r#"{{"arn": "{arn}", "tags": {{"env": "x", "team": "a", "CostCenter": "1"}}}}"#)
    });
    let lines: Vec<String> = lines.collect();
    files.last_mut().unwrap().1 = lines.join("\n");
    let mut world = World::with(files).await;
    let first = world.repair(by(ALICE, APPLY), 1).await.unwrap();
    let done = first.repairs.len();
    assert!((1..MANY).contains(&done), "{done}");
    let token = first.tokens[0].clone();
    let goes_on = v1::RemediateRequest {
        page_token: token.clone(),
        ..by(ALICE, APPLY)
    };
    // It is a token of this question, and of nobody else.
    for other in [
        v1::RemediateRequest {
            mode: DRY.into(),
            ..goes_on.clone()
        },
        v1::RemediateRequest {
            page_token: token.clone(),
            ..by(BOB, APPLY)
        },
        v1::RemediateRequest {
            page_token: "x".to_owned(),
            ..by(ALICE, APPLY)
        },
    ] {
        let refused = world.repair(other, 1).await.unwrap_err();
        let reason = reason_of(&refused);
        assert_eq!(reason.as_deref(), Some("PAGE_TOKEN_INVALID"), "{refused}");
    }
    let second = world.repair(goes_on, MANY).await.unwrap();
    let again = world.repair(by(ALICE, APPLY), MANY).await.unwrap();
    // The first call may have gone on a little before it was given up.
    let all = done + second.repairs.len() + again.repairs.len();
    assert!(all <= MANY && again.repairs.is_empty(), "{all}");
    assert!(second.tokens.len() > 2, "in parts of a bounded size");
    let checked = world.check(asked(ALICE)).await.unwrap();
    let many = u64::try_from(MANY).unwrap();
    assert_eq!(checked.sums(), [many, many, many, 0]);
}

/// Who takes its tags from a resource that is repaired follows, and whoever is excluded from its
/// group's tags lacks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_the_tags_of_a_repaired_resource_follows() {
    let rule = "rule:AssociateEip-UnassociateEip-TagInstance:Ecs-Instance:Vpc-Eip";
    let eip = "acs:vpc:cn-hangzhou:1:eip/eip-1";
    let (value, group) = (instance("value"), instance("group"));
    let mut files = bundle();
    let resources = &mut files.last_mut().unwrap().1;
    *resources = format!("{resources}\n{{\"arn\": \"{eip}\", \"tags\": {{}}}}");
    let settings = format!(
        r#"{{"accounts": {{"1": {{"feature": "on", "excluded": ["{group}"],
            "rules": {{"{rule}": {{"status": "enabled", "tag_keys": ["env"]}}}}}}}}}}"#
    );
    files.push(("inheritance.json".to_owned(), settings));
    let mut world = World::with(files).await;
    let made = world
        .client
        .associate_resources(v1::AssociateResourcesRequest {
            writer: by(ALICE, APPLY).writer,
            associations: vec![v1::ResourceAssociation {
                primary: value.clone(),
                associated: eip.to_owned(),
                rule: rule.to_owned(),
            }],
        });
    within(made).await.unwrap();
    assert_eq!(world.tags(eip).await["env"], "Prod");
    let expected = BTreeMap::from([
        ("acs:ecs:cn-hangzhou:1:disk/d-1", vec![("env", "test")]),
        (eip, vec![("env", "test")]),
        (&*value, vec![("env", "test")]),
    ]);
    for mode in [DRY, APPLY] {
        let told = world.repair(by(ALICE, mode), 10).await.unwrap();
        assert_eq!(told.told(), expected);
        let inherited = told.repairs.iter().filter(|one| one.inherited);
        let inherited: Vec<&str> = inherited.map(|one| &*one.arn).collect();
        assert_eq!(inherited, [eip]);
        assert_eq!((told.totals.repaired, told.totals.inherited), (3, 1));
    }
    assert_eq!(world.tags(eip).await["env"], "test");
    assert_eq!(world.tags(&group).await["owner"], "x");
    let checked = world.check(asked(ALICE)).await.unwrap();
    assert_eq!(checked.row("owner", "ecs:instance"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_right_also_for_a_dry_run() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap());
    let mut files = bundle();
    let callers = format!(
        r#"{{"callers": [{{"name": "tagger", "peers": [{{"uid": {own}}}],
            "principal": "{ALICE}", "rpcs": ["TagResources", "CheckCompliance"]}}]}}"#
    );
    files.push(("callers.json".to_owned(), callers));
    let mut world = World::with(files).await;
    for mode in [DRY, APPLY] {
        let refused = world.repair(by("", mode), 1).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(refused.message().contains("`Remediate`"), "{refused}");
    }
    world.check(asked("")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused() {
    let mut world = World::new().await;
    let unknown = v1::RemediateRequest {
        mode: 7,
        ..by(ALICE, DRY)
    };
    for asked in [unknown, by("", APPLY), by("alice", APPLY)] {
        let refused = world.repair(asked, 1).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
}
