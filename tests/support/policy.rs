//! Reads a RAM document from JSON, as little as the cases need; `None`: the document is refused.

use ipnet::IpNet;
use serde_json::Value;
use tagwarden::model::arn::AccountId;
use tagwarden::model::condition::{
    Comparison, Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test, parse_bool,
    parse_date,
};
use tagwarden::model::decimal::Decimal;
use tagwarden::model::pattern::{ActionPattern, Pattern, ResourcePattern};
use tagwarden::model::settings::{NotResource, Operators, Settings};
use tagwarden::model::statement::{
    Actions, Effect, IdentityPattern, Policy, PrincipalPattern, Principals, Resources, Statement,
};

use super::case::texts;

/// The longest value of a condition.
const LONGEST: usize = 2_048;

pub(crate) fn read_policy(document: &Value, layer: &str, settings: &Settings) -> Option<Policy> {
    let names_principals = matches!(layer, "resource" | "trust");
    let statements = document.get("Statement")?.as_array()?;
    let read = |statement: &Value| read_statement(statement, names_principals, settings);
    let statements = statements.iter().map(read).collect::<Option<Vec<_>>>()?;
    Some(Policy { statements })
}

fn read_statement(value: &Value, names_principals: bool, settings: &Settings) -> Option<Statement> {
    let actions = |member: &str| -> Option<Vec<ActionPattern>> {
        let texts = texts(value.get(member)?);
        texts
            .iter()
            .map(|text| ActionPattern::parse(text).ok())
            .collect()
    };
    let principals = match (value.get("Principal"), names_principals) {
        (Some(principal), true) => Some(read_principals(principal)?),
        (None, false) => None,
        (Some(_), false) | (None, true) => return None,
    };
    Some(Statement {
        sid: None,
        effect: match value.get("Effect")?.as_str()? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return None,
        },
        actions: match value.get("NotAction") {
            Some(_) => Actions::AllBut(actions("NotAction")?),
            None => Actions::Only(actions("Action")?),
        },
        resources: read_resources(value, names_principals, settings)?,
        principals,
        conditions: read_conditions(value.get("Condition"), settings)?,
    })
}

fn read_resources(value: &Value, may_lack: bool, settings: &Settings) -> Option<Resources> {
    let patterns = |value: &Value| -> Option<Vec<ResourcePattern>> {
        let read = |text: &String| {
            ResourcePattern::parse(text, |service, region| service == "odps" || region == "*").ok()
        };
        texts(value).iter().map(read).collect()
    };
    match (value.get("Resource"), value.get("NotResource")) {
        (Some(value), None) => Some(Resources::Only(patterns(value)?)),
        (None, Some(value)) if settings.not_resource == NotResource::Aws => {
            Some(Resources::AllBut(patterns(value)?))
        }
        (None, None) if may_lack => Some(Resources::Attached),
        (_, _) => None,
    }
}

fn read_principals(value: &Value) -> Option<Principals> {
    let Value::Object(entries) = value else {
        let entries = texts(value);
        if entries == ["*"] {
            return Some(Principals::Everybody);
        }
        return Some(Principals::Any(
            entries.into_iter().map(PrincipalPattern::Id).collect(),
        ));
    };
    let mut found = Vec::new();
    for (kind, values) in entries {
        for text in texts(values) {
            found.push(match kind.as_str() {
                "RAM" => read_identity(&text),
                "Service" => PrincipalPattern::Service(text),
                "Federated" => PrincipalPattern::Federated(text),
                _ => return None,
            });
        }
    }
    Some(Principals::Any(found))
}

fn read_identity(text: &str) -> PrincipalPattern {
    let account = text
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.strip_suffix(":root"));
    if let Some(account) = account.and_then(|account| AccountId::try_from(account).ok()) {
        return PrincipalPattern::Account(account);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return PrincipalPattern::Id(text.to_owned());
    }
    let text = text.replacen(":assumed-role/", ":role/", 1);
    PrincipalPattern::Identity(IdentityPattern {
        open: text.ends_with('*'),
        prefix: text.strip_suffix('*').unwrap_or(&text).to_owned(),
    })
}

