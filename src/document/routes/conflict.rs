//! Two routes that match one request with equal precedence: it would be open which one counts.
//!
//! A more exact host stands before another, then a more exact path, segment by segment, then a
//! listed method before any method, then more parameters before fewer.

use std::collections::{BTreeMap, BTreeSet};

use super::error::RouteErrorKind;
use crate::document::bundle::entry::Placed;
use crate::document::cursor::{Sink, Told};
use crate::document::error::Excerpt;
use crate::model::route::{Route, Target};

/// Refuses every route that has its precedence in common with an earlier one, or its name.
pub(super) fn check(routes: &[Placed<Route>], sink: &mut Sink<'_>) -> Result<(), Told> {
    let mut names = BTreeSet::new();
    let mut shapes: BTreeMap<(String, String), Vec<&Route>> = BTreeMap::new();
    let mut told = None;
    for Placed { value: route, spot } in routes {
        if !names.insert(&route.name) {
            let name = Excerpt::from(route.name.as_str());
            told = Some(sink.refuse(spot, RouteErrorKind::Duplicate { name }));
        }
        let mut other = None;
        for host in hosts(&route.target) {
            let alike = shapes.entry((host, path(&route.target))).or_default();
            let found = alike.iter().find(|one| overlap(&one.target, &route.target));
            other = other.or(found.copied());
            alike.push(route);
        }
        if let Some(other) = other {
            let other = Excerpt::from(other.name.as_str());
            told = Some(sink.refuse(spot, RouteErrorKind::Conflict { other }));
        }
    }
    told.map_or(Ok(()), Err)
}

/// The hosts without the names of variables, each once.
fn hosts(target: &Target) -> Vec<String> {
    let hosts = target.hosts();
    if hosts.is_empty() {
        return vec!["*".to_owned()];
    }
    let mut hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// The path without the names of variables.
fn path(target: &Target) -> String {
    match target {
        Target::Http(target) => format!("http {}", target.path),
        Target::Grpc(target) => {
            let method = target.method.as_deref().unwrap_or("{}");
            format!("grpc /{}/{method}", target.service)
        }
    }
}

/// Whether some request is of both, and neither stands before the other. Host and path are alike.
fn overlap(one: &Target, other: &Target) -> bool {
    let (Target::Http(one), Target::Http(other)) = (one, other) else {
        return true;
    };
    let methods = match (one.methods.is_empty(), other.methods.is_empty()) {
        (true, true) => true,
        (false, false) => {
            let mut methods = one.methods.iter();
            methods.any(|method| other.methods.contains(method))
        }
        (true, false) | (false, true) => false,
    };
    let mut parameters = one.parameters.iter();
    let differ = parameters.any(|(name, value)| {
        let others = other.parameters.get(name);
        others.is_some_and(|others| others != value)
    });
    methods && one.parameters.len() == other.parameters.len() && !differ
}
