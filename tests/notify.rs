//! What a service manager is told.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use crate::support::process::PROGRAM;

/// A program that was started by a service manager: the test.
struct Service {
    child: Child,
    manager: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("notify.sock");
        let manager = UnixDatagram::bind(&socket).unwrap();
        let limit = Some(Duration::from_secs(20));
        manager.set_read_timeout(limit).unwrap();
        let data = format!("unix:{}", folder.path().join("data.sock").display());
        let child = Command::new(PROGRAM)
            .args(["serve", "--admin", "none", "--listen", &data])
            .args(arguments)
            .env("NOTIFY_SOCKET", &socket)
            .env("RUST_LOG", "error")
            .spawn()
            .unwrap();
        Self {
            child,
            manager,
            _folder: folder,
        }
    }

    /// A server of a directory, which nobody manages.
    fn of(bundle: &Path) -> Self {
        let bundle = bundle.to_str().unwrap();
        Self::start(&["--manage", "none", "--bundle", bundle])
    }

    fn told(&self) -> String {
        let mut buffer = [0; 512];
        let length = self.manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

#[test]
fn a_manager_is_told_of_the_start_of_reloads_and_of_the_end() {
    let mut service = Service::of(&example("eci"));
    assert_eq!(service.told(), "READY=1\n");
    service.signal("HUP");
    let told = service.told();
    let since = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(since.trim().parse::<u64>().unwrap() > 0, "{told}");
    assert_eq!(service.told(), "READY=1\n");
    service.signal("TERM");
    assert_eq!(service.told(), "STOPPING=1\n");
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn a_bundle_that_is_refused_is_never_ready() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bundle.json"), "{}").unwrap();
    let mut service = Service::of(folder.path());
    assert_eq!(service.child.wait().unwrap().code(), Some(3));
    service.manager.set_nonblocking(true).unwrap();
    assert!(service.manager.recv(&mut [0; 8]).is_err());
}

#[test]
fn an_empty_store_is_ready_for_its_first_policies() {
    let folder = tempfile::tempdir().unwrap();
    let manage = format!("unix:{}", folder.path().join("manage/m.sock").display());
    let data = folder.path().join("data");
    let mut service = Service::start(&["--manage", &manage, "--data", data.to_str().unwrap()]);
    assert_eq!(service.told(), "READY=1\n");
    service.signal("TERM");
    assert_eq!(service.told(), "STOPPING=1\n");
    assert!(service.child.wait().unwrap().success());
}
