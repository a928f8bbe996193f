//! Connections of commands to a running server.

use std::path::PathBuf;

use anyhow::Context as _;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// A runtime for one command.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.context("the runtime cannot be started")
}

/// Connects to `<ip>:<port>` or `unix:/path`.
pub(super) async fn connect(address: &str) -> anyhow::Result<Channel> {
    let Some(path) = address.strip_prefix("unix:") else {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        return endpoint
            .connect()
            .await
            .with_context(|| format!("cannot connect to {address}"));
    };
    let path = PathBuf::from(path);
    let connector = service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let connected = endpoint.connect_with_connector(connector).await;
    connected.with_context(|| format!("cannot connect to {address}"))
}
