//! `tagwarden history`: what changed, by whom and when.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Exit;
use super::change::{Called, Server, as_json, document};
use super::output::{Format, print_line};
use crate::document::counted::counted;
use crate::wire::v1;

/// How many changes are asked for at once.
const PAGE: u32 = 100;

/// Tell what changed on a running server, the newest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The most changes.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: u32,
    /// Tell what each did, with the documents before and after.
    #[arg(long)]
    differences: bool,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut left = args.limit;
    let mut page_token = String::new();
    while left > 0 {
        let request = v1::ListRevisionsRequest {
            page_size: left.min(PAGE),
            page_token,
            differences: args.differences,
        };
        let called = args
            .server
            .call(async |mut client| Ok(client.list_revisions(request).await?.into_inner()))?;
        let answer = match called {
            Called::Answered(answer) => answer,
            Called::Failed(exit) => return Ok(exit),
        };
        for change in &answer.changes {
            left = left.saturating_sub(1);
            print_line(&match args.server.output {
                Format::Text => text(change),
                Format::Json => told(change).to_string(),
            })?;
        }
        if answer.next_page_token.is_empty() {
            break;
        }
        page_token = answer.next_page_token;
    }
    Ok(Exit::Ok)
}

fn text(change: &v1::Change) -> String {
    let number = change
        .revision
        .as_ref()
        .map_or(0, |revision| revision.number);
    let who = if change.principal.is_empty() {
        format!("{} as administrator", change.caller)
    } else {
        format!("{} as {}", change.caller, change.principal)
    };
    let mut line = format!(
        "{number}  {}  {who} from {}: {}, {}",
        time(change),
        change.peer,
        cause(change),
        counted(change.changed, "object"),
    );
    if !change.message.is_empty() {
        line = format!("{line}: {}", change.message);
    }
    for v1::Difference { id, before, after } in &change.differences {
        let sign = match (before, after) {
            (None, _) => '+',
            (Some(_), None) => '-',
            (Some(_), Some(_)) => '~',
        };
        line = format!("{line}\n  {sign} {id}");
    }
    line
}

fn told(change: &v1::Change) -> Value {
    let state = |state: &Option<v1::ObjectState>| {
        let state = state.as_ref();
        state.map(|v1::ObjectState { document: text }| document(text))
    };
    let differences = change.differences.iter().map(|difference| {
        json!({
            "id": difference.id,
            "before": state(&difference.before),
            "after": state(&difference.after),
        })
    });
    json!({
        "revision": change.revision.as_ref().map(as_json),
        "time": time(change),
        "caller": change.caller,
        "principal": change.principal,
        "peer": change.peer,
        "cause": cause(change),
        "message": change.message,
        "changed": change.changed,
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn cause(change: &v1::Change) -> String {
    match change.cause() {
        v1::ChangeCause::Import => "import".to_owned(),
        v1::ChangeCause::Changes => "changes".to_owned(),
        v1::ChangeCause::Bundle => "bundle".to_owned(),
        v1::ChangeCause::Rollback => format!("rollback to {}", change.rolled_back_to),
        v1::ChangeCause::Unspecified => "unknown".to_owned(),
    }
}

fn time(change: &v1::Change) -> String {
    let time = change.time.unwrap_or_default();
    let time = Timestamp::new(time.seconds, time.nanos).unwrap_or_default();
    format!("{time:.3}")
}
