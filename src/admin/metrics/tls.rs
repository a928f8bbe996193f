//! Metrics of TLS: handshakes, certificates, and files that were not taken.

use std::fmt;
use std::sync::Arc;

use prometheus_client::registry::Unit;

use super::{Writer, age};
use crate::telemetry::{Handshake, name};
use crate::tls::Endpoint;
use crate::tls::pair::Expiry;

/// Writes those of all endpoints; nothing, where there is no TLS.
pub(super) fn encode(endpoints: &[Arc<Endpoint>], writer: &mut Writer<'_>) -> fmt::Result {
    if endpoints.is_empty() {
        return Ok(());
    }
    handshakes(endpoints, writer)?;
    certificates(endpoints, writer)?;
    files(endpoints, writer)
}

fn handshakes(endpoints: &[Arc<Endpoint>], writer: &mut Writer<'_>) -> fmt::Result {
    let mut counts = Vec::new();
    for endpoint in endpoints {
        for outcome in Handshake::ALL {
            let labels = vec![
                ("listeners", endpoint.place().as_str()),
                ("outcome", outcome.as_str()),
            ];
            counts.push((labels, endpoint.handshakes().counted(outcome)));
        }
    }
    let help = "TLS handshakes by what came of them";
    writer.counters(name::TLS_HANDSHAKES, help, &counts)
}

fn certificates(endpoints: &[Arc<Endpoint>], writer: &mut Writer<'_>) -> fmt::Result {
    let mut told = Vec::new();
    for endpoint in endpoints {
        let place = endpoint.place().as_str();
        for expiry in &endpoint.certificates().expiries {
            let Expiry {
                part,
                place: number,
                not_after,
            } = expiry;
            told.push((
                place,
                part.as_str(),
                number.to_string(),
                not_after.as_second(),
            ));
        }
    }
    let values: Vec<_> = told
        .iter()
        .map(|(place, part, number, second)| {
            let labels = vec![
                ("listeners", *place),
                ("part", *part),
                ("number", number.as_str()),
            ];
            (labels, *second)
        })
        .collect();
    let help = "The last instant of each certificate in force";
    writer.gauges(name::TLS_NOT_AFTER, help, Some(&Unit::Seconds), &values)
}

fn files(endpoints: &[Arc<Endpoint>], writer: &mut Writer<'_>) -> fmt::Result {
    let (mut changes, mut stale) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        for (what, refused, counted) in endpoint.kept() {
            let labels = vec![("listeners", endpoint.place().as_str()), ("what", what)];
            let with = |outcome| {
                let mut labels = labels.clone();
                labels.push(("outcome", outcome));
                labels
            };
            changes.push((with("published"), counted.published));
            changes.push((with("refused"), counted.refused));
            stale.push((labels, refused.map_or(0.0, |refused| age(refused.since))));
        }
    }
    let help = "Changed files of certificates and tokens by what came of them";
    writer.counters(name::TLS_RELOADS, help, &changes)?;
    let help = "For how long newer certificates or tokens have been refused";
    writer.gauges(name::TLS_STALE, help, Some(&Unit::Seconds), &stale)
}
