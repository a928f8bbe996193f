//! A call that comes alone is committed by who calls: to hand it over to another thread and back
//! takes two wake-ups of threads, and as long as to work it out.
//!
//! Where others are open, or were worked out together last, or the thread has something to do of its
//! own, the call goes to the thread, which commits together what waits.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

use super::job::Job;
use super::writer::Writer;

/// The way to the writer without its thread.
#[derive(Clone)]
pub(super) struct Alone {
    writer: Arc<Mutex<Writer>>,
    open: Arc<AtomicUsize>,
}

impl fmt::Debug for Alone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Alone");
        shown.field("open", &self.open).finish_non_exhaustive()
    }
}

impl Alone {
    pub(super) fn new(writer: Arc<Mutex<Writer>>) -> Self {
        let open = Arc::default();
        Self { writer, open }
    }

    /// Keeps everybody from writing.
    #[cfg(test)]
    pub(super) fn hold(&self) -> std::sync::MutexGuard<'_, Writer> {
        self.writer.lock().unwrap()
    }

    /// Counts a call as open, and lets those that have arrived with it be counted too.
    pub(super) async fn enter(&self) -> Place<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        let place = Place(self);
        yield_now().await;
        place
    }
}

/// An open call.
pub(super) struct Place<'a>(&'a Alone);

impl Place<'_> {
    /// Works out a call, commits it and answers; or returns it for the thread. `resume` tells the
    /// thread that something is left to do.
    pub(super) fn commit(&self, job: Box<dyn Job>, resume: impl FnOnce()) -> Option<Box<dyn Job>> {
        let Self(Alone { writer, open }) = self;
        if open.load(Ordering::Relaxed) > 1 {
            return Some(job);
        }
        // Where a call has panicked, the thread ends, and says so.
        let Ok(mut writer) = writer.try_lock() else {
            return Some(job);
        };
        if !writer.is_calm() {
            return Some(job);
        }
        writer.group(vec![job]);
        if writer.is_busy() {
            resume();
        }
        None
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
