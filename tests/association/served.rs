//! Every case over gRPC, against a process with its directory on disk: once in one run, and once
//! with `kill -9` after every event. What it ends in is read from the file, too: where each tag
//! came from is there what the state machine says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tagwarden::document::case::{AssociationCase, Pair, Step, read_cases};
use tagwarden::document::shipped::inheritance_rules;
use tagwarden::model::account::Name;
use tagwarden::model::inheritance::{ApplyToExisting, RuleId, TagScope};
use tagwarden::model::resource::{LiveResource, Version};
use tagwarden::offline::associate::associate;
use tagwarden::source::directory::DirectoryStore;
use tagwarden::wire::v1;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::process::{Process, write};
use crate::support::server::{LIMIT, within};

const ALICE: &str = "acs:ram::1:user/alice";
/// How many servers run at once.
const AT_ONCE: usize = 3;

/// Whether the server lives through a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    One,
    /// It is killed after every event, and started again.
    EachEvent,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_over_grpc() {
    every_case(Run::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_with_a_kill_after_every_event() {
    every_case(Run::EachEvent).await;
}

async fn every_case(run: Run) {
    let cases = cases();
    println!("{} cases", cases.len());
    assert!(cases.len() >= 105, "{} cases", cases.len());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (case, raw) in cases {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let complaints = complaints(&case, &raw, run).await;
            complaints.map(|complaint| format!("{}: {complaint}", case.id))
        });
    }
    let complaints: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Every case, with the text that it was read from.
fn cases() -> Vec<(AssociationCase, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/assoc");
    let mut cases = Vec::new();
    for name in ["assoc.jsonl", "own.jsonl"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let file = read_cases(name, &text).unwrap_or_else(|errors| panic!("{errors}"));
        let lines: Vec<&str> = text.lines().collect();
        for case in file.associations {
            let raw = serde_json::from_str(lines[case.line - 1]).unwrap();
            cases.push((case, raw));
        }
    }
    cases
}

/// What differs from what a case expects; `None`: nothing.
async fn complaints(case: &AssociationCase, raw: &Value, run: Run) -> Option<String> {
    let mut served = Served::new(case, raw).await;
    for step in &case.steps {
        served.step(step).await;
        if run == Run::EachEvent {
            served = served.again().await;
        }
        served.settle().await;
    }
    let found = served.tags().await;
    for (id, tags) in &case.expected {
        if found.get(id) != Some(tags) {
            return Some(format!(
                "expected {id} with {tags:?}, found {:?}",
                found.get(id)
            ));
        }
    }
    if served.failed != case.expected_failed {
        let expected = &case.expected_failed;
        return Some(format!(
            "expected failures {expected:?}, found {:?}",
            served.failed
        ));
    }
    let kept = served.kept().await;
    let said: BTreeMap<String, LiveResource> = associate(case).unwrap().resources;
    let said: BTreeMap<String, LiveResource> = said
        .into_values()
        .map(|resource| (resource.arn.to_string(), without_version(resource)))
        .collect();
    (kept != said).then(|| format!("the state machine says {said:?}, the file {kept:?}"))
}

fn without_version(resource: LiveResource) -> LiveResource {
    LiveResource {
        version: Version::default(),
        ..resource
    }
}

/// What was set of a rule.
#[derive(Debug, Clone)]
struct Setting {
    status: &'static str,
    scope: TagScope,
    existing: ApplyToExisting,
}

impl Setting {
    fn text(&self) -> String {
        let keys: Vec<&str> = match &self.scope {
            TagScope::All => Vec::new(),
            TagScope::Keys(keys) => keys.iter().map(|key| &**key).collect(),
        };
        let existing = self.existing == ApplyToExisting::Yes;
        json!({"status": self.status, "tag_keys": keys, "existing": existing}).to_string()
    }
}

/// A server with the documents of a case, and what its calls told.
struct Served {
    process: Process,
    folder: tempfile::TempDir,
    client: DirectoryServiceClient<Channel>,
    kinds: BTreeMap<String, String>,
    arns: BTreeMap<String, String>,
    rules: BTreeMap<RuleId, Setting>,
    failed: BTreeSet<(String, Option<String>)>,
}

impl Served {
    async fn new(case: &AssociationCase, raw: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("bundle"), &bundle(raw));
        let (process, client) = start(folder.path()).await;
        Self {
            process,
            folder,
            client,
            kinds: kinds(case),
            arns: BTreeMap::new(),
            rules: BTreeMap::new(),
            failed: BTreeSet::new(),
        }
    }

    /// The same, killed and started again.
    async fn again(mut self) -> Self {
        self.process.signal("KILL");
        self.process.ended().await;
        let (process, client) = start(self.folder.path()).await;
        Self {
            process,
            client,
            ..self
        }
    }

    /// What the file holds when the server has been killed.
    async fn kept(mut self) -> BTreeMap<String, LiveResource> {
        self.process.signal("KILL");
        self.process.ended().await;
        let store = DirectoryStore::open(&self.folder.path().join("data")).unwrap();
        let mut kept = BTreeMap::new();
        let loaded = store.load(|resource| {
            kept.insert(resource.arn.to_string(), without_version(resource));
        });
        loaded.unwrap();
        kept
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Resource { id, tags, group } => {
                let facts = v1::ResourceFacts {
                    arn: self.arn(id),
                    r#type: self.kinds.get(id).cloned().unwrap_or_default(),
                    resource_group: Some(group_id(group.as_ref())),
                    tags: Some(sent(tags)),
                    ..v1::ResourceFacts::default()
                };
                self.put(facts).await;
            }
            Step::Group { id, tags } => {
                let arn = format!("acs:resourcemanager:*:1:resourcegroup/{id}");
                self.arns.insert(id.to_string(), arn.clone());
                let facts = v1::ResourceFacts {
                    arn,
                    tags: Some(sent(tags)),
                    ..v1::ResourceFacts::default()
                };
                self.put(facts).await;
            }
            Step::Remove { id } => {
                let arns = vec![self.arn(id)];
                let asked = v1::RemoveResourcesRequest { arns };
                let done = within(self.client.remove_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Move { id, group } => {
                let asked = v1::MoveResourcesRequest {
                    writer: Some(alice()),
                    arns: vec![self.arn(id)],
                    resource_group: Some(group_id(group.as_ref())),
                };
                let done = within(self.client.move_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Link(pair) => {
                let asked = v1::AssociateResourcesRequest {
                    writer: Some(alice()),
                    associations: vec![self.association(pair)],
                };
                let done = within(self.client.associate_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Unlink(pair) => {
                let asked = v1::DissociateResourcesRequest {
                    writer: Some(alice()),
                    associations: vec![self.association(pair)],
                };
                let done = within(self.client.dissociate_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Tag { id, tags } => {
                let asked = v1::TagResourcesRequest {
                    writer: Some(alice()),
                    arns: vec![self.arn(id)],
                    tags: sent(tags).tags,
                    ..v1::TagResourcesRequest::default()
                };
                let done = within(self.client.tag_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Untag { id, keys } => {
                let asked = v1::UntagResourcesRequest {
                    writer: Some(alice()),
                    arns: vec![self.arn(id)],
                    keys: keys.clone().unwrap_or_default(),
                    all: keys.is_none(),
                    ..v1::UntagResourcesRequest::default()
                };
                let done = within(self.client.untag_resources(asked)).await;
                self.note(done.map(|done| done.into_inner().outcome));
            }
            Step::Enable { .. }
            | Step::Update { .. }
            | Step::Disable { .. }
            | Step::EnableFeature
            | Step::DisableFeature => self.govern(step).await,
            Step::Remediate { id } => self.remediate(id).await,
        }
    }

    /// Repairs what is of the type of a resource: nothing else of it is in the case, so that all
    /// that needs a repair is that resource.
    async fn remediate(&mut self, id: &str) {
        let arn = self.arn(id);
        let asked = v1::RemediateRequest {
            writer: Some(alice()),
            scope: Some(v1::ResourceScope {
                types: vec![self.kind(id).to_owned()],
                ..v1::ResourceScope::default()
            }),
            mode: v1::RemediateMode::Apply.into(),
            page_token: String::new(),
        };
        let mut parts = within(self.client.remediate(asked))
            .await
            .unwrap()
            .into_inner();
        while let Some(part) = within(parts.message()).await.unwrap() {
            let mut repaired = part.repairs.iter().filter(|repair| !repair.inherited);
            assert!(repaired.all(|repair| repair.arn == arn), "{part:?}");
            self.fail(part.failed.into_iter().chain(part.held_back));
        }
    }

    async fn put(&mut self, facts: v1::ResourceFacts) {
        let resources = vec![facts];
        let asked = v1::PutResourcesRequest { resources };
        let done = within(self.client.put_resources(asked)).await;
        self.note(done.map(|done| done.into_inner().outcome));
    }

    /// Notes what a call could not write. A call that fails tells the resources in its message.
    fn note(&mut self, done: Result<Option<v1::DirectoryOutcome>, Status>) {
        match done {
            Ok(outcome) => {
                let outcome = outcome.unwrap();
                self.fail(outcome.failed.into_iter().chain(outcome.held_back));
            }
            Err(status) => {
                let words = status.message().split([' ', ',']);
                let arns: Vec<&str> = words.filter(|word| word.starts_with("acs:")).collect();
                assert!(!arns.is_empty(), "{status}");
                self.failed
                    .extend(arns.into_iter().map(|arn| (id_of(arn), None)));
            }
        }
    }

    fn fail(&mut self, resources: impl Iterator<Item = v1::FailedResource>) {
        for failed in resources {
            let key = (!failed.key.is_empty()).then_some(failed.key);
            self.failed.insert((id_of(&failed.arn), key));
        }
    }

    async fn govern(&mut self, step: &Step) {
        match step {
            Step::EnableFeature => {
                let document = r#"{"feature": "on"}"#.to_owned();
                self.change("accounts/1/inheritance", document).await;
            }
            Step::DisableFeature => {
                let document = r#"{"feature": "off"}"#.to_owned();
                self.change("accounts/1/inheritance", document).await;
            }
            Step::Enable {
                rule,
                scope,
                existing,
            } => {
                let setting = Setting {
                    status: "enabled",
                    scope: scope.clone(),
                    existing: *existing,
                };
                self.set(rule, setting).await;
            }
            Step::Update {
                rule,
                scope,
                existing,
            } => {
                let known = self.rules[rule].clone();
                let setting = Setting {
                    scope: scope.clone(),
                    existing: existing.unwrap_or(known.existing),
                    ..known
                };
                self.set(rule, setting).await;
            }
            Step::Disable { rule } => {
                let known = self.rules[rule].clone();
                let status = "disabled";
                self.set(rule, Setting { status, ..known }).await;
            }
            Step::Resource { .. }
            | Step::Group { .. }
            | Step::Remove { .. }
            | Step::Move { .. }
            | Step::Link(_)
            | Step::Unlink(_)
            | Step::Tag { .. }
            | Step::Untag { .. }
            | Step::Remediate { .. } => unreachable!("no change of rules"),
        }
    }

    async fn set(&mut self, rule: &RuleId, setting: Setting) {
        let id = format!("accounts/1/inheritance/{rule}");
        self.change(&id, setting.text()).await;
        self.rules.insert(rule.clone(), setting);
    }

    async fn change(&self, id: &str, document: String) {
        let put = v1::operation::Action::Put(document.into_bytes());
        let operations = vec![v1::Operation {
            id: id.to_owned(),
            action: Some(put),
        }];
        let mut manage = self.process.manage().await;
        let asked = manage.apply_changes(v1::ApplyChangesRequest {
            operations,
            options: None,
        });
        let told = within(asked).await.unwrap().into_inner();
        assert_eq!(told.findings, [], "{told:?}");
    }

    /// Waits until nothing is left to do.
    async fn settle(&mut self) {
        let from = Instant::now();
        loop {
            let asked = v1::GetInheritanceProgressRequest::default();
            let told = within(self.client.get_inheritance_progress(asked)).await;
            let told = told.unwrap().into_inner();
            if told.pieces == 0 && told.edits == 0 {
                return;
            }
            assert!(from.elapsed() < LIMIT, "{told:?}");
        }
    }

    /// The tags of all resources of the case.
    async fn tags(&mut self) -> BTreeMap<String, BTreeMap<String, String>> {
        let arns: Vec<String> = self.arns.values().cloned().collect();
        let principal = String::new();
        let asked = v1::ListTagResourcesRequest { principal, arns };
        let told = within(self.client.list_tag_resources(asked)).await;
        let told = told.unwrap().into_inner().resources.into_iter();
        told.map(|resource| {
            let tags = resource.tags.into_iter();
            (
                id_of(&resource.arn),
                tags.map(|tag| (tag.key, tag.value)).collect(),
            )
        })
        .collect()
    }

    fn kind(&self, id: &str) -> &str {
        self.kinds.get(id).map_or("ecs:instance", |kind| kind)
    }

    fn arn(&mut self, id: &str) -> String {
        let (service, resource) = self.kind(id).split_once(':').unwrap();
        let arn = format!("acs:{service}:cn-hangzhou:1:{resource}/{id}");
        self.arns.insert(id.to_owned(), arn.clone());
        arn
    }

    fn association(&mut self, pair: &Pair) -> v1::ResourceAssociation {
        v1::ResourceAssociation {
            primary: self.arn(&pair.primary),
            associated: self.arn(&pair.associated),
            rule: pair.rule.to_string(),
        }
    }
}

async fn start(folder: &Path) -> (Process, DirectoryServiceClient<Channel>) {
    let place = |name: &str| -> PathBuf { folder.join(name) };
    let (data, bundle) = (place("data"), place("bundle"));
    let mut process = Process::start(&[
        "--data",
        data.to_str().unwrap(),
        "--bundle",
        bundle.to_str().unwrap(),
    ]);
    process.said("in force").await;
    let client = process.directory().await;
    (process, client)
}

fn alice() -> v1::TagWriter {
    v1::TagWriter {
        principal: ALICE.to_owned(),
        ..v1::TagWriter::default()
    }
}

fn group_id(group: Option<&Name>) -> v1::ResourceGroup {
    v1::ResourceGroup {
        id: group.map(ToString::to_string).unwrap_or_default(),
    }
}

fn sent(tags: &[(String, String)]) -> v1::TagSet {
    let tags = tags.iter().map(|(key, value)| v1::Tag {
        key: key.clone(),
        value: value.clone(),
    });
    v1::TagSet {
        tags: tags.collect(),
    }
}

/// The name of a resource in the case: the last segment of its ARN.
fn id_of(arn: &str) -> String {
    arn.rsplit('/').next().unwrap().to_owned()
}

/// The types that resources must have for the associations of a case.
fn kinds(case: &AssociationCase) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for step in &case.steps {
        if let Step::Link(pair) | Step::Unlink(pair) = step {
            let rule = &inheritance_rules()[&pair.rule];
            kinds.insert(pair.primary.clone(), rule.primary.to_string());
            kinds.insert(pair.associated.clone(), rule.associated.to_string());
        }
    }
    kinds
}

/// The documents of a case: alice may do everything; with a tag policy, an organization that
/// attaches it.
fn bundle(raw: &Value) -> Vec<(String, String)> {
    let settings = raw.get("settings").cloned().unwrap_or_else(|| json!({}));
    let mut files = vec![
        (
            "bundle.json",
            json!({"format": 1, "settings": settings}).to_string(),
        ),
        (
            "accounts/1/account.json",
            r#"{"users": [{"name": "alice"}], "attachments":
                [{"policy": "custom:All", "to": "user:alice", "scope": "account"}]}"#
                .to_owned(),
        ),
        (
            "accounts/1/policies/All.json",
            r#"{"Version": "1", "Statement":
                [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#
                .to_owned(),
        ),
        (
            "inheritance.json",
            r#"{"accounts": {"1": {"feature": "on"}}}"#.to_owned(),
        ),
    ];
    if let Some(policy) = raw.get("tag_policy") {
        let policy = json!({"dialect": "alibaba", "policy": policy});
        files.extend([
            ("accounts/2/account.json", "{}".to_owned()),
            ("policies/tag/case.json", policy.to_string()),
            (
                "organizations/rd-1.json",
                r#"{"id": "rd-1", "management": "2", "dialect": "alibaba", "root": {"name": "Root",
                    "accounts": [{"account": "1", "tag": [{"policy": "case", "mode": "enforce"}]}]}}"#
                    .to_owned(),
            ),
        ]);
    }
    let owned = files.into_iter();
    owned.map(|(name, text)| (name.to_owned(), text)).collect()
}
