//! Decisions over plain HTTP with JSON, and as AuthZEN has them.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::process::{Process, account_files, files, write};
use crate::support::server::within;

const AUTHORIZE: &str = "/tagwarden.v1.AuthorizationService/Authorize";
const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const JSON: &str = "Host: localhost\r\nContent-Type: application/json";

/// A server whose alice of account 1 may all of ECS and alice of account 2 nothing, and of whose
/// account 3 nothing is good.
struct Served {
    process: Process,
    address: SocketAddr,
    _bundle: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let bundle = tempfile::tempdir().unwrap();
        write(bundle.path(), &files(&[("1", "Allow"), ("2", "Deny")]));
        let [(path, _), _] = account_files("3", "Allow");
        write(bundle.path(), &[(path, "{}x".to_owned())]);
        let directory = bundle.path().to_str().unwrap();
        let http = ["--http", "127.0.0.1:0", "--http-host", "pdp.example"];
        let mut process = Process::start(&[&["--bundle", directory], &http[..]].concat());
        let line = process.said("listening for decisions over HTTP").await;
        let address = line["address"].as_str().unwrap().parse().unwrap();
        process.said("in force").await;
        Self {
            process,
            address,
            _bundle: bundle,
        }
    }

    /// Sends a request, and reads the whole answer.
    async fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = within(TcpStream::connect(self.address)).await.unwrap();
        let length = body.len();
        let head = format!("{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has answered may have closed already.
        let _ = stream.write_all(body).await;
        let mut answer = String::new();
        let _ = within(stream.read_to_string(&mut answer)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: serde_json::from_str(body).unwrap_or_default(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let head = format!("POST {path} HTTP/1.1\r\n{JSON}");
        self.send(&head, body.to_string().as_bytes()).await
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    /// The reason of an error.
    fn reason(&self) -> &str {
        let details = self.body["details"].as_array().unwrap();
        let name = "type.googleapis.com/google.rpc.ErrorInfo";
        let info = details.iter().find(|detail| detail["@type"] == name);
        info.unwrap()["reason"].as_str().unwrap()
    }
}

fn question(account: &str) -> Value {
    json!({
        "principal": format!("acs:ram::{account}:user/alice"),
        "action": "ecs:StartInstance",
        "resources": [{"arn": format!("acs:ecs:cn-hangzhou:{account}:instance/i-1")}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_errors_are_those_of_grpc() {
    let served = Served::start().await;
    let allowed = served.post(AUTHORIZE, &question("1")).await;
    assert_eq!(
        (allowed.status, &allowed.body["effect"]),
        (200, &json!("EFFECT_ALLOW"))
    );
    let denied = served.post(AUTHORIZE, &question("2")).await;
    assert_eq!(denied.status, 200);
    assert_eq!(denied.body["effect"], "EFFECT_DENY");
    assert_eq!(denied.body["reason"], "REASON_EXPLICIT_DENY");
    assert_eq!(denied.body["revision"]["number"], "1");

    let mut wild = question("1");
    wild["resources"][0]["arn"] = json!("acs:ecs:cn-hangzhou:1:instance/*");
    let refused = served.post(AUTHORIZE, &wild).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (400, "RESOURCE_ID_REQUIRED")
    );
    assert_eq!(refused.body["code"], 3);
    assert_eq!(
        refused.body["details"][1]["fieldViolations"][0]["field"],
        "resources[0]"
    );
    let mut session = question("1");
    session["session"] = json!({"policyDocument": "{}"});
    let refused = served.post(AUTHORIZE, &session).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (403, "CALLER_NOT_ALLOWED")
    );
    let broken = served.post(AUTHORIZE, &question("3")).await;
    assert_eq!(
        (broken.status, broken.reason()),
        (503, "ACCOUNT_QUARANTINED")
    );
    assert!(broken.head.contains("\r\nretry-after: 5"), "{broken:?}");

    let batch = "/tagwarden.v1.AuthorizationService/BatchAuthorize";
    let both = served
        .post(batch, &json!({"requests": [question("1"), wild]}))
        .await;
    let results = both.body["results"].as_array().unwrap();
    assert_eq!(results[0]["response"]["effect"], "EFFECT_ALLOW");
    assert_eq!(results[1]["error"]["code"], 3);
    let tags = "/tagwarden.v1.TaggingService/ValidateTagging";
    let unstated = json!({"resource": {"arn": "acs:ecs:cn-hangzhou:1:instance/*"}});
    let refused = served.post(tags, &unstated).await;
    assert_eq!((refused.status, refused.reason()), (400, "INVALID_REQUEST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_json_for_a_listed_host_is_read() {
    let served = Served::start().await;
    let body = question("1").to_string();
    let post = format!("POST {AUTHORIZE} HTTP/1.1");
    let kind = "Content-Type: application/json";
    for (head, status) in [
        (format!("{post}\r\n{JSON}"), 200),
        (format!("{post}\r\nHost: pdp.example:4773\r\n{kind}"), 200),
        (format!("{post}\r\n{JSON}; charset=utf-8"), 200),
        (format!("{post}\r\nHost: evil.example\r\n{kind}"), 421),
        (
            format!("{post}\r\nHost: localhost\r\nHost: localhost\r\n{kind}"),
            400,
        ),
        (format!("{post}\r\n{kind}"), 400),
        (format!("{post}\r\nHost: localhost"), 415),
        (
            format!("{post}\r\nHost: localhost\r\nContent-Type: text/plain"),
            415,
        ),
        (format!("{post}\r\n{JSON}\r\nContent-Encoding: gzip"), 415),
        (format!("GET {AUTHORIZE} HTTP/1.1\r\n{JSON}"), 405),
        (
            format!("OPTIONS {AUTHORIZE} HTTP/1.1\r\n{JSON}\r\nOrigin: http://localhost"),
            405,
        ),
        (format!("POST {AUTHORIZE}Stream HTTP/1.1\r\n{JSON}"), 404),
        (
            format!("POST /tagwarden.v1.ManagementService/GetObject HTTP/1.1\r\n{JSON}"),
            404,
        ),
        (format!("POST / HTTP/1.1\r\n{JSON}"), 404),
        (format!("{post}\r\n{JSON}\r\ngrpc-timeout: soon"), 400),
    ] {
        let answer = served.send(&head, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{head}: {answer:?}");
        assert!(!answer.head.contains("access-control"), "{answer:?}");
        assert!(
            answer.head.contains("\r\ncache-control: no-store"),
            "{answer:?}"
        );
    }
    let head = format!("{post}\r\n{JSON}");
    for (body, said) in [
        (&b""[..], "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"{} {}", "trailing characters"),
        (br#"{"acton": "a"}"#, "acton"),
        (br#"{"action": "a", "action": "b"}"#, "given twice"),
        (br#"{"tag_write": {}, "tagWrite": {}}"#, "given twice"),
    ] {
        let answer = served.send(&head, body).await;
        assert_eq!((answer.status, answer.reason()), (400, "INVALID_REQUEST"));
        assert!(
            answer.body["message"].as_str().unwrap().contains(said),
            "{answer:?}"
        );
    }
    let long = vec![b' '; 4 * 1_024 * 1_024 + 1];
    let answer = served.send(&head, &long).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let head = format!("{head}\r\nX-Request-ID: one-two");
    let answer = served.send(&head, body.as_bytes()).await;
    assert!(
        answer.head.contains("\r\nx-request-id: one-two"),
        "{answer:?}"
    );
}

fn evaluation(account: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": format!("acs:ram::{account}:user/alice")},
        "action": {"name": "ecs:StartInstance"},
        "resource": {
            "type": "ecs:instance",
            "id": format!("acs:ecs:cn-hangzhou:{account}:instance/i-1"),
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_is_a_question() {
    let served = Served::start().await;
    let allowed = served.post(EVALUATION, &evaluation("1")).await;
    assert_eq!(
        (allowed.status, &allowed.body["decision"]),
        (200, &json!(true))
    );
    let mut asked = evaluation("2");
    asked["context"] = json!({"acs:SourceIp": "10.0.0.1", "x": [1, true, "a"]});
    asked["action"]["properties"] = json!({"tag_write": {"set": {"team_a": "1", "teamA": "2"}}});
    asked["resource"]["properties"] = json!({"tags": {"env": "test"}});
    let denied = served.post(EVALUATION, &asked).await;
    assert_eq!(
        (denied.status, &denied.body["decision"]),
        (200, &json!(false))
    );
    assert_eq!(denied.body["context"]["reason"], "REASON_EXPLICIT_DENY");
    assert_eq!(denied.body["context"]["onDeny"], "ON_DENY_ERROR");
    // What has no answer is never `false`.
    let broken = served.post(EVALUATION, &evaluation("3")).await;
    assert_eq!(
        (broken.status, broken.reason()),
        (503, "ACCOUNT_QUARANTINED")
    );

    let edits: [(&str, &str, Value); 14] = [
        ("subject.type", "/subject/type", json!("role")),
        ("subject.id: it is missing", "/subject/id", json!(null)),
        ("action.name: it is missing", "/action", json!({})),
        ("expected a string", "/action/name", json!(1)),
        ("expected struct", "/subject", json!("alice")),
        ("`tag`", "/resource/properties", json!({"tag": {"a": "b"}})),
        ("`Kind`", "/action/properties", json!({"Kind": "create"})),
        (
            "`sessionPolicy`",
            "/subject/properties",
            json!({"sessionPolicy": null}),
        ),
        (
            "`keys`",
            "/action/properties",
            json!({"tag_write": {"keys": []}}),
        ),
        ("context[ecs:x]", "/context", json!({"ecs:x": {"y": 1}})),
        ("context[ecs:x]", "/context", json!({"ecs:x": null})),
        ("resource: it is missing", "/resource", json!(null)),
        (
            "resource.type: it is missing",
            "/resource/type",
            json!(null),
        ),
        ("resources[0].type", "/resource/type", json!("instance")),
    ];
    for (said, pointer, value) in edits {
        let mut asked = evaluation("1");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        asked.pointer_mut(parent).unwrap()[name] = value;
        let refused = served.post(EVALUATION, &asked).await;
        assert_eq!(
            (refused.status, refused.reason()),
            (400, "INVALID_REQUEST"),
            "{asked}"
        );
        assert!(
            refused.body["message"].as_str().unwrap().contains(said),
            "{refused:?}"
        );
    }
    // What the API lets a caller add, and no policy reads.
    let mut more = evaluation("1");
    more["purpose"] = json!({"nested": true});
    more["subject"]["properties"] = json!({"department": "sales"});
    more["action"]["properties"] = json!({"method": "GET"});
    more["resource"]["properties"] = json!({"owner": {"name": "bob"}});
    more["context"] = json!({"time": "2026-01-11T00:00:00Z", "device": {"os": null}});
    let allowed = served.post(EVALUATION, &more).await;
    assert_eq!(
        (allowed.status, &allowed.body["decision"]),
        (200, &json!(true)),
        "{allowed:?}"
    );
    let head = format!("POST {EVALUATION} HTTP/1.1\r\nHost: localhost");
    let plain = format!("{head}\r\nContent-Type: text/plain");
    let body = more.to_string();
    assert_eq!(served.send(&plain, body.as_bytes()).await.status, 400);
    let mut session = evaluation("1");
    session["subject"]["properties"] = json!({"session_policy": null});
    let refused = served.post(EVALUATION, &session).await;
    assert_eq!(
        (refused.status, refused.reason()),
        (403, "CALLER_NOT_ALLOWED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn evaluations_share_what_stands_beside_them() {
    let served = Served::start().await;
    let (one, two, three) = (evaluation("1"), evaluation("2"), evaluation("3"));
    let part = |of: &Value| json!({"subject": of["subject"], "resource": of["resource"]});
    let wrong = json!({"subject": {"type": "role", "id": one["subject"]["id"]}});
    let asked = |semantic: Value| {
        json!({
            "action": one["action"],
            "resource": one["resource"],
            "subject": one["subject"],
            "evaluations": [part(&one), wrong, part(&three), part(&two), {}],
            "options": semantic,
        })
    };
    let all = served.post(EVALUATIONS, &asked(json!({}))).await;
    assert_eq!(all.status, 200, "{all:?}");
    let told = all.body["evaluations"].as_array().unwrap();
    let decisions: Vec<bool> = told.iter().map(|one| one["decision"] == true).collect();
    assert_eq!(decisions, [true, false, false, false, true]);
    let error = |place: usize| &told[place]["context"]["error"];
    assert_eq!(
        (&error(1)["status"], &error(1)["reason"]),
        (&json!(400), &json!("INVALID_REQUEST"))
    );
    assert_eq!(error(2)["status"], 503);
    assert_eq!(error(2)["reason"], "ACCOUNT_QUARANTINED");
    assert_eq!(told[3]["context"]["reason"], "REASON_EXPLICIT_DENY");
    for (semantic, count) in [
        ("execute_all", 5),
        ("deny_on_first_deny", 2),
        ("permit_on_first_permit", 1),
    ] {
        let options = json!({"evaluations_semantic": semantic});
        let some = served.post(EVALUATIONS, &asked(options)).await;
        assert_eq!(some.body["evaluations"].as_array().unwrap().len(), count);
    }
    let single = served.post(EVALUATIONS, &one).await;
    assert_eq!(
        (single.status, &single.body["decision"]),
        (200, &json!(true))
    );
    let refused = json!({"evaluations_semantic": "any"});
    let refused = served.post(EVALUATIONS, &asked(refused)).await;
    assert_eq!((refused.status, refused.reason()), (400, "INVALID_REQUEST"));
    let many: Vec<Value> = vec![json!({}); 1_001];
    let mut asked = one.clone();
    asked["evaluations"] = json!(many);
    let refused = served.post(EVALUATIONS, &asked).await;
    assert_eq!((refused.status, refused.reason()), (400, "BATCH_LIMIT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_completes_what_stands_beside_it_or_fails_alone() {
    let served = Served::start().await;
    let one = evaluation("1");
    let parts = json!({
        "subject": {"type": "user"},
        "resource": {"type": "ecs:instance"},
        "evaluations": [
            {
                "subject": {"id": one["subject"]["id"]},
                "action": one["action"],
                "resource": {"id": one["resource"]["id"], "properties": {"tags": {}}},
            },
            {"subject": "alice"},
            {"action": one["action"]},
        ],
    });
    let told = served.post(EVALUATIONS, &parts).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.body["evaluations"].as_array().unwrap();
    let decisions: Vec<&Value> = told.iter().map(|one| &one["decision"]).collect();
    assert_eq!(decisions, [&json!(true), &json!(false), &json!(false)]);
    for (place, said) in [(1, "expected struct"), (2, "subject.id: it is missing")] {
        let error = &told[place]["context"]["error"];
        assert_eq!(error["reason"], "INVALID_REQUEST");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
    // None of them can be asked: each is an error, and there is nothing to ask.
    let none = json!({"evaluations": [{}, {"resource": 1}]});
    let told = served.post(EVALUATIONS, &none).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.body["evaluations"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_closes_with_the_others() {
    let mut served = Served::start().await;
    served.process.signal("TERM");
    assert!(served.process.ended().await.success());
    assert!(TcpStream::connect(served.address).await.is_err());
}
