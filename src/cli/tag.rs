//! `tagwarden tag` and `tagwarden untag`: writes tags of resources that a running server knows.

use std::path::Path;

use serde_json::{Value, json};
use tonic::Status;

use super::Exit;
use super::change::{Called, DirectoryClient, Server, failed};
use super::output::{Format, print_line, read_text};
use crate::tagging::shape::MAX_RESOURCES;
use crate::wire::v1;

/// What stands for the ARNs that standard input names, one a line.
const STDIN: &str = "-";

/// Add tags to resources, or give their keys other values.
#[derive(Debug, clap::Args)]
pub(super) struct TagArgs {
    /// The ARNs; `-`: those that standard input names, one a line. At most 50 are one change.
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
    /// The ARNs; `-`: those that standard input names, one a line. At most 50 are one change.
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
    #[command(flatten)]
    behalf: Behalf,
    /// The region that stands for `*` in an ARN.
    #[arg(long, default_value = "")]
    region: String,
    /// Change nothing, if something cannot be done to one of the resources, at most 50.
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    server: Server,
}

/// On whose behalf tags are written.
#[derive(Debug, clap::Args)]
pub(super) struct Behalf {
    /// On whose behalf: the ARN of a user or role. Default: the one that you are to the server.
    #[arg(long, default_value = "")]
    principal: String,
}

impl Behalf {
    pub(super) fn writer(&self, region: &str) -> v1::TagWriter {
        // A role session has no policy of its own here; others do not ask.
        let is_session = self.principal.matches('/').count() > 1;
        let none = v1::session::Policy::None(v1::NoSessionPolicy {});
        v1::TagWriter {
            principal: self.principal.clone(),
            region: region.to_owned(),
            session: is_session.then_some(v1::Session { policy: Some(none) }),
            context: Vec::new(),
        }
    }
}

fn tag(text: &str) -> Result<v1::Tag, &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected `KEY=VALUE`")?;
    let (key, value) = (key.to_owned(), value.to_owned());
    Ok(v1::Tag { key, value })
}

pub(super) fn tag_resources(args: &TagArgs) -> anyhow::Result<Exit> {
    let TagArgs { arns, tags, how } = args;
    let request = v1::TagResourcesRequest {
        writer: Some(how.behalf.writer(&how.region)),
        arns: Vec::new(),
        tags: tags.clone(),
        form: how.form().into(),
    };
    how.run(arns, &async |client: &mut DirectoryClient,
                          arns: Vec<String>| {
        let request = v1::TagResourcesRequest {
            arns,
            ..request.clone()
        };
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
        writer: Some(how.behalf.writer(&how.region)),
        arns: Vec::new(),
        keys: keys.clone(),
        all: *all,
        form: how.form().into(),
    };
    how.run(arns, &async |client: &mut DirectoryClient,
                          arns: Vec<String>| {
        let request = v1::UntagResourcesRequest {
            arns,
            ..request.clone()
        };
        let answer = client.untag_resources(request).await?;
        Ok(answer.into_inner().outcome)
    })
}

impl How {
    fn form(&self) -> v1::TagCallForm {
        if self.whole {
            v1::TagCallForm::Ecs
        } else {
            v1::TagCallForm::Unified
        }
    }

    /// Asks for so many resources at once, and tells what came of all. What was done before a call
    /// failed is told as well.
    fn run(
        &self,
        arns: &[String],
        ask: &impl AsyncFn(
            &mut DirectoryClient,
            Vec<String>,
        ) -> Result<Option<v1::DirectoryOutcome>, Status>,
    ) -> anyhow::Result<Exit> {
        let arns = named(arns)?;
        if self.whole && arns.len() > MAX_RESOURCES {
            eprintln!("error: --whole takes at most {MAX_RESOURCES} resources");
            return Ok(Exit::Usage);
        }
        let called = self.server.place.directory(async |mut client| {
            let mut sum = v1::DirectoryOutcome::default();
            for (place, arns) in arns.chunks(MAX_RESOURCES).enumerate() {
                match ask(&mut client, arns.to_vec()).await {
                    Ok(outcome) => add(&mut sum, outcome.unwrap_or_default()),
                    Err(status) if place == 0 => return Err(status),
                    Err(status) => return Ok((sum, Some(status))),
                }
            }
            Ok((sum, None))
        })?;
        match called {
            Called::Answered((sum, fault)) => {
                let exit = tell(&sum, self.server.output)?;
                Ok(fault.map_or(exit, |status| failed(&status)))
            }
            Called::Failed(exit) => Ok(exit),
        }
    }
}

fn add(sum: &mut v1::DirectoryOutcome, outcome: v1::DirectoryOutcome) {
    sum.change = sum.change.max(outcome.change);
    sum.failed.extend(outcome.failed);
    sum.held_back.extend(outcome.held_back);
}

/// The ARNs that are given, with those of standard input in their place.
fn named(arns: &[String]) -> anyhow::Result<Vec<String>> {
    let mut named = Vec::new();
    for arn in arns {
        if arn == STDIN {
            let text = read_text(Path::new(STDIN))?;
            let lines = text.lines().map(str::trim);
            named.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        } else {
            named.push(arn.clone());
        }
    }
    Ok(named)
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
            for one in failed {
                print_line(&format!("failed: {}", fault_line(one)))?;
            }
            for one in held_back {
                print_line(&format!("held back: {}", fault_line(one)))?;
            }
            print_line(&match change {
                0 => "nothing was changed".to_owned(),
                change => format!("change {change}"),
            })?;
        }
        Format::Json => {
            let failed: Vec<_> = failed.iter().map(fault_json).collect();
            let held_back: Vec<_> = held_back.iter().map(fault_json).collect();
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

/// Why something did not happen to a resource, for people.
pub(super) fn fault_line(fault: &v1::FailedResource) -> String {
    let v1::FailedResource {
        arn,
        key,
        code,
        message,
    } = fault;
    let key = match &**key {
        "" => String::new(),
        key => format!(" `{key}`"),
    };
    format!("{arn}{key}: {code}: {message}")
}

/// The same as JSON.
pub(super) fn fault_json(fault: &v1::FailedResource) -> Value {
    let v1::FailedResource {
        arn,
        key,
        code,
        message,
    } = fault;
    json!({"arn": arn, "key": key, "code": code, "message": message})
}
