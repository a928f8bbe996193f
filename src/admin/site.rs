//! What is answered over HTTP: probes and metrics, to listed hosts.

use std::net::IpAddr;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use jiff::Timestamp;

use super::State;
use super::metrics::registry;
use super::probe::readiness;

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is served.
pub(super) struct Site {
    pub(super) state: State,
    /// The host names that requests may name, beside the machine's own.
    pub(super) hosts: Vec<String>,
}

type Answer = Response<Full<Bytes>>;

impl Site {
    /// Answers a request that came to an address of this machine.
    pub(super) fn answer(&self, request: &Request<Incoming>, own: Option<IpAddr>) -> Answer {
        let Some(host) = host(request) else {
            return text(StatusCode::BAD_REQUEST, "one Host is needed\n");
        };
        // security 1.3: "HTTP listeners refuse an unlisted `Host`".
        if !self.is_listed(host, own) {
            return text(StatusCode::MISDIRECTED_REQUEST, "this host is not listed\n");
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            let allowed = header::HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(header::ALLOW, allowed);
            return answer;
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "live\n"),
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(),
            _ => text(StatusCode::NOT_FOUND, "/livez, /readyz or /metrics\n"),
        }
    }

    fn is_listed(&self, host: &str, own: Option<IpAddr>) -> bool {
        let name = without_port(host);
        let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        name.eq_ignore_ascii_case("localhost")
            || address.is_some_and(|address| address.is_loopback() || Some(address) == own)
            || self
                .hosts
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(name))
    }

    fn ready(&self) -> Answer {
        let status = self.state.sources.status.borrow().clone();
        let draining = self.state.draining.is_cancelled();
        let endpoints = &self.state.sources.endpoints;
        match readiness(&status, endpoints, draining, Timestamp::now()) {
            Ok(said) => text(StatusCode::OK, said),
            Err(said) => text(StatusCode::SERVICE_UNAVAILABLE, said),
        }
    }

    fn metrics(&self) -> Answer {
        let mut written = String::new();
        let registry = registry(&self.state.sources);
        match prometheus_client::encoding::text::encode(&mut written, &registry) {
            Ok(()) => answer(StatusCode::OK, OPEN_METRICS, written),
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "metrics cannot be written\n",
            ),
        }
    }
}

/// The host that a request names: once, in its target or its header.
fn host(request: &Request<Incoming>) -> Option<&str> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let header = first.and_then(|host| host.to_str().ok());
    match (request.uri().authority(), second) {
        (_, Some(_)) => None,
        (Some(authority), None) => Some(authority.as_str()),
        (None, None) => header,
    }
}

/// `[::1]:4771` is `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bare_v6 = name.contains(':') && !name.ends_with(']');
            if bare_v6 { host } else { name }
        }
        _ => host,
    }
}

fn text(status: StatusCode, said: impl Into<String>) -> Answer {
    answer(status, TEXT, said.into())
}

fn answer(status: StatusCode, kind: &'static str, said: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(said)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_part_of_a_name() {
        for (host, name) in [
            ("localhost:4771", "localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:4771", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
