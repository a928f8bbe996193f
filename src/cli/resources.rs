//! `tagwarden resources`: finds resources of a running server by their tags.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::Exit;
use super::change::{Called, Place};
use super::output::print_line;
use super::within::Within;
use crate::wire::v1;

/// How many resources are asked for at once.
const PAGE: u32 = 1_000;

/// Find resources of a running server by their tags.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A tag that resources must have: `KEY`, `KEY=VALUE`, `KEY=VALUE*` for values that begin so,
    /// `KEY=*VALUE*` for values that contain it. `\*` is a `*`. Repeatable: all must hold; those of
    /// one key are values of which one must.
    #[arg(short, long = "tag", value_name = "TAG")]
    tags: Vec<Asked>,
    /// A tag that they must not have, written the same way. Repeatable: none may.
    #[arg(short, long = "not", value_name = "TAG")]
    not: Vec<Asked>,
    #[command(flatten)]
    within: Within,
    /// On whose behalf: the ARN of a user or role. Default: what you are to the server, and
    /// everything as its own user.
    #[arg(long, default_value = "")]
    principal: String,
    /// What is told of each: its ARN alone, as `tag` and `untag` take it, or all, in lines or as
    /// JSON.
    #[arg(long, value_enum, default_value_t)]
    show: Show,
    #[command(flatten)]
    place: Place,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Form,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Text,
    /// JSON, one value a line.
    Json,
    /// The ARN alone, whatever is shown: what `tag -` and `untag -` read.
    Arns,
}

/// What is told of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Show {
    /// The ARN, and nothing else on the line.
    #[default]
    Arns,
    /// ARN, type, group and tags.
    All,
}

/// A tag as it is asked for.
#[derive(Debug, Clone)]
struct Asked {
    key: String,
    value: Option<v1::TextMatch>,
}

impl std::str::FromStr for Asked {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(text_match(value)?)),
            None => (text, None),
        };
        if key.is_empty() {
            return Err("expected `KEY` or `KEY=VALUE`");
        }
        let key = key.to_owned();
        Ok(Self { key, value })
    }
}

fn text_match(value: &str) -> Result<v1::TextMatch, &'static str> {
    let is_open = value.ends_with('*') && !value.ends_with("\\*");
    let (kind, text) = match (value.strip_prefix('*'), is_open) {
        (Some(rest), true) if !rest.is_empty() => (
            v1::TextMatchKind::Infix,
            rest.strip_suffix('*').unwrap_or(rest),
        ),
        (None, true) => (
            v1::TextMatchKind::Prefix,
            value.strip_suffix('*').unwrap_or(value),
        ),
        (None, false) => (v1::TextMatchKind::Exact, value),
        (Some(_), _) => {
            return Err("a `*` stands at the end, or at both ends, or is written `\\*`");
        }
    };
    let text = text.replace("\\*", "\0");
    if text.contains('*') {
        return Err("a `*` stands at the end, or at both ends, or is written `\\*`");
    }
    Ok(v1::TextMatch {
        kind: kind.into(),
        text: text.replace('\0', "*"),
    })
}

fn exact(text: &str) -> v1::TextMatch {
    v1::TextMatch {
        kind: v1::TextMatchKind::Exact.into(),
        text: text.to_owned(),
    }
}

