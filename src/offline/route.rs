//! Cases of routes: what a request asks, beside what it should.

use std::borrow::Cow;

use serde_json::Value;

use crate::document::case::{RouteCase, RouteExpected, RouteQuestion, SentBody, SentRequest};
use crate::model::route::source::Claim;
use crate::routing::{Asked, Attributes, Body, Claimed, Claims, HeaderForm, Refused, ask};
use crate::snapshot::route::RouteTable;

/// What is wrong with the answer; `None`: it is the expected one.
pub fn complaint(case: &RouteCase) -> Option<String> {
    let routes = match &case.routes {
        Ok(routes) => routes,
        Err(errors) => return Some(format!("the routes are refused: {errors}")),
    };
    let table = RouteTable::new(routes);
    let metadata = Metadata(&case.request.metadata);
    let attributes = attributes(&case.request, &metadata);
    difference(&case.expected, ask(&table, &attributes))
}

/// How an answer differs from what is expected.
pub fn difference(
    expected: &RouteExpected,
    found: Result<Asked<'_>, Refused<'_>>,
) -> Option<String> {
    match (expected, found) {
        (RouteExpected::Refused(reason), Err(refused)) if *reason == refused.reason.as_str() => {
            None
        }
        (RouteExpected::Asked(expected), Ok(asked)) => {
            let found = written(asked);
            (found != *expected).then(|| format!("expected {expected:?}, found {found:?}"))
        }
        (RouteExpected::Refused(reason), Ok(asked)) => {
            let route = asked.route.name.as_str();
            Some(format!(
                "expected {reason}, found a question of the route `{route}`"
            ))
        }
        (RouteExpected::Refused(reason), Err(refused)) => {
            Some(format!("expected {reason}, found {refused}"))
        }
        (RouteExpected::Asked(_), Err(refused)) => {
            Some(format!("expected a question, found {refused}"))
        }
    }
}

fn written(asked: Asked<'_>) -> RouteQuestion {
    let context = asked.context.into_iter();
    // Routes have their keys in order.
    RouteQuestion {
        route: asked.route.name.as_str().to_owned(),
        principal: asked.principal,
        action: asked.route.action.to_string(),
        resources: asked.resources,
        tags: asked.tags.map(|tags| {
            let owned = |(key, value): (Cow<'_, str>, Cow<'_, str>)| (key.into(), value.into());
            tags.into_iter().map(owned).collect()
        }),
        removed_keys: asked.removed_keys,
        context: context
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect(),
    }
}

fn attributes<'r>(sent: &'r SentRequest, claims: &'r Metadata<'r>) -> Attributes<'r> {
    let headers = sent.headers.iter();
    Attributes {
        method: &sent.method,
        host: &sent.host,
        path: &sent.path,
        scheme: &sent.scheme,
        header_form: if sent.joined {
            HeaderForm::Joined
        } else {
            HeaderForm::Raw
        },
        headers: headers.map(|(name, value)| (&**name, &**value)).collect(),
        body: match &sent.body {
            SentBody::Unsent => Body::Unsent,
            SentBody::Partial => Body::Partial,
            SentBody::Replaced(text) => Body::Replaced(text),
            SentBody::Whole(bytes) => Body::Whole(bytes),
        },
        address: &sent.address,
        peer: &sent.peer,
        claims,
    }
}

/// Metadata as a case writes it.
#[derive(Debug)]
struct Metadata<'c>(&'c Value);

impl Claims for Metadata<'_> {
    fn claim(&self, claim: &Claim) -> Claimed<'_> {
        let Some(mut value) = self.0.get(&*claim.filter) else {
            return Claimed::Absent;
        };
        for name in &claim.path {
            let Some(members) = value.as_object() else {
                return Claimed::Other;
            };
            let Some(below) = members.get(&**name) else {
                return Claimed::Absent;
            };
            value = below;
        }
        match value {
            Value::String(text) => Claimed::Text(text),
            Value::Bool(flag) => Claimed::Flag(*flag),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => Claimed::Other,
        }
    }
}
