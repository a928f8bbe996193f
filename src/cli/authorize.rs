//! `tagwarden authorize` and `tagwarden explain`: one decision, offline or by a running server.

mod question;
mod tell;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use self::question::Question;
use super::Exit;
use super::client::{Connecting, runtime};
use super::output::{Format, print_line};
use crate::document::bundle::Strictness;
use crate::management::load::load;
use crate::model::condition::parse_date;
use crate::offline::Offline;
use crate::wire::status::reason_of;
use crate::wire::v1;
use crate::wire::v1::authorization_service_client::AuthorizationServiceClient;

/// Decide one request: against a bundle, or by a running server.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    connecting: Connecting,
    #[command(flatten)]
    question: Question,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// Decide one request and tell every step that led there.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    args: Args,
}

/// Who is asked.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// The directory of a bundle.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// The data address of a running server: `<ip>:<port>`, `https://<host>:<port>` or
    /// `unix:/path`.
    #[arg(long)]
    server: Option<String>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    ask(args, false)
}

pub(super) fn explain(args: ExplainArgs) -> anyhow::Result<Exit> {
    ask(args.args, true)
}

/// An answer, or the reason and the text of an error.
type Answer = Result<v1::AuthorizeResponse, (String, String)>;

fn ask(args: Args, explain: bool) -> anyhow::Result<Exit> {
    let Args {
        of,
        connecting,
        question,
        output,
    } = args;
    let now = question.now.clone();
    let message = v1::AuthorizeRequest {
        explain,
        ..question.message()?
    };
    let answer = match (of.bundle, of.server) {
        (Some(bundle), _) => {
            let loaded = match load(&bundle, Strictness::Strict) {
                Ok(compiled) => compiled.loaded,
                Err(error) => {
                    eprintln!("error: the bundle is refused\n{error}");
                    return Ok(Exit::Refused);
                }
            };
            let offline = Offline::new(&loaded.bundle)?;
            let answer = offline.answer(&message, instant(now.as_deref())?);
            answer.map_err(|error| (error.reason().to_owned(), error.to_string()))
        }
        (None, Some(server)) => runtime()?.block_on(call(&connecting, &server, message))?,
        (None, None) => anyhow::bail!("neither --bundle nor --server is given"),
    };
    tell(output, &answer)
}

fn instant(text: Option<&str>) -> anyhow::Result<Timestamp> {
    match text {
        None => Ok(Timestamp::now()),
        Some(text) => parse_date(text).ok_or_else(|| {
            anyhow::anyhow!("`{text}` is no instant: RFC 3339 with a zone is asked for")
        }),
    }
}

async fn call(
    connecting: &Connecting,
    server: &str,
    message: v1::AuthorizeRequest,
) -> anyhow::Result<Answer> {
    let mut client = AuthorizationServiceClient::new(connecting.connect(server).await?);
    match client.authorize(message).await {
        Ok(response) => Ok(Ok(response.into_inner())),
        Err(status) => match reason_of(&status) {
            Some(reason) => Ok(Err((reason, status.message().to_owned()))),
            None => Err(anyhow::anyhow!("{}: {}", status.code(), status.message())),
        },
    }
}

fn tell(output: Format, answer: &Answer) -> anyhow::Result<Exit> {
    let (text, exit) = match (output, answer) {
        (Format::Text, Ok(response)) => (tell::text(response), Exit::Ok),
        (Format::Json, Ok(response)) => (tell::json(response).to_string(), Exit::Ok),
        (Format::Text, Err((reason, message))) => {
            (format!("NOT DECIDED {reason}: {message}"), Exit::Unexpected)
        }
        (Format::Json, Err((reason, message))) => (
            json!({"error": {"reason": reason, "message": message}}).to_string(),
            Exit::Unexpected,
        ),
    };
    print_line(&text)?;
    Ok(exit)
}