fn read_conditions(value: Option<&Value>, settings: &Settings) -> Option<Vec<Condition>> {
    let Some(block) = value else {
        return Some(Vec::new());
    };
    let mut found = Vec::new();
    for (operator, keys) in block.as_object()? {
        for (key, values) in keys.as_object()? {
            found.push(read_condition(operator, key, &texts(values), settings)?);
        }
    }
    Some(found)
}

fn read_condition(
    operator: &str,
    key: &str,
    values: &[String],
    settings: &Settings,
) -> Option<Condition> {
    let (quantifier, rest) = match operator.split_once(':') {
        Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
        Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
        Some(_) => return None,
        None => (Quantifier::Single, operator),
    };
    let (name, if_exists) = match rest.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let extended = quantifier != Quantifier::Single || if_exists || name == "Null";
    if extended && settings.operators == Operators::Documented {
        return None;
    }
    Some(Condition {
        key: read_key(key)?,
        quantifier,
        if_exists,
        test: read_test(name, values)?,
    })
}

fn read_test(name: &str, values: &[String]) -> Option<Test> {
    let comparison = |name: &str| {
        Some(match name {
            "Equals" => Comparison::Equals,
            "NotEquals" => Comparison::NotEquals,
            "LessThan" => Comparison::LessThan,
            "LessThanEquals" => Comparison::LessThanEquals,
            "GreaterThan" => Comparison::GreaterThan,
            "GreaterThanEquals" => Comparison::GreaterThanEquals,
            _ => return None,
        })
    };
    let negated = name.contains("Not");
    let operands = values.to_vec();
    Some(match name {
        "StringEquals" | "StringNotEquals" => Test::Equals { negated, operands },
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            Test::EqualsIgnoreCase { negated, operands }
        }
        "StringLike" | "StringNotLike" => Test::Like {
            negated,
            operands: read_all(values, |text| Pattern::parse(text, LONGEST).ok())?,
        },
        "Bool" => Test::Bool {
            operands: read_all(values, parse_bool)?,
        },
        "IpAddress" | "NotIpAddress" => Test::Ip {
            negated,
            operands: read_all(values, network)?,
        },
        "Null" => Test::Null {
            absent: parse_bool(values.first()?)?,
        },
        _ => {
            if let Some(order) = name.strip_prefix("Numeric") {
                let operands = read_all(values, |text| Decimal::parse(text).ok())?;
                Test::Numeric {
                    comparison: comparison(order)?,
                    operands,
                }
            } else {
                let order = name.strip_prefix("Date")?;
                let operands = read_all(values, parse_date)?;
                Test::Date {
                    comparison: comparison(order)?,
                    operands,
                }
            }
        }
    })
}

fn read_all<T>(values: &[String], read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    values.iter().map(|text| read(text)).collect()
}

fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
    }
}

fn read_key(key: &str) -> Option<ConditionKey> {
    if let Some((left, tag)) = key.split_once('/') {
        let left = left.to_ascii_lowercase();
        let (service, name) = left.split_once(':')?;
        let family = match (service, name) {
            (_, "resourcetag") | ("oss", "buckettag" | "existingobjecttag") => TagFamily::Resource,
            (_, "requesttag") | ("oss", "requestobjecttag") => TagFamily::Request,
            (_, "tag") if service != "acs" => TagFamily::Either,
            _ => return None,
        };
        return (!tag.is_empty()).then(|| {
            ConditionKey::Tag(TagConditionKey {
                family,
                service: (service != "acs").then(|| service.into()),
                key: tag.into(),
            })
        });
    }
    let lower = key.to_ascii_lowercase();
    Some(match lower.as_str() {
        "acs:currenttime" => ConditionKey::CurrentTime,
        "acs:sourceip" => ConditionKey::SourceIp,
        "acs:securetransport" => ConditionKey::SecureTransport,
        "acs:mfapresent" => ConditionKey::MfaPresent,
        "acs:principalarn" => ConditionKey::PrincipalArn,
        "acs:resourcegroupid" => ConditionKey::ResourceGroupId,
        "action" => ConditionKey::Action,
        "resource" => ConditionKey::Resource,
        known if tagwarden::model::condition::CONTEXT_KEYS.contains(&known) => {
            ConditionKey::Context(known.into())
        }
        other if other.starts_with("acs:") || !other.contains(':') => return None,
        other => ConditionKey::Context(other.into()),
    })
}
