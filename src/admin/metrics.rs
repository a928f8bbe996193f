//! All metrics, gathered when they are asked for.

mod tls;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::watch;

use crate::directory::Directory;
use crate::management::{Live, Status};
use crate::model::caller::Rpc;
use crate::telemetry::{
    Counted, DirectoryWrites, Effect, ReloadOutcome, Reloads, Tallies, VerdictOutcome, name,
};
use crate::tls::Endpoint;

/// Where metrics come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// What is in force.
    pub status: watch::Receiver<Arc<Status>>,
    /// Decisions.
    pub tallies: Tallies,
    /// Bundles.
    pub reloads: Reloads,
    /// Writes of the directory.
    pub writes: DirectoryWrites,
    /// The directory.
    pub directory: Arc<Directory>,
    /// Sent values that were overruled.
    pub ignored: Arc<AtomicU64>,
    /// Open connections.
    pub connections: Arc<AtomicUsize>,
    /// Certificates and tokens.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// A registry of everything.
pub(super) fn registry(sources: &Sources) -> Registry {
    let mut registry = Registry::with_prefix(name::PREFIX);
    registry.register_collector(Box::new(Gathered(sources.clone())));
    registry
}

#[derive(Debug)]
struct Gathered(Sources);

impl Collector for Gathered {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = Writer(encoder);
        self.decisions(&mut writer)?;
        self.verdicts(&mut writer)?;
        self.snapshot(&mut writer)?;
        self.reloads(&mut writer)?;
        self.directory(&mut writer)?;
        tls::encode(&self.0.endpoints, &mut writer)?;
        self.process(&mut writer)
    }
}

impl Gathered {
    fn decisions(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let tallies = &self.0.tallies;
        let mut counts = Vec::new();
        for rpc in Rpc::ALL.into_iter().filter(|rpc| rpc.decides()) {
            for effect in Effect::ALL {
                let labels = vec![("api", rpc.as_str()), ("effect", effect.as_str())];
                counts.push((labels, tallies.decisions(rpc, effect)));
            }
        }
        writer.counters(name::DECISIONS, "Decisions by api and effect", &counts)?;
        writer.histogram(
            name::DECISION_DURATION,
            "How long decisions take",
            &tallies.durations(),
        )
    }

    fn verdicts(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let tallies = &self.0.tallies;
        let mut counts = Vec::new();
        for rpc in Rpc::ALL.into_iter().filter(|rpc| rpc.judges_tags()) {
            for outcome in VerdictOutcome::ALL {
                let labels = vec![("api", rpc.as_str()), ("outcome", outcome.as_str())];
                counts.push((labels, tallies.verdicts(rpc, outcome)));
            }
        }
        let help = "Verdicts on tags by api and outcome";
        writer.counters(name::TAG_VERDICTS, help, &counts)?;
        let help = "How long verdicts on tags take";
        let counted = tallies.verdict_durations();
        writer.histogram(name::TAG_VERDICT_DURATION, help, &counted)
    }

    fn snapshot(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let status = self.0.status.borrow().clone();
        let stale = status.stale_since.map_or(0.0, age);
        let help = "For how long a newer bundle has been refused";
        writer.gauge(name::SNAPSHOT_STALE, help, Some(&Unit::Seconds), &stale)?;
        let expired = i64::from(status.standing().is_expired(Timestamp::now()));
        let help = "Whether nothing is decided, because the snapshot in force is too stale";
        writer.gauge(name::SNAPSHOT_EXPIRED, help, None, &expired)?;
        let Some(live) = &status.live else {
            return Ok(());
        };
        let Live {
            revision,
            activated,
            counts: _,
            max_staleness,
            refused_accounts,
        } = live;
        if let Some(limit) = max_staleness {
            let help = "How long the snapshot decides while a newer bundle is refused";
            let limit = limit.as_secs_f64();
            writer.gauge(name::MAX_STALENESS, help, Some(&Unit::Seconds), &limit)?;
        }
        let number = revision.number.to_string();
        let hexadecimal = |number: u64| format!("{number:016x}");
        let (source, digest) = (hexadecimal(revision.source), hexadecimal(revision.digest));
        let help = "The snapshot in force";
        let labels = [
            ("revision", &*number),
            ("source", &source),
            ("digest", &digest),
        ];
        writer.info(name::SNAPSHOT_INFO, help, &labels)?;
        let help = "When the snapshot in force was put into force";
        let second = Timestamp::UNIX_EPOCH;
        let at = activated.duration_since(second).as_secs_f64();
        writer.gauge(name::SNAPSHOT_ACTIVATED, help, Some(&Unit::Seconds), &at)?;
        let help = "How long the snapshot has been in force";
        writer.gauge(
            name::SNAPSHOT_AGE,
            help,
            Some(&Unit::Seconds),
            &age(*activated),
        )?;
        let help = "Accounts whose newest documents are refused";
        let stale = i64::try_from(refused_accounts.len()).unwrap_or(i64::MAX);
        writer.gauge(name::STALE_ACCOUNTS, help, None, &stale)
    }

