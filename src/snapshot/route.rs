//! Routes as a matcher: host, then path segment by segment, then method, then parameters.
//!
//! Of all routes that match a request the one with the highest precedence counts: a whole host
//! before one with an open label, and that before any host; a literal segment before a variable,
//! and that before the rest of a path; a listed method before any; more parameters before fewer.
//! No two routes of a bundle have it in common (`document::routes`).
//!
//! A search visits each node of a tree at most once, so that it is bounded by the routes and never
//! by what a request repeats.

mod tree;

use std::sync::Arc;

use hashbrown::HashMap;

use self::tree::Tree;
use crate::model::route::template::{HostPattern, PathTemplate};
use crate::model::route::{Route, Routes, Target};

/// All routes of a snapshot. Snapshots share them until a change touches them.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    routes: Arc<[Route]>,
    http: Arc<Hosts>,
    grpc: Arc<Hosts>,
}

/// Which of the two sorts of routes a request can match.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A request of HTTP.
    #[default]
    Http,
    /// A call of gRPC.
    Grpc,
}

/// A request as routes see it. Its host is in lower case and has no port.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'r, P> {
    /// What it is.
    pub protocol: Protocol,
    /// The host.
    pub host: &'r str,
    /// The segments of its path.
    pub segments: &'r [&'r str],
    /// The method.
    pub method: &'r str,
    /// Tells whether a query parameter has a value, or why that cannot be told.
    pub parameter: P,
}

/// A route that matches, and the values of its target's variables.
#[derive(Debug)]
pub struct Matched<'t, 'r> {
    /// The route.
    pub route: &'t Route,
    /// Names and values.
    pub variables: Vec<(&'t str, Captured<'r>)>,
}

/// The value of a variable of a host or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Captured<'r> {
    /// A label or a segment.
    One(&'r str),
    /// The segments of the rest.
    Rest(&'r [&'r str]),
}

#[derive(Debug, Default)]
struct Hosts {
    exact: HashMap<Box<str>, Tree>,
    /// By what is behind the open label.
    below: HashMap<Box<str>, Tree>,
    any: Tree,
}

impl RouteTable {
    /// Compiles routes of which no two have one precedence.
    pub fn new(routes: &Routes) -> Self {
        let (mut http, mut grpc) = (Hosts::default(), Hosts::default());
        for (place, route) in routes.routes.iter().enumerate() {
            match &route.target {
                Target::Http(target) => {
                    http.insert(&target.hosts, target.path.segments(), place, route);
                }
                Target::Grpc(target) => {
                    let method = target.method.as_deref().unwrap_or("{method}");
                    let path = format!("/{}/{method}", target.service);
                    // INVARIANT: names of gRPC are literal segments.
                    if let Ok(path) = PathTemplate::try_from(&*path) {
                        grpc.insert(&target.hosts, path.segments(), place, route);
                    }
                }
            }
        }
        Self {
            routes: routes.routes.as_slice().into(),
            http: Arc::new(http),
            grpc: Arc::new(grpc),
        }
    }

    /// The routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that a request matches.
    ///
    /// # Errors
    ///
    /// A parameter that decides between routes cannot be read.
    pub fn find<'t, 'r, P, E>(
        &'t self,
        sought: &Sought<'r, P>,
    ) -> Result<Option<Matched<'t, 'r>>, E>
    where
        P: Fn(&str, &str) -> Result<bool, E>,
    {
        let hosts = match sought.protocol {
            Protocol::Http => &self.http,
            Protocol::Grpc => &self.grpc,
        };
        let label = sought.host.find('.').map(|dot| sought.host.split_at(dot));
        let trees = [
            hosts.exact.get(sought.host),
            label.and_then(|(_, suffix)| hosts.below.get(suffix)),
            Some(&hosts.any),
        ];
        for tree in trees.into_iter().flatten() {
            if let Some(place) = tree.find(sought)? {
                let label = label.map(|(label, _)| label);
                return Ok(self.routes.get(place).map(|route| Matched {
                    route,
                    variables: captured(route, label, sought.segments),
                }));
            }
        }
        Ok(None)
    }
}

/// The values of the variables of a route that matches.
fn captured<'t, 'r>(
    route: &'t Route,
    label: Option<&'r str>,
    segments: &'r [&'r str],
) -> Vec<(&'t str, Captured<'r>)> {
    use crate::model::route::template::Segment;
    let mut values = Vec::new();
    let host = route.target.hosts().first().and_then(HostPattern::variable);
    if let (Some(name), Some(label)) = (host, label) {
        values.push((name, Captured::One(label)));
    }
    let Target::Http(target) = &route.target else {
        return values;
    };
    for (place, segment) in target.path.segments().iter().enumerate() {
        match segment {
            Segment::Literal(_) => {}
            Segment::Variable(name) => {
                values.extend(segments.get(place).map(|one| (&**name, Captured::One(one))));
            }
            Segment::Rest(name) => {
                let rest = segments.get(place..).unwrap_or_default();
                values.push((&**name, Captured::Rest(rest)));
            }
        }
    }
    values
}