/// The filters: values of one key are ORed, unless one of them is any value.
fn filters(tags: &[Asked], not: &[Asked]) -> Vec<v1::TagFilter> {
    let mut filters: Vec<v1::TagFilter> = Vec::new();
    for Asked { key, value } in tags {
        let same = |filter: &&mut v1::TagFilter| {
            filter.key.as_ref().is_some_and(|known| known.text == *key) && !filter.values.is_empty()
        };
        match (filters.iter_mut().find(same), value) {
            (Some(known), Some(value)) => known.values.push(value.clone()),
            (None | Some(_), _) => filters.push(v1::TagFilter {
                key: Some(exact(key)),
                values: value.iter().cloned().collect(),
                negated: false,
            }),
        }
    }
    filters.extend(not.iter().map(|Asked { key, value }| v1::TagFilter {
        key: Some(exact(key)),
        values: value.iter().cloned().collect(),
        negated: true,
    }));
    filters
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut request = v1::ListResourcesByTagsRequest {
        principal: args.principal.clone(),
        scope: Some(args.within.scope()),
        filters: filters(&args.tags, &args.not),
        page_size: PAGE,
        page_token: String::new(),
    };
    loop {
        let asked = request.clone();
        let called = args.place.directory(async |mut client| {
            Ok(client.list_resources_by_tags(asked).await?.into_inner())
        })?;
        let answer = match called {
            Called::Answered(answer) => answer,
            Called::Failed(exit) => return Ok(exit),
        };
        for resource in answer.resources {
            print_line(&told(resource, args.show, args.output))?;
        }
        if answer.next_page_token.is_empty() {
            return Ok(Exit::Ok);
        }
        request.page_token = answer.next_page_token;
    }
}

fn told(resource: v1::TaggedResource, show: Show, form: Form) -> String {
    let v1::TaggedResource {
        arn,
        r#type,
        resource_group,
        tags,
    } = resource;
    let group = resource_group.unwrap_or_default().id;
    match (show, form) {
        (Show::Arns, Form::Text) | (_, Form::Arns) => arn,
        (Show::Arns, Form::Json) => json!({"arn": arn}).to_string(),
        (Show::All, Form::Text) => {
            let tags = tags.iter().map(|tag| format!("{}={}", tag.key, tag.value));
            let tags: Vec<String> = tags.collect();
            format!(
                "{arn}\t{type}\t{group}\t{}",
                tags.join("\t"),
                r#type = r#type
            )
        }
        (Show::All, Form::Json) => {
            let tags = tags
                .into_iter()
                .map(|tag| (tag.key, Value::String(tag.value)));
            let tags: Map<String, Value> = tags.collect();
            json!({"arn": arn, "type": r#type, "group": group, "tags": tags}).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_tell_how_values_are_compared() {
        use v1::TextMatchKind::{Exact, Infix, Prefix};
        let check = |text: &str, expected: Option<(&str, Option<(v1::TextMatchKind, &str)>)>| {
            let found = text.parse::<Asked>().ok();
            let value = |value: &v1::TextMatch| (value.kind(), value.text.clone());
            let found = found.map(|asked| (asked.key, asked.value.as_ref().map(value)));
            let expected = expected.map(|(key, value)| {
                (
                    key.to_owned(),
                    value.map(|(kind, text)| (kind, text.to_owned())),
                )
            });
            assert_eq!(found, expected, "{text}");
        };
        check("env", Some(("env", None)));
        check("env=", Some(("env", Some((Exact, "")))));
        check("env=prod", Some(("env", Some((Exact, "prod")))));
        check("env=a=b", Some(("env", Some((Exact, "a=b")))));
        check("env=prod*", Some(("env", Some((Prefix, "prod")))));
        check("env=*prod*", Some(("env", Some((Infix, "prod")))));
        check("env=*", None);
        check("env=a\\*", Some(("env", Some((Exact, "a*")))));
        check("env=a\\**", Some(("env", Some((Prefix, "a*")))));
        check("env=*prod", None);
        check("env=a*b", None);
        check("=prod", None);
        check("", None);
    }

    #[test]
    fn values_of_one_key_are_ored() {
        let asked = |texts: &[&str]| -> Vec<Asked> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let found = filters(
            &asked(&["env=a", "team=x", "env=b*"]),
            &asked(&["env=c", "env=d"]),
        );
        let found: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.key.as_ref().unwrap().text.as_str(),
                    one.values.len(),
                    one.negated,
                )
            })
            .collect();
        let expected = [
            ("env", 2, false),
            ("team", 1, false),
            ("env", 1, true),
            ("env", 1, true),
        ];
        assert_eq!(found, expected);
    }
}
