//! `tagwarden compliance`: which resources of a running server do not comply.

use serde_json::{Value, json};

use super::Exit;
use super::change::{Called, Server};
use super::output::{Format, print_line};
use super::within::Within;
use crate::document::counted::counted;
use crate::wire::v1;

/// Tell which resources of a running server do not comply with their tag policies.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    within: Within,
    /// A tag key that policies ask for; nothing else is judged. Repeatable.
    #[arg(short, long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Tell the totals alone.
    #[arg(long)]
    totals: bool,
    /// On whose behalf: the ARN of a user or role. Default: what you are to the server, and
    /// everything as its own user.
    #[arg(long, default_value = "")]
    principal: String,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let format = args.server.output;
    let request = v1::CheckComplianceRequest {
        principal: args.principal.clone(),
        scope: Some(args.within.scope()),
        keys: args.keys.clone(),
        totals_only: args.totals,
    };
    let called = args.server.place.directory(async |mut client| {
        let mut told = client.check_compliance(request).await?.into_inner();
        let mut totals = None;
        while let Some(message) = told.message().await? {
            for resource in &message.resources {
                if let Err(error) = tell(resource, format) {
                    return Ok(Err(error));
                }
            }
            totals = message.totals;
        }
        Ok(Ok(totals.unwrap_or_default()))
    })?;
    let totals = match called {
        Called::Answered(totals) => totals?,
        Called::Failed(exit) => return Ok(exit),
    };
    match format {
        Format::Text => lines(&totals)
            .iter()
            .try_for_each(|line| print_line(line))?,
        Format::Json => print_line(&json!({"totals": as_json(&totals)}).to_string())?,
    }
    Ok(match totals.noncompliant {
        0 => Exit::Ok,
        _ => Exit::Differing,
    })
}

/// The name of a violation, as everywhere else.
fn code(code: v1::TagViolationCode) -> &'static str {
    let name = code.as_str_name();
    name.strip_prefix("TAG_VIOLATION_CODE_").unwrap_or(name)
}

fn mode(mode: v1::TagPolicyMode) -> String {
    let name = mode.as_str_name();
    let name = name.strip_prefix("TAG_POLICY_MODE_").unwrap_or(name);
    name.to_ascii_lowercase()
}

fn tell(resource: &v1::NoncompliantResource, format: Format) -> anyhow::Result<()> {
    let v1::NoncompliantResource {
        arn,
        account,
        r#type,
        resource_group,
        violations,
    } = resource;
    match format {
        Format::Text => violations.iter().try_for_each(|found| {
            let (code, key) = (code(found.code()), &found.key);
            let value = if found.code() == v1::TagViolationCode::Missing {
                String::new()
            } else {
                format!("={}", found.value)
            };
            print_line(&format!("{arn}\t{code}\t{key}{value}"))
        }),
        Format::Json => {
            let violations = violations.iter().map(|found| {
                json!({
                    "code": code(found.code()),
                    "key": found.key,
                    "expected_key": found.expected_key,
                    "value": found.value,
                    "mode": mode(found.mode()),
                })
            });
            let violations: Vec<Value> = violations.collect();
            let group = resource_group.as_ref().map(|group| &group.id);
            let told = json!({
                "arn": arn,
                "account": account,
                "type": r#type,
                "group": group,
                "violations": violations,
            });
            print_line(&told.to_string())
        }
    }
}

fn lines(totals: &v1::ComplianceTotals) -> Vec<String> {
    let v1::ComplianceTotals {
        resources,
        evaluated,
        compliant,
        noncompliant,
        violations,
        keys,
    } = totals;
    let resources = counted(*resources, "resource");
    let mut lines = vec![format!(
        "{resources}, {evaluated} of them judged: {compliant} compliant, {noncompliant} not"
    )];
    let counts = violations.iter();
    lines.extend(counts.map(|one| format!("{}: {}", code(one.code()), one.count)));
    lines.extend(keys.iter().map(|row| {
        let v1::KeyCompliance {
            key,
            r#type,
            compliant,
            missing,
            wrong_case,
            wrong_value,
            not_inherited,
            other,
        } = row;
        let what = if *other {
            "all others".to_owned()
        } else {
            format!("{key} of {type}", r#type = r#type)
        };
        format!(
            "{what}: {compliant} compliant, {missing} missing, {wrong_case} in wrong case, \
             {wrong_value} with wrong value, {not_inherited} not inherited"
        )
    }));
    lines
}

fn as_json(totals: &v1::ComplianceTotals) -> Value {
    let violations = totals.violations.iter();
    let violations = violations.map(|one| (code(one.code()).to_owned(), one.count.into()));
    let violations: serde_json::Map<String, Value> = violations.collect();
    let keys = totals.keys.iter().map(|row| {
        json!({
            "key": row.key,
            "type": row.r#type,
            "compliant": row.compliant,
            "missing": row.missing,
            "wrong_case": row.wrong_case,
            "wrong_value": row.wrong_value,
            "not_inherited": row.not_inherited,
            "other": row.other,
        })
    });
    let keys: Vec<Value> = keys.collect();
    json!({
        "resources": totals.resources,
        "evaluated": totals.evaluated,
        "compliant": totals.compliant,
        "noncompliant": totals.noncompliant,
        "violations": violations,
        "keys": keys,
    })
}
