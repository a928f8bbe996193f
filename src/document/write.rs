//! The other direction: a policy as a native RAM document, for exports and for sessions.
//!
//! Reading what is written gives a policy of the same meaning, with its conditions in the order of
//! their operators and keys. Keys and actions are written in the form in
//! which they are kept: without regard to the case they were read in.

use serde_json::{Map, Value, json};

use crate::model::condition::{
    Comparison, Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test,
};
use crate::model::pattern::{AccountPattern, ActionPattern, Pattern, ResourcePattern};
use crate::model::statement::{
    Actions, Effect, Policy, PrincipalPattern, Principals, Resources, Statement,
};

/// A policy as a document.
pub fn write_policy(policy: &Policy) -> Value {
    let statements: Vec<Value> = policy.statements.iter().map(statement).collect();
    json!({"Version": "1", "Statement": statements})
}

fn statement(statement: &Statement) -> Value {
    let Statement {
        sid,
        effect,
        actions,
        resources,
        principals,
        conditions,
    } = statement;
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(sid) = sid {
        put("Sid", json!(sid));
    }
    put(
        "Effect",
        json!(match effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }),
    );
    match actions {
        Actions::Only(patterns) => put("Action", list(patterns, action)),
        Actions::AllBut(patterns) => put("NotAction", list(patterns, action)),
    };
    match resources {
        Resources::Only(patterns) => put("Resource", list(patterns, resource)),
        Resources::AllBut(patterns) => put("NotResource", list(patterns, resource)),
        Resources::Attached => None,
    };
    if let Some(principals) = principals {
        put("Principal", self::principals(principals));
    }
    if !conditions.is_empty() {
        put("Condition", self::conditions(conditions));
    }
    Value::Object(members)
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> Value {
    items.iter().map(write).collect()
}

fn action(pattern: &ActionPattern) -> String {
    match pattern {
        ActionPattern::All => "*".to_owned(),
        ActionPattern::Named { service, name } => format!("{}:{}", service.as_str(), name.as_str()),
    }
}

fn resource(pattern: &ResourcePattern) -> String {
    let ResourcePattern::Arn {
        service,
        region,
        account,
        id,
    } = pattern
    else {
        return "*".to_owned();
    };
    let account = match account {
        AccountPattern::Field(field) => format!("{}:", field.as_str()),
        AccountPattern::Missing => String::new(),
    };
    let (service, region, id) = (service.as_str(), region.as_str(), id.as_str());
    format!("acs:{service}:{region}:{account}{id}")
}

fn principals(principals: &Principals) -> Value {
    let Principals::Any(patterns) = principals else {
        return json!(["*"]);
    };
    let mut families: Map<String, Value> = Map::new();
    let mut ids = Vec::new();
    for pattern in patterns {
        let (family, text) = match pattern {
            PrincipalPattern::Id(id) => {
                ids.push(json!(id));
                continue;
            }
            PrincipalPattern::Account(account) => ("RAM", format!("acs:ram::{account}:root")),
            PrincipalPattern::Identity(identity) => {
                let end = if identity.open { "*" } else { "" };
                ("RAM", format!("{}{end}", identity.prefix))
            }
            PrincipalPattern::Service(name) => ("Service", name.clone()),
            PrincipalPattern::Federated(arn) => ("Federated", arn.clone()),
        };
        let entries = families.entry(family).or_insert_with(|| json!([]));
        if let Value::Array(entries) = entries {
            entries.push(json!(text));
        }
    }
    // A document names either ids or families.
    if ids.is_empty() {
        Value::Object(families)
    } else {
        Value::Array(ids)
    }
}

fn conditions(conditions: &[Condition]) -> Value {
    let mut block = Map::new();
    for condition in conditions {
        let (name, operands) = test(&condition.test);
        let operator = format!("{}{name}{}", prefix(condition), suffix(condition));
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        if let Value::Object(keys) = keys {
            keys.insert(key(&condition.key), operands);
        }
    }
    Value::Object(block)
}

fn prefix(condition: &Condition) -> &'static str {
    match condition.quantifier {
        Quantifier::Single => "",
        Quantifier::ForAnyValue => "ForAnyValue:",
        Quantifier::ForAllValues => "ForAllValues:",
    }
}

fn suffix(condition: &Condition) -> &'static str {
    if condition.if_exists { "IfExists" } else { "" }
}

