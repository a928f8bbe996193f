//! What is answered over HTTP: probes and metrics, to listed hosts.

use std::net::IpAddr;

use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;

use super::State;
use super::metrics::registry;
use super::probe::readiness;
use crate::service::web::host::{self, WrongHost};
use crate::service::web::{Answer, Ends, Site, answer};

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is served.
pub(super) struct Probes {
    pub(super) state: State,
    /// The host names that requests may name, beside the machine's own.
    pub(super) hosts: Vec<String>,
}

impl Site for Probes {
    async fn answer(&self, request: Request<Incoming>, ends: Ends) -> Answer {
        self.tell(&request, ends.own)
    }
}

impl Probes {
    /// Answers a request that came to an address of this machine.
    fn tell(&self, request: &Request<Incoming>, own: Option<IpAddr>) -> Answer {
        if let Err(wrong) = host::check(request, own, &self.hosts) {
            let status = match wrong {
                WrongHost::NotOne => StatusCode::BAD_REQUEST,
                WrongHost::NotListed => StatusCode::MISDIRECTED_REQUEST,
            };
            return text(status, format!("{wrong}\n"));
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

    fn ready(&self) -> Answer {
        let status = self.state.sources.status.borrow().clone();
        let draining = self.state.draining.is_cancelled();
        let endpoints = &self.state.sources.endpoints;
        let (status, mut said) = match readiness(&status, endpoints, draining, Timestamp::now()) {
            Ok(said) => (StatusCode::OK, said),
            Err(said) => (StatusCode::SERVICE_UNAVAILABLE, said),
        };
        // Decisions go on with what is durable.
        if self.state.sources.writes.is_failing() {
            said.push_str("the directory cannot be written\n");
        }
        text(status, said)
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

fn text(status: StatusCode, said: impl Into<String>) -> Answer {
    answer(status, TEXT, said.into())
}
