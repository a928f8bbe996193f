//! `tagwarden healthcheck`: asks a data address whether it serves.

use std::time::Duration;

use serde_json::json;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Exit;
use super::client::{Connecting, runtime};
use super::output::{Format, print_line};

/// Ask a server whether it serves: exit 0, or 6 where it does not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The data address: `<ip>:<port>`, `https://<host>:<port>` or `unix:/path`.
    #[arg(default_value = "127.0.0.1:4770")]
    address: String,
    #[command(flatten)]
    connecting: Connecting,
    /// The service that is asked for; empty: the whole server.
    #[arg(long, default_value = "")]
    service: String,
    /// Seconds to wait for an answer.
    #[arg(long, default_value_t = 2)]
    timeout: u64,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let asked = async {
        let channel = args.connecting.connect(&args.address).await?;
        let request = HealthCheckRequest {
            service: args.service.clone(),
        };
        anyhow::Ok(
            HealthClient::new(channel)
                .check(request)
                .await?
                .into_inner()
                .status(),
        )
    };
    let limit = Duration::from_secs(args.timeout);
    let answer = runtime()?.block_on(async { tokio::time::timeout(limit, asked).await });
    let (said, exit) = match answer {
        Ok(Ok(ServingStatus::Serving)) => ("SERVING".to_owned(), Exit::Ok),
        Ok(Ok(status)) => (status.as_str_name().to_owned(), Exit::NotServing),
        Ok(Err(error)) => (format!("UNREACHABLE: {error:#}"), Exit::NotServing),
        Err(_) => (
            "UNREACHABLE: no answer in time".to_owned(),
            Exit::NotServing,
        ),
    };
    match args.output {
        Format::Text => print_line(&said)?,
        Format::Json => print_line(&json!({"status": said}).to_string())?,
    }
    Ok(exit)
}
