//! Processes of another user at Unix sockets: whoever nobody named is refused, on the data socket
//! by rights and on the management socket by what the kernel says of the peer.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::*;
use crate::support::process::{PROGRAM, Process, files, write};

/// A user and a group that nothing else in these tests has.
const OTHER: u32 = 54_321;

/// The program where every user can run it.
struct Other {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Other {
    /// None, where these tests may not become another user.
    fn new() -> Option<Self> {
        if own().0 != 0 {
            println!("skipped: only root can be another user");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tagwarden");
        // Another process copies it. A process that some other test starts meanwhile has, until it
        // runs its program, every file that is open here, and what is open to be written is busy.
        let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
        assert!(copied.unwrap().success());
        open(folder.path());
        open(&program);
        Some(Self { folder, program })
    }

    async fn runs(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).uid(OTHER).gid(OTHER);
        let ended = tokio::task::spawn_blocking(move || command.output());
        within(ended).await.unwrap().unwrap()
    }

    /// What it is told when it asks for alice.
    async fn asks(&self, server: &str) -> String {
        let arn = resource().arn;
        let question = ["--principal", ALICE, "--action", "ecs:StartInstance"];
        let mut arguments = vec!["authorize", "--server", server, "--resource", &arn];
        arguments.extend(question);
        String::from_utf8(self.runs(&arguments).await.stdout).unwrap()
    }
}

fn open(path: &std::path::Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A server whose data socket everybody may connect to.
fn open_world(callers: &str) -> (World, String) {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path());
    let unix = format!("unix:{}", folder.path().join("s").display());
    let mut config = config();
    config.listen = vec![format!("{unix},mode=0666").parse().unwrap()];
    let mut running = start_with(config, Arc::new(Directory::default()));
    running.publisher.publish(snapshot(callers, 1));
    (World { running, folder }, unix)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_has_nothing_that_it_was_not_given() {
    let Some(other) = Other::new() else { return };
    let (mut world, unix) = open_world("{}");
    let refused = "NOT DECIDED CALLER_NOT_ALLOWED: the caller `anonymous` may not call \
                   `Authorize`\n";
    assert_eq!(other.asks(&unix).await, refused);
    // The own user is not touched by that.
    assert_eq!(told(&mut world.unix().await, asking()).await, "ALLOW");
    // Health is everybody's.
    let health = other.runs(&["healthcheck", &unix]).await;
    assert_eq!(health.status.code(), Some(0), "{health:?}");
    for (number, callers) in [
        r#"{"anonymous": {"from": ["unix"], "rpcs": ["Authorize"], "act_for": ["*"]}}"#.to_owned(),
        format!(
            r#"{{"callers": [{{"name": "app", "peers": [{{"uid": {OTHER}}}],
            "rpcs": ["Authorize"], "act_for": ["*"]}}]}}"#
        ),
        format!(
            r#"{{"callers": [{{"name": "staff", "peers": [{{"gid": {OTHER}}}],
            "rpcs": ["Authorize"], "act_for": ["*"]}}]}}"#
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let number = u64::try_from(number).unwrap() + 2;
        world.running.publisher.publish(snapshot(&callers, number));
        let answer = other.asks(&unix).await;
        assert!(answer.starts_with("ALLOW"), "{callers}: {answer}");
    }
    // What another one is given is not given to this one.
    let (uid, _) = own();
    let named = format!(
        r#"{{"callers": [{{"name": "app", "peers": [{{"uid": {uid}}}], "rpcs": ["Authorize"],
        "act_for": ["*"]}}]}}"#
    );
    world.running.publisher.publish(snapshot(&named, 9));
    assert_eq!(other.asks(&unix).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_manages_nothing_even_where_the_socket_is_open() {
    let Some(other) = Other::new() else { return };
    let mut process = Process::start(&[]);
    process.said("listening for metrics and probes").await;
    let bundle = other.folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Allow")]));
    let manage = format!("unix:{}", process.manage_path().display());
    let arguments = ["apply", bundle.to_str().unwrap(), "--manage", &manage];
    let closed = other.runs(&arguments).await;
    assert_eq!(closed.status.code(), Some(6), "{closed:?}");
    process.open_to_others();
    let refused = other.runs(&arguments).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let expected = "CALLER_NOT_ALLOWED: the caller `anonymous` may not call the management channel";
    assert!(said.contains(expected), "{said}");
    let line = process.said("a management call is refused").await;
    let peer = line["peer"].as_str().unwrap();
    assert!(peer.starts_with(&format!("uid {OTHER} ")), "{peer}");
    assert_eq!(process.info().await, v1::GetSnapshotInfoResponse::default());
}
