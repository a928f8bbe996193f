//! The composition root: takes every address, loads, serves, drains.
//!
//! Addresses are taken first, so that a taken one is told before anything else happens; probes
//! answer while the first bundle is read. On the way down health is told first, then the data
//! server drains, and metrics, probes and the management channel end last.

mod authored;
mod manage;
mod notify;
mod secured;
mod signals;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use self::authored::Bundles;
use self::authored::Kept;
pub use self::manage::Manage;
use self::notify::First;
use self::secured::Secured;
pub use self::secured::Tls;
use self::signals::{Signals, Watched, on_signals};
use crate::admin::{self, Admin, Sources, State};
use crate::directory::Directory;
use crate::document::finding::Finding;
use crate::management::directory::{self, DirectoryWriter};
use crate::management::permission::Administrators;
use crate::management::{self, Command, Management, Status};
use crate::publish::publication;
use crate::service::pap::{self, Pap};
use crate::service::pdp::{self, Clock, Pdp};
use crate::service::rest::{self, Rest};
use crate::service::{self, Ended, Phase, Server};
use crate::source::files::{Watch, WatchConfig};
use crate::source::random;
use crate::source::watch::Watcher;
use crate::telemetry::{DirectoryWrites, Reloads};
use crate::tls::Endpoint;
use crate::wire::page::PageKey;

/// What `serve` is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where authored state comes from.
    pub bundles: Bundles,
    /// Who manages without permission.
    pub administrators: Administrators,
    /// The data server.
    pub service: service::Config,
    /// The management channel, if there is one.
    pub manage: Option<Manage>,
    /// What is served with TLS.
    pub tls: Tls,
    /// How often the files of TLS are compared where no event tells of a change.
    pub tls_poll: Duration,
    /// Metrics and probes, if they are served.
    pub admin: Option<admin::Config>,
    /// Decisions over HTTP, if they are served.
    pub rest: Option<rest::Config>,
}

/// The bundle was refused when there was none before, and the server does not start.
#[derive(Debug, thiserror::Error)]
#[error("the bundle is refused")]
pub struct RefusedAtStart(pub Vec<Finding>);

/// Whether a server could begin TLS by these files.
///
/// # Errors
///
/// The first of them with which it could not.
pub fn check(tls: Tls) -> anyhow::Result<()> {
    Secured::load(tls)?;
    Ok(())
}

/// Serves until a signal ends it.
///
/// # Errors
///
/// [`RefusedAtStart`]; or an address is taken, or the server cannot be started.
pub fn serve(config: Config) -> anyhow::Result<Ended> {
    let Config {
        bundles,
        administrators,
        service,
        manage,
        tls,
        tls_poll,
        admin,
        rest,
    } = config;
    let secured = Secured::load(tls)?;
    let endpoints = secured.all();
    let lame_duck = service.lame_duck;
    let service = service::Config {
        endpoint: secured.data,
        ..service
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("slow")
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let server = Server::bind(service)?;
    let pap = manage.map(|manage| manage.bind(secured.manage.as_ref()));
    let pap = pap.transpose()?.flatten();
    let managing = pap.as_ref().map(|_| pap::runtime()).transpose();
    let managing = managing.context("the runtime of management cannot be started")?;
    let bound = Bound {
        server,
        pap: pap.zip(managing.as_ref().map(|managing| managing.handle().clone())),
        admin: admin.map(Admin::bind).transpose()?,
        rest: rest.map(Rest::bind).transpose()?,
        lame_duck,
    };
    bound.tell()?;
    let credentials = secured::watch(&endpoints, tls_poll)?;
    let kept = Kept::open(&bundles)?;
    let (running, threads) = Running::start(kept, administrators, endpoints, credentials)?;
    let ended = runtime.block_on(running.serve(bound));
    // With the last that could reach them the threads end: management, which frees what is in
    // force, and then the directory's writer.
    if let Some(managing) = managing {
        managing.shutdown_timeout(Duration::from_secs(1));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread that owns state panicked");
        }
    }
    ended
}

/// The addresses that were taken.
struct Bound {
    server: Server,
    /// The management channel, and what it runs on.
    pap: Option<(Pap, Handle)>,
    admin: Option<Admin>,
    rest: Option<Rest>,
    /// How long the data server still takes connections after the signal to stop.
    lame_duck: Duration,
}

impl Bound {
    fn tell(&self) -> std::io::Result<()> {
        for address in self.server.addresses()? {
            tracing::info!(%address, "listening");
        }
        if let Some(admin) = &self.admin {
            let address = admin.address()?;
            tracing::info!(%address, "listening for metrics and probes");
        }
        if let Some(rest) = &self.rest {
            let address = rest.address()?;
            tracing::info!(%address, "listening for decisions over HTTP");
        }
        Ok(())
    }
}

/// What runs beside the listeners.
struct Running {
    pdp: Pdp,
    reloads: Reloads,
    counted: DirectoryWrites,
    managing: pap::Config,
    watched: Watched,
    endpoints: Vec<Arc<Endpoint>>,
    /// With what the server is ready.
    first: First,
}

