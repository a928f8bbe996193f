//! What is in force and what is wrong, as messages of the management channel.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::change::applied_outcome;
use super::reply::revision;
use super::v1;
use crate::document::bundle::FileErrors;
use crate::document::finding::{Finding, Severity};
use crate::document::position::Position;
use crate::management::load::LoadError;
use crate::management::{AccountState, Applied, Counts, Live, Refusal, RefusedAccount, Status};

impl From<&Finding> for v1::Finding {
    fn from(found: &Finding) -> Self {
        let severity = match found.severity {
            Severity::Error => v1::Severity::Error,
            Severity::Warning => v1::Severity::Warning,
        };
        let (pointer, line, column) = match &found.at {
            Some(at) => (at.pointer.clone(), count(at.line), count(at.column)),
            None => (String::new(), 0, 0),
        };
        Self {
            severity: severity.into(),
            file: found.file.clone(),
            pointer,
            line,
            column,
            code: found.code.clone().into_owned(),
            message: found.message.clone(),
        }
    }
}

impl From<v1::Finding> for Finding {
    /// A severity that is not known counts as an error.
    fn from(found: v1::Finding) -> Self {
        let severity = match found.severity() {
            v1::Severity::Warning => Severity::Warning,
            v1::Severity::Error | v1::Severity::Unspecified => Severity::Error,
        };
        let v1::Finding {
            severity: _,
            file,
            pointer,
            line,
            column,
            code,
            message,
        } = found;
        let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let at = (line > 0).then(|| Position {
            pointer,
            line: place(line),
            column: place(column),
        });
        Self {
            severity,
            file,
            at,
            code: code.into(),
            message,
        }
    }
}

/// The answer to a bundle that was only checked.
pub fn checked(
    checked: Result<Applied, LoadError>,
    live: Option<&Live>,
) -> v1::ApplyBundleResponse {
    let (outcome, revision, findings) = match checked {
        Ok(applied) => (
            applied_outcome(applied.outcome),
            applied.revision,
            applied.warnings,
        ),
        Err(error) => (
            v1::ApplyOutcome::Refused,
            live.map(|live| live.revision),
            error.findings(),
        ),
    };
    v1::ApplyBundleResponse {
        outcome: outcome.into(),
        revision: revision.as_ref().map(self::revision),
        findings: findings.iter().map(v1::Finding::from).collect(),
        changed: 0,
    }
}

/// What is in force at an instant.
pub fn info(status: &Status, now: Timestamp) -> v1::GetSnapshotInfoResponse {
    let Status {
        live,
        refusal,
        stale_since,
    } = status;
    v1::GetSnapshotInfoResponse {
        snapshot: live.as_ref().map(|live| snapshot(live, now)),
        refusal: refusal.as_ref().map(|refusal| {
            let Refusal { seen, errors } = refusal;
            v1::BundleRefusal {
                seen: Some(timestamp(*seen)),
                errors: errors.iter().map(v1::Finding::from).collect(),
            }
        }),
        stale_since: stale_since.map(timestamp),
        expires: status.expires().map(timestamp),
    }
}

fn snapshot(live: &Live, now: Timestamp) -> v1::SnapshotInfo {
    let Live {
        revision: number,
        activated,
        counts,
        max_staleness,
        refused_accounts,
    } = live;
    let Counts {
        accounts,
        principals,
        policies,
        resources,
    } = *counts;
    v1::SnapshotInfo {
        revision: Some(revision(number)),
        activated: Some(timestamp(*activated)),
        age: duration(now.duration_since(*activated)),
        accounts: count(accounts),
        principals: count(principals),
        policies: count(policies),
        resources: count(resources),
        stale_accounts: refused_accounts
            .iter()
            .map(|one| stale(one, live))
            .collect(),
        max_staleness: max_staleness.and_then(duration),
    }
}

/// How long something takes; a clock that was set back makes nothing negative.
fn duration(duration: SignedDuration) -> Option<prost_types::Duration> {
    let duration = Duration::try_from(duration).unwrap_or_default();
    prost_types::Duration::try_from(duration).ok()
}

fn stale(one: &RefusedAccount, live: &Live) -> v1::StaleAccount {
    let expires = live.expires_for(one).map(timestamp);
    let RefusedAccount {
        account,
        state,
        since,
        errors,
    } = one;
    let state = match state {
        AccountState::LastGood => v1::StaleAccountState::LastGood,
        AccountState::Quarantined => v1::StaleAccountState::Quarantined,
    };
    v1::StaleAccount {
        account: account.to_string(),
        state: state.into(),
        errors: findings(errors),
        since: Some(timestamp(*since)),
        expires,
    }
}

fn findings(errors: &FileErrors) -> Vec<v1::Finding> {
    let found = Finding::errors(errors);
    found.iter().map(v1::Finding::from).collect()
}

pub(super) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.as_second(),
        nanos: instant.subsec_nanosecond(),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