    fn reloads(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let reloads = &self.0.reloads;
        let counts = ReloadOutcome::ALL.map(|outcome| {
            let labels = vec![("outcome", outcome.as_str())];
            (labels, reloads.counted(outcome))
        });
        writer.counters(name::RELOADS, "Bundles by what came of them", &counts)?;
        let help = "How long reading and compiling a bundle takes";
        writer.histogram(name::COMPILE_DURATION, help, &reloads.durations())
    }

    fn directory(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let counted = &self.0.writes;
        let help = "Changes of the directory that were committed";
        writer.counters(
            name::DIRECTORY_CHANGES,
            help,
            &[(Vec::new(), counted.changes())],
        )?;
        let help = "Resources that changes of the directory wrote";
        let written = counted.resources();
        writer.counters(name::DIRECTORY_WRITES, help, &[(Vec::new(), written)])?;
        let help = "How many changes of the directory were committed together";
        writer.counts(name::DIRECTORY_GROUP, help, &counted.groups())?;
        let help = "How long the disk takes for a group of changes";
        writer.histogram(name::DIRECTORY_SYNC, help, &counted.syncs())?;
        let help = "Whether the file of the directory cannot be written";
        let failing = i64::from(counted.is_failing());
        writer.gauge(name::DIRECTORY_FAILING, help, None, &failing)?;
        let help = "Resources that the directory knows";
        let known = i64::try_from(self.0.directory.len()).unwrap_or(i64::MAX);
        writer.gauge(name::DIRECTORY_RESOURCES, help, None, &known)
    }

    fn process(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let help = "Sent tags and groups that the directory overruled";
        let ignored = self.0.ignored.load(Ordering::Relaxed);
        writer.counters(name::IGNORED_VALUES, help, &[(Vec::new(), ignored)])?;
        let open = self.0.connections.load(Ordering::Relaxed);
        let open = i64::try_from(open).unwrap_or(i64::MAX);
        let help = "Open connections of the data server";
        writer.gauge(name::OPEN_CONNECTIONS, help, None, &open)?;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        writer.info(name::BUILD_INFO, "The version of the program", &version)
    }
}

/// The seconds since an instant; none, if the clock was set back.
fn age(instant: Timestamp) -> f64 {
    Timestamp::now()
        .duration_since(instant)
        .as_secs_f64()
        .max(0.0)
}

struct Writer<'e>(DescriptorEncoder<'e>);

type Labels<'l> = Vec<(&'l str, &'l str)>;

impl Writer<'_> {
    fn counters(&mut self, name: &str, help: &str, counts: &[(Labels<'_>, u64)]) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in counts {
            if labels.is_empty() {
                metric.encode_counter::<NoLabelSet, _, u64>(count, None)?;
                continue;
            }
            metric
                .encode_family(labels)?
                .encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        Ok(())
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: &impl EncodeGaugeValue,
    ) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?
            .encode_gauge(value)
    }

    /// A gauge for each of some labels.
    fn gauges<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        values: &[(Labels<'_>, V)],
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(labels)?.encode_gauge(value)?;
        }
        Ok(())
    }

    /// A gauge that is always 1: what it tells stands in its labels.
    fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, None, MetricType::Gauge)?
            .encode_family(&labels.to_vec())?
            .encode_gauge(&1_i64)
    }

    /// A histogram of durations.
    fn histogram(&mut self, name: &str, help: &str, counted: &Counted) -> fmt::Result {
        self.distribution(name, help, Some(&Unit::Seconds), counted)
    }

    /// A histogram of numbers.
    fn counts(&mut self, name: &str, help: &str, counted: &Counted) -> fmt::Result {
        self.distribution(name, help, None, counted)
    }

    fn distribution(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        counted: &Counted,
    ) -> fmt::Result {
        let Counted {
            sum,
            count,
            buckets,
        } = counted;
        self.0
            .encode_descriptor(name, help, unit, MetricType::Histogram)?
            .encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
    }
}
