//! What a load leaves behind goes back to the system.
//!
//! The allocator keeps what a thread freed for that thread, and gives pages back once they have been
//! free for a while and a thread ends. So what needs much for a short time runs on a thread of its
//! own, and another one ends a little later.
//!
//! Not here: snapshots that were replaced (`publish`).

use std::thread::{Builder, scope, sleep};
use std::time::Duration;

/// Pages are given back when they have been free for a second.
const SETTLED: Duration = Duration::from_millis(1_500);

/// Does something on a thread of its own and waits for it; on this one where there can be no other.
pub(crate) fn apart(name: &str, work: impl FnOnce() + Send) {
    let mut work = Some(work);
    let mut run = || {
        if let Some(work) = work.take() {
            work();
        }
    };
    scope(|threads| {
        let thread = Builder::new().name(name.to_owned());
        // One that cannot be started leaves the work where it was.
        let _ = thread.spawn_scoped(threads, &mut run);
    });
    run();
}

/// Lets what was freed until now go back to the system a little later.
pub(crate) fn settle() {
    let thread = Builder::new().name("settle".to_owned());
    // Without it, the next thread that ends does the same.
    let _ = thread.spawn(|| sleep(SETTLED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_once_and_elsewhere() {
        let mut done = Vec::new();
        apart("test", || done.push(std::thread::current().id()));
        assert_eq!(done.len(), 1);
        assert_ne!(done[0], std::thread::current().id());
    }
}
