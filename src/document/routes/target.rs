//! What a route matches.

use std::collections::BTreeMap;

use super::error::RouteErrorKind;
use super::source;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::Limit;
use crate::model::route::template::{HostPattern, PathTemplate};
use crate::model::route::{GrpcTarget, HttpTarget, Target};

const HOSTS: Limit = Limit {
    what: "hosts",
    most: 64,
    code: "TOO_MANY_HOSTS",
};
const METHODS: Limit = Limit {
    what: "methods",
    most: 16,
    code: "TOO_MANY_METHODS",
};
const PARAMETERS: Limit = Limit {
    what: "parameters",
    most: 8,
    code: "TOO_MANY_PARAMETERS",
};

pub(super) fn read(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Target, Told> {
    match (members.optional("http"), members.optional("grpc")) {
        (Some(at), None) => http(&at, sink).map(Target::Http),
        (None, Some(at)) => grpc(&at, sink).map(Target::Grpc),
        (None, None) | (Some(_), Some(_)) => {
            Err(members.whole().refuse(RouteErrorKind::Target, sink))
        }
    }
}

fn http(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<HttpTarget, Told> {
    let members = at.members(&["hosts", "methods", "path", "parameters"], sink)?;
    let hosts = hosts(&members, sink);
    let methods = match members.optional("methods") {
        None => Ok(Vec::new()),
        Some(at) => at
            .some_items(METHODS, sink)
            .and_then(|items| cursor::all(items, |at| at.parse(sink, method))),
    };
    let path = members.required("path", sink).and_then(|at| {
        at.parse(sink, |text| {
            PathTemplate::try_from(text).map_err(RouteErrorKind::from)
        })
    });
    let parameters = match members.optional("parameters") {
        None => Ok(BTreeMap::new()),
        Some(at) => parameters(&at, sink),
    };
    Ok(HttpTarget {
        hosts: hosts?,
        methods: methods?,
        path: path?,
        parameters: parameters?,
    })
}

fn grpc(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<GrpcTarget, Told> {
    let members = at.members(&["hosts", "service", "method"], sink)?;
    let hosts = hosts(&members, sink);
    let service = members.required("service", sink).and_then(|at| {
        at.parse(sink, |text| {
            let is_service = text.split('.').all(is_name);
            is_service
                .then(|| text.into())
                .ok_or(RouteErrorKind::GrpcName)
        })
    });
    let method = members.optional("method").map(|at| {
        at.parse(sink, |text| {
            is_name(text)
                .then(|| text.into())
                .ok_or(RouteErrorKind::GrpcName)
        })
    });
    Ok(GrpcTarget {
        hosts: hosts?,
        service: service?,
        method: method.transpose()?,
    })
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn hosts(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<HostPattern>, Told> {
    let Some(at) = members.optional("hosts") else {
        return Ok(Vec::new());
    };
    cursor::all(at.some_items(HOSTS, sink)?, |at| {
        at.parse(sink, |text| {
            HostPattern::try_from(text).map_err(RouteErrorKind::from)
        })
    })
}

fn method(text: &str) -> Result<Box<str>, RouteErrorKind> {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    if (1..=32).contains(&text.len()) && text.bytes().all(is_letter) {
        Ok(text.into())
    } else {
        Err(RouteErrorKind::Method)
    }
}

fn parameters(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<Box<str>, Box<str>>, Told> {
    let entries = at.entries(sink)?;
    at.check_count(entries.len(), PARAMETERS, sink)?;
    let read = cursor::all(entries, |(name, at)| {
        let name = source::parameter_name(name).map_err(|kind| at.refuse_key(kind, sink));
        let value = at.text(sink);
        Ok((name?, Box::from(value?)))
    });
    Ok(read?.into_iter().collect())
}
