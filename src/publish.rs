//! The way of a snapshot from whoever compiles it to whoever decides.
//!
//! A reader never waits for a publication, and a publication never for a reader. A replaced
//! snapshot goes to one reclaiming thread, which drops it when nobody else holds it: a deciding
//! thread never frees one.

mod standing;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use jiff::Timestamp;
use tokio::sync::watch;

use self::standing::Expiry;
pub use self::standing::{Newest, Standing};
use crate::snapshot::Snapshot;

/// How often a replaced snapshot that is still held is looked at again.
const RECLAIM_EVERY: Duration = Duration::from_millis(20);

/// Makes both halves. There is no snapshot before the first publication.
///
/// # Errors
///
/// When the reclaiming thread cannot be started.
pub fn publication<T: Send + Sync + 'static>() -> std::io::Result<(Publisher<T>, Reader<T>)> {
    let current = Arc::new(ArcSwapOption::empty());
    let (count, changes) = watch::channel(0);
    let (standing, standings) = watch::channel(Standing::default());
    let expiry = Arc::new(Expiry::default());
    let (replaced, inbox) = channel();
    let thread = std::thread::Builder::new()
        .name("reclaim".to_owned())
        .spawn(move || reclaim(&inbox))?;
    let reader = Reader {
        current: Arc::clone(&current),
        changes,
        standings,
        expiry: Arc::clone(&expiry),
    };
    let publisher = Publisher {
        current,
        count,
        standing,
        expiry,
        replaced: Some(replaced),
        thread: Some(thread),
    };
    Ok((publisher, reader))
}

/// The half that reads.
#[derive(Debug)]
pub struct Reader<T = Snapshot> {
    current: Arc<ArcSwapOption<T>>,
    changes: watch::Receiver<u64>,
    standings: watch::Receiver<Standing>,
    expiry: Arc<Expiry>,
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self {
            current: Arc::clone(&self.current),
            changes: self.changes.clone(),
            standings: self.standings.clone(),
            expiry: Arc::clone(&self.expiry),
        }
    }
}

impl<T> Reader<T> {
    /// The newest snapshot, for work that does not yield.
    pub fn load(&self) -> Guard<Option<Arc<T>>> {
        self.current.load()
    }

    /// The newest snapshot, for work that may yield.
    pub fn load_full(&self) -> Option<Arc<T>> {
        self.current.load_full()
    }

    /// How what is in force stands to what its source holds, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standings.clone()
    }

    /// Whether what is in force decides no more. The clock is asked only where it ever will.
    pub fn is_expired(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.expiry.is_over(now)
    }

    /// Waits until `reached` holds for the newest snapshot. Returns `false` when no further one can
    /// come.
    pub async fn wait_for(&self, reached: impl Fn(&T) -> bool) -> bool {
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            if self.load().as_deref().is_some_and(&reached) {
                return true;
            }
            if changes.changed().await.is_err() {
                return self.load().as_deref().is_some_and(&reached);
            }
        }
    }
}

/// The half that publishes. There is one.
#[derive(Debug)]
pub struct Publisher<T: Send + Sync + 'static = Snapshot> {
    current: Arc<ArcSwapOption<T>>,
    /// Counts publications, for those who wait.
    count: watch::Sender<u64>,
    standing: watch::Sender<Standing>,
    expiry: Arc<Expiry>,
    replaced: Option<Sender<Arc<T>>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + Sync + 'static> Publisher<T> {
    /// Puts a snapshot into force, whole and at once.
    pub fn publish(&mut self, snapshot: T) {
        let replaced = self.current.swap(Some(Arc::new(snapshot)));
        self.count
            .send_modify(|count| *count = count.wrapping_add(1));
        if let (Some(old), Some(inbox)) = (replaced, &self.replaced) {
            // The thread ends only after this sender is gone.
            let _ = inbox.send(old);
        }
    }

    /// Tells how what is in force stands to what its source holds.
    pub fn stand(&self, standing: Standing) {
        self.expiry.set(standing.expires);
        self.standing.send_replace(standing);
    }
}

/// Waits for the reclaiming thread, which drops what nobody else holds and leaves the rest.
impl<T: Send + Sync + 'static> Drop for Publisher<T> {
    fn drop(&mut self) {
        self.replaced = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic, and a destructor has nobody to tell.
            let _ = thread.join();
        }
    }
}

fn reclaim<T>(inbox: &Receiver<Arc<T>>) {
    let mut held: Vec<Arc<T>> = Vec::new();
    loop {
        let next = if held.is_empty() {
            inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            inbox.recv_timeout(RECLAIM_EVERY)
        };
        match next {
            Ok(replaced) => held.push(replaced),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        held.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    struct Told(u32, Sender<(u32, ThreadId)>);

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.1.send((self.0, std::thread::current().id()));
        }
    }

    #[test]
    fn replaced_snapshots_are_freed_by_the_reclaiming_thread_when_nobody_holds_them() {
        let (freed, told) = channel();
        let (mut publisher, reader) = publication().unwrap();
        assert!(reader.load().is_none());
        publisher.publish(Told(1, freed.clone()));
        let held = reader.load_full().unwrap();
        publisher.publish(Told(2, freed.clone()));
        publisher.publish(Told(3, freed));
        assert_eq!(reader.load().as_ref().unwrap().0, 3);
        let limit = Duration::from_secs(5);
        let (number, thread) = told.recv_timeout(limit).unwrap();
        assert_eq!(number, 2);
        assert_ne!(thread, std::thread::current().id());
        drop(held);
        assert_eq!(told.recv_timeout(limit).unwrap(), (1, thread));
    }

    #[tokio::test]
    async fn a_waiter_sees_the_publication_it_waits_for() {
        let (mut publisher, reader) = publication::<u32>().unwrap();
        publisher.publish(1);
        let waiter = tokio::spawn({
            let reader = reader.clone();
            async move { reader.wait_for(|number| *number >= 3).await }
        });
        publisher.publish(2);
        publisher.publish(3);
        assert!(waiter.await.unwrap());
        drop(publisher);
        assert!(!reader.wait_for(|number| *number >= 4).await);
    }
}
