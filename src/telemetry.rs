//! What is counted while the server runs, and the names of all metrics.
//!
//! Counting a decision is a few relaxed additions to counters that one worker alone writes: it
//! neither allocates nor waits. They are summed when somebody reads them.
//!
//! Not here: how metrics are served (`admin`).

mod directory;
mod handshake;
mod histogram;
mod seldom;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::directory::DirectoryWrites;
pub use self::handshake::{Handshake, Handshakes};
pub use self::histogram::{Counted, Histogram};
pub use self::seldom::Seldom;
pub use self::tally::{Effect, Made, Tallies, Tally, VerdictOutcome};

/// The names of metrics, without the prefix and without the suffixes of their types.
pub mod name {
    /// What stands before every name.
    pub const PREFIX: &str = "tagwarden";
    /// Decisions by api and effect.
    pub const DECISIONS: &str = "decisions";
    /// How long decisions take.
    pub const DECISION_DURATION: &str = "decision_duration";
    /// Verdicts on tags by api and outcome.
    pub const TAG_VERDICTS: &str = "tag_verdicts";
    /// How long verdicts on tags take.
    pub const TAG_VERDICT_DURATION: &str = "tag_verdict_duration";
    /// The snapshot in force: its revision and source.
    pub const SNAPSHOT_INFO: &str = "snapshot_info";
    /// When the snapshot in force was put into force.
    pub const SNAPSHOT_ACTIVATED: &str = "snapshot_activated_timestamp";
    /// How long the snapshot has been in force.
    pub const SNAPSHOT_AGE: &str = "snapshot_age";
    /// For how long a newer bundle has been refused; 0 where none is.
    pub const SNAPSHOT_STALE: &str = "snapshot_stale";
    /// Whether nothing is decided any more, because the snapshot in force is too stale.
    pub const SNAPSHOT_EXPIRED: &str = "snapshot_expired";
    /// How long the snapshot in force decides while it is stale; absent where it does for ever.
    pub const MAX_STALENESS: &str = "max_staleness";
    /// Bundles by what came of them.
    pub const RELOADS: &str = "reloads";
    /// How long reading and compiling a bundle takes.
    pub const COMPILE_DURATION: &str = "compile_duration";
    /// Accounts whose newest documents are refused.
    pub const STALE_ACCOUNTS: &str = "stale_accounts";
    /// Sent tags and groups that the directory overruled.
    pub const IGNORED_VALUES: &str = "ignored_sent_values";
    /// Changes of the directory that were committed.
    pub const DIRECTORY_CHANGES: &str = "directory_changes";
    /// Resources that they wrote.
    pub const DIRECTORY_WRITES: &str = "directory_resource_writes";
    /// How many changes were committed together.
    pub const DIRECTORY_GROUP: &str = "directory_group_changes";
    /// How long the disk takes for a group.
    pub const DIRECTORY_SYNC: &str = "directory_sync_duration";
    /// Whether the directory's file cannot be written.
    pub const DIRECTORY_FAILING: &str = "directory_failing";
    /// Resources that the directory knows.
    pub const DIRECTORY_RESOURCES: &str = "directory_resources";
    /// Connections of the data server.
    pub const OPEN_CONNECTIONS: &str = "open_connections";
    /// Handshakes of TLS by what came of them.
    pub const TLS_HANDSHAKES: &str = "tls_handshakes";
    /// The last instant of each certificate.
    pub const TLS_NOT_AFTER: &str = "tls_certificate_not_after_timestamp";
    /// Changed files of certificates and tokens by what came of them.
    pub const TLS_RELOADS: &str = "tls_reloads";
    /// For how long newer files have been refused; 0 where none are.
    pub const TLS_STALE: &str = "tls_stale";
    /// The version of the program.
    pub const BUILD_INFO: &str = "build_info";
}

/// Bundles by what came of them, and how long each took.
#[derive(Debug, Clone)]
pub struct Reloads(Arc<ReloadCounters>);

#[derive(Debug)]
struct ReloadCounters {
    by_outcome: [AtomicU64; ReloadOutcome::ALL.len()],
    duration: Histogram<{ COMPILE_BOUNDS.len() }>,
}

/// The bounds of the times that bundles take, in nanoseconds.
const COMPILE_BOUNDS: [u64; 12] = [
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000,
];

/// What came of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReloadOutcome {
    /// It was put into force.
    Published,
    /// It is what is in force.
    Unchanged,
    /// It was refused.
    Refused,
}

impl ReloadOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Published, Self::Unchanged, Self::Refused];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Published => 0,
            Self::Unchanged => 1,
            Self::Refused => 2,
        }
    }
}

impl Default for Reloads {
    fn default() -> Self {
        Self(Arc::new(ReloadCounters {
            by_outcome: Default::default(),
            duration: Histogram::new(COMPILE_BOUNDS),
        }))
    }
}

impl Reloads {
    /// Counts a bundle.
    pub fn count(&self, outcome: ReloadOutcome) {
        if let Some(counter) = self.0.by_outcome.get(outcome.place()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often something came of a bundle.
    pub fn counted(&self, outcome: ReloadOutcome) -> u64 {
        let counter = self.0.by_outcome.get(outcome.place());
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Notes how long reading and compiling a bundle took.
    pub fn took(&self, duration: std::time::Duration) {
        self.0.duration.observe(duration);
    }

    /// How long reading and compiling took.
    pub fn durations(&self) -> Counted {
        self.0.duration.read()
    }
}
