//! The program itself as a process, with all its listeners, and bundles in a directory.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use hyper_util::rt::TokioIo;
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tagwarden::wire::v1::management_service_client::ManagementServiceClient;
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::service_fn;

use super::server::within;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tagwarden");

/// A running `tagwarden serve`, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    log: mpsc::UnboundedReceiver<serde_json::Value>,
    folder: tempfile::TempDir,
}

impl Process {
    /// Starts the program with sockets of its own, and with further arguments; where they name a
    /// management channel, with that.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = |name: &str| format!("unix:{}", folder.path().join(name).display());
        let manage = ["--manage".to_owned(), address("manage/manage.sock")];
        let own_manage = !arguments.contains(&"--manage");
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--workers", "1", "--admin", "127.0.0.1:0"])
            .args(["--listen", &address("data.sock")])
            .args(manage.iter().filter(|_| own_manage))
            .args(arguments)
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, log) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // What is no JSON was written for people.
                let line = serde_json::from_str(&line).unwrap_or_else(|_| line.into());
                let _ = lines.send(line);
            }
        });
        Self { child, log, folder }
    }

    /// Starts the program on the bundle of a directory, and waits until it is in force.
    pub(crate) async fn serving(directory: &Path) -> Self {
        let mut process = Self::start(&["--bundle", directory.to_str().unwrap()]);
        process.said("in force").await;
        process
    }

    /// Waits for a line of the log.
    pub(crate) async fn said(&mut self, message: &str) -> serde_json::Value {
        loop {
            let line = within(self.log.recv()).await.expect("the program ended");
            if line["message"] == message {
                return line;
            }
        }
    }

    /// What the program wrote for people, up to its end.
    pub(crate) async fn wrote(&mut self) -> Vec<String> {
        let mut wrote = Vec::new();
        while let Some(line) = within(self.log.recv()).await {
            wrote.extend(line.as_str().map(str::to_owned));
        }
        wrote
    }

    /// The address of metrics and probes.
    pub(crate) async fn admin(&mut self) -> SocketAddr {
        let line = self.said("listening for metrics and probes").await;
        line["address"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn data_path(&self) -> PathBuf {
        self.folder.path().join("data.sock")
    }

    pub(crate) fn manage_path(&self) -> PathBuf {
        self.folder.path().join("manage/manage.sock")
    }

    /// Opens every socket to every user, as somebody might by mistake.
    pub(crate) fn open_to_others(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let all = || fs::Permissions::from_mode(0o777);
        for path in ["", "data.sock", "manage", "manage/manage.sock"] {
            fs::set_permissions(self.folder.path().join(path), all()).unwrap();
        }
    }

    /// A connection on which HTTP/2 is spoken by hand.
    pub(crate) async fn driven(&self) -> h2::client::SendRequest<bytes::Bytes> {
        let socket = UnixStream::connect(self.folder.path().join("data.sock"));
        let socket = within(socket).await.unwrap();
        let (sender, connection) = within(h2::client::handshake(socket)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Whether a service is healthy.
    pub(crate) async fn health(&self, service: &str) -> ServingStatus {
        let channel = connect(self.folder.path().join("data.sock")).await;
        let asked = HealthCheckRequest {
            service: service.to_owned(),
        };
        let told = within(HealthClient::new(channel).check(asked)).await;
        told.unwrap().into_inner().status()
    }

    /// The health of a service, as it changes.
    pub(crate) async fn watch_health(&self, service: &str) -> Streaming<HealthCheckResponse> {
        let channel = connect(self.folder.path().join("data.sock")).await;
        let asked = HealthCheckRequest {
            service: service.to_owned(),
        };
        let told = within(HealthClient::new(channel).watch(asked)).await;
        told.unwrap().into_inner()
    }

    pub(crate) async fn client(&self) -> AuthorizationServiceClient<Channel> {
        AuthorizationServiceClient::new(connect(self.folder.path().join("data.sock")).await)
    }

    pub(crate) async fn tagging(&self) -> TaggingServiceClient<Channel> {
        TaggingServiceClient::new(connect(self.folder.path().join("data.sock")).await)
    }

    pub(crate) async fn manage(&self) -> ManagementServiceClient<Channel> {
        let channel = connect(self.manage_path()).await;
        let client = ManagementServiceClient::new(channel);
        client.max_encoding_message_size(usize::MAX)
    }

    pub(crate) async fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(connect(self.manage_path()).await)
    }

    /// What is in force.
    pub(crate) async fn info(&self) -> v1::GetSnapshotInfoResponse {
        let mut manage = self.manage().await;
        let asked = manage.get_snapshot_info(v1::GetSnapshotInfoRequest {});
        within(asked).await.unwrap().into_inner()
    }

    /// Revisions from the one in force on.
    pub(crate) async fn revisions(&self) -> Revisions {
        let mut manage = self.manage().await;
        let asked = manage.watch_revisions(v1::WatchRevisionsRequest {});
        Revisions(within(asked).await.unwrap().into_inner())
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        // Its standard error is closed when it ends.
        while within(self.log.recv()).await.is_some() {}
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn connect(path: PathBuf) -> Channel {
    let connector = service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    within(endpoint.connect_with_connector(connector))
        .await
        .unwrap()
}

/// A stream of revisions.
pub(crate) struct Revisions(Streaming<v1::WatchRevisionsResponse>);

impl Revisions {
    /// The next revision; none, when the server ended the stream.
    pub(crate) async fn next(&mut self) -> Option<v1::Revision> {
        let message = within(self.0.message()).await.unwrap();
        message.map(|message| message.revision.unwrap())
    }
}

/// The files of a bundle in which alice of each account may do what `effect` says.
pub(crate) fn files(accounts: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut files = vec![("bundle.json".to_owned(), r#"{"format": 1}"#.to_owned())];
    for (account, effect) in accounts {
        files.extend(account_files(account, effect));
    }
    files
}

/// The files of one account.
pub(crate) fn account_files(account: &str, effect: &str) -> [(String, String); 2] {
    let identities = r#"{"users": [{"name": "alice"}], "attachments":
        [{"policy": "custom:P", "to": "user:alice", "scope": "account"}]}"#;
    let policy = format!(
        r#"{{"Version": "1", "Statement":
            [{{"Effect": "{effect}", "Action": "ecs:*", "Resource": "*"}}]}}"#
    );
    [
        (
            format!("accounts/{account}/account.json"),
            identities.to_owned(),
        ),
        (format!("accounts/{account}/policies/P.json"), policy),
    ]
}

/// Writes files below a directory.
pub(crate) fn write(directory: &Path, files: &[(String, String)]) {
    for (path, content) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Puts a copy of a file in its place, which nobody has locked. A process that another test starts
/// has, until it runs its program, every file that is open here, and keeps its lock as long.
pub(crate) fn unlock(file: &Path) {
    let copy = file.with_extension("copy");
    fs::copy(file, &copy).unwrap();
    fs::rename(copy, file).unwrap();
}

/// Whether alice of an account may describe an instance of an account.
pub(crate) async fn may(
    client: &mut AuthorizationServiceClient<Channel>,
    account: &str,
    owner: &str,
) -> Result<bool, Status> {
    let asked = client.authorize(v1::AuthorizeRequest {
        principal: format!("acs:ram::{account}:user/alice"),
        action: "ecs:StartInstance".to_owned(),
        resources: vec![v1::Resource {
            arn: format!("acs:ecs:cn-hangzhou:{owner}:instance/i-1"),
            ..v1::Resource::default()
        }],
        ..v1::AuthorizeRequest::default()
    });
    let answer = within(asked).await?.into_inner();
    Ok(answer.effect() == v1::Effect::Allow)
}
