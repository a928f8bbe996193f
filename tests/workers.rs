//! Threads: connections go to the workers in turn, and what is slow is none of a worker's work.

use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};

use tagwarden::directory::Directory;
use tagwarden::management::permission::Administrators;
use tagwarden::management::{self, AuthoredIn, Management};
use tagwarden::publish::publication;
use tagwarden::service::pap::{self, Pap};
use tagwarden::service::{Config, Listen, Owner, Phase};
use tagwarden::telemetry::Reloads;
use tagwarden::wire::page::PageKey;
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tagwarden::wire::v1::management_service_client::ManagementServiceClient;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use crate::support::server::{
    Running, config, directory_writer, start_ready, within, without_resource,
};

/// A question that is answered: nothing is known of the account.
fn asking() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        resources: vec![v1::Resource {
            arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
            ..v1::Resource::default()
        }],
        action: "ecs:StartInstance".to_owned(),
        ..without_resource()
    }
}

fn with_workers(count: usize) -> Config {
    Config {
        workers: NonZeroUsize::new(count),
        ..config()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_to_the_workers_in_turn() {
    let running = start_ready(with_workers(3));
    let mut workers = Vec::new();
    let mut open = Vec::new();
    for _ in 0..9 {
        let mut client = running.client().await;
        let answer = within(client.authorize(asking())).await.unwrap();
        // Each worker counts decisions by itself, under a source of its own.
        let id = answer.into_inner().decision_id;
        workers.push(id.split_once('-').unwrap().0.to_owned());
        open.push(client);
    }
    let mut different = workers[..3].to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 3, "{workers:?}");
    for (place, worker) in workers.iter().enumerate() {
        assert_eq!(*worker, workers[place % 3], "{workers:?}");
    }
}

/// A runtime with one thread, which a test can keep busy.
struct Slow(Runtime);

/// Keeps the thread of a runtime busy until it is dropped.
struct Busy(#[expect(dead_code, reason = "dropping it is what counts")] mpsc::Sender<()>);

impl Slow {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self(runtime.unwrap())
    }

    /// The server whose acceptor and slow calls run here, and its one worker elsewhere.
    fn start(&self) -> Running {
        let _here = self.0.enter();
        start_ready(with_workers(1))
    }

    async fn keep_busy(&self) -> Busy {
        let (release, released) = mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        self.0.spawn(async move {
            begun.send(()).unwrap();
            released.recv().unwrap_err();
        });
        within(begins).await.unwrap();
        Busy(release)
    }
}

/// A slow call is stuck as long as its runtime is busy, and decisions and checks of health on the
/// same connection are not.
async fn stuck<T>(channel: Channel, call: JoinHandle<T>, busy: Busy) -> T {
    let mut client = AuthorizationServiceClient::new(channel.clone());
    let mut health = HealthClient::new(channel);
    for _ in 0..50 {
        within(client.authorize(asking())).await.unwrap();
        let checked = within(health.check(HealthCheckRequest::default())).await;
        checked.unwrap();
    }
    assert!(!call.is_finished(), "the slow call was answered elsewhere");
    drop(busy);
    within(call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_and_health_watches_run_elsewhere_and_delay_no_decision() {
    let slow = Slow::new();
    let running = slow.start();
    let channel = running.channel().await;
    let mut client = AuthorizationServiceClient::new(channel.clone());
    within(client.authorize(asking())).await.unwrap();

    let busy = slow.keep_busy().await;
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let call = tokio::spawn(async move {
        let answers = reflection.server_reflection_info(tokio_stream::iter([question]));
        answers.await.unwrap().into_inner().next().await
    });
    let answer = stuck(channel.clone(), call, busy).await;
    assert!(answer.unwrap().unwrap().message_response.is_some());

    let busy = slow.keep_busy().await;
    let mut health = HealthClient::new(channel.clone());
    let call = tokio::spawn(async move {
        let watched = health.watch(HealthCheckRequest::default()).await;
        watched.unwrap().into_inner().next().await
    });
    let first = stuck(channel, call, busy).await;
    assert_eq!(first.unwrap().unwrap().status(), ServingStatus::Serving);
    slow.0.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_channel_delays_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let manage = Listen::Unix {
        path: path.clone(),
        mode: 0o600,
        owner: Owner::default(),
    };
    let slow = Slow::new();
    let running = slow.start();
    let (publisher, reader) = publication().unwrap();
    let directory = Arc::new(Directory::default());
    let (writer, writing) = directory_writer(&directory, &reader);
    let (management, task) = Management::start(management::Config {
        publisher,
        reader: reader.clone(),
        directory: Arc::clone(&directory),
        writer: writer.clone(),
        reloads: Reloads::default(),
        authored: AuthoredIn::Files { source: 1 },
    })
    .unwrap();
    let managing = pap::Config {
        management,
        reader,
        directory,
        writer,
        administrators: Administrators::Own,
        pages: PageKey::new([0; 64]),
        stores: None,
    };
    let (stop, stopping) = watch::channel(Phase::Serving);
    let pap = Pap::bind(&manage, None).unwrap();
    let serving = slow.0.spawn(pap.run(managing, stopping));
    let mut client = ManagementServiceClient::new(running.channel_to(path).await);
    let info = client.get_snapshot_info(v1::GetSnapshotInfoRequest {});
    within(info).await.unwrap();
    let channel = running.channel().await;
    within(AuthorizationServiceClient::new(channel.clone()).authorize(asking()))
        .await
        .unwrap();

    let busy = slow.keep_busy().await;
    let call = tokio::spawn(async move {
        let info = client.get_snapshot_info(v1::GetSnapshotInfoRequest {});
        info.await.unwrap().into_inner()
    });
    let info = stuck(channel, call, busy).await;
    assert_eq!(info, v1::GetSnapshotInfoResponse::default());
    stop.send_replace(Phase::Draining);
    within(serving).await.unwrap().unwrap();
    // Nobody can reach the task any more.
    within(tokio::task::spawn_blocking(move || writing.join()))
        .await
        .unwrap()
        .unwrap();
    within(tokio::task::spawn_blocking(move || task.join()))
        .await
        .unwrap()
        .unwrap();
    slow.0.shutdown_background();
}
