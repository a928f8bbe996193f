//! `tagwarden get`: one object of a running server.

use serde_json::json;

use super::Exit;
use super::change::{Called, Server, as_json, document};
use super::output::{Format, print_bytes, print_line};
use crate::wire::v1;

/// Print the document of an object of a running server.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The id: `accounts/1/policies/Dev`.
    id: String,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let request = v1::GetObjectRequest {
        id: args.id.clone(),
    };
    let called = args
        .server
        .call(async |mut client| Ok(client.get_object(request).await?.into_inner()))?;
    let v1::GetObjectResponse { object, revision } = match called {
        Called::Answered(answer) => answer,
        Called::Failed(exit) => return Ok(exit),
    };
    let object = object.unwrap_or_default();
    match args.server.output {
        Format::Text => {
            print_bytes(&object.document)?;
            if !object.document.ends_with(b"\n") {
                print_bytes(b"\n")?;
            }
        }
        Format::Json => {
            let answer = json!({
                "id": object.id,
                "document": document(&object.document),
                "revision": revision.as_ref().map(as_json),
            });
            print_line(&answer.to_string())?;
        }
    }
    Ok(Exit::Ok)
}
