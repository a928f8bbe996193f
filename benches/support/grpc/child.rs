//! A server in a process of its own, on a core of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// The core of the server, and that of the load.
pub(crate) const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Its end ends the server.
    _stdin: Option<ChildStdin>,
    /// Where it listens.
    pub(crate) tcp: String,
    pub(crate) unix: String,
}

impl Server {
    /// Starts this program as a server.
    pub(crate) fn start(arguments: &[&str], socket: &Path) -> Self {
        let mut child = Command::new("taskset")
            .args(["-c", SERVER_CORE])
            .arg(std::env::current_exe().unwrap())
            .args(arguments)
            .arg("--socket")
            .arg(socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset, of util-linux");
        let mut line = String::new();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        told.read_line(&mut line).unwrap();
        Self {
            _stdin: child.stdin.take(),
            child,
            tcp: line.trim().to_owned(),
            unix: socket.to_str().unwrap().to_owned(),
        }
    }

    /// The processor time that it used so far, over all its threads.
    pub(crate) fn used(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_task = |path: &Path| {
            let told = std::fs::read_to_string(path.join("schedstat")).unwrap();
            let first = told.split(' ').next().unwrap();
            first.parse::<u64>().unwrap()
        };
        let nanoseconds = tasks.map(|task| of_task(&task.unwrap().path())).sum();
        Duration::from_nanos(nanoseconds)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Moves this process to the core of the load.
pub(crate) fn pin_load() {
    let done = Command::new("taskset")
        .args(["-cp", LOAD_CORE, &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()
        .expect("taskset, of util-linux");
    assert!(done.success(), "the load needs a core of its own");
}
