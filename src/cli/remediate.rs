//! `tagwarden remediate`: repairs the tags of resources of a running server, or tells what would be.

use serde_json::{Value, json};

use super::Exit;
use super::change::{Called, Server, failed};
use super::output::{Format, print_line};
use super::tag::{Behalf, fault_json, fault_line};
use super::within::Within;
use crate::document::counted::counted;
use crate::wire::v1;

/// Tell what would repair the tags of resources that do not comply, or repair them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    within: Within,
    /// Repair them. Without it nothing is written.
    #[arg(long)]
    apply: bool,
    /// Go on where a repair ended that was cut short: the token that it told.
    #[arg(long, value_name = "TOKEN", default_value = "")]
    from: String,
    #[command(flatten)]
    behalf: Behalf,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let request = v1::RemediateRequest {
        writer: Some(args.behalf.writer("")),
        scope: Some(args.within.scope()),
        mode: if args.apply {
            v1::RemediateMode::Apply
        } else {
            v1::RemediateMode::DryRun
        }
        .into(),
        page_token: args.from.clone(),
    };
    let mut totals = v1::RemediateTotals::default();
    let mut next = String::new();
    let called = args.server.place.directory(async |mut client| {
        let mut told = client.remediate(request).await?.into_inner();
        loop {
            match told.message().await {
                Ok(Some(message)) => {
                    if let Err(error) = tell(&message, args) {
                        return Ok(Err(error));
                    }
                    totals = message.totals.unwrap_or_default();
                    next = message.next_page_token;
                }
                Ok(None) => return Ok(Ok(None)),
                Err(status) => return Ok(Ok(Some(status))),
            }
        }
    })?;
    let fault = match called {
        Called::Answered(fault) => fault?,
        Called::Failed(exit) => return Ok(exit),
    };
    print_line(&match args.server.output {
        Format::Text => summary(&totals, args),
        Format::Json => json!({"totals": {
            "applied": args.apply,
            "repaired": totals.repaired,
            "inherited": totals.inherited,
            "failed": totals.failed,
            "held_back": totals.held_back,
        }})
        .to_string(),
    })?;
    Ok(match fault {
        Some(status) => {
            let exit = failed(&status);
            if !next.is_empty() {
                eprintln!("it goes on with --from {next}");
            }
            exit
        }
        None if totals.failed > 0 => Exit::Unexpected,
        None => Exit::Ok,
    })
}

fn tell(message: &v1::RemediateResponse, args: &Args) -> anyhow::Result<()> {
    let v1::RemediateResponse {
        repairs,
        failed,
        held_back,
        change: _,
        totals: _,
        next_page_token: _,
    } = message;
    let word = if args.apply {
        "repaired"
    } else {
        "would repair"
    };
    let format = args.server.output;
    for repair in repairs.iter().map(Repair::of) {
        print_line(&match format {
            Format::Text => format!("{word}: {}", repair.text()),
            Format::Json => json!({"repair": repair.json()}).to_string(),
        })?;
    }
    let failed = failed.iter().map(|fault| ("failed", "failed", fault));
    let held_back = held_back
        .iter()
        .map(|fault| ("held back", "held_back", fault));
    for (word, name, fault) in failed.chain(held_back) {
        print_line(&match format {
            Format::Text => format!("{word}: {}", fault_line(fault)),
            Format::Json => json!({name: fault_json(fault)}).to_string(),
        })?;
    }
    Ok(())
}

/// What a repair writes to one resource.
struct Repair<'r> {
    arn: &'r str,
    /// The keys with their values; `None`: it is removed.
    tags: Vec<(&'r str, Option<&'r str>)>,
    inherited: bool,
}

impl<'r> Repair<'r> {
    fn of(repair: &'r v1::ResourceRepair) -> Self {
        let v1::ResourceRepair {
            arn,
            rewrites,
            inherited,
        } = repair;
        let rewrites = rewrites.iter();
        let tags = rewrites.map(|v1::TagRewrite { key, value, remove }| {
            let value = (!remove).then_some(value.as_str());
            (key.as_str(), value)
        });
        Self {
            arn,
            tags: tags.collect(),
            inherited: *inherited,
        }
    }

    /// For people.
    fn text(&self) -> String {
        let tags = self.tags.iter().map(|(key, value)| match value {
            Some(value) => format!(" {key}={value}"),
            None => format!(" -{key}"),
        });
        let tags: String = tags.collect();
        let how = if self.inherited { " (inherited)" } else { "" };
        format!("{}{tags}{how}", self.arn)
    }

    fn json(&self) -> Value {
        let tags = self.tags.iter();
        let tags = tags.map(|(key, value)| ((*key).to_owned(), json!(value)));
        let tags: serde_json::Map<String, Value> = tags.collect();
        json!({"arn": self.arn, "tags": tags, "inherited": self.inherited})
    }
}

fn summary(totals: &v1::RemediateTotals, args: &Args) -> String {
    let v1::RemediateTotals {
        repaired,
        inherited,
        failed,
        held_back,
    } = totals;
    let word = if args.apply {
        "repaired"
    } else {
        "would be repaired"
    };
    let (repaired, keys) = (counted(*repaired, "resource"), counted(*held_back, "key"));
    format!(
        "{repaired} {word}, {inherited} of them by inheritance; {failed} failed, {keys} held back"
    )
}