impl Running {
    fn start(
        kept: Kept,
        administrators: Administrators,
        endpoints: Vec<Arc<Endpoint>>,
        credentials: Vec<Watcher>,
    ) -> anyhow::Result<(Self, [JoinHandle<()>; 2])> {
        let first = kept.first()?;
        let (publisher, reader) = publication().context("the reclaiming thread")?;
        let directory = Arc::new(Directory::default());
        let reloads = Reloads::default();
        let counted = DirectoryWrites::default();
        let (writer, thread) = DirectoryWriter::start(directory::Config {
            directory: Arc::clone(&directory),
            reader: reader.clone(),
            store: kept.resources(),
            writes: counted.clone(),
            step: service::directory_step(),
        })
        .context("the directory cannot be loaded")?;
        let stores = kept.stores();
        let (authored, watched) = kept.into_parts(&administrators)?;
        let (management, task) = Management::start(management::Config {
            publisher,
            reader: reader.clone(),
            directory: Arc::clone(&directory),
            writer: writer.clone(),
            reloads: reloads.clone(),
            authored,
        })
        .context("the management thread")?;
        let watch = watched.map(|config| watch_directory(&config, management.commands()));
        let watch = watch.transpose().context("the watching thread")?;
        let managing = pap::Config {
            management,
            reader: reader.clone(),
            directory: Arc::clone(&directory),
            writer,
            administrators,
            pages: PageKey::new(random()?),
            stores,
        };
        let running = Self {
            first,
            pdp: Pdp::new(pdp::Config {
                reader,
                directory,
                clock: Clock::default(),
                pages: PageKey::new(random()?),
            }),
            reloads,
            counted,
            managing,
            watched: Watched {
                bundle: watch,
                credentials,
            },
            endpoints,
        };
        Ok((running, [task, thread]))
    }

    async fn serve(self, bound: Bound) -> anyhow::Result<Ended> {
        let Self {
            pdp,
            reloads,
            counted,
            managing,
            watched,
            endpoints,
            first,
        } = self;
        let is_watched = watched.bundle.is_some();
        let Bound {
            server,
            pap,
            admin,
            rest,
            lame_duck,
        } = bound;
        let (phase, phases) = watch::channel(Phase::Serving);
        let (last_phase, last_phases) = watch::channel(Phase::Serving);
        let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
        let state = State {
            sources: Sources {
                status: managing.management.status(),
                tallies: pdp.tallies(),
                reloads,
                writes: counted,
                directory: Arc::clone(&managing.directory),
                ignored: pdp.ignored_values(),
                connections: server.open_connections(),
                endpoints,
            },
            draining: draining.clone(),
        };
        let status = managing.management.status();
        let closing_at = draining.clone();
        let signals = Signals::listen()?;
        let signals = tokio::spawn(on_signals(signals, phase.clone(), draining, watched));
        let ready = AbortOnDropHandle::new(tokio::spawn(notify::ready_with(first, status.clone())));
        let counting = directory::keep_counted(managing.writer.clone(), managing.reader.clone());
        let counting = AbortOnDropHandle::new(tokio::spawn(counting));
        let closing = CancellationToken::new();
        let closer = close_after(closing_at.clone(), lame_duck, closing.clone());
        let closer = AbortOnDropHandle::new(tokio::spawn(closer));
        let rest = rest.map(|rest| tokio::spawn(rest.run(pdp.for_worker(), closing.clone())));
        let admin = admin.map(|admin| tokio::spawn(admin.run(state, stop.clone())));
        let pap = pap.map(|(pap, on)| on.spawn(pap.run(managing, last_phases)));
        let serving = server.run(pdp, phases);
        let refused = refused_at_start(status, phase);
        let (ended, refused) = if is_watched {
            tokio::join!(serving, refused)
        } else {
            (serving.await, None)
        };
        drop(closer);
        closing.cancel();
        if let Some(rest) = rest {
            rest.await??;
        }
        last_phase.send_replace(Phase::Draining);
        if let Some(pap) = pap {
            pap.await??;
        }
        last_phase.send_replace(Phase::Ended);
        stop.cancel();
        if let Some(admin) = admin {
            admin.await??;
        }
        drop((ready, counting));
        signals.abort();
        // What it held is dropped with it.
        let _ = signals.await;
        match refused {
            Some(errors) => Err(RefusedAtStart(errors).into()),
            None => Ok(ended?),
        }
    }
}

/// Closes what is plain HTTP when the data server closes its listeners.
async fn close_after(draining: CancellationToken, lame_duck: Duration, closing: CancellationToken) {
    draining.cancelled().await;
    tokio::time::sleep(lame_duck).await;
    closing.cancel();
}

fn watch_directory(
    config: &WatchConfig,
    commands: mpsc::Sender<Command>,
) -> std::io::Result<Watch> {
    Watch::start(config, move |found| {
        // The task ends only when the server does.
        let _ = commands.blocking_send(Command::Found(found));
    })
}

/// Waits for what comes of the first bundle. If it is refused, the server ends.
async fn refused_at_start(
    mut status: watch::Receiver<Arc<Status>>,
    phase: watch::Sender<Phase>,
) -> Option<Vec<Finding>> {
    let known = |status: &Arc<Status>| status.live.is_some() || status.refusal.is_some();
    let mut phases = phase.subscribe();
    let first = tokio::select! {
        first = status.wait_for(known) => first.ok()?.clone(),
        _ = phases.wait_for(|phase| *phase >= Phase::Draining) => return None,
    };
    if first.live.is_some() {
        return None;
    }
    phase.send_replace(Phase::Ended);
    first.refusal.as_ref().map(|refusal| refusal.errors.clone())
}
