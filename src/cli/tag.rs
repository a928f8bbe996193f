//! `tagwarden tag` and `tagwarden untag`: writes tags of resources that a running server knows.

use serde_json::json;
use tonic::Status;

use super::Exit;
use super::change::{Called, Server};
use super::client::Connection;
use super::output::{Format, print_line};
use crate::wire::v1;
use crate::wire::v1::directory_service_client::DirectoryServiceClient;

/// Add tags to resources, or give their keys other values.
#[derive(Debug, clap::Args)]
pub(super) struct TagArgs {
    /// The ARNs, at most 50.
    #[arg(required = true)]
    arns: Vec<String>,
    /// A tag, `KEY=VALUE`. Repeatable.
    #[arg(short, long = "tag", value_name = "KEY=VALUE", required = true, value_parser = tag)]
    tags: Vec<v1::Tag>,
    #[command(flatten)]
    how: How,
}

/// Remove tags from resources.
#[derive(Debug, clap::Args)]
pub(super) struct UntagArgs {
    /// The ARNs, at most 50.
    #[arg(required = true)]
    arns: Vec<String>,
    /// A key. Repeatable.
    #[arg(
        short,
        long = "key",
        value_name = "KEY",
        required_unless_present = "all"
    )]
    keys: Vec<String>,
    /// Remove all tags.
    #[arg(long, conflicts_with = "keys")]
    all: bool,
    #[command(flatten)]
    how: How,
}

/// On whose behalf, and where.
#[derive(Debug, clap::Args)]
struct How {
    /// On whose behalf: the ARN of a user or role. Default: the one that you are to the server.
    #[arg(long, default_value = "")]
    principal: String,
    /// The region that stands for `*` in an ARN.
    #[arg(long, default_value = "")]
    region: String,
    /// Change nothing, if something cannot be done to one of the resources.
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    server: Server,
}

type Client = DirectoryServiceClient<Connection>;

fn tag(text: &str) -> Result<v1::Tag, &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected `KEY=VALUE`")?;
    let (key, value) = (key.to_owned(), value.to_owned());
    Ok(v1::Tag { key, value })
}

pub(super) fn tag_resources(args: &TagArgs) -> anyhow::Result<Exit> {
    let TagArgs { arns, tags, how } = args;
    let request = v1::TagResourcesRequest {
        writer: Some(how.writer()),
        arns: arns.clone(),
        tags: tags.clone(),
        form: how.form().into(),
    };
    how.run(async |mut client| {
        let answer = client.tag_resources(request).await?;
        Ok(answer.into_inner().outcome)
    })
}

pub(super) fn untag_resources(args: &UntagArgs) -> anyhow::Result<Exit> {
    let UntagArgs {
        arns,
        keys,
        all,
        how,
    } = args;
    let request = v1::UntagResourcesRequest {
        writer: Some(how.writer()),
        arns: arns.clone(),
        keys: keys.clone(),
        all: *all,
        form: how.form().into(),
    };
    how.run(async |mut client| {
        let answer = client.untag_resources(request).await?;
        Ok(answer.into_inner().outcome)
    })
}

impl How {
    fn writer(&self) -> v1::TagWriter {
        // A role session has no policy of its own here; others do not ask.
        let is_session = self.principal.matches('/').count() > 1;
        let none = v1::session::Policy::None(v1::NoSessionPolicy {});
        v1::TagWriter {
            principal: self.principal.clone(),
            region: self.region.clone(),
            session: is_session.then_some(v1::Session { policy: Some(none) }),
            context: Vec::new(),
        }
    }

    fn form(&self) -> v1::TagCallForm {
        if self.whole {
            v1::TagCallForm::Ecs
        } else {
            v1::TagCallForm::Unified
        }
    }

    fn run(
        &self,
        ask: impl AsyncFnOnce(Client) -> Result<Option<v1::DirectoryOutcome>, Status>,
    ) -> anyhow::Result<Exit> {
        let called = self.server.directory(ask)?;
        match called {
            Called::Answered(outcome) => tell(&outcome.unwrap_or_default(), self.server.output),
            Called::Failed(exit) => Ok(exit),
        }
    }
}

/// Tells what came of it: a resource to which nothing was done makes the command fail.
fn tell(outcome: &v1::DirectoryOutcome, format: Format) -> anyhow::Result<Exit> {
    let v1::DirectoryOutcome {
        change,
        failed,
        held_back,
    } = outcome;
    match format {
        Format::Text => {
            for (what, one) in failed
                .iter()
                .map(|one| ("failed", one))
                .chain(held_back.iter().map(|one| ("held back", one)))
            {
                let key = match &*one.key {
                    "" => String::new(),
                    key => format!(" `{key}`"),
                };
                let v1::FailedResource {
                    arn, code, message, ..
                } = one;
                print_line(&format!("{what}: {arn}{key}: {code}: {message}"))?;
            }
            print_line(&match change {
                0 => "nothing was changed".to_owned(),
                change => format!("change {change}"),
            })?;
        }
        Format::Json => {
            let told = |one: &v1::FailedResource| json!({"arn": one.arn, "key": one.key, "code": one.code, "message": one.message});
            let failed: Vec<_> = failed.iter().map(told).collect();
            let held_back: Vec<_> = held_back.iter().map(told).collect();
            let told = json!({"change": change, "failed": failed, "held_back": held_back});
            print_line(&told.to_string())?;
        }
    }
    Ok(if failed.is_empty() {
        Exit::Ok
    } else {
        Exit::Unexpected
    })
}
