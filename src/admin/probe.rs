//! Whether the server is ready, and why not.

use std::fmt::Write as _;

use crate::management::{AccountState, RefusedAccount, Status};

/// What `/readyz` says: an error if the server is not ready.
///
/// What to do about a stale bundle is the operator's choice, so that it is told and does
/// not make the server unready.
pub(super) fn readiness(status: &Status, draining: bool) -> Result<String, String> {
    if draining {
        return Err("not ready: draining\n".to_owned());
    }
    let Some(live) = &status.live else {
        let mut said = "not ready: no policies are loaded yet\n".to_owned();
        refusal(status, &mut said);
        return Err(said);
    };
    let mut said = format!("ready: revision {}\n", live.revision.number);
    refusal(status, &mut said);
    for RefusedAccount {
        account,
        state,
        errors,
    } in &live.refused_accounts
    {
        let state = match state {
            AccountState::LastGood => "stale",
            AccountState::Quarantined => "quarantined",
        };
        let count = errors.iter().len() + errors.omitted();
        line(
            &mut said,
            format_args!("account {account}: {state}, {count} errors"),
        );
    }
    Ok(said)
}

/// How many errors the newest bundle has; what they are is told on the management channel.
fn refusal(status: &Status, said: &mut String) {
    if let Some(refusal) = &status.refusal {
        let count = refusal.errors.len();
        line(
            said,
            format_args!("refused at {}: {count} errors", refusal.seen),
        );
    }
    if let Some(since) = status.stale_since {
        line(said, format_args!("stale since {since}"));
    }
}

fn line(said: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = writeln!(said, "{text}");
}