impl Hosts {
    fn insert(
        &mut self,
        hosts: &[HostPattern],
        path: &[crate::model::route::template::Segment],
        place: usize,
        route: &Route,
    ) {
        if hosts.is_empty() {
            self.any.insert(path, place, &route.target);
        }
        for host in hosts {
            let tree = match host {
                HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
                HostPattern::Below { suffix, .. } => self.below.entry(suffix.clone()).or_default(),
            };
            tree.insert(path, place, &route.target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::routes::{MAX_ROUTES_BYTES, routes};
    use crate::document::{Source, read, shipped};

    /// Routes of these targets, each named by its place.
    fn table(targets: &[&str]) -> RouteTable {
        let listed = targets.iter().enumerate().map(|(place, target)| {
            format!(
                r#"{{"name": "{place}", {target}, "principal": "p", "action": "x:Do",
                    "resources": ["acs:x:*:1:a/1"]}}"#
            )
        });
        let listed: Vec<String> = listed.collect();
        let text = format!(
            r#"{{"principals": {{"p": {{"claim": ["sub"], "arn": "acs:ram::1:user/{{claim}}"}}}},
                "routes": [{}]}}"#,
            listed.join(",")
        );
        let read = read(Source::new(&text), MAX_ROUTES_BYTES, |at, sink| {
            routes(at, shipped::catalog(), sink)
        });
        RouteTable::new(&read.unwrap_or_else(|errors| panic!("{errors}")).value)
    }

    #[test]
    fn the_most_exact_route_counts() {
        let table = table(&[
            r#""http": {"path": "/a/{x}"}"#,
            r#""http": {"path": "/a/b"}"#,
            r#""http": {"path": "/a/{x...}"}"#,
            r#""http": {"path": "/{x}/b/c"}"#,
            r#""http": {"path": "/a/b", "methods": ["GET", "PUT"]}"#,
            r#""http": {"path": "/a/b", "methods": ["GET"], "parameters": {"q": "1"}}"#,
            r#""http": {"path": "/a/b", "methods": ["GET"], "parameters": {"q": "2"}}"#,
            r#""http": {"hosts": ["one.example"], "path": "/{x...}"}"#,
            r#""http": {"hosts": ["*.example"], "path": "/{x...}", "methods": ["GET"]}"#,
            r#""grpc": {"service": "a.B"}"#,
            r#""grpc": {"service": "a.B", "method": "C"}"#,
            r#""http": {"path": "/"}"#,
            r#""http": {"path": "/p/{x}/q/{y}"}"#,
        ]);
        let check = |protocol, host: &str, method: &str, path: &str, expected: Option<&str>| {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let rest = path.strip_prefix('/').unwrap();
            let segments: Vec<&str> = if rest.is_empty() {
                Vec::new()
            } else {
                rest.split('/').collect()
            };
            let sought = Sought {
                protocol,
                host,
                segments: &segments,
                method,
                parameter: |name: &str, value: &str| {
                    Ok::<_, ()>(query == format!("{name}={value}"))
                },
            };
            let found = table.find(&sought).unwrap();
            let found = found.map(|found| found.route.name.as_str().to_owned());
            assert_eq!(found.as_deref(), expected, "{host} {method} {path}?{query}");
        };
        let http = |method, path, expected| check(Protocol::Http, "h", method, path, expected);
        http("POST", "/a/b", Some("1"));
        http("GET", "/a/b", Some("4"));
        http("GET", "/a/b?q=1", Some("5"));
        http("GET", "/a/b?q=2", Some("6"));
        http("GET", "/a/b?q=3", Some("4"));
        http("POST", "/a/b?q=1", Some("1"));
        http("GET", "/a/c", Some("0"));
        http("GET", "/a/c/d", Some("2"));
        // The literal path has no further segment: the search goes back.
        http("GET", "/a/b/c", Some("2"));
        http("GET", "/z/b/c", Some("3"));
        http("GET", "/", Some("11"));
        http("GET", "/a", None);
        http("GET", "/p/1/q/2", Some("12"));
        http("GET", "/p/1/r/2", None);
        http("POST", "/a.B/C", None);
        let on = |host, method, expected| check(Protocol::Http, host, method, "/a/b", expected);
        on("one.example", "GET", Some("7"));
        on("two.example", "GET", Some("8"));
        on("two.example", "POST", Some("1"));
        on("a.two.example", "GET", Some("4"));
        let call = |path, expected| check(Protocol::Grpc, "h", "POST", path, expected);
        call("/a.B/C", Some("10"));
        call("/a.B/D", Some("9"));
        call("/a.C/D", None);
        call("/a/b", None);
    }
}
