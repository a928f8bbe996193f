//! Whether the server is ready, and what is stale: the bodies of probes.
//!
//! Errors are told by place and code. Their texts quote documents, and are told on the management
//! channel and in the log.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::document::finding::Finding;
use crate::management::{AccountState, Live, RefusedAccount, Status};

/// How many errors of one bundle or account are told.
const ERRORS: usize = 5;

/// What `/readyz` says at an instant: an error if the server is not ready.
///
/// What to do about a stale bundle is the operator's choice: it is told, and makes the server
/// unready only once `on_stale` = `deny` lets nothing be decided any more.
pub(super) fn readiness(status: &Status, draining: bool, now: Timestamp) -> Result<String, String> {
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
    if ready { Ok(said) } else { Err(said) }
}

/// The newest bundle, if it is refused, and how old what decides is.
fn refusal(status: &Status, now: Timestamp, said: &mut String) {
    if let Some(refusal) = &status.refusal {
        let count = refusal.errors.len();
        line(
            said,
            format_args!("refused at {}: {count} errors", refusal.seen),
        );
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
    let (count, age) = (all.iter().len() + all.omitted(), seconds(*since, now));
    line(
        said,
        format_args!("account {account}: {state}, {count} errors, for {age} s"),
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
