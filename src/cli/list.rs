//! `tagwarden list`: the objects of a running server.

use serde_json::json;

use super::Exit;
use super::change::{Called, Server};
use super::output::{Format, print_line};
use crate::wire::v1;

/// How many objects are asked for at once.
const PAGE: u32 = 1_000;

/// List the ids of the objects of a running server.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the ids start with: `accounts/1/`.
    #[arg(default_value = "")]
    prefix: String,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut page_token = String::new();
    loop {
        let request = v1::ListObjectsRequest {
            prefix: args.prefix.clone(),
            page_size: PAGE,
            page_token,
            documents: false,
        };
        let called = args
            .server
            .call(async |mut client| Ok(client.list_objects(request).await?.into_inner()))?;
        let answer = match called {
            Called::Answered(answer) => answer,
            Called::Failed(exit) => return Ok(exit),
        };
        for v1::Object { id, document: _ } in answer.objects {
            print_line(&match args.server.output {
                Format::Text => id,
                Format::Json => json!({"id": id}).to_string(),
            })?;
        }
        if answer.next_page_token.is_empty() {
            return Ok(Exit::Ok);
        }
        page_token = answer.next_page_token;
    }
}
