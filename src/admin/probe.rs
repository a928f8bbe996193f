//! Whether the server is ready, and what is stale: the bodies of probes.
//!
//! Errors are told by place and code. Their texts quote documents, and are told on the management
//! channel and in the log.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use crate::document::counted::counted;
use crate::document::finding::Finding;
use crate::management::{AccountState, Live, RefusedAccount, Status};
use crate::tls::pair::Expiry;
use crate::tls::{Endpoint, RefusedFiles};

/// How many errors of one bundle or account are told.
const ERRORS: usize = 5;

/// What `/readyz` says at an instant: an error if the server is not ready.
///
/// What to do about a stale bundle is the operator's choice: it is told, and makes the server
/// unready only once `on_stale` = `deny` lets nothing be decided any more.
pub(super) fn readiness(
    status: &Status,
    endpoints: &[Arc<Endpoint>],
    draining: bool,
    now: Timestamp,
) -> Result<String, String> {
    let mut said = String::new();
    let ready = match &status.live {
        _ if draining => {
            line(&mut said, format_args!("not ready: draining"));
            false
        }
        None => {
            line(
                &mut said,
                format_args!("not ready: no policies are loaded yet"),
            );
            false
        }
        Some(_) if status.standing().is_expired(now) => {
            let why = "stale for longer than `max_staleness`";
            line(&mut said, format_args!("not ready: {why}"));
            false
        }
        Some(live) => {
            let number = live.revision.number;
            line(&mut said, format_args!("ready: revision {number}"));
            true
        }
    };
    refusal(status, now, &mut said);
    if let Some(live) = &status.live {
        for one in &live.refused_accounts {
            account(one, live, now, &mut said);
        }
    }
    credentials(endpoints, now, &mut said);
    if ready { Ok(said) } else { Err(said) }
}

/// Certificates and tokens that are not the newest, and certificates that are over: clients see it
/// for themselves, so that it is told and does not make the server unready.
fn credentials(endpoints: &[Arc<Endpoint>], now: Timestamp, said: &mut String) {
    for endpoint in endpoints {
        let place = endpoint.place().as_str();
        for (what, refused, _) in endpoint.kept() {
            if let Some(refused) = refused {
                let RefusedFiles { since, why } = &*refused;
                line(
                    said,
                    format_args!("{what} of {place}: newer ones refused since {since}: {why}"),
                );
            }
        }
        for expiry in &endpoint.certificates().expiries {
            let Expiry {
                part,
                place: number,
                not_after,
            } = expiry;
            if *not_after < now {
                let part = part.as_str();
                line(
                    said,
                    format_args!("certificates of {place}: {part} {number} expired at {not_after}"),
                );
            }
        }
    }
}

/// The newest bundle, if it is refused, and how old what decides is.
fn refusal(status: &Status, now: Timestamp, said: &mut String) {
    if let Some(refusal) = &status.refusal {
        let count = counted(refusal.errors.len(), "error");
        line(said, format_args!("refused at {}: {count}", refusal.seen));
        errors(&refusal.errors, said);
    }
    if let Some(since) = status.stale_since {
        let age = seconds(since, now);
        line(said, format_args!("stale since {since}, for {age} s"));
    }
    if let Some(expires) = status.expires() {
        line(said, format_args!("nothing is decided from {expires} on"));
    }
}

fn account(one: &RefusedAccount, live: &Live, now: Timestamp, said: &mut String) {
    let expired = live.expires_for(one).is_some_and(|expires| expires <= now);
    let RefusedAccount {
        account,
        state,
        since,
        errors: all,
    } = one;
    let state = match state {
        AccountState::LastGood if expired => "stale for longer than `max_staleness`",
        AccountState::LastGood => "stale",
        AccountState::Quarantined => "quarantined",
    };
    let count = counted(all.iter().len() + all.omitted(), "error");
    let age = seconds(*since, now);
    line(
        said,
        format_args!("account {account}: {state}, {count}, for {age} s"),
    );
    errors(&Finding::errors(all), said);
}

fn errors(all: &[Finding], said: &mut String) {
    for error in all.iter().take(ERRORS) {
        let Finding { file, at, code, .. } = error;
        let place = match at {
            Some(at) => format!("{file}:{}:{}", at.line, at.column),
            None => file.clone(),
        };
        line(said, format_args!("  {place} {code}"));
    }
    if let Some(more @ 1..) = all.len().checked_sub(ERRORS) {
        line(said, format_args!("  and {more} more"));
    }
}

/// Whole seconds between two instants; none, if the clock was set back.
fn seconds(since: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(since).as_secs().max(0)
}

fn line(said: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = writeln!(said, "{text}");
}