fn key(key: &ConditionKey) -> String {
    let fixed = match key {
        ConditionKey::CurrentTime => "acs:CurrentTime",
        ConditionKey::SourceIp => "acs:SourceIp",
        ConditionKey::SecureTransport => "acs:SecureTransport",
        ConditionKey::MfaPresent => "acs:MFAPresent",
        ConditionKey::PrincipalArn => "acs:PrincipalARN",
        ConditionKey::ResourceGroupId => "acs:ResourceGroupId",
        ConditionKey::Action => "Action",
        ConditionKey::Resource => "Resource",
        ConditionKey::Context(name) => name,
        ConditionKey::Tag(TagConditionKey {
            family,
            service,
            key,
        }) => {
            let service = service.as_deref().unwrap_or("acs");
            let family = match family {
                TagFamily::Resource => "ResourceTag",
                TagFamily::Request => "RequestTag",
                TagFamily::Either => "tag",
            };
            return format!("{service}:{family}/{key}");
        }
    };
    fixed.to_owned()
}

fn test(test: &Test) -> (String, Value) {
    let not = |negated: &bool| if *negated { "Not" } else { "" };
    match test {
        Test::Equals { negated, operands } => {
            (format!("String{}Equals", not(negated)), json!(operands))
        }
        Test::EqualsIgnoreCase { negated, operands } => (
            format!("String{}EqualsIgnoreCase", not(negated)),
            json!(operands),
        ),
        Test::Like { negated, operands } => {
            let texts = list(operands, |operand: &Pattern| operand.as_str().to_owned());
            (format!("String{}Like", not(negated)), texts)
        }
        Test::Numeric {
            comparison,
            operands,
        } => (
            format!("Numeric{}", order(*comparison)),
            list(operands, ToString::to_string),
        ),
        Test::Date {
            comparison,
            operands,
        } => (
            format!("Date{}", order(*comparison)),
            list(operands, ToString::to_string),
        ),
        Test::Bool { operands } => ("Bool".to_owned(), list(operands, ToString::to_string)),
        Test::Ip { negated, operands } => (
            format!("{}IpAddress", not(negated)),
            list(operands, ToString::to_string),
        ),
        Test::Null { absent } => ("Null".to_owned(), json!(absent.to_string())),
    }
}

fn order(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equals => "Equals",
        Comparison::NotEquals => "NotEquals",
        Comparison::LessThan => "LessThan",
        Comparison::LessThanEquals => "LessThanEquals",
        Comparison::GreaterThan => "GreaterThan",
        Comparison::GreaterThanEquals => "GreaterThanEquals",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::policy::{PolicyOptions, read_policy};
    use crate::model::catalog::Catalog;
    use crate::model::settings::Settings;
    use crate::model::statement::DocumentLayer;

    #[test]
    fn reading_what_is_written_gives_the_same_meaning() {
        let text = r#"{"Version": "1", "Statement": [
            {"Sid": "a", "Effect": "Deny", "Principal": ["1"], "NotAction": ["ecs:Describe*", "*:List*"], "Resource":
             ["acs:ecs:*:123:instance/i-*", "*"], "Condition": {
              "StringNotLikeIfExists": {"acs:ResourceTag/env": ["a*", "b?"], "rds:tag/x": "y"},
              "ForAnyValue:NumericLessThan": {"oss:MaxKeys": ["-1.50", 7]},
              "DateGreaterThan": {"acs:CurrentTime": "2026-01-01T00:00:00+08:00"},
              "NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]},
              "Bool": {"acs:MFAPresent": "true"}, "Null": {"acs:RequestTag/env": "false"}}},
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"RAM":
             ["acs:ram::1:root", "acs:ram::1:role/ops*"], "Service": ["ecs.aliyuncs.com"]}}]}"#;
        let (settings, catalog) = (Settings::default(), Catalog::default());
        let options = PolicyOptions {
            layer: DocumentLayer::Resource,
            settings: &settings,
            catalog: &catalog,
        };
        let policy = read_policy(text, &options).unwrap().value;
        let written = write_policy(&policy);
        let again = read_policy(&written.to_string(), &options).unwrap().value;
        assert_eq!(write_policy(&again), written);
        for (again, first) in again.statements.iter().zip(&policy.statements) {
            let has = |condition| again.conditions.contains(condition);
            assert!(first.conditions.iter().all(has), "{again:?}");
            assert_eq!(again.conditions.len(), first.conditions.len());
        }
    }
}
