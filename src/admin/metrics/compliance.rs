//! How the tags of all resources comply, by key and type.

use std::fmt;

use super::Writer;
use crate::model::compliance::KeyOutcome;
use crate::telemetry::{Compliance, name};
use prometheus_client::registry::Unit;

/// The label `type` of all that is beyond the limit; no type is named so, for each has a colon.
const OTHER: &str = "other";

pub(super) fn encode(compliance: &Compliance, writer: &mut Writer<'_>) -> fmt::Result {
    let (counts, stale) = compliance.read();
    let mut values = Vec::new();
    for counted in counts.iter() {
        let (key, kind) = counted.pair.unwrap_or(("", OTHER));
        for outcome in KeyOutcome::ALL {
            let labels = vec![("key", key), ("type", kind), ("outcome", outcome.as_str())];
            let count = i64::try_from(counted.of(outcome)).unwrap_or(i64::MAX);
            values.push((labels, count));
        }
    }
    let help = "Resources by what their tags come to for a key that tag policies ask for";
    writer.gauges(name::TAG_COMPLIANCE, help, None, &values)?;
    let help = "For how long the compliance of tags has not been counted";
    let stale = stale.as_secs_f64();
    writer.gauge(
        name::TAG_COMPLIANCE_STALE,
        help,
        Some(&Unit::Seconds),
        &stale,
    )
}
