//! The resources that a request names: a route's templates with the request's values.

use super::body::Read;
use super::request::Request;
use super::{Reason, Refused, headers, json};
use crate::document::json::Node;
use crate::model::route::source::{Pointer, Source};
use crate::model::route::template::{is_rest, is_value};
use crate::model::route::{Absent, Route};
use crate::model::verdict::limits;
use crate::snapshot::route::{Captured, Matched};

/// The values of all variables of a route.
#[derive(Debug, Default)]
pub(super) struct Values<'t> {
    single: Vec<(&'t str, String)>,
    /// The variable that has several values.
    each: Option<(&'t str, Vec<String>)>,
}

impl<'t> Values<'t> {
    pub(super) fn of(
        matched: &Matched<'t, '_>,
        request: &Request<'_>,
        body: &Read<'_>,
    ) -> Result<Self, Refused<'static>> {
        let mut values = Self::default();
        for (name, captured) in &matched.variables {
            let value = match captured {
                Captured::One(value) => checked(name, value)?,
                Captured::Rest(segments) => segments.join("/"),
            };
            if !is_rest(&value) {
                return Err(invalid(name));
            }
            values.single.push((name, value));
        }
        for (name, variable) in &matched.route.variables {
            if let Source::Each(pointer) = &variable.source {
                let found = each(name, pointer, body)?;
                match (found, variable.absent) {
                    (Some(found), _) => values.each = Some((name, found)),
                    (None, Absent::Every) => values.single.push((name, "*".to_owned())),
                    (None, Absent::Refused) => return Err(missing(name)),
                }
                continue;
            }
            let value = match (
                single(name, &variable.source, request, body)?,
                variable.absent,
            ) {
                (Some(value), _) => checked(name, &value)?,
                (None, Absent::Every) => "*".to_owned(),
                (None, Absent::Refused) => return Err(missing(name)),
            };
            values.single.push((name, value));
        }
        Ok(values)
    }

    /// The ARNs of a route's resources.
    pub(super) fn resources(&self, route: &Route) -> Vec<String> {
        let mut arns = Vec::new();
        for template in &route.resources {
            let several = self.each.as_ref().filter(|(each, _)| {
                let mut names = template.variables();
                names.any(|name| name == *each)
            });
            match several {
                None => arns.extend(template.fill(|name| self.value(name))),
                Some((each, ids)) => arns.extend(ids.iter().filter_map(|id| {
                    template.fill(|name| {
                        if name == *each {
                            Some(id)
                        } else {
                            self.value(name)
                        }
                    })
                })),
            }
        }
        arns
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.single.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| &**value)
    }
}

fn single(
    name: &str,
    source: &Source,
    request: &Request<'_>,
    body: &Read<'_>,
) -> Result<Option<String>, Refused<'static>> {
    match source {
        Source::Header(header) => {
            let value = headers::one(request.attributes, header)?;
            Ok(value.map(str::to_owned))
        }
        Source::Query(parameter) => Ok(request.query_value(parameter, body)?.map(str::to_owned)),
        Source::Form(parameter) => Ok(request.form_value(parameter, body)?.map(str::to_owned)),
        Source::Json(pointer) => match at(pointer, body)? {
            None => Ok(None),
            Some(node) => element(name, node, body).map(Some),
        },
        Source::Each(_) => Ok(None),
    }
}

/// The elements of an array; `None`: it is absent.
fn each(
    name: &str,
    pointer: &Pointer,
    body: &Read<'_>,
) -> Result<Option<Vec<String>>, Refused<'static>> {
    let Some(node) = at(pointer, body)? else {
        return Ok(None);
    };
    let Node::Array(nodes) = node else {
        return Err(invalid(name));
    };
    if nodes.is_empty() || nodes.len() > limits::RESOURCES {
        let limit = limits::RESOURCES;
        let what = format!("`{pointer}` in the body has not 1 to {limit} elements");
        return Err(Refused::new(Reason::VariableInvalid, what));
    }
    let values = nodes.iter().map(|node| element(name, node, body));
    let values = values.map(|value| value.and_then(|value| checked(name, &value)));
    values.collect::<Result<_, _>>().map(Some)
}

fn at<'b>(pointer: &Pointer, body: &'b Read<'_>) -> Result<Option<&'b Node<'b>>, Refused<'static>> {
    match body {
        Read::Json(root, _) => json::at(root, pointer),
        Read::Unread | Read::Form(..) => Ok(None),
    }
}

/// A text or a whole number.
fn element(name: &str, node: &Node<'_>, body: &Read<'_>) -> Result<String, Refused<'static>> {
    match node {
        Node::String(text) => {
            body.spelling().check(text)?;
            Ok((*text).to_owned())
        }
        Node::Number(number) if number.as_u64().is_some() => Ok(number.to_string()),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Array(_) | Node::Object(_) => {
            Err(invalid(name))
        }
    }
}

fn checked(name: &str, value: &str) -> Result<String, Refused<'static>> {
    if is_value(value) {
        Ok(value.to_owned())
    } else {
        Err(invalid(name))
    }
}

fn invalid(name: &str) -> Refused<'static> {
    let what = format!("`{name}` is not 1 to 128 letters, digits and `._-`");
    Refused::new(Reason::VariableInvalid, what)
}

fn missing(name: &str) -> Refused<'static> {
    Refused::new(Reason::VariableMissing, format!("`{name}` is missing"))
}
